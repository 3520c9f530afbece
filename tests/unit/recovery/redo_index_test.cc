#include "recovery/redo_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace redoubt::recovery {
namespace {

PageId page(std::uint32_t space, std::uint32_t number) { return {SpaceId{space}, PageNo{number}}; }

/// Every entry of an index, over as many builds as its cap asks for.
std::vector<IndexEntry> all_ranges(RedoIndex& index, const std::vector<IndexEntry>& log,
                                   const std::map<SpaceId, Lsn>& trims, std::size_t* builds) {
    std::vector<IndexEntry> result;
    std::uint64_t lower = 0;
    for (*builds = 0; lower != RedoIndex::kEnd; ++*builds) {
        index.begin(lower);
        for (const IndexEntry& entry : log) {
            index.add(entry);
        }
        index.finish(trims);
        result.insert(result.end(), index.entries().begin(), index.entries().end());
        EXPECT_GT(index.upper(), lower);
        lower = index.upper();
    }
    return result;
}

std::vector<IndexEntry> random_log(unsigned seed, std::size_t count) {
    std::mt19937 engine(seed);
    const auto random = [&](std::uint32_t end) {
        return static_cast<std::uint32_t>(engine() % end);
    };
    std::vector<IndexEntry> log;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t kind = random(20);
        std::uint64_t flags = 0;
        if (kind == 0) {
            flags = IndexEntry::kInit;
        } else if (kind == 1) {
            flags = IndexEntry::kFree;
        }
        const std::uint32_t number = random(4) == 0 ? 0 : random(500);  // page 0 is hot
        log.push_back(IndexEntry::make(page(random(5), number), Lsn{12288 + 20 * i}, flags));
    }
    return log;
}

// R1, by the plainest possible model.
TEST(RedoIndex, ListsEachPageInLsnOrderFromItsLastInitialisation) {
    const auto log = random_log(1, 20000);
    std::map<PageId, std::vector<IndexEntry>> model;
    for (const IndexEntry& entry : log) {
        auto& entries = model[entry.id()];
        if (entry.initialises() || entry.frees()) {
            entries.clear();
        }
        entries.push_back(entry);
    }
    RedoIndex index(100000);
    std::size_t builds = 0;
    all_ranges(index, log, {}, &builds);
    EXPECT_EQ(builds, 1U);
    const auto pages = index.pages();
    ASSERT_EQ(pages.size(), model.size());
    for (const PageEntries& entries : pages) {
        const auto& expected = model.at(entries.id);
        ASSERT_TRUE(std::equal(entries.entries.begin(), entries.entries.end(), expected.begin(),
                               expected.end()));
        ASSERT_EQ(entries.entries.size(), index.find(entries.id).size());
    }
    EXPECT_TRUE(index.find(page(9, 9)).empty());
}

// R2: whatever the cap, the ranges together say the same.
TEST(RedoIndex, TheCapChangesNothingButTheNumberOfBuilds) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        const auto log = random_log(seed, 20000);
        const std::map<SpaceId, Lsn> trims{{SpaceId{3}, Lsn{12288 + 20 * 9000}}};
        std::size_t builds = 0;
        RedoIndex whole(1000000);
        const auto expected = all_ranges(whole, log, trims, &builds);
        for (const std::size_t cap : {1024U, 3000U, 7000U}) {
            RedoIndex capped(cap);
            EXPECT_EQ(all_ranges(capped, log, trims, &builds), expected)
                << "seed " << seed << " cap " << cap;
            EXPECT_GT(builds, 1U);
        }
    }
}

TEST(RedoIndex, OnePageMayExceedTheCap) {
    std::vector<IndexEntry> log;
    for (std::uint64_t i = 0; i < 5000; ++i) {
        log.push_back(IndexEntry::make(page(1, 7), Lsn{12288 + 20 * i}, 0));
        log.push_back(IndexEntry::make(page(1, 8), Lsn{12288 + 20 * i + 1}, 0));
    }
    RedoIndex index(1024);
    std::size_t builds = 0;
    EXPECT_EQ(all_ranges(index, log, {}, &builds).size(), log.size());
}

TEST(RedoIndex, ATruncationVoidsWhatCameBeforeIt) {
    RedoIndex index(1024);
    index.begin(0);
    index.add(IndexEntry::make(page(1, 5), Lsn{20000}, 0));
    index.add(IndexEntry::make(page(1, 5), Lsn{30000}, 0));
    index.add(IndexEntry::make(page(1, 6), Lsn{20000}, 0));
    index.add(IndexEntry::make(page(2, 5), Lsn{20000}, 0));
    index.finish({{SpaceId{1}, Lsn{30000}}});
    ASSERT_EQ(index.find(page(1, 5)).size(), 1U);
    EXPECT_EQ(index.find(page(1, 5)).front().start(), Lsn{30000});
    EXPECT_TRUE(index.find(page(1, 6)).empty());
    EXPECT_EQ(index.find(page(2, 5)).size(), 1U);
}

TEST(RedoIndex, AnEntryCarriesAllFlagsOfItsMiniTransaction) {
    RedoIndex index(1024);
    index.begin(0);
    index.add(IndexEntry::make(page(1, 5), Lsn{20000}, IndexEntry::kInit));
    index.add(IndexEntry::make(page(1, 5), Lsn{20000}, 0));
    index.finish({});
    ASSERT_EQ(index.find(page(1, 5)).size(), 1U);
    EXPECT_TRUE(index.pages().front().initialised());
}

}  // namespace
}  // namespace redoubt::recovery
