#include "verify/page_ages.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace redoubt::verify {
namespace {

std::uint64_t pages_of(const LsnHistogram& histogram) {
    return std::accumulate(histogram.counts().begin(), histogram.counts().end(), std::uint64_t{0});
}

std::uint64_t pages_at(const LsnHistogram& histogram, Lsn lsn) {
    const std::uint64_t step = (lsn.value - histogram.begin().value) / histogram.step();
    return histogram.counts().at(step);
}

TEST(LsnHistogram, KeepsSingleLsnsApartWhileTheyAreFew) {
    LsnHistogram histogram;
    EXPECT_TRUE(histogram.empty());
    for (const std::uint64_t lsn : {1000, 1003, 1000, 990}) {
        histogram.add(Lsn{lsn});
    }
    EXPECT_EQ(histogram.step(), 1U);
    EXPECT_EQ(histogram.begin(), Lsn{990});
    EXPECT_EQ(histogram.counts().size(), 14U);
    EXPECT_EQ(pages_at(histogram, Lsn{1000}), 2U);
    EXPECT_EQ(pages_at(histogram, Lsn{1001}), 0U);
}

TEST(LsnHistogram, StaysSmallOverAllLsnsThereAre) {
    LsnHistogram histogram;
    for (const std::uint64_t lsn :
         {std::uint64_t{5}, UINT64_MAX, std::uint64_t{0}, UINT64_MAX / 2}) {
        histogram.add(Lsn{lsn});
    }
    EXPECT_LE(histogram.counts().size(), LsnHistogram::kStepsMax);
    EXPECT_EQ(pages_of(histogram), 4U);
    EXPECT_EQ(pages_at(histogram, Lsn{0}), 2U);
    EXPECT_EQ(pages_at(histogram, Lsn{UINT64_MAX}), 1U);
}

TEST(LsnHistogram, PartsMergeToWhatTheWholeIs) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 50; ++round) {
        const std::uint64_t span = std::uint64_t{1} << (random() % 60);
        LsnHistogram whole;
        LsnHistogram merged;
        for (int part = 0; part < 5; ++part) {
            LsnHistogram of_part;
            for (int page = 0; page < 100; ++page) {
                const Lsn lsn{(random() % span) / (part + 1) + 4096};
                whole.add(lsn);
                of_part.add(lsn);
            }
            merged.merge(of_part);
        }
        EXPECT_EQ(merged.begin(), whole.begin());
        EXPECT_EQ(merged.step(), whole.step());
        EXPECT_EQ(merged.counts(), whole.counts());
        EXPECT_LE(whole.counts().size(), LsnHistogram::kStepsMax);
        EXPECT_EQ(pages_of(whole), 500U);
    }
}

TEST(LsnRange, KnowsTheMeanWithinItsBounds) {
    LsnRange range;
    range.add(Lsn{100});
    range.add(Lsn{200});
    EXPECT_EQ(range.mean(), Lsn{150});
    LsnRange huge;
    huge.add(Lsn{UINT64_MAX});
    huge.add(Lsn{UINT64_MAX});
    EXPECT_EQ(huge.mean(), Lsn{UINT64_MAX});
    range.merge(LsnRange{});
    EXPECT_EQ(range.pages, 2U);
}

TEST(AgeSlices, DivideAFileInABoundedNumber) {
    for (const std::uint32_t pages : {1U, 7U, 160U, 161U, 1000U, 1U << 20, UINT32_MAX}) {
        const AgeSlices slices(pages, 0, pages);
        EXPECT_LE(slices.slices().size(), AgeSlices::kSlicesMax) << pages;
        EXPECT_GE(std::uint64_t{slices.slice_pages()} * slices.slices().size(), pages) << pages;
    }
    EXPECT_EQ(AgeSlices(7, 0, 7).slice_pages(), 1U);
    EXPECT_TRUE(AgeSlices(0, 0, 0).slices().empty());
}

TEST(AgeSlices, PartsThatBeginAnywhereMergeToTheWhole) {
    constexpr std::uint32_t kPages = 1000;
    AgeSlices whole(kPages, 0, kPages);
    AgeSlices merged(kPages, 0, kPages);
    for (std::uint32_t first = 0; first < kPages; first += 37) {
        const std::uint32_t count = std::min(37U, kPages - first);
        AgeSlices part(kPages, first, count);
        for (std::uint32_t page = first; page < first + count; ++page) {
            part.add(PageNo{page}, Lsn{page * 10});
            whole.add(PageNo{page}, Lsn{page * 10});
        }
        merged.merge(part);
    }
    ASSERT_EQ(merged.slices().size(), whole.slices().size());
    for (std::size_t i = 0; i < whole.slices().size(); ++i) {
        EXPECT_EQ(merged.slices()[i].pages, whole.slices()[i].pages);
        EXPECT_EQ(merged.slices()[i].min, whole.slices()[i].min);
        EXPECT_EQ(merged.slices()[i].max, whole.slices()[i].max);
    }
}

}  // namespace
}  // namespace redoubt::verify
