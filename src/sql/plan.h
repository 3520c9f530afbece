/// How a table is read for what SQLite wants of it: through which index, between which bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dict/table.h"
#include "sql/columns.h"

namespace redoubt::sql {

/// A comparison of a column with a value that will be known when reading begins.
struct Term {
    enum class Operator : std::uint8_t {
        Equal,
        EqualOrNull,  ///< IS, IS NULL: a NULL is looked for as a value is
        Greater,
        GreaterEqual,
        Less,
        LessEqual
    };
    std::size_t column = 0;  ///< in dict::Table::columns
    Operator operation = Operator::Equal;
};

struct OrderTerm {
    std::size_t column = 0;
    bool descending = false;
};

struct Plan {
    std::size_t index = 0;
    bool descending = false;
    std::vector<std::size_t> equal = {};  ///< positions of terms, for the index's first columns
    std::optional<std::size_t> lower =
        {};  ///< for the column after those; may be the same as `upper`
    std::optional<std::size_t> upper = {};
    bool ordered = false;  ///< rows come in the order that was asked for
    bool unique = false;   ///< at most one row
    double cost = 0;       ///< in rows read from the clustered index
    double rows = 0;       ///< expected; a guess, as nothing counts rows
};

/// The cheapest. Terms that cannot be pushed down are left out, and are SQLite's to check, as are
/// all others too: bounds may let more rows in than belong.
Plan choose_plan(const dict::Table& table, const std::vector<ColumnTraits>& traits,
                 const std::vector<Term>& terms, const std::vector<OrderTerm>& order);

/// Of the clustered index, if its columns as SQLite sees them tell rows apart.
bool has_row_identity(const dict::Table& table, const std::vector<ColumnTraits>& traits);

/// The same for the cursor, with no more of the terms than the order of their values: those of
/// `equal_columns`, then lower, then upper (one for both when `point`).
struct CursorPlan {
    std::size_t index = 0;
    bool descending = false;
    std::vector<std::size_t> equal_columns = {};
    std::string nulls = {};  ///< for each of them: 'n' NULL is looked for, 'e' equals nothing
    std::optional<std::size_t> range_column = {};
    bool lower = false;
    bool lower_inclusive = false;
    bool upper = false;
    bool upper_inclusive = false;
    bool point = false;
    std::vector<std::size_t> columns = {};  ///< that will be asked for

    /// "customer: customer = ? AND placed > ?", for EXPLAIN QUERY PLAN.
    std::string words(const dict::Table& table) const;
};

}  // namespace redoubt::sql
