#include "base/parallel.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "base/thread.h"

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

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Its stack is what a new thread cannot have.
TEST(ParallelFor, DoesAllWithTheThreadsThatAreToBeHad) {
    const auto work_without_threads = []() {
        std::ifstream sizes("/proc/self/statm");
        rlim_t pages = 0;
        sizes >> pages;
        const rlim_t room = rlim_t{2} << 20;  // bytes
        const rlimit limit{pages * 4096 + room, RLIM_INFINITY};
        if (setrlimit(RLIMIT_AS, &limit) != 0) {
            std::_Exit(2);
        }
        // Stacks of ended threads are kept and used again: these take what is left.
        std::vector<std::jthread> others;
        for (auto thread = start_thread([]() { pause(); }); thread;
             thread = start_thread([]() { pause(); })) {
            others.push_back(std::move(*thread));
        }
        std::array<std::atomic<int>, 100> done{};
        const Status status = parallel_for(done.size(), 4, [&](std::size_t item, unsigned) {
            ++done[item];
            return ok_status();
        });
        const bool all = std::ranges::all_of(done, [](const auto& count) { return count == 1; });
        std::_Exit(status && all ? 0 : 4);
    };
    EXPECT_EXIT(work_without_threads(), testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace redoubt::base
