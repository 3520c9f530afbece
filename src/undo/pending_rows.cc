#include "undo/pending_rows.h"

#include <xxhash.h>

#include <algorithm>

#include "page/rollback_segment.h"
#include "page/undo_page.h"
#include "undo/logs.h"

namespace redoubt::undo {

/// Goes through all logs.
class PendingRows::Reader {
public:
    Reader(space::PageSource& source, std::uint32_t page_size,
           const std::function<Key(std::uint64_t)>& key_of, const base::CancelToken* cancel,
           PendingRows& pending)
        : source_(source),
          key_of_(key_of),
          cancel_(cancel),
          page_size_(page_size),
          page_(page_size),
          rows_(pending.rows_),
          complete_(pending.complete_) {}

    Status run() {
        RETURN_IF_ERROR(
            each_segment(source_, page_size_,
                         [this](std::size_t, PageId at, std::span<const std::byte> page) -> Status {
                             const page::RollbackSegmentView segment(page);
                             RETURN_IF_ERROR(read_open(at, segment));
                             return read_history(at, segment);
                         }));
        sort();
        return {};
    }

private:
    Status read_open(PageId at, const page::RollbackSegmentView& segment) {
        for (std::size_t i = 0; i < segment.slot_count(); ++i) {
            const PageId first{at.space, segment.slot(i)};
            if (first.page == kNoPage) {
                continue;
            }
            RETURN_IF_ERROR(read_log_page(source_, first, page_));
            const page::UndoSegmentView log(page_);
            if (log.state() == page::UndoState::Active ||
                log.state() == page::UndoState::Prepared) {
                RETURN_IF_ERROR(read_log(first, log.last_log()));
            }
        }
        return {};
    }

    Status read_history(PageId at, const page::RollbackSegmentView& segment) {
        page::FileAddress address = segment.history().first();
        page::FileAddress before;
        for (std::uint32_t left = segment.history().length(); address.page != kNoPage; --left) {
            const PageId first{at.space, address.page};
            if (left == 0) {
                return corruption(at, "the history has more logs than it says");
            }
            if (address.offset < page::UndoLogView::kHistoryNode) {
                return corruption(first, "a log is said to be in front of the page");
            }
            const std::size_t log = address.offset - page::UndoLogView::kHistoryNode;
            RETURN_IF_ERROR(read_log_page(source_, first, page_));
            ASSIGN_OR_RETURN(const page::UndoLogView header, log_header(page_, first, log));
            if (header.history_node().previous() != before) {  // so there are no circles
                return corruption(first,
                                  "the log at offset {} does not lead back to the one before", log);
            }
            before = address;
            address = header.history_node().next();
            RETURN_IF_ERROR(read_log(first, log));
        }
        return {};
    }

    Status read_log(PageId first, std::size_t log) {
        return walk_log(source_, page_size_, first, log, cancel_,
                        [this](const RecordHead& head, RecordReader body) -> Status {
                            return take(head, body);
                        });
    }

    Status take(const RecordHead& head, RecordReader& body) {
        const RecordType type = head.type();
        if (!complete_ || (type != RecordType::Update && type != RecordType::UpdateDeleted &&
                           type != RecordType::DeleteMark)) {
            return {};
        }
        const Key key = key_of_(head.table_id);
        if (key.fields == 0) {
            return {};
        }
        RETURN_IF_ERROR(body.u8());
        RETURN_IF_ERROR(body.compressed64());
        RETURN_IF_ERROR(body.compressed64());
        std::uint64_t row = head.table_id;
        for (std::size_t i = 0; i < key.fields; ++i) {
            ASSIGN_OR_RETURN(const UndoValue value, read_value(body));
            row = key.is_exact(i) ? hash(row, value.bytes) : row;
        }
        rows_.push_back(row);
        if (rows_.size() >= 2 * kRowsMax) {
            sort();
            if (rows_.size() > kRowsMax) {
                complete_ = false;
                rows_ = {};
            }
        }
        return {};
    }

    void sort() {
        std::sort(rows_.begin(), rows_.end());
        rows_.erase(std::unique(rows_.begin(), rows_.end()), rows_.end());
        rows_.shrink_to_fit();
    }

    space::PageSource& source_;
    const std::function<Key(std::uint64_t)>& key_of_;
    const base::CancelToken* cancel_;
    const std::uint32_t page_size_;
    std::vector<std::byte> page_;
    std::vector<std::uint64_t>& rows_;
    bool& complete_;
};

Result<PendingRows> PendingRows::read(space::PageSource& source, std::uint32_t page_size,
                                      const std::function<Key(std::uint64_t)>& key_of,
                                      const base::CancelToken* cancel) {
    PendingRows pending;
    RETURN_IF_ERROR(Reader(source, page_size, key_of, cancel, pending).run());
    return pending;
}

bool PendingRows::contains(std::uint64_t table_id, const Key& key,
                           std::span<const record::Field> values) const {
    std::uint64_t row = table_id;
    for (std::size_t i = 0; i < values.size(); ++i) {
        row = key.is_exact(i) ? hash(row, values[i].bytes()) : row;
    }
    return std::ranges::binary_search(rows_, row);
}

std::uint64_t PendingRows::hash(std::uint64_t seed, std::span<const std::byte> bytes) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace redoubt::undo
