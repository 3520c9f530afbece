#include "sql/collations.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "record/collation.h"

namespace redoubt::sql {
namespace {

using Compare = int (*)(std::string_view, std::string_view);

/// Each of the texts is less than the next, and a total order.
template <std::size_t kCount>
void expect_ascending(Compare compare, const std::array<std::string_view, kCount>& texts) {
    for (std::size_t left = 0; left < kCount; ++left) {
        for (std::size_t right = 0; right < kCount; ++right) {
            const int expected = left < right ? -1 : left > right ? 1 : 0;
            EXPECT_EQ(compare(texts[left], texts[right]), expected)
                << texts[left] << " and " << texts[right];
        }
    }
}

TEST(CompareDecimal, OrdersNumbersOfAnyLength) {
    expect_ascending<12>(
        compare_decimal,
        {"-1e3", "-10.5", "-10.49", "0", "0.0000000000000000000000000000001", "0.1", "1", "9.00",
         "10", "12345678901234567890.1", "12345678901234567890.2", "word"});
}

TEST(CompareDecimal, KnowsEqualNumbers) {
    for (const auto& [left, right] :
         std::initializer_list<std::pair<const char*, const char*>>{{"1.10", "1.1"},
                                                                    {"-0", "0.00"},
                                                                    {"007", "7"},
                                                                    {"1e3", "1000.0"},
                                                                    {"+5", "5"},
                                                                    {".5", "0.50"},
                                                                    {"5.", "5"},
                                                                    {"0.001", "1e-3"},
                                                                    {"1200", "1.2E+3"}}) {
        EXPECT_EQ(compare_decimal(left, right), 0) << left << ' ' << right;
    }
    for (const char* no_number : {"", "-", ".", "e5", "1e", "1e99999999999", "1.2.3", "1 "}) {
        EXPECT_EQ(compare_decimal("999", no_number), -1) << no_number;
    }
}

TEST(CompareTemporal, FillsUpWithMidnight) {
    expect_ascending<6>(compare_temporal, {"0000-00-00", "2024-05-31 23:59:59", "2024-06-01",
                                           "2024-06-01 00:00:01", "2024-06-01 10", "2024-06-02"});
    EXPECT_EQ(compare_temporal("2024-06-01", "2024-06-01 00:00:00.000000"), 0);
    EXPECT_EQ(compare_temporal("2024-06-01 10:30", "2024-06-01 10:30:00"), 0);
}

TEST(TextOrder, IsTheServersOverUtf8) {
    const auto order = [](std::string_view collation, std::string_view a, std::string_view b) {
        return text_order(collation)->compare_utf8(a, b);
    };
    EXPECT_EQ(order("utf8mb4_bin", "a", "a  "), 0);
    EXPECT_LT(order("utf8mb4_bin", "a\t", "a"), 0);
    EXPECT_LT(order("utf8mb4_nopad_bin", "a", "a "), 0);
    EXPECT_EQ(order("utf8mb4_general_ci", "\u00c4NNE", "anne"), 0);
    // 0x80 is the euro sign in latin1, and its order there is that of the byte.
    EXPECT_LT(order("latin1_bin", "\u20ac", "\u00e4"), 0);
    EXPECT_EQ(order("latin1_swedish_ci", "\u00c4", "\u00e4"), 0);
    EXPECT_LT(order("latin1_swedish_ci", "\u00e4", "\u540d"), 0);  // which latin1 lacks
}

TEST(TextOrder, IsNoneWhereTheRulesAreNotKnown) {
    EXPECT_EQ(text_order("sjis_japanese_ci"), nullptr);
    EXPECT_EQ(text_order("sjis_bin"), nullptr);  // of its bytes, which SQLite does not see
    EXPECT_EQ(text_order("latin1_german2_ci"), nullptr);
    EXPECT_EQ(text_order("none_such"), nullptr);
    EXPECT_EQ(text_order(""), nullptr);
}

}  // namespace
}  // namespace redoubt::sql
