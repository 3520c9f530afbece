/// A rollback segment's header page (InnoDB: rseg header).
/// Format: docs/formats/undo.md#rollback-segment.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/header.h"
#include "page/list.h"
#include "page/segment_inode.h"

namespace redoubt::page {

/// Read-only view of the whole page.
class RollbackSegmentView {
public:
    static constexpr std::size_t kSlots = 72;  ///< byte offset of the undo slots
    explicit RollbackSegmentView(std::span<const std::byte> page) : page_(page) {}

    /// False: before 10.3; then nothing behind the slots is valid.
    bool current_format() const { return Format::get(page_) == 0; }
    /// Undo pages of the segments on the history list.
    std::uint32_t history_pages() const { return HistoryPages::get(page_); }
    /// Undo logs of committed transactions, newest first.
    ListBaseView history() const {
        return ListBaseView(page_.subspan<HistoryPages::kEnd, ListBaseView::kSize>());
    }
    SegmentHeaderView segment() const {
        return SegmentHeaderView(page_.subspan<kSegment, SegmentHeaderView::kSize>());
    }
    std::size_t slot_count() const { return page_.size() / 16; }
    /// First page of an undo segment; kNoPage: the slot is free.
    PageNo slot(std::size_t index) const {
        return PageNo{load_be<std::uint32_t>(page_.data() + kSlots + 4 * index)};
    }
    /// No transaction that ended here has a greater id. Only where current_format().
    std::uint64_t max_trx_id() const {
        return load_be<std::uint64_t>(page_.data() + kSlots + 4 * slot_count());
    }

    /// End of the last committed transaction of this segment in the binary log; meaningful with a
    /// binlog_name(). Only where current_format().
    std::uint64_t binlog_offset() const {
        return load_be<std::uint64_t>(page_.data() + kSlots + 4 * slot_count() + 8);
    }
    /// As the server names it ("./host-bin.000001"); empty = none. Only where current_format().
    std::string_view binlog_name() const {
        const std::span<const std::byte> field =
            page_.subspan(kSlots + 4 * slot_count() + 16, kBinlogNameSize);
        std::string_view name(static_cast<const char*>(static_cast<const void*>(field.data())),
                              field.size());
        return name.substr(0, name.find('\0'));
    }

private:
    static constexpr std::size_t kBinlogNameSize = 512;
    using Format = BigEndian<std::uint32_t, kHeaderSize>;
    using HistoryPages = BigEndian<std::uint32_t, 42>;
    static constexpr std::size_t kSegment = HistoryPages::kEnd + ListBaseView::kSize;
    static_assert(HistoryPages::kOffset == Format::kEnd &&
                  kSlots == kSegment + SegmentHeaderView::kSize);
    std::span<const std::byte> page_;
};

}  // namespace redoubt::page
