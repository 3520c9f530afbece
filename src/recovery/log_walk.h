/// Pass B of the log scan: the mini-transactions of a stretch of the log, read by several threads
/// and handed over in log order. Inside recovery; what asks is log_scan.h.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "recovery/log_scan.h"

namespace redoubt::recovery {

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
struct LogRange {
    Lsn from;
    Lsn until;   ///< where to stop, if the log does not end before
    bool check;  ///< checksums
};

struct WalkEnd {
    Lsn lsn;
    redo::LogEnd reason = redo::LogEnd::EmptyByte;  ///< unless the range ended first
};

/// Every mini-transaction of a range; `take` is called piece by piece, in log order, by one thread
/// at a time. What is taken is what one thread finds that reads from `from` to the end. Errors:
/// Corruption, Io, Key, Cancelled.
Result<WalkEnd> walk_log(const redo::LogFile& log, const LogRange& range,
                         const std::function<void(Piece&)>& take, const ScanOptions& options);

/// `error`, of the log, at `lsn`.
Error log_error(Error error, const redo::LogFile& log, Lsn lsn);
/// The first records that are decrypted make no sense.
Error wrong_log_key(const redo::LogFile& log, Lsn lsn);

}  // namespace redoubt::recovery
