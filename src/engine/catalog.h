/// The tables of a directory: both dictionaries read and joined, each table checked to be where
/// they say.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dict/stored_table.h"
#include "engine/database.h"
#include "engine/spaces.h"
#include "undo/transactions.h"

namespace redoubt::engine {

struct Catalog {
    std::vector<std::unique_ptr<dict::StoredTable>> tables;  ///< in order of database and name
    std::vector<RefusedTable> refused;
    std::vector<std::string> notes;  ///< of tables that the server has otherwise than InnoDB
};

enum class CatalogScope : std::uint8_t {
    Served,  ///< what users know as tables
    All,     ///< also FULLTEXT's own
};

/// What NAME.frm says; absent: there is none, or it is a view's. Errors: Corruption, Unsupported,
/// Io.
Result<std::optional<dict::Frm>> read_frm(io::Directory& directory, const std::string& name);

/// Errors: Corruption where InnoDB's dictionary cannot be read; Io; Key; Cancelled.
Result<Catalog> read_catalog(io::Directory& directory, Spaces& spaces,
                             const undo::Transactions& transactions, const DatabaseOptions& options,
                             CatalogScope scope = CatalogScope::Served);

}  // namespace redoubt::engine
