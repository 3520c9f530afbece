#include "record/compare.h"

#include <gmock/gmock.h>

#include "record/decode.h"
#include "unit/hex.h"

namespace redoubt::record {
namespace {

using test::to_hex;

Field field_of(const std::string& bytes) {
    return {.data = static_cast<const std::byte*>(static_cast<const void*>(bytes.data())),
            .size = static_cast<std::uint32_t>(bytes.size())};
}

int compared(const ColumnType& type, const std::string& a, const std::string& b,
             bool descending = false) {
    FieldLayout layout{.descending = descending};
    layout.type = &type;
    const int order = compare_fields(layout, field_of(a), field_of(b));
    return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

std::string encoded(const ColumnType& type, const Value& value) {
    std::string out;
    return encode_key(type, value, out) ? to_hex(std::as_bytes(std::span<const char>(out)))
                                        : "none";
}

Value integer(std::int64_t number) { return {.kind = Value::Kind::Integer, .integer = number}; }
Value text(std::string_view value) { return {.kind = Value::Kind::Text, .text = value}; }

TEST(CompareFields, PadsTextButNotBytes) {
    const ColumnType padded{.kind = TypeKind::Text, .collation = find_collation(46)};
    const ColumnType no_pad{.kind = TypeKind::Text, .collation = find_collation(1070)};
    const ColumnType bytes{.kind = TypeKind::Bytes};
    EXPECT_EQ(compared(padded, "a", "a  "), 0);
    EXPECT_EQ(compared(padded, "a\t", "a"), -1);
    EXPECT_EQ(compared(padded, "a", "ab"), -1);
    EXPECT_EQ(compared(no_pad, "a", "a "), -1);
    EXPECT_EQ(compared(bytes, "a", "a "), -1);
    EXPECT_EQ(compared(bytes, "a", "b", /*descending=*/true), 1);
}

TEST(CompareFields, FollowsTheCollation) {
    const ColumnType swedish{.kind = TypeKind::Text, .collation = find_collation(8)};
    EXPECT_EQ(compared(swedish, "ABC", "abc "), 0);
    EXPECT_EQ(compared(swedish, "\xE4", "Z"), 1);
    const ColumnType unicode{.kind = TypeKind::FixedText, .collation = find_collation(1248)};
    EXPECT_EQ(compared(unicode, "ab   ", "AB   "), 0);
    EXPECT_EQ(compared(unicode, "ab   ", "ab\t  "),
              1);  // CHARs are filled up before the end counts
}

TEST(CompareFields, PutsNullFirst) {
    const ColumnType type{.kind = TypeKind::Bytes};
    FieldLayout layout{};
    layout.type = &type;
    EXPECT_LT(compare_fields(layout, {.null = true}, field_of("")), 0);
    EXPECT_EQ(compare_fields(layout, {.null = true}, {.null = true}), 0);
}

TEST(EncodeKey, EncodesWhatFitsExactly) {
    const ColumnType small{.kind = TypeKind::Integer, .size = 1};
    EXPECT_EQ(encoded(small, integer(-128)), "00");
    EXPECT_EQ(encoded(small, integer(127)), "ff");
    EXPECT_EQ(encoded(small, integer(128)), "none");
    EXPECT_EQ(encoded(small, text("1")), "none");
    const ColumnType big{.kind = TypeKind::Integer, .is_unsigned = true, .size = 8};
    EXPECT_EQ(encoded(big, integer(-1)), "none");
    EXPECT_EQ(encoded(big, integer(258)), "0000000000000102");
    const ColumnType decimal{.kind = TypeKind::Decimal,
                             .precision = 10,
                             .digits = 3,
                             .size = static_cast<std::uint32_t>(decimal_size(10, 3))};
    EXPECT_EQ(encoded(decimal, text("-12.345")), "7ffffff3fea6");
    EXPECT_EQ(encoded(decimal, integer(12)), "8000000c0000");
    EXPECT_EQ(encoded(decimal, text("0.0001")), "none");
    const ColumnType date{.kind = TypeKind::Date, .size = 3};
    EXPECT_EQ(encoded(date, text("2001-02-03")), "8fa243");
    EXPECT_EQ(encoded(date, text("2001-02-03 04:00:00")), "none");
    const ColumnType moment{.kind = TypeKind::DateTime, .digits = 3, .size = 7};
    EXPECT_EQ(encoded(moment, text("2001-02-03 04:05:06.789")), "9967c641461ed2");
    EXPECT_EQ(encoded(moment, text("2001-02-03 04:05:06.7891")), "none");
    const ColumnType foreign{.kind = TypeKind::Text, .collation = find_collation(31)};
    EXPECT_EQ(encoded(foreign, text("a")), "none");  // latin1_german2_ci: its order is not known
    const ColumnType latin{.kind = TypeKind::Text, .collation = find_collation(47)};
    EXPECT_EQ(encoded(latin, text("ab")), "6162");
    EXPECT_EQ(encoded(latin, text("é")), "e9");
    EXPECT_EQ(encoded(latin, text("名")), "none");
}

// An entry whose value is shorter than the row's stands for another value, unless it was cut there.
TEST(IsPrefixOf, OfALongerValueAnEntryHasAsManyCharactersAsFit) {
    const auto holds = [](std::string_view collation_of, std::uint16_t prefix,
                          std::string_view entry, std::string_view value) {
        const ColumnType type{.kind = TypeKind::Text, .collation = default_collation(collation_of)};
        const FieldLayout layout{.prefix = prefix, .type = &type};
        const auto field = [](std::string_view text) {
            return Field{
                .data = static_cast<const std::byte*>(static_cast<const void*>(text.data())),
                .size = static_cast<std::uint32_t>(text.size())};
        };
        return is_prefix_of(layout, field(entry), field(value));
    };
    EXPECT_TRUE(holds("latin1", 3, "ab", "ab"));
    EXPECT_FALSE(holds("latin1", 3, "ab", "abc"));
    EXPECT_TRUE(holds("latin1", 3, "abc", "abcd"));
    EXPECT_FALSE(holds("latin1", 3, "abc", "abd"));
    EXPECT_TRUE(holds("latin1", 3, "ABC", "abcd")) << "latin1_swedish_ci";
    EXPECT_FALSE(holds("latin1", 3, "abc", "ab"));
    EXPECT_TRUE(holds("utf8mb4", 12, "abc", "abcd"));
    EXPECT_TRUE(holds("utf8mb4", 12, "aé日", "aé日x"));
    EXPECT_FALSE(holds("utf8mb4", 12, "aé", "aé日x"));
    EXPECT_TRUE(holds("ucs2", 4, "0a0b", "0a0b0c"));
    EXPECT_FALSE(holds("ucs2", 4, "0a", "0a0b0c"));
    EXPECT_TRUE(holds("sjis", 4,
                      "\x83\x41"
                      "b",
                      "\x83\x41"
                      "bc"));
    EXPECT_FALSE(holds("sjis", 4, "b", "bc"));
    const auto utf16 = [&](std::string_view entry, std::string_view value) {
        return holds("utf16", 8, entry, value);  // two characters
    };
    using namespace std::string_view_literals;
    EXPECT_TRUE(utf16("\0a\0b"sv, "\0a\0b\0c\0d"sv));
    EXPECT_TRUE(utf16("\xd8\x3d\xde\0\0b"sv, "\xd8\x3d\xde\0\0b\0c"sv));
    EXPECT_FALSE(utf16("\xd8\x3d\xde\0"sv, "\xd8\x3d\xde\0\0b\0c"sv));
}

}  // namespace
}  // namespace redoubt::record
