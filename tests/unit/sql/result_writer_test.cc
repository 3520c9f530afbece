#include "sql/result_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace redoubt::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Cell null() { return {}; }
Cell integer(std::int64_t value) { return {.kind = Cell::Kind::Integer, .integer = value}; }
Cell real(double value) { return {.kind = Cell::Kind::Real, .real = value}; }
Cell text(std::string_view value) { return {.kind = Cell::Kind::Text, .text = value}; }
Cell blob(std::string_view value) { return {.kind = Cell::Kind::Blob, .text = value}; }

std::string written(Format format, const std::vector<ResultColumn>& columns,
                    const std::vector<std::vector<Cell>>& rows) {
    std::string output;
    const auto writer = make_writer(format, [&](std::string_view piece) {
        output += piece;
        return Status();
    });
    EXPECT_TRUE(writer->begin(columns));
    for (const auto& row : rows) {
        EXPECT_TRUE(writer->row(row));
    }
    EXPECT_TRUE(writer->end());
    return output;
}

TEST(TableWriter, AlignsAndShowsNull) {
    EXPECT_EQ(written(Format::Table, {{"id"}, {"name"}},
                      {{integer(1), text("Änne")}, {integer(200), text("名前")}, {null(), null()}}),
              "+------+------+\n"
              "| id   | name |\n"
              "+------+------+\n"
              "|    1 | Änne |\n"
              "|  200 | 名前 |\n"
              "| NULL | NULL |\n"
              "+------+------+\n");
    EXPECT_EQ(written(Format::Table, {{"id"}}, {}), "+----+\n| id |\n+----+\n");
}

TEST(TableWriter, LetsNothingReachTheTerminal) {
    const std::string output = written(Format::Table, {{"\x1b[31m"}},
                                       {{text("a\nb\t\x1b]0;title\x07")},
                                        {blob(std::string_view("\0\xff", 2))},
                                        {text("\xc2\x9b"
                                              "31m \xe2\x80\xae")}});
    EXPECT_THAT(output, Not(HasSubstr("\x1b")));
    EXPECT_THAT(output, HasSubstr("a\\nb\\t\\x1b]0;title\\x07"));
    EXPECT_THAT(output, HasSubstr("\\x00\\xff"));
    EXPECT_THAT(output, HasSubstr("\\xc2\\x9b"));
    EXPECT_THAT(output, HasSubstr("\\xe2\\x80\\xae"));
}

TEST(TableWriter, OneLongCellDoesNotWidenAll) {
    const std::string output =
        written(Format::Table, {{"a"}}, {{text("x")}, {text(std::string(100'000, 'y'))}});
    EXPECT_LT(output.size(), 102'000U);
}

TEST(CsvWriter, QuotesByRfc4180) {
    EXPECT_EQ(written(Format::Csv, {{"a,b"}, {"c"}},
                      {{text("x\"y"), text("")},
                       {null(), text("two\r\nlines")},
                       {blob("\xff"), integer(-5)},
                       {real(0.5), text(" plain ")}}),
              "\"a,b\",c\n\"x\"\"y\",\"\"\n,\"two\r\nlines\"\n\xff,-5\n0.5, plain \n");
}

TEST(JsonWriter, IsValidWhateverTheBytes) {
    const std::vector<ResultColumn> columns = {{"a\"\n"}, {"a\"\n"}, {"b"}, {"c"}};
    const auto parsed = nlohmann::json::parse(
        written(Format::Json, columns,
                {{integer(INT64_MAX), null(), text("q\"\\\x01\x1f\xff é"), blob("\xff\x01")},
                 {real(1e100), real(std::numeric_limits<double>::infinity()), text("\xed\xa0\x80"),
                  text("")}}));
    ASSERT_EQ(parsed.size(), 2U);
    EXPECT_EQ(parsed[0]["a\"\n"], INT64_MAX);
    EXPECT_TRUE(parsed[0]["a\"\n_2"].is_null());
    EXPECT_EQ(parsed[0]["b"], "q\"\\\x01\x1f\xef\xbf\xbd é");
    EXPECT_EQ(parsed[0]["c"]["hex"], "FF01");
    EXPECT_EQ(parsed[1]["a\"\n"], 1e100);
    EXPECT_TRUE(parsed[1]["a\"\n_2"].is_null());
    EXPECT_EQ(parsed[1]["b"], "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(written(Format::Json, columns, {}), "[]\n");
}

TEST(JsonWriter, BigUnsignedNumbersAreNumbers) {
    const ResultColumn column{.name = "u", .integer = true};
    EXPECT_THAT(written(Format::Json, {column}, {{text("18446744073709551615")}}),
                HasSubstr("\"u\": 18446744073709551615}"));
    EXPECT_THAT(written(Format::Json, {column}, {{text("1}, {")}}), HasSubstr("\"1}, {\""));
    EXPECT_THAT(written(Format::Json, {{.name = "d", .decimal = true}}, {{text("1.10")}}),
                HasSubstr("\"1.10\""));
}

TEST(SqlWriter, WritesInsertsForMariadb) {
    const auto column = [](const char* name) {
        return ResultColumn{.name = name, .database = "d`b", .table = "t"};
    };
    ResultColumn single = column("f");
    single.style = {.kind = NumberStyle::Kind::Float, .single = true};
    ResultColumn decimal = column("d");
    decimal.decimal = true;
    EXPECT_EQ(
        written(Format::Sql, {column("a`"), column("b"), single, decimal},
                {{text(std::string_view("it's \\ \0\n", 9)), blob("\x01\xff"),
                  real(static_cast<double>(0.1234567F)), text("1.10")},
                 {null(), integer(5), real(1), text("1); DROP TABLE x; --")}}),
        "INSERT INTO `d``b`.`t` (`a```, `b`, `f`, `d`) VALUES ('it''s \\\\ \\0\\n', X'01FF', "
        "0.1234567, 1.10);\n"
        "INSERT INTO `d``b`.`t` (`a```, `b`, `f`, `d`) VALUES (NULL, 5, 1, '1); DROP TABLE x; "
        "--');\n");
    EXPECT_EQ(written(Format::Sql, {column("a"), {"1"}}, {{integer(1), integer(1)}}),
              "INSERT INTO `result` (`a`, `1`) VALUES (1, 1);\n");
}

}  // namespace
}  // namespace redoubt::sql
