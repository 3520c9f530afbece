#include "recovery/redo_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace redoubt::recovery {
namespace {

PageId page(std::uint32_t space, std::uint32_t number) { return {SpaceId{space}, PageNo{number}}; }

struct Event {
    PageId id;
    Lsn start;
    PageEffect effect;
    bool truncates = false;  // instead: the space is truncated
};
/// A page's entries as they come out: id, starts, whether it is made from nothing, whether free.
struct Listed {
    PageId id;
    std::vector<Lsn> starts;
    bool initialised;
    bool freed;
    friend bool operator==(const Listed&, const Listed&) = default;
};

Listed list(const PageEntries& entries) {
    Listed result{entries.id(), {}, entries.initialised(), entries.freed()};
    for (auto cursor = entries.cursor(); !cursor.done(); cursor.next()) {
        result.starts.push_back(cursor.start());
    }
    return result;
}

void build(RedoIndex& index, const std::vector<Event>& log, std::uint64_t lower) {
    index.begin(lower);
    for (const Event& event : log) {
        if (event.truncates) {
            index.truncate(event.id.space);
        } else {
            index.add(event.id, event.start, event.effect);
        }
    }
    index.finish();
}

/// All pages of an index, over as many builds as its cap asks for.
std::vector<Listed> all_ranges(RedoIndex& index, const std::vector<Event>& log,
                               std::size_t* builds) {
    std::vector<Listed> result;
    std::uint64_t lower = 0;
    for (*builds = 0; lower != RedoIndex::kEnd; ++*builds) {
        build(index, log, lower);
        for (std::size_t i = 0; i < index.page_count(); ++i) {
            result.push_back(list(index.page(i)));
        }
        EXPECT_GT(index.upper(), lower);
        lower = index.upper();
    }
    return result;
}

std::vector<Event> random_log(unsigned seed, std::size_t count) {
    std::mt19937 engine(seed);
    const auto random = [&](std::uint32_t end) {
        return static_cast<std::uint32_t>(engine() % end);
    };
    std::vector<Event> log;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t kind = random(20);
        PageEffect effect = PageEffect::Change;
        if (kind == 0) {
            effect = PageEffect::Initialise;
        } else if (kind == 1) {
            effect = PageEffect::Free;
        }
        const std::uint32_t number = random(4) == 0 ? 0 : random(500);  // page 0 is hot
        log.push_back({page(random(5), number), Lsn{12288 + 20 * i}, effect});
        if (i % 7001 == 7000) {
            log.push_back({page(3, 0), Lsn{}, PageEffect::Change, true});
        }
    }
    return log;
}

// R1, by the plainest possible model.
TEST(RedoIndex, ListsEachPageInLsnOrderFromItsLastInitialisation) {
    const auto log = random_log(1, 20000);
    std::map<PageId, Listed> model;
    for (const Event& event : log) {
        if (event.truncates) {
            std::erase_if(model,
                          [&](const auto& item) { return item.first.space == event.id.space; });
            continue;
        }
        auto& listed =
            model.try_emplace(event.id, Listed{event.id, {}, false, false}).first->second;
        if (event.effect != PageEffect::Change) {
            listed.starts.clear();
            listed.initialised = true;
        }
        listed.freed = event.effect == PageEffect::Free;
        if (!listed.freed) {
            listed.starts.push_back(event.start);
        }
    }
    RedoIndex index(std::size_t{64} << 20);
    std::size_t builds = 0;
    const auto listed = all_ranges(index, log, &builds);
    EXPECT_EQ(builds, 1U);
    ASSERT_EQ(listed.size(), model.size());
    for (const Listed& entries : listed) {
        ASSERT_EQ(entries, model.at(entries.id))
            << entries.id.space.value << ":" << entries.id.page.value;
        ASSERT_EQ(list(index.find(entries.id)), entries);
    }
    EXPECT_TRUE(index.find(page(9, 9)).empty());
}

// R2: whatever the cap, the ranges together say the same.
TEST(RedoIndex, TheCapChangesNothingButTheNumberOfBuilds) {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        const auto log = random_log(seed, 20000);
        std::size_t builds = 0;
        RedoIndex whole(std::size_t{64} << 20);
        const auto expected = all_ranges(whole, log, &builds);
        for (const std::size_t cap : {30000U, 60000U, 100000U}) {
            RedoIndex capped(cap);
            EXPECT_EQ(all_ranges(capped, log, &builds), expected)
                << "seed " << seed << " cap " << cap;
            EXPECT_GT(builds, 1U);
        }
    }
}

TEST(RedoIndex, OnePageMayExceedTheCap) {
    std::vector<Event> log;
    for (std::uint64_t i = 0; i < 5000; ++i) {
        log.push_back({page(1, 7), Lsn{12288 + 20 * i}, PageEffect::Change});
        log.push_back({page(1, 8), Lsn{12288 + 20 * i + 1}, PageEffect::Change});
    }
    RedoIndex index(8192);
    std::size_t builds = 0;
    const auto listed = all_ranges(index, log, &builds);
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].starts.size(), 5000U);
    EXPECT_EQ(listed[1].starts.size(), 5000U);
}

TEST(RedoIndex, ATruncationVoidsWhatCameBeforeIt) {
    RedoIndex index(1 << 20);
    build(index,
          {{page(1, 5), Lsn{20000}, PageEffect::Change},
           {page(1, 6), Lsn{20000}, PageEffect::Change},
           {page(2, 5), Lsn{20000}, PageEffect::Change},
           {page(1, 0), Lsn{}, PageEffect::Change, true},
           {page(1, 5), Lsn{30000}, PageEffect::Change}},
          0);
    EXPECT_EQ(list(index.find(page(1, 5))).starts, std::vector<Lsn>{Lsn{30000}});
    EXPECT_TRUE(index.find(page(1, 6)).empty());
    EXPECT_EQ(list(index.find(page(2, 5))).starts, std::vector<Lsn>{Lsn{20000}});
    EXPECT_EQ(index.page_count(), 2U);
}

TEST(RedoIndex, TheLastEffectOfAMiniTransactionCounts) {
    RedoIndex index(1 << 20);
    const Lsn lsn{20000};
    build(index,
          {{page(1, 5), lsn, PageEffect::Initialise},
           {page(1, 5), lsn, PageEffect::Change},
           // Seen from a real server: a merge frees a page, a split takes it again.
           {page(1, 6), Lsn{19000}, PageEffect::Change},
           {page(1, 6), lsn, PageEffect::Change},
           {page(1, 6), lsn, PageEffect::Free},
           {page(1, 6), lsn, PageEffect::Initialise},
           {page(1, 7), lsn, PageEffect::Initialise},
           {page(1, 7), lsn, PageEffect::Free}},
          0);
    EXPECT_EQ(list(index.find(page(1, 5))), (Listed{page(1, 5), {lsn}, true, false}));
    EXPECT_EQ(list(index.find(page(1, 6))), (Listed{page(1, 6), {lsn}, true, false}));
    EXPECT_EQ(list(index.find(page(1, 7))), (Listed{page(1, 7), {}, true, true}));
}

}  // namespace
}  // namespace redoubt::recovery
