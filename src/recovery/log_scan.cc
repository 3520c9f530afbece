#include "recovery/log_scan.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/parallel.h"
#include "redo/framing.h"

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

/// A stretch of the log as one thread reads it, before it is known that the log comes this far:
/// that is so if the stretch before it ends where this one begins.
struct Piece {
    struct PageEvent {
        PageId page;
        Lsn start;
        PageEffect effect;
        bool trims;  ///< the tablespace is truncated (`page` is its new end)
    };

    std::optional<Lsn> begin;  ///< none: no mini-transaction was found to begin with
    Lsn end;
    std::optional<redo::LogEnd> log_end;  ///< the log ends at `end`
    Status status;                        ///< what is wrong at `end`
    std::uint64_t mtr_count = 0;
    std::array<std::uint64_t, redo::kRecordKindCount> record_counts{};
    std::vector<PageEvent> page_events;
    std::vector<std::pair<SpaceId, FileEvent>> file_events;

    void clear() {
        begin.reset();
        log_end.reset();
        status = {};
        mtr_count = 0;
        record_counts.fill(0);
        page_events.clear();
        file_events.clear();
    }
};

/// Which part of the log is read, and how.
struct Range {
    Lsn from;
    Lsn until;   ///< where to stop, if the log does not end before
    bool check;  ///< checksums
};

/// Fills pieces. One per thread.
class PieceReader {
public:
    PieceReader(const redo::LogFile& log, const Range& range)
        : log_(log), range_(range), reader_(log.reader()) {}

    /// Reads on from `from`, a mini-transaction's begin if `exact`, to the first one's end at or
    /// after `until`, or as far as `piece` may grow.
    void read(Lsn from, bool exact, Lsn until, Piece& piece) {
        piece.clear();
        piece.status = try_read(from, exact, until, piece);
    }

private:
    Status try_read(Lsn from, bool exact, Lsn until, Piece& piece) {
        constexpr std::size_t kEventsMax = 100'000;
        constexpr std::uint64_t kSearchMax = std::uint64_t{64} << 10;  // bytes
        reader_.seek(from, limit());
        if (!exact) {
            ASSIGN_OR_RETURN(const bool found,
                             reader_.find_boundary(std::min(until, Lsn{from.value + kSearchMax})));
            if (!found) {
                return {};
            }
        }
        piece.begin = piece.end = reader_.position();
        while (piece.end < until && piece.page_events.size() < kEventsMax) {
            if (take_usual(range_.check, piece)) {
                piece.end = reader_.position();
                ++piece.mtr_count;
                continue;
            }
            ASSIGN_OR_RETURN(const auto mtr, reader_.next(range_.check));
            if (!mtr) {
                piece.log_end = reader_.end_reason();
                return {};
            }
            if (auto status = take(*mtr, piece); !status) {
                // Its checksum was right. (Short messages read the same in both cipher modes, so a
                // wrong mode shows only here.)
                if (log_.header().encryption != redo::LogEncryption::None) {
                    return wrong_log_key(log_, mtr->start);
                }
                return at(std::move(status.error())
                              .with_hint("the redo log is damaged; restore it, or restore the last "
                                         "backup"),
                          log_, mtr->start);
            }
            piece.end = reader_.position();
            ++piece.mtr_count;
        }
        return {};
    }

    /// The log holds no more than one lap from where recovery begins.
    Lsn limit() const {
        const std::uint64_t lap = ~std::uint64_t{0} - range_.from.value;
        return Lsn{range_.from.value + std::min(lap, log_.capacity())};
    }

    /// The same as next() and take() in one pass, for nearly all mini-transactions. False, and
    /// nothing is changed: this one is not plain, or not whole in the buffer, or not right, or has
    /// records of the rare kinds.
    [[gnu::flatten]] bool take_usual(bool check, Piece& piece) {
        const std::span<const std::byte> bytes = reader_.plain_bytes();
        const std::size_t events_before = piece.page_events.size();
        std::size_t end = 0;
        const bool usual = walk_usual<1>(bytes, redo::kMtrSizeMax, end, piece);
        if (usual && end > 0 && reader_.pass(end, check)) {
            return true;
        }
        piece.page_events.resize(events_before);
        std::size_t undone = 0;
        walk_usual<-1>(bytes, end, undone, piece);
        piece.page_events.resize(events_before);
        return false;
    }

    /// Takes the page records at the begin of `bytes` and counts them `Step` at a time. True: it
    /// has come to the byte that ends a mini-transaction; false: to `stop`, or to a record that is
    /// not of the usual kinds. `at` becomes the size of what was taken.
    template <int Step>
    bool walk_usual(std::span<const std::byte> bytes, std::size_t stop, std::size_t& at,
                    Piece& piece) const {
        constexpr std::size_t kHeadSizeMax = 16;  // type, length, page id
        constexpr auto kExtended = static_cast<unsigned>(RecordType::Extended);
        constexpr auto kReserved = static_cast<unsigned>(RecordType::Reserved);
        constexpr auto kTrimPages = static_cast<unsigned>(ExtendedType::TrimPages);
        constexpr std::size_t kAfterExtended = 10;  // kinds of record_kind(), beyond the types
        const Lsn start = reader_.position();
        const std::size_t events_before = piece.page_events.size();
        bool named = false;
        for (at = 0; at < stop;) {
            const std::span<const std::byte> rest = bytes.subspan(at);
            if (rest.size() < kHeadSizeMax) {
                return false;
            }
            const auto first = std::to_integer<unsigned>(rest[0]);
            if (first <= 1) {
                return true;
            }
            const redo::RecordFrame frame = redo::read_frame(rest);
            const unsigned type = (first >> 4) & 7;
            if (type >= kReserved || frame.length > rest.size()) {
                return false;
            }
            std::size_t body = frame.prefix;
            if ((first & 0x80) == 0) {
                const redo::Varint space = redo::read_varint(rest.subspan(body));
                const redo::Varint page = redo::read_varint(rest.subspan(body + space.length));
                body += space.length + page.length;
                if (space.length == 0 || page.length == 0 || body > frame.length) {
                    return false;
                }
                PageEffect effect = PageEffect::Change;
                if (type < kExtended) {
                    effect = type == static_cast<unsigned>(RecordType::InitPage)
                                 ? PageEffect::Initialise
                                 : PageEffect::Free;
                    if (body != frame.length) {
                        return false;
                    }
                }
                named = true;
                const PageId id{SpaceId{space.value}, PageNo{page.value}};
                if (effect != PageEffect::Change || piece.page_events.size() == events_before ||
                    piece.page_events.back().page != id) {
                    piece.page_events.push_back({id, start, effect, false});
                }
            } else if (!named || type < kExtended) {
                return false;
            }
            std::size_t kind = type;
            if (type == kExtended) {
                const auto subtype =
                    body < frame.length ? std::to_integer<unsigned>(rest[body]) : kTrimPages;
                if (subtype >= kTrimPages) {
                    return false;
                }
                kind += subtype;
            } else if (type > kExtended) {
                kind += kAfterExtended;
            }
            piece.record_counts[kind] += static_cast<std::uint64_t>(std::int64_t{Step});
            at += frame.length;
        }
        return false;
    }

    static Status take(const redo::Mtr& mtr, Piece& piece) {
        redo::RecordReader records(mtr.records);
        for (Record record;;) {
            ASSIGN_OR_RETURN(const bool found, records.next(record));
            if (!found) {
                return {};
            }
            ++piece.record_counts[redo::record_kind(record)];
            if (record.is_file_record()) {
                if (record.type != RecordType::FileCheckpoint &&
                    record.type != RecordType::Padding) {
                    piece.file_events.push_back({record.page.space,
                                                 {record.type, mtr.start, std::string(record.name),
                                                  std::string(record.new_name)}});
                }
                continue;
            }
            if (record.type == RecordType::Option) {
                continue;
            }
            if (record.trims_pages()) {
                piece.page_events.push_back({record.page, mtr.start, PageEffect::Change, true});
                continue;
            }
            PageEffect effect = PageEffect::Change;
            if (record.type == RecordType::InitPage) {
                effect = PageEffect::Initialise;
            } else if (record.type == RecordType::FreePage) {
                effect = PageEffect::Free;
            }
            if (!record.same_page || effect != PageEffect::Change) {
                piece.page_events.push_back({record.page, mtr.start, effect, false});
            }  // else the record before named the page
        }
    }

    const redo::LogFile& log_;
    const Range& range_;
    redo::LogReader reader_;
};

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

struct WalkEnd {
    Lsn lsn;
    redo::LogEnd reason = redo::LogEnd::EmptyByte;  ///< unless the range ended first
};

/// Pass B: every mini-transaction of a range. It goes by rounds: while the pieces of one are read,
/// those of the one before are taken in. Where in a round's later pieces a mini-transaction begins
/// is found by looking for one with a right checksum, so nothing of a piece counts until the piece
/// before has come to the same place. One thread guesses nothing and reads piece after piece.
///   W1  What is taken in is what one thread finds that reads from `from` to the end.
Result<WalkEnd> walk(const redo::LogFile& log, const Range& range, Indexer& indexer,
                     const ScanOptions& options) {
    constexpr std::uint64_t kPieceBytes = std::uint64_t{512} << 10;
    constexpr unsigned kThreadsMax = 8;  // each takes memory beside the cap: a few MiB
    const unsigned threads = std::clamp(options.threads, 1U, kThreadsMax);
    const std::size_t piece_count = threads == 1 ? 1 : std::size_t{8} * threads;
    std::vector<PieceReader> readers;
    for (unsigned i = 0; i < threads; ++i) {
        readers.emplace_back(log, range);
    }
    // The first round has one piece: behind a short log lie the bytes of the lap before, where
    // to look for a beginning takes long.
    std::size_t round_count = 1;
    std::vector<Piece> reading(piece_count);
    std::vector<Piece> taking(piece_count);
    std::size_t taking_count = 0;
    WalkEnd end{.lsn = range.from};
    for (bool done = false; !done || taking_count > 0;) {
        if (options.cancel != nullptr) {
            RETURN_IF_ERROR(options.cancel->check());
        }
        const auto begin_of = [&](std::size_t piece) {
            const std::uint64_t lsns_left = ~std::uint64_t{0} - end.lsn.value;
            return Lsn{end.lsn.value + std::min(lsns_left, piece * kPieceBytes)};
        };
        RETURN_IF_ERROR(base::parallel_for(
            done ? 1 : 1 + round_count, threads, [&](std::size_t item, unsigned thread) -> Status {
                if (item == 0) {
                    for (std::size_t i = 0; i < taking_count; ++i) {
                        indexer.take(taking[i]);
                    }
                } else {
                    readers[thread].read(begin_of(item - 1), item == 1,
                                         std::min(begin_of(item), range.until), reading[item - 1]);
                }
                return {};
            }));
        taking_count = 0;
        const Lsn round_begin = end.lsn;
        while (!done && taking_count < round_count) {
            Piece& piece = reading[taking_count];
            if (piece.begin != end.lsn) {
                break;  // a wrong guess: the next round begins here
            }
            RETURN_IF_ERROR(piece.status);
            end.lsn = piece.end;
            if (piece.log_end) {
                end.reason = *piece.log_end;
            }
            done = piece.log_end || end.lsn >= range.until;
            ++taking_count;
        }
        round_count = piece_count;
        std::swap(reading, taking);
        if (options.progress != nullptr) {
            options.progress->advance(end.lsn.value - round_begin.value);
        }
    }
    return end;
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
        const std::uint64_t from = scan.checkpoint.lsn.value;
        options.progress->begin("scan redo", std::max(from, options.expected_end.value) - from,
                                "bytes");
    }
    index.begin(0);
    scan.first_pages.begin(0);
    Indexer indexer(index, &scan);
    constexpr Lsn kNowhere{~std::uint64_t{0}};
    const Range range{.from = scan.checkpoint.lsn, .until = kNowhere, .check = true};
    ASSIGN_OR_RETURN(const WalkEnd end, walk(log, range, indexer, options));
    scan.end = end.lsn;
    scan.end_reason = end.reason;
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

unsigned scan_threads(unsigned threads, std::size_t index_memory) {
    constexpr std::size_t kMemoryPerThread = std::size_t{4} << 20;
    return static_cast<unsigned>(
        std::min<std::size_t>(threads, std::max<std::size_t>(2, index_memory / kMemoryPerThread)));
}

Status index_again(const redo::LogFile& log, const LogScan& scan, std::uint64_t lower,
                   RedoIndex& index, const ScanOptions& options) {
    index.begin(lower);
    Indexer indexer(index, nullptr);
    const Range range{.from = scan.checkpoint.lsn, .until = scan.end, .check = false};
    ASSIGN_OR_RETURN(const WalkEnd end, walk(log, range, indexer, options));
    if (end.lsn != scan.end) {
        return at(make_error(ErrorCode::Corruption,
                             "the redo log changed while it was read: it ended at {} before",
                             scan.end.value),
                  log, end.lsn);
    }
    index.finish();
    return {};
}

}  // namespace redoubt::recovery
