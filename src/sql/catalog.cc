#include "sql/catalog.h"

#include <algorithm>

#include "sql/statement.h"

namespace redoubt::sql {
namespace {

constexpr const char* kHint = "the shell's .tables lists the tables; DATABASE.TABLE names one";

}  // namespace

Catalog::Catalog(const engine::Database& database, std::string default_database)
    : database_(database), default_database_(std::move(default_database)) {
    const auto tables = database.tables();
    for (std::size_t number = 0; number < tables.size(); ++number) {
        const dict::Table& table = *tables[number];
        tables_[table.database].emplace(lower_case(table.name), number);
        schema_of_.emplace(table.database, table.database);
    }
    for (auto& [name, schema] : schema_of_) {
        // SQLite has databases called so itself.
        if (equal_ignoring_case(name, "main") || equal_ignoring_case(name, "temp")) {
            do {
                schema += '_';
            } while (schema_of_.contains(schema));
        }
    }
}

Catalog::Place Catalog::place(std::size_t table) const {
    const dict::Table& found = *database_.tables()[table];
    return {.schema = schema_of_.at(found.database), .name = found.name, .table = table};
}

std::string Catalog::default_schema() const {
    const auto found = schema_of_.find(default_database_);
    return found == schema_of_.end() ? std::string() : found->second;
}

std::optional<std::size_t> Catalog::find_in(std::string_view database,
                                            std::string_view name) const {
    const auto tables = tables_.find(std::string(database));
    if (tables == tables_.end()) {
        return std::nullopt;
    }
    const auto [begin, end] = tables->second.equal_range(lower_case(name));
    for (auto candidate = begin; candidate != end; ++candidate) {
        if (database_.tables()[candidate->second]->name == name) {
            return candidate->second;
        }
    }
    // Names are written in any case, where that is unambiguous, as everywhere in SQLite.
    return begin != end && std::next(begin) == end ? std::optional(begin->second) : std::nullopt;
}

std::vector<std::string> Catalog::databases_named(std::string_view schema) const {
    std::vector<std::string> found;
    for (const auto& [database, attached_as] : schema_of_) {
        if (attached_as == schema) {
            return {database};
        }
        if (equal_ignoring_case(attached_as, schema)) {
            found.push_back(database);
        }
    }
    return found;
}

Error Catalog::not_found(std::string_view name) const {
    for (const engine::RefusedTable& table : database_.refused()) {
        const std::string_view full = table.name;
        const bool bare = full.size() > name.size() && full.ends_with(name) &&
                          full[full.size() - name.size() - 1] == '.';
        if (full == name || bare) {
            return Error(table.reason)
                .with_context(fmt::format("table {} cannot be read", table.name));
        }
    }
    return make_error(ErrorCode::Failure, "no such table: {}", name).with_hint(kHint);
}

Result<std::size_t> Catalog::find_bare(std::string_view name) const {
    if (!default_database_.empty()) {
        if (const auto found = find_in(default_database_, name)) {
            return *found;
        }
        return not_found(name);
    }
    std::vector<std::size_t> found;
    std::string databases;
    for (const auto& [database, tables] : tables_) {
        if (const auto table = find_in(database, name)) {
            found.push_back(*table);
            databases += (databases.empty() ? "" : ", ") + database;
        }
    }
    if (found.size() > 1) {
        return make_error(ErrorCode::Failure, "several databases have a table {}: {}", name,
                          databases)
            .with_hint("write DATABASE.TABLE, or choose a database with --database");
    }
    if (found.empty()) {
        return not_found(name);
    }
    return found.front();
}

Result<std::vector<std::size_t>> Catalog::find(std::string_view name) const {
    std::vector<std::size_t> found;
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos;
         dot = name.find('.', dot + 1)) {
        for (const std::string& database : databases_named(name.substr(0, dot))) {
            if (const auto table = find_in(database, name.substr(dot + 1))) {
                found.push_back(*table);
            }
        }
    }
    auto bare = find_bare(name);
    if (bare) {
        found.push_back(*bare);
    } else if (found.empty()) {
        return std::move(bare.error());
    }
    return found;
}

Result<std::vector<std::size_t>> Catalog::find(const std::optional<std::string>& schema,
                                               std::string_view name) const {
    if (!schema) {
        ASSIGN_OR_RETURN(const std::size_t found, find_bare(name));
        return std::vector{found};
    }
    std::vector<std::size_t> found;
    for (const std::string& database : databases_named(*schema)) {
        if (const auto table = find_in(database, name)) {
            found.push_back(*table);
        }
    }
    if (found.empty()) {
        return not_found(fmt::format("{}.{}", *schema, name));
    }
    return found;
}

std::vector<std::size_t> Catalog::defaults_in(std::string_view statement) const {
    std::vector<std::size_t> found;
    const auto tables = tables_.find(default_database_);
    if (default_database_.empty() || tables == tables_.end()) {
        return found;
    }
    Tokenizer tokens(statement);
    for (Token token = tokens.next(); token.kind != Token::Kind::End; token = tokens.next()) {
        const auto table =
            token.name.empty() ? std::nullopt : find_in(default_database_, token.name);
        if (table && std::find(found.begin(), found.end(), *table) == found.end()) {
            found.push_back(*table);
        }
    }
    return found;
}

Status Catalog::check_case(std::string_view statement, std::size_t table) const {
    const dict::Table& used = *database_.tables()[table];
    const auto [begin, end] = tables_.at(used.database).equal_range(lower_case(used.name));
    for (auto other = begin; other != end; ++other) {
        const std::string& name = database_.tables()[other->second]->name;
        if (other->second != table && mentions(statement, name)) {
            return make_error(ErrorCode::Unsupported,
                              "a statement cannot use both {} and {}, which differ only in case",
                              used.name, name);
        }
    }
    for (const auto& [database, schema] : schema_of_) {
        if (database != used.database && equal_ignoring_case(database, used.database) &&
            mentions(statement, schema)) {
            return make_error(
                ErrorCode::Unsupported,
                "a statement cannot use both databases {} and {}, which differ only in case",
                used.database, database);
        }
    }
    return {};
}

}  // namespace redoubt::sql
