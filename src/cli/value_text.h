/// Values, references and pointers of records in words.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "cli/output.h"
#include "record/column_type.h"
#include "record/layout.h"
#include "record/value.h"

namespace redoubt::cli {

/// "00ff"; of more than `bytes_max` bytes the first, and "... (300 bytes)".
std::string hex_text(std::span<const std::byte> bytes, std::size_t bytes_max = SIZE_MAX);
/// NULL, 12, 1.5, 'it''s', x'00ff'; long ones cut. Control characters and what is not UTF-8 become
/// '?', so that no page can do anything to a terminal.
std::string value_words(const record::Value& value);
std::string quoted_words(std::string_view text);

/// Bytes of one column as a value; hex where they are no value of that type, or `type` is null.
/// `whole`: false where the bytes are the beginning of the value only.
std::string decoded_words(std::span<const std::byte> bytes, const record::ColumnType* type,
                          bool whole);

/// DB_ROLL_PTR. Format: docs/formats/undo.md.
struct RollPointer {
    bool insert = false;  ///< there is no older version
    unsigned segment = 0;
    PageNo page;
    std::uint16_t offset = 0;

    static RollPointer decode(std::uint64_t raw);
    /// "insert, rollback segment 3, page 45 offset 300"
    std::string words() const;
};

/// What 20 bytes say of an off-page column. Format: docs/formats/blobs.md.
struct BlobReference {
    SpaceId space;
    PageNo page;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;  ///< bytes off the page
    bool owner = true;
    bool inherited = false;

    static BlobReference decode(std::span<const std::byte, record::kReferenceSize> bytes);
    /// "30000 bytes at space 5 page 7 offset 38"
    std::string words() const;
};

/// One field of a record, as it is shown.
struct ShownField {
    std::string name;
    std::string words;
    std::string bytes;  ///< in hex, all of those on the page
    bool null = false;
    bool absent = false;  ///< the record is older than this column: what it reads as
    std::optional<BlobReference> reference = std::nullopt;
};
ShownField show_field(std::string name, const record::Field& field, const record::ColumnType* type,
                      bool prefix);
ShownField show_trx_id(std::span<const std::byte> bytes);
ShownField show_roll_pointer(std::span<const std::byte> bytes);
Json field_json(const ShownField& field);

/// Every line four columns to the right.
std::string indented(const std::string& lines);

}  // namespace redoubt::cli
