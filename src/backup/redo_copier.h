/// Follows the redo log of a running server and writes what it reads into the backup's own log,
/// while other threads copy the data files.
///   L1  Whole mini-transactions only, each with a right checksum, in LSN order without a gap.
///   L2  Redo that the server may have overwritten before it was read ends the backup (RedoLost);
///       it is never taken for the end of the log, nor newer bytes for what was there.
///   L3  Where it can read on, it does so at once when somebody waits for it; its pauses are for
///       redo that nobody waits for yet.
///   L4  Nothing behind what the server says is durable is read. There may be bytes that look like
///       more of the log, checksums and sequence bits included: what was in the server's buffer.
/// Format of the copy: docs/formats/backup.md#logs-of-backups.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backup/target.h"
#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "crypt/keys.h"
#include "io/file.h"
#include "recovery/log_scan.h"

namespace redoubt::backup {

/// FILE_ records by space, in log order.
using FileEvents = std::map<SpaceId, std::vector<recovery::FileEvent>>;

struct RedoCopierOptions {
    std::string log_path;                  ///< of the server's ib_logfile0, in its directory
    std::string copy_name;                 ///< in the target
    const crypt::KeyRing* keys = nullptr;  ///< for an encrypted log; null = none
    const base::CancelToken* cancel = nullptr;
    /// Asks the server for the LSN up to which its log is durable; called in start(), then on the
    /// copier's thread every few dozen milliseconds. Empty: there is no server (a cold copy).
    /// Errors end the backup.
    std::function<Result<Lsn>()> durable_lsn;
};

/// How the copier stands.
struct RedoStanding {
    Lsn begin;                   ///< checkpoint the copy begins with
    Lsn copied;                  ///< all before it is in the copy
    Lsn server;                  ///< last known end of the server's log
    std::uint64_t headroom = 0;  ///< bytes the server can write before it overwrites what is not
                                 ///< copied yet
    std::uint64_t capacity = 0;  ///< bytes the server's log holds
};

class RedoCopier {
public:
    /// Copies from the newest checkpoint to the log's end on the caller's thread, then goes on in
    /// one of its own. `datadir` and `target` outlive the result. Errors: as redo::LogFile::open;
    /// RedoLost, Io, NoSpace.
    static Result<std::unique_ptr<RedoCopier>> start(io::Directory& datadir, Target& target,
                                                     RedoCopierOptions options);
    ~RedoCopier();  ///< stops; without close() the copy is deleted

    RedoStanding standing() const;
    /// Waits until everything before `lsn`, which the server has written, is copied. Errors: the
    /// copier's; Cancelled.
    Status wait_for(Lsn lsn);
    /// Of the redo copied so far.
    FileEvents file_events() const;
    /// Error the copier has stopped with, if it has.
    Status check() const;

    struct End {
        Lsn last;                        ///< end of the copied log
        Lsn checkpoint;                  ///< newest of the server by then
        std::uint64_t bytes = 0;         ///< of redo
        std::uint64_t headroom_min = 0;  ///< least there was
    };
    /// wait_for(lsn), then stops. Quick: commits are blocked meanwhile.
    Result<End> stop(Lsn lsn);
    /// After stop(): the copy is given its size and listed.
    Status close();

private:
    struct State;
    explicit RedoCopier(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::backup
