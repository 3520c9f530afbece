/// A page and hand-made redo records for it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/big_endian.h"
#include "recovery/page_apply.h"

namespace redoubt::recovery {

using Buffer = std::vector<std::byte>;

/// "0aff 01" as bytes.
inline Buffer from_hex(std::string_view text) {
    Buffer bytes;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') {
            continue;
        }
        const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            bytes.push_back(static_cast<std::byte>(high * 16 + digit));
            high = -1;
        }
    }
    return bytes;
}

/// Appends `value` as the log's variable-length integer (two lengths are enough for pages of 16k).
inline void append_varint(Buffer& out, int value) {
    if (value < 0x80) {
        out.push_back(static_cast<std::byte>(value));
    } else if (value < 0x4080) {
        out.push_back(static_cast<std::byte>(0x80 | (value - 0x80) >> 8));
        out.push_back(static_cast<std::byte>(value - 0x80));
    } else {
        out.push_back(std::byte{0xC0});
        out.push_back(static_cast<std::byte>((value - 0x4080) >> 8));
        out.push_back(static_cast<std::byte>(value - 0x4080));
    }
}

inline constexpr bool kSamePage = true;

class ApplyTest : public testing::Test {
protected:
    ApplyTest() { reset(16384); }

    void reset(std::size_t size, PageId id = {SpaceId{264}, PageNo{13}}, bool compressed = false) {
        id_ = id;
        page_.assign(size, std::byte{0});
        applier_.emplace(id_, std::span(page_), compressed);
    }
    /// `body`: what follows the page id.
    Status apply(redo::RecordType type, const Buffer& body, bool same_page = false) {
        redo::Record record{};
        record.type = type;
        record.same_page = same_page;
        record.page = id_;
        record.body = body;
        return applier_->apply(record);
    }
    Status apply(redo::RecordType type, std::string_view body, bool same_page = false) {
        return apply(type, from_hex(body), same_page);
    }
    /// Applies a record that must fail, and gives its message.
    std::string failure(redo::RecordType type, std::string_view body, bool same_page = false) {
        const Status status = apply(type, body, same_page);
        if (status) {
            return "applied";
        }
        EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
        return status.error().to_string();
    }
    int u8(std::size_t at) const { return std::to_integer<int>(page_[at]); }
    int u16(std::size_t at) const { return load_be<std::uint16_t>(page_.data() + at); }
    void set16(std::size_t at, int value) {
        store_be(page_.data() + at, static_cast<std::uint16_t>(value));
    }
    Buffer bytes(std::size_t at, std::size_t count) const {
        const auto begin = page_.begin() + static_cast<std::ptrdiff_t>(at);
        return {begin, begin + static_cast<std::ptrdiff_t>(count)};
    }

    PageId id_;
    Buffer page_;
    std::optional<PageApplier> applier_;
};

}  // namespace redoubt::recovery
