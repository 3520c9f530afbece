/// Which table a name in a statement means. SQLite can have ten databases attached at a time, a
/// directory may have thousands; so a statement is prepared, SQLite says which table it lacks, and
/// that one is made known to it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/database.h"

namespace redoubt::sql {

class Catalog {
public:
    /// `database` outlives the catalog. `default_database` may be empty.
    Catalog(const engine::Database& database, std::string default_database);

    /// A table is known by its position in Database::tables().
    struct Place {
        std::string schema;  ///< the name SQLite attaches its database under
        std::string name;    ///< of the table
        std::size_t table = 0;
    };
    Place place(std::size_t table) const;
    std::string default_schema() const;

    /// What "no such table: NAME" may mean: the same text can be a table's name or a database's and
    /// a table's. Errors: Failure when there is none, or several databases have it; what is wrong
    /// with a table that is refused.
    Result<std::vector<std::size_t>> find(std::string_view name) const;
    Result<std::vector<std::size_t>> find(const std::optional<std::string>& schema,
                                          std::string_view name) const;
    /// Tables of the default database that the statement may mean by their bare names.
    std::vector<std::size_t> defaults_in(std::string_view statement) const;
    /// Error: the statement has two names that differ only in case, which SQLite takes for one.
    Status check_case(std::string_view statement, std::size_t table) const;

private:
    std::optional<std::size_t> find_in(std::string_view database, std::string_view name) const;
    Result<std::size_t> find_bare(std::string_view name) const;
    std::vector<std::string> databases_named(std::string_view schema) const;
    Error not_found(std::string_view name) const;

    const engine::Database& database_;
    std::string default_database_;
    std::map<std::string, std::string> schema_of_;  ///< by database
    /// By database, then by name in lower case.
    std::map<std::string, std::multimap<std::string, std::size_t>> tables_;
};

}  // namespace redoubt::sql
