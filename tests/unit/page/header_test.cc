#include "page/header.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "unit/hex.h"

namespace redoubt::page {
namespace {

TEST(HeaderView, ReadsTheHeaderOfARealPage) {
    // page 1 of a fresh ibdata1
    const std::vector<std::byte> page = test::from_hex(
        "0000000000000001ffffffffffffffff00000000000031f70005000000000000000000000000");
    const HeaderView header(page);
    EXPECT_EQ(header.number(), PageNo{1});
    EXPECT_EQ(header.previous(), kNoPage);
    EXPECT_EQ(header.next(), kNoPage);
    EXPECT_EQ(header.lsn(), Lsn{0x31F7});
    EXPECT_EQ(header.type(), static_cast<std::uint16_t>(PageType::ChangeBufferBitmap));
    EXPECT_EQ(header.space(), kSystemSpace);
}

TEST(HeaderView, TellsItsFieldsApart) {
    const std::vector<std::byte> page = test::from_hex(
        "01020304"
        "11121314"
        "21222324"
        "31323334"
        "4142434445464748"
        "45bf"
        "61626364"
        "71727374"
        "81828384");
    const HeaderView header(page);
    EXPECT_EQ(header.number(), PageNo{0x11121314});
    EXPECT_EQ(header.previous(), PageNo{0x21222324});
    EXPECT_EQ(header.next(), PageNo{0x31323334});
    EXPECT_EQ(header.lsn(), Lsn{0x4142434445464748});
    EXPECT_EQ(header.type(), 17855);
    EXPECT_EQ(header.space(), SpaceId{0x81828384});
    EXPECT_EQ(Header::KeyVersion::get(std::span(page)), 0x01020304U);
    EXPECT_EQ(Header::OldKeyVersion::get(std::span(page)), 0x61626364U);
    EXPECT_EQ(Header::PostEncryption::get(std::span(page)), 0x71727374U);
}

TEST(Header, InitialisedPageHoldsOnlyItsNumberLinksAndSpace) {
    std::vector<std::byte> page(1024, std::byte{0xA5});
    initialise(page, {SpaceId{0x23}, PageNo{7}});
    std::vector<std::byte> expected(1024);
    test::put(expected, 4, "00000007ffffffffffffffff");
    test::put(expected, 34, "00000023");
    EXPECT_EQ(page, expected);
}

TEST(PageTypes, IndexPagesAreBTreesAndRTreesAndInstantRoots) {
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{18, 17854, 17855}) {
        EXPECT_TRUE(is_index_type(type)) << type;
    }
    for (const std::uint16_t type :
         std::initializer_list<std::uint16_t>{0, 2, 3, 5, 6, 8, 10, 12, 34354, 37401, 0x8001}) {
        EXPECT_FALSE(is_index_type(type)) << type;
    }
}

TEST(PageTypes, AreNamedAndForeignOnesGivenByNumber) {
    EXPECT_EQ(type_name(17855), "index");
    EXPECT_EQ(type_name(2), "undo log");
    EXPECT_EQ(type_name(37401), "page compressed, encrypted");
    EXPECT_EQ(type_name(14), "type 14");  // MySQL 5.7's compressed pages
}

}  // namespace
}  // namespace redoubt::page
