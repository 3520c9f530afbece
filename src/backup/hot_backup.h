/// Hot backup: of a running server, while it works. Stages and their locks: docs/backup.md.
#pragma once

#include <string>

#include "backup/backup.h"
#include "io/file.h"

namespace redoubt::backup {

/// As back_up(), which it is part of.
Result<BackupReport> take_hot_backup(io::Directory& root, const std::string& target,
                                     const BackupOptions& options);

}  // namespace redoubt::backup
