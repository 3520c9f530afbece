/// Which file of a backup goes where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backup/restore.h"
#include "io/file.h"

namespace redoubt::backup {

struct RestoreFile {
    std::string from;        ///< in the backup
    std::string to;          ///< in the target, or absolute
    std::uint64_t size = 0;  ///< bytes
    bool sparse = false;     ///< has holes, which the copy keeps
};

struct RestorePlan {
    std::vector<RestoreFile> files;  ///< all but the redo log; the system tablespace first
    RestoreFile log;
    std::vector<std::string> directories;  ///< to be made in the target, parents first
    std::vector<std::string> notes;
};

/// `backup`: prepared. Errors: Usage (the server's data files are named otherwise), Io.
Result<RestorePlan> make_restore_plan(io::Directory& backup, const RestoreOptions& options);

std::string plan_to_text(const RestorePlan& plan, std::string_view backup_path, Lsn last_lsn,
                         bool move);
/// What an interrupted restore was doing.
struct UnfinishedRestore {
    std::string backup_path;
    Lsn last_lsn;
    bool move = false;
    RestorePlan plan;
};
/// Errors: Corruption.
Result<UnfinishedRestore> parse_unfinished(std::string_view text);

}  // namespace redoubt::backup
