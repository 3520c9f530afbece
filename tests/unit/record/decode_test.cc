// Bytes from docs/formats/records.md and what the server printed for them.
#include "record/decode.h"

#include <gmock/gmock.h>

#include "unit/hex.h"

namespace redoubt::record {
namespace {

using test::from_hex;

std::string shown(const ColumnType& type, std::string_view hex) {
    ValueDecoder decoder(type);
    const auto bytes = from_hex(hex);
    const auto decoded = decoder.decode(bytes);
    if (!decoded) {
        return "error";
    }
    const Value* const value = *decoded;
    switch (value->kind) {
        case Value::Kind::Integer:
            return fmt::format("{}", value->integer);
        case Value::Kind::Unsigned:
            return fmt::format("{}", value->unsigned_integer);
        case Value::Kind::Float:
        case Value::Kind::Double:
            return fmt::format("{}", value->number);
        default:
            return std::string(value->text);
    }
}

TEST(ValueDecoder, DecodesIntegers) {
    const auto integer = [](bool is_unsigned, std::uint32_t size) {
        return ColumnType{.kind = TypeKind::Integer, .is_unsigned = is_unsigned, .size = size};
    };
    EXPECT_EQ(shown(integer(false, 4), "80000003"), "3");
    EXPECT_EQ(shown(integer(false, 4), "7fffffff"), "-1");
    EXPECT_EQ(shown(integer(false, 1), "00"), "-128");
    EXPECT_EQ(shown(integer(false, 8), "0000000000000000"), "-9223372036854775808");
    EXPECT_EQ(shown(integer(true, 8), "ffffffffffffffff"), "18446744073709551615");
    EXPECT_EQ(shown(integer(true, 3), "000102"), "258");
    EXPECT_EQ(shown(integer(false, 4), "8000"), "error");
}

TEST(ValueDecoder, DecodesDecimals) {
    const auto decimal = [](std::uint8_t precision, std::uint8_t digits) {
        return ColumnType{.kind = TypeKind::Decimal,
                          .precision = precision,
                          .digits = digits,
                          .size = static_cast<std::uint32_t>(decimal_size(precision, digits))};
    };
    EXPECT_EQ(shown(decimal(1, 1), "89"), "0.9");
    EXPECT_EQ(shown(decimal(65, 0), "1c" + std::string("c4653600c4653600c4653600c4653600c4653600"
                                                       "c4653600c4653600")),
              "-" + std::string(65, '9'));
    EXPECT_EQ(shown(decimal(10, 3), "8000000c0159"), "12.345");
    EXPECT_EQ(shown(decimal(10, 3), "7ffffff3fea6"), "-12.345");
    EXPECT_EQ(shown(decimal(10, 3), "800000000000"), "0.000");
}

TEST(ValueDecoder, DecodesTemporalTypes) {
    const auto type = [](TypeKind kind, std::uint8_t digits, std::uint32_t size) {
        return ColumnType{.kind = kind, .digits = digits, .size = size};
    };
    EXPECT_EQ(shown(type(TypeKind::Time, 0, 3), "7fffff"), "-00:00:01");
    EXPECT_EQ(shown(type(TypeKind::DateTime, 3, 7), "9967c641461ed2"), "2001-02-03 04:05:06.789");
    EXPECT_EQ(shown(type(TypeKind::DateTime, 0, 5), "8000000000"), "0000-00-00 00:00:00");
    EXPECT_EQ(shown(type(TypeKind::Date, 0, 3), "8fa243"), "2001-02-03");
    EXPECT_EQ(shown(type(TypeKind::Timestamp, 1, 5), "0000000000"), "0000-00-00 00:00:00.0");
    setenv("TZ", "UTC", 1);
    EXPECT_EQ(shown(type(TypeKind::Timestamp, 1, 5), "3a7b837246"), "2001-02-03 04:05:06.7");
    EXPECT_EQ(shown(type(TypeKind::OldTime, 0, 3), "7fffff"), "-00:00:01");
    EXPECT_EQ(shown(type(TypeKind::Year, 0, 1), "64"), "2000");
}

TEST(ValueDecoder, DecodesSetsAndEnums) {
    auto labels = std::make_shared<std::vector<std::string>>();
    for (int i = 1; i <= 17; ++i) {
        labels->push_back(fmt::format("m{}", i));
    }
    const ColumnType set{.kind = TypeKind::Set, .size = 3, .labels = labels};
    EXPECT_EQ(shown(set, "010001"), "m1,m17");
    EXPECT_EQ(shown(set, "000000"), "");
    const auto with_empty =
        std::make_shared<std::vector<std::string>>(std::vector<std::string>{"a", "", "b", ""});
    const ColumnType odd{.kind = TypeKind::Set, .size = 1, .labels = with_empty};
    EXPECT_EQ(shown(odd, "0f"), "a,,b,");
    EXPECT_EQ(shown(odd, "06"), "b");  // no comma where nothing has been shown yet
    // Halves of UCS-2 characters, as the server shows them (a list that ALTER TABLE left behind).
    const auto halves =
        std::make_shared<std::vector<std::string>>(std::vector<std::string>{"-", "a b"});
    const ColumnType mangled{.kind = TypeKind::Set,
                             .size = 1,
                             .collation = find_collation(35),
                             .labels = with_empty,
                             .raw_labels = halves};
    EXPECT_EQ(shown(mangled, "03"), "\u2d00\u2c61\u2062");
    const ColumnType choice{.kind = TypeKind::Enum, .size = 1, .labels = labels};
    EXPECT_EQ(shown(choice, "02"), "m2");
    EXPECT_EQ(shown(choice, "00"), "");
    EXPECT_EQ(shown(choice, "ff"), "");
}

TEST(ValueDecoder, CutsThePaddingOfCharsOnly) {
    const ColumnType fixed{.kind = TypeKind::FixedText, .collation = find_collation(46)};
    const ColumnType free{.kind = TypeKind::Text, .collation = find_collation(46)};
    EXPECT_EQ(shown(fixed, "c3a92020"), "é");
    EXPECT_EQ(shown(free, "c3a92020"), "é  ");
}

TEST(ValueDecoder, DecompressesCompressedColumns) {
    const ColumnType type{.kind = TypeKind::Bytes, .compressed = true};
    EXPECT_EQ(shown(type, ""), "");
    EXPECT_EQ(shown(type, "00616263"), "abc");
    EXPECT_EQ(shown(type, "8a0bb8edc241"), "error");  // cut short
    EXPECT_EQ(shown(type, "8fffffffffffffff00"), "error");
    EXPECT_EQ(shown(type, "70"), "error");
}

// The server stores time-based UUIDs from their last part to the first, and only those.
TEST(ValueDecoder, PutsSwappedUuidsInOrder) {
    const ColumnType type{.kind = TypeKind::Uuid, .size = 16};
    EXPECT_EQ(shown(type, "00a0c91e6bf6a76511d07decf81d4fae"),
              "f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    EXPECT_EQ(shown(type, "c086648bd866f643008944e7b9310689"),
              "c086648b-d866-f643-0089-44e7b9310689");
}

TEST(ValueDecoder, ShortensInet6AsTheServerDoes) {
    const ColumnType type{.kind = TypeKind::Inet6, .size = 16};
    EXPECT_EQ(shown(type, "00000000000000000000000000000000"), "::");
    EXPECT_EQ(shown(type, "00000000000000000000ffffc0000201"), "::ffff:192.0.2.1");
    EXPECT_EQ(shown(type, "20010db8000000000000ff0000428329"), "2001:db8::ff00:42:8329");
}

}  // namespace
}  // namespace redoubt::record
