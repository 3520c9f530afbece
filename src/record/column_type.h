/// What a column holds and how it is stored: as much as readers need to print and compare it.
/// Format: docs/formats/records.md#column-types.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "record/charset.h"

namespace redoubt::record {

enum class TypeKind : std::uint8_t {
    Integer,  ///< TINYINT ... BIGINT; big-endian, the sign bit inverted unless is_unsigned
    Float,
    Double,
    Decimal,
    Bit,
    Year,
    Date,
    Time,          ///< since 5.6's format, big-endian and biased
    DateTime,      ///< the same
    Timestamp,     ///< the same
    OldTime,       ///< mysql56_temporal_format=OFF; by `digits`: as decimal number or packed
    OldDateTime,   ///< the same
    OldTimestamp,  ///< the same
    FixedText,     ///< CHAR: trailing spaces are padding
    Text,          ///< VARCHAR, TEXT, JSON
    FixedBytes,    ///< BINARY
    Bytes,         ///< VARBINARY, BLOB, GEOMETRY
    Enum,
    Set,
    Uuid,
    Inet4,
    Inet6,
    Unknown,  ///< shown as bytes: a table without its .frm may have such
};

struct ColumnType {
    TypeKind kind = TypeKind::Unknown;
    bool is_unsigned = false;
    bool compressed = false;  ///< COLUMN COMPRESSED
    std::uint8_t precision =
        0;  ///< Decimal: digits in all; Float, Double: not 0 where `digits` is fixed
    std::uint8_t digits = 0;  ///< behind the point: of Decimal, or of a second's fraction
    std::uint32_t size = 0;   ///< bytes of a value; 0 where values differ in size
    const Collation* collation = nullptr;  ///< of text, Enum, Set
    /// Of Enum and Set, in UTF-8.
    std::shared_ptr<const std::vector<std::string>> labels = nullptr;
    /// Of Set, as the .frm has them, where a label is no whole text of the character set: the
    /// server joins the bytes of members before it reads them as text. Else null.
    std::shared_ptr<const std::vector<std::string>> raw_labels = nullptr;

    /// Stored bytes compare as values do, by rules that are known here exactly (compare.h).
    bool comparable() const;
};

}  // namespace redoubt::record
