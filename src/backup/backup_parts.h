/// What hot and cold backups have in common.
#pragma once

#include <string>
#include <string_view>

#include "backup/backup.h"
#include "backup/binlog_position.h"
#include "backup/target.h"
#include "io/file.h"

namespace redoubt::backup {

/// A random (version 4) UUID.
std::string make_uuid();
/// Now, as "2026-01-31T12:34:56Z".
std::string utc_time();
/// Now, as "2026-01-31 12:34:56" in the process's time zone.
std::string local_time();

struct LogProof {
    Lsn end;                               ///< where the copied log ends
    std::optional<BinlogPosition> binlog;  ///< of InnoDB's last transaction, its redo applied
};
/// Reads the copied log, still called kUnfinishedLog, as prepare will: every mini-transaction, each
/// tablespace it names found.
/// Errors: those of recovery::analyse, which say that the copy is not good.
Result<LogProof> prove_log(io::Directory& copy, const space::DirectoryOptions& options);

/// Everything is copied and listed in `target`: makes it durable, then a backup (B1). Fills in
/// `report.manifest.files`, `files` and `bytes`.
Status finish_backup(Target& target, const ServerLayout& layout,
                     const BackupDescription& description, BackupReport& report);

inline constexpr const char* kLogName = "ib_logfile0";

}  // namespace redoubt::backup
