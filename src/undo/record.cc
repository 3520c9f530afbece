#include "undo/record.h"

#include "base/big_endian.h"
#include "base/integers.h"
#include "page/header.h"
#include "page/undo_page.h"

namespace redoubt::undo {
namespace {

constexpr std::uint32_t kNull = 0xFFFFFFFF;
constexpr std::uint32_t kExternal = 0xFFFFFFFF - 16384;
constexpr std::uint32_t kSpatialBits = 0x3000;  // of an external value's length
constexpr std::uint8_t kEscape = 0xFF;          // before the two halves of a 64-bit number

Error short_record() {
    return make_error(ErrorCode::Corruption, "an undo record ends within one of its parts");
}

}  // namespace

std::uint8_t RecordReader::peek() const {
    return at_ < bytes_.size() ? std::to_integer<std::uint8_t>(bytes_[at_]) : std::uint8_t{0};
}

Result<std::span<const std::byte>> RecordReader::take(std::size_t size) {
    if (size > bytes_.size() - at_) {
        return short_record();
    }
    const auto taken = bytes_.subspan(at_, size);
    at_ += size;
    return taken;
}

Result<std::uint8_t> RecordReader::u8() {
    ASSIGN_OR_RETURN(const auto bytes, take(1));
    return std::to_integer<std::uint8_t>(bytes[0]);
}

Result<std::uint16_t> RecordReader::u16() {
    ASSIGN_OR_RETURN(const auto bytes, take(2));
    return load_be<std::uint16_t>(bytes.data());
}

Result<std::uint32_t> RecordReader::compressed() {
    const std::uint8_t first = peek();
    std::size_t size = 5;
    std::uint32_t mask = 0xFFFFFFFF;
    std::uint32_t high = 0;
    if (first < 0x80) {
        size = 1;
        mask = 0x7F;
    } else if (first < 0xC0) {
        size = 2;
        mask = 0x3FFF;
    } else if (first < 0xE0) {
        size = 3;
        mask = 0x1FFFFF;
    } else if (first < 0xF0) {
        size = 4;
        mask = 0x0FFFFFFF;
    } else if (first >= 0xF8 && first < 0xFC) {
        size = 2;
        mask = 0x3FF;
        high = 0xFFFFFC00;
    } else if (first == 0xFC || first == 0xFD) {
        size = 3;
        mask = 0x1FFFF;
        high = 0xFFFE0000;
    } else if (first == 0xFE) {
        size = 4;
        mask = 0xFFFFFF;
        high = 0xFF000000;
    } else if (first != 0xF0) {
        return make_error(ErrorCode::Corruption, "an undo record holds no number where one is due");
    }
    ASSIGN_OR_RETURN(const auto bytes, take(size));
    return (static_cast<std::uint32_t>(load_be(bytes)) & mask) | high;
}

Result<std::uint64_t> RecordReader::compressed64() {
    ASSIGN_OR_RETURN(const std::uint32_t high, compressed());
    ASSIGN_OR_RETURN(const auto low, take(4));
    return (std::uint64_t{high} << 32) | load_be<std::uint32_t>(low.data());
}

Result<std::uint64_t> RecordReader::much_compressed() {
    std::uint64_t high = 0;
    if (peek() == kEscape) {
        RETURN_IF_ERROR(take(1));
        ASSIGN_OR_RETURN(high, compressed());
    }
    ASSIGN_OR_RETURN(const std::uint32_t low, compressed());
    return (high << 32) | low;
}

Result<RecordHead> read_head(std::span<const std::byte> page, std::size_t offset,
                             RecordReader& body) {
    const std::size_t end = page.size() - page::kTrailerSize;
    RecordHead head;
    if (offset < page::UndoPageView::kEnd || offset + 4 > end) {
        return make_error(ErrorCode::Corruption, "no undo record can be at offset {}", offset);
    }
    head.next = load_be<std::uint16_t>(page.data() + offset);
    if (head.next < offset + 5 || head.next > end) {
        return make_error(ErrorCode::Corruption, "the undo record at offset {} ends at {}", offset,
                          head.next);
    }
    head.type_bits = std::to_integer<std::uint8_t>(page[offset + 2]);
    body = RecordReader(page.subspan(offset + 3, head.next - offset - 5));
    ASSIGN_OR_RETURN(head.number, body.much_compressed());
    ASSIGN_OR_RETURN(head.table_id, body.much_compressed());
    return head;
}

Result<UndoValue> read_value(RecordReader& from) {
    ASSIGN_OR_RETURN(std::uint32_t size, from.compressed());
    UndoValue value;
    if (size == kNull) {
        value.null = true;
        return value;
    }
    if (size >= kExternal) {
        value.external = true;
        if (size == kExternal) {
            ASSIGN_OR_RETURN(value.original_size, from.compressed());
            ASSIGN_OR_RETURN(size, from.compressed());
            size &= ~kSpatialBits;
        } else {
            size = (size - kExternal) & ~kSpatialBits;
        }
    }
    ASSIGN_OR_RETURN(value.bytes, from.take(size));
    return value;
}

}  // namespace redoubt::undo
