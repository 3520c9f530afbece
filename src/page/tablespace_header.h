/// The tablespace header on page 0 (InnoDB: FSP header).
/// Format: docs/formats/tablespace.md#page-0.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/header.h"
#include "page/list.h"

namespace redoubt::page {

/// Read-only view. The structure lies behind the page header; an extent descriptor array follows.
class TablespaceHeaderView {
public:
    static constexpr std::size_t kSize = 112;  // bytes
    /// `page`: page 0, of which at least 150 bytes are there.
    explicit TablespaceHeaderView(std::span<const std::byte> page)
        : bytes_(page.subspan<kHeaderSize, kSize>()) {}

    SpaceId space() const { return SpaceId{Space::get(bytes_)}; }
    /// Physical pages.
    std::uint32_t size() const { return Pages::get(bytes_); }
    /// First page whose extent has no descriptor yet.
    PageNo free_limit() const { return PageNo{FreeLimit::get(bytes_)}; }
    /// For TablespaceFlags::decode().
    std::uint32_t raw_flags() const { return Flags::get(bytes_); }
    /// Used pages of the extents on list fragment_extents().
    std::uint32_t fragment_pages_used() const { return FragmentPagesUsed::get(bytes_); }
    ListBaseView free_extents() const { return list<kFree>(); }
    ListBaseView fragment_extents() const { return list<kFragment>(); }
    ListBaseView full_fragment_extents() const { return list<kFullFragment>(); }
    /// The id that the next new segment gets.
    std::uint64_t next_segment() const { return NextSegment::get(bytes_); }
    ListBaseView full_inode_pages() const { return list<kInodesFull>(); }
    ListBaseView inode_pages_with_room() const { return list<kInodesFree>(); }

private:
    using Space = BigEndian<std::uint32_t, 0>;  // 4 unused bytes follow
    using Pages = BigEndian<std::uint32_t, 8>;
    using FreeLimit = BigEndian<std::uint32_t, 12>;
    using Flags = BigEndian<std::uint32_t, 16>;
    using FragmentPagesUsed = BigEndian<std::uint32_t, 20>;
    static constexpr std::size_t kFree = FragmentPagesUsed::kEnd;
    static constexpr std::size_t kFragment = kFree + ListBaseView::kSize;
    static constexpr std::size_t kFullFragment = kFragment + ListBaseView::kSize;
    using NextSegment = BigEndian<std::uint64_t, 72>;
    static constexpr std::size_t kInodesFull = NextSegment::kEnd;
    static constexpr std::size_t kInodesFree = kInodesFull + ListBaseView::kSize;
    static_assert(FreeLimit::kOffset == Pages::kEnd && Flags::kOffset == FreeLimit::kEnd &&
                  FragmentPagesUsed::kOffset == Flags::kEnd);
    static_assert(NextSegment::kOffset == kFullFragment + ListBaseView::kSize &&
                  kInodesFree + ListBaseView::kSize == kSize);

    template <std::size_t Offset>
    ListBaseView list() const {
        return ListBaseView(bytes_.template subspan<Offset, ListBaseView::kSize>());
    }
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
