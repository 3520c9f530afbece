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
    const ColumnType name{.kind = TypeKind::Text, .collation = find_collation(8)};
    EXPECT_EQ(encoded(name, text("a")), "none");  // its order is not known here
    const ColumnType latin{.kind = TypeKind::Text, .collation = find_collation(47)};
    EXPECT_EQ(encoded(latin, text("ab")), "6162");
    EXPECT_EQ(encoded(latin, text("é")), "none");
}

}  // namespace
}  // namespace redoubt::record
