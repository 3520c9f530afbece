#include "cli/frm_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace redoubt::cli {
namespace {

using ::testing::HasSubstr;

/// A .frm that a server wrote, from the fuzzers' corpus.
std::string corpus(const std::string& name) {
    std::ifstream file(std::string(REDOUBT_FRM_CORPUS) + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Result<FrmShown> show(std::string_view file) {
    return show_frm(std::as_bytes(std::span(file)), "t");
}

TEST(FrmText, ATableThatAServerWrote) {
    const auto shown = show(corpus("keys"));
    ASSERT_TRUE(shown) << shown.error().to_string();
    EXPECT_EQ(shown->document["engine"], "InnoDB");
    EXPECT_EQ(shown->document["kind"], "table");
    EXPECT_FALSE(shown->document["columns"].empty());
    EXPECT_FALSE(shown->document["keys"].empty());
    EXPECT_THAT(shown->text, HasSubstr("\ncolumns\n"));
    EXPECT_THAT(shown->text, HasSubstr("\nas a statement\nCREATE TABLE `t` (\n"));
}

TEST(FrmText, AView) {
    const auto shown = show("TYPE=VIEW\nquery=select 1 AS `\x1b`\nalgorithm=0\n");
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->text,
              "table:     t\nkind:      view\nquery:     select 1 AS `?`\nalgorithm: 0\n");
}

TEST(FrmText, WhatIsNoFrmIsRefused) {
    EXPECT_FALSE(show(""));
    EXPECT_FALSE(show(std::string(5000, '\0')));
}

/// Whatever byte is changed: an error, or something that can be shown.
TEST(FrmText, AnyBytesAreSafe) {
    const std::string whole = corpus("types");
    ASSERT_FALSE(whole.empty());
    for (std::size_t at = 0; at < whole.size(); at += 7) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 0xFF);
        static_cast<void>(show(changed));
        static_cast<void>(show(std::string_view(whole).substr(0, at)));
    }
}

}  // namespace
}  // namespace redoubt::cli
