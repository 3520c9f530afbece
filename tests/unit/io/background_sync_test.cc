#include "io/background_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace redoubt::io {
namespace {

Error failure(const char* text) { return make_error(ErrorCode::Io, "{}", text); }

TEST(BackgroundSync, TellsOfTheFirstFailureAndDoesNoMore) {
    BackgroundSync background;
    background.request([]() -> Status { return {}; });
    EXPECT_TRUE(background.finish());
    background.request([]() -> Status { return failure("first"); });
    ASSERT_FALSE(background.finish());
    background.request([]() -> Status { return failure("second"); });
    ASSERT_FALSE(background.finish());
    EXPECT_EQ(background.finish().error().message(), "first");
}

TEST(BackgroundSync, DropsWhatIsAskedForWhileItIsBusyAndWaitsForTheRest) {
    std::atomic<int> done{0};
    std::latch begun(1);
    std::latch may_end(1);
    {
        BackgroundSync background;
        background.request([&]() -> Status {
            begun.count_down();
            may_end.wait();
            ++done;
            return {};
        });
        begun.wait();
        background.request([&]() -> Status {
            done += 100;
            return {};
        });
        EXPECT_EQ(done, 0);
        may_end.count_down();
        EXPECT_TRUE(background.finish());
        EXPECT_EQ(done, 1);
        background.request([&]() -> Status {
            done += 10;
            return {};
        });
    }
    EXPECT_EQ(done, 11);
}

}  // namespace
}  // namespace redoubt::io
