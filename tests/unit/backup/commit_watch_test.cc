#include "backup/commit_watch.h"

#include <gtest/gtest.h>

namespace redoubt::backup {
namespace {

using std::chrono::milliseconds;
using Seen = CommitTimes::Seen;

CommitTimes::Clock::time_point at(int ms) {
    return CommitTimes::Clock::time_point{} + milliseconds(ms);
}

TEST(CommitTimes, ACommitLastsFromItsStatementToTheLookThatDoesNotShowIt) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(110), {{1, 7, true, milliseconds(4)}});
    times.look(at(130), {{1, 7, true, milliseconds(24)}});
    times.look(at(134), {});
    EXPECT_EQ(times.longest(), milliseconds(28));
}

TEST(CommitTimes, WhatTheStatementDidBeforeIsNoCommit) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(110), {{1, 7, true, milliseconds(5000)}});
    times.look(at(120), {});
    EXPECT_EQ(times.longest(), milliseconds(20));
}

TEST(CommitTimes, AShortOneSeenOnceIsNotTakenForAsLongAsThePause) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(120), {{1, 7, true, milliseconds(2)}});
    times.look(at(150), {});
    EXPECT_EQ(times.longest(), milliseconds(4));
}

TEST(CommitTimes, LooksSoonAgainWhereALongestMayEnd) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(120), {{1, 7, true, milliseconds(20)}});
    times.look(at(120), {});
    times.look(at(200), {{1, 8, true, milliseconds(12)}});
    EXPECT_FALSE(times.may_be_longest(at(205)));
    EXPECT_TRUE(times.may_be_longest(at(210)));
    times.look(at(210), {{2, 9, false, milliseconds(90)}});
    EXPECT_FALSE(times.may_be_longest(at(250))) << "a wait for a lock is no commit yet";
}

TEST(CommitTimes, AWaitForTheLockCountsWithTheCommitThatFollows) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(104), {{1, 7, false, milliseconds(2)}, {2, 8, false, milliseconds(4)}});
    times.look(at(150), {{1, 7, true, milliseconds(48)}, {2, 8, false, milliseconds(50)}});
    times.look(at(154), {{2, 8, false, milliseconds(54)}});
    EXPECT_EQ(times.longest(), milliseconds(52));
    times.look(at(900), {});  // statement 8 waited, but for no commit
    EXPECT_EQ(times.longest(), milliseconds(52));
}

TEST(CommitTimes, TwoStatementsOfASessionAreTwoCommits) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(110), {{1, 7, true, milliseconds(5)}});
    times.look(at(120), {{1, 8, true, milliseconds(5)}});
    times.look(at(130), {});
    EXPECT_EQ(times.longest(), milliseconds(10));
}

TEST(CommitTimes, WhatIsUnderWayAtTheFirstLookCountsFromThere) {
    CommitTimes times;
    times.look(at(100'000), {{1, 7, true, milliseconds(400)}});
    times.look(at(100'010), {{1, 7, true, milliseconds(410)}});
    times.look(at(100'014), {});
    EXPECT_EQ(times.longest(), milliseconds(14));
}

TEST(CommitTimes, WhatIsUnderWayAtTheEndCountsUpToThere) {
    CommitTimes times;
    times.look(at(100), {});
    times.look(at(102), {{1, 7, true, milliseconds(1)}});
    times.look(at(202), {{1, 7, true, milliseconds(101)}});
    times.look(at(202), {});
    EXPECT_EQ(times.longest(), milliseconds(101));
}

}  // namespace
}  // namespace redoubt::backup
