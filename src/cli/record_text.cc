#include "cli/record_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace redoubt::cli {

using redo::RecordType;

std::optional<WrittenRange> RecordDescriber::range_of(const redo::Record& record) {
    constexpr std::uint64_t kAfterInit = 24;  // page type; where INIT_PAGE and EXTENDED leave off
    if (!record.same_page) {
        last_ = 0;
    }
    if (record.type == RecordType::InitPage || record.type == RecordType::Extended) {
        last_ = kAfterInit;
    }
    if (record.type != RecordType::Write && record.type != RecordType::Memset &&
        record.type != RecordType::Memmove) {
        return std::nullopt;
    }
    std::span<const std::byte> rest = record.body;
    const auto take = [&rest]() -> std::optional<std::uint64_t> {
        const redo::Varint varint = redo::read_varint(rest);
        if (varint.length == 0) {
            return std::nullopt;
        }
        rest = rest.subspan(varint.length);
        return varint.value;
    };
    const auto skip = take();
    const auto length =
        record.type == RecordType::Write ? std::optional(std::uint64_t{rest.size()}) : take();
    if (!skip || !length) {
        return std::nullopt;
    }
    const std::uint64_t offset = last_ + *skip;
    last_ = offset + *length;
    if (last_ > UINT32_MAX) {
        return std::nullopt;
    }
    WrittenRange range{.offset = static_cast<std::uint32_t>(offset),
                       .length = static_cast<std::uint32_t>(*length),
                       .source = std::nullopt};
    if (record.type == RecordType::Memmove) {
        const auto source = take();
        if (!source) {
            return std::nullopt;
        }
        // The lowest bit says on which side of the target the source lies.
        range.source = static_cast<std::uint32_t>((*source & 1) != 0 ? offset - (*source >> 1) - 1
                                                                     : offset + (*source >> 1) + 1);
    }
    return range;
}

std::string RecordDescriber::text(const redo::Record& record) {
    std::string line = redo::record_name(record);
    if (record.type == RecordType::FileCheckpoint) {
        return line + fmt::format(" lsn {}", record.checkpoint.value);
    }
    if (record.type == RecordType::Padding) {
        return line;
    }
    if (record.is_file_record()) {
        line += fmt::format(" space {} {}", record.page.space.value, record.name);
        return record.new_name.empty() ? line : line + fmt::format(" to {}", record.new_name);
    }
    line += fmt::format(" {}:{}", record.page.space.value, record.page.page.value);
    if (const auto range = range_of(record)) {
        line += fmt::format(" offset {} length {}", range->offset, range->length);
        if (range->source) {
            line += fmt::format(" from {}", *range->source);
        }
    } else if (!record.body.empty()) {
        line += fmt::format(" operands {} bytes", record.body.size());
    }
    return line;
}

Json RecordDescriber::json(const redo::Record& record) {
    Json object = {{"type", redo::record_name(record)}};
    if (record.type == RecordType::FileCheckpoint) {
        object["checkpoint_lsn"] = record.checkpoint.value;
    } else if (record.type != RecordType::Padding) {
        object["space"] = record.page.space.value;
        if (record.is_file_record()) {
            object["name"] = record.name;
            set_known(object, "new_name", std::string(record.new_name));
        } else {
            object["page"] = record.page.page.value;
            if (const auto range = range_of(record)) {
                object["offset"] = range->offset;
                object["length"] = range->length;
                if (range->source) {
                    object["source"] = *range->source;
                }
            }
        }
    }
    object["record_bytes"] = record.length;
    return object;
}

}  // namespace redoubt::cli
