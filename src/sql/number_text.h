/// Floating-point numbers as MariaDB prints them: shortest digits, an exponent only beyond 15
/// places. Learnt from 10.11's answers to SELECT over FLOAT and DOUBLE columns (tests/unit/sql).
#pragma once

#include <string>

namespace redoubt::sql {

/// A FLOAT: at most six significant digits. 1.5, 1e20, 1.23457e15.
std::string float_text(double value);
/// A DOUBLE: the fewest digits that read back as the same number. 0.1, 1e100.
std::string double_text(double value);
/// A FLOAT(M,D) or DOUBLE(M,D): always `decimals` places. 1.50.
std::string fixed_text(double value, int decimals);

}  // namespace redoubt::sql
