#include "backup/commit_watch.h"

#include <gtest/gtest.h>

namespace redoubt::backup {
namespace {

using std::chrono::milliseconds;
using Seen = CommitTimes::Seen;

CommitTimes::Clock::time_point at(int ms) {
    return CommitTimes::Clock::time_point{} + milliseconds(ms);
}

// It began between two looks and ended between two others.
TEST(CommitTimes, TakesTheMiddleOfWhatIsPossible) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(110), {{1, 7, true}});
    times.look(at(130), {{1, 7, true}});
    times.look(at(134), {});
    EXPECT_EQ(times.longest(), milliseconds(27));
}

TEST(CommitTimes, AWaitForTheLockCountsWithTheCommitThatFollows) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(104), {{1, 7, false}, {2, 8, false}});
    times.look(at(150), {{1, 7, true}, {2, 8, false}});
    times.look(at(154), {{2, 8, false}});
    EXPECT_EQ(times.longest(), milliseconds(50));
    times.look(at(900), {});  // statement 8 waited, but for no commit
    EXPECT_EQ(times.longest(), milliseconds(50));
}

TEST(CommitTimes, TwoStatementsOfASessionAreTwoCommits) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(110), {{1, 7, true}});
    times.look(at(120), {{1, 8, true}});
    times.look(at(130), {});
    EXPECT_EQ(times.longest(), milliseconds(10));
}

TEST(CommitTimes, WhatIsUnderWayAtTheFirstLookCountsFromThere) {
    CommitTimes times;
    times.look(at(100'000), {{1, 7, true}});
    times.look(at(100'010), {});
    EXPECT_EQ(times.longest(), milliseconds(5));
}

TEST(CommitTimes, WhatIsUnderWayAtTheEndCountsUpToThere) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(102), {{1, 7, true}});
    times.look(at(202), {{1, 7, true}});
    times.look(at(202), {});
    EXPECT_EQ(times.longest(), milliseconds(101));
}

}  // namespace
}  // namespace redoubt::backup
