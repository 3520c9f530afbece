/// Redo records, decoded from the bytes of one mini-transaction. Views only: payloads stay where
/// they are. Format: docs/formats/redo-log.md#records.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"

namespace redoubt::redo {

enum class RecordType : std::uint8_t {
    FreePage,
    InitPage,
    Extended,
    Write,
    Memset,
    Memmove,
    Reserved,
    Option,  // page records: the three type bits
    FileCreate,
    FileDelete,
    FileRename,
    FileModify,
    FileCheckpoint,
    Padding,  // file-level records
};
enum class ExtendedType : std::uint8_t {
    InitRedundant = 0,
    InitDynamic,
    UndoInit,
    UndoAppend,
    InsertHeapRedundant,
    InsertReuseRedundant,
    InsertHeapDynamic,
    InsertReuseDynamic,
    DeleteRedundant,
    DeleteDynamic,
    TrimPages,
};

struct Record {
    RecordType type;
    bool same_page = false;
    PageId page;  ///< of page records, and (space, 0) of FILE_ records
    std::span<const std::byte>
        body;  ///< page records: what follows the page id (Extended: begins with the subtype byte)
    std::string_view name;      ///< FILE_CREATE/DELETE/MODIFY; FILE_RENAME: the old name
    std::string_view new_name;  ///< FILE_RENAME
    Lsn checkpoint;             ///< FILE_CHECKPOINT
    std::uint32_t offset = 0;   ///< byte offset of the record within its mini-transaction
    std::uint32_t length = 0;   ///< whole record, bytes
    bool is_file_record() const { return type >= RecordType::FileCreate; }
    bool trims_pages() const {
        return type == RecordType::Extended && !body.empty() &&
               body[0] == static_cast<std::byte>(ExtendedType::TrimPages);
    }
};

/// FREE_PAGE, ..., "INSERT_HEAP_DYNAMIC", "FILE_CREATE": the spec's name, subtype included.
std::string record_name(const Record& record);
/// Number of distinct record kinds and a dense index, for statistics ("every record type met").
inline constexpr std::size_t kRecordKindCount = 24;
std::size_t record_kind(const Record& record);
std::string_view record_kind_name(std::size_t kind);

/// Walks the records of one mini-transaction (plain bytes: records only, no terminator).
class RecordReader {
public:
    explicit RecordReader(std::span<const std::byte> mtr) : bytes_(mtr) {}
    /// The next record; nullopt at the end. Errors: Corruption (malformed record or reserved type;
    /// names the offset). The reader then stands behind the record, or at the end where that cannot
    /// be told, so a caller that ignores malformed records may go on. Operands and what depends on
    /// the page size are left to those who apply the record.
    Result<std::optional<Record>> next();
    /// The same without the copy, for who reads millions; false at the end.
    Result<bool> next(Record& record);

private:
    /// Decodes the record at `at_` and moves behind it. Returns what is wrong with it, or nullptr.
    const char* decode(Record& record);

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    bool page_records_began_ = false;
    PageId current_{};
};

struct Varint {
    std::uint32_t value = 0;
    std::uint32_t length = 0;  ///< bytes; 0 = malformed or cut short
};
/// The forms of two to five bytes; `bytes` is not empty.
Varint read_long_varint(std::span<const std::byte> bytes);
/// Format: docs/formats/redo-log.md#varint.
inline Varint read_varint(std::span<const std::byte> bytes) {
    if (bytes.empty()) {
        return {};
    }
    const auto first = std::to_integer<std::uint32_t>(bytes[0]);
    return first < 0x80 ? Varint{.value = first, .length = 1} : read_long_varint(bytes);
}

}  // namespace redoubt::redo
