#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "space/layout.h"

namespace redoubt::space {
namespace {

std::string utf8(char32_t c) {
    std::string out;
    const auto put = [&out](char32_t byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 0x3F));
    } else {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 0x3F));
        put(0x80 | (c & 0x3F));
    }
    return out;
}

TEST(FileName, EncodesAsTheServerWasSeenTo) {
    EXPECT_EQ(sql_name("sp@0023p/e@002fc"), "sp#p.e/c");
    EXPECT_EQ(sql_name("SYS_FOREIGN"), "SYS_FOREIGN");
    EXPECT_EQ(encode_file_name("sp#p e/c"), "sp@0023p@0020e@002fc");
    EXPECT_EQ(encode_file_name("plain_T1"), "plain_T1");
    EXPECT_EQ(encode_file_name("\u00c0\u00f6\u0241"), "@0G@1i@Vi");
    EXPECT_EQ(encode_file_name("\u2160\u24b6\uff5a"), "@G9@@A@z@");
    EXPECT_EQ(encode_file_name("\u20ac"), "@20ac");
}

TEST(FileName, DecodesDatabaseAndTable) {
    EXPECT_EQ(decode_file_name("sp@0023p/t@002f"), "sp#p/t/");
    EXPECT_EQ(decode_file_name("d/t#P#p0"), "d/t#P#p0");
    EXPECT_EQ(decode_file_name("@20AC"), "\u20ac");
}

TEST(FileName, LeavesMalformedSequencesAsTheyAre) {
    EXPECT_EQ(decode_file_name("@"), "@");
    EXPECT_EQ(decode_file_name("a@00"), "a@00");
    EXPECT_EQ(decode_file_name("a@00zz"), "a@00zz");
    EXPECT_EQ(decode_file_name("a@@@"), "a@@@");
}

TEST(FileName, MarksDeviceNames) {
    EXPECT_EQ(encode_file_name("con"), "con@@@");
    EXPECT_EQ(encode_file_name("LPT9"), "LPT9@@@");
    EXPECT_EQ(encode_file_name("com0"), "com0");
    EXPECT_EQ(decode_file_name("con@@@/nul@@@"), "con/nul");
}

TEST(FileName, KeepsNamesOfIntermediateTables) {
    EXPECT_EQ(encode_file_name("#sql-alter-1-2"), "#sql-alter-1-2");
}

TEST(FileName, GivesBytesThatAreNoNameAReplacement) {
    EXPECT_EQ(encode_file_name("a\xff"), "a@fffd");
    EXPECT_EQ(encode_file_name("\xe2\x82"), "@fffd@fffd");
    EXPECT_EQ(encode_file_name("\xf0\x9f\x98\x80"), "@fffd@fffd@fffd@fffd");
}

TEST(FileName, RoundTripsEveryCodePointOfTheBasicPlane) {
    for (char32_t c = 1; c <= 0xFFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) {
            continue;
        }
        if (c == '/') {
            continue;  // the separator in a decoded name
        }
        const std::string name = "x" + utf8(c) + "0";
        const std::string encoded = encode_file_name(name);
        ASSERT_EQ(decode_file_name(encoded), name) << encoded;
        for (const char byte : encoded) {
            ASSERT_LT(static_cast<unsigned char>(byte), 0x80) << encoded;
        }
    }
}

}  // namespace
}  // namespace redoubt::space
