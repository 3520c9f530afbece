#include "backup/backup.h"

#include <chrono>

#include "backup/cold_backup.h"
#include "backup/hot_backup.h"

namespace redoubt::backup {

Result<BackupReport> back_up(io::Directory& root, const std::string& target,
                             const BackupOptions& options) {
    const auto begin = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(BackupReport report, options.datadir_copy.empty()
                                              ? take_hot_backup(root, target, options)
                                              : take_cold_backup(root, target, options));
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
}

}  // namespace redoubt::backup
