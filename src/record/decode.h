/// Stored bytes of a column to a value. Format: docs/formats/records.md#column-types.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "record/column_type.h"
#include "record/value.h"

namespace redoubt::record {

/// Decodes the values of one column, one after the other. Not thread-safe: one per reader.
class ValueDecoder {
public:
    /// `type` outlives this.
    explicit ValueDecoder(const ColumnType& type);
    /// `stored`: the whole value (off-page columns put together), not NULL. The result is valid
    /// until the next call, and views `stored` or this decoder. Errors: Corruption, without a page,
    /// of bytes that are no such value.
    Result<const Value*> decode(std::span<const std::byte> stored);

private:
    Result<Value> decode_other(std::span<const std::byte> stored);  // no Integer
    Result<Value> decode_text(std::span<const std::byte> stored);
    Value decode_label(std::span<const std::byte> stored);
    Value decode_set(std::span<const std::byte> stored);
    Result<std::span<const std::byte>> decompress(std::span<const std::byte> stored);

    const ColumnType& type_;
    Value value_;
    std::unique_ptr<TextConverter> converter_;
    std::string text_;
    std::string plain_;  // of a compressed column; of a set, before conversion
};

/// The text forms, for decoders and defaults in SHOW CREATE TABLE. `stored` has the right size.
void append_decimal(std::string& out, const ColumnType& type, std::span<const std::byte> stored);
void append_date(std::string& out, std::uint32_t packed);
/// Time, DateTime and Timestamp of both formats.
void append_temporal(std::string& out, const ColumnType& type, std::span<const std::byte> stored);
void append_uuid(std::string& out, std::span<const std::byte, 16> stored);
void append_inet4(std::string& out, std::span<const std::byte, 4> stored);
void append_inet6(std::string& out, std::span<const std::byte, 16> stored);
/// Bytes that `digits` decimal digits take in a DECIMAL.
std::size_t decimal_size(unsigned precision, unsigned digits);

}  // namespace redoubt::record
