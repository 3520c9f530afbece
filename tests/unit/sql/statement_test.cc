#include "sql/statement.h"

#include <gtest/gtest.h>

namespace redoubt::sql {
namespace {

TEST(StatementSize, EndsAtASemicolonOutsideOfQuotes) {
    EXPECT_EQ(statement_size("SELECT 1; SELECT 2"), 9U);
    EXPECT_EQ(statement_size("';' \";\" `;` [;] -- ;\n /* ; */ x;"), 32U);
    EXPECT_EQ(statement_size("'it''s;'"), std::nullopt);
    EXPECT_EQ(statement_size("SELECT 1"), std::nullopt);
    EXPECT_EQ(statement_size("'open; "), std::nullopt);
    EXPECT_EQ(statement_size("/* open; "), std::nullopt);
    EXPECT_EQ(statement_size(""), std::nullopt);
}

TEST(IsBlank, KnowsComments) {
    EXPECT_TRUE(is_blank(" ; -- x\n/* y */;"));
    EXPECT_FALSE(is_blank("x"));
    EXPECT_FALSE(is_blank("/* open"));
}

TEST(Mentions, LooksAtNamesOnly) {
    EXPECT_TRUE(mentions("SELECT * FROM a.\"T x\"", "T x"));
    EXPECT_TRUE(mentions("SELECT a.t", "t"));
    EXPECT_FALSE(mentions("SELECT 't', T -- t", "t"));
}

TEST(ParseCount, TakesTheExactShapeOnly) {
    const auto count = parse_count(" SELECT Count(*)\n FROM `a b`.\"c\" ;");
    ASSERT_TRUE(count);
    EXPECT_EQ(count->title, "Count(*)");
    EXPECT_EQ(count->database, "a b");
    EXPECT_EQ(count->table, "c");
    EXPECT_EQ(parse_count("select count(*) n from t")->title, "n");
    EXPECT_FALSE(parse_count("select count(*) from t")->database);
    for (const char* other :
         {"", "select", "select count(*)", "select count(1) from t", "select count(*) from",
          "select count(*) from t x", "select count(*) from t where 1", "select count(*)+1 from t",
          "select count(*) from t, u", "select count(*) from 't'", "select count(*) from (t)",
          "select count(distinct *) from t", "select count(*) from a.", "explain select count(*)",
          "select count(*) from t limit 0", "select count(*), 1 from t",
          "select count(*) from t /*", "select all count(*) from t",
          "select count(*) from a.b.c"}) {
        EXPECT_FALSE(parse_count(other)) << other;
    }
}

}  // namespace
}  // namespace redoubt::sql
