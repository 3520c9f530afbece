/// Cold backup: of a data directory that no server runs on, stopped or crashed.
#pragma once

#include <string>

#include "backup/backup.h"
#include "io/file.h"

namespace redoubt::backup {

/// As back_up(), which it is part of.
Result<BackupReport> take_cold_backup(io::Directory& root, const std::string& target,
                                      const BackupOptions& options);

}  // namespace redoubt::backup
