// Records of docs/formats/undo.md, at the places they had on their page.
#include "undo/record.h"

#include <gmock/gmock.h>

#include "unit/hex.h"

namespace redoubt::undo {
namespace {

using test::from_hex;
using test::put;

TEST(RecordReader, ReadsEveryFormOfNumber) {
    const auto number = [](std::string_view hex) {
        const auto bytes = from_hex(hex);
        return RecordReader(bytes).compressed().value_or(4711);
    };
    EXPECT_EQ(number("00"), 0U);
    EXPECT_EQ(number("7f"), 0x7FU);
    EXPECT_EQ(number("9078"), 0x1078U);
    EXPECT_EQ(number("de0000"), 0x1E0000U);
    EXPECT_EQ(number("e0840000"), 0x840000U);
    EXPECT_EQ(number("f0ffffbfff"), 0xFFFFBFFFU);
    EXPECT_EQ(number("fbff"), 0xFFFFFFFFU);
    EXPECT_EQ(number("fdc013"), 0xFFFFC013U);
    EXPECT_EQ(number("f1"), 4711U);    // no number begins so
    EXPECT_EQ(number("e084"), 4711U);  // cut short
    EXPECT_EQ(number(""), 4711U);
}

TEST(RecordReader, ReadsEveryFormOfValue) {
    const auto null = from_hex("fbff");
    RecordReader null_reader(null);
    EXPECT_TRUE(read_value(null_reader)->null);
    const auto external = from_hex("fdc013" + std::string(38, '0') + "ab");
    RecordReader external_reader(external);
    const auto value = read_value(external_reader);
    ASSERT_TRUE(value);
    EXPECT_TRUE(value->external);
    EXPECT_EQ(value->bytes.size(), 20U);
    EXPECT_FALSE(value->original_size);
    const auto longer = from_hex("f0ffffbfff149014" + std::string(80, '1'));
    RecordReader longer_reader(longer);
    const auto prefixed = read_value(longer_reader);
    ASSERT_TRUE(prefixed);
    EXPECT_EQ(prefixed->original_size, 20U);
    EXPECT_EQ(prefixed->bytes.size(), 20U);
}

TEST(ReadHead, ReadsAnUpdate) {
    std::vector<std::byte> page(4096);
    put(page, 0x11c, "01450c0112000000000013e08400000134011004800000010103048000000a");
    RecordReader body({});
    const auto head = read_head(page, 0x11c, body);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->next, 0x145);
    EXPECT_EQ(head->type(), RecordType::Update);
    EXPECT_EQ(head->number, 1U);
    EXPECT_EQ(head->table_id, 18U);
    EXPECT_EQ(*body.u8(), 0);
    EXPECT_EQ(*body.compressed64(), 19U);
    EXPECT_EQ(*body.compressed64(), 0x00840000'01340110U);
}

TEST(ReadHead, RefusesRecordsThatLeaveThePage) {
    std::vector<std::byte> page(4096);
    RecordReader body({});
    EXPECT_FALSE(read_head(page, 10, body));
    EXPECT_FALSE(read_head(page, 4090, body));
    EXPECT_FALSE(read_head(page, 60000, body));
    put(page, 100, "0064");  // ends where it begins
    EXPECT_FALSE(read_head(page, 100, body));
    put(page, 100, "ffff");
    EXPECT_FALSE(read_head(page, 100, body));
}

}  // namespace
}  // namespace redoubt::undo
