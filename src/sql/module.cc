#include "sql/module.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "sql/columns.h"
#include "sql/plan.h"

namespace redoubt::sql {
namespace {

using engine::KeyBound;
using record::Value;

// SQLite's structures come first, as base classes: it hands out pointers to them.
struct VirtualTable : sqlite3_vtab {
    VirtualTable(ModuleContext& owner, const dict::Table& described)
        : sqlite3_vtab{}, context(owner), table(described) {
        for (const dict::Column& column : table.columns) {
            traits.push_back(traits_of(column));
        }
        has_identity = has_row_identity(table, traits);
    }
    ModuleContext& context;
    const dict::Table& table;
    std::vector<ColumnTraits> traits;
    bool has_identity = false;
    /// Made by xBestIndex, known to SQLite by their positions. A table lives for one statement.
    std::vector<CursorPlan> plans = {};
};

/// Remembers the error for the session and tells SQLite its text.
int fail(VirtualTable& table, Error error) {
    sqlite3_free(table.zErrMsg);
    table.zErrMsg = sqlite3_mprintf("%s", error.message().c_str());
    table.context.error = std::move(error);
    return SQLITE_ERROR;
}

struct TableCursor : sqlite3_vtab_cursor {
    explicit TableCursor(VirtualTable& owner) : sqlite3_vtab_cursor{}, table(owner) {}

    int filter(std::size_t number, std::span<sqlite3_value*> arguments);
    int next();
    int column(sqlite3_context* result, std::size_t position);

    VirtualTable& table;
    CursorPlan plan;
    std::vector<bool> announced;    ///< columns of the plan
    std::deque<std::string> texts;  ///< that the bounds refer to
    std::unique_ptr<engine::Cursor> rows;
    bool at_end = true;
    sqlite3_int64 row_number = 0;

private:
    bool set_bounds(std::span<sqlite3_value*> arguments, engine::Scan& scan);
};

/// False: no row can be within them.
bool TableCursor::set_bounds(std::span<sqlite3_value*> arguments, engine::Scan& scan) {
    KeyBound equal;
    std::size_t argument = 0;
    bool known = true;  // a value that no index can be asked for ends the common prefix
    for (; argument < plan.equal_columns.size(); ++argument) {
        sqlite3_value* const value = arguments[argument];
        const ColumnTraits& traits = table.traits[plan.equal_columns[argument]];
        const Bound bound = bound_of(traits, value, BoundSide::Equal, texts);
        if (bound.use == Bound::Use::NoRows ||
            (bound.value.is_null() && bound.use == Bound::Use::Exact &&
             plan.nulls[argument] != 'n')) {
            return false;
        }
        known = known && bound.use != Bound::Use::Unknown;
        if (known) {
            equal.values.push_back(bound.value);
        }
    }
    if (!equal.values.empty()) {
        scan.lower = scan.upper = equal;
    }
    const auto add = [&](BoundSide side, bool inclusive, sqlite3_value* value,
                         std::optional<KeyBound>& target) {
        const Bound bound = bound_of(table.traits[*plan.range_column], value, side, texts);
        if (bound.use == Bound::Use::NoRows || sqlite3_value_type(value) == SQLITE_NULL) {
            return false;
        }
        if (known && bound.use != Bound::Use::Unknown) {
            target = equal;
            target->values.push_back(bound.value);
            target->inclusive = inclusive || bound.use == Bound::Use::Wider;
        }
        return true;
    };
    if (plan.lower &&
        !add(BoundSide::Lower, plan.lower_inclusive, arguments[argument], scan.lower)) {
        return false;
    }
    argument += plan.lower && !plan.point ? 1 : 0;
    return !plan.upper ||
           add(BoundSide::Upper, plan.upper_inclusive, arguments[argument], scan.upper);
}

int TableCursor::filter(std::size_t number, std::span<sqlite3_value*> arguments) {
    plan = table.plans[number];
    announced.assign(table.traits.size(), false);
    for (const std::size_t position : plan.columns) {
        announced[position] = true;
    }
    rows.reset();
    texts.clear();
    row_number = 0;
    at_end = true;
    engine::Scan scan{.table = &table.table,
                      .index = plan.index,
                      .columns = plan.columns,
                      .descending = plan.descending};
    if (!set_bounds(arguments, scan)) {
        return SQLITE_OK;
    }
    auto opened = table.context.database.open(scan);
    if (!opened) {
        return fail(table, std::move(opened.error()));
    }
    rows = std::move(*opened);
    return next();
}

int TableCursor::next() {
    auto moved = rows->next();
    if (!moved) {
        at_end = true;
        return fail(table, std::move(moved.error()));
    }
    at_end = !*moved;
    ++row_number;
    return SQLITE_OK;
}

void set_text(sqlite3_context* result, std::string_view text) {
    sqlite3_result_text64(result, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8);
}

void set_result(sqlite3_context* result, const Value& value) {
    switch (value.kind) {
        case Value::Kind::Null:
        case Value::Kind::NotStored:
            sqlite3_result_null(result);
            break;
        case Value::Kind::Integer:
            sqlite3_result_int64(result, value.integer);
            break;
        case Value::Kind::Unsigned:
            if (value.unsigned_integer <= INT64_MAX) {
                sqlite3_result_int64(result, static_cast<std::int64_t>(value.unsigned_integer));
            } else {
                set_text(result, fmt::format("{}", value.unsigned_integer));
            }
            break;
        case Value::Kind::Float:
        case Value::Kind::Double:
            sqlite3_result_double(result, value.number);
            break;
        case Value::Kind::Decimal:
        case Value::Kind::Text:
            set_text(result, value.text);
            break;
        case Value::Kind::Bytes:
            sqlite3_result_blob64(result, value.text.empty() ? "" : value.text.data(),
                                  value.text.size(), SQLITE_TRANSIENT);
            break;
    }
}

int TableCursor::column(sqlite3_context* result, std::size_t position) {
    if (position == table.traits.size()) {
        sqlite3_result_int(result, rows->uncommitted() ? 1 : 0);
        return SQLITE_OK;
    }
    if (!announced[position]) {
        return fail(table, make_error(ErrorCode::Internal,
                                      "SQLite asks for a column it did not announce: {} of {}",
                                      position, table.table.name));
    }
    const auto value = rows->value(position);
    if (!value) {
        return fail(table, value.error());
    }
    set_result(result, **value);
    if ((*value)->kind == Value::Kind::NotStored) {
        const std::string name = fmt::format("{}.{}.{}", table.table.database, table.table.name,
                                             table.table.columns[position].name);
        if (table.context.note && table.context.noted_columns.insert(name).second) {
            table.context.note(fmt::format(
                "{} is a generated column that no record holds; it is shown as NULL", name));
        }
    }
    return SQLITE_OK;
}

// --- SQLite's calls. ---

VirtualTable& table_of(sqlite3_vtab* table) { return *static_cast<VirtualTable*>(table); }
TableCursor& cursor_of(sqlite3_vtab_cursor* cursor) { return *static_cast<TableCursor*>(cursor); }

/// Of the column that marks rows; one that the table has not.
std::string mark_name(const dict::Table& table) {
    std::string name = kUncommittedColumn;
    const auto is_taken = [&](const dict::Column& column) {
        return sqlite3_stricmp(column.name.c_str(), name.c_str()) == 0;
    };
    while (std::ranges::any_of(table.columns, is_taken)) {
        name += '_';
    }
    return name;
}

std::string declaration(const VirtualTable& table) {
    std::string text = "CREATE TABLE x(";
    for (std::size_t position = 0; position < table.traits.size(); ++position) {
        const ColumnTraits& traits = table.traits[position];
        text += position == 0 ? "" : ", ";
        text += quoted(table.table.columns[position].name) + ' ' + traits.declared_type +
                " COLLATE " + traits.collation;
    }
    if (table.context.marks_uncommitted) {
        text += ", " + quoted(mark_name(table.table)) + " INTEGER";
    }
    if (!table.has_identity) {
        return text + ')';
    }
    // Without a key, SQLite would tell rows apart by a row id (search_keyless_tables).
    text += ", PRIMARY KEY(";
    const std::vector<std::size_t>& key = table.table.indexes.front().columns;
    for (std::size_t part = 0; part < key.size(); ++part) {
        text += (part == 0 ? "" : ", ") + quoted(table.table.columns[key[part]].name);
    }
    return text + ")) WITHOUT ROWID";
}

int connect(sqlite3* connection, void* auxiliary, int count, const char* const* arguments,
            sqlite3_vtab** result, char** message) {
    auto& context = *static_cast<ModuleContext*>(auxiliary);
    const auto tables = context.database.tables();
    const std::string_view number = count > 3 ? arguments[3] : "";
    std::size_t position = tables.size();
    std::from_chars(number.data(), number.data() + number.size(), position);
    if (position >= tables.size()) {
        *message = sqlite3_mprintf("tables of this directory cannot be created");
        return SQLITE_ERROR;
    }
    auto table = std::make_unique<VirtualTable>(context, *tables[position]);
    const int code = sqlite3_declare_vtab(connection, declaration(*table).c_str());
    if (code != SQLITE_OK) {
        *message = sqlite3_mprintf("table %s cannot be shown in SQL: %s", table->table.name.c_str(),
                                   sqlite3_errmsg(connection));
        return code;
    }
    *result = table.release();
    return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
    delete &table_of(table);
    return SQLITE_OK;
}

std::optional<Term::Operator> operator_of(unsigned char operation) {
    switch (operation) {
        case SQLITE_INDEX_CONSTRAINT_EQ:
            return Term::Operator::Equal;
        case SQLITE_INDEX_CONSTRAINT_IS:
        case SQLITE_INDEX_CONSTRAINT_ISNULL:
            return Term::Operator::EqualOrNull;
        case SQLITE_INDEX_CONSTRAINT_GT:
            return Term::Operator::Greater;
        case SQLITE_INDEX_CONSTRAINT_GE:
            return Term::Operator::GreaterEqual;
        case SQLITE_INDEX_CONSTRAINT_LT:
            return Term::Operator::Less;
        case SQLITE_INDEX_CONSTRAINT_LE:
            return Term::Operator::LessEqual;
        default:
            return std::nullopt;
    }
}

struct Request {
    std::vector<Term> terms;
    std::vector<int> constraints;  ///< the position in aConstraint of each term
    std::vector<OrderTerm> order;
};

Request request_of(const VirtualTable& table, sqlite3_index_info& info) {
    Request request;
    const bool search = table.has_identity || table.context.search_keyless_tables;
    for (int position = 0; search && position < info.nConstraint; ++position) {
        const auto& constraint = info.aConstraint[position];
        const auto operation = operator_of(constraint.op);
        const auto column = static_cast<std::size_t>(constraint.iColumn);
        if (constraint.usable == 0 || !operation || constraint.iColumn < 0 ||
            column >= table.traits.size()) {
            continue;
        }
        // x = 'a' COLLATE NOCASE is another comparison than the index's.
        if (sqlite3_stricmp(sqlite3_vtab_collation(&info, position),
                            table.traits[column].collation.c_str()) == 0) {
            request.terms.push_back({.column = column, .operation = *operation});
            request.constraints.push_back(position);
        }
    }
    for (int position = 0; position < info.nOrderBy; ++position) {
        const auto& order = info.aOrderBy[position];
        const auto column = static_cast<std::size_t>(order.iColumn);
        if (order.iColumn < 0 || column >= table.traits.size()) {
            // By row id, which means nothing here, or by what no index has.
            request.order.clear();
            break;
        }
        request.order.push_back({.column = column, .descending = order.desc != 0});
    }
    return request;
}

/// Of `used`, a bit for each of the first columns, the last bit for all the others; with the key,
/// which SQLite also reads to tell rows apart when it takes a union of index searches.
std::vector<std::size_t> columns_used(const VirtualTable& table, std::uint64_t used,
                                      bool with_key) {
    constexpr std::size_t kLastBit = 63;
    std::vector<std::size_t> columns;
    const auto& key = table.table.indexes;
    for (std::size_t position = 0; position < table.traits.size(); ++position) {
        const bool wanted = ((used >> std::min(position, kLastBit)) & 1) != 0;
        const bool in_key = with_key && table.has_identity &&
                            std::find(key.front().columns.begin(), key.front().columns.end(),
                                      position) != key.front().columns.end();
        if (wanted || in_key) {
            columns.push_back(position);
        }
    }
    return columns;
}

int best_index(sqlite3_vtab* vtab, sqlite3_index_info* info) {
    VirtualTable& table = table_of(vtab);
    const Request request = request_of(table, *info);
    const Plan plan = choose_plan(table.table, table.traits, request.terms, request.order);

    CursorPlan cursor{.index = plan.index, .descending = plan.descending};
    int argument = 0;
    const auto use = [&](std::size_t term) {
        info->aConstraintUsage[request.constraints[term]].argvIndex = ++argument;
    };
    for (const std::size_t term : plan.equal) {
        use(term);
        cursor.equal_columns.push_back(request.terms[term].column);
        cursor.nulls += request.terms[term].operation == Term::Operator::EqualOrNull ? 'n' : 'e';
    }
    if (plan.lower) {
        use(*plan.lower);
        cursor.range_column = request.terms[*plan.lower].column;
        cursor.lower = true;
        cursor.lower_inclusive = request.terms[*plan.lower].operation != Term::Operator::Greater;
        cursor.point = plan.lower == plan.upper;
    }
    if (plan.upper) {
        if (!cursor.point) {
            use(*plan.upper);
        }
        cursor.range_column = request.terms[*plan.upper].column;
        cursor.upper = true;
        cursor.upper_inclusive = request.terms[*plan.upper].operation != Term::Operator::Less;
    }
    cursor.columns = columns_used(table, info->colUsed, argument != 0);
    info->idxStr = sqlite3_mprintf("%s", cursor.words(table.table).c_str());
    info->idxNum = static_cast<int>(table.plans.size());
    table.plans.push_back(std::move(cursor));
    info->needToFreeIdxStr = 1;
    info->orderByConsumed = plan.ordered ? 1 : 0;
    info->estimatedCost = plan.cost;
    info->estimatedRows = static_cast<sqlite3_int64>(plan.rows);
    info->idxFlags = plan.unique ? SQLITE_INDEX_SCAN_UNIQUE : 0;
    return info->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int open_cursor(sqlite3_vtab* table, sqlite3_vtab_cursor** result) {
    *result = std::make_unique<TableCursor>(table_of(table)).release();
    return SQLITE_OK;
}
int close_cursor(sqlite3_vtab_cursor* cursor) {
    delete &cursor_of(cursor);
    return SQLITE_OK;
}
int filter_rows(sqlite3_vtab_cursor* cursor, int plan, const char*, int count,
                sqlite3_value** arguments) {
    return cursor_of(cursor).filter(static_cast<std::size_t>(plan),
                                    {arguments, static_cast<std::size_t>(count)});
}
int next_row(sqlite3_vtab_cursor* cursor) { return cursor_of(cursor).next(); }
int at_end(sqlite3_vtab_cursor* cursor) { return cursor_of(cursor).at_end ? 1 : 0; }
int column_value(sqlite3_vtab_cursor* cursor, sqlite3_context* result, int position) {
    return cursor_of(cursor).column(result, static_cast<std::size_t>(position));
}
/// Asked for where a table has no key. The rows of one scan differ, those of two are not
/// comparable.
int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* result) {
    TableCursor& rows = cursor_of(cursor);
    if (!rows.plan.equal_columns.empty() || rows.plan.range_column) {
        return fail(rows.table, make_error(ErrorCode::Unsupported,
                                           "rows of table {} have no ids: it has no key",
                                           rows.table.table.name));
    }
    *result = rows.row_number;
    return SQLITE_OK;
}

/// No xUpdate: SQLite refuses to change such tables.
constexpr sqlite3_module make_module() {
    sqlite3_module module{};
    module.iVersion = 1;
    module.xCreate = connect;
    module.xConnect = connect;
    module.xBestIndex = best_index;
    module.xDisconnect = disconnect;
    module.xDestroy = disconnect;
    module.xOpen = open_cursor;
    module.xClose = close_cursor;
    module.xFilter = filter_rows;
    module.xNext = next_row;
    module.xEof = at_end;
    module.xColumn = column_value;
    module.xRowid = row_id;
    return module;
}

constexpr sqlite3_module kModule = make_module();

}  // namespace

int register_module(sqlite3* connection, ModuleContext& context) {
    return sqlite3_create_module_v2(connection, kModuleName, &kModule, &context, nullptr);
}

}  // namespace redoubt::sql
