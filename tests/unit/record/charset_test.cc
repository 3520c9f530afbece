#include "record/charset.h"

#include <gmock/gmock.h>

#include "unit/hex.h"

namespace redoubt::record {
namespace {

using std::string_literals::operator""s;
using test::from_hex;

std::string converted(std::string_view charset, std::string_view hex) {
    const Collation* const collation = default_collation(charset);
    EXPECT_NE(collation, nullptr) << charset;
    TextConverter converter(*collation->charset);
    const auto bytes = from_hex(hex);
    std::string scratch;
    return std::string(converter.to_utf8(bytes, scratch));
}

TEST(Collation, IsFoundByTheIdThatTablesStore) {
    EXPECT_EQ(find_collation(8)->name, "latin1_swedish_ci");
    EXPECT_EQ(find_collation(46)->name, "utf8mb4_bin");
    EXPECT_TRUE(find_collation(46)->is_binary());
    EXPECT_EQ(find_collation(63)->charset->name, "binary");
    EXPECT_EQ(find_collation(1070)->name, "utf8mb4_nopad_bin");
    EXPECT_TRUE(find_collation(1070)->no_pad());
    EXPECT_EQ(find_collation(7), find_collation(7));
    EXPECT_EQ(find_collation(0), nullptr);
    EXPECT_EQ(find_collation(100000), nullptr);
}

TEST(Collation, OfUca14IsMadeByRule) {
    EXPECT_EQ(find_collation(2048 + 256)->name, "utf8mb4_uca1400_ai_ci");
    EXPECT_EQ(find_collation(2048 + 256 + 7)->name, "utf8mb4_uca1400_nopad_as_cs");
    EXPECT_EQ(find_collation(2048 + 256 + 184)->name, "utf8mb4_uca1400_vietnamese_ai_ci");
    EXPECT_EQ(find_collation(2048 + 256 + 168), nullptr);  // a language that has none
    EXPECT_EQ(find_collation(2048 + 5 * 256), nullptr);
}

TEST(TextConverter, ConvertsEachKindOfCharacterSet) {
    EXPECT_EQ(converted("utf8mb4", "c3a9"), "é");
    EXPECT_EQ(converted("latin1", "e980"), "é€");  // as cp1252
    EXPECT_EQ(converted("latin1", "6162"), "ab");
    EXPECT_EQ(converted("ucs2", "002065e5"), " 日");
    EXPECT_EQ(converted("utf16", "d83dde00"), "😀");
    EXPECT_EQ(converted("utf16le", "3dd800de"), "😀");
    EXPECT_EQ(converted("utf32", "0001f600"), "😀");
    EXPECT_EQ(converted("sjis", "93fa"), "日");
    EXPECT_EQ(converted("swe7", "5b"), "Ä");
    TextConverter czech(*find_collation("latin2_czech_cs")->charset);  // has a table of its own
    std::string scratch;
    EXPECT_EQ(czech.to_utf8(test::from_hex("7f80b9"), scratch), "??š");
}

// glibc's iconv maps these otherwise.
TEST(TextConverter, MapsCharactersAsTheServerDoes) {
    EXPECT_EQ(converted("sjis", "93fa815fb18160"), "日\\ｱ〜");
    EXPECT_EQ(converted("ujis", "c6fca1c08fb0a1f5a241"), "日\\丂\uE001A");
    EXPECT_EQ(converted("big5", "a4a4c6a6c7fda145"), "中あ?\u2022");
    EXPECT_EQ(converted("ujis", "a1"), "?");  // half a character
    EXPECT_EQ(converted("sjis", "93fa5c7e"), "日\\~");
    EXPECT_EQ(converted("euckr", "fe6d41"), "?A");        // a character without a code point
    EXPECT_EQ(converted("euckr", "6ca2e8eacb"), "l?危");  // one that glibc skips in silence
    EXPECT_EQ(converted("gbk", "fe766541"), "?eA");
}

TEST(TextConverter, ReplacesWhatIsNoCharacter) {
    EXPECT_EQ(converted("utf16", "d841"), "??");
    EXPECT_EQ(converted("utf16", "d84142"), "?䅂");
    EXPECT_EQ(converted("utf16", "0041d841d8420042"), "A?䇘䈀?");
    EXPECT_EQ(converted("utf16le", "41d841"), "?䇘");
    EXPECT_EQ(converted("ucs2", "65e500"), "日?");
    EXPECT_EQ(converted("ucs2", "d841"), "\xED\xA1\x81");
    EXPECT_EQ(converted("utf32", "0000d841"), "\xED\xA1\x81");
    EXPECT_EQ(converted("utf32", "6162636465"), "?????");
    EXPECT_EQ(converted("utf32", "000000410011000000000042"), "A??\0??"s);
    EXPECT_EQ(converted("sjis", "ff41"), "?A");
    EXPECT_EQ(converted("utf8mb3", "00e90301"), "\0?\3\1"s);
    EXPECT_EQ(converted("utf8mb3", "e697a5f09f9880e697"), "日??????");
    EXPECT_EQ(converted("utf8mb3", "c3a9eda181"), "é\xED\xA1\x81");
    EXPECT_EQ(converted("utf8mb4", "00e9"), "\0\xE9"s);
    EXPECT_EQ(converted("ascii", "41c3a9"), "A??");
}

}  // namespace
}  // namespace redoubt::record
