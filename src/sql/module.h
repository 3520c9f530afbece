/// The SQLite module "redoubt": one virtual table for each table of a directory, read-only.
/// CREATE VIRTUAL TABLE "db"."t" USING redoubt(N), N being a position in Database::tables().
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/database.h"

struct sqlite3;

namespace redoubt::sql {

inline constexpr const char* kModuleName = "redoubt";
/// 1 in rows that a transaction has changed that never committed, else 0. Underscores are added
/// where a table has such a column of its own.
inline constexpr const char* kUncommittedColumn = "_uncommitted";

/// What the module's tables and their connection's session share. Used by one thread.
struct ModuleContext {
    engine::Database& database;
    std::function<void(std::string_view)> note = {};
    /// Why the engine gave up; SQLite only knows its message.
    std::optional<Error> error = {};
    std::set<std::string> noted_columns = {};
    /// For "a = 1 OR b = 2" SQLite may search one index after the other, and leave out by their row
    /// ids rows that it has had. Tables without a key have none; nothing tells a table that it is
    /// asked for such a plan. So a statement with an OR clears this, and reads those tables whole.
    bool search_keyless_tables = true;
    /// Each table has one more column, kUncommittedColumn.
    bool marks_uncommitted = false;
};

/// `context` outlives the connection. Returns SQLite's result code.
int register_module(sqlite3* connection, ModuleContext& context);

}  // namespace redoubt::sql
