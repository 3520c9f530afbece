/// Which files the databases of a data directory have: one look in each stage, shared by all
/// drivers.
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backup/driver.h"
#include "base/error.h"
#include "base/mutex.h"
#include "io/file.h"

namespace redoubt::backup {

struct Database {
    std::string name;                ///< encoded, as the directory is called
    std::vector<std::string> files;  ///< names, sorted, without those of unfinished DDL
    bool empty = false;              ///< no file at all, of whatever kind
};

struct Listing {
    std::vector<std::string> root;  ///< names in the data directory itself
    std::vector<Database> databases;
};

/// A table's data files: "db/t" -> "db/t.MYD", "db/t#P#p0.MYD", ..., sorted.
using TableFiles = std::map<std::string, std::vector<std::string>>;

/// Thread-safe.
class DataFiles {
public:
    /// Both outlive this.
    DataFiles(io::Directory& datadir, const std::vector<std::string>& ignored_databases);

    /// Made by the first who asks in this stage. From BlockDdl on the listing of BlockDdl serves:
    /// no file comes or goes, and the time in BlockCommit is dear. Errors: Io (a database directory
    /// that cannot be read).
    Result<std::shared_ptr<const Listing>> in(Stage stage);

private:
    Result<Listing> look() const;

    io::Directory& datadir_;
    const std::vector<std::string>& ignored_;
    base::Mutex mutex_;
    Stage stage_ GUARDED_BY(mutex_) = Stage::Start;
    std::shared_ptr<const Listing> listing_ GUARDED_BY(mutex_);
};

/// ".MYD" of "t#P#p0.MYD"; "" where there is no dot.
std::string_view extension_of(std::string_view file);
/// "t" of "t#P#p0#SP#s1.MYD" and of "t.MYD".
std::string_view table_of(std::string_view file);
/// mysql.general_log and the like: what the server itself writes until BlockCommit.
bool is_log_table(std::string_view table);
bool is_statistics_table(std::string_view table);

/// Those with one of `extensions`, by table; not the log and statistics tables.
TableFiles tables_in(const Listing& listing, std::initializer_list<std::string_view> extensions);

/// Of tables and partitions that have a data file or an index file and not both: the other's path.
std::vector<std::string> missing_halves(const TableFiles& tables, std::string_view data,
                                        std::string_view index);

}  // namespace redoubt::backup
