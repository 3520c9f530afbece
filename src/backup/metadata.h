/// What a backup says of itself: mariadb-backup's metadata files (and, from hot backup on, our
/// manifest beside them). Format: docs/formats/backup.md.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// All of xtrabackup_info, for writing.
struct BackupDescription {
    std::string uuid;
    std::string tool_command;  ///< without secrets
    std::string server_version;
    std::string start_time;  ///< "2026-01-31 12:34:56", local
    std::string end_time;
    std::uint64_t lock_seconds = 0;
    std::string binlog_position;  ///< as text; empty = none
    Lsn from;
    Lsn to;
};
std::string format_info(const BackupDescription& description);

/// backup-my.cnf, for writing: what mariadb-backup --prepare must know of the server. No secrets.
struct ServerLayout {
    std::string checksum_algorithm = "full_crc32";
    std::string data_file_path;  ///< the server's; parts that name directories are left out
    std::uint64_t log_file_size = 0;
    std::uint32_t page_size = 0;
    std::uint32_t undo_tablespaces = 0;
    std::uint32_t compression_level = 6;
    std::string buffer_pool_filename;                ///< empty = the default
    std::vector<std::string> encryption_lines = {};  ///< "plugin_load=...", ready to be written
};
/// innodb_data_file_path of a directory that has the files side by side, as a backup has.
std::string file_names_only(std::string_view data_file_path);
std::string format_options_file(const ServerLayout& layout);

struct Metadata {
    Checkpoints checkpoints;
    std::optional<BackupInfo> info;

    bool partial() const { return info && info->partial; }
    /// The copied log must reach it.
    Lsn redo_needed() const { return std::max(checkpoints.to, checkpoints.last); }
};

inline constexpr const char* kCheckpointsFile = "xtrabackup_checkpoints";
/// The checkpoints file once the backup's files were moved into place.
inline constexpr const char* kMovedCheckpointsFile = "xtrabackup_checkpoints.moved";
inline constexpr const char* kInfoFile = "xtrabackup_info";
inline constexpr const char* kOptionsFile = "backup-my.cnf";
inline constexpr const char* kBinlogPositionFile = "xtrabackup_binlog_pos_innodb";
/// Where the server's binary log stood, as the server said.
inline constexpr const char* kBinlogInfoFile = "xtrabackup_binlog_info";
inline constexpr const char* kReplicaInfoFile = "xtrabackup_slave_info";
inline constexpr const char* kManifestFile = "redoubt-manifest.json";
/// Pages that were bad on the server.
inline constexpr const char* kCorruptedPagesFile = "innodb_corrupted_pages";
/// The redo log's name until the backup is whole.
inline constexpr const char* kUnfinishedLog = "redoubt-log.unfinished";

/// Whether a directory calls itself a backup at all, be it one that did not come to its end.
/// (xtrabackup_info and others go along into a restored data directory.)
bool is_backup(io::Directory& directory);
/// Reads the files and holds them against each other. Errors: Incomplete (a backup that was killed,
/// or metadata that contradict each other), Unsupported (compressed files in it), Io.
Result<Metadata> read_metadata(io::Directory& directory);
/// Durable, whole or not at all.
Status write_checkpoints(io::Directory& directory, const Checkpoints& checkpoints);

}  // namespace redoubt::backup
