/// Segments: the header that an owner of pages keeps, and the inode it leads to.
/// Format: docs/formats/tablespace.md#segment-header, #inode.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/error.h"
#include "base/ids.h"
#include "page/flags.h"
#include "page/header.h"
#include "page/list.h"

namespace redoubt::page {

/// Read-only view of a segment inode (InnoDB: fseg inode): the pages a segment owns.
class SegmentInodeView {
public:
    /// Byte offset of the array of them on an inode page; before it is the page's list node.
    static constexpr std::size_t kArray = kHeaderSize + ListNodeView::kSize;
    static std::size_t size(const TablespaceFlags& flags) {
        return kFragments + 4 * fragment_count(flags);
    }
    static std::size_t count_per_page(const TablespaceFlags& flags) {
        constexpr std::size_t kReserved = 10;  // bytes at the page's end
        return (flags.physical_page_size - kArray - kReserved) / size(flags);
    }
    /// Single pages that a segment can own.
    static std::size_t fragment_count(const TablespaceFlags& flags) {
        return flags.extent_pages() / 2;
    }
    /// Inode `index` of an inode page; `index` is below count_per_page().
    static SegmentInodeView on_page(std::span<const std::byte> page, const TablespaceFlags& flags,
                                    std::size_t index) {
        return SegmentInodeView(page.subspan(kArray + index * size(flags), size(flags)));
    }

    /// `bytes`: size() of them.
    explicit SegmentInodeView(std::span<const std::byte> bytes) : bytes_(bytes) {}
    /// 0: the slot is unused.
    std::uint64_t segment() const { return Segment::get(bytes_); }
    /// Used pages of the extents on list not_full_extents().
    std::uint32_t not_full_pages_used() const { return NotFullUsed::get(bytes_); }
    ListBaseView free_extents() const { return list<kFree>(); }
    ListBaseView not_full_extents() const { return list<kNotFull>(); }
    ListBaseView full_extents() const { return list<kFull>(); }
    std::uint32_t magic() const { return Magic::get(bytes_); }
    static constexpr std::uint32_t kMagic = 97937874;  ///< of every inode in use
    /// kNoPage: the slot is empty. `index` is below fragment_count().
    PageNo fragment(std::size_t index) const {
        return PageNo{load_be<std::uint32_t>(bytes_.data() + kFragments + 4 * index)};
    }

private:
    using Segment = BigEndian<std::uint64_t, 0>;
    using NotFullUsed = BigEndian<std::uint32_t, 8>;
    static constexpr std::size_t kFree = NotFullUsed::kEnd;
    static constexpr std::size_t kNotFull = kFree + ListBaseView::kSize;
    static constexpr std::size_t kFull = kNotFull + ListBaseView::kSize;
    using Magic = BigEndian<std::uint32_t, 60>;
    static constexpr std::size_t kFragments = Magic::kEnd;
    static_assert(NotFullUsed::kOffset == Segment::kEnd &&
                  Magic::kOffset == kFull + ListBaseView::kSize);

    template <std::size_t Offset>
    ListBaseView list() const {
        return ListBaseView(bytes_.template subspan<Offset, ListBaseView::kSize>());
    }
    std::span<const std::byte> bytes_;
};

/// Read-only view of a segment header (InnoDB: fseg header): which segment inode owns a set of
/// pages. Two of them sit in every index root page.
class SegmentHeaderView {
public:
    static constexpr std::size_t kSize = 10;  // bytes
    explicit SegmentHeaderView(std::span<const std::byte, kSize> bytes) : bytes_(bytes) {}

    SpaceId space() const { return SpaceId{InodeSpace::get(bytes_)}; }
    PageNo inode_page() const { return PageNo{InodePage::get(bytes_)}; }
    /// Byte offset of the inode within `inode_page()`.
    std::uint16_t inode_offset() const { return InodeOffset::get(bytes_); }
    /// Call before trusting any field. `owner` is the page that holds the header.
    /// Errors: Corruption if the header leads to no inode of the tablespace of `owner`.
    Status validate(PageId owner, const TablespaceFlags& flags, PageNo end_of_space) const;

private:
    using InodeSpace = BigEndian<std::uint32_t, 0>;
    using InodePage = BigEndian<std::uint32_t, 4>;
    using InodeOffset = BigEndian<std::uint16_t, 8>;
    static_assert(InodePage::kOffset == InodeSpace::kEnd &&
                  InodeOffset::kOffset == InodePage::kEnd && InodeOffset::kEnd == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
