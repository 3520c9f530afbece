/// The change buffer's own pages (InnoDB: ibuf): changes to secondary indexes that wait to be
/// merged. Format: docs/formats/tablespace.md#change-buffer.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/segment_inode.h"

namespace redoubt::page {

/// Read-only view of a bitmap page: four bits for each page of a group of as many pages as a page
/// has bytes. `index`: page number modulo the page size.
class ChangeBufferBitmapView {
public:
    /// `page`: a whole bitmap page, physical size.
    explicit ChangeBufferBitmapView(std::span<const std::byte> page) : page_(page) {}

    /// 0 to 3: how much room secondary index changes find on the page, at least.
    unsigned free_class(std::size_t index) const {
        const unsigned bits = bits_of(index);
        return (bits & 1) << 1 | (bits >> 1 & 1);
    }
    /// Changes to this page wait in the change buffer.
    bool buffered(std::size_t index) const { return (bits_of(index) & 4) != 0; }
    /// The page belongs to the change buffer's own tree.
    bool of_change_buffer(std::size_t index) const { return (bits_of(index) & 8) != 0; }

private:
    static constexpr std::size_t kBitmap = 94;
    unsigned bits_of(std::size_t index) const {
        return std::to_integer<unsigned>(page_[kBitmap + index / 2]) >> (4 * (index % 2)) & 0xF;
    }
    std::span<const std::byte> page_;
};

/// Page 3 of the system tablespace: the segment that owns the change buffer's pages.
class ChangeBufferHeaderView {
public:
    static constexpr PageNo kPage{3};
    explicit ChangeBufferHeaderView(std::span<const std::byte> page)
        : bytes_(page.subspan<kOffset, SegmentHeaderView::kSize>()) {}
    SegmentHeaderView segment() const { return SegmentHeaderView(bytes_); }

private:
    static constexpr std::size_t kOffset = 94;
    std::span<const std::byte, SegmentHeaderView::kSize> bytes_;
};

inline constexpr PageNo kChangeBufferRoot{4};  ///< of the system tablespace
inline constexpr std::uint64_t kChangeBufferIndex = 0xFFFFFFFF00000000;

/// On the root, where others have their segments: the list of pages that the change buffer keeps
/// for itself. On each of those, its node.
inline constexpr std::size_t kChangeBufferFreeList = 74;

/// Number of the bitmap page with the bits of `page`.
inline PageNo change_buffer_bitmap_of(PageNo page, std::uint32_t physical_page_size) {
    return PageNo{page.value / physical_page_size * physical_page_size + 1};
}

}  // namespace redoubt::page
