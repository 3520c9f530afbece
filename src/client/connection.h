/// One connection to a running MariaDB server, through libmariadb.
/// Not thread-safe: one thread uses a connection at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "client/connect_options.h"

namespace redoubt::client {

using Row = std::vector<std::optional<std::string>>;  ///< nullopt = SQL NULL
struct ResultSet {
    std::vector<std::string> columns;
    std::vector<Row> rows;

    /// Value of the named column (any case) in a row; nullopt when NULL or no such column.
    std::optional<std::string> value(std::size_t row, std::string_view column) const;
};

class Connection {
public:
    /// Connects and sets the session up: utf8mb4, no wait_timeout, no max_statement_time, and
    /// wsrep_sync_wait=0 where the server knows it. Errors: Connection (says host, port or socket
    /// and user), Privilege (access denied), Cancelled. `cancel` may be null; outlives the result.
    static Result<std::unique_ptr<Connection>> open(const ConnectOptions& options,
                                                    const base::CancelToken* cancel);
    ~Connection();  ///< closes: the server drops this session's locks
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// One statement; its whole result (small ones only). A statement that waits in the server is
    /// given up within a quarter of a second after `cancel`, and the connection is then closed.
    /// Errors: Connection (gone), Privilege (1044, 1045, 1142, 1227, ...), Cancelled, Failure
    /// (names the statement and the server's error).
    Result<ResultSet> query(std::string_view statement);
    /// The same for a statement without rows.
    Status execute(std::string_view statement);
    /// Whether the last error was this server error number (1205, say).
    std::uint32_t last_server_error() const;

    std::uint64_t id() const;  ///< the server's connection id
    const std::string& server_version() const;
    /// "socket /run/mysqld/mysqld.sock" or "host:port", for messages.
    const std::string& where() const;

private:
    struct State;
    explicit Connection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// `name` between backticks.
std::string quote_identifier(std::string_view name);

}  // namespace redoubt::client
