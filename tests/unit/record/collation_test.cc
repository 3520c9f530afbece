#include "record/collation.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "record/charset.h"

namespace redoubt::record {
namespace {

using namespace std::string_literals;

TextBytes bytes_of(const std::string& text) { return std::as_bytes(std::span<const char>(text)); }
int sign(int order) { return order < 0 ? -1 : (order > 0 ? 1 : 0); }

int compared(std::string_view collation, const std::string& a, const std::string& b) {
    return sign(comparator_of(*find_collation(collation))->compare(bytes_of(a), bytes_of(b)));
}
int filled(std::string_view collation, const std::string& a, const std::string& b) {
    const Comparator* const order = comparator_of(*find_collation(collation));
    return sign(order->compare_filled(bytes_of(a), bytes_of(b)));
}

// What STRCMP() of 10.11.19 says; interop/collations.py asks it a hundred thousand times more.
TEST(Comparator, FollowsTheServer) {
    struct Fact {
        const char* collation;
        std::string a;
        std::string b;
        int order;
    };
    const std::vector<Fact> facts = {
        {"latin1_swedish_ci", "\xC4", "\xE4", 0},
        {"latin1_swedish_ci", "z", "\xE5", -1},
        {"latin1_general_cs", "a", "A", 1},
        {"latin7_estonian_cs", "", "\x98", 1},  // weighs less than a space
        {"utf8mb4_general_ci", "\u00df", "s", 0},
        {"utf8mb3_general_mysql500_ci", "\u00df", "s", 1},
        {"utf8mb4_general_ci", "\U0001F600", "\U0001D49C", 0},  // all beyond 16 bits weigh the same
        {"utf8mb4_general_ci", "a", "A  ", 0},
        {"utf8mb4_general_nopad_ci", "a", "A ", -1},
        {"utf8mb4_unicode_ci", "\u00df", "ss", 0},
        {"utf8mb4_unicode_ci", "\U0001F600", "\U0001D49C", 0},
        {"utf8mb4_unicode_520_ci", "\U0001F600", "\U0001D49C", 1},
        {"utf8mb4_unicode_ci", "a\u0301", "A", 0},
        {"utf8mb4_uca1400_ai_ci", "\u00c9", "e", 0},
        {"utf8mb4_uca1400_as_ci", "\u00c9", "e", 1},
        {"utf8mb4_uca1400_as_ci", "\u00c9", "\u00e9", 0},
        {"utf8mb4_uca1400_as_cs", "\u00c9", "\u00e9", 1},
        {"utf8mb4_uca1400_as_cs", "Ab", "ac", -1},  // case counts last
        {"utf8mb4_swedish_ci", "\u00e5", "z", 1},
        {"utf8mb4_czech_ci", "ch", "h", 1},
        {"utf8mb4_uca1400_croatian_ai_ci", "lj", "lz", 1},
        {"utf8mb4_uca1400_ai_ci", "l\u00b7", "l", 0},  // a contraction
        {"utf8mb4_uca1400_nopad_ai_ci", "\u00ad", "", 0},
        {"utf8mb4_uca1400_nopad_ai_cs", "a\u20dd", "a", 0},  // only here without a third level
        {"utf8mb4_uca1400_nopad_as_cs", "a\u20dd", "a", 1},
        {"ucs2_general_ci", "\0a"s, "\0A"s, 0},
        {"utf16le_general_ci", "a\0"s, "A\0"s, 0},
        {"utf16_bin", "\xD8\x3D\xDE\x00"s, "\xFF\xFD"s, 1},
        {"utf32_uca1400_ai_ci", "\0\0\0a"s, "\0\0\0A"s, 0},
        {"sjis_bin", "a", "a ", 0},
    };
    for (const Fact& fact : facts) {
        SCOPED_TRACE(fact.collation);
        EXPECT_EQ(compared(fact.collation, fact.a, fact.b), fact.order);
        EXPECT_EQ(compared(fact.collation, fact.b, fact.a), -fact.order);
    }
}

// From the order of unique indexes on CHAR(5) and CHAR(4), as stored.
TEST(Comparator, FillsCharsUpAsTheServerDoes) {
    const std::string e = "\u00e9";
    const std::string accent = "\u0301";
    EXPECT_EQ(filled("utf8mb4_nopad_bin", e + e, e + e + "\t"), 1);
    EXPECT_EQ(filled("utf8mb4_general_nopad_ci", "ee   ", e + e + " "), 0);
    EXPECT_EQ(filled("utf8mb4_uca1400_nopad_ai_ci", e + e + " ", e + e + accent), 1);
    EXPECT_EQ(filled("utf8mb4_uca1400_nopad_ai_ci", e + e + e, e + e + e + accent), 0);
    EXPECT_EQ(filled("utf8mb4_uca1400_nopad_as_ci", e + e + e, e + e + e + accent), -1);
    EXPECT_EQ(filled("utf8mb4_uca1400_nopad_ai_ci", e + accent + e + e, e + e + e), -1);
    EXPECT_EQ(filled("utf8mb4_uca1400_as_cs", "a    ", "a" + accent + "  "), -1);
}

TEST(Comparator, IsNoneWhereTheRulesAreNotKnown) {
    for (const char* name :
         {"latin1_german2_ci", "latin2_czech_cs", "cp1250_czech_cs", "tis620_thai_ci",
          "sjis_japanese_ci", "utf8mb4_myanmar_ci", "utf8mb4_thai_520_w2", "binary"}) {
        EXPECT_EQ(comparator_of(*find_collation(name)), nullptr) << name;
    }
}

/// All strings of up to two bytes of some, in every charset: no crash, and a total order.
TEST(Comparator, OrdersAnyBytes) {
    const std::string some("\0 a\x7F\x80\xBF\xC2\xD8\xDC\xE0\xF0\xFF", 12);
    std::vector<std::string> texts = {""};
    for (const char a : some) {
        texts.emplace_back(1, a);
        for (const char b : some) {
            texts.push_back({a, b});
            texts.push_back({a, b, a, b, a});
        }
    }
    for (const char* name :
         {"utf8mb4_bin", "latin1_swedish_ci", "utf8mb3_general_ci", "utf8mb4_general_nopad_ci",
          "ucs2_general_ci", "utf16_general_ci", "utf16le_bin", "utf32_bin",
          "utf8mb4_uca1400_nopad_as_cs", "utf16_unicode_ci", "utf32_unicode_520_nopad_ci"}) {
        SCOPED_TRACE(name);
        for (std::size_t i = 1; i < texts.size(); ++i) {
            const std::string& a = texts[i - 1];
            const std::string& b = texts[i];
            const std::string& c = texts[(i * 7) % texts.size()];
            EXPECT_EQ(compared(name, a, b), -compared(name, b, a));
            if (compared(name, a, b) <= 0 && compared(name, b, c) <= 0) {
                EXPECT_LE(compared(name, a, c), 0);
            }
            filled(name, a, b);
        }
    }
}

TEST(EncodeText, GivesWhatAColumnHolds) {
    const auto encoded = [](std::string_view charset, std::string_view text) {
        std::string out;
        return encode_text(*default_collation(charset)->charset, text, out) ? out : "none"s;
    };
    EXPECT_EQ(encoded("latin1", "\u00e4\u20ac"), "\xE4\x80");
    EXPECT_EQ(encoded("latin1", "\u540d"), "none");
    EXPECT_EQ(encoded("ascii", "\u00e4"), "none");
    EXPECT_EQ(encoded("utf8mb3", "\u540d"), "\u540d");
    EXPECT_EQ(encoded("utf8mb3", "\U0001F600"), "none");
    EXPECT_EQ(encoded("utf8mb4", "\U0001F600"), "\U0001F600");
    EXPECT_EQ(encoded("utf8mb4", "\xC3"), "none");
    EXPECT_EQ(encoded("ucs2", "\u540d"), "\x54\x0D");
    EXPECT_EQ(encoded("ucs2", "\U0001F600"), "none");
    EXPECT_EQ(encoded("utf16", "\U0001F600"), "\xD8\x3D\xDE\x00"s);
    EXPECT_EQ(encoded("utf16le", "a"), "a\0"s);
    EXPECT_EQ(encoded("utf32", "a"), "\0\0\0a"s);
    EXPECT_EQ(encoded("sjis", "a"), "a");
    EXPECT_EQ(encoded("sjis", "\u540d"), "none");
}

}  // namespace
}  // namespace redoubt::record
