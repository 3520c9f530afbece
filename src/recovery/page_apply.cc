#include "recovery/page_apply.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "page/header.h"
#include "recovery/apply_error.h"
#include "recovery/index_apply.h"

namespace redoubt::recovery {
namespace {

using Bytes = std::span<const std::byte>;

/// Values of the running offset that are no end of a range.
constexpr std::uint32_t kPageBegin = 0;
constexpr std::uint32_t kNoneAllowed = 1;

/// Bytes 0..7, checksum and page number, cannot be logged.
constexpr std::uint32_t kLoggedBegin = 8;

constexpr std::byte kOptionChecksum{0};

/// Removes one variable-length integer from the front of `body`; false: there is none.
bool take_integer(Bytes& body, std::uint32_t& value) {
    const redo::Varint varint = redo::read_varint(body);
    body = body.subspan(varint.length);
    value = varint.value;
    return varint.length != 0;
}
Error no_operand() { return malformed("operand is missing or cut short"); }

Status write_range(std::span<std::byte> page, std::uint32_t begin, Bytes data, std::uint32_t& end) {
    if (data.empty() || data.size() > page.size() - begin) {
        return malformed("{} bytes at {}", data.size(), begin);
    }
    std::memcpy(page.data() + begin, data.data(), data.size());
    end = begin + static_cast<std::uint32_t>(data.size());
    return {};
}

Status fill_range(std::span<std::byte> page, std::uint32_t begin, Bytes body, std::uint32_t& end) {
    std::uint32_t length = 0;
    if (!take_integer(body, length)) {
        return no_operand();
    }
    const Bytes pattern = body;
    if (pattern.empty() || pattern.size() > length || length > page.size() - begin) {
        return malformed("pattern of {} bytes for {} at {}", pattern.size(), length, begin);
    }
    const std::span<std::byte> range = page.subspan(begin, length);
    if (pattern.size() == 1) {
        std::fill(range.begin(), range.end(), pattern[0]);
    } else {
        std::size_t at = 0;
        for (std::byte& byte : range) {
            byte = pattern[at];
            at = at + 1 == pattern.size() ? 0 : at + 1;
        }
    }
    end = begin + length;
    return {};
}

Status move_range(std::span<std::byte> page, std::uint32_t begin, Bytes body, std::uint32_t& end) {
    std::uint32_t length = 0;
    if (!take_integer(body, length)) {
        return no_operand();
    }
    std::uint32_t distance = 0;
    if (!take_integer(body, distance)) {
        return no_operand();
    }
    // Odd: backwards; either way at least one byte.
    const std::int64_t steps = std::int64_t{distance >> 1} + 1;
    const std::int64_t source = (distance & 1) != 0 ? begin - steps : begin + steps;
    if (!body.empty() || length > page.size() - begin || source < kLoggedBegin ||
        source + length > static_cast<std::int64_t>(page.size())) {
        return malformed("{} bytes from {} to {}", length, source, begin);
    }
    std::memmove(page.data() + begin, page.data() + source, length);
    end = begin + length;
    return {};
}

/// The check value that debug builds of the server log after the records of a page.
Status check_page(std::span<const std::byte> page, Bytes option) {
    if (option.size() != 5) {
        return malformed("page checksum of {} bytes", option.size() - 1);
    }
    const std::uint32_t expected = load_be<std::uint32_t>(option.data() + 1);
    std::uint32_t found = crc32c(page.subspan(4, 12));
    found = crc32c(page.subspan(24, 2), found);
    found = crc32c(page.subspan(34, page.size() - 8 - 34), found);
    if (found != expected) {
        return contradiction("its checksum is {:#x}, logged was {:#x}", found, expected);
    }
    return {};
}

// Undo page header.
using UndoType = BigEndian<std::uint16_t, 38>;
using UndoStart = BigEndian<std::uint16_t, 40>;
using UndoFree = BigEndian<std::uint16_t, 42>;
using UndoPreviousPage = BigEndian<std::uint32_t, 44>;
using UndoPreviousOffset = BigEndian<std::uint16_t, 48>;
using UndoNextPage = BigEndian<std::uint32_t, 50>;
using UndoNextOffset = BigEndian<std::uint16_t, 54>;
constexpr std::uint16_t kUndoRecordsBegin = 56;

void initialise_undo(std::span<std::byte> page) {
    page::Header::Type::set(page, static_cast<std::uint16_t>(page::PageType::UndoLog));
    UndoType::set(page, 0);
    UndoStart::set(page, kUndoRecordsBegin);
    UndoFree::set(page, kUndoRecordsBegin);
    UndoPreviousPage::set(page, kNoPage.value);
    UndoPreviousOffset::set(page, 0);
    UndoNextPage::set(page, kNoPage.value);
    UndoNextOffset::set(page, 0);
}

/// An undo record is stored between the offset after it and the offset where it begins.
Status append_undo(std::span<std::byte> page, Bytes record) {
    if (record.size() < 3) {
        return malformed("undo record of {} bytes", record.size());
    }
    const std::uint16_t begin = UndoFree::get(page);
    if (begin < kUndoRecordsBegin || begin + record.size() + 6 >= page.size() - 8) {
        return contradiction("no room for {} undo bytes at {}", record.size(), begin);
    }
    const auto end = static_cast<std::uint16_t>(begin + record.size() + 4);
    UndoFree::set(page, end);
    store_be(page.data() + begin, end);
    std::memcpy(page.data() + begin + 2, record.data(), record.size());
    store_be(page.data() + end - 2, begin);
    return {};
}

}  // namespace

PageApplier::PageApplier(PageId id, std::span<std::byte> page, bool row_compressed)
    : id_(id), page_(page), row_compressed_(row_compressed) {
    REDOUBT_ASSERT(page.size() >= 1024 && page.size() <= page::kPageSizeMax);
}

Status PageApplier::apply(const redo::Record& record) {
    if (!record.same_page) {
        last_ = kPageBegin;
    }
    Status status = dispatch(record);
    if (!status) {
        last_ = kNoneAllowed;
        return std::move(status.error()).with_context(redo::record_name(record)).with_page(id_);
    }
    return status;
}

Status PageApplier::dispatch(const redo::Record& record) {
    using redo::RecordType;
    switch (record.type) {
        case RecordType::FreePage:
        case RecordType::InitPage:
            return apply_whole_page(record);
        case RecordType::Write:
        case RecordType::Memset:
        case RecordType::Memmove:
            return apply_range(record);
        case RecordType::Extended:
            return apply_extended(record.body);
        case RecordType::Option:
            if (record.body.empty()) {
                return malformed("no subtype");
            }
            return record.body[0] == kOptionChecksum ? check_page(page_, record.body) : ok_status();
        case RecordType::Reserved:
            return malformed("unknown type");
        default:
            return make_error(ErrorCode::Internal, "file-level record applied to a page");
    }
}

Status PageApplier::apply_whole_page(const redo::Record& record) {
    if (record.same_page || !record.body.empty()) {
        return malformed("{}", record.same_page ? "no page id" : "unexpected operands");
    }
    if (record.type == redo::RecordType::FreePage) {
        last_ = kNoneAllowed;
    } else {
        page::initialise(page_, id_);
        last_ = page::Header::Type::kOffset;
    }
    return {};
}

Status PageApplier::apply_range(const redo::Record& record) {
    if (last_ == kNoneAllowed) {
        return malformed("no record may follow on this page");
    }
    Bytes body = record.body;
    std::uint32_t offset = 0;
    if (!take_integer(body, offset)) {
        return no_operand();
    }
    if (offset >= page_.size() || last_ + offset < kLoggedBegin || last_ + offset >= page_.size()) {
        return malformed("offset {} after {}", offset, last_);
    }
    const std::uint32_t begin = last_ + offset;
    switch (record.type) {
        case redo::RecordType::Write:
            return write_range(page_, begin, body, last_);
        case redo::RecordType::Memset:
            return fill_range(page_, begin, body, last_);
        default:
            return move_range(page_, begin, body, last_);
    }
}

Status PageApplier::apply_extended(std::span<const std::byte> body) {
    using redo::ExtendedType;
    if (body.empty()) {
        return malformed("no subtype");
    }
    const auto type = static_cast<ExtendedType>(body[0]);
    const Bytes operands = body.subspan(1);
    if (type == ExtendedType::TrimPages) {
        return make_error(ErrorCode::Internal, "record of a whole tablespace applied to a page");
    }
    if (row_compressed_ || id_.page.value < 3) {
        return malformed("not for this kind of page");
    }
    last_ = page::Header::Type::kOffset;
    switch (type) {
        case ExtendedType::InitRedundant:
        case ExtendedType::InitDynamic:
        case ExtendedType::UndoInit:
            if (!operands.empty()) {
                return malformed("unexpected operands");
            }
            if (type == ExtendedType::UndoInit) {
                initialise_undo(page_);
            } else {
                initialise_index(page_, type == ExtendedType::InitDynamic);
            }
            return {};
        case ExtendedType::UndoAppend:
            return append_undo(page_, operands);
        case ExtendedType::InsertHeapRedundant:
        case ExtendedType::InsertReuseRedundant:
        case ExtendedType::InsertHeapDynamic:
        case ExtendedType::InsertReuseDynamic:
        case ExtendedType::DeleteRedundant:
        case ExtendedType::DeleteDynamic:
            return apply_index_record(type, id_.page, page_, operands);
        default:
            return malformed("unknown subtype {}", static_cast<unsigned>(body[0]));
    }
}

}  // namespace redoubt::recovery
