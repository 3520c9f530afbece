/// The orders SQLite is given for texts of ours, so that it compares them as MariaDB does.
/// Every one is a total order over any bytes: statements may compare anything with anything.
#pragma once

#include <string_view>

struct sqlite3;

namespace redoubt::record {
class Comparator;
}

namespace redoubt::sql {

/// Names of SQLite collations. Those of the server's collations are as in the server.
inline constexpr const char* kDecimalCollation = "redoubt_decimal";
inline constexpr const char* kTemporalCollation = "redoubt_temporal";

/// Exact comparison of decimal numbers of any length ("-1.10", "5", "1e3"); what is no number
/// comes after all numbers, as bytes. Below 0, 0 or above.
int compare_decimal(std::string_view left, std::string_view right);
/// DATE, DATETIME, TIMESTAMP as texts; of a shorter one the rest is taken as midnight, as in the
/// server: "2024-06-01" equals "2024-06-01 00:00:00.000000".
int compare_temporal(std::string_view left, std::string_view right);
/// Of a collation of the server's that orders UTF-8 here; null: SQLite compares bytes.
const record::Comparator* text_order(std::string_view collation);

/// Makes them known to a connection. Returns SQLite's result code.
int register_collations(sqlite3* connection);

}  // namespace redoubt::sql
