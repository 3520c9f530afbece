// Statements run through libmariadb's non-blocking calls, so that a wait can be given up.
#include "client/connection.h"

#include <mysql.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <limits>

namespace redoubt::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTick = 100;                  // milliseconds between looks at the token
constexpr unsigned kClientErrorMin = 2000;  // CR_ errors of the library
constexpr unsigned kClientErrorMax = 2999;
constexpr unsigned kConnectTimeout = 10;  // seconds

bool says_no_privilege(unsigned number) {
    constexpr std::array kNumbers{1044U, 1045U, 1142U, 1143U, 1227U, 1370U, 1698U};
    return std::find(kNumbers.begin(), kNumbers.end(), number) != kNumbers.end();
}

bool says_gone(unsigned number) {
    constexpr std::array kNumbers{1053U, 1152U, 1158U, 1159U, 1160U, 1161U, 1927U, 3159U};
    return (number >= kClientErrorMin && number <= kClientErrorMax) ||
           std::find(kNumbers.begin(), kNumbers.end(), number) != kNumbers.end();
}

/// What a message may show of a statement.
std::string shortened(std::string_view statement) {
    constexpr std::size_t kLengthMax = 100;
    return statement.size() <= kLengthMax ? std::string(statement)
                                          : std::string(statement.substr(0, kLengthMax)) + "...";
}

bool equal_any_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::tolower(x) == std::tolower(y);
    });
}

}  // namespace

std::optional<std::string> ResultSet::value(std::size_t row, std::string_view column) const {
    for (std::size_t i = 0; i < columns.size() && row < rows.size(); ++i) {
        if (equal_any_case(columns[i], column)) {
            return rows[row][i];
        }
    }
    return std::nullopt;
}

std::string quote_identifier(std::string_view name) {
    std::string quoted = "`";
    for (const char c : name) {
        quoted += c == '`' ? "``" : std::string(1, c);
    }
    return quoted + "`";
}

struct Connection::State {
    explicit State(const base::CancelToken* token) : cancel(token) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { close(); }

    MYSQL* handle = nullptr;
    const base::CancelToken* cancel;
    ConnectOptions options;
    std::uint64_t id = 0;
    std::string version;
    std::string where;
    std::uint32_t last_error = 0;

    void close() {
        if (handle != nullptr) {
            mysql_close(handle);
            handle = nullptr;
        }
    }

    Status connect();
    void set_options();
    Error connect_error();
    Error statement_error(std::string_view statement);
    /// Waits for what a non-blocking call waits for. Errors: Cancelled, which closes the
    /// connection.
    Result<int> wait(int events);
    Status kill_at_server();
};

/// Everything comes from `options`: the library reads no option files of its own.
void Connection::State::set_options() {
    mysql_options(handle, MYSQL_OPT_NONBLOCK, nullptr);
    const unsigned timeout = kConnectTimeout;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const unsigned protocol = options.uses_tcp() ? MYSQL_PROTOCOL_TCP : MYSQL_PROTOCOL_SOCKET;
    mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol);
    if (!options.ssl.value_or(true)) {
        return;
    }
    const auto set = [this](mysql_option option, const std::optional<std::string>& value) {
        if (value) {
            mysql_options(handle, option, value->c_str());
        }
    };
    set(MYSQL_OPT_SSL_CA, options.ssl_ca);
    set(MYSQL_OPT_SSL_CAPATH, options.ssl_capath);
    set(MYSQL_OPT_SSL_CERT, options.ssl_cert);
    set(MYSQL_OPT_SSL_KEY, options.ssl_key);
    set(MYSQL_OPT_SSL_CIPHER, options.ssl_cipher);
    // Any of them asks for TLS, as with the client tools.
    const bool wanted = options.ssl || options.ssl_ca || options.ssl_capath || options.ssl_cert ||
                        options.ssl_key || options.ssl_cipher || options.ssl_verify_server_cert;
    const my_bool enforce = static_cast<my_bool>(wanted);
    mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
    const my_bool verify = static_cast<my_bool>(options.ssl_verify_server_cert.value_or(false));
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

Status Connection::State::connect() {
    handle = mysql_init(nullptr);
    if (handle == nullptr) {
        return make_error(ErrorCode::Failure, "no memory for a connection");
    }
    set_options();
    const auto text = [](const std::optional<std::string>& value) {
        return value ? value->c_str() : nullptr;
    };
    where = options.where();
    const bool tcp = options.uses_tcp();
    const std::string host = options.host.value_or("localhost");
    const std::string socket = options.socket_or_default();
    MYSQL* connected =
        mysql_real_connect(handle, host.c_str(), text(options.user), text(options.password),
                           nullptr, options.port_or_default(), tcp ? nullptr : socket.c_str(), 0);
    if (connected == nullptr) {
        return connect_error();
    }
    id = mysql_thread_id(handle);
    version = mysql_get_server_info(handle);
    return {};
}

Error Connection::State::connect_error() {
    const unsigned number = mysql_errno(handle);
    const bool denied = says_no_privilege(number);
    Error error =
        make_error(denied ? ErrorCode::Privilege : ErrorCode::Connection,
                   "cannot connect to {}: {} (error {})", where, mysql_error(handle), number);
    close();
    return std::move(error).with_hint(
        denied ? "name the account with --user and give its password in an option file, in "
                 "MYSQL_PWD, or with --password, which asks for it"
               : "is the server running, and is this where it listens? see --socket, --host and "
                 "--port");
}

Error Connection::State::statement_error(std::string_view statement) {
    last_error = mysql_errno(handle);
    const ErrorCode code = says_gone(last_error)           ? ErrorCode::Connection
                           : says_no_privilege(last_error) ? ErrorCode::Privilege
                                                           : ErrorCode::Failure;
    Error error = make_error(code, "{}: {} (error {})", shortened(statement), mysql_error(handle),
                             last_error);
    if (code == ErrorCode::Connection) {
        close();
        return std::move(error).with_hint("the server went away; see its error log");
    }
    return error;
}

Result<int> Connection::State::wait(int events) {
    for (;;) {
        if (cancel != nullptr && cancel->cancelled()) {
            ::shutdown(static_cast<int>(mysql_get_socket(handle)), SHUT_RDWR);
            (void)kill_at_server();
            return cancel->check().error();
        }
        struct pollfd descriptor {};
        descriptor.fd = static_cast<int>(mysql_get_socket(handle));
        descriptor.events = static_cast<short>(((events & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
                                               ((events & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0));
        const int ready = ::poll(&descriptor, 1, kTick);
        if (ready > 0) {
            return ((descriptor.revents & (POLLIN | POLLHUP | POLLERR)) != 0 ? MYSQL_WAIT_READ
                                                                             : 0) |
                   ((descriptor.revents & POLLOUT) != 0 ? MYSQL_WAIT_WRITE : 0);
        }
    }
}

Status Connection::State::kill_at_server() {
    State other(nullptr);
    other.options = options;
    RETURN_IF_ERROR(other.connect());
    const std::string statement = fmt::format("KILL {}", id);
    mysql_real_query(other.handle, statement.data(), statement.size());
    return {};
}

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const ConnectOptions& options,
                                                     const base::CancelToken* cancel) {
    auto state = std::make_unique<State>(cancel);
    state->options = options;
    RETURN_IF_ERROR(state->connect());
    std::unique_ptr<Connection> connection(new Connection(std::move(state)));
    RETURN_IF_ERROR(connection->execute("SET SESSION wait_timeout=2147483, max_statement_time=0"));
    constexpr std::uint32_t kUnknownVariable = 1193;  // a server built without Galera
    if (Status status = connection->execute("SET SESSION wsrep_sync_wait=0");
        !status && connection->last_server_error() != kUnknownVariable) {
        return std::move(status.error());
    }
    return connection;
}

Result<ResultSet> Connection::query(std::string_view statement) {
    State& state = *state_;
    state.last_error = 0;
    if (state.handle == nullptr) {
        return make_error(ErrorCode::Connection, "the connection is closed");
    }
    int failed = 0;
    int status = mysql_real_query_start(&failed, state.handle, statement.data(), statement.size());
    while (status != 0) {
        ASSIGN_OR_RETURN(const int events, state.wait(status));
        status = mysql_real_query_cont(&failed, state.handle, events);
    }
    if (failed != 0) {
        return state.statement_error(statement);
    }
    MYSQL_RES* rows = nullptr;
    status = mysql_store_result_start(&rows, state.handle);
    while (status != 0) {
        ASSIGN_OR_RETURN(const int events, state.wait(status));
        status = mysql_store_result_cont(&rows, state.handle, events);
    }
    if (rows == nullptr) {
        if (mysql_errno(state.handle) != 0) {
            return state.statement_error(statement);
        }
        return ResultSet{};
    }
    ResultSet result;
    const unsigned count = mysql_num_fields(rows);
    for (unsigned i = 0; i < count; ++i) {
        result.columns.emplace_back(mysql_fetch_field_direct(rows, i)->name);
    }
    while (MYSQL_ROW row = mysql_fetch_row(rows)) {
        const unsigned long* lengths = mysql_fetch_lengths(rows);
        Row values;
        for (unsigned i = 0; i < count; ++i) {
            values.push_back(row[i] == nullptr ? std::nullopt
                                               : std::optional(std::string(row[i], lengths[i])));
        }
        result.rows.push_back(std::move(values));
    }
    mysql_free_result(rows);
    return result;
}

Status Connection::execute(std::string_view statement) {
    auto result = query(statement);
    return result ? ok_status() : Status(std::move(result.error()));
}

std::uint32_t Connection::last_server_error() const { return state_->last_error; }
std::uint64_t Connection::id() const { return state_->id; }
const std::string& Connection::server_version() const { return state_->version; }
const std::string& Connection::where() const { return state_->where; }

}  // namespace redoubt::client
