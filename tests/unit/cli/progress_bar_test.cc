#include "cli/progress_bar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace redoubt::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

TEST(ProgressLine, ShowsBarAmountsRateAndTimeLeft) {
    const ProgressState state{
        .phase = "scan", .done = kGiB, .total = 2 * kGiB, .unit = "bytes", .seconds = 2};
    EXPECT_EQ(progress_line(state, 120),
              "scan [###############...............]  50% 1.0 GiB of 2.0 GiB, 512.0 MiB/s, "
              "0:02 left");
}

TEST(ProgressLine, EndsWithTheRemark) {
    EXPECT_EQ(progress_text({.phase = "copy",
                             .done = 1500,
                             .total = 0,
                             .unit = "pages",
                             .seconds = 3,
                             .remark = "redo headroom 200 of 256 MiB"}),
              "1,500 pages, 500 pages/s; redo headroom 200 of 256 MiB");
}

TEST(ProgressLine, GivesUpTheBarBeforeTheNumbersAndNeverWraps) {
    const ProgressState state{
        .phase = "scan", .done = kGiB, .total = 2 * kGiB, .unit = "bytes", .seconds = 2};
    EXPECT_EQ(progress_line(state, 60), "scan  50% 1.0 GiB of 2.0 GiB, 512.0 MiB/s, 0:02 left");
    EXPECT_EQ(progress_line(state, 12).size(), 12U);
}

TEST(ProgressText, WorksWithoutATotalAndBeforeARateIsKnown) {
    EXPECT_EQ(progress_text(
                  {.phase = "apply", .done = 1500, .total = 0, .unit = "pages", .seconds = 0.1}),
              "1,500 pages");
    EXPECT_EQ(
        progress_text({.phase = "apply", .done = 1500, .total = 0, .unit = "pages", .seconds = 3}),
        "1,500 pages, 500 pages/s");
}

class ProgressBarTest : public ::testing::Test {
protected:
    ProgressBar make(ProgressBar::Style style) {
        return ProgressBar(
            style,
            {.write = [this](std::string_view text) { written_ += text; },
             .log = [this](std::string_view, std::string_view text) { logged_.emplace_back(text); },
             .clock = [this] { return now_; },
             .columns = [] { return 80U; }});
    }
    double now_ = 100;
    std::string written_;
    std::vector<std::string> logged_;
};

TEST_F(ProgressBarTest, DrawsAtIntervalsAndClearsItselfAtTheEnd) {
    ProgressBar bar = make(ProgressBar::Style::Bar);
    bar.begin("verify", 100, "pages");
    bar.advance(10);
    EXPECT_THAT(written_, IsEmpty()) << "too early";
    now_ += 1;
    bar.advance(10);
    EXPECT_THAT(written_, HasSubstr(" 20% 20 of 100 pages"));
    written_.clear();
    bar.end();
    EXPECT_EQ(written_, "\r\x1b[K");
    bar.end();
    EXPECT_EQ(written_, "\r\x1b[K") << "nothing is left to clear";
}

TEST_F(ProgressBarTest, OtherOutputGoesAboveTheBar) {
    ProgressBar bar = make(ProgressBar::Style::Bar);
    bar.print_above("before");
    EXPECT_EQ(written_, "before\n");
    bar.begin("verify", 100, "pages");
    now_ += 1;
    bar.advance(10);
    written_.clear();
    bar.print_above("a line");
    EXPECT_TRUE(written_.starts_with("\r\x1b[Ka line\n")) << written_;
    EXPECT_THAT(written_, HasSubstr("10 of 100 pages"));
}

TEST_F(ProgressBarTest, LogLinesComeEveryFewSecondsAndShortWorkIsSilent) {
    ProgressBar bar = make(ProgressBar::Style::LogLines);
    bar.begin("scan", 0, "pages");
    now_ += 1;
    bar.advance(1);
    bar.end();
    EXPECT_THAT(logged_, IsEmpty());
    bar.begin("apply", 4, "pages");
    now_ += 5;
    bar.advance(1);
    now_ += 1;
    bar.advance(1);
    now_ += 4;
    bar.advance(2);
    EXPECT_THAT(logged_, ElementsAre(HasSubstr("1 of 4"), HasSubstr("4 of 4")));
    EXPECT_THAT(written_, IsEmpty());
}

}  // namespace
}  // namespace redoubt::cli
