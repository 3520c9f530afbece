#include "verify/undo_check.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "page/header.h"
#include "page/list.h"
#include "page/rollback_segment.h"
#include "page/trx_system.h"
#include "page/undo_page.h"
#include "undo/record.h"
#include "undo/transactions.h"

namespace redoubt::verify {
namespace {

class UndoChecker {
public:
    UndoChecker(space::PageSource& source, std::uint32_t page_size,
                const std::function<void(UndoProblem)>& report, const base::CancelToken* cancel)
        : source_(source), report_(report), cancel_(cancel), page_size_(page_size) {}

    Status run() {
        std::vector<std::byte> page(page_size_);
        const PageId at{kSystemSpace, page::TrxSystemView::kPage};
        ASSIGN_OR_RETURN(const bool good,
                         load(at, page::PageType::TrxSystem, page, "rollback-segment"));
        if (!good) {
            return {};
        }
        std::set<PageId> seen;
        for (std::size_t i = 0; i < undo::kRollbackSegments; ++i) {
            const PageId segment = page::TrxSystemView(page).slot(i);
            if (segment.page == kNoPage) {
                continue;
            }
            if (!seen.insert(segment).second) {
                report("rollback-segment", at,
                       fmt::format("slot {} leads to page {} of space {}, as another does", i,
                                   segment.page.value, segment.space.value));
                continue;
            }
            RETURN_IF_ERROR(check_segment(segment));
        }
        return {};
    }

private:
    using Page = std::vector<std::byte>;

    void report(std::string_view kind, PageId page, std::string message) const {
        report_({.kind = kind, .page = page, .message = std::move(message)});
    }

    /// False: it is not what it should be, which is reported.
    Result<bool> load(PageId at, page::PageType type, Page& page, std::string_view kind) const {
        RETURN_IF_ERROR(base::check_cancelled(cancel_));
        if (Status read = source_.read(at, page); !read) {
            if (read.error().code() != ErrorCode::Corruption &&
                read.error().code() != ErrorCode::NotFound) {
                return std::move(read.error());
            }
            if (source_.page_count(at.space)) {  // else its file is missing, which level files says
                report(kind, at, read.error().message());
            }
            return false;
        }
        const std::uint16_t found = page::HeaderView(page).type();
        if (found != static_cast<std::uint16_t>(type)) {
            report(kind, at,
                   fmt::format("a page of type {}, not {}", page::type_name(found),
                               page::type_name(static_cast<std::uint16_t>(type))));
            return false;
        }
        return true;
    }

    Status check_segment(PageId at) {
        Page page(page_size_);
        ASSIGN_OR_RETURN(const bool good,
                         load(at, page::PageType::System, page, "rollback-segment"));
        if (!good) {
            return {};
        }
        const page::RollbackSegmentView segment(page);
        for (std::size_t i = 0; i < segment.slot_count(); ++i) {
            if (segment.slot(i) == kNoPage) {
                continue;
            }
            const PageId log{at.space, segment.slot(i)};
            if (!logs_.insert(log).second) {
                report("rollback-segment", at,
                       fmt::format("undo slot {} leads to page {}, as another does", i,
                                   log.page.value));
                continue;
            }
            RETURN_IF_ERROR(check_log(log, false));
        }
        return check_history(at, segment);
    }

    /// An undo segment by its first page: its state, its pages, the records on them.
    Status check_log(PageId at, bool in_history) {
        Page page(page_size_);
        ASSIGN_OR_RETURN(const bool good, load(at, page::PageType::UndoLog, page, "undo-log"));
        if (!good) {
            return {};
        }
        const page::UndoSegmentView segment(page);
        switch (segment.state()) {
            case page::UndoState::Active:
            case page::UndoState::Prepared:
            case page::UndoState::Cached:
                break;
            case page::UndoState::ToPurge:
                if (in_history) {
                    break;
                }
                [[fallthrough]];
            default:
                report("undo-log", at,
                       fmt::format("a slot leads to an undo log of state {}",
                                   static_cast<unsigned>(segment.state())));
        }
        check_headers(at, page, segment.last_log());
        return check_pages(at, page);
    }

    /// The logs on the first page, from the newest one back.
    void check_headers(PageId at, const Page& page, std::size_t log) const {
        std::size_t newer = 0;
        for (std::size_t count = 0; log != 0; ++count) {
            if (log < page::UndoSegmentView::kEnd || log + page::UndoLogView::kSize > page.size() ||
                count > page.size()) {
                report("undo-log", at, fmt::format("a log header is said to be at offset {}", log));
                return;
            }
            const page::UndoLogView header = view(page, log);
            if (header.next_log() != newer) {
                report("undo-log", at,
                       fmt::format("the log header at offset {} leads to {}, the next is at {}",
                                   log, header.next_log(), newer));
                return;
            }
            newer = log;
            log = header.previous_log();
            if (log >= newer) {
                report("undo-log", at,
                       fmt::format("the log header at offset {} has {} before it", newer, log));
                return;
            }
        }
    }

    static page::UndoLogView view(const Page& page, std::size_t log) {
        return page::UndoLogView(
            std::span<const std::byte>(page).subspan(log).first<page::UndoLogView::kSize>());
    }

    Status check_pages(PageId first, const Page& first_page) {
        const page::ListBaseView list = page::UndoSegmentView(first_page).pages();
        ASSIGN_OR_RETURN(const std::uint32_t page_count, source_.page_count(first.space));
        Page page = first_page;
        PageId at = first;
        PageNo before = kNoPage;
        for (std::uint32_t count = 1;; ++count) {
            const page::UndoPageView undo(page);
            if (undo.node().previous().page != before) {
                report("undo-log", at,
                       fmt::format("leads back to page {}, page {} is before it",
                                   undo.node().previous().page.value, before.value));
                return {};  // what follows is another's, or was seen already
            }
            check_records(at, page, at == first);
            before = at.page;
            at.page = undo.node().next().page;
            if (at.page == kNoPage) {
                if (count != list.length()) {
                    report("undo-log", first,
                           fmt::format("has {} pages, its list says {}", count, list.length()));
                } else if (list.last().page != before) {
                    report("undo-log", first,
                           fmt::format("ends with page {}, its list says {}", before.value,
                                       list.last().page.value));
                }
                return {};
            }
            if (count >= page_count) {
                report("undo-log", first, "its pages lead in a circle");
                return {};
            }
            ASSIGN_OR_RETURN(const bool good, load(at, page::PageType::UndoLog, page, "undo-log"));
            if (!good) {
                return {};
            }
        }
    }

    /// The records of the newest log on the page, each behind the one before.
    void check_records(PageId at, const Page& page, bool first) const {
        const page::UndoPageView undo(page);
        const std::size_t end = undo.free_from();
        if (end < page::UndoPageView::kEnd || end > page.size() - page::kTrailerSize) {
            report("undo-log", at, fmt::format("its records end at offset {}", end));
            return;
        }
        std::size_t offset = undo.first_record();
        if (offset < page::UndoPageView::kEnd || offset > end) {
            report("undo-log", at, fmt::format("its first record is at offset {}", offset));
            return;
        }
        if (first) {
            const std::size_t log = page::UndoSegmentView(page).last_log();
            if (log < page::UndoSegmentView::kEnd || log + page::UndoLogView::kSize > page.size()) {
                return;  // said, or there is none yet
            }
            offset = view(page, log).first_record();
        }
        while (offset < end) {
            undo::RecordReader body({});
            const auto head = undo::read_head(page, offset, body);
            if (!head || head->next <= offset || head->next > end) {
                report("undo-log", at,
                       fmt::format("the undo record at offset {}: {}", offset,
                                   head ? fmt::format("the next one is at {}", head->next)
                                        : head.error().message()));
                return;
            }
            offset = head->next;
        }
    }

    /// Committed logs, the newest first.
    Status check_history(PageId segment_at, const page::RollbackSegmentView& segment) {
        const page::ListBaseView list = segment.history();
        page::FileAddress address = list.first();
        page::FileAddress before;
        std::uint64_t newer = UINT64_MAX;
        std::uint32_t count = 0;
        Page page(page_size_);
        for (; address.page != kNoPage; ++count) {
            const PageId at{segment_at.space, address.page};
            if (count >= list.length()) {
                report("history", segment_at,
                       fmt::format("the history has more than the {} logs that it says",
                                   list.length()));
                return {};
            }
            ASSIGN_OR_RETURN(const bool good, load(at, page::PageType::UndoLog, page, "history"));
            if (!good) {
                return {};
            }
            const std::size_t node = address.offset;
            if (node < page::UndoSegmentView::kEnd + page::UndoLogView::kHistoryNode ||
                node - page::UndoLogView::kHistoryNode + page::UndoLogView::kSize > page.size()) {
                report("history", at, fmt::format("a log is said to be at offset {}", node));
                return {};
            }
            const page::UndoLogView log = view(page, node - page::UndoLogView::kHistoryNode);
            if (log.history_node().previous() != before) {
                report("history", at,
                       fmt::format("the log at offset {} does not lead back to the one before it",
                                   node));
                return {};
            }
            if (log.trx_no() == 0 || log.trx_no() >= newer) {
                report("history", at,
                       fmt::format("the log at offset {} has number {}, the newer one before it {}",
                                   node, log.trx_no(), newer));
            }
            newer = log.trx_no();
            if (logs_.insert(at).second) {
                RETURN_IF_ERROR(check_log(at, true));
            }
            before = address;
            address = log.history_node().next();
        }
        if (count != list.length()) {
            report("history", segment_at,
                   fmt::format("the history has {} logs, it says {}", count, list.length()));
        } else if (list.last() != before) {
            report("history", segment_at, "the history does not end with the log that it says");
        }
        return {};
    }

    space::PageSource& source_;
    const std::function<void(UndoProblem)>& report_;
    const base::CancelToken* cancel_;
    std::uint32_t page_size_;
    std::set<PageId> logs_;  // undo segments, by their first pages
};

}  // namespace

Status check_undo(space::PageSource& source, std::uint32_t page_size,
                  const std::function<void(UndoProblem)>& report, const base::CancelToken* cancel) {
    return UndoChecker(source, page_size, report, cancel).run();
}

}  // namespace redoubt::verify
