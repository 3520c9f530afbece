#include "undo/transactions.h"

#include <cstring>
#include <vector>

#include "base/big_endian.h"
#include "page/header.h"
#include "page/rollback_segment.h"
#include "page/trx_system.h"
#include "page/undo_page.h"
#include "undo/record.h"

namespace redoubt::undo {
namespace {

constexpr PageNo kTrxSystemPage{5};
// Behind page::UndoLogView; docs/formats/undo.md#log-header.
constexpr std::size_t kXidFormat = 46;
constexpr std::size_t kXidGlobalSize = 50;
constexpr std::size_t kXidBranchSize = 54;
constexpr std::size_t kXidData = 58;
constexpr std::size_t kXidDataSize = 128;
constexpr std::string_view kServerXid = "MySQLXid";
constexpr std::size_t kServerXidSize = 24;  // the above, server id, number

bool is_undo_page(std::span<const std::byte> page) {
    return page::HeaderView(page).type() == static_cast<std::uint16_t>(page::PageType::UndoLog);
}

}  // namespace

std::optional<Xid> read_xid(std::span<const std::byte> page, std::size_t log) {
    if (log + kXidData + kXidDataSize > page.size()) {
        return std::nullopt;
    }
    const std::byte* const at = page.data() + log;
    const std::size_t global = load_be<std::uint32_t>(at + kXidGlobalSize);
    const std::size_t branch = load_be<std::uint32_t>(at + kXidBranchSize);
    if (global > kXidDataSize / 2 || branch > kXidDataSize / 2) {
        return std::nullopt;
    }
    const char* const data = static_cast<const char*>(static_cast<const void*>(at + kXidData));
    return Xid{.format = load_be<std::uint32_t>(at + kXidFormat),
               .global = std::string(data, global),
               .branch = std::string(data + global, branch)};
}

std::optional<std::uint64_t> Xid::binlog_number() const {
    if (format != 1 || global.size() != kServerXidSize || !branch.empty() ||
        !global.starts_with(kServerXid)) {
        return std::nullopt;
    }
    std::uint64_t number = 0;  // little-endian, as the server's machine had it
    std::memcpy(&number, global.data() + 2 * kServerXid.size(), sizeof number);
    return number;
}

void Transactions::commit(std::uint64_t id) {
    open_.erase(id);
    emptied_by_.erase(id);
    altered_by_.erase(id);
    emptied_.clear();
    for (const auto& [_, tables] : emptied_by_) {
        emptied_.insert(tables.begin(), tables.end());
    }
    altered_.clear();
    for (const auto& [_, tables] : altered_by_) {
        altered_.insert(tables.begin(), tables.end());
    }
}

Result<Transactions> Transactions::read(space::PageSource& source, std::uint32_t page_size) {
    Transactions transactions;
    transactions.spaces_.fill(kNoSpace);
    std::vector<std::byte> page(page_size);
    const PageId at{kSystemSpace, kTrxSystemPage};
    RETURN_IF_ERROR(source.read(at, page));
    if (page::HeaderView(page).type() != static_cast<std::uint16_t>(page::PageType::TrxSystem)) {
        return corruption(at, "not the page of the transaction system: {}",
                          page::type_name(page::HeaderView(page).type()));
    }
    for (std::size_t i = 0; i < kRollbackSegments; ++i) {
        const PageId segment = page::TrxSystemView(page).slot(i);
        if (segment.page != kNoPage) {
            transactions.spaces_[i] = segment.space;
            RETURN_IF_ERROR(transactions.read_segment(source, segment, page_size));
        }
    }
    RETURN_IF_ERROR(transactions.scan_open(source, page_size));
    return transactions;
}

Status Transactions::read_segment(space::PageSource& source, PageId at, std::uint32_t page_size) {
    std::vector<std::byte> page(page_size);
    RETURN_IF_ERROR(source.read(at, page));
    if (page::HeaderView(page).type() != static_cast<std::uint16_t>(page::PageType::System)) {
        return corruption(at, "not the page of a rollback segment: {}",
                          page::type_name(page::HeaderView(page).type()));
    }
    const page::RollbackSegmentView segment(page);
    for (std::size_t i = 0; i < segment.slot_count(); ++i) {
        if (segment.slot(i) != kNoPage) {
            RETURN_IF_ERROR(read_log(source, {at.space, segment.slot(i)}, page_size));
        }
    }
    return {};
}

Status Transactions::read_log(space::PageSource& source, PageId at, std::uint32_t page_size) {
    std::vector<std::byte> page(page_size);
    RETURN_IF_ERROR(source.read(at, page));
    if (!is_undo_page(page)) {
        return corruption(at, "not the first page of an undo log: {}",
                          page::type_name(page::HeaderView(page).type()));
    }
    const page::UndoSegmentView segment(page);
    if (segment.state() != page::UndoState::Active &&
        segment.state() != page::UndoState::Prepared) {
        return {};
    }
    const std::size_t log = segment.last_log();
    if (log < page::UndoSegmentView::kEnd || log + page::UndoLogView::kSize > page.size()) {
        return corruption(at, "the last undo log is said to be at offset {}", log);
    }
    const page::UndoLogView header(std::span<const std::byte>(page).subspan(log).first<46>());
    Transaction transaction{.id = header.trx_id(),
                            .prepared = segment.state() == page::UndoState::Prepared,
                            .dictionary = header.changes_dictionary(),
                            .xid = header.xid_exists() ? read_xid(page, log) : std::nullopt,
                            .log_page = at,
                            .log_at = static_cast<std::uint16_t>(log)};
    open_.emplace(transaction.id, std::move(transaction));
    return {};
}

Status Transactions::scan_open(space::PageSource& source, std::uint32_t page_size) {
    for (const auto& [_, transaction] : open_) {
        RETURN_IF_ERROR(scan_log(source, transaction, page_size));
    }
    return {};
}

Status Transactions::scan_log(space::PageSource& source, const Transaction& transaction,
                              std::uint32_t page_size) {
    std::vector<std::byte> page(page_size);
    PageId at = transaction.log_page;
    ASSIGN_OR_RETURN(const std::uint32_t page_count, source.page_count(at.space));
    for (std::uint32_t pages = 0; at.page != kNoPage; ++pages) {
        if (pages > page_count) {
            return corruption(at, "the pages of an undo log lead in a circle");
        }
        RETURN_IF_ERROR(source.read(at, page));
        if (!is_undo_page(page)) {
            return corruption(at, "not a page of an undo log: {}",
                              page::type_name(page::HeaderView(page).type()));
        }
        const page::UndoPageView view(page);
        std::size_t offset = page::UndoPageView::kEnd;
        if (pages == 0) {
            offset = page::UndoLogView(
                         std::span<const std::byte>(page).subspan(transaction.log_at).first<46>())
                         .first_record();
        }
        while (offset < view.free_from()) {
            RecordReader body({});
            auto head = read_head(page, offset, body);
            if (!head) {
                return std::move(head.error()).with_page(at);
            }
            if (head->type() == RecordType::Empty) {
                emptied_by_[transaction.id].insert(head->table_id);
                emptied_.insert(head->table_id);
            } else if (head->type() == RecordType::InsertMetadata) {
                altered_by_[transaction.id].insert(head->table_id);
                altered_.insert(head->table_id);
            }
            offset = head->next;
        }
        at.page = view.node().next().page;
    }
    return {};
}

}  // namespace redoubt::undo
