#include "base/error.h"

#include <gtest/gtest.h>

namespace redoubt {
namespace {

static_assert(sizeof(Error) == sizeof(void*));

Status fails() {
    return corruption({SpaceId{7}, PageNo{3}}, "segment inode page {} is past the end", 64);
}
Result<int> passes_on() {
    RETURN_IF_ERROR(fails());
    return 1;
}
Result<int> adds(Result<int> input) {
    ASSIGN_OR_RETURN(const int value, std::move(input));
    return value + 1;
}

TEST(Error, SaysWhatAndWhereInOneLine) {
    auto result = passes_on();
    ASSERT_FALSE(result);
    const Error error = std::move(result.error())
                            .with_file("shop/orders.ibd")
                            .with_lsn(Lsn{48211})
                            .with_hint("check the disk");
    EXPECT_EQ(error.to_string(),
              "segment inode page 64 is past the end; file shop/orders.ibd; space 7 page 3; lsn "
              "48211\nhint: check the disk");
}

TEST(Error, TheInnermostPlaceWins) {
    const Error error = make_error(ErrorCode::Io, "x").with_file("inner").with_file("outer");
    EXPECT_EQ(error.file(), "inner");
}

TEST(Result, CarriesValuesAndErrors) {
    EXPECT_EQ(*adds(Result<int>(1)), 2);
    EXPECT_EQ(adds(make_error(ErrorCode::Key, "no key")).error().code(), ErrorCode::Key);
}

TEST(Error, ExitCodesAreThoseOfTheDesign) {
    EXPECT_EQ(exit_code_of(ErrorCode::Corruption), 4);
    EXPECT_EQ(exit_code_of(ErrorCode::Io), 7);
    EXPECT_EQ(exit_code_of(ErrorCode::Refused), 9);
    EXPECT_EQ(exit_code_of(ErrorCode::Key), 12);
    EXPECT_EQ(exit_code_of(ErrorCode::NoSpace), 14);
    EXPECT_EQ(exit_code_of(ErrorCode::Unsupported), 15);
    EXPECT_EQ(exit_code_of(ErrorCode::Cancelled), 18);
    EXPECT_EQ(exit_code_of(ErrorCode::Internal), 70);
}

}  // namespace
}  // namespace redoubt
