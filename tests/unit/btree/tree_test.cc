// Trees of one key column (INT), made by hand.
#include "btree/tree.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <random>
#include <thread>

#include "base/big_endian.h"
#include "record/column_type.h"
#include "record/parse.h"
#include "unit/made_pages.h"
#include "unit/space/fake_space.h"

namespace redoubt::btree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kPageSize = test::kFakePageSize;
constexpr SpaceId kSpace{7};
constexpr std::uint64_t kIndexId = 42;

class MadePages final : public test::MadePages {
public:
    MadePages() : test::MadePages(kSpace, kPageSize, 200) {}

    Status read(PageId id, std::span<std::byte> plain) override {
        return descriptors_ && id.page.value < 3 && !has(id.page.value)
                   ? descriptors_->read(id, plain)
                   : test::MadePages::read(id, plain);
    }
    /// Pages 0 to 2 are those of a FakeSpace, by which 3 and 64 to 137 are in use; else unreadable.
    void know_use() { descriptors_.emplace(kSpace); }

    void make(std::uint32_t number, std::uint16_t level, PageNo previous, PageNo next,
              const std::vector<std::uint32_t>& keys, const std::vector<std::uint32_t>& children) {
        test::make_keys(*this,
                        {.index_id = kIndexId, .level = level, .previous = previous, .next = next},
                        number, keys, children);
    }

private:
    std::optional<test::FakeSpace> descriptors_;
};

class TreeTest : public testing::Test {
protected:
    TreeTest() {
        layout_.fields = {{.fixed_size = 4, .nullable = false}};
        layout_.key_fields = 1;
        layout_.finish();
        // root 3 over the leaves 4, 5, 6
        pages_.make(3, 1, kNoPage, kNoPage, {10, 20, 30}, {4, 5, 6});
        pages_.make(4, 0, kNoPage, PageNo{5}, {10, 11}, {});
        pages_.make(5, 0, PageNo{4}, PageNo{6}, {20, 21}, {});
        pages_.make(6, 0, PageNo{5}, kNoPage, {30, 31}, {});
    }

    TreeReader reader() {
        return TreeReader(pages_,
                          {.root = {kSpace, PageNo{3}},
                           .index_id = kIndexId,
                           .physical_size = kPageSize,
                           .logical_size = kPageSize},
                          layout_);
    }

    static std::uint32_t key_of(const TreeReader& reader) {
        std::vector<record::Field> fields(1);
        EXPECT_TRUE(reader.parse(1, fields));
        return load_be<std::uint32_t>(fields[0].data);
    }

    std::vector<std::uint32_t> rest(TreeReader& reader, bool forward) {
        std::vector<std::uint32_t> keys;
        for (int i = 0; i < 1000; ++i) {
            const auto more = forward ? reader.next() : reader.previous();
            if (!more) {
                error_ = more.error().to_string();
                break;
            }
            if (!*more) {
                break;
            }
            keys.push_back(key_of(reader));
        }
        return keys;
    }

    void skip_damage(TreeReader& reader, bool forward, const Error& why) {
        std::vector<PassedPage> passed;
        EXPECT_TRUE(reader.skip_damage(forward, why, passed)) << why.to_string();
        for (const PassedPage& page : passed) {
            constexpr std::array<const char*, 3> kLosses = {"none", "rows", "below"};
            passed_.push_back(fmt::format("{} {}", kLosses[static_cast<std::size_t>(page.loss)],
                                          page.page.value));
        }
    }

    /// With skip_damage() at each error; what it says is in passed_.
    std::vector<std::uint32_t> rest_past_damage(TreeReader& reader, bool forward) {
        std::vector<std::uint32_t> keys;
        for (int i = 0; i < 1000; ++i) {
            const auto more = forward ? reader.next() : reader.previous();
            if (more && !*more) {
                break;
            }
            if (more) {
                keys.push_back(key_of(reader));
                continue;
            }
            skip_damage(reader, forward, more.error());
        }
        return keys;
    }

    std::vector<std::uint32_t> all_past_damage(TreeReader& reader, bool forward) {
        passed_.clear();
        if (const Status placed = forward ? reader.to_first() : reader.to_last(); !placed) {
            skip_damage(reader, forward, placed.error());
        }
        return rest_past_damage(reader, forward);
    }

    static Status place(TreeReader& tree, std::uint32_t key, bool behind) {
        std::vector<std::byte> bytes(4);
        store_be<std::uint32_t>(bytes.data(), key);
        const record::Field field{.data = bytes.data(), .size = 4};
        return tree.to_key(std::span(&field, 1), behind);
    }

    std::vector<std::uint32_t> from_key(std::uint32_t key, bool behind, bool forward) {
        TreeReader tree = reader();
        EXPECT_TRUE(place(tree, key, behind));
        return rest(tree, forward);
    }

    MadePages pages_;
    record::RecordLayout layout_;
    std::string error_;
    std::vector<std::string> passed_;
};

TEST_F(TreeTest, IsWalkedFromBothEnds) {
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest(tree, true), ElementsAre(10, 11, 20, 21, 30, 31));
    ASSERT_TRUE(tree.to_last());
    EXPECT_THAT(rest(tree, false), ElementsAre(31, 30, 21, 20, 11, 10));
}

TEST_F(TreeTest, IsEnteredAtAKey) {
    EXPECT_THAT(from_key(20, false, true), ElementsAre(20, 21, 30, 31));
    EXPECT_THAT(from_key(20, true, true), ElementsAre(21, 30, 31));
    EXPECT_THAT(from_key(20, true, false), ElementsAre(20, 11, 10));
    EXPECT_THAT(from_key(20, false, false), ElementsAre(11, 10));
    EXPECT_THAT(from_key(5, false, true), ElementsAre(10, 11, 20, 21, 30, 31));
    EXPECT_THAT(from_key(15, false, true), ElementsAre(20, 21, 30, 31));
    EXPECT_THAT(from_key(99, false, true), IsEmpty());
}

TEST_F(TreeTest, EndsAtADamagedPageUnlessItIsLeftOut) {
    pages_.lose(5);
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest(tree, true), ElementsAre(10, 11));
    EXPECT_THAT(error_, HasSubstr("page 5"));
    EXPECT_THAT(rest_past_damage(tree, true), ElementsAre(30, 31));
    EXPECT_THAT(passed_, ElementsAre("rows 5"));
}

TEST_F(TreeTest, TurnsRoundBehindADamagedPageWhereAKeyIsFoundOnTheLeafReadLast) {
    pages_.lose(5);
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest_past_damage(tree, true), ElementsAre(10, 11, 30, 31));
    ASSERT_TRUE(place(tree, 31, false));
    EXPECT_THAT(rest_past_damage(tree, false), ElementsAre(30, 11, 10));
}

TEST_F(TreeTest, GoesOnPastALinkThatLeadsAstray) {
    pages_.make(4, 0, kNoPage, PageNo{6}, {10, 11}, {});
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest_past_damage(tree, true), ElementsAre(10, 11, 20, 21, 30, 31));
    EXPECT_THAT(passed_, ElementsAre("none 4"));
    pages_.make(4, 0, kNoPage, PageNo{77}, {10, 11}, {});  // where no page is
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest_past_damage(tree, true), ElementsAre(10, 11, 20, 21, 30, 31));
}

TEST_F(TreeTest, GoesOnPastAnEndThatIsDamaged) {
    pages_.lose(4);
    TreeReader tree = reader();
    EXPECT_THAT(all_past_damage(tree, true), ElementsAre(20, 21, 30, 31));
    EXPECT_THAT(passed_, ElementsAre("rows 4"));
    EXPECT_THAT(all_past_damage(tree, false), ElementsAre(31, 30, 21, 20));
    EXPECT_THAT(passed_, ElementsAre("rows 4"));
}

TEST_F(TreeTest, FindsLeavesByTheirLinksBelowADamagedPage) {
    // root 3 over 7 and 8, these over the leaves 4, 5 and 6
    pages_.make(3, 2, kNoPage, kNoPage, {10, 30}, {7, 8});
    pages_.make(7, 1, kNoPage, PageNo{8}, {10, 20}, {4, 5});
    pages_.make(8, 1, PageNo{7}, kNoPage, {30}, {6});
    pages_.lose(7);
    TreeReader tree = reader();
    EXPECT_EQ(all_past_damage(tree, true).size(), 6U);
    EXPECT_THAT(passed_, ElementsAre("none 7"));
    EXPECT_EQ(all_past_damage(tree, false).size(), 6U);
    EXPECT_THAT(passed_, IsEmpty());
    pages_.lose(5);  // now what lies before it is out of reach
    TreeReader again = reader();
    EXPECT_THAT(all_past_damage(again, true), ElementsAre(30, 31));
    EXPECT_THAT(passed_, ElementsAre("below 7"));
}

/// Root 3 over 64 and 65, these over the leaves 66 to 85 with keys 1, 5, 11, 15, ...; 138 to 140
/// were leaves once.
class StrayTest : public TreeTest {
protected:
    static constexpr std::uint32_t kFirst = 66;
    static constexpr std::uint32_t kLeaves = 20;

    StrayTest() {
        pages_.know_use();
        for (std::uint32_t i = 0; i < kLeaves; ++i) {
            keys_.push_back(keys_of(i)[0]);
            keys_.push_back(keys_of(i)[1]);
        }
        make_pages();
    }

    void make_pages() {
        pages_.make(3, 2, kNoPage, kNoPage, {1, 101}, {64, 65});
        for (const std::uint32_t inner : {64U, 65U}) {
            std::vector<std::uint32_t> keys;
            std::vector<std::uint32_t> children;
            for (std::uint32_t i = 0; i < kLeaves / 2; ++i) {
                const std::uint32_t leaf = (inner - 64) * kLeaves / 2 + i;
                keys.push_back(10 * leaf + 1);
                children.push_back(kFirst + leaf);
            }
            pages_.make(inner, 1, inner == 64 ? kNoPage : PageNo{64},
                        inner == 64 ? PageNo{65} : kNoPage, keys, children);
        }
        for (std::uint32_t i = 0; i < kLeaves; ++i) {
            pages_.make(kFirst + i, 0, i == 0 ? kNoPage : PageNo{kFirst + i - 1},
                        i + 1 == kLeaves ? kNoPage : PageNo{kFirst + i + 1}, keys_of(i), {});
        }
        pages_.make(138, 0, PageNo{kFirst}, PageNo{kFirst + 1}, {7, 8}, {});
        pages_.make(139, 0, kNoPage, kNoPage, {207}, {});
        pages_.make(140, 0, PageNo{kFirst + 19}, kNoPage, {300}, {});
    }

    static std::vector<std::uint32_t> keys_of(std::uint32_t leaf) {
        return {10 * leaf + 1, 10 * leaf + 5};
    }
    std::vector<std::uint32_t> keys_but(std::uint32_t leaf) const {
        std::vector<std::uint32_t> keys = keys_;
        std::erase_if(keys, [leaf](std::uint32_t key) { return key / 10 == leaf; });
        return keys;
    }

    std::vector<std::uint32_t> keys_;
};

TEST_F(StrayTest, RowsOfATreeWithoutARootAreFoundByTheirLeaves) {
    pages_.lose(3);
    TreeReader tree = reader();
    EXPECT_EQ(all_past_damage(tree, true), keys_);
    EXPECT_THAT(passed_, ElementsAre("none 3"));
    std::vector<std::uint32_t> backwards = all_past_damage(tree, false);
    std::reverse(backwards.begin(), backwards.end());
    EXPECT_EQ(backwards, keys_);

    pages_.lose(kFirst + 7);
    TreeReader again = reader();
    EXPECT_EQ(all_past_damage(again, true), keys_but(7));
    EXPECT_THAT(passed_, ElementsAre("below 3"));
}

TEST_F(StrayTest, LeavesThatNothingLeadsToArePutWhereTheirKeysBelong) {
    pages_.lose(65);  // leaves 10 to 19, which links lead to as far as 12
    pages_.lose(kFirst + 13);
    pages_.lose(kFirst + 19);
    TreeReader tree = reader();
    std::vector<std::uint32_t> keys = keys_but(13);
    std::erase_if(keys, [](std::uint32_t key) { return key / 10 == 19; });
    EXPECT_EQ(all_past_damage(tree, true), keys);
    EXPECT_THAT(passed_, ElementsAre(fmt::format("rows {}", kFirst + 13), "below 65"));
}

TEST_F(StrayTest, OfLeavesThatClaimTheSameKeysOneIsTaken) {
    pages_.lose(3);
    pages_.make(kFirst + 30, 0, kNoPage, kNoPage, {52, 53}, {});  // between two keys of leaf 5
    TreeReader tree = reader();
    EXPECT_EQ(all_past_damage(tree, true), keys_);
    EXPECT_THAT(passed_, ElementsAre("none 3"));
}

TEST_F(StrayTest, WithoutAnOrderOfKeysOnlyAWholeRowOfLeavesCounts) {
    const record::ColumnType unknown;
    ASSERT_FALSE(unknown.comparable());
    layout_.fields[0].type = &unknown;
    pages_.lose(3);
    TreeReader tree = reader();
    EXPECT_EQ(all_past_damage(tree, true), keys_);
    pages_.lose(kFirst + 7);
    TreeReader again = reader();
    EXPECT_THAT(all_past_damage(again, true), IsEmpty());
    EXPECT_THAT(passed_, ElementsAre("below 3"));
}

TEST_F(StrayTest, WhateverIsDamagedNoKeyComesTwiceOrFromAFreedPage) {
    for (unsigned seed = 0; seed < 500; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        make_pages();
        const auto any = [&random](std::uint32_t from) {
            return from + static_cast<std::uint32_t>(random() % (kFirst + kLeaves - from));
        };
        for (unsigned i = 0; i < 1 + seed % 5; ++i) {
            const std::uint32_t page = random() % 4 == 0 ? 3 : any(64);
            if (page < kFirst || random() % 2 == 0) {
                pages_.lose(page);
                continue;
            }
            const std::uint32_t to =
                random() % 4 == 0 ? kNoPage.value : any(kFirst) + seed % 2 * 60;
            store_be<std::uint32_t>(pages_.page(page).data() + 8 + random() % 2 * 4, to);
        }
        TreeReader tree = reader();
        for (const bool forward : {true, false}) {
            std::vector<std::uint32_t> found = all_past_damage(tree, forward);
            if (!forward) {
                std::reverse(found.begin(), found.end());
            }
            EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
            EXPECT_TRUE(std::includes(keys_.begin(), keys_.end(), found.begin(), found.end()));
        }
    }
}

TEST_F(TreeTest, NoticesLinksThatDoNotLeadBack) {
    pages_.make(5, 0, PageNo{4}, PageNo{4}, {20, 21}, {});  // a circle
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest(tree, true), ElementsAre(10, 11, 20, 21));
    EXPECT_THAT(error_, HasSubstr("leads back"));
}

TEST_F(TreeTest, NoticesACircleOfChildren) {
    pages_.make(3, 1, kNoPage, kNoPage, {10}, {3});
    TreeReader tree = reader();
    const Status status = tree.to_first();
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().to_string(), HasSubstr("level 1 below one on level 1"));
}

TEST_F(TreeTest, NoticesRecordsThatLeaveTheHeap) {
    for (const std::uint16_t link :
         std::initializer_list<std::uint16_t>{1, 0x0F00, 0x7FFF, 0xFFFF}) {
        store_be<std::uint16_t>(pages_.page(4).data() + record::kCompactInfimum - 2, link);
        TreeReader tree = reader();
        EXPECT_FALSE(tree.to_first()) << link;
    }
}

/// A root over a hundred leaves with two records each, keys 10, 11, 20, 21, ...
class LongTreeTest : public TreeTest {
protected:
    static constexpr std::uint32_t kLeaves = 100;
    static constexpr std::uint32_t kFirst = 4;  // page of the first leaf
    static constexpr std::uint32_t kLast = kFirst + kLeaves - 1;

    LongTreeTest() {
        std::vector<std::uint32_t> keys;
        std::vector<std::uint32_t> children;
        for (std::uint32_t page = kFirst; page <= kLast; ++page) {
            const std::uint32_t key = key_on(page);
            keys.push_back(key);
            children.push_back(page);
            pages_.make(page, 0, page == kFirst ? kNoPage : PageNo{page - 1},
                        page == kLast ? kNoPage : PageNo{page + 1}, {key, key + 1}, {});
        }
        pages_.make(3, 1, kNoPage, kNoPage, keys, children);
    }

    static std::uint32_t key_on(std::uint32_t page) { return 10 * (page - kFirst + 1); }

    static std::vector<std::uint32_t> keys_of(std::uint32_t first, std::uint32_t last) {
        std::vector<std::uint32_t> keys;
        for (std::uint32_t page = first; page <= last; ++page) {
            keys.push_back(key_on(page));
            keys.push_back(key_on(page) + 1);
        }
        return keys;
    }
    static std::vector<std::uint32_t> turned(std::vector<std::uint32_t> keys) {
        std::reverse(keys.begin(), keys.end());
        return keys;
    }

    static std::uint32_t step(TreeReader& tree, bool forward) {
        const auto more = forward ? tree.next() : tree.previous();
        EXPECT_TRUE(more && *more);
        return key_of(tree);
    }
};

TEST_F(LongTreeTest, IsReadAheadOfAWalkInBothDirections) {
    TreeReader tree = reader();
    tree.allow_read_ahead();
    for (int round = 0; round < 20; ++round) {
        ASSERT_TRUE(tree.to_first());
        ASSERT_EQ(rest(tree, true), keys_of(kFirst, kLast));
        ASSERT_EQ(error_, "");
        ASSERT_TRUE(tree.to_last());
        ASSERT_EQ(rest(tree, false), turned(keys_of(kFirst, kLast)));
        ASSERT_EQ(error_, "");
    }
}

TEST_F(LongTreeTest, AWalkThatTurnsOrBeginsElsewhereIsNotMisled) {
    TreeReader tree = reader();
    tree.allow_read_ahead();
    ASSERT_TRUE(tree.to_first());
    for (const std::uint32_t key : keys_of(kFirst, kFirst + 49)) {
        ASSERT_EQ(step(tree, true), key);
    }
    for (const std::uint32_t key : turned(keys_of(kFirst + 10, kFirst + 49))) {
        ASSERT_EQ(step(tree, false), key);
    }
    for (const std::uint32_t key : keys_of(kFirst + 10, kFirst + 19)) {
        ASSERT_EQ(step(tree, true), key);
    }
    std::vector<std::byte> bytes(4);
    store_be<std::uint32_t>(bytes.data(), key_on(kFirst + 80));
    const record::Field field{.data = bytes.data(), .size = 4};
    ASSERT_TRUE(tree.to_key(std::span(&field, 1), false));
    ASSERT_EQ(rest(tree, true), keys_of(kFirst + 80, kLast));
}

TEST_F(LongTreeTest, ReadAheadGoesNoFurtherThanItSays) {
    const std::size_t walked = 20;
    {
        TreeReader tree = reader();
        tree.allow_read_ahead();
        ASSERT_TRUE(tree.to_first());
        for (const std::uint32_t key : keys_of(kFirst, kFirst + walked - 1)) {
            ASSERT_EQ(step(tree, true), key);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time to go too far
    }
    EXPECT_GE(pages_.reads(), 1 + walked);  // with the root
    EXPECT_LE(pages_.reads(), 1 + walked + ReadAhead::kPages + 1);
    const std::size_t before = pages_.reads();
    TreeReader without = reader();
    ASSERT_TRUE(without.to_first());
    for (const std::uint32_t key : keys_of(kFirst, kFirst + walked - 1)) {
        ASSERT_EQ(step(without, true), key);
    }
    EXPECT_EQ(pages_.reads() - before, 1 + walked);
}

TEST_F(LongTreeTest, ADamagedPageEndsTheWalkOnlyWhereItIs) {
    const std::uint32_t bad = kFirst + 42;
    for (const bool forward : {true, false}) {
        for (const bool lose : {false, true}) {
            if (lose) {
                pages_.lose(bad);
            } else {
                store_be<std::uint64_t>(pages_.page(bad).data() + 66, kIndexId + 1);
            }
            TreeReader tree = reader();
            tree.allow_read_ahead();
            ASSERT_TRUE(forward ? tree.to_first() : tree.to_last());
            EXPECT_EQ(rest(tree, forward),
                      forward ? keys_of(kFirst, bad - 1) : turned(keys_of(bad + 1, kLast)));
            EXPECT_THAT(error_, HasSubstr("page 46"));
            EXPECT_EQ(rest_past_damage(tree, forward),
                      forward ? keys_of(bad + 1, kLast) : turned(keys_of(kFirst, bad - 1)));
            pages_.make(bad, 0, PageNo{bad - 1}, PageNo{bad + 1}, {key_on(bad), key_on(bad) + 1},
                        {});
        }
    }
}

TEST_F(LongTreeTest, ACircleOfLeavesEndsTheWalk) {
    TreeReader tree = reader();
    tree.allow_read_ahead();
    ASSERT_TRUE(tree.to_first());
    store_be<std::uint32_t>(pages_.page(kFirst).data() + 8, kLast);
    store_be<std::uint32_t>(pages_.page(kLast).data() + 12, kFirst);
    EXPECT_LT(rest(tree, true).size(), 2U * 200);  // two on each page of the space
    EXPECT_THAT(error_, HasSubstr("lead in a circle"));
}

}  // namespace
}  // namespace redoubt::btree
