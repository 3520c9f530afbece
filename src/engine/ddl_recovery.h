/// The server's own log of DDL statements, `ddl_recovery.log`: what its next start would still do
/// with tables whose CREATE, DROP, RENAME or ALTER a crash cut short.
/// Format: docs/formats/ddl-recovery-log.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dict/dictionary.h"
#include "io/file.h"

namespace redoubt::engine {

/// Names are those of files, "db/t"; of a table with partitions, all of them.
struct DdlStep {
    enum class Kind : std::uint8_t {
        Drop,         ///< table and .frm
        DropTable,    ///< but not its .frm
        DropFrm,      ///< but not its table
        DropAll,      ///< tables of database `name`; their .frm were dropped before
        Rename,       ///< table and .frm
        RenameTable,  ///< but not its .frm
        RenameFrm,    ///< but not its table
    };
    Kind kind = Kind::Drop;
    std::string name;
    std::string to = {};  ///< of the renames

    bool operator==(const DdlStep&) const = default;
};

struct DdlRecovery {
    std::vector<DdlStep> steps;  ///< in the order in which the server takes them
    /// The binary log, which would say whether statements are done, is elsewhere or cannot be read:
    /// they count as done.
    bool binlog_missed = false;
};

/// False: the last server ended orderly, or was one before 10.6.
bool ddl_log_exists(io::Directory& directory);

/// Without statements that the binary log has as done. No such log, or one of a server before 10.6:
/// no steps, as for the server. Errors: Io; Corruption: a header that is none, a chain that leads
/// nowhere or in a circle.
Result<DdlRecovery> read_ddl_recovery(io::Directory& directory);

/// Where the .frm of a table lies that has another place than its name says; nullopt: it has none.
using FrmPlaces = std::map<std::string, std::optional<std::string>>;

/// Makes the steps with a dictionary in memory. A table that is not there is not dropped, and a
/// name that is taken is not given again. What that changed for users, in sentences. Errors: Io.
Result<std::vector<std::string>> make_steps(const std::vector<DdlStep>& steps,
                                            io::Directory& directory, dict::Dictionary& dictionary,
                                            FrmPlaces& frms);

}  // namespace redoubt::engine
