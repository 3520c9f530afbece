/// What a hot backup asks of the server and tells it: settings, privileges, stages and their locks,
/// positions. Statements and their meaning: docs/backup.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backup/driver.h"
#include "base/error.h"
#include "base/ids.h"
#include "client/connection.h"
#include "crypt/keys.h"
#include "io/file.h"

namespace redoubt::backup {

/// Settings of file_key_management: where the server has its keys from.
struct ServerKeySource {
    std::string file;
    std::string password;  ///< secret, or "FILE:" and the path of the file it is in; may be empty
    crypt::CipherMode algorithm = crypt::CipherMode::Cbc;
};

/// Of SHOW VARIABLES, what a backup needs.
struct ServerFacts {
    std::string version;
    std::string hostname;
    std::string server_uid;
    std::string datadir;
    std::string data_file_path;
    std::string data_home;
    std::string undo_directory;  ///< empty = the data directory, as for the next three
    std::string log_directory;
    std::string aria_log_directory;
    std::uint32_t page_size = 0;
    std::uint32_t undo_tablespaces = 0;
    std::uint32_t compression_level = 0;
    std::uint64_t log_file_size = 0;
    std::string checksum_algorithm;
    std::string buffer_pool_filename;
    std::vector<std::string> ignored_databases;
    bool log_bin = false;
    bool read_only = false;                     ///< InnoDB's files: then they are not locked
    std::optional<ServerKeySource> key_source;  ///< absent: the plugin is not active
    std::uint64_t uptime = 0;                   ///< seconds when asked
    std::chrono::steady_clock::time_point asked;
    /// For backup-my.cnf: encryption and provider plugins with their settings, without secrets.
    std::vector<std::string> encryption_lines;
};
/// Errors: Unsupported for servers whose log format we don't read; those of query().
Result<ServerFacts> read_server_facts(client::Connection& connection);
/// Keys of a server that has them from file_key_management; null: it does not. They stay in memory.
/// Errors: as crypt::load_key_file.
Result<std::unique_ptr<crypt::KeyRing>> load_server_keys(io::Directory& root,
                                                         const ServerFacts& facts);
/// Errors: Connection when the server was restarted since `facts` were read.
Status require_same_server(client::Connection& connection, const ServerFacts& facts);

struct NeededPrivileges {
    bool binlog = false;   ///< its position is asked for
    bool replica = false;  ///< the replica's position
};
/// Errors: Privilege, naming all that are missing.
Status check_privileges(client::Connection& connection, const NeededPrivileges& needed);
/// Of the lines of SHOW GRANTS: which of the needed ones are missing.
std::vector<std::string> missing_privileges(const std::vector<std::string>& grants,
                                            const NeededPrivileges& needed);

/// End of the redo that mini-transactions have made so far.
Result<Lsn> current_lsn(client::Connection& connection);
/// What of it is in the file for sure.
Result<Lsn> flushed_lsn(client::Connection& connection);
Status flush_engine_logs(client::Connection& connection);
/// Waits until InnoDB has made a checkpoint. Errors also: Privilege.
Status request_checkpoint(client::Connection& connection);
/// "db/t", encoded as file names, of tables that are open and in use.
Result<std::set<std::string>> tables_in_use(client::Connection& connection);

/// InnoDB's tables and partitions that have a tablespace of their own ("db/t#P#p0", encoded), as
/// the server's dictionary has them.
Result<std::map<SpaceId, std::string>> tables_with_files(client::Connection& connection);
/// Of one tablespace; empty: there is no such table.
Result<std::string> table_of_space(client::Connection& connection, SpaceId id);
/// Whether a table's file is missing because of ALTER TABLE ... DISCARD TABLESPACE.
Result<bool> is_discarded(client::Connection& connection, SpaceId id, std::string_view table);

struct ServerPosition {
    std::string file;
    std::uint64_t offset = 0;
    std::string gtid;
    /// As xtrabackup_binlog_info has it.
    std::string text() const;
};
/// nullopt: no binary log.
Result<std::optional<ServerPosition>> binlog_position(client::Connection& connection);
/// Text of xtrabackup_slave_info; empty: the server is no replica.
Result<std::string> replica_position(client::Connection& connection);

/// The same of the rows of SHOW ALL SLAVES STATUS and @@gtid_slave_pos: a statement a line that
/// makes a server restored from the backup take up replication where this one stood.
std::string replica_statements(const client::ResultSet& channels, const std::string& gtid);

/// The BACKUP STAGE protocol, on a connection of its own that does nothing else. Destroyed before
/// end(), it closes the connection, and the server drops the locks.
class BackupStages {
public:
    BackupStages(const client::ConnectOptions& server, const base::CancelToken* cancel);
    ~BackupStages();
    /// `lock_wait_seconds`: how long each stage may wait for others' locks; absent: a year. Errors:
    /// Refused when another backup runs or the wait was too long; those of execute().
    Status start(std::optional<std::uint32_t> lock_wait_seconds);
    Status flush();
    Status block_ddl();
    Status block_commit();
    Status end();

    /// From when BLOCK_DDL (BLOCK_COMMIT) was asked for until END was done.
    double ddl_blocked_ms() const;
    double commits_blocked_ms() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// BACKUP LOCK, each thread on a connection of its own.
class ServerTableLocks final : public TableLocks {
public:
    static Result<std::unique_ptr<ServerTableLocks>> open(const client::ConnectOptions& server,
                                                          const base::CancelToken* cancel);
    ~ServerTableLocks() override;
    Status while_locked(std::string_view table, const std::function<Status()>& open) override;

private:
    struct State;
    explicit ServerTableLocks(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::backup
