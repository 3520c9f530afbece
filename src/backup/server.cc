#include "backup/server.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "base/mutex.h"
#include "space/layout.h"

namespace redoubt::backup {
namespace {

using Clock = std::chrono::steady_clock;
using client::Connection;
using client::ResultSet;

template <class T>
T number_of(std::string_view text) {
    T value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string directory_of(std::string text) {
    while (text.size() > 1 && text.back() == '/') {
        text.pop_back();
    }
    return text == "." || text == "./" ? std::string() : text;
}

std::string quote_text(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c == '\'' || c == '\\' ? std::string{c, c} : std::string(1, c);
    }
    return quoted + "'";
}

Result<std::string> status_value(Connection& connection, std::string_view name) {
    const std::string statement = fmt::format("SHOW GLOBAL STATUS LIKE '{}'", name);
    ASSIGN_OR_RETURN(const ResultSet result, connection.query(statement));
    if (result.rows.size() != 1 || !result.rows[0][1]) {
        return make_error(ErrorCode::Failure, "the server has no status variable {}", name);
    }
    return *result.rows[0][1];
}

Result<std::vector<std::string>> plugin_lines(Connection& connection) {
    ASSIGN_OR_RETURN(
        const ResultSet plugins,
        connection.query("SELECT plugin_name, plugin_library, @@plugin_dir FROM "
                         "information_schema.plugins WHERE (plugin_type = 'ENCRYPTION' OR "
                         "(plugin_type = 'DAEMON' AND plugin_name LIKE 'provider\\_%')) AND "
                         "plugin_status = 'ACTIVE'"));
    std::vector<std::string> lines;
    if (plugins.rows.empty()) {
        return lines;
    }
    std::string load;
    std::vector<std::string> settings;
    for (const client::Row& row : plugins.rows) {
        const std::string name = row[0].value_or("");
        std::string library = row[1].value_or("");
        if (library.ends_with(".so")) {
            library.resize(library.size() - 3);
        }
        load += fmt::format("{}{}={}", load.empty() ? "" : ";", name, library);
        ASSIGN_OR_RETURN(const ResultSet variables,
                         connection.query(fmt::format("SHOW VARIABLES LIKE '{}\\_%'", name)));
        for (const client::Row& variable : variables.rows) {
            const std::string key = variable[0].value_or("");
            if (key.ends_with("_filekey")) {
                continue;  // a secret, or where one is
            }
            settings.push_back(fmt::format("{}={}", key, variable[1].value_or("")));
        }
    }
    lines.push_back(fmt::format("plugin_dir=\"{}\"", plugins.rows[0][2].value_or("")));
    lines.push_back("plugin_load=" + load);
    lines.insert(lines.end(), settings.begin(), settings.end());
    ASSIGN_OR_RETURN(const ResultSet encrypts,
                     connection.query("SELECT @@innodb_encrypt_log, @@innodb_encrypt_tables"));
    lines.push_back("innodb_encrypt_log=" + encrypts.rows[0][0].value_or("0"));
    lines.push_back("innodb_encrypt_tables=" + encrypts.rows[0][1].value_or("OFF"));
    return lines;
}

}  // namespace

Result<ServerFacts> read_server_facts(Connection& connection) {
    ASSIGN_OR_RETURN(const ResultSet rows, connection.query("SHOW GLOBAL VARIABLES"));
    std::map<std::string, std::string> values;
    for (const client::Row& row : rows.rows) {
        values[row[0].value_or("")] = row[1].value_or("");
    }
    ServerFacts facts;
    facts.version = values["version"];
    const bool known = facts.version.find("MariaDB") != std::string::npos &&
                       (facts.version.starts_with("10.8.") || facts.version.starts_with("10.9.") ||
                        facts.version.starts_with("10.10.") || facts.version.starts_with("10.11."));
    if (!known) {
        return make_error(ErrorCode::Unsupported,
                          "the server is {}; this reads MariaDB 10.8 to "
                          "10.11",
                          facts.version)
            .with_hint("back it up with the mariadb-backup that came with it");
    }
    facts.hostname = values["hostname"];
    facts.server_uid = values["server_uid"];
    facts.datadir = directory_of(values["datadir"]);
    facts.data_file_path = values["innodb_data_file_path"];
    facts.data_home = directory_of(values["innodb_data_home_dir"]);
    facts.undo_directory = directory_of(values["innodb_undo_directory"]);
    facts.log_directory = directory_of(values["innodb_log_group_home_dir"]);
    facts.aria_log_directory = directory_of(values["aria_log_dir_path"]);
    facts.page_size = number_of<std::uint32_t>(values["innodb_page_size"]);
    facts.undo_tablespaces = number_of<std::uint32_t>(values["innodb_undo_tablespaces"]);
    facts.compression_level = number_of<std::uint32_t>(values["innodb_compression_level"]);
    facts.log_file_size = number_of<std::uint64_t>(values["innodb_log_file_size"]);
    facts.checksum_algorithm = values["innodb_checksum_algorithm"];
    facts.buffer_pool_filename = values["innodb_buffer_pool_filename"];
    facts.log_bin = values["log_bin"] == "ON";
    facts.read_only = values["innodb_read_only"] == "ON";
    if (const std::string& file = values["file_key_management_filename"]; !file.empty()) {
        facts.key_source = {
            .file = io::join(facts.datadir, file),
            .password = values["file_key_management_filekey"],
            .algorithm = values["file_key_management_encryption_algorithm"] == "aes_ctr"
                             ? crypt::CipherMode::Ctr
                             : crypt::CipherMode::Cbc};
    }
    std::string_view ignored = values["ignore_db_dirs"];
    while (!ignored.empty()) {
        const std::size_t end = std::min(ignored.find(','), ignored.size());
        facts.ignored_databases.emplace_back(ignored.substr(0, end));
        ignored.remove_prefix(std::min(end + 1, ignored.size()));
    }
    ASSIGN_OR_RETURN(const std::string uptime, status_value(connection, "Uptime"));
    facts.uptime = number_of<std::uint64_t>(uptime);
    facts.asked = Clock::now();
    ASSIGN_OR_RETURN(facts.encryption_lines, plugin_lines(connection));
    return facts;
}

Result<std::unique_ptr<crypt::KeyRing>> load_server_keys(io::Directory& root,
                                                         const ServerFacts& facts) {
    if (!facts.key_source) {
        return std::unique_ptr<crypt::KeyRing>();
    }
    constexpr std::string_view kInFile = "FILE:";
    constexpr std::size_t kPasswordSizeMax = 4096;  // bytes
    std::optional<std::string> password;
    if (const std::string& text = facts.key_source->password; text.starts_with(kInFile)) {
        ASSIGN_OR_RETURN(
            password,
            root.read_text(io::join(facts.datadir, text.substr(kInFile.size())), kPasswordSizeMax));
    } else if (!text.empty()) {
        password = text;
    }
    return crypt::load_key_file(root, facts.key_source->file, std::move(password),
                                facts.key_source->algorithm);
}

Status require_same_server(Connection& connection, const ServerFacts& facts) {
    ASSIGN_OR_RETURN(const std::string text, status_value(connection, "Uptime"));
    const auto passed =
        std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - facts.asked).count();
    if (number_of<std::uint64_t>(text) + 1 < facts.uptime + static_cast<std::uint64_t>(passed)) {
        return make_error(ErrorCode::Connection, "the server was restarted during the backup")
            .with_hint("run the backup again");
    }
    return {};
}

std::vector<std::string> missing_privileges(const std::vector<std::string>& grants,
                                            const NeededPrivileges& needed) {
    std::vector<std::string> wanted{"RELOAD", "PROCESS"};
    if (needed.binlog) {
        wanted.emplace_back("BINLOG MONITOR");
    }
    if (needed.replica) {
        wanted.emplace_back("SLAVE MONITOR");
    }
    std::set<std::string> held;
    for (const std::string& grant : grants) {
        const std::size_t on = grant.find(" ON *.*");
        if (!grant.starts_with("GRANT ") || on == std::string::npos) {
            continue;
        }
        std::string_view list = std::string_view(grant).substr(6, on - 6);
        while (!list.empty()) {
            const std::size_t end = std::min(list.find(", "), list.size());
            held.emplace(list.substr(0, end));
            list.remove_prefix(std::min(end + 2, list.size()));
        }
    }
    if (held.contains("ALL PRIVILEGES") || held.contains("ALL")) {
        return {};
    }
    std::erase_if(wanted, [&](const std::string& name) { return held.contains(name); });
    return wanted;
}

Status check_privileges(Connection& connection, const NeededPrivileges& needed) {
    ASSIGN_OR_RETURN(const ResultSet rows, connection.query("SHOW GRANTS"));
    std::vector<std::string> grants;
    for (const client::Row& row : rows.rows) {
        grants.push_back(row[0].value_or(""));
    }
    const std::vector<std::string> missing = missing_privileges(grants, needed);
    if (missing.empty()) {
        return {};
    }
    return make_error(ErrorCode::Privilege, "the account lacks {} on *.*",
                      fmt::join(missing, " and "))
        .with_hint(fmt::format("GRANT {} ON *.* TO that account", fmt::join(missing, ", ")));
}

Result<Lsn> current_lsn(Connection& connection) {
    ASSIGN_OR_RETURN(const std::string text, status_value(connection, "Innodb_lsn_current"));
    return Lsn{number_of<std::uint64_t>(text)};
}
Result<Lsn> flushed_lsn(Connection& connection) {
    ASSIGN_OR_RETURN(const std::string text, status_value(connection, "Innodb_lsn_flushed"));
    return Lsn{number_of<std::uint64_t>(text)};
}
Status flush_engine_logs(Connection& connection) {
    return connection.execute("FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS");
}
Status request_checkpoint(Connection& connection) {
    return connection.execute("SET GLOBAL innodb_log_checkpoint_now=ON");
}

Result<std::set<std::string>> tables_in_use(Connection& connection) {
    ASSIGN_OR_RETURN(const ResultSet rows, connection.query("SHOW OPEN TABLES WHERE In_use = 1"));
    std::set<std::string> tables;
    for (const client::Row& row : rows.rows) {
        tables.insert(space::encode_file_name(row[0].value_or("")) + "/" +
                      space::encode_file_name(row[1].value_or("")));
    }
    return tables;
}

Result<std::map<SpaceId, std::string>> tables_with_files(Connection& connection) {
    ASSIGN_OR_RETURN(
        const ResultSet rows,
        connection.query("SELECT SPACE, NAME FROM information_schema.INNODB_SYS_TABLES WHERE "
                         "SPACE > 0 AND NAME LIKE '%/%'"));
    std::map<SpaceId, std::string> tables;
    for (const client::Row& row : rows.rows) {
        tables.emplace(SpaceId{number_of<std::uint32_t>(row[0].value_or("0"))},
                       row[1].value_or(""));
    }
    return tables;
}

Result<std::string> table_of_space(Connection& connection, SpaceId id) {
    ASSIGN_OR_RETURN(
        const ResultSet rows,
        connection.query(fmt::format(
            "SELECT NAME FROM information_schema.INNODB_SYS_TABLES WHERE SPACE = {}", id.value)));
    return rows.rows.empty() ? std::string() : rows.rows[0][0].value_or("");
}

Result<bool> is_discarded(Connection& connection, SpaceId id, std::string_view table) {
    const std::size_t slash = table.find('/');
    const std::string_view name = table.substr(slash + 1);
    // The server opens the table for this: a discarded one can be opened, a lost one only if it was
    // open before, and then InnoDB has its tablespace.
    ASSIGN_OR_RETURN(
        const ResultSet opened,
        connection.query(fmt::format(
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} "
            "AND TABLE_ROWS IS NOT NULL",
            quote_text(space::decode_file_name(table.substr(0, slash))),
            quote_text(space::decode_file_name(name.substr(0, name.find("#P#")))))));
    ASSIGN_OR_RETURN(
        const ResultSet loaded,
        connection.query(fmt::format(
            "SELECT 1 FROM information_schema.INNODB_SYS_TABLESPACES WHERE SPACE = {}", id.value)));
    return !opened.rows.empty() && loaded.rows.empty();
}

std::string ServerPosition::text() const {
    return fmt::format("{}\t{}{}{}\n", file, offset, gtid.empty() ? "" : "\t", gtid);
}

Result<std::optional<ServerPosition>> binlog_position(Connection& connection) {
    ASSIGN_OR_RETURN(const ResultSet rows, connection.query("SHOW MASTER STATUS"));
    if (rows.rows.empty()) {
        return std::optional<ServerPosition>();
    }
    ServerPosition position;
    position.file = rows.value(0, "File").value_or("");
    position.offset = number_of<std::uint64_t>(rows.value(0, "Position").value_or("0"));
    ASSIGN_OR_RETURN(const ResultSet gtid, connection.query("SELECT @@GLOBAL.gtid_current_pos"));
    position.gtid = gtid.rows[0][0].value_or("");
    return std::optional(std::move(position));
}

Result<std::string> replica_position(Connection& connection) {
    ASSIGN_OR_RETURN(const ResultSet channels, connection.query("SHOW ALL SLAVES STATUS"));
    ASSIGN_OR_RETURN(const ResultSet gtid, connection.query("SELECT @@GLOBAL.gtid_slave_pos"));
    return replica_statements(channels, gtid.rows[0][0].value_or(""));
}

std::string replica_statements(const ResultSet& channels, const std::string& gtid) {
    std::string set_gtid;
    std::string statements;
    for (std::size_t row = 0; row < channels.rows.size(); ++row) {
        const std::string name = channels.value(row, "Connection_name").value_or("");
        const std::string channel = name.empty() ? "" : quote_text(name) + " ";
        const std::string using_gtid = channels.value(row, "Using_Gtid").value_or("No");
        if (!gtid.empty() && using_gtid != "No") {
            set_gtid = fmt::format("SET GLOBAL gtid_slave_pos = '{}';\n", gtid);
            statements += fmt::format("CHANGE MASTER {}TO master_use_gtid = slave_pos;\n", channel);
        } else {
            statements +=
                fmt::format("CHANGE MASTER {}TO MASTER_LOG_FILE={}, MASTER_LOG_POS={};\n", channel,
                            quote_text(channels.value(row, "Relay_Master_Log_File").value_or("")),
                            channels.value(row, "Exec_Master_Log_Pos").value_or("0"));
        }
    }
    return set_gtid + statements;
}

struct BackupStages::State {
    client::ConnectOptions server;
    const base::CancelToken* cancel;
    std::unique_ptr<Connection> connection;
    std::uint32_t lock_wait_seconds = 0;
    Clock::time_point ddl_asked{};
    Clock::time_point commit_asked{};
    Clock::time_point ended{};

    /// Errors: Refused when others held their locks for longer than the wait allowed.
    Status enter(std::string_view stage) {
        constexpr std::uint32_t kLockWaitTimeout = 1205;
        Status status = connection->execute(fmt::format("BACKUP STAGE {}", stage));
        if (status || connection->last_server_error() != kLockWaitTimeout) {
            return status;
        }
        return make_error(
                   ErrorCode::Refused, "BACKUP STAGE {} was not granted within {} seconds: {}",
                   stage, lock_wait_seconds,
                   stage == "START" ? "another backup runs, or a session holds its locks"
                                    : "statements or transactions of others are still under way")
            .with_hint("see SHOW PROCESSLIST for who holds on; --lock-wait-timeout sets the wait");
    }
    static double milliseconds(Clock::duration time) {
        return std::chrono::duration<double, std::milli>(time).count();
    }
};

BackupStages::BackupStages(const client::ConnectOptions& server, const base::CancelToken* cancel)
    : state_(std::make_unique<State>()) {
    state_->server = server;
    state_->cancel = cancel;
}
BackupStages::~BackupStages() = default;

Status BackupStages::start(std::optional<std::uint32_t> lock_wait_seconds) {
    constexpr std::uint32_t kLongest = 31536000;  // a year, the server's own limit
    ASSIGN_OR_RETURN(state_->connection, Connection::open(state_->server, state_->cancel));
    state_->lock_wait_seconds = std::min(lock_wait_seconds.value_or(kLongest), kLongest);
    RETURN_IF_ERROR(state_->connection->execute(
        fmt::format("SET SESSION lock_wait_timeout={}", state_->lock_wait_seconds)));
    return state_->enter("START");
}
Status BackupStages::flush() { return state_->enter("FLUSH"); }
Status BackupStages::block_ddl() {
    state_->ddl_asked = Clock::now();
    return state_->enter("BLOCK_DDL");
}
Status BackupStages::block_commit() {
    state_->commit_asked = Clock::now();
    return state_->enter("BLOCK_COMMIT");
}
Status BackupStages::end() {
    RETURN_IF_ERROR(state_->enter("END"));
    state_->ended = Clock::now();
    return {};
}
double BackupStages::ddl_blocked_ms() const {
    return State::milliseconds(state_->ended - state_->ddl_asked);
}
double BackupStages::commits_blocked_ms() const {
    return State::milliseconds(state_->ended - state_->commit_asked);
}

struct ServerTableLocks::State {
    client::ConnectOptions server;
    const base::CancelToken* cancel;
    base::Mutex mutex;
    std::vector<std::unique_ptr<Connection>> idle GUARDED_BY(mutex);
};

ServerTableLocks::ServerTableLocks(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerTableLocks::~ServerTableLocks() = default;

Result<std::unique_ptr<ServerTableLocks>> ServerTableLocks::open(
    const client::ConnectOptions& server, const base::CancelToken* cancel) {
    auto state = std::make_unique<State>();
    state->server = server;
    state->cancel = cancel;
    return std::unique_ptr<ServerTableLocks>(new ServerTableLocks(std::move(state)));
}

Status ServerTableLocks::while_locked(std::string_view table, const std::function<Status()>& open) {
    const std::string name = space::decode_file_name(table);
    const std::size_t slash = table.find('/');
    std::unique_ptr<Connection> connection;
    {
        const base::MutexLock lock(state_->mutex);
        if (!state_->idle.empty()) {
            connection = std::move(state_->idle.back());
            state_->idle.pop_back();
        }
    }
    if (connection == nullptr) {
        ASSIGN_OR_RETURN(connection, Connection::open(state_->server, state_->cancel));
    }
    RETURN_IF_ERROR(connection->execute(
        fmt::format("BACKUP LOCK {}.{}",
                    client::quote_identifier(space::decode_file_name(table.substr(0, slash))),
                    client::quote_identifier(space::decode_file_name(table.substr(slash + 1))))));
    Status status = open();
    RETURN_IF_ERROR(connection->execute("BACKUP UNLOCK"));
    const base::MutexLock lock(state_->mutex);
    state_->idle.push_back(std::move(connection));
    return status;
}

}  // namespace redoubt::backup
