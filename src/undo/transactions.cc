#include "undo/transactions.h"

#include <cstring>
#include <vector>

#include "base/big_endian.h"
#include "page/rollback_segment.h"
#include "page/undo_page.h"
#include "undo/logs.h"
#include "undo/record.h"

namespace redoubt::undo {
namespace {

// Behind page::UndoLogView; docs/formats/undo.md#log-header.
constexpr std::size_t kXidFormat = 46;
constexpr std::size_t kXidGlobalSize = 50;
constexpr std::size_t kXidBranchSize = 54;
constexpr std::size_t kXidData = 58;
constexpr std::size_t kXidDataSize = 128;
constexpr std::string_view kServerXid = "MySQLXid";
constexpr std::size_t kServerXidSize = 24;  // the above, server id, number

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
    RETURN_IF_ERROR(
        each_segment(source, page_size,
                     [&](std::size_t number, PageId at, std::span<const std::byte> page) -> Status {
                         transactions.spaces_[number] = at.space;
                         const page::RollbackSegmentView segment(page);
                         for (std::size_t i = 0; i < segment.slot_count(); ++i) {
                             if (segment.slot(i) != kNoPage) {
                                 RETURN_IF_ERROR(transactions.read_log(
                                     source, {at.space, segment.slot(i)}, page_size));
                             }
                         }
                         return {};
                     }));
    RETURN_IF_ERROR(transactions.scan_open(source, page_size));
    return transactions;
}

Status Transactions::read_log(space::PageSource& source, PageId at, std::uint32_t page_size) {
    std::vector<std::byte> page(page_size);
    RETURN_IF_ERROR(read_log_page(source, at, page));
    const page::UndoSegmentView segment(page);
    if (segment.state() != page::UndoState::Active &&
        segment.state() != page::UndoState::Prepared) {
        return {};
    }
    const std::size_t log = segment.last_log();
    ASSIGN_OR_RETURN(const page::UndoLogView header, log_header(page, at, log));
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
        const std::uint64_t by = transaction.id;
        RETURN_IF_ERROR(walk_log(source, page_size, transaction.log_page, transaction.log_at,
                                 nullptr, [&, by](const RecordHead& head, RecordReader) -> Status {
                                     if (head.type() == RecordType::Empty) {
                                         emptied_by_[by].insert(head.table_id);
                                         emptied_.insert(head.table_id);
                                     } else if (head.type() == RecordType::InsertMetadata) {
                                         altered_by_[by].insert(head.table_id);
                                         altered_.insert(head.table_id);
                                     }
                                     return {};
                                 }));
    }
    return {};
}

}  // namespace redoubt::undo
