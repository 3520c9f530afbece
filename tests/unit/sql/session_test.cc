#include "sql/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/sql/fake_database.h"

namespace redoubt::sql {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace): values by their short names
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SessionTest : public ::testing::Test {
protected:
    SessionTest() {
        database_.add(
            {.table = make_table("shop", "orders",
                                 {column("id", "int(11)"), column("customer", "int(11)"),
                                  column("price", "decimal(10,2)"), column("placed", "datetime"),
                                  column("note", "varchar(20)", "utf8mb4_general_ci"),
                                  column("code", "varchar(20)", "utf8mb4_bin")},
                                 {primary({0}), index("customer", {1, 3}), index("price", {2}),
                                  index("note", {4}), index("code", {5})}),
             .rows = {{integer(1), integer(10), decimal("9.00"), text("2024-06-01 00:00:00"),
                       text("bob"), text("b")},
                      {integer(2), integer(10), decimal("10.00"), text("2024-06-02 10:30:00"),
                       text("Bob"), text("B")},
                      {integer(3), null(), decimal("-1.10"), text("2024-05-31 23:59:59"),
                       text("eve"), text("007")},
                      {integer(4), integer(20), decimal("10.10"), text("2025-01-01 00:00:00"),
                       null(), text("7")}}});
        database_.add({.table = make_table("shop", "customers",
                                           {column("id", "int(11)"),
                                            column("name", "varchar(20)", "utf8mb4_general_ci")},
                                           {primary({0})}),
                       .rows = {{integer(10), text("Änne")}, {integer(20), text("名")}}});
    }

    /// The answer as CSV without its header line, or the error.
    std::string run(const std::string& statement) {
        database_.scans.clear();
        output_.clear();
        if (!session_) {
            auto session = Session::open(
                database_, {.database = default_database_,
                            .marks_uncommitted = marks_uncommitted_,
                            .cancel = &cancel_,
                            .note = [this](std::string_view note) { notes_.emplace_back(note); }});
            EXPECT_TRUE(session);
            session_ = std::move(*session);
        }
        const auto writer = make_writer(Format::Csv, [this](std::string_view text) {
            output_ += text;
            return Status();
        });
        const Status status = session_->run(statement, *writer);
        error_.reset();
        if (!status) {
            error_ = status.error();
            return "error: " + error_->to_string();
        }
        return output_.substr(std::min(output_.find('\n') + 1, output_.size()));
    }
    /// How the only scan of the statement was asked for.
    std::string scan_of(const std::string& statement) {
        const std::string answer = run(statement);
        if (error_) {
            return answer;
        }
        return database_.scans.size() == 1 ? database_.scans.front()
                                           : std::to_string(database_.scans.size()) + " scans";
    }

    FakeDatabase database_;
    std::string default_database_;
    bool marks_uncommitted_ = false;
    std::unique_ptr<Session> session_;
    base::CancelToken cancel_;
    std::string output_;
    std::optional<Error> error_;
    std::vector<std::string> notes_;
};

TEST_F(SessionTest, AsksForTheColumnsItNeedsAndNoOthers) {
    EXPECT_EQ(scan_of("SELECT note FROM shop.orders"), "PRIMARY - .. - columns 4");
    EXPECT_EQ(scan_of("SELECT price FROM shop.orders WHERE note LIKE 'b%'"),
              "PRIMARY - .. - columns 2,4");
    EXPECT_EQ(scan_of("SELECT 1 FROM shop.orders"), "PRIMARY - .. - columns ");
}

TEST_F(SessionTest, MarksRowsThatWereNeverCommitted) {
    database_.add({.table = make_table("shop", "marked",
                                       {column("id", "int(11)"), column("_Uncommitted", "int(11)")},
                                       {primary({0})}),
                   .rows = {{integer(1), integer(7)}, {integer(2), integer(8)}},
                   .uncommitted = {2}});
    EXPECT_EQ(run("SELECT * FROM shop.marked"), "1,7\n2,8\n");
    session_.reset();
    marks_uncommitted_ = true;
    EXPECT_EQ(run("SELECT * FROM shop.customers"), "10,Änne,0\n20,名,0\n");
    EXPECT_EQ(run("SELECT * FROM shop.marked ORDER BY _uncommitted_ DESC"), "2,8,1\n1,7,0\n");
    EXPECT_EQ(run("SELECT id FROM shop.marked WHERE _uncommitted_"), "2\n");
    EXPECT_EQ(scan_of("SELECT _uncommitted_ FROM shop.marked WHERE id = 2"),
              "PRIMARY 2] .. 2] columns 0");
}

TEST_F(SessionTest, PushesKeysAndRangesDown) {
    EXPECT_EQ(scan_of("SELECT note FROM shop.orders WHERE id = 2"), "PRIMARY 2] .. 2] columns 0,4");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE id > 1 AND id <= 3"),
              "PRIMARY 1) .. 3] columns 0");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE id BETWEEN 2 AND 3"),
              "PRIMARY 2] .. 3] columns 0");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE customer = 10"),
              "customer 10] .. 10] columns 0,1");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE customer = 10 AND placed >= '2024-06-02'"),
              "customer 10,'2024-06-02 00:00:00'] .. 10] columns 0,1,3");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE price > 9.5"),
              "price 9.5d) .. - columns 0,2");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE customer IS NULL"),
              "customer NULL] .. NULL] columns 0,1");
    EXPECT_EQ(output_, "id\n3\n");
}

TEST_F(SessionTest, ComparesNumbersGivenAsTexts) {
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE id = '2'"), "2\n");
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE price = '10.1' OR price = 9"), "1\n4\n");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE id = 2.5"), "0 scans");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE id = NULL"), "0 scans");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE id > 99999999999"), "0 scans");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE id < 99999999999"),
              "PRIMARY - .. - columns 0");
    EXPECT_EQ(output_, "id\n1\n2\n3\n4\n");
}

TEST_F(SessionTest, DecimalsAreExactAndOrderedAsNumbers) {
    EXPECT_EQ(run("SELECT price FROM shop.orders ORDER BY price"), "-1.10\n9.00\n10.00\n10.10\n");
    EXPECT_EQ(run("SELECT MAX(price), MIN(price) FROM shop.orders"), "10.10,-1.10\n");
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE price > 5 ORDER BY id"), "1\n2\n4\n");
    EXPECT_EQ(run("SELECT SUM(price) > 27.99 AND SUM(price) < 28.01 FROM shop.orders"), "1\n");
    EXPECT_EQ(run("SELECT a.id FROM shop.orders a JOIN shop.orders b ON a.price = b.price - 0.1 "
                  "ORDER BY 1"),
              "2\n");
}

TEST_F(SessionTest, TextsCompareByTheirColumnsCollation) {
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE note = 'BOB' ORDER BY id"),
              "note 'BOB'] .. 'BOB'] columns 0,4");
    EXPECT_EQ(output_, "id\n1\n2\n");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE note > 'BOB'"),
              "note 'BOB') .. - columns 0,4");
    EXPECT_EQ(output_, "id\n3\n");
    EXPECT_EQ(run("SELECT COUNT(*) FROM shop.orders GROUP BY note"), "1\n2\n1\n");
    EXPECT_EQ(run("SELECT COUNT(DISTINCT note) FROM shop.orders"), "2\n");
    EXPECT_EQ(run("SELECT name FROM shop.customers WHERE name IN ('anne', 'x')"), "\u00c4nne\n");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE note = 'bob' COLLATE BINARY"),
              "PRIMARY - .. - columns 0,4");
    EXPECT_EQ(output_, "id\n1\n");
}

TEST_F(SessionTest, TextsOfAForeignCollationAreOnlyLookedUp) {
    database_.add(
        {.table = make_table(
             "shop", "foreign",
             {column("id", "int(11)"), column("note", "varchar(20)", "sjis_japanese_ci")},
             {primary({0}), index("note", {1})}),
         .rows = {
             {integer(1), text("bob")}, {integer(2), text("Bob")}, {integer(3), text("eve")}}});
    EXPECT_EQ(scan_of("SELECT id FROM shop.\"foreign\" WHERE note = 'bob'"),
              "note 'bob'] .. 'bob'] columns 0,1");
    EXPECT_EQ(scan_of("SELECT id FROM shop.\"foreign\" WHERE note > 'a'"),
              "PRIMARY - .. - columns 0,1");
    EXPECT_EQ(scan_of("SELECT note FROM shop.\"foreign\" ORDER BY note"),
              "PRIMARY - .. - columns 1");
    EXPECT_EQ(output_, "note\nBob\nbob\neve\n");
    EXPECT_EQ(scan_of("SELECT id FROM shop.\"foreign\" WHERE note = 'bob' COLLATE NOCASE"),
              "PRIMARY - .. - columns 0,1");
    EXPECT_EQ(output_, "id\n1\n2\n");
}

TEST_F(SessionTest, TextsAreLookedUpAsTheirIndexHasThem) {
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE code > 'A'"), "code 'A') .. - columns 0,5");
    EXPECT_EQ(output_, "id\n2\n1\n");
    EXPECT_EQ(run("SELECT code FROM shop.orders WHERE code = '007 '"), "007\n");
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE code = 7"), "4\n");
}

TEST_F(SessionTest, ATextIsNotLookedUpByANumberItMayEqual) {
    // The join compares as numbers, and '007' is 7.
    EXPECT_EQ(run("SELECT o.id FROM (SELECT CAST(7 AS INTEGER) n) s CROSS JOIN shop.orders o "
                  "WHERE o.code = s.n ORDER BY 1"),
              "3\n4\n");
}

TEST_F(SessionTest, DatesCompareAsInTheServer) {
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE placed = '2024-06-01'"), "1\n");
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE placed <= '2024-06-01' ORDER BY id"), "1\n3\n");
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE placed >= '2024-06-02 10:30' ORDER BY id"),
              "2\n4\n");
    EXPECT_EQ(run("SELECT id FROM shop.orders WHERE customer = 10 AND placed > 'nonsense'"), "");
}

TEST_F(SessionTest, TakesTheIndexsOrder) {
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders ORDER BY id DESC LIMIT 2"),
              "PRIMARY - .. - descending columns 0");
    EXPECT_EQ(output_, "id\n4\n3\n");
    EXPECT_EQ(scan_of("SELECT id FROM shop.orders WHERE customer = 10 ORDER BY placed DESC"),
              "customer 10] .. 10] descending columns 0,1,3");
    EXPECT_EQ(output_, "id\n2\n1\n");
    EXPECT_EQ(scan_of("SELECT price FROM shop.orders ORDER BY price"), "price - .. - columns 2");
    EXPECT_EQ(scan_of("SELECT note FROM shop.orders ORDER BY note"), "note - .. - columns 4");
    EXPECT_EQ(output_, "note\n\nbob\nBob\neve\n");
}

TEST_F(SessionTest, UnionsOfIndexSearchesGiveEachRowOnce) {
    for (const bool ignore : {false, true}) {
        database_.ignores_bounds = ignore;
        EXPECT_EQ(run("SELECT id FROM shop.orders WHERE customer = 10 OR price = 10 OR id = 4 "
                      "ORDER BY id"),
                  "1\n2\n4\n");
    }
}

TEST_F(SessionTest, RowsOfATableWithoutKeyStayApart) {
    database_.add(
        {.table = make_table(
             "shop", "log", {column("a", "int(11)"), column("b", "int(11)")},
             {index("GEN_CLUST_INDEX", {}, true, true), index("a", {0}), index("b", {1})}),
         .rows = {{integer(1), integer(1)},
                  {integer(1), integer(1)},
                  {integer(2), integer(1)},
                  {integer(3), integer(3)}}});
    EXPECT_EQ(run("SELECT a, b FROM shop.log WHERE a = 1 OR b = 1"), "1,1\n1,1\n2,1\n");
    EXPECT_EQ(database_.scans.size(), 1U);
    EXPECT_EQ(run("SELECT a, COUNT(*) FROM shop.log WHERE a = 1 OR b = 1 GROUP BY a ORDER BY a"),
              "1,2\n2,1\n");
    EXPECT_THAT(run("SELECT rowid FROM shop.log WHERE a = 1"), HasSubstr("have no ids"));
    EXPECT_EQ(scan_of("SELECT b FROM shop.log WHERE a = 3"), "a 3] .. 3] columns 0,1");
    EXPECT_EQ(run("SELECT COUNT(*) FROM shop.log a, shop.log b WHERE a.a = b.a"), "6\n");
    EXPECT_EQ(run("CREATE TEMP VIEW v AS SELECT a FROM shop.log WHERE a = 1 OR b = 1;"
                  "SELECT COUNT(*) FROM v GROUP BY a"),
              "2\n1\n");
}

TEST_F(SessionTest, CountsWithoutReadingRows) {
    EXPECT_EQ(run("SELECT COUNT(*) FROM shop.orders"), "4\n");
    EXPECT_EQ(run("select count( * ) as \"n\"\"m\" from `shop`.[orders] ; -- all"), "4\n");
    EXPECT_EQ(output_, "\"n\"\"m\"\n4\n");
    EXPECT_EQ(run("SELECT COUNT(*) FROM orders"), "4\n");
    EXPECT_EQ(database_.counts, 3);
    EXPECT_THAT(database_.scans, IsEmpty());
    EXPECT_EQ(run("SELECT COUNT(*) FROM shop.orders WHERE id > 1"), "3\n");
    EXPECT_EQ(run("SELECT COUNT(*) FROM shop.orders, shop.customers"), "8\n");
    EXPECT_EQ(run("CREATE TEMP TABLE orders AS SELECT 1; SELECT COUNT(*) FROM orders"), "1\n");
    EXPECT_EQ(database_.counts, 3);
}

TEST_F(SessionTest, JoinsAndUnicode) {
    EXPECT_EQ(run("SELECT o.id, c.name FROM shop.orders o LEFT JOIN shop.customers c "
                  "ON c.id = o.customer ORDER BY o.id"),
              "1,Änne\n2,Änne\n3,\n4,名\n");
    EXPECT_EQ(run("SELECT name FROM customers WHERE name = 'Änne'"), "Änne\n");
}

TEST_F(SessionTest, ABareNameMustBeUnambiguous) {
    database_.add({.table = make_table("old", "orders", {column("id", "int(11)")}, {primary({0})}),
                   .rows = {{integer(77)}}});
    EXPECT_EQ(run("SELECT id FROM old.orders"), "77\n");
    EXPECT_THAT(run("SELECT id FROM orders"), HasSubstr("several databases have a table orders: "
                                                        "old, shop"));
    EXPECT_EQ(run("SELECT MAX(o.id), MAX(s.id) FROM old.orders o, shop.orders s"), "77,4\n");
    EXPECT_EQ(run("SELECT name FROM customers LIMIT 1"), "Änne\n");
}

TEST_F(SessionTest, TheDefaultDatabaseComesFirst) {
    database_.add({.table = make_table("old", "orders", {column("id", "int(11)")}, {primary({0})}),
                   .rows = {{integer(77)}}});
    default_database_ = "old";
    EXPECT_EQ(run("SELECT id FROM orders"), "77\n");
    EXPECT_EQ(run("SELECT MAX(s.id), MAX(orders.id) FROM shop.orders s, orders"), "4,77\n");
    EXPECT_THAT(run("SELECT * FROM customers"), HasSubstr("no such table: customers"));
}

TEST_F(SessionTest, NamesOfAnySort) {
    for (const char* name : {"a.b", "sel\"ect", "main", "ünï", "x`y", "with space"}) {
        database_.add({.table = make_table(name, name, {column(name, "int(11)")}, {primary({0})}),
                       .rows = {{integer(5)}}});
        if (std::string_view(name) != "main") {
            EXPECT_EQ(run("SELECT " + quoted(name) + " FROM " + quoted(name) + "." + quoted(name)),
                      "5\n");
        }
        EXPECT_EQ(run("SELECT * FROM " + quoted(name)), "5\n");
        session_.reset();  // it knew the tables there were
    }
    EXPECT_EQ(run("SELECT * FROM main_.main"), "5\n");
}

TEST_F(SessionTest, NamesThatDifferInCaseAreNotMixedUp) {
    database_.add({.table = make_table("shop", "Orders", {column("id", "int(11)")}, {primary({0})}),
                   .rows = {{integer(77)}}});
    EXPECT_EQ(run("SELECT MAX(id) FROM shop.orders"), "4\n");
    EXPECT_EQ(run("SELECT MAX(id) FROM shop.Orders"), "77\n");
    EXPECT_THAT(run("SELECT * FROM shop.Orders a, shop.orders b"),
                HasSubstr("differ only in case"));
    EXPECT_THAT(run("SELECT * FROM shop.ORDERS"), HasSubstr("no such table"));
    EXPECT_EQ(run("SELECT COUNT(*) FROM shop.CUSTOMERS"), "2\n");
}

TEST_F(SessionTest, MoreThanTenDatabasesOneAfterTheOther) {
    std::string all;
    for (int number = 0; number < 30; ++number) {
        const std::string name = "db" + std::to_string(number);
        database_.add({.table = make_table(name, "t", {column("n", "int(11)")}, {primary({0})}),
                       .rows = {{integer(number)}}});
        all += "SELECT n FROM " + name + ".t;";
    }
    EXPECT_THAT(run(all), HasSubstr("n\n29\n"));
}

TEST_F(SessionTest, RefusesChanges) {
    for (const char* statement :
         {"INSERT INTO shop.orders(id) VALUES (9)", "UPDATE shop.orders SET id = 1",
          "DELETE FROM shop.orders", "CREATE TABLE t(a)", "CREATE TABLE shop.t(a)",
          "DROP TABLE shop.orders", "CREATE INDEX i ON orders(id)",
          "ALTER TABLE shop.orders ADD COLUMN z", "ATTACH '/tmp/redoubt-x.db' AS x",
          "VACUUM INTO '/tmp/redoubt-x.db'", "PRAGMA writable_schema = 1", "BEGIN",
          "CREATE VIRTUAL TABLE temp.v USING fts5(a)", "CREATE VIRTUAL TABLE v USING redoubt(0)",
          "REPLACE INTO shop.customers VALUES (1, 'x')"}) {
        run(statement);
        ASSERT_TRUE(error_) << statement;
        EXPECT_EQ(error_->code(), ErrorCode::Refused) << statement << error_->to_string();
        EXPECT_THAT(error_->message(), HasSubstr("only reads")) << statement;
    }
    EXPECT_EQ(run("CREATE TEMP TABLE t AS SELECT id FROM shop.orders; INSERT INTO t VALUES (9);"
                  "CREATE TEMP VIEW v AS SELECT id FROM shop.customers;"),
              "");
    EXPECT_EQ(run("SELECT MAX(id) FROM t"), "9\n");
    EXPECT_EQ(run("SELECT MAX(id) FROM v"), "20\n");
    EXPECT_EQ(run("DROP TABLE t; DROP VIEW v"), "");
}

TEST_F(SessionTest, AnEngineErrorKeepsItsPlaceAndTheRowsBefore) {
    database_.fake(*database_.tables()[0]).fails_after = 2;
    const std::string answer = run("SELECT id FROM shop.orders; SELECT 1");
    EXPECT_EQ(answer,
              "error: record list does not end; file shop/orders.ibd; space 7 page 3\n"
              "hint: run redoubt verify");
    EXPECT_EQ(error_->code(), ErrorCode::Corruption);
    EXPECT_EQ(output_, "id\n1\n2\n");
    EXPECT_EQ(run("SELECT name FROM shop.customers LIMIT 1"), "Änne\n");
}

TEST_F(SessionTest, MistakesAreFailuresInSqlitesWords) {
    EXPECT_EQ(run("SELEC 1"), "error: near \"SELEC\": syntax error");
    EXPECT_THAT(run("SELECT * FROM nowhere.t"), HasSubstr("no such table: nowhere.t"));
    EXPECT_THAT(run("SELECT * FROM ''"), HasSubstr("no such table"));
    EXPECT_THAT(run("SELECT nonsense FROM shop.orders"), HasSubstr("no such column: nonsense"));
    EXPECT_THAT(run("SELECT 'open"), HasSubstr("unrecognized token"));
    EXPECT_EQ(error_->code(), ErrorCode::Failure);
    EXPECT_EQ(run(" ;; -- nothing\n /* at all */ "), "");
    EXPECT_FALSE(error_);
}

TEST_F(SessionTest, ARefusedTableSaysWhy) {
    database_.refusals.push_back(
        {"shop.locked", make_error(ErrorCode::Key, "encryption key 4 is missing")});
    EXPECT_EQ(run("SELECT * FROM shop.locked"),
              "error: table shop.locked cannot be read: encryption key 4 is missing");
    EXPECT_EQ(error_->code(), ErrorCode::Key);
    EXPECT_EQ(run("SELECT COUNT(*) FROM locked"),
              "error: table shop.locked cannot be read: encryption key 4 is missing");
}

TEST_F(SessionTest, GeneratedColumnsAreNullAndSaidOnce) {
    database_.add(
        {.table = make_table(
             "shop", "g",
             {column("id", "int(11)"),
              {.name = "twice", .type_text = "int(11)", .collation = "", .virtual_column = true}},
             {primary({0}), index("twice", {1})}),
         .rows = {{integer(1), not_stored()}, {integer(2), not_stored()}}});
    EXPECT_EQ(run("SELECT id, twice FROM shop.g"), "1,\n2,\n");
    EXPECT_EQ(scan_of("SELECT id FROM shop.g WHERE twice IS NULL"), "PRIMARY - .. - columns 0,1");
    EXPECT_EQ(output_, "id\n1\n2\n");
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_THAT(notes_[0], HasSubstr("shop.g.twice"));
}

TEST_F(SessionTest, ValuesArePrintedAsTheServerDoes) {
    const std::string zeros("\0\xff", 2);
    database_.add(
        {.table = make_table(
             "shop", "v",
             {column("f", "float"), column("d", "double"), column("u", "bigint(20) unsigned"),
              column("s", "varchar(9)", "utf8mb4_general_ci"),
              column("b", "varbinary(9)", "binary"), column("m", "float(7,2)"),
              column("z", "int(6) unsigned zerofill"), column("p", "point"),
              column("e", "enum('int','real')")},
             {index("GEN_CLUST_INDEX", {}, true, true)}),
         .rows = {{single(0.1F), real(0.1), natural(UINT64_MAX), text("007"), bytes(zeros),
                   single(1.5F), natural(42), bytes("p"), text("int")},
                  {single(1e20F), real(1e100), natural(5), text(""), bytes(""), single(1e18F),
                   natural(1234567), null(), text("real")}}});
    EXPECT_EQ(run("SELECT * FROM shop.v"),
              "0.1,0.1,18446744073709551615,007," + zeros +
                  ",1.50,000042,p,int\n"
                  "1e20,1e100,5,\"\",\"\",999999984306749400.00,1234567,,real\n");
    EXPECT_EQ(run("SELECT u FROM shop.v ORDER BY u"), "5\n18446744073709551615\n");
    EXPECT_EQ(run("SELECT u FROM shop.v WHERE u > 5"), "18446744073709551615\n");
    EXPECT_EQ(run("SELECT u FROM shop.v WHERE u = 18446744073709551615"), "18446744073709551615\n");
    EXPECT_EQ(run("SELECT f + 0, typeof(s), typeof(e), hex(b) FROM shop.v LIMIT 1"),
              "0.10000000149011612,text,text,00FF\n");
    EXPECT_EQ(run("SELECT e FROM shop.v WHERE e = 'int'"), "int\n");
}

TEST_F(SessionTest, StreamsAMillionRowsInFourFormats) {
    database_.add(
        {.table = make_table("big", "t",
                             {column("id", "int(11)"), column("pad", "text", "utf8mb4_general_ci")},
                             {primary({0})}),
         .generated = 250'000,
         .generate = [](std::uint64_t row, std::size_t position) {
             static const std::string kPad(100, 'x');
             return position == 0 ? integer(static_cast<std::int64_t>(row)) : text(kPad);
         }});
    auto session = Session::open(database_, {});
    ASSERT_TRUE(session);
    for (const Format format : {Format::Table, Format::Csv, Format::Json, Format::Sql}) {
        std::size_t largest = 0;
        std::size_t total = 0;
        const auto writer = make_writer(format, [&](std::string_view piece) {
            largest = std::max(largest, piece.size());
            total += piece.size();
            return Status();
        });
        ASSERT_TRUE((*session)->run("SELECT * FROM t", *writer));
        EXPECT_GT(total, std::size_t{100} * 250'000);
        EXPECT_LT(largest, std::size_t{4} << 20);
    }
}

TEST_F(SessionTest, CanBeInterrupted) {
    FakeTable& orders = database_.fake(*database_.tables()[0]);
    orders.generated = UINT64_MAX;
    orders.generate = [](std::uint64_t row, std::size_t) {
        return integer(static_cast<std::int64_t>(row));
    };
    orders.at_row = [this](std::uint64_t row) {
        if (row == 5000) {
            cancel_.cancel();
        }
    };
    run("SELECT SUM(id) FROM shop.orders");
    ASSERT_TRUE(error_);
    EXPECT_EQ(error_->code(), ErrorCode::Cancelled);
}

TEST_F(SessionTest, AFailingOutputEndsTheStatement) {
    auto session = Session::open(database_, {});
    ASSERT_TRUE(session);
    const auto writer = make_writer(Format::Csv, [](std::string_view) -> Status {
        return make_error(ErrorCode::Io, "cannot write");
    });
    const Status status = (*session)->run("SELECT * FROM orders", *writer);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Io);
}

TEST_F(SessionTest, ExplainsItsPlans) {
    EXPECT_THAT(
        run("EXPLAIN QUERY PLAN SELECT id FROM shop.orders WHERE customer = 10 AND placed < "
            "'2024-06-02' ORDER BY placed DESC"),
        HasSubstr(":customer: customer = ? AND placed < ? DESC"));
}

TEST_F(SessionTest, CompletesNamesAndKeywords) {
    run("SELECT 1");
    EXPECT_THAT(session_->complete("SELECT * FROM t ", "ord"), ElementsAre("ORDER", "orders"));
    EXPECT_THAT(session_->complete("", "CUST"), ElementsAre("customer", "customers"));
    EXPECT_THAT(session_->complete("", "zzz"), IsEmpty());
    // Behind a point only what can stand there.
    EXPECT_THAT(session_->complete("SELECT * FROM shop.", "cust"), ElementsAre("customers"));
    EXPECT_THAT(session_->complete("SELECT * FROM `Shop` . ", "ord"), ElementsAre("orders"));
    EXPECT_THAT(session_->complete("SELECT shop.orders.", "c"), ElementsAre("code", "customer"));
    EXPECT_THAT(session_->complete("SELECT o.", "cust"), ElementsAre("customer"));  // an alias
    EXPECT_THAT(session_->complete("SELECT 'shop.", "cust"), ElementsAre("customer", "customers"));
}

}  // namespace
}  // namespace redoubt::sql
