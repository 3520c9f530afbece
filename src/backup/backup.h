/// Takes a backup: hot, of a running server, or cold, of a stopped or crashed data directory.
///   B1  Nothing in the target calls itself a backup before every file of it is durable: manifest
///   and checkpoints file come last, and the redo log has another name until then.
///   B2  The server's locks go when the call returns, however it ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backup/innodb_copier.h"
#include "backup/manifest.h"
#include "base/error.h"
#include "client/connect_options.h"
#include "io/file.h"
#include "space/directory_options.h"
#include "verify/verify.h"

namespace redoubt::backup {

/// The layout is that of the directory of a cold backup; a server tells its own.
struct BackupOptions : space::DirectoryOptions {
    client::ConnectOptions server;
    std::string datadir_copy;                        ///< cold backup of this directory
    bool continue_on_damage = false;                 ///< back up the rest, and list what is damaged
    bool replica_position = false;                   ///< note where the server stands as a replica
    std::optional<std::uint32_t> lock_wait_seconds;  ///< how long to wait for the server's locks
};

struct BackupReport {
    Manifest manifest;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;             ///< written, redo included
    std::uint64_t pages = 0;             ///< checked
    std::uint64_t pages_read_again = 0;  ///< caught while the server wrote them
    std::uint64_t tablespaces = 0;
    std::uint64_t redo_bytes = 0;
    std::uint64_t headroom_min = 0;  ///< least redo the server could have written before it would
                                     ///< have overtaken the copy, bytes
    std::uint64_t log_capacity = 0;  ///< bytes
    double ddl_blocked_ms = 0;
    double commits_blocked_ms = 0;  ///< from when the lock was asked for until it was given back
    double longest_commit_ms = 0;   ///< of any session while the backup ran (CommitWatch)
    std::vector<DamagedPage> damaged;
    std::vector<verify::Finding> findings;  ///< of a cold copy, which is verified
    std::vector<std::string> notes;
    double seconds = 0;

    bool has_damage() const;
};

/// `target`: path in `root` of a new or empty directory. Errors: Refused (target not empty; a
/// server runs on the directory to be copied), Connection, Privilege, RedoLost, Corruption (damaged
/// pages), NoSpace, Io, Key, Unsupported, Cancelled. What is left of an interrupted backup in the
/// target no command takes for one.
Result<BackupReport> back_up(io::Directory& root, const std::string& target,
                             const BackupOptions& options);

}  // namespace redoubt::backup
