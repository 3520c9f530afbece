/// Redo records in words: where they write and how much, never what (no row data).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/output.h"
#include "redo/record.h"

namespace redoubt::cli {

/// Byte ranges that a WRITE, MEMSET or MEMMOVE names.
struct WrittenRange {
    std::uint32_t offset = 0;  ///< on the page
    std::uint32_t length = 0;
    std::optional<std::uint32_t> source;  ///< MEMMOVE
};

/// Follows the records of one mini-transaction: the offsets of same-page records count from where
/// the record before them ended. Format: docs/formats/redo-log.md#records.
class RecordDescriber {
public:
    /// "WRITE 5:3 offset 1234 length 12"
    std::string text(const redo::Record& record);
    Json json(const redo::Record& record);

private:
    /// nullopt: the record names no range, or is malformed.
    std::optional<WrittenRange> range_of(const redo::Record& record);
    std::uint64_t last_ = 0;
};

}  // namespace redoubt::cli
