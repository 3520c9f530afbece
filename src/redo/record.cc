#include "redo/record.h"

#include <algorithm>
#include <array>

#include "base/big_endian.h"
#include "redo/framing.h"

namespace redoubt::redo {
namespace {

constexpr std::size_t kExtendedTypeCount = 11;

// In the order of record_kind(): the page records with each EXTENDED subtype in place of
// EXTENDED, then the file-level records.
constexpr std::array<std::string_view, kRecordKindCount> kKindNames = {
    "FREE_PAGE",
    "INIT_PAGE",
    "INIT_ROW_FORMAT_REDUNDANT",
    "INIT_ROW_FORMAT_DYNAMIC",
    "UNDO_INIT",
    "UNDO_APPEND",
    "INSERT_HEAP_REDUNDANT",
    "INSERT_REUSE_REDUNDANT",
    "INSERT_HEAP_DYNAMIC",
    "INSERT_REUSE_DYNAMIC",
    "DELETE_ROW_FORMAT_REDUNDANT",
    "DELETE_ROW_FORMAT_DYNAMIC",
    "TRIM_PAGES",
    "WRITE",
    "MEMSET",
    "MEMMOVE",
    "RESERVED",
    "OPTION",
    "FILE_CREATE",
    "FILE_DELETE",
    "FILE_RENAME",
    "FILE_MODIFY",
    "FILE_CHECKPOINT",
    "PADDING",
};
constexpr auto kExtendedKind = static_cast<std::size_t>(RecordType::Extended);
constexpr auto kReservedKind =
    static_cast<std::size_t>(RecordType::Reserved) + kExtendedTypeCount - 1;

std::string_view text_of(std::span<const std::byte> bytes) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes seen as characters
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_file_name(std::string_view name) {
    return name.ends_with(".ibd") && name.find('\0') == std::string_view::npos;
}

/// Each decoder below fills `record` from the payload, and returns what is wrong with it or
/// nullptr.
const char* decode_checkpoint(std::span<const std::byte> payload, Record& record) {
    constexpr std::size_t kCheckpointSize = 10;  // two zero ids, LSN
    if (std::all_of(payload.begin(), payload.end(),
                    [](std::byte b) { return b == std::byte{0}; })) {
        record.type = RecordType::Padding;
        return nullptr;
    }
    if (payload.size() != kCheckpointSize || load_be<std::uint16_t>(payload.data()) != 0) {
        return "FILE_CHECKPOINT is neither a checkpoint nor padding";
    }
    record.type = RecordType::FileCheckpoint;
    record.checkpoint = Lsn{load_be<std::uint64_t>(payload.data() + 2)};
    return nullptr;
}

const char* decode_file_record(std::span<const std::byte> payload, unsigned type, Record& record) {
    constexpr unsigned kCheckpoint = 7;
    if (type == kCheckpoint) {
        return decode_checkpoint(payload, record);
    }
    constexpr unsigned kNamedTypeCount = 4;
    if (type >= kNamedTypeCount) {
        return "unknown file-level record";
    }
    record.type = static_cast<RecordType>(static_cast<unsigned>(RecordType::FileCreate) + type);
    const Varint space = read_varint(payload);
    const Varint page = read_varint(payload.subspan(space.length));
    if (space.length == 0 || page.length == 0) {
        return "file-level record without a tablespace id";
    }
    if (space.value == kSystemSpace.value || page.value != 0) {
        return "file-level record for something that is not a single-table tablespace";
    }
    record.page = {SpaceId{space.value}, PageNo{0}};
    record.name = text_of(payload.subspan(space.length + page.length));
    if (record.type == RecordType::FileRename) {
        const std::size_t nul = record.name.find('\0');
        if (nul == std::string_view::npos) {
            return "FILE_RENAME with only one name";
        }
        record.new_name = record.name.substr(nul + 1);
        record.name = record.name.substr(0, nul);
        if (!is_file_name(record.new_name)) {
            return "FILE_RENAME to a name that is not one of an .ibd file";
        }
    }
    return is_file_name(record.name) ? nullptr : "name that is not one of an .ibd file";
}

const char* check_page_record(const Record& record) {
    switch (record.type) {
        case RecordType::FreePage:
        case RecordType::InitPage:
            if (record.same_page) {
                return "FREE_PAGE or INIT_PAGE without a page id";
            }
            return record.body.empty() ? nullptr : "FREE_PAGE or INIT_PAGE with operands";
        case RecordType::Extended:
            if (record.body.empty() ||
                std::to_integer<std::size_t>(record.body[0]) >= kExtendedTypeCount) {
                return "unknown EXTENDED record";
            }
            if (record.trims_pages() && record.body.size() != 1) {
                return "TRIM_PAGES with operands";
            }
            return nullptr;
        case RecordType::Reserved:
            return "record of the reserved type";
        default:
            return nullptr;
    }
}

}  // namespace

std::string record_name(const Record& record) {
    return std::string(record_kind_name(record_kind(record)));
}

std::size_t record_kind(const Record& record) {
    const auto type = static_cast<std::size_t>(record.type);
    if (type < kExtendedKind) {
        return type;
    }
    if (type > kExtendedKind) {
        return type + kExtendedTypeCount - 1;
    }
    const std::size_t subtype =
        record.body.empty() ? kExtendedTypeCount : std::to_integer<std::size_t>(record.body[0]);
    return subtype < kExtendedTypeCount ? kExtendedKind + subtype : kReservedKind;
}

std::string_view record_kind_name(std::size_t kind) { return kKindNames.at(kind); }

Result<std::optional<Record>> RecordReader::next() {
    std::optional<Record> record(std::in_place);
    ASSIGN_OR_RETURN(const bool found, next(*record));
    if (!found) {
        record.reset();
    }
    return record;
}

Result<bool> RecordReader::next(Record& record) {
    if (at_ >= bytes_.size()) {
        return false;
    }
    const std::size_t offset = at_;
    if (const char* wrong = decode(record); wrong != nullptr) {
        return make_error(ErrorCode::Corruption,
                          "malformed redo record: {} (byte {} of its mini-transaction)", wrong,
                          offset);
    }
    return true;
}

const char* RecordReader::decode(Record& record) {
    const std::span<const std::byte> rest = bytes_.subspan(at_);
    const auto first = std::to_integer<unsigned>(rest[0]);
    const RecordFrame frame = read_frame(rest);
    if (first <= 1 || frame.length == 0 || frame.length > rest.size()) {
        at_ = bytes_.size();
        return "its length does not fit";
    }
    record.offset = static_cast<std::uint32_t>(at_);
    record.length = frame.length;
    at_ += frame.length;
    std::span<const std::byte> payload = rest.subspan(frame.prefix, frame.length - frame.prefix);
    const unsigned type = (first >> 4) & 7;
    const bool high_bit = (first & 0x80) != 0;
    if (high_bit && !page_records_began_) {
        const char* wrong = decode_file_record(payload, type, record);
        if (wrong == nullptr && record.type == RecordType::FileCheckpoint && at_ != bytes_.size()) {
            return "FILE_CHECKPOINT is not the last of its mini-transaction";
        }
        return wrong;
    }
    page_records_began_ = true;
    record.type = static_cast<RecordType>(type);
    record.same_page = high_bit;
    if (!high_bit) {
        const Varint space = read_varint(payload);
        const Varint page = read_varint(payload.subspan(space.length));
        if (space.length == 0 || page.length == 0) {
            at_ = bytes_.size();  // what follows could name "the same page"
            return "it has no page id";
        }
        current_ = {SpaceId{space.value}, PageNo{page.value}};
        payload = payload.subspan(space.length + page.length);
    }
    record.page = current_;
    record.body = payload;
    return check_page_record(record);
}

Varint read_long_varint(std::span<const std::byte> bytes) {
    const auto first = std::to_integer<std::uint32_t>(bytes[0]);
    const auto byte = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    if (first < 0xC0) {
        if (bytes.size() < 2) {
            return {};
        }
        return {.value = 0x80 + ((first & 0x3F) << 8 | byte(1)), .length = 2};
    }
    if (first < 0xE0) {
        if (bytes.size() < 3) {
            return {};
        }
        return {.value = 0x4080 + ((first & 0x1F) << 16 | byte(1) << 8 | byte(2)), .length = 3};
    }
    if (first < 0xF0) {
        if (bytes.size() < 4) {
            return {};
        }
        return {.value = 0x204080 + ((first & 0x0F) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3)),
                .length = 4};
    }
    if (first != 0xF0 || bytes.size() < 5) {
        return {};
    }
    constexpr std::uint32_t kBase = 0x10204080;
    const auto value = load_be<std::uint32_t>(bytes.data() + 1);
    if (value > UINT32_MAX - kBase) {
        return {};
    }
    return {.value = kBase + value, .length = 5};
}

}  // namespace redoubt::redo
