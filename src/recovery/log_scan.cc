#include "recovery/log_scan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "recovery/log_walk.h"

namespace redoubt::recovery {
namespace {

using redo::Record;
using redo::RecordType;

/// Whether the first record is one of those that stand before a checkpoint. Its type is in clear in
/// encrypted logs, too, so this does not depend on the key.
bool begins_with_names(const redo::Mtr& mtr) {
    constexpr std::byte kType{0xF0};
    constexpr std::byte kFileModify{0xB0};
    constexpr std::byte kFileCheckpoint{0xF0};
    const std::byte type = mtr.records.front() & kType;
    return type == kFileModify || type == kFileCheckpoint;
}

/// Pass A: from the checkpoint's end_lsn to FILE_CHECKPOINT(checkpoint), with only FILE_MODIFY
/// lists between. Returns the LSN after it.
Result<Lsn> find_file_checkpoint(const redo::LogFile& log, const redo::Checkpoint& checkpoint) {
    const bool encrypted = log.header().encryption != redo::LogEncryption::None;
    redo::LogReader reader = log.reader();
    reader.seek(checkpoint.end_lsn);
    for (;;) {
        const Lsn lsn = reader.position();
        ASSIGN_OR_RETURN(const auto mtr, reader.next());
        if (!mtr || !begins_with_names(*mtr)) {
            return log_error(
                make_error(ErrorCode::Corruption,
                           "no FILE_CHECKPOINT({}) where the checkpoint block says it begins ({})",
                           checkpoint.lsn.value, checkpoint.end_lsn.value)
                    .with_hint("the redo log is cut short, damaged, or not the one of this data "
                               "directory; restore it, or restore the last backup"),
                log, lsn);
        }
        redo::RecordReader records(mtr->records);
        for (Record record;;) {
            const auto found = records.next(record);
            if (!found) {
                return encrypted ? wrong_log_key(log, lsn) : log_error(found.error(), log, lsn);
            }
            if (!*found) {
                break;
            }
            if (record.type == RecordType::FileCheckpoint && record.checkpoint == checkpoint.lsn) {
                return mtr->end;
            }
        }
    }
}

/// Takes pieces, in log order, into the index and, if `scan` is given, into its facts.
class Indexer {
public:
    Indexer(RedoIndex& index, LogScan* scan) : index_(index), scan_(scan) {}

    void take(Piece& piece) {
        constexpr std::size_t kAhead = 16;  // events; so far the table is asked ahead
        const std::vector<Piece::PageEvent>& events = piece.page_events;
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (i + kAhead < events.size()) {
                index_.will_add(events[i + kAhead].page);
                index_.will_add_next(events[i + kAhead / 2].page);
            }
            const Piece::PageEvent& event = events[i];
            if (event.trims) {
                index_.truncate(event.page.space);
            } else {
                index_.add(event.page, event.start, event.effect);
            }
        }
        if (scan_ != nullptr) {
            take_facts(piece);
        }
    }

private:
    void take_facts(Piece& piece) {
        scan_->mtr_count += piece.mtr_count;
        for (std::size_t kind = 0; kind < piece.record_counts.size(); ++kind) {
            scan_->record_counts[kind] += piece.record_counts[kind];
        }
        for (auto& [space, event] : piece.file_events) {
            scan_->file_events[space].push_back(std::move(event));
        }
        for (const Piece::PageEvent& event : piece.page_events) {
            const auto& [space, page] = event.page;
            if (event.trims) {
                scan_->first_pages.truncate(space);
                scan_->trims[space] = event.start;
                continue;
            }
            if (page == PageNo{0}) {
                scan_->first_pages.add(event.page, event.start, event.effect);
            }
            if (space != last_space_) {
                last_space_ = space;
                scan_->touched_spaces.try_emplace(space, event.start);
            }
        }
    }

    RedoIndex& index_;
    LogScan* scan_;
    SpaceId last_space_ = kReservedSpaces;
};

}  // namespace

std::uint64_t LogScan::record_count() const {
    return std::accumulate(record_counts.begin(), record_counts.end(), std::uint64_t{0});
}

Result<LogScan> scan_log(const redo::LogFile& log, RedoIndex& index, const ScanOptions& options) {
    LogScan scan;
    ASSIGN_OR_RETURN(scan.checkpoint, log.checkpoint());
    ASSIGN_OR_RETURN(scan.file_checkpoint, find_file_checkpoint(log, scan.checkpoint));
    if (options.progress != nullptr) {
        const std::uint64_t from = scan.checkpoint.lsn.value;
        options.progress->begin("scan redo", std::max(from, options.expected_end.value) - from,
                                "bytes");
    }
    index.begin(0);
    scan.first_pages.begin(0);
    Indexer indexer(index, &scan);
    constexpr Lsn kNowhere{~std::uint64_t{0}};
    const LogRange range{.from = scan.checkpoint.lsn, .until = kNowhere, .check = true};
    ASSIGN_OR_RETURN(const WalkEnd end,
                     walk_log(
                         log, range, [&](Piece& piece) { indexer.take(piece); }, options));
    scan.end = end.lsn;
    scan.end_reason = end.reason;
    if (scan.end < scan.file_checkpoint) {
        return log_error(
            make_error(ErrorCode::Corruption,
                       "the redo log ends ({}) before lsn {}, which its checkpoint needs",
                       redo::name_of(scan.end_reason), scan.file_checkpoint.value)
                .with_hint(
                    "the log is cut short or damaged; restore it, or restore the last backup"),
            log, scan.end);
    }
    scan.clean = scan.checkpoint.lsn == scan.checkpoint.end_lsn && scan.end == scan.file_checkpoint;
    index.finish();
    scan.first_pages.finish();
    if (options.progress != nullptr) {
        options.progress->end();
    }
    return scan;
}

unsigned scan_threads(unsigned threads, std::size_t index_memory) {
    constexpr std::size_t kMemoryPerThread = std::size_t{4} << 20;
    return static_cast<unsigned>(
        std::min<std::size_t>(threads, std::max<std::size_t>(2, index_memory / kMemoryPerThread)));
}

Status index_again(const redo::LogFile& log, const LogScan& scan, std::uint64_t lower,
                   RedoIndex& index, const ScanOptions& options) {
    index.begin(lower);
    Indexer indexer(index, nullptr);
    const LogRange range{.from = scan.checkpoint.lsn, .until = scan.end, .check = false};
    ASSIGN_OR_RETURN(const WalkEnd end,
                     walk_log(
                         log, range, [&](Piece& piece) { indexer.take(piece); }, options));
    if (end.lsn != scan.end) {
        return log_error(make_error(ErrorCode::Corruption,
                                    "the redo log changed while it was read: it ended at {} before",
                                    scan.end.value),
                         log, end.lsn);
    }
    index.finish();
    return {};
}

namespace {

/// Where the log's oldest mini-transactions begin. Behind the log's end may lie bytes that the
/// server had begun to write; a quarter of the lap further on there is none of these.
Result<std::optional<Lsn>> begin_of_history(const redo::LogFile& log, const LogScan& scan) {
    constexpr std::uint64_t kSearchMax = std::uint64_t{64} << 10;  // bytes: a search takes long
    const std::uint64_t lap = log.capacity();
    const Lsn first = log.header().first_lsn;
    if (scan.end.value < first.value + lap) {
        return first;  // the first lap
    }
    redo::LogReader reader = log.reader();
    for (const std::uint64_t skipped : {std::uint64_t{4096}, lap / 4, lap / 2}) {
        const Lsn from{scan.end.value - lap + skipped};
        if (from >= scan.checkpoint.lsn) {
            break;
        }
        const Lsn until = std::min(scan.checkpoint.lsn, Lsn{from.value + kSearchMax});
        reader.seek(from);
        ASSIGN_OR_RETURN(const bool found, reader.find_boundary(until));
        if (found) {
            return reader.position();
        }
    }
    return std::nullopt;
}

}  // namespace

Result<Lsn> index_history(const redo::LogFile& log, const LogScan& scan, RedoIndex& index,
                          const ScanOptions& options) {
    index.begin(0);
    ASSIGN_OR_RETURN(const auto from, begin_of_history(log, scan));
    if (from && *from < scan.checkpoint.lsn) {
        if (options.progress != nullptr) {
            options.progress->begin("scan older redo", scan.checkpoint.lsn.value - from->value,
                                    "bytes");
        }
        Indexer indexer(index, nullptr);
        const LogRange range{.from = *from, .until = scan.checkpoint.lsn, .check = true};
        const auto end = walk_log(
            log, range, [&](Piece& piece) { indexer.take(piece); }, options);
        if (options.progress != nullptr) {
            options.progress->end();
        }
        if (!end && end.error().code() != ErrorCode::Corruption &&
            end.error().code() != ErrorCode::Key) {
            return end.error();
        }
        if (end && end->lsn == scan.checkpoint.lsn) {
            index.finish();
            return *from;
        }
        index.begin(0);
    }
    index.finish();
    return scan.checkpoint.lsn;
}

}  // namespace redoubt::recovery
