/// What recovery writes into the redo log once every page is durable: a checkpoint at the log's
/// end, either into the log itself, as the server does, or as a new log. Format:
/// docs/formats/redo-log.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "redo/log_file.h"

namespace redoubt::redo {

/// A file that the log is to name for its space ("./db/t.ibd", or an absolute path).
struct NamedFile {
    SpaceId space;
    std::string path;
};

/// The bytes of a clean log as `mariadb-backup --prepare` leaves it: header, one checkpoint block
/// {lsn, lsn}, FILE_CHECKPOINT(lsn); 12304 bytes. `creator`: up to 31 characters. With `names`,
/// FILE_MODIFY records for them come before FILE_CHECKPOINT and the file is as long as it takes, a
/// multiple of 4096.
std::vector<std::byte> make_clean_log(Lsn lsn, std::string_view creator,
                                      std::span<const NamedFile> names = {});

struct LogWrite {
    std::uint64_t offset;  ///< in the log file
    std::vector<std::byte> bytes;
};
struct CheckpointWrites {
    std::vector<LogWrite> records;  ///< in free room only: until `block` is written they change
                                    ///< nothing but where the log ends
    LogWrite block;                 ///< after the records are durable
};
/// A checkpoint {end, end} for a log that ends at `end`: FILE_MODIFY records for `names`,
/// FILE_CHECKPOINT(end), a byte that ends the log, and the checkpoint block that `old` does not
/// use. nullopt: the log is encrypted, or has no room for that before `old`.
std::optional<CheckpointWrites> checkpoint_in_place(const LogFile& log, const Checkpoint& old,
                                                    Lsn end, std::span<const NamedFile> names);

}  // namespace redoubt::redo
