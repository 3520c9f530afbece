#include "cli/sql_shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "unit/sql/fake_database.h"

namespace redoubt::cli {
namespace {

using namespace sql::test;  // NOLINT(google-build-using-namespace): values by their short names
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SqlShellTest : public ::testing::Test {
protected:
    SqlShellTest() {
        dict::Table table = make_table("shop", "orders", {column("id", "int(11)")}, {primary({0})});
        table.create_statement = "CREATE TABLE `orders` (\n  `id` int(11)\n)";
        database_.add({.table = table, .rows = {{integer(1)}, {integer(2)}}});
        database_.add(
            {.table = make_table("shop", "frmless", {column("id", "int(11)")}, {primary({0})})});
        database_.refusals.push_back(
            {"shop.locked", make_error(ErrorCode::Key, "encryption key 4 is missing")});
        session_ = std::move(*sql::Session::open(database_, {}));
        const auto output = [this](std::string_view text) {
            output_ += text;
            return Status();
        };
        shell_ = std::make_unique<SqlShell>(database_, *session_,
                                            sql::make_writer(sql::Format::Csv, output), output);
    }
    std::string run(std::string_view text) {
        output_.clear();
        const Status status = shell_->run_all(text);
        return status ? output_ : output_ + "error: " + status.error().to_string();
    }

    FakeDatabase database_;
    std::unique_ptr<sql::Session> session_;
    std::unique_ptr<SqlShell> shell_;
    std::string output_;
};

TEST_F(SqlShellTest, RunsStatementsAndCommands) {
    EXPECT_EQ(run("SELECT 1 a; SELECT 2 b"), "a\n1\nb\n2\n");
    EXPECT_EQ(run(".mode json\nSELECT 1 a;\n.mode csv;\nSELECT 3 c"), "[\n  {\"a\": 1}\n]\nc\n3\n");
    EXPECT_EQ(run(".tables"),
              "shop.orders\nshop.frmless\nshop.locked: cannot be read: encryption key 4 is "
              "missing\n");
    EXPECT_EQ(run(".schema orders"),
              "-- shop.orders\nCREATE TABLE `orders` (\n  `id` int(11)\n);\n");
    EXPECT_EQ(run(".schema shop.FRMLESS"), "-- shop.frmless: there is no .frm file\n");
    EXPECT_THAT(run(".schema nowhere"), HasSubstr("no such table: nowhere"));
    EXPECT_THAT(run(".frobnicate"), HasSubstr("unknown command .frobnicate"));
    EXPECT_THAT(run(".mode xml"), HasSubstr("'xml' is not a format"));
    EXPECT_THAT(run(".help"), HasSubstr(".schema"));
    EXPECT_EQ(run("SELECT 1 a;\n.quit\nSELECT 2"), "a\n1\n");
    EXPECT_TRUE(shell_->quit());
}

TEST_F(SqlShellTest, EndsAtTheFirstError) {
    EXPECT_EQ(run("SELECT 1 a; SELEC; SELECT 2"), "a\n1\nerror: near \"SELEC\": syntax error");
    std::istringstream input("SELECT id FROM orders\nWHERE id = 2;\n\nSELECT 5 x");
    output_.clear();
    ASSERT_TRUE(shell_->run_stream(input));
    EXPECT_EQ(output_, "id\n2\nx\n5\n");
}

TEST_F(SqlShellTest, CompletesCommandsAndNames) {
    EXPECT_THAT(shell_->complete(".s", "s"), ElementsAre("schema"));
    EXPECT_THAT(shell_->complete(".mode t", "t"), ElementsAre("table"));
    EXPECT_THAT(shell_->complete(".schema ord", "ord"), ElementsAre("orders"));
    EXPECT_THAT(shell_->complete(".schema SH", "SH"), ElementsAre("shop.frmless", "shop.orders"));
    EXPECT_THAT(shell_->complete(".schema shop.o", "o"), ElementsAre("orders"));
    EXPECT_THAT(shell_->complete("SELECT * FROM shop.o", "o"), ElementsAre("orders"));
    EXPECT_THAT(shell_->complete("SELECT * FROM frm", "frm"), ElementsAre("frmless"));
}

}  // namespace
}  // namespace redoubt::cli
