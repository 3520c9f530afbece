/// The header of B-tree and R-tree pages (InnoDB: PAGE_HEADER).
/// Format: docs/formats/index-page.md#header.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/header.h"
#include "page/segment_inode.h"

namespace redoubt::page {

/// Read-only view. Record positions are bytes from the page's start.
class IndexHeaderView {
public:
    static constexpr std::size_t kSize = 56;  // bytes
    /// `page`: a whole index page.
    explicit IndexHeaderView(std::span<const std::byte> page)
        : bytes_(page.subspan<kHeaderSize, kSize>()) {}

    std::uint16_t directory_slots() const { return DirectorySlots::get(bytes_); }
    std::uint16_t heap_top() const { return HeapTop::get(bytes_); }
    /// Records ever allocated: infimum, supremum and freed ones included.
    std::uint16_t heap_count() const {
        return static_cast<std::uint16_t>(HeapCount::get(bytes_) & ~kCompactBit);
    }
    /// False: ROW_FORMAT=REDUNDANT.
    bool compact() const { return (HeapCount::get(bytes_) & kCompactBit) != 0; }
    /// 0: none was freed.
    std::uint16_t first_freed() const { return FirstFreed::get(bytes_); }
    std::uint16_t freed_bytes() const { return FreedBytes::get(bytes_); }
    std::uint16_t last_insert() const { return LastInsert::get(bytes_); }
    /// Of the last inserts: 1 left, 2 right, 5 none.
    std::uint16_t direction() const { return Direction::get(bytes_) & kDirectionMask; }
    /// Fields of the index before the first instant ADD COLUMN; 0 but on a root of type INSTANT.
    std::uint16_t core_field_count() const { return Direction::get(bytes_) >> kDirectionBits; }
    std::uint16_t inserts_in_direction() const { return InsertsInDirection::get(bytes_); }
    /// Of a page in memory.
    static void store_heap_top(std::span<std::byte> page, std::uint16_t value) {
        HeapTop::set(page.subspan<kHeaderSize, kSize>(), value);
    }
    static void store_record_count(std::span<std::byte> page, std::uint16_t value) {
        RecordCount::set(page.subspan<kHeaderSize, kSize>(), value);
    }
    /// Delete-marked records included.
    std::uint16_t record_count() const { return RecordCount::get(bytes_); }
    /// Leaf pages of secondary indexes. In a clustered root: the last AUTO_INCREMENT value.
    std::uint64_t max_trx_id() const { return MaxTrxId::get(bytes_); }
    /// 0: leaf.
    std::uint16_t level() const { return Level::get(bytes_); }
    std::uint64_t index_id() const { return IndexId::get(bytes_); }
    /// Root pages only.
    SegmentHeaderView leaf_segment() const {
        return SegmentHeaderView(bytes_.subspan<kLeafSegment, SegmentHeaderView::kSize>());
    }
    /// Root pages only: owns the pages above the leaves.
    SegmentHeaderView inner_segment() const {
        return SegmentHeaderView(bytes_.subspan<kInnerSegment, SegmentHeaderView::kSize>());
    }

private:
    static constexpr std::uint16_t kCompactBit = 0x8000;
    static constexpr std::uint16_t kDirectionMask = 7;
    static constexpr unsigned kDirectionBits = 3;
    using DirectorySlots = BigEndian<std::uint16_t, 0>;
    using HeapTop = BigEndian<std::uint16_t, 2>;
    using HeapCount = BigEndian<std::uint16_t, 4>;
    using FirstFreed = BigEndian<std::uint16_t, 6>;
    using FreedBytes = BigEndian<std::uint16_t, 8>;
    using LastInsert = BigEndian<std::uint16_t, 10>;
    using Direction = BigEndian<std::uint16_t, 12>;
    using InsertsInDirection = BigEndian<std::uint16_t, 14>;
    using RecordCount = BigEndian<std::uint16_t, 16>;
    using MaxTrxId = BigEndian<std::uint64_t, 18>;
    using Level = BigEndian<std::uint16_t, 26>;
    using IndexId = BigEndian<std::uint64_t, 28>;
    static constexpr std::size_t kLeafSegment = IndexId::kEnd;
    static constexpr std::size_t kInnerSegment = kLeafSegment + SegmentHeaderView::kSize;
    static_assert(MaxTrxId::kOffset == RecordCount::kEnd && Level::kOffset == MaxTrxId::kEnd &&
                  IndexId::kOffset == Level::kEnd &&
                  kInnerSegment + SegmentHeaderView::kSize == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
