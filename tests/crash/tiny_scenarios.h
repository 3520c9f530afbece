/// Directories and backups small enough to crash ten thousand times.
#pragma once

#include "crash/harness.h"

namespace redoubt::crash {

/// Recovery of a directory: pages changed, made anew, beyond the old end of a file; a file to be
/// created, one to be renamed; several batches.
/// `open_files_max`: of tablespaces; 0 = as many as there are.
Scenario recover_scenario(std::size_t open_files_max = 0);
/// Preparing a backup of the same, with marker files of each kind.
Scenario prepare_scenario();
enum class Transfer : std::uint8_t {
    Copy,
    Move,
    MoveAcross  ///< the backup is on another file system than the target
};
/// Restoring it, prepared.
Scenario restore_scenario(Transfer transfer);

}  // namespace redoubt::crash
