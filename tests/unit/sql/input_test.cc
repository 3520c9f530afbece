#include "sql/input.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace redoubt::sql {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> taken(Input& input) {
    std::vector<std::string> statements;
    while (auto statement = input.next()) {
        statements.push_back(std::move(*statement));
    }
    return statements;
}

TEST(Input, SplitsLinesIntoStatements) {
    Input input;
    input.add("SELECT 1; SELECT ';';; -- done;\n");
    EXPECT_THAT(taken(input), ElementsAre("SELECT 1;", " SELECT ';';"));
    input.add("SELECT '");
    EXPECT_THAT(taken(input), ElementsAre());
    input.add(".tables;");
    EXPECT_THAT(taken(input), ElementsAre());
    input.add("' ; SELECT 2");
    EXPECT_EQ(taken(input).size(), 1U);
    EXPECT_EQ(input.rest(), " SELECT 2\n");
    input.clear();
    EXPECT_EQ(input.rest(), "");
}

TEST(Input, KnowsTheShellsCommands) {
    Input input;
    input.add("  .schema shop.orders \n");
    EXPECT_THAT(taken(input), ElementsAre(".schema shop.orders"));
    input.add("/* a comment; */\n");
    EXPECT_THAT(taken(input), ElementsAre());
    input.add(".quit");
    EXPECT_THAT(taken(input), ElementsAre(".quit"));
}

TEST(Input, AStatementOfManyLinesIsReadOnce) {
    Input input;
    for (int line = 0; line < 200'000; ++line) {
        input.add("SELECT 1 +");
        EXPECT_FALSE(input.next());
    }
    input.add("1;");
    EXPECT_TRUE(input.next());
}

}  // namespace
}  // namespace redoubt::sql
