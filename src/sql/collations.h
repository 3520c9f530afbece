/// The orders SQLite is given for texts of ours, so that it compares them as MariaDB does.
/// Every one is a total order over any bytes: statements may compare anything with anything.
#pragma once

#include <string_view>

struct sqlite3;

namespace redoubt::sql {

/// Names of SQLite collations.
inline constexpr const char* kDecimalCollation = "redoubt_decimal";
inline constexpr const char* kTemporalCollation = "redoubt_temporal";
inline constexpr const char* kPaddedCollation = "redoubt_padded";

/// Exact comparison of decimal numbers of any length ("-1.10", "5", "1e3"); what is no number
/// comes after all numbers, as bytes. Below 0, 0 or above.
int compare_decimal(std::string_view left, std::string_view right);
/// DATE, DATETIME, TIMESTAMP as texts; of a shorter one the rest is taken as midnight, as in the
/// server: "2024-06-01" equals "2024-06-01 00:00:00.000000".
int compare_temporal(std::string_view left, std::string_view right);
/// Bytes, the shorter one filled up with spaces: utf8mb4_bin and the like (PAD SPACE).
int compare_padded(std::string_view left, std::string_view right);

/// Makes them known to a connection. Returns SQLite's result code.
int register_collations(sqlite3* connection);

}  // namespace redoubt::sql
