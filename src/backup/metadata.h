/// What a backup says of itself: mariadb-backup's metadata files (and, from hot backup on, our
/// manifest beside them). Format: docs/formats/backup.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "io/file.h"

namespace redoubt::backup {

enum class BackupState : std::uint8_t {
    Copied,    ///< full, its redo not applied yet ("full-backuped")
    Prepared,  ///< a server can start on it ("log-applied")
    Increment  ///< pages changed since its base ("incremental")
};
std::string_view name_of(BackupState state);

/// xtrabackup_checkpoints.
struct Checkpoints {
    BackupState state = BackupState::Copied;
    Lsn from;  ///< base of an increment; 0 for a full backup
    Lsn to;    ///< newest checkpoint when the backup ended: base of the next increment
    Lsn last;  ///< end of the copied log; what prepare must reach
    bool recover_binlog_info = false;
};
/// Errors: Incomplete, saying what is wrong with the text.
Result<Checkpoints> parse_checkpoints(std::string_view text);
std::string format_checkpoints(const Checkpoints& checkpoints);

/// What we need of xtrabackup_info.
struct BackupInfo {
    std::string tool_version;
    std::string server_version;
    std::string end_time;
    std::optional<Lsn> to;
    bool partial = false;
    bool incremental = false;
    bool compressed = false;
};
BackupInfo parse_info(std::string_view text);

struct Metadata {
    Checkpoints checkpoints;
    std::optional<BackupInfo> info;

    bool partial() const { return info && info->partial; }
};

inline constexpr const char* kCheckpointsFile = "xtrabackup_checkpoints";
/// The checkpoints file once the backup's files were moved into place.
inline constexpr const char* kMovedCheckpointsFile = "xtrabackup_checkpoints.moved";
inline constexpr const char* kInfoFile = "xtrabackup_info";
inline constexpr const char* kOptionsFile = "backup-my.cnf";
inline constexpr const char* kBinlogPositionFile = "xtrabackup_binlog_pos_innodb";

/// Whether a directory calls itself a backup at all. (xtrabackup_info and others go along into a
/// restored data directory.)
bool is_backup(io::Directory& directory);
/// Reads the files and holds them against each other. Errors: Incomplete (a backup that was killed,
/// or metadata that contradict each other), Unsupported (compressed files in it), Io.
Result<Metadata> read_metadata(io::Directory& directory);
/// Durable, whole or not at all.
Status write_checkpoints(io::Directory& directory, const Checkpoints& checkpoints);

}  // namespace redoubt::backup
