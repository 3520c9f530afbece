/// A small well-formed tablespace in memory, to be damaged by tests: full_crc32, pages of 16 KiB.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/big_endian.h"
#include "page/checksum.h"
#include "page/flags.h"
#include "page/header.h"
#include "space/page_source.h"

namespace redoubt::test {

inline constexpr std::size_t kFakePageSize = 16384;
inline constexpr std::uint32_t kFakeExtent = 64;
inline constexpr std::uint32_t kFakePages = 4 * kFakeExtent;
inline constexpr std::uint32_t kFakeFlags = 0x15;
inline constexpr SpaceId kFakeSpace{9};

/// Four extents of a 16k file: 0 holds fragments (pages 0 to 3), 1 is full and 2 has ten pages of
/// segment 1, 3 is free. Page 2 is the inode page, page 3 a fragment page of segment 1.
class FakeSpace final : public space::PageSource {
public:
    explicit FakeSpace(SpaceId id = kFakeSpace)
        : id_(id), pages_(kFakePages, std::vector<std::byte>(kFakePageSize)) {
        for (std::uint32_t i = 0; i < 4; ++i) {
            initialise(i, 0);
        }
        set16(0, 24, 8);
        set32(0, 38, id.value);
        set32(0, 46, kFakePages);
        set32(0, 50, kFakePages);
        set32(0, 54, kFakeFlags);
        set32(0, 58, 4);
        set_base(0, 62, 1, {0, node(3)}, {0, node(3)});
        set_base(0, 78, 1, {0, node(0)}, {0, node(0)});
        set_base(0, 94, 0, kNull, kNull);
        set64(0, 110, 2);
        set_base(0, 118, 0, kNull, kNull);
        set_base(0, 134, 1, {2, 38}, {2, 38});
        set_extent(0, 0, 2, 4);
        set_extent(1, 1, 4, kFakeExtent);
        set_extent(2, 1, 4, 10);
        set_extent(3, 0, 1, 0);

        set16(2, 24, 3);
        set_address(2, 38, kNull);
        set_address(2, 44, kNull);
        set64(2, 50, 1);
        set32(2, 58, 10);
        set_base(2, 62, 0, kNull, kNull);
        set_base(2, 78, 1, {0, node(2)}, {0, node(2)});
        set_base(2, 94, 1, {0, node(1)}, {0, node(1)});
        set32(2, 110, 97937874);
        std::fill_n(pages_[2].begin() + 114, 128, std::byte{0xFF});
        set32(2, 114, 3);
    }

    struct At {
        std::uint32_t page;
        std::uint16_t offset;
    };
    static constexpr At kNull{0xFFFFFFFF, 0};
    static constexpr std::size_t entry(std::uint32_t extent) { return 150 + 40 * extent; }
    static constexpr std::uint16_t node(std::uint32_t extent) {
        return static_cast<std::uint16_t>(entry(extent) + 8);
    }

    /// A page of that type, empty otherwise.
    void initialise(std::uint32_t page, std::uint16_t type) {
        page::initialise(pages_[page], {id_, PageNo{page}});
        set16(page, 24, type);
    }
    void set16(std::size_t page, std::size_t at, std::uint16_t v) {
        store_be(&pages_[page][at], v);
    }
    void set32(std::size_t page, std::size_t at, std::uint32_t v) {
        store_be(&pages_[page][at], v);
    }
    void set64(std::size_t page, std::size_t at, std::uint64_t v) {
        store_be(&pages_[page][at], v);
    }
    void set_address(std::size_t page, std::size_t at, At address) {
        set32(page, at, address.page);
        set16(page, at + 4, address.offset);
    }
    void set_base(std::size_t page, std::size_t at, std::uint32_t length, At first, At last) {
        set32(page, at, length);
        set_address(page, at + 4, first);
        set_address(page, at + 10, last);
    }
    void set_extent(std::uint32_t extent, std::uint64_t segment, std::uint32_t state,
                    std::uint32_t used) {
        set64(0, entry(extent), segment);
        set_address(0, entry(extent) + 8, kNull);
        set_address(0, entry(extent) + 14, kNull);
        set32(0, entry(extent) + 20, state);
        std::fill_n(pages_[0].begin() + static_cast<std::ptrdiff_t>(entry(extent) + 24), 16,
                    std::byte{0xFF});
        for (std::uint32_t i = 0; i < used; ++i) {
            set_used(extent * kFakeExtent + i);
        }
    }
    void set_used(std::uint32_t page) {
        pages_[0][entry(page / kFakeExtent) + 24 + page % kFakeExtent / 4] &=
            static_cast<std::byte>(~(1U << (2 * (page % 4))));
    }
    void set_free(std::uint32_t page) {
        pages_[0][entry(page / kFakeExtent) + 24 + page % kFakeExtent / 4] |=
            static_cast<std::byte>(1U << (2 * (page % 4)));
    }
    std::vector<std::byte>& bytes(std::size_t page) { return pages_[page]; }
    /// All pages as a file has them: with checksums, but for those never written.
    std::vector<std::byte> file() const {
        std::vector<std::byte> result;
        for (std::vector<std::byte> page : pages_) {
            if (!page::all_zero(page)) {
                page::seal(page, *page::TablespaceFlags::decode(kFakeFlags));
            }
            result.insert(result.end(), page.begin(), page.end());
        }
        return result;
    }

    Status read(PageId id, std::span<std::byte> plain) override {
        if (failure && id.page == failing_page) {
            return make_error(*failure, "cannot be read");
        }
        if (id.page.value >= pages_.size()) {
            return make_error(ErrorCode::NotFound, "page is past the end");
        }
        std::copy(pages_[id.page.value].begin(), pages_[id.page.value].end(), plain.begin());
        return {};
    }
    Result<std::uint32_t> page_count(SpaceId) override {
        return static_cast<std::uint32_t>(pages_.size());
    }

    std::optional<ErrorCode> failure;
    PageNo failing_page{0};

private:
    SpaceId id_;
    std::vector<std::vector<std::byte>> pages_;
};

}  // namespace redoubt::test
