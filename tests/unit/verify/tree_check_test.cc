// Trees of one key column (INT), made by hand on COMPACT pages of 4 KiB, whole and then damaged.
// On real pages: tests/interop/damage_trees.py.
#include "verify/tree_check.h"

#include <gmock/gmock.h>

#include "page/header.h"
#include "unit/made_pages.h"

namespace redoubt::verify {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kPageCount = 20;
constexpr SpaceId kSpace{7};
constexpr std::uint64_t kIndexId = 42;
constexpr std::uint32_t kInodePage = 2;
constexpr std::uint16_t kLeafInode = 50;
constexpr std::uint16_t kInnerInode = 50 + 576;  // an inode has 64 + 4 * 128 bytes

class MadePages final : public test::MadePages {
public:
    MadePages() : test::MadePages(kSpace, kPageSize, kPageCount) {}

    void make(std::uint32_t number, std::uint16_t level, PageNo previous, PageNo next,
              const std::vector<std::uint32_t>& keys, const std::vector<std::uint32_t>& children) {
        test::make_keys(*this,
                        {.index_id = kIndexId, .level = level, .previous = previous, .next = next},
                        number, keys, children);
    }
    static std::size_t origin_of(std::size_t record, std::uint16_t level) {
        return test::IndexPage::origin_of(record, level > 0 ? 8 : 4);
    }
};

class TreeCheckTest : public testing::Test {
protected:
    TreeCheckTest() {
        layout_.fields = {{.fixed_size = 4, .nullable = false}};
        layout_.key_fields = 1;
        layout_.finish();
        flags_.logical_page_size = flags_.physical_page_size = kPageSize;
        // root 3 over the leaves 4, 5, 6
        pages_.make(3, 1, kNoPage, kNoPage, {10, 20, 30}, {4, 5, 6});
        pages_.make(4, 0, kNoPage, PageNo{5}, {10, 11}, {});
        pages_.make(5, 0, PageNo{4}, PageNo{6}, {20, 21}, {});
        pages_.make(6, 0, PageNo{5}, kNoPage, {30, 31}, {});
        pages_.make(kInodePage, 0, kNoPage, kNoPage, {}, {});
        pages_.put16(kInodePage, 24, 3);
        for (const auto& [header, inode] :
             {std::pair(74, kLeafInode), std::pair(84, kInnerInode)}) {
            const auto at = static_cast<std::size_t>(header);
            pages_.put32(3, at, kSpace.value);
            pages_.put32(3, at + 4, kInodePage);
            pages_.put16(3, at + 8, inode);
            pages_.put32(kInodePage, inode + 4U, inode);  // its segment's id
        }
    }

    /// "kind page", in the order they came.
    std::vector<std::string> check() {
        SpaceUse use(nullptr, kPageCount, flags_);
        std::vector<std::string> found;
        const auto report = [&](const TreeProblem& problem) {
            found.push_back(fmt::format("{} {}", problem.kind, problem.page.value));
            messages_ += problem.message + "\n";
        };
        TreeChecker checker(pages_,
                            {.root = {kSpace, PageNo{3}},
                             .index_id = kIndexId,
                             .physical_size = kPageSize,
                             .logical_size = kPageSize},
                            layout_, use, report, nullptr);
        EXPECT_TRUE(checker.run());
        complete_ = checker.complete();
        records_ = checker.size().records;
        return found;
    }

    MadePages pages_;
    record::RecordLayout layout_;
    page::TablespaceFlags flags_;
    std::string messages_;
    bool complete_ = false;
    std::uint64_t records_ = 0;
};

TEST_F(TreeCheckTest, WholeTreeHasNoProblems) {
    EXPECT_THAT(check(), IsEmpty()) << messages_;
    EXPECT_TRUE(complete_);
    EXPECT_EQ(records_, 6U);
}

TEST_F(TreeCheckTest, ReadsEachPageOnceButForThoseAboveTheLeaves) {
    check();
    EXPECT_EQ(pages_.reads(),
              1U + 2U + 1U + 1U + 3U);  // root, inode twice, root, root again, leaves
}

TEST_F(TreeCheckTest, FindsDamageOnOnePage) {
    pages_.put16(4, 40, 200);  // the heap's end
    EXPECT_THAT(check(), ElementsAre("index-page 4"));
}

TEST_F(TreeCheckTest, FindsKeysOutOfOrder) {
    pages_.put32(5, MadePages::origin_of(1, 0), 19);
    EXPECT_THAT(check(), ElementsAre("index-order 5"));
}

TEST_F(TreeCheckTest, FindsOrderBrokenBetweenPages) {
    pages_.put32(4, MadePages::origin_of(1, 0), 20);
    EXPECT_THAT(check(), ElementsAre("index-order 5"));
}

TEST_F(TreeCheckTest, FindsAKeyBelowItsPointer) {
    pages_.put32(3, MadePages::origin_of(1, 1), 21);
    EXPECT_THAT(check(), ElementsAre("node-pointer 5"));
}

TEST_F(TreeCheckTest, FindsBrokenLinks) {
    pages_.put32(5, 8, 9);
    pages_.put32(6, 12, 4);
    EXPECT_THAT(check(), ElementsAre("index-link 5", "index-link 6"));
}

TEST_F(TreeCheckTest, APageThatTwoPointersLeadToIsTakenOnce) {
    pages_.put32(3, MadePages::origin_of(1, 1) + 4, 4);
    EXPECT_THAT(check(), ElementsAre("page-shared 4"));
}

TEST_F(TreeCheckTest, PointersToTheRootItselfEnd) {
    for (std::size_t i = 0; i < 3; ++i) {
        pages_.put32(3, MadePages::origin_of(i, 1) + 4, 3);
    }
    EXPECT_THAT(check(), ElementsAre("page-shared 3", "page-shared 3", "page-shared 3"));
}

TEST_F(TreeCheckTest, WhatAnUnreadablePageAboveTheLeavesHidesIsNotGuessedAt) {
    pages_.make(3, 2, kNoPage, kNoPage, {10, 20}, {7, 8});
    for (const auto& [header, inode] : {std::pair(74, kLeafInode), std::pair(84, kInnerInode)}) {
        const auto at = static_cast<std::size_t>(header);
        pages_.put32(3, at, kSpace.value);
        pages_.put32(3, at + 4, kInodePage);
        pages_.put16(3, at + 8, inode);
    }
    pages_.make(7, 1, kNoPage, PageNo{8}, {10}, {4});
    pages_.make(8, 1, PageNo{7}, kNoPage, {20, 30}, {5, 6});
    EXPECT_THAT(check(), IsEmpty()) << messages_;
    pages_.lose(8);
    EXPECT_THAT(check(), ElementsAre("tree-unreadable 8"));
    EXPECT_FALSE(complete_);
}

TEST_F(TreeCheckTest, ARootThatIsNoneIsSaidAndLeft) {
    pages_.put32(3, 70, 43);
    EXPECT_THAT(check(), ElementsAre("index-root 3"));
    EXPECT_FALSE(complete_);
}

}  // namespace
}  // namespace redoubt::verify
