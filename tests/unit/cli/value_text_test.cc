#include "cli/value_text.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

#include "cli/dictionary_text.h"
#include "record/charset.h"

namespace redoubt::cli {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

TEST(ValueText, NothingThatIsPrintedCanControlATerminal) {
    EXPECT_EQ(quoted_words("it's"), "'it''s'");
    EXPECT_EQ(quoted_words("a\x1b[0m\n"), "'a?[0m?'");
    EXPECT_EQ(quoted_words("w\xc3\xb6rt"), "'w\xc3\xb6rt'");
    EXPECT_EQ(quoted_words("\xc2\x9b\xff\xc3"), "'" + std::string(4, '?') + "'");
}

TEST(ValueText, LongValuesAreCut) {
    EXPECT_EQ(quoted_words(std::string(101, 'x')),
              "'" + std::string(100, 'x') + "...' (101 bytes)");
    EXPECT_EQ(hex_text(bytes_of("abc"), 2), "6162... (3 bytes)");
}

TEST(ValueText, BytesThatAreNoSuchValueAreShownAsTheyAre) {
    const record::ColumnType integer{.kind = record::TypeKind::Integer, .size = 4};
    EXPECT_EQ(decoded_words(bytes_of("ab"), &integer, true), "x'6162' (no such value)");
    EXPECT_EQ(decoded_words(bytes_of("ab"), nullptr, true), "x'6162'");
}

TEST(ValueText, RollPointers) {
    EXPECT_EQ(RollPointer::decode(0x8000000000000000 >> 8).words(), "none (history purged)");
    EXPECT_EQ(RollPointer::decode((std::uint64_t{3} << 48) | (45 << 16) | 300).words(),
              "rollback segment 3, page 45 offset 300");
}

TEST(ValueText, ReferencesToOffPageColumns) {
    std::array<std::byte, 20> bytes{};
    EXPECT_EQ(BlobReference::decode(bytes).words(), "off-page: never written");
    bytes[3] = std::byte{5};
    bytes[7] = std::byte{7};
    bytes[11] = std::byte{38};
    bytes[12] = std::byte{0x80};
    bytes[18] = std::byte{1};
    EXPECT_EQ(BlobReference::decode(bytes).words(),
              "off-page: 256 bytes at space 5 page 7 offset 38, owned by another version");
}

TEST(DictionaryText, ATableWithItsColumnsAndIndexes) {
    dict::Dictionary dictionary;
    dict::SystemTableRow table{.name = "d/t",
                               .id = 21,
                               .column_counts = 0x80010002,
                               .type = 33,
                               .mix_length = 0x50,
                               .space = SpaceId{9},
                               .columns = {},
                               .indexes = {}};
    table.columns = {
        {.position = 0, .name = "id", .main_type = 6, .precise_type = 0x503, .length = 4},
        {.position = 0x10001, .name = "g", .main_type = 6, .precise_type = 0x2403, .length = 4}};
    table.virtual_bases = {{.position = 0x10001, .base = 0}};
    table.indexes = {{.id = 30,
                      .name = "PRIMARY",
                      .type = 3,
                      .space = SpaceId{9},
                      .root = PageNo{3},
                      .fields = {{.column = "id", .prefix = 10, .descending = true}}}};
    dictionary.tables.push_back(std::move(table));
    dictionary.foreign_keys = {
        {.id = "d/f", .child = "d/t", .parent = "d/p", .flags = 1, .columns = {{"id", "pid"}}}};
    EXPECT_EQ(dictionary_text(dictionary),
              "1 tables, 1 foreign keys\n"
              "\n"
              "table d/t\n"
              "id 21, space 9, DYNAMIC, 2 columns and 1 virtual, TYPE 0x21, MIX_LEN 0x50\n"
              "position  column  type  prtype  length  null\n"
              "       0  id      int   0x503        4  no\n"
              "   65537  g       int   0x2403       4  yes   virtual, of columns 0\n"
              "index id  index    space  root page  type  kind               fields\n"
              "      30  PRIMARY      9          3  0x3   clustered, unique  id(10) desc\n"
              "foreign key d/f: (id) of d/p (pid) ON DELETE CASCADE\n");
    const Json json = dictionary_json(dictionary);
    EXPECT_EQ(json["tables"][0]["indexes"][0]["root_page"], 3);
    EXPECT_EQ(json["tables"][0]["columns"][1]["base_columns"], Json::array({0}));
    EXPECT_EQ(json["foreign_keys"][0]["columns"][0]["parent"], "pid");
}

}  // namespace
}  // namespace redoubt::cli
