// Undo logs on pages made by hand. On real ones: tests/interop/damage_trees.py, random_schemas.py.
#include "undo/pending_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/big_endian.h"
#include "page/header.h"

namespace redoubt::undo {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kPageCount = 20;
constexpr std::uint64_t kTable = 30;
constexpr std::uint32_t kSegmentPage = 6;
// Offsets: docs/formats/undo.md.
constexpr std::size_t kType = 24;
constexpr std::size_t kSlots = 56;
constexpr std::size_t kHistory = 46;
constexpr std::size_t kUndoSlots = 72;
constexpr std::size_t kFreeFrom = 42;
constexpr std::size_t kPreviousPage = 44;
constexpr std::size_t kNextPage = 50;
constexpr std::size_t kState = 56;
constexpr std::size_t kLastLog = 58;
constexpr std::size_t kFirstLog = 86;
constexpr std::size_t kFirstRecord = 18;  // of a log, as the next three
constexpr std::size_t kNextLog = 30;
constexpr std::size_t kHistoryNode = 34;
constexpr std::size_t kLogSize = 46;
constexpr std::size_t kRecords = 56;  // on a page that is not the first
constexpr std::uint16_t kActive = 1;
constexpr std::uint16_t kToPurge = 4;
constexpr std::uint8_t kInsert = 11;
constexpr std::uint8_t kDeleteMark = 14;

class UndoPages final : public space::PageSource {
public:
    UndoPages() {
        auto& system = page(5, 7);
        std::fill(system.begin() + kSlots, system.end(), std::byte{0xFF});
        put32(5, kSlots, 0);
        put32(5, kSlots + 4, kSegmentPage);
        auto& segment = page(kSegmentPage, 6);
        std::fill(segment.begin() + kHistory + 4, segment.end(), std::byte{0xFF});
    }
    Status read(PageId id, std::span<std::byte> plain) override {
        ++reads;
        const auto found = pages_.find(id.page.value);
        if (found == pages_.end()) {
            return corruption(id, "unreadable");
        }
        std::copy(found->second.begin(), found->second.end(), plain.begin());
        return {};
    }
    Result<std::uint32_t> page_count(SpaceId) override { return kPageCount; }

    void put16(std::uint32_t number, std::size_t at, std::size_t value) {
        store_be<std::uint16_t>(pages_[number].data() + at, static_cast<std::uint16_t>(value));
    }
    void put32(std::uint32_t number, std::size_t at, std::uint32_t value) {
        store_be<std::uint32_t>(pages_[number].data() + at, value);
    }
    /// The first page of a segment, in undo slot `slot`, with one log and no records.
    void add_first(std::uint32_t number, std::uint16_t state, unsigned slot) {
        add_page(number);
        put32(kSegmentPage, kUndoSlots + std::size_t{4} * slot, number);
        put16(number, kState, state);
        put16(number, kFreeFrom, kFirstLog);
        add_log(number);
    }
    void add_page(std::uint32_t number) {
        page(number, 2);
        put32(number, kPreviousPage, kNoPage.value);
        put32(number, kNextPage, kNoPage.value);
        put16(number, kFreeFrom, kRecords);
    }
    /// Behind what is there. Returns its offset.
    std::size_t add_log(std::uint32_t number) {
        const std::size_t at = free_from(number);
        if (at != kFirstLog) {
            put16(number, last_log(number) + kNextLog, at);
        }
        put16(number, kLastLog, at);
        put16(number, at + kFirstRecord, at + kLogSize);
        put32(number, at + kHistoryNode + 6, kNoPage.value);
        put16(number, kFreeFrom, at + kLogSize);
        return at;
    }
    void add_record(std::uint32_t number, std::uint8_t type, std::uint32_t key,
                    std::uint64_t table = kTable) {
        std::vector<std::uint8_t> body{type, 0, static_cast<std::uint8_t>(table)};
        if (type != kInsert) {
            body.resize(body.size() + 1 + 5 + 5);  // info bits, transaction, roll pointer
        }
        body.push_back(4);
        for (int shift = 24; shift >= 0; shift -= 8) {
            body.push_back(static_cast<std::uint8_t>(key >> shift));
        }
        const std::size_t at = free_from(number);
        const std::size_t next = at + 2 + body.size() + 2;
        put16(number, at, next);
        std::transform(body.begin(), body.end(), pages_[number].begin() + static_cast<long>(at) + 2,
                       [](std::uint8_t b) { return std::byte{b}; });
        put16(number, next - 2, at);
        put16(number, kFreeFrom, next);
    }
    /// The history is these logs, the newest first.
    void set_history(const std::vector<std::pair<std::uint32_t, std::size_t>>& logs) {
        put32(kSegmentPage, kHistory, static_cast<std::uint32_t>(logs.size()));
        std::uint32_t page = kSegmentPage;
        std::uint32_t newer = kNoPage.value;
        std::size_t newer_at = 0;
        std::size_t at = kHistory + 4;
        for (const auto& [number, log] : logs) {
            put32(page, at, number);
            put16(page, at + 4, log + kHistoryNode);
            put32(number, log + kHistoryNode, newer);
            put16(number, log + kHistoryNode + 4, newer_at);
            newer = number;
            newer_at = log + kHistoryNode;
            page = number;
            at = log + kHistoryNode + 6;
        }
        put32(page, at, kNoPage.value);
    }

    unsigned reads = 0;

private:
    std::vector<std::byte>& page(std::uint32_t number, std::uint16_t type) {
        auto& made = pages_[number];
        made.assign(kPageSize, std::byte{0});
        put16(number, kType, type);
        return made;
    }
    std::size_t free_from(std::uint32_t number) {
        return load_be<std::uint16_t>(pages_[number].data() + kFreeFrom);
    }
    std::size_t last_log(std::uint32_t number) {
        return load_be<std::uint16_t>(pages_[number].data() + kLastLog);
    }

    std::map<std::uint32_t, std::vector<std::byte>> pages_;
};

Result<PendingRows> read(UndoPages& pages) {
    return PendingRows::read(
        pages, kPageSize, [](std::uint64_t table) { return table == kTable ? 1U : 0U; }, nullptr);
}

bool holds(const PendingRows& pending, std::uint32_t key, std::uint64_t table = kTable) {
    std::array<std::byte, 4> stored{};
    store_be<std::uint32_t>(stored.data(), key);
    const record::Field field{.data = stored.data(), .size = 4};
    return pending.contains(table, {&field, 1});
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
        EXPECT_LT(pages.reads, 3 * kPageCount);
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
