#include "recovery/log_scan.h"

#include <algorithm>
#include <numeric>

namespace redoubt::recovery {
namespace {

using redo::ExtendedType;
using redo::Record;
using redo::RecordType;

Error at(Error error, const redo::LogFile& log, Lsn lsn) {
    return std::move(error).with_file(log.path()).with_lsn(lsn);
}

/// The first records that are decrypted make no sense.
Error wrong_log_key(const redo::LogFile& log, Lsn lsn) {
    return at(
        make_error(ErrorCode::Key,
                   "the encrypted redo log's records make no sense with the given key")
            .with_hint(
                "check --key-file and --key-algorithm (cbc or ctr): they must be the server's"),
        log, lsn);
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
        bool only_names = mtr.has_value();
        if (mtr) {
            redo::RecordReader records(mtr->records);
            for (bool first = true;; first = false) {
                auto decoded = records.next();
                if (!decoded) {
                    return encrypted ? wrong_log_key(log, lsn)
                                     : at(std::move(decoded.error()), log, lsn);
                }
                const std::optional<Record>& record = *decoded;
                if (!record) {
                    break;
                }
                if (record->type == RecordType::FileCheckpoint &&
                    record->checkpoint == checkpoint.lsn) {
                    return mtr->end;
                }
                if (first && record->type != RecordType::FileModify &&
                    record->type != RecordType::FileCheckpoint) {
                    only_names = false;
                }
            }
        }
        if (!only_names) {
            if (encrypted && mtr) {
                return wrong_log_key(log, lsn);
            }
            return at(
                make_error(ErrorCode::Corruption,
                           "no FILE_CHECKPOINT({}) where the checkpoint block says it begins ({})",
                           checkpoint.lsn.value, checkpoint.end_lsn.value)
                    .with_hint("the redo log is cut short, damaged, or not the one of this data "
                               "directory; restore it, or restore the last backup"),
                log, lsn);
        }
    }
}

/// Takes the records of one mini-transaction into the index and, if `scan` is given, its facts.
class MtrIndexer {
public:
    MtrIndexer(RedoIndex& index, LogScan* scan) : index_(index), scan_(scan) {}

    Status take(const redo::Mtr& mtr) {
        redo::RecordReader records(mtr.records);
        for (Record record;;) {
            ASSIGN_OR_RETURN(const bool found, records.next(record));
            if (!found) {
                return {};
            }
            if (scan_ != nullptr) {
                ++scan_->record_counts[redo::record_kind(record)];
            }
            if (record.is_file_record()) {
                if (scan_ != nullptr) {
                    take_file_record(record, mtr.start);
                }
                continue;
            }
            if (record.type == RecordType::Option) {
                continue;
            }
            if (record.type == RecordType::Extended && !record.body.empty() &&
                record.body[0] == static_cast<std::byte>(ExtendedType::TrimPages)) {
                index_.truncate(record.page.space);
                if (scan_ != nullptr) {
                    scan_->first_pages.truncate(record.page.space);
                    scan_->trims[record.page.space] = mtr.start;
                }
                continue;
            }
            PageEffect effect = PageEffect::Change;
            if (record.type == RecordType::InitPage) {
                effect = PageEffect::Initialise;
            } else if (record.type == RecordType::FreePage) {
                effect = PageEffect::Free;
            }
            if (record.same_page && effect == PageEffect::Change) {
                continue;  // the record before named the page
            }
            add(record.page, mtr.start, effect);
        }
    }

private:
    void add(PageId id, Lsn start, PageEffect effect) {
        index_.add(id, start, effect);
        if (scan_ == nullptr) {
            return;
        }
        if (id.page == PageNo{0}) {
            scan_->first_pages.add(id, start, effect);
        }
        if (id.space != last_space_) {
            last_space_ = id.space;
            scan_->touched_spaces.try_emplace(last_space_, start);
        }
    }

    void take_file_record(const Record& record, Lsn lsn) {
        if (record.type == RecordType::FileCheckpoint || record.type == RecordType::Padding) {
            return;
        }
        scan_->file_events[record.page.space].push_back(
            {record.type, lsn, std::string(record.name), std::string(record.new_name)});
    }

    RedoIndex& index_;
    LogScan* scan_;
    SpaceId last_space_ = kReservedSpaces;
};

/// Pass B: every mini-transaction from the checkpoint on.
Result<Lsn> walk(const redo::LogFile& log, Lsn from, std::optional<Lsn> until, bool check,
                 MtrIndexer& indexer, const ScanOptions& options, std::uint64_t* mtr_count,
                 redo::LogEnd* end_reason) {
    constexpr std::uint64_t kReportBytes = std::uint64_t{8} << 20;
    redo::LogReader reader = log.reader();
    reader.seek(from);
    Lsn reported = from;
    for (;;) {
        const Lsn lsn = reader.position();
        if (until && lsn >= *until) {
            return lsn;
        }
        if (lsn.value - reported.value >= kReportBytes) {
            if (options.progress != nullptr) {
                options.progress->advance(lsn.value - reported.value);
            }
            reported = lsn;
            if (options.cancel != nullptr) {
                RETURN_IF_ERROR(options.cancel->check());
            }
        }
        ASSIGN_OR_RETURN(const auto mtr, reader.next(check));
        if (!mtr) {
            if (end_reason != nullptr) {
                *end_reason = reader.end_reason();
            }
            return lsn;
        }
        if (auto status = indexer.take(*mtr); !status) {
            // Its checksum was right. (Short messages read the same in both cipher modes, so a
            // wrong mode shows only here.)
            if (log.header().encryption != redo::LogEncryption::None) {
                return wrong_log_key(log, mtr->start);
            }
            return at(
                std::move(status.error())
                    .with_hint("the redo log is damaged; restore it, or restore the last backup"),
                log, mtr->start);
        }
        if (mtr_count != nullptr) {
            ++*mtr_count;
        }
    }
}

}  // namespace

std::uint64_t LogScan::record_count() const {
    return std::accumulate(record_counts.begin(), record_counts.end(), std::uint64_t{0});
}

Result<LogScan> scan_log(const redo::LogFile& log, RedoIndex& index, const ScanOptions& options) {
    LogScan scan;
    ASSIGN_OR_RETURN(scan.checkpoint, log.checkpoint());
    ASSIGN_OR_RETURN(scan.file_checkpoint, find_file_checkpoint(log, scan.checkpoint));
    if (options.progress != nullptr) {
        options.progress->begin("scan redo", 0, "bytes");
    }
    index.begin(0);
    scan.first_pages.begin(0);
    MtrIndexer indexer(index, &scan);
    ASSIGN_OR_RETURN(scan.end, walk(log, scan.checkpoint.lsn, std::nullopt, true, indexer, options,
                                    &scan.mtr_count, &scan.end_reason));
    if (scan.end < scan.file_checkpoint) {
        return at(
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

Status index_again(const redo::LogFile& log, const LogScan& scan, std::uint64_t lower,
                   RedoIndex& index, const ScanOptions& options) {
    index.begin(lower);
    MtrIndexer indexer(index, nullptr);
    ASSIGN_OR_RETURN(const Lsn end, walk(log, scan.checkpoint.lsn, scan.end, false, indexer,
                                         options, nullptr, nullptr));
    if (end != scan.end) {
        return at(make_error(ErrorCode::Corruption,
                             "the redo log changed while it was read: it ended at {} before",
                             scan.end.value),
                  log, end);
    }
    index.finish();
    return {};
}

}  // namespace redoubt::recovery
