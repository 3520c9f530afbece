/// Undo records. Format: docs/formats/undo.md#records.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"

namespace redoubt::undo {

enum class RecordType : std::uint8_t {
    RenameTable = 9,
    InsertMetadata = 10,
    Insert = 11,
    Update = 12,
    UpdateDeleted = 13,  ///< the record it changed was delete-marked
    DeleteMark = 14,
    Empty = 15,  ///< bulk load of an empty table
};

/// Reads the parts of an undo record one after the other. Bounded by its bytes.
class RecordReader {
public:
    explicit RecordReader(std::span<const std::byte> bytes) : bytes_(bytes) {}
    Result<std::uint8_t> u8();
    Result<std::uint16_t> u16();
    /// The variable-length forms of 32 and 64 bits.
    Result<std::uint32_t> compressed();
    Result<std::uint64_t> compressed64();
    Result<std::uint64_t> much_compressed();
    Result<std::span<const std::byte>> take(std::size_t size);
    bool at_end() const { return at_ == bytes_.size(); }
    /// The next byte, unread; 0 at the end.
    std::uint8_t peek() const;

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

/// The frame every undo record has.
struct RecordHead {
    std::uint16_t next = 0;  ///< offset on the page behind this record
    std::uint8_t type_bits = 0;
    std::uint64_t number = 0;  ///< within the transaction
    std::uint64_t table_id = 0;
    RecordType type() const { return static_cast<RecordType>(type_bits & 0x0F); }
};

/// The record at `offset` of an undo page; `body` gets what follows the head. Errors: Corruption,
/// without a page.
Result<RecordHead> read_head(std::span<const std::byte> page, std::size_t offset,
                             RecordReader& body);

/// A value as undo records hold it.
struct UndoValue {
    bool null = false;
    bool external = false;
    std::span<const std::byte> bytes = {};
    /// Of an external value with more of its beginning than the record had: how much that was,
    /// reference included.
    std::optional<std::uint32_t> original_size = std::nullopt;
};
Result<UndoValue> read_value(RecordReader& from);

}  // namespace redoubt::undo
