#include "sql/number_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>

namespace redoubt::sql {
namespace {

// What 10.11.19 answered to SELECT over FLOAT, DOUBLE and FLOAT(20,2) columns with these values.
struct Case {
    double value;
    const char* single;
    const char* whole;
    const char* fixed;
};
constexpr Case kCases[] = {
    // NOLINT(*-avoid-c-arrays)
    {0.1, "0.1", "0.1", "0.10"},
    {1.5, "1.5", "1.5", "1.50"},
    {-1.5, "-1.5", "-1.5", "-1.50"},
    {1e20, "1e20", "1e20", "999999984306749400.00"},
    {12345678901.0, "12345700000", "12345678901", "12345678848.00"},
    {1234567, "1234570", "1234567", "1234567.00"},
    {0.0001, "0.0001", "0.0001", "0.00"},
    {1.23456789e-5, "0.0000123457", "0.0000123456789", "0.00"},
    {1e14, "100000000000000", "100000000000000", "100000000376832.00"},
    {1e15, "1e15", "1e15", "999999986991104.00"},
    {1234567890123456.0, "1.23457e15", "1.234567890123456e15", "1234567948140544.00"},
    {12345678901234567.0, "1.23457e16", "1.2345678901234568e16", "12345678407663616.00"},
    {3.4e38, "3.4e38", "3.4e38", "999999984306749400.00"},
    {1e-15, "0.000000000000001", "0.000000000000001", "0.00"},
    {1e-16, "1e-16", "1e-16", "0.00"},
    {1.5e-15, "0.0000000000000015", "0.0000000000000015", "0.00"},
    {999999.5, "1000000", "999999.5", "999999.50"},
    {16777216, "16777200", "16777216", "16777216.00"},
    {99999.95, "100000", "99999.95", "99999.95"},
    {1.17549e-38, "1.17549e-38", "1.17549e-38", "0.00"},
    {1e-45, "1.4013e-45", "1e-45", "0.00"},
    {0, "0", "0", "0.00"},
};

TEST(NumberText, IsAsTheServerPrintsIt) {
    for (const Case& known : kCases) {
        const auto single = static_cast<double>(static_cast<float>(known.value));
        EXPECT_EQ(float_text(single), known.single);
        EXPECT_EQ(double_text(known.value), known.whole);
        // The column clamps to its 18 digits before the point; the float next to that is stored.
        const double clamped = std::min(known.value, 999999999999999999.99);
        EXPECT_EQ(fixed_text(static_cast<double>(static_cast<float>(clamped)), 2), known.fixed);
    }
    EXPECT_EQ(double_text(1e100), "1e100");
    EXPECT_EQ(double_text(DBL_MAX), "1.7976931348623157e308");
    EXPECT_EQ(double_text(5e-324), "5e-324");
    EXPECT_EQ(double_text(2.2250738585072014e-308), "2.2250738585072014e-308");
    EXPECT_EQ(double_text(static_cast<double>(1e20F)), "1.0000000200408773e20");
    EXPECT_EQ(double_text(static_cast<double>(1e-14F)), "0.0000000000000099999998245167");
    EXPECT_EQ(fixed_text(1e20, 3), "100000000000000000000.000");
    EXPECT_EQ(fixed_text(0.1, 3), "0.100");
    EXPECT_EQ(fixed_text(-0.125, 0), "-0");
}

TEST(NumberText, HasWordsForWhatIsNoNumber) {
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(double_text(infinity), "inf");
    EXPECT_EQ(float_text(-infinity), "-inf");
    EXPECT_EQ(fixed_text(infinity, 2), "inf");
}

}  // namespace
}  // namespace redoubt::sql
