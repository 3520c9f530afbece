/// Undo pages: page header, undo segment header, undo log header.
/// Format: docs/formats/undo.md#pages.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/header.h"
#include "page/list.h"
#include "page/segment_inode.h"

namespace redoubt::page {

/// Read-only view of what every undo page has behind the page header.
class UndoPageView {
public:
    static constexpr std::size_t kSize = 18;                  // bytes
    static constexpr std::size_t kEnd = kHeaderSize + kSize;  ///< where the records of most begin
    explicit UndoPageView(std::span<const std::byte> page)
        : bytes_(page.subspan<kHeaderSize, kSize>()) {}

    /// 0; before 10.3 1 insert, 2 update.
    std::uint16_t kind() const { return Kind::get(bytes_); }
    /// Offset of the first record of the newest log on the page.
    std::uint16_t first_record() const { return FirstRecord::get(bytes_); }
    std::uint16_t free_from() const { return FreeFrom::get(bytes_); }
    /// Links the pages of the undo segment.
    ListNodeView node() const { return ListNodeView(bytes_.last<ListNodeView::kSize>()); }

private:
    using Kind = BigEndian<std::uint16_t, 0>;
    using FirstRecord = BigEndian<std::uint16_t, 2>;
    using FreeFrom = BigEndian<std::uint16_t, 4>;
    static_assert(FirstRecord::kOffset == Kind::kEnd && FreeFrom::kOffset == FirstRecord::kEnd &&
                  FreeFrom::kEnd + ListNodeView::kSize == kSize);
    std::span<const std::byte, kSize> bytes_;
};

enum class UndoState : std::uint16_t {
    Active = 1,
    Cached = 2,   ///< committed or empty; a new transaction may append its log
    ToFree = 3,   ///< before 10.3
    ToPurge = 4,  ///< committed
    Prepared = 5
};

/// Read-only view of the undo segment header: on the first page of a segment, behind the above.
class UndoSegmentView {
public:
    static constexpr std::size_t kSize = 30;                         // bytes
    static constexpr std::size_t kEnd = UndoPageView::kEnd + kSize;  ///< first log header
    explicit UndoSegmentView(std::span<const std::byte> page)
        : bytes_(page.subspan<UndoPageView::kEnd, kSize>()) {}

    /// Of the newest log alone. May be none of the enumerators.
    UndoState state() const { return static_cast<UndoState>(State::get(bytes_)); }
    /// Offset of the newest log header; 0: none yet.
    std::uint16_t last_log() const { return LastLog::get(bytes_); }
    SegmentHeaderView segment() const {
        return SegmentHeaderView(bytes_.subspan<LastLog::kEnd, SegmentHeaderView::kSize>());
    }
    ListBaseView pages() const { return ListBaseView(bytes_.last<ListBaseView::kSize>()); }

private:
    using State = BigEndian<std::uint16_t, 0>;
    using LastLog = BigEndian<std::uint16_t, 2>;
    static_assert(LastLog::kOffset == State::kEnd &&
                  LastLog::kEnd + SegmentHeaderView::kSize + ListBaseView::kSize == kSize);
    std::span<const std::byte, kSize> bytes_;
};

/// Read-only view of the part of an undo log header that every version has. The XA identifier
/// follows where xid_exists().
class UndoLogView {
public:
    static constexpr std::size_t kSize = 46;  // bytes
    static constexpr std::size_t kHistoryNode = 34;
    explicit UndoLogView(std::span<const std::byte, kSize> bytes) : bytes_(bytes) {}

    std::uint64_t trx_id() const { return TrxId::get(bytes_); }
    /// Serialisation number; 0 until the transaction commits.
    std::uint64_t trx_no() const { return TrxNo::get(bytes_); }
    bool needs_purge() const { return NeedsPurge::get(bytes_) != 0; }
    /// Offset of this log's first record on the page.
    std::uint16_t first_record() const { return FirstRecord::get(bytes_); }
    bool xid_exists() const { return XidExists::get(bytes_) != 0; }
    bool changes_dictionary() const { return Dictionary::get(bytes_) != 0; }
    /// Offset of the next newer log header on this page; 0: none.
    std::uint16_t next_log() const { return NextLog::get(bytes_); }
    std::uint16_t previous_log() const { return PreviousLog::get(bytes_); }
    /// In the history list of the rollback segment, once committed.
    ListNodeView history_node() const {
        return ListNodeView(bytes_.subspan<kHistoryNode, ListNodeView::kSize>());
    }

private:
    using TrxId = BigEndian<std::uint64_t, 0>;
    using TrxNo = BigEndian<std::uint64_t, 8>;
    using NeedsPurge = BigEndian<std::uint16_t, 16>;
    using FirstRecord = BigEndian<std::uint16_t, 18>;
    using XidExists = BigEndian<std::uint8_t, 20>;
    using Dictionary = BigEndian<std::uint8_t, 21>;
    using TableId = BigEndian<std::uint64_t, 22>;  // 0 since 10.6
    using NextLog = BigEndian<std::uint16_t, 30>;
    using PreviousLog = BigEndian<std::uint16_t, 32>;
    static_assert(NeedsPurge::kOffset == TrxNo::kEnd && XidExists::kOffset == FirstRecord::kEnd &&
                  TableId::kOffset == Dictionary::kEnd && NextLog::kOffset == TableId::kEnd &&
                  kHistoryNode == PreviousLog::kEnd && kHistoryNode + ListNodeView::kSize == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
