/// The .frm file: what the SQL layer knows of a table. Little-endian.
/// Format: docs/formats/frm.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "record/column_type.h"

namespace redoubt::dict {

/// Type codes of fields.
enum class FrmType : std::uint8_t {
    Tiny = 1,
    Short = 2,
    Long = 3,
    Float = 4,
    Double = 5,
    OldTimestamp = 7,
    LongLong = 8,
    Int24 = 9,
    OldDate = 10,
    OldTime = 11,
    OldDateTime = 12,
    Year = 13,
    Date = 14,
    Varchar = 15,
    Bit = 16,
    Timestamp = 17,
    DateTime = 18,
    Time = 19,
    Decimal = 246,
    Enum = 247,
    Set = 248,
    TinyBlob = 249,
    MediumBlob = 250,
    LongBlob = 251,
    Blob = 252,
    Char = 254,
    Geometry = 255
};

/// Engine-defined options (PAGE_COMPRESSED=1): name, value, and whether the value was quoted.
struct FrmOption {
    std::string name;
    std::string value;
    bool quoted = false;
};

enum class Visibility : std::uint8_t { Visible = 0, Invisible = 1, System = 2, Full = 3 };

struct FrmField {
    std::string name;  ///< UTF-8
    FrmType type = FrmType::Long;
    std::uint32_t length = 0;           ///< display width, or bytes
    std::uint32_t record_position = 0;  ///< in the default record; from 1
    std::uint16_t pack_flag = 0;
    std::uint8_t unireg = 0;
    std::uint16_t collation = 0;
    std::uint8_t geometry = 0;                               ///< subtype
    std::shared_ptr<const std::vector<std::string>> labels;  ///< UTF-8
    /// As record::ColumnType's.
    std::shared_ptr<const std::vector<std::string>> raw_labels;
    std::string comment;
    std::string plugin_type;  ///< "uuid", "inet6"; empty: none
    Visibility visibility = Visibility::Visible;
    bool without_versioning = false;
    std::string generated;  ///< expression; empty: not generated
    bool stored = false;    ///< of a generated one
    std::string default_expression;
    std::string check;
    std::vector<FrmOption> options;
    std::uint32_t srid = 0;

    bool nullable() const { return (pack_flag & 0x8000) != 0; }
    bool virtual_column() const { return !generated.empty() && !stored; }
    /// Of ENUM and SET. Those of characters that take two bytes or more have hex digits without it.
    bool labels_as_hex() const { return (pack_flag & 0x1000) != 0; }
    unsigned decimals() const { return (pack_flag >> 8) & 63; }
    bool is_signed() const { return (pack_flag & 1) != 0; }
    bool zerofill() const { return (pack_flag & 4) != 0; }
    bool auto_increment() const { return unireg == 15; }
};

struct FrmKeyPart {
    std::size_t field = 0;
    std::uint16_t length = 0;  ///< bytes
    bool descending = false;
};

struct FrmKey {
    std::string name;
    std::uint16_t flags = 0;
    std::uint8_t algorithm = 0;
    std::uint16_t block_size = 0;
    std::string comment;
    std::string parser;
    bool ignored = false;
    bool without_overlaps = false;
    std::vector<FrmKeyPart> parts;
    std::vector<FrmOption> options;
    bool unique() const { return (flags & 1) != 0; }
    bool fulltext() const { return (flags & 128) != 0; }
    bool spatial() const { return (flags & 1024) != 0; }
};

struct FrmCheck {
    std::string name;
    std::string expression;
};

struct Frm {
    std::uint8_t format_version = 0;
    std::uint32_t server_version = 0;  ///< that wrote it: 101119 = 10.11.19
    std::vector<FrmField> fields;
    std::vector<FrmKey> keys;
    std::vector<FrmCheck> checks;  ///< of the table
    std::vector<std::byte> default_record;
    std::string engine;  ///< "InnoDB"; of a partitioned table that of its partitions
    bool partitioned = false;
    std::string partition_clause;
    std::string connection;
    std::string comment;
    std::uint16_t table_options = 0;
    std::uint8_t row_format = 0;
    std::uint16_t collation = 0;
    std::uint32_t max_rows = 0;
    std::uint32_t min_rows = 0;
    std::uint32_t average_row_length = 0;
    std::uint16_t key_block_size = 0;
    std::uint16_t stats_sample_pages = 0;
    std::uint8_t stats_auto_recalc = 0;
    std::uint8_t transactional = 0;
    bool sequence = false;
    std::vector<FrmOption> options;
    /// System versioning: positions of the columns of its period.
    std::optional<std::pair<std::uint16_t, std::uint16_t>> system_period;
    struct Period {
        std::string name;
        std::uint16_t start = 0;
        std::uint16_t end = 0;
    };
    std::optional<Period> application_period;
};

/// Whether the file holds a view, which is no table of any engine.
bool is_view(std::span<const std::byte> file);

/// Errors: Corruption: not a .frm, or it contradicts itself; Unsupported: an unknown part that
/// cannot be passed over.
Result<Frm> decode_frm(std::span<const std::byte> file);

/// How the field's values are stored by InnoDB.
/// Errors: Corruption: lengths and digits that no such type has.
Result<record::ColumnType> column_type(const FrmField& field);

}  // namespace redoubt::dict
