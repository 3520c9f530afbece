/// redoubt-manifest.json: what a backup of ours consists of, written and synced last. Without it
/// the directory is no backup. Format: docs/formats/backup.md#manifest.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backup/metadata.h"
#include "base/error.h"
#include "base/ids.h"
#include "io/file.h"

namespace redoubt::backup {

/// A file's hash is that of its bytes when it has at most one chunk, else the hash of its chunks'
/// hashes (as lower-case hex, concatenated): `split -b 64M` and xxh128sum can check it by hand.
inline constexpr std::uint64_t kChunkSize = std::uint64_t{64} << 20;  // bytes

struct ManifestFile {
    std::uint64_t size = 0;             ///< bytes, holes included
    std::string hash = {};              ///< XXH3, 128 bits, lower-case hex
    std::optional<SpaceId> space = {};  ///< of a tablespace
    std::optional<std::uint32_t> pages = {};
    std::optional<Lsn> lsn = {};  ///< highest page LSN seen in it while copying
};

struct Manifest {
    BackupState state = BackupState::Copied;
    std::string uuid;         ///< of this backup
    std::string server_uuid;  ///< what tells servers apart, as far as known: empty for cold ones
    std::string server_version;
    std::string host;
    Lsn from;                ///< checkpoint the copied log begins with
    Lsn to;                  ///< newest checkpoint when it ended
    Lsn last;                ///< end of the copied log
    std::string begin_time;  ///< ISO 8601, UTC
    std::string end_time;
    std::string binlog_file;  ///< empty = no binary log
    std::uint64_t binlog_offset = 0;
    std::string gtid;
    std::string parent;    ///< uuid of the base; empty for a full backup
    bool damaged = false;  ///< made with --continue-on-damage, and there was some
    std::map<std::string, ManifestFile> files;  ///< by path in the backup
};

/// Errors: Incomplete, saying what is wrong with the text; Unsupported.
Result<Manifest> parse_manifest(std::string_view text);
std::string format_manifest(const Manifest& manifest);

/// Absent: the backup is none of ours. Errors: as parse_manifest; Incomplete when it contradicts
/// the other metadata.
Result<std::optional<Manifest>> read_manifest(io::Directory& directory,
                                              const Checkpoints& checkpoints);
/// Durable, whole or not at all.
Status write_manifest(io::Directory& directory, const Manifest& manifest);

}  // namespace redoubt::backup
