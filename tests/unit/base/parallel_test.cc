#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace redoubt::base {
namespace {

TEST(ParallelFor, DoesEachItemOnce) {
    for (const unsigned threads : {1U, 2U, 7U}) {
        std::vector<std::atomic<int>> done(1000);
        ASSERT_TRUE(
            parallel_for(done.size(), threads, [&](std::size_t item, unsigned thread) -> Status {
                EXPECT_LT(thread, threads);
                ++done[item];
                return {};
            }));
        for (const auto& count : done) {
            EXPECT_EQ(count, 1);
        }
    }
}

TEST(ParallelFor, ReturnsTheErrorAndStops) {
    std::atomic<int> calls{0};
    const Status status = parallel_for(100000, 2, [&](std::size_t item, unsigned) -> Status {
        ++calls;
        if (item == 10) {
            return make_error(ErrorCode::Io, "item {}", item);
        }
        return {};
    });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message(), "item 10");
    EXPECT_LT(calls, 100000);
}

}  // namespace
}  // namespace redoubt::base
