// On real undo logs: tests/interop/damage_trees.py, random_schemas.py.
#include "undo/pending_rows.h"

#include <gtest/gtest.h>

#include <array>

#include "base/big_endian.h"
#include "unit/undo/undo_pages.h"

namespace redoubt::undo {
namespace {

Result<PendingRows> read(UndoPages& pages) {
    return PendingRows::read(
        pages, kPageSize,
        [](std::uint64_t table) { return PendingRows::Key{.fields = table == kTable ? 1U : 0U}; },
        nullptr);
}

bool holds(const PendingRows& pending, std::uint32_t key, std::uint64_t table = kTable) {
    std::array<std::byte, 4> stored{};
    store_be<std::uint32_t>(stored.data(), key);
    const record::Field field{.data = stored.data(), .size = 4};
    return pending.contains(table, {.fields = 1}, {&field, 1});
}

TEST(PendingRows, EqualKeysOfOtherBytesAreOneRow) {
    UndoPages pages;
    pages.add_first(10, kActive, 0);
    pages.add_record(10, kDeleteMark, 1);
    const PendingRows::Key text{.fields = 1, .exact = 0};
    const auto pending = PendingRows::read(
        pages, kPageSize,
        [&](std::uint64_t table) { return table == kTable ? text : PendingRows::Key{}; }, nullptr);
    ASSERT_TRUE(pending) << pending.error().message();
    const std::array<std::byte, 4> other{};
    const record::Field field{.data = other.data(), .size = 4};
    EXPECT_TRUE(pending->contains(kTable, text, {&field, 1}));
    EXPECT_FALSE(pending->contains(kTable + 1, text, {&field, 1}));
}

TEST(PendingRows, AreThoseOfOpenTransactionsAndOfTheHistory) {
    UndoPages pages;
    pages.add_first(10, kActive, 0);
    pages.add_record(10, kDeleteMark, 1);
    pages.add_record(10, kInsert, 2);
    pages.add_record(10, kDeleteMark, 3, kTable + 1);
    pages.add_first(11, kToPurge, 1);  // two logs; the first was purged and left the history
    pages.add_record(11, kDeleteMark, 4);
    const std::size_t second = pages.add_log(11);
    pages.add_record(11, kDeleteMark, 5);
    pages.set_history({{11, second}});
    const auto pending = read(pages);
    ASSERT_TRUE(pending) << pending.error().message();
    EXPECT_TRUE(pending->complete());
    EXPECT_TRUE(holds(*pending, 1));
    EXPECT_FALSE(holds(*pending, 2));  // inserting marks nothing
    EXPECT_FALSE(holds(*pending, 3));
    EXPECT_FALSE(holds(*pending, 3, kTable + 1));  // not a table that was asked for
    EXPECT_FALSE(holds(*pending, 4));
    EXPECT_TRUE(holds(*pending, 5));
    EXPECT_FALSE(holds(*pending, 5, kTable + 1));
}

TEST(PendingRows, AreOfOneLogUpToTheNextAndOnAllPagesOfTheLast) {
    UndoPages pages;
    pages.add_first(10, kToPurge, 0);
    pages.add_record(10, kDeleteMark, 1);
    pages.add_log(10);
    pages.add_record(10, kDeleteMark, 2);
    pages.add_page(12);
    pages.put32(10, kNextPage, 12);
    pages.put32(12, kPreviousPage, 10);
    pages.add_record(12, kDeleteMark, 3);
    pages.set_history({{10, kFirstLog}});
    auto pending = read(pages);
    ASSERT_TRUE(pending) << pending.error().message();
    EXPECT_TRUE(holds(*pending, 1));
    EXPECT_FALSE(holds(*pending, 2));
    EXPECT_FALSE(holds(*pending, 3));
    pages.put16(10, kState, kActive);
    pages.set_history({});
    pending = read(pages);
    ASSERT_TRUE(pending) << pending.error().message();
    EXPECT_FALSE(holds(*pending, 1));
    EXPECT_TRUE(holds(*pending, 2));
    EXPECT_TRUE(holds(*pending, 3));
}

TEST(PendingRows, OfDamagedUndoAreAnErrorAfterFewReads) {
    const auto check = [](auto damage) {
        UndoPages pages;
        pages.add_first(10, kToPurge, 0);
        pages.add_record(10, kDeleteMark, 1);
        pages.set_history({{10, kFirstLog}});
        damage(pages);
        const auto pending = read(pages);
        ASSERT_FALSE(pending);
        EXPECT_EQ(pending.error().code(), ErrorCode::Corruption);
        EXPECT_LT(pages.reads(), 3 * kPageCount);
    };
    check([](UndoPages& pages) { pages.put32(10, kNextPage, 10); });
    check([](UndoPages& pages) { pages.put32(10, kFirstLog + kHistoryNode + 6, 10); });
    check([](UndoPages& pages) {  // logs in a circle, and a history that says it is endless
        pages.put32(kSegmentPage, kHistory, 0xFFFFFFFF);
        pages.put32(10, kFirstLog + kHistoryNode + 6, 10);
        pages.put16(10, kFirstLog + kHistoryNode + 10, kFirstLog + kHistoryNode);
    });
    check([](UndoPages& pages) {  // pages in a circle
        pages.add_page(12);
        pages.put32(10, kNextPage, 12);
        pages.put32(12, kPreviousPage, 10);
        pages.put32(12, kNextPage, 12);
    });
    check([](UndoPages& pages) {  // the log is said to lead to itself
        pages.put32(10, kFirstLog + kHistoryNode + 6, 10);
        pages.put16(10, kFirstLog + kHistoryNode + 10, kFirstLog + kHistoryNode);
    });
    check([](UndoPages& pages) { pages.put16(kSegmentPage, kHistory + 8, 0); });
    check([](UndoPages& pages) { pages.put16(kSegmentPage, kHistory + 8, kPageSize - 1); });
    check([](UndoPages& pages) { pages.put16(10, kFirstLog + kFirstRecord, 0); });
    check([](UndoPages& pages) { pages.put16(10, kFirstLog + kLogSize, kFirstLog + kLogSize); });
    check([](UndoPages& pages) { pages.put16(10, kFreeFrom, kPageSize - 1); });
    check([](UndoPages& pages) { pages.put16(10, kFirstLog + kNextLog, 0xFFFF); });
    check([](UndoPages& pages) { pages.put16(10, kType, 6); });
    check([](UndoPages& pages) { pages.put32(kSegmentPage, kHistory + 4, 13); });
}

}  // namespace
}  // namespace redoubt::undo
