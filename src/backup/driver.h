/// What copies the files of one storage engine (or one kind of file) during a hot backup, stage by
/// stage. InnoDB has its own (innodb_copier.h): only it can be copied while it is written.
///
/// The stages, as the server means them (BACKUP STAGE):
///   Start        nothing is blocked; DDL of all engines is noted in DATADIR/ddl.log
///   Flush        non-transactional tables not in use were flushed and closed
///   BlockDdl     no DDL, no writes to non-transactional tables
///   BlockCommit  no commits, no writes to log and statistics tables
///   Unlocked     after END: files no server writes while it runs
/// A cold backup goes through all of them in turn, without a server.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backup/target.h"
#include "base/cancel.h"
#include "base/error.h"
#include "io/file.h"

namespace redoubt::backup {

enum class Stage : std::uint8_t { Start, Flush, BlockDdl, BlockCommit, Unlocked };
std::string_view name_of(Stage stage);

/// Keeps DDL off one table while its files are opened (BACKUP LOCK). Thread-safe.
class TableLocks {
public:
    virtual ~TableLocks() = default;
    /// Calls `open` while the table is locked. `table`: "db/t", encoded as in file names, without a
    /// partition. Errors: of the server, and those of `open`.
    virtual Status while_locked(std::string_view table, const std::function<Status()>& open) = 0;
};

/// What every driver gets; all of it outlives the driver.
struct DriverContext {
    io::Directory& datadir;    ///< the server's
    std::string aria_log_dir;  ///< path in `datadir` or absolute; empty = the data directory
    Target& target;
    TableLocks& locks;
    unsigned threads = 1;
    std::vector<std::string> ignored_databases;  ///< ignore_db_dirs, encoded as in file names
    const base::CancelToken* cancel = nullptr;
};

class Driver {
public:
    virtual ~Driver() = default;
    /// Called once for each stage, in order. `in_use`: tables ("db/t", encoded) that the server
    /// could not close at Flush. Errors: Io, NoSpace, Corruption (names the file), Cancelled.
    virtual Status run(Stage stage, const std::set<std::string>& in_use) = 0;
    /// Notes for the report ("db/t: dropped during the backup").
    virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace redoubt::backup
