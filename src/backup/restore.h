/// Puts a prepared backup in place as a server's data directory, by copying or moving its files.
///   T1  Nothing is written before the backup is verified, the target found empty and its disk big
///   enough.
///   T2  The redo log comes last, when all else is durable: without it no server starts on the
///   directory, and no command takes it for one.
///   T3  What is to be done is durable in the target ("redoubt.restore") before the first file
///   comes, so that an interrupted restore is taken up by the next run of the same command, and by
///   nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backup/prepare.h"
#include "verify/verify.h"

namespace redoubt::backup {

/// The layout is the target server's; where it is not given, all goes into the data directory.
struct RestoreOptions : space::DirectoryOptions {
    bool move = false;                ///< the backup's files are moved, and it is a backup no more
    bool continue_on_damage = false;  ///< restore also what did not pass
};

struct RestoreReport {
    std::optional<PrepareReport> prepared;         ///< the backup was not, and is now
    std::optional<verify::VerifyReport> verified;  ///< absent when an interrupted move went on
    bool resumed = false;                          ///< an interrupted restore was taken up
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;  ///< of the files, holes included
    std::vector<std::string> notes;
    double seconds = 0;

    bool damaged() const;
};

/// `backup`, `target`: paths in `root`; the target need not exist. Errors: as prepare; Corruption
/// (damage found, nothing was written), Refused (target not empty), NoSpace, Usage (the server's
/// data files are named otherwise), Io, Cancelled (run again).
Result<RestoreReport> restore(io::Directory& root, const std::string& backup,
                              const std::string& target, const RestoreOptions& options);

}  // namespace redoubt::backup
