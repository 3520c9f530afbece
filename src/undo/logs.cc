#include "undo/logs.h"

#include <vector>

#include "page/header.h"
#include "page/rollback_segment.h"
#include "page/trx_system.h"
#include "undo/transactions.h"

namespace redoubt::undo {
namespace {

Status read_page(space::PageSource& source, PageId at, page::PageType type, std::string_view what,
                 std::span<std::byte> page) {
    RETURN_IF_ERROR(source.read(at, page));
    const std::uint16_t found = page::HeaderView(page).type();
    if (found != static_cast<std::uint16_t>(type)) {
        return corruption(at, "not {}: {}", what, page::type_name(found));
    }
    return {};
}

}  // namespace

Status each_segment(space::PageSource& source, std::uint32_t page_size,
                    const std::function<Status(std::size_t number, PageId at,
                                               std::span<const std::byte> page)>& each) {
    std::vector<std::byte> system(page_size);
    std::vector<std::byte> page(page_size);
    RETURN_IF_ERROR(read_page(source, {kSystemSpace, page::TrxSystemView::kPage},
                              page::PageType::TrxSystem, "the page of the transaction system",
                              system));
    for (std::size_t i = 0; i < kRollbackSegments; ++i) {
        const PageId at = page::TrxSystemView(system).slot(i);
        if (at.page == kNoPage) {
            continue;
        }
        RETURN_IF_ERROR(
            read_page(source, at, page::PageType::System, "the page of a rollback segment", page));
        RETURN_IF_ERROR(each(i, at, page));
    }
    return {};
}

Status read_log_page(space::PageSource& source, PageId at, std::span<std::byte> page) {
    return read_page(source, at, page::PageType::UndoLog, "a page of an undo log", page);
}

Result<page::UndoLogView> log_header(std::span<const std::byte> page, PageId at,
                                     std::size_t offset) {
    if (offset < page::UndoSegmentView::kEnd || offset + page::UndoLogView::kSize > page.size()) {
        return corruption(at, "an undo log is said to be at offset {}", offset);
    }
    return page::UndoLogView(page.subspan(offset).first<page::UndoLogView::kSize>());
}

Status walk_log(space::PageSource& source, std::uint32_t page_size, PageId first, std::size_t log,
                const base::CancelToken* cancel,
                const std::function<Status(const RecordHead&, RecordReader)>& each) {
    std::vector<std::byte> page(page_size);
    PageId at = first;
    PageNo before = kNoPage;
    while (at.page != kNoPage) {
        RETURN_IF_ERROR(base::check_cancelled(cancel));
        RETURN_IF_ERROR(read_log_page(source, at, page));
        const page::UndoPageView view(page);
        // So there are no circles, and no page is in two logs' chains.
        if (view.node().previous().page != before) {
            return corruption(at,
                              "a page of an undo log leads back to page {}, page {} is before it",
                              view.node().previous().page.value, before.value);
        }
        std::size_t offset = page::UndoPageView::kEnd;
        std::size_t end = view.free_from();
        PageNo next = view.node().next().page;
        if (at == first) {
            ASSIGN_OR_RETURN(const page::UndoLogView header, log_header(page, at, log));
            offset = header.first_record();
            if (header.next_log() != 0) {  // what follows is the next log's
                end = header.next_log();
                next = kNoPage;
            }
        }
        while (offset < end) {
            RecordReader body({});
            auto head = read_head(page, offset, body);
            if (!head) {
                return std::move(head.error()).with_page(at);
            }
            if (Status done = each(*head, body); !done) {
                return std::move(done.error()).with_page(at);
            }
            offset = head->next;
        }
        before = at.page;
        at.page = next;
    }
    return {};
}

}  // namespace redoubt::undo
