#include "recovery/log_walk.h"

#include <algorithm>

#include "base/parallel.h"
#include "redo/framing.h"

namespace redoubt::recovery {
namespace {

using redo::ExtendedType;
using redo::Record;
using redo::RecordType;

/// Fills pieces. One per thread.
class PieceReader {
public:
    PieceReader(const redo::LogFile& log, const LogRange& range)
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
                return log_error(
                    std::move(status.error())
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
    const LogRange& range_;
    redo::LogReader reader_;
};

}  // namespace

Error log_error(Error error, const redo::LogFile& log, Lsn lsn) {
    return std::move(error).with_file(log.path()).with_lsn(lsn);
}

Error wrong_log_key(const redo::LogFile& log, Lsn lsn) {
    return log_error(
        make_error(ErrorCode::Key,
                   "the encrypted redo log's records make no sense with the given key")
            .with_hint(
                "check --key-file and --key-algorithm (cbc or ctr): they must be the server's"),
        log, lsn);
}

/// Pass B: every mini-transaction of a range. It goes by rounds: while the pieces of one are read,
/// those of the one before are taken in. Where in a round's later pieces a mini-transaction begins
/// is found by looking for one with a right checksum, so nothing of a piece counts until the piece
/// before has come to the same place. One thread guesses nothing and reads piece after piece.
///   W1  What is taken in is what one thread finds that reads from `from` to the end.
Result<WalkEnd> walk_log(const redo::LogFile& log, const LogRange& range,
                         const std::function<void(Piece&)>& take, const ScanOptions& options) {
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
        RETURN_IF_ERROR(base::check_cancelled(options.cancel));
        const auto begin_of = [&](std::size_t piece) {
            const std::uint64_t lsns_left = ~std::uint64_t{0} - end.lsn.value;
            return Lsn{end.lsn.value + std::min(lsns_left, piece * kPieceBytes)};
        };
        RETURN_IF_ERROR(base::parallel_for(
            done ? 1 : 1 + round_count, threads, [&](std::size_t item, unsigned thread) -> Status {
                if (item == 0) {
                    for (std::size_t i = 0; i < taking_count; ++i) {
                        take(taking[i]);
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

}  // namespace redoubt::recovery
