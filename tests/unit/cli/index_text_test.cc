#include "cli/index_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "base/big_endian.h"
#include "page/header.h"

namespace redoubt::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::size_t kPageSize = 4096;
constexpr std::size_t kRecord = 26;  // bytes from one origin to the next, header included

/// A clustered leaf of (INT id, DB_TRX_ID, DB_ROLL_PTR, VARCHAR v), with records at 126, 152, ...
class CompactPage {
public:
    explicit CompactPage(std::size_t count) : bytes(kPageSize), count_(count) {
        page::initialise(bytes, {SpaceId{9}, PageNo{3}});
        set16(24, 17855);
        set16(38, 2);
        set16(42, static_cast<std::uint16_t>(0x8000 | (count + 2)));
        set16(54, static_cast<std::uint16_t>(count));
        set16(40, static_cast<std::uint16_t>(origin(count)));
        put("\x01\x00\x02\x00\x00infimum\x00", 94, 13);
        put("\x01\x00\x0b\x00\x00supremum", 107, 13);
        for (std::size_t i = 0; i < count; ++i) {
            add(i);
        }
        link(99, count == 0 ? 112 : origin(0));
        set16(kPageSize - 10, 99);
        set16(kPageSize - 12, 112);
    }
    static std::size_t origin(std::size_t i) { return 126 + i * kRecord; }
    void set16(std::size_t at, std::uint16_t value) { store_be(&bytes[at], value); }
    void link(std::size_t from, std::size_t to) {
        set16(from - 2, static_cast<std::uint16_t>(to - from));
    }

    std::vector<std::byte> bytes;

private:
    void put(const char* text, std::size_t at, std::size_t size) {
        std::memcpy(&bytes[at], text, size);
    }
    void add(std::size_t i) {
        const std::size_t at = origin(i);
        bytes[at - 6] = std::byte{2};  // length of v
        set16(at - 4, static_cast<std::uint16_t>((i + 2) << 3));
        link(at, i + 1 < count_ ? origin(i + 1) : 112);
        store_be(&bytes[at], static_cast<std::uint32_t>(0x80000000U + i));
        set16(at + 8, 77);                     // transaction
        bytes[at + 10] = std::byte{0x80 | 3};  // an insert, rollback segment 3
        store_be(&bytes[at + 11], std::uint32_t{45});
        set16(at + 15, 300);
        put("ab", at + 17, 2);
    }
    std::size_t count_;
};

IndexDefinition definition(bool compact = true) {
    IndexDefinition made{.table = "d.t", .index = "PRIMARY", .layout = {}, .names = {}};
    auto table = std::make_shared<dict::StoredTable>();
    table->types = {
        {.kind = record::TypeKind::Integer, .size = 4},
        {.kind = record::TypeKind::Text, .collation = record::default_collation("utf8mb4")}};
    made.layout.compact = compact;
    made.layout.fields = {
        {.fixed_size = 4, .nullable = false, .column = 0, .type = &table->types[0]},
        {.fixed_size = 6, .nullable = false},
        {.fixed_size = 7, .nullable = false},
        {.nullable = false, .big = true, .column = 1, .type = &table->types[1]}};
    made.layout.key_fields = 1;
    made.layout.trx_id_field = 1;
    made.layout.finish();
    made.names = {"id", "DB_TRX_ID", "DB_ROLL_PTR", "v"};
    made.owner = table;
    return made;
}

std::vector<std::string> words_of(const ShownRecord& record) {
    std::vector<std::string> words;
    for (const ShownField& field : record.fields) {
        words.push_back(field.name + "=" + field.words);
    }
    return words;
}

TEST(IndexText, RecordsComeInListOrderWithTheirValues) {
    const CompactPage page(2);
    const IndexDefinition known = definition();
    const ShownRecords shown = show_records(page.bytes, &known, false);
    EXPECT_THAT(shown.problems, IsEmpty());
    ASSERT_THAT(shown.records, SizeIs(4));
    EXPECT_EQ(shown.records[0].status, "infimum");
    EXPECT_EQ(shown.records[1].status, "ordinary");
    EXPECT_EQ(shown.records[1].heap_number, 2);
    EXPECT_EQ(shown.records[1].next, 152U);
    EXPECT_THAT(
        words_of(shown.records[1]),
        ElementsAre("id=0", "DB_TRX_ID=77",
                    "DB_ROLL_PTR=insert, rollback segment 3, page 45 offset 300", "v='ab'"));
    EXPECT_EQ(shown.records[2].fields[0].words, "1");
    EXPECT_EQ(shown.records[3].status, "supremum");
    EXPECT_EQ(shown.records[3].owned, 1U);
    EXPECT_THAT(shown.directory, ElementsAre(99, 112));
    EXPECT_THAT(shown.freed, IsEmpty());
}

TEST(IndexText, FlagsAreInWordsAndInJson) {
    CompactPage page(1);
    page.bytes[126 - 5] = std::byte{0x20};
    const IndexDefinition known = definition();
    const ShownRecords shown = show_records(page.bytes, &known, false);
    EXPECT_THAT(records_text(shown),
                HasSubstr("offset 126, heap 2, ordinary, delete-marked, info bits 0x20, next 112\n"
                          "    id:          0\n"));
    const Json record = records_json(shown)["records"][1];
    EXPECT_EQ(record["delete_marked"], true);
    EXPECT_EQ(record["min_rec"], false);
    EXPECT_EQ(record["fields"][0]["bytes"], "80000000");
}

TEST(IndexText, WithoutADefinitionBytesAreShown) {
    const CompactPage page(1);
    const ShownRecords shown = show_records(page.bytes, nullptr, false);
    EXPECT_THAT(shown.records[1].fields, IsEmpty());
    EXPECT_EQ(shown.records[1].bytes.substr(0, 8), "80000000");
}

TEST(IndexText, FreedRecordsAreListedApart) {
    CompactPage page(2);
    page.link(99, 152);
    page.set16(54, 1);
    page.set16(44, 126);
    page.set16(124, 0);
    const IndexDefinition known = definition();
    const ShownRecords shown = show_records(page.bytes, &known, false);
    EXPECT_THAT(shown.problems, IsEmpty());
    EXPECT_THAT(shown.records, SizeIs(3));
    ASSERT_THAT(shown.freed, SizeIs(1));
    EXPECT_EQ(shown.freed[0].fields[0].words, "0");
}

TEST(IndexText, ListsThatGoInCirclesEnd) {
    CompactPage page(2);
    page.link(152, 126);
    const ShownRecords shown = show_records(page.bytes, nullptr, false);
    EXPECT_THAT(shown.problems, ElementsAre("the record list comes back to offset 126"));
    page.link(152, 20);
    EXPECT_THAT(show_records(page.bytes, nullptr, false).problems,
                ElementsAre("the record list leads from offset 152 to 20, where no record can be"));
}

TEST(IndexText, ACountThatIsNotTheListsIsAProblem) {
    CompactPage page(2);
    page.set16(54, 5);
    EXPECT_THAT(show_records(page.bytes, nullptr, false).problems,
                ElementsAre("the record list has 2 records, the page says 5"));
}

TEST(IndexText, DefinitionsOfAnotherFormatAreNotUsed) {
    const CompactPage page(1);
    const IndexDefinition redundant = definition(false);
    const ShownRecords shown = show_records(page.bytes, &redundant, false);
    EXPECT_THAT(shown.problems, ElementsAre("the page's record format is not its table's"));
    EXPECT_THAT(shown.records[1].fields, IsEmpty());
}

/// Reads outside the page are for the address sanitizer to find.
TEST(IndexText, AnyBytesAreSafe) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const IndexDefinition compact = definition();
    const IndexDefinition redundant = definition(false);
    for (int round = 0; round < 150; ++round) {
        const std::size_t size = std::size_t{4096} << (round % 5);
        std::vector<std::byte> page(size);
        for (std::byte& byte : page) {
            byte = static_cast<std::byte>(random());
        }
        if (round % 2 == 0) {  // a list that begins well
            const CompactPage whole(3);
            std::copy_n(whole.bytes.begin(), 38 + random() % 200, page.begin());
        }
        for (const IndexDefinition* known :
             {&compact, &redundant, static_cast<const IndexDefinition*>(nullptr)}) {
            const ShownRecords shown = show_records(page, known, round % 3 == 0);
            EXPECT_LE(shown.records.size(), size);
            EXPECT_FALSE(records_text(shown).empty());
            EXPECT_FALSE(records_json(shown).empty());
        }
    }
}

}  // namespace
}  // namespace redoubt::cli
