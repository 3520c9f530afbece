// R-trees made by hand on COMPACT pages of 4 KiB: a box and a number. On real pages:
// tests/interop/damage_trees.py.
#include <gmock/gmock.h>

#include <cmath>
#include <cstring>

#include "page/header.h"
#include "unit/made_pages.h"
#include "verify/tree_check.h"

namespace redoubt::verify {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kPageCount = 20;
constexpr SpaceId kSpace{7};
constexpr std::uint64_t kIndexId = 42;
constexpr std::size_t kBoxSize = 32;

using Ends = std::array<double, 4>;  // least and greatest x, least and greatest y

class MadePages final : public test::MadePages {
public:
    MadePages() : test::MadePages(kSpace, kPageSize, kPageCount) {}

    static std::size_t origin_of(std::size_t record) {
        return test::IndexPage::origin_of(record, kBoxSize + 4);
    }
    void put_box(std::uint32_t number, std::size_t record, const Ends& box) {
        std::memcpy(page(number).data() + origin_of(record), box.data(), kBoxSize);
    }

    /// Boxes, each with a key or, above the leaves, a child.
    void make(std::uint32_t number, std::uint16_t level, PageNo previous, PageNo next,
              const std::vector<std::pair<Ends, std::uint32_t>>& records) {
        std::vector<test::Bytes> made;
        for (const auto& [box, value] : records) {
            made.push_back(test::integers({0, 0, 0, 0, 0, 0, 0, 0, value}));
            std::memcpy(made.back().data(), box.data(), kBoxSize);
        }
        test::IndexPage{.type = test::IndexPage::kRTree,
                        .index_id = kIndexId,
                        .level = level,
                        .previous = previous,
                        .next = next}
            .make(*this, number, made);
    }
};

class SpatialCheckTest : public testing::Test {
protected:
    SpatialCheckTest() {
        layout_.clustered = false;
        layout_.spatial = true;
        layout_.fields = {{.fixed_size = kBoxSize, .nullable = false},
                          {.fixed_size = 4, .nullable = false}};
        layout_.key_fields = 1;
        layout_.finish();
        flags_.logical_page_size = flags_.physical_page_size = kPageSize;
        // root 3 over the leaves 4, 5, 6, which are chained in another order
        pages_.make(3, 1, kNoPage, kNoPage,
                    {{Ends{0, 9, 0, 9}, 4}, {Ends{5, 20, 5, 20}, 5}, {Ends{-5, 0, -5, 0}, 6}});
        pages_.make(4, 0, PageNo{6}, kNoPage, {{Ends{0, 1, 0, 1}, 1}, {Ends{9, 9, 9, 9}, 2}});
        pages_.make(5, 0, kNoPage, PageNo{6}, {{Ends{5, 20, 5, 20}, 3}});
        pages_.make(6, 0, PageNo{5}, PageNo{4}, {{Ends{-5, 0, -5, 0}, 4}});
    }

    /// "kind page", in the order they came.
    std::vector<std::string> check() {
        SpaceUse use(nullptr, kPageCount, flags_);
        std::vector<std::string> found;
        const auto report = [&](const TreeProblem& problem) {
            found.push_back(fmt::format("{} {}", problem.kind, problem.page.value));
        };
        TreeChecker checker(pages_,
                            {.root = {kSpace, PageNo{3}},
                             .index_id = kIndexId,
                             .physical_size = kPageSize,
                             .logical_size = kPageSize},
                            layout_, use, report, nullptr);
        checker.set_segment(0);
        EXPECT_TRUE(checker.run());
        return found;
    }

    MadePages pages_;
    record::RecordLayout layout_;
    page::TablespaceFlags flags_;
};

TEST_F(SpatialCheckTest, AWholeTreeHasNoProblemsWhateverItsOrder) {
    EXPECT_THAT(check(), IsEmpty());
}

TEST_F(SpatialCheckTest, FindsABoxThatIsNotWithinThatOfThePointer) {
    pages_.put_box(4, 1, {9, 9.5, 9, 9});
    pages_.put_box(6, 0, {-5, 0, -5.5, 0});
    EXPECT_THAT(check(), ElementsAre("spatial-box 4", "spatial-box 6"));
}

TEST_F(SpatialCheckTest, FindsWhatIsNoBox) {
    pages_.put_box(4, 0, {1, 0, 0, 1});
    EXPECT_THAT(check(), ElementsAre("spatial-box 4"));
}

TEST_F(SpatialCheckTest, FindsLinksThatAreNoChain) {
    pages_.put32(6, 12, 5);
    EXPECT_THAT(check(), ElementsAre("index-link 5", "index-link 4"));
}

TEST_F(SpatialCheckTest, FindsAChainInACircleBesideAnother) {
    pages_.put32(5, 12, kNoPage.value);
    pages_.put32(6, 8, 4);
    pages_.put32(4, 12, 6);
    EXPECT_THAT(check(), ElementsAre("index-link 4"));
}

TEST_F(SpatialCheckTest, FindsAPageOfABTree) {
    pages_.put16(5, 24, 17855);
    EXPECT_THAT(check(), ElementsAre("index-page 5"));
}

TEST_F(SpatialCheckTest, APageThatTwoPointersLeadToIsTakenOnce) {
    pages_.put32(3, MadePages::origin_of(2) + kBoxSize, 5);
    EXPECT_THAT(check(), testing::Contains("page-shared 5"));
}

TEST(Box, CoversItselfAndWhatIsNoNumber) {
    const Box outer{{0, 9, 0, 9}};
    EXPECT_TRUE(outer.covers(outer));
    EXPECT_FALSE(outer.covers({{0, 9, 0, 9.5}}));
    EXPECT_TRUE(outer.covers({{NAN, NAN, 0, 1}}));
}

}  // namespace
}  // namespace redoubt::verify
