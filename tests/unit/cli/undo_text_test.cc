#include "cli/undo_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "base/big_endian.h"
#include "page/header.h"

namespace redoubt::cli {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

/// First page of an undo segment with one log at 86, its records from 132 on.
struct UndoPage {
    UndoPage() : bytes(4096) {
        page::initialise(bytes, {SpaceId{1}, PageNo{50}});
        set16(24, 2);
        set16(40, 132);
        set16(42, 132);
        set16(58, 86);
        store_be(&bytes[86], std::uint64_t{500});
        set16(86 + 18, 132);
    }
    void set16(std::size_t at, std::uint16_t value) { store_be(&bytes[at], value); }
    /// Appends a record: type, number and table id of one byte each, then `body`.
    void add(std::uint8_t type, std::uint8_t number, std::uint8_t table,
             const std::vector<std::uint8_t>& body) {
        const std::size_t at = load_be<std::uint16_t>(&bytes[42]);
        std::size_t end = at + 2;
        for (const std::uint8_t byte : {type, number, table}) {
            bytes[end++] = std::byte{byte};
        }
        for (const std::uint8_t byte : body) {
            bytes[end++] = std::byte{byte};
        }
        set16(end, static_cast<std::uint16_t>(at));
        end += 2;
        set16(at, static_cast<std::uint16_t>(end));
        set16(42, static_cast<std::uint16_t>(end));
    }
    std::vector<std::byte> bytes;
};

std::shared_ptr<const IndexDefinition> definition() {
    auto made = std::make_shared<IndexDefinition>();
    auto table = std::make_shared<dict::StoredTable>();
    table->types = {{.kind = record::TypeKind::Integer, .size = 1}};
    made->table = "d.t";
    made->layout.fields = {
        {.fixed_size = 1, .nullable = false, .column = 0, .type = &table->types[0]},
        {.fixed_size = 6},
        {.fixed_size = 7},
        {.fixed_size = 1, .type = &table->types[0]}};
    made->layout.key_fields = 1;
    made->layout.finish();
    made->names = {"id", "DB_TRX_ID", "DB_ROLL_PTR", "n"};
    made->owner = table;
    return made;
}

const TableLookup kKnown = [](std::uint64_t table) { return table == 21 ? definition() : nullptr; };

TEST(UndoText, LogsSayTheirTransaction) {
    UndoPage page;
    store_be(&page.bytes[86 + 8], std::uint64_t{501});
    page.set16(86 + 16, 1);
    const ShownUndo shown = show_undo(page.bytes, false, {});
    EXPECT_THAT(shown.problems, IsEmpty());
    ASSERT_THAT(shown.logs, SizeIs(1));
    EXPECT_EQ(shown.logs[0].trx_id, 500U);
    EXPECT_EQ(shown.logs[0].trx_no, 501U);
    EXPECT_TRUE(shown.logs[0].needs_purge);
    EXPECT_THAT(undo_text(shown, false), HasSubstr("undo log at offset 86\n    trx id:"));
    EXPECT_EQ(undo_json(shown, false)["logs"][0]["trx_no"], 501);
}

TEST(UndoText, RecordsHaveKeyAndValuesBefore) {
    UndoPage page;
    page.add(11, 0, 21, {1, 0x85});
    // info bits, transaction 400, roll pointer, key, one field: number 3 was 9
    page.add(12, 1, 21, {0, 0, 0, 0, 1, 0x90, 0, 0, 0, 0, 0, 1, 0x85, 1, 3, 1, 0x89});
    const ShownUndo shown = show_undo(page.bytes, true, kKnown);
    EXPECT_THAT(shown.problems, IsEmpty());
    ASSERT_THAT(shown.records, SizeIs(2));
    EXPECT_EQ(shown.records[0].type, "insert");
    EXPECT_EQ(shown.records[0].table, "d.t");
    EXPECT_EQ(shown.records[0].key.at(0).words, "5");
    const ShownUndoRecord& update = shown.records[1];
    EXPECT_EQ(update.problem, "");
    EXPECT_EQ(update.type, "update");
    EXPECT_EQ(update.number, 1U);
    EXPECT_THAT(update.facts, Contains(Pair("DB_TRX_ID before", "400")));
    ASSERT_THAT(update.changed, SizeIs(1));
    EXPECT_EQ(update.changed[0].name, "n");
    EXPECT_EQ(update.changed[0].words, "9");
    EXPECT_EQ(update.rest, "");
}

TEST(UndoText, RecordsOfUnknownTablesShowTheirBytes) {
    UndoPage page;
    page.add(11, 0, 22, {1, 0x85});
    const ShownUndo shown = show_undo(page.bytes, true, kKnown);
    ASSERT_THAT(shown.records, SizeIs(1));
    EXPECT_EQ(shown.records[0].rest, "0185");
}

TEST(UndoText, BrokenChainsEndWithAProblem) {
    UndoPage page;
    page.set16(86 + 32, 200);
    EXPECT_THAT(show_undo(page.bytes, false, {}).problems,
                ElementsAre("the undo log at offset 86 says that the one before is at 200"));
    UndoPage other;
    other.add(11, 0, 21, {1, 0x85});
    other.set16(132, 100);
    EXPECT_THAT(show_undo(other.bytes, true, kKnown).problems, SizeIs(1));
}

TEST(UndoText, AnyBytesAreSafe) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const TableLookup all = [](std::uint64_t) { return definition(); };
    for (int round = 0; round < 400; ++round) {
        std::vector<std::byte> page(std::size_t{4096} << (round % 5));
        for (std::byte& byte : page) {
            byte = static_cast<std::byte>(random() % (round % 3 == 0 ? 256 : 16));
        }
        if (round % 2 == 0) {
            UndoPage whole;
            whole.add(12, 1, 21, {0, 0, 0, 0, 1, 0x90, 0, 0, 0, 0, 0, 1, 0x85, 1, 3, 1, 0x89});
            std::copy_n(whole.bytes.begin(), 90 + random() % 80, page.begin());
        }
        const ShownUndo shown = show_undo(page, true, all);
        EXPECT_LE(shown.records.size(), page.size());
        EXPECT_FALSE(undo_json(shown, true).empty());
        undo_text(shown, true);
    }
}

}  // namespace
}  // namespace redoubt::cli
