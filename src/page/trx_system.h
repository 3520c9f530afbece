/// Page 5 of the system tablespace (InnoDB: TRX_SYS): rollback segment slots and the place of the
/// doublewrite buffer. Format: docs/formats/tablespace.md#trx_sys.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/segment_inode.h"

namespace redoubt::page {

/// Read-only view of the whole page.
class TrxSystemView {
public:
    static constexpr PageNo kPage{5};  // of the system tablespace
    static constexpr std::size_t kSlotCount = 256;
    explicit TrxSystemView(std::span<const std::byte> page) : page_(page) {}
    /// Owns the page itself.
    SegmentHeaderView segment() const {
        return SegmentHeaderView(page_.subspan<kSegment, SegmentHeaderView::kSize>());
    }
    /// Rollback segment header page of a slot; both parts 0xFFFFFFFF when unused.
    PageId slot(std::size_t index) const {
        const std::byte* at = page_.data() + kSlots + index * 8;
        return {SpaceId{load_be<std::uint32_t>(at)}, PageNo{load_be<std::uint32_t>(at + 4)}};
    }

private:
    static constexpr std::size_t kSegment = 46;
    static constexpr std::size_t kSlots = kSegment + SegmentHeaderView::kSize;
    std::span<const std::byte> page_;
};

/// Read-only view of the doublewrite header, 200 bytes before the end of that page. `page`: the
/// whole page.
class DoublewriteHeaderView {
public:
    static constexpr std::size_t kSize = 38;  // bytes
    explicit DoublewriteHeaderView(std::span<const std::byte> page)
        : bytes_(page.last(200).first<kSize>()) {}
    /// False: no doublewrite buffer was ever made (or the page is torn).
    bool present() const { return Magic::get(bytes_) == kMagic; }
    /// Owns the pages of both blocks.
    SegmentHeaderView segment() const {
        return SegmentHeaderView(bytes_.first<SegmentHeaderView::kSize>());
    }
    PageNo block1() const { return PageNo{Block1::get(bytes_)}; }
    PageNo block2() const { return PageNo{Block2::get(bytes_)}; }
    /// The slots carry space ids; false only in files of ancient servers.
    bool space_ids_stored() const { return SpaceIdsStored::get(bytes_) == kSpaceIdsStored; }

private:
    static constexpr std::uint32_t kMagic = 536853855;
    static constexpr std::uint32_t kSpaceIdsStored = 1783657386;
    using Magic = BigEndian<std::uint32_t, 10>;
    using Block1 = BigEndian<std::uint32_t, 14>;
    using Block2 = BigEndian<std::uint32_t, 18>;
    using SpaceIdsStored = BigEndian<std::uint32_t, 34>;
    static_assert(Block1::kOffset == Magic::kEnd && Block2::kOffset == Block1::kEnd &&
                  SpaceIdsStored::kEnd == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
