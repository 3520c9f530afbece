#include "sql/session.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <set>

#include "sql/catalog.h"
#include "sql/collations.h"
#include "sql/columns.h"
#include "sql/module.h"
#include "sql/statement.h"

namespace redoubt::sql {
namespace {

Error only_reads(std::string_view cause) {
    return make_error(ErrorCode::Refused, "{}: redoubt sql only reads", cause)
        .with_hint("temporary tables can be made: CREATE TEMP TABLE name AS SELECT ...");
}

/// What would be refused anyway, but for reasons that say less.
Status refuse_definitions(std::string_view statement) {
    Tokenizer tokens(statement);
    const std::string first = lower_case(tokens.next().text);
    const std::string second = lower_case(tokens.next().text);
    if (first == "alter" || (first == "create" && second != "temp" && second != "temporary")) {
        return only_reads(first + ' ' + second);
    }
    return {};
}

struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

constexpr std::array<const char*, 8> kPragmas = {
    "case_sensitive_like", "collation_list", "compile_options", "database_list",
    "function_list",       "table_info",     "table_list",      "table_xinfo"};

constexpr std::array<const char*, 62> kKeywords = {
    "ALL",          "AND",   "AS",        "ASC",     "AVG(",        "BETWEEN", "BY",
    "CASE",         "CAST(", "COALESCE(", "COLLATE", "COUNT(",      "CROSS",   "DESC",
    "DISTINCT",     "ELSE",  "END",       "ESCAPE",  "EXCEPT",      "EXISTS",  "EXPLAIN",
    "FROM",         "GLOB",  "GROUP",     "HAVING",  "IN",          "INNER",   "INTERSECT",
    "IS",           "JOIN",  "LEFT",      "LENGTH(", "LIKE",        "LIMIT",   "LOWER(",
    "MATERIALIZED", "MAX(",  "MIN(",      "NATURAL", "NOT",         "NULL",    "NULLS",
    "OFFSET",       "ON",    "OR",        "ORDER",   "OUTER",       "OVER",    "PARTITION",
    "PLAN",         "QUERY", "RECURSIVE", "ROUND(",  "ROW_NUMBER(", "SELECT",  "SUBSTR(",
    "SUM(",         "THEN",  "UNION",     "UPPER(",  "USING",       "WHERE"};

class SqliteSession final : public Session {
public:
    SqliteSession(engine::Database& database, SessionOptions options)
        : options_(std::move(options)),
          database_(database),
          catalog_(database, options_.database),
          context_{.database = database,
                   .note = options_.note,
                   .marks_uncommitted = options_.marks_uncommitted} {}

    Status open();
    Status run(std::string_view text, ResultWriter& writer) override;
    std::vector<std::string> complete(std::string_view before,
                                      std::string_view prefix) const override;

private:
    Status run_statement(std::string_view statement, ResultWriter& writer);
    Result<StatementHandle> prepare(std::string_view statement);
    Result<std::string> count_rows(std::string_view statement, const CountStatement& count);
    Status write_rows(sqlite3_stmt* statement, ResultWriter& writer);
    /// Makes the table known to SQLite until the next statement; false: it is already.
    Result<bool> show_table(std::size_t table);
    Status forget_tables();
    Status execute_own(const std::string& statement);
    Error error(int code);
    int authorize(int action, const char* first, const char* schema);

    const SessionOptions options_;
    engine::Database& database_;
    const Catalog catalog_;
    ModuleContext context_;
    std::vector<std::string> schemas_;  ///< attached at the moment
    std::set<std::size_t> shown_;
    bool own_statement_ = false;  ///< what runs is ours, not the user's
    bool has_temporary_ = false;  ///< tables or views of the user's own
    std::string refused_;         ///< what the user's statement may not do
    /// Last, to be closed first: its tables use the members above.
    std::unique_ptr<sqlite3, CloseConnection> connection_;
};

Error SqliteSession::error(int code) {
    if (auto known = std::exchange(context_.error, {})) {
        return std::move(*known);
    }
    if (code == SQLITE_INTERRUPT) {
        return make_error(ErrorCode::Cancelled, "interrupted");
    }
    if (code == SQLITE_AUTH && !refused_.empty()) {
        return only_reads(refused_);
    }
    const std::string message = sqlite3_errmsg(connection_.get());
    // SQLite finds virtual tables unfit for some changes before it asks what is allowed.
    const bool unfit = message.ends_with(" may not be modified") ||
                       message.ends_with(" may not be altered") ||
                       message.ends_with(" may not be indexed");
    return unfit ? only_reads(message) : Error(ErrorCode::Failure, message);
}

/// Everything but reading is refused, except in the user's own temporary tables, which are nowhere
/// but in SQLite's memory and temporary files. ATTACH, and VACUUM INTO with it, would write files.
int SqliteSession::authorize(int action, const char* first, const char* schema) {
    if (own_statement_) {
        return SQLITE_OK;
    }
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_READ:
        case SQLITE_FUNCTION:
        case SQLITE_RECURSIVE:
            return SQLITE_OK;
        case SQLITE_PRAGMA:
            if (std::any_of(kPragmas.begin(), kPragmas.end(), [&](const char* allowed) {
                    return sqlite3_stricmp(allowed, first) == 0;
                })) {
                return SQLITE_OK;
            }
            refused_ = fmt::format("PRAGMA {}", text_or_empty(first));
            return SQLITE_DENY;
        case SQLITE_CREATE_TEMP_TABLE:
        case SQLITE_CREATE_TEMP_VIEW:
            has_temporary_ = true;
            return SQLITE_OK;
        case SQLITE_DROP_TEMP_TABLE:
        case SQLITE_DROP_TEMP_VIEW:
            return SQLITE_OK;
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:
            if (schema != nullptr && sqlite3_stricmp(schema, "temp") == 0) {
                return SQLITE_OK;
            }
            refused_ = fmt::format("table {} is not changed", text_or_empty(first));
            return SQLITE_DENY;
        default:
            refused_ = "statement not allowed";
            return SQLITE_DENY;
    }
}

Status SqliteSession::open() {
    if (!options_.database.empty() && catalog_.default_schema().empty()) {
        return make_error(ErrorCode::NotFound, "no table of a database {} can be read",
                          options_.database);
    }
    sqlite3* connection = nullptr;
    int code = sqlite3_open_v2(
        ":memory:", &connection,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX,
        nullptr);
    connection_.reset(connection);
    code = code == SQLITE_OK ? register_collations(connection) : code;
    code = code == SQLITE_OK ? register_module(connection, context_) : code;
    if (code != SQLITE_OK) {
        return make_error(ErrorCode::Internal, "SQLite cannot be set up: {}", sqlite3_errstr(code));
    }
    sqlite3_set_authorizer(
        connection,
        [](void* session, int action, const char* first, const char*, const char* schema,
           const char*) {
            return static_cast<SqliteSession*>(session)->authorize(action, first, schema);
        },
        this);
    constexpr int kInstructionsBetween = 1000;
    sqlite3_progress_handler(
        connection, kInstructionsBetween,
        [](void* session) {
            const auto* cancel = static_cast<SqliteSession*>(session)->options_.cancel;
            return cancel != nullptr && cancel->cancelled() ? 1 : 0;
        },
        this);
    return {};
}

Status SqliteSession::execute_own(const std::string& statement) {
    own_statement_ = true;
    const int code = sqlite3_exec(connection_.get(), statement.c_str(), nullptr, nullptr, nullptr);
    own_statement_ = false;
    return code == SQLITE_OK ? Status() : error(code);
}

Result<bool> SqliteSession::show_table(std::size_t table) {
    if (shown_.contains(table)) {
        return false;
    }
    const Catalog::Place place = catalog_.place(table);
    if (std::find(schemas_.begin(), schemas_.end(), place.schema) == schemas_.end()) {
        RETURN_IF_ERROR(execute_own(fmt::format("ATTACH ':memory:' AS {}", quoted(place.schema))));
        schemas_.push_back(place.schema);
    }
    RETURN_IF_ERROR(
        execute_own(fmt::format("CREATE VIRTUAL TABLE {}.{} USING {}({})", quoted(place.schema),
                                quoted(place.name), kModuleName, table)));
    shown_.insert(table);
    return true;
}

/// Each statement begins with none, so that a bare name never means a table that an earlier
/// statement happened to use.
Status SqliteSession::forget_tables() {
    shown_.clear();
    for (const std::string& schema : std::exchange(schemas_, {})) {
        RETURN_IF_ERROR(execute_own("DETACH " + quoted(schema)));
    }
    return {};
}

Result<StatementHandle> SqliteSession::prepare(std::string_view statement) {
    constexpr std::string_view kMissing = "no such table: ";
    // The default database's come first: SQLite looks for bare names in this order.
    for (const std::size_t table : catalog_.defaults_in(statement)) {
        RETURN_IF_ERROR(show_table(table));
    }
    while (true) {
        sqlite3_stmt* prepared = nullptr;
        refused_.clear();
        const int code = sqlite3_prepare_v2(connection_.get(), statement.data(),
                                            static_cast<int>(statement.size()), &prepared, nullptr);
        if (code == SQLITE_OK) {
            return StatementHandle(prepared);
        }
        const std::string message = sqlite3_errmsg(connection_.get());
        if (code != SQLITE_ERROR || !message.starts_with(kMissing) || context_.error) {
            return error(code);
        }
        ASSIGN_OR_RETURN(const std::vector<std::size_t> tables,
                         catalog_.find(message.substr(kMissing.size())));
        bool shown = false;
        for (const std::size_t table : tables) {
            RETURN_IF_ERROR(catalog_.check_case(statement, table));
            ASSIGN_OR_RETURN(const bool news, show_table(table));
            shown = shown || news;
        }
        if (!shown) {
            return error(code);
        }
    }
}

/// SQLite would walk through all rows of a virtual table; the engine need not decode them. Returns
/// the statement that says the number.
Result<std::string> SqliteSession::count_rows(std::string_view statement,
                                              const CountStatement& count) {
    const bool own = has_temporary_ && !count.database;
    const auto found = catalog_.find(count.database, count.table);
    if (own || !found || found->size() != 1) {
        return std::string(statement);  // SQLite knows what it is, or what is wrong
    }
    ASSIGN_OR_RETURN(const std::uint64_t rows,
                     database_.count(*database_.tables()[found->front()]));
    return fmt::format("SELECT {} AS {}", rows, quoted(count.title));
}

Cell cell_of(sqlite3_stmt* statement, int column) {
    const auto bytes = [&](const void* data) {
        return std::string_view(static_cast<const char*>(data),
                                static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    };
    switch (sqlite3_column_type(statement, column)) {
        case SQLITE_INTEGER:
            return {.kind = Cell::Kind::Integer,
                    .integer = sqlite3_column_int64(statement, column)};
        case SQLITE_FLOAT:
            return {.kind = Cell::Kind::Real, .real = sqlite3_column_double(statement, column)};
        case SQLITE_TEXT:
            return {.kind = Cell::Kind::Text,
                    .text = bytes(sqlite3_column_text(statement, column))};
        case SQLITE_BLOB: {
            const void* data = sqlite3_column_blob(statement, column);
            return {.kind = Cell::Kind::Blob,
                    .text = data == nullptr ? std::string_view() : bytes(data)};
        }
        default:
            return {};
    }
}

std::vector<ResultColumn> columns_of(sqlite3_stmt* statement) {
    std::vector<ResultColumn> columns;
    for (int column = 0; column < sqlite3_column_count(statement); ++column) {
        const char* declared = sqlite3_column_decltype(statement, column);
        columns.push_back(
            {.name = text_or_empty(sqlite3_column_name(statement, column)),
             .style = style_of(declared),
             .integer = is_integer_type(declared),
             .decimal = is_decimal_type(declared),
             .database = text_or_empty(sqlite3_column_database_name(statement, column)),
             .table = text_or_empty(sqlite3_column_table_name(statement, column))});
    }
    return columns;
}

Status SqliteSession::write_rows(sqlite3_stmt* statement, ResultWriter& writer) {
    const std::vector<ResultColumn> columns = columns_of(statement);
    std::vector<Cell> cells(columns.size());
    bool begun = false;
    while (true) {
        const int code = sqlite3_step(statement);
        if (!begun && !columns.empty() && (code == SQLITE_ROW || code == SQLITE_DONE)) {
            begun = true;
            RETURN_IF_ERROR(writer.begin(columns));
        }
        if (code != SQLITE_ROW) {
            if (begun) {
                RETURN_IF_ERROR(writer.end());
            }
            return code == SQLITE_DONE ? Status() : error(code);
        }
        for (std::size_t column = 0; column < cells.size(); ++column) {
            cells[column] = cell_of(statement, static_cast<int>(column));
        }
        if (begun) {
            RETURN_IF_ERROR(writer.row(cells));
        }
    }
}

Status SqliteSession::run_statement(std::string_view statement, ResultWriter& writer) {
    RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
    RETURN_IF_ERROR(refuse_definitions(statement));
    RETURN_IF_ERROR(forget_tables());
    context_.error.reset();
    // A view of the user's own may hide an OR.
    context_.search_keyless_tables = !has_keyword(statement, "or") && !has_temporary_;
    std::string text(statement);
    if (const auto count = parse_count(statement)) {
        ASSIGN_OR_RETURN(text, count_rows(statement, *count));
    }
    ASSIGN_OR_RETURN(const StatementHandle prepared, prepare(text));
    return prepared == nullptr ? Status() : write_rows(prepared.get(), writer);
}

Status SqliteSession::run(std::string_view text, ResultWriter& writer) {
    while (!is_blank(text)) {
        const std::size_t size = statement_size(text).value_or(text.size());
        const std::string_view statement = text.substr(0, size);
        if (!is_blank(statement)) {
            RETURN_IF_ERROR(run_statement(statement, writer));
        }
        text.remove_prefix(size);
    }
    return {};
}

std::vector<std::string> SqliteSession::complete(std::string_view before,
                                                 std::string_view prefix) const {
    std::set<std::string> found;
    const auto offer = [&](const std::string& word) {
        if (equal_ignoring_case(std::string_view(word).substr(0, prefix.size()), prefix)) {
            found.insert(word);
        }
    };
    const auto offer_name = [&](const std::string& name) {
        const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '_';
        });
        offer(plain ? name : quoted(name));
    };
    const auto offer_columns = [&](const dict::Table& table) {
        for (const dict::Column& column : table.columns) {
            offer_name(column.name);
        }
    };
    const std::optional<std::string> qualifier = qualifier_at_end(before);
    bool known = false;  // whether there is a database or a table of that name
    for (const dict::Table* table : database_.tables()) {
        if (qualifier && equal_ignoring_case(table->database, *qualifier)) {
            known = true;
            offer_name(table->name);
        }
        if (qualifier && equal_ignoring_case(table->name, *qualifier)) {
            known = true;
            offer_columns(*table);
        }
        if (!qualifier) {
            offer_name(table->database);
            offer_name(table->name);
            offer_columns(*table);
        }
    }
    if (!qualifier) {
        std::for_each(kKeywords.begin(), kKeywords.end(), offer);
    } else if (!known) {
        for (const dict::Table* table : database_.tables()) {
            offer_columns(*table);
        }
    }
    return {found.begin(), found.end()};
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(engine::Database& database, SessionOptions options) {
    auto session = std::make_unique<SqliteSession>(database, std::move(options));
    RETURN_IF_ERROR(session->open());
    return std::unique_ptr<Session>(std::move(session));
}

}  // namespace redoubt::sql
