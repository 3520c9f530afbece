// What a table's record of instant changes was before. On real servers:
// tests/interop/statement_crash.py; older versions of rows: read_tables.py, random_schemas.py.
#include "undo/versions.h"

#include <gtest/gtest.h>

#include "unit/undo/undo_pages.h"

namespace redoubt::undo {
namespace {

constexpr std::uint32_t kLogPage = 10;
constexpr std::uint8_t kUpdate = 12;
constexpr std::uint8_t kOpen = 9;  // a transaction
constexpr std::uint8_t kEnded = 8;
constexpr std::uint8_t kOnlyAdded = 0x10;  // info bits
constexpr std::uint8_t kListed = 0x30;     // of a record that leads to a list
constexpr std::size_t kKeyFields = 1;

using Bytes = std::vector<std::uint8_t>;

/// An undo record of a table with a key of 4 bytes. `fields`: the update vector.
Bytes record_of(std::uint8_t info, std::uint8_t trx_id, const Bytes& fields,
                std::uint8_t table = kTable) {
    Bytes body{kUpdate, 0, table, info};
    body.insert(body.end(), {0, 0, 0, 0, trx_id});
    body.insert(body.end(), {0, 0, 0, 0, 1});     // roll pointer
    body.insert(body.end(), {4, 0x80, 0, 0, 0});  // key
    body.insert(body.end(), fields.begin(), fields.end());
    return body;
}

/// A field that was added, then the reference of 20 bytes.
Bytes with_reference(std::uint8_t byte) {
    Bytes fields{2, 7, 1, 0x55, 3, 0xFD, 0xC0, 0x13};
    fields.resize(fields.size() + 19, byte);
    fields.resize(fields.size() + 1, 0x99);
    return fields;
}

class VersionsTest : public testing::Test {
protected:
    void SetUp() override { begin_again(); }

    void begin_again() {
        pages_ = UndoPages();
        pages_.add_first(kLogPage, kActive, 0);
        pages_.put32(kLogPage, kFirstLog + 4, kOpen);
    }
    std::uint64_t add(const Bytes& body) {
        return std::uint64_t{kLogPage} << 16 | pages_.add_record(kLogPage, body);
    }
    Result<Versions::OlderMetadata> take_back(std::uint64_t roll_ptr) {
        auto transactions = Transactions::read(pages_, kPageSize);
        EXPECT_TRUE(transactions) << transactions.error().to_string();
        EXPECT_TRUE(transactions->is_open(kOpen));
        Versions versions(pages_, *transactions, kPageSize);
        return versions.take_back_metadata(kTable, roll_ptr, kKeyFields);
    }
    ErrorCode failure(std::uint64_t roll_ptr) {
        const auto older = take_back(roll_ptr);
        EXPECT_FALSE(older);
        return older ? ErrorCode::Usage : older.error().code();
    }

    UndoPages pages_;
};

TEST_F(VersionsTest, ARecordOfInstantChangesLedToAnotherListBefore) {
    const auto older = take_back(add(record_of(kListed, kEnded, with_reference(0x11))));
    ASSERT_TRUE(older) << older.error().to_string();
    EXPECT_TRUE(older->listed);
    EXPECT_EQ(older->reference, std::string(19, '\x11') + '\x99');
}

TEST_F(VersionsTest, OrItHadOnlyAddedColumnsBefore) {
    const auto older = take_back(add(record_of(kOnlyAdded, kEnded, {0})));
    ASSERT_TRUE(older) << older.error().to_string();
    EXPECT_FALSE(older->listed);
    EXPECT_EQ(older->reference, "");
}

TEST_F(VersionsTest, WhatCannotBeItsUndoRecordIsRefused) {
    EXPECT_EQ(failure(add(record_of(kOnlyAdded, kEnded, {0}, kTable + 1))), ErrorCode::Corruption);
    EXPECT_EQ(failure(add(record_of(0, kEnded, {0}))), ErrorCode::Corruption) << "of a row";
    EXPECT_EQ(failure(add(record_of(kOnlyAdded, kOpen, {0}))), ErrorCode::Unsupported);
    Bytes inline_list = with_reference(1);
    inline_list.resize(5);
    inline_list.insert(inline_list.end(), {2, 0, 0});  // two bytes, in the record
    EXPECT_EQ(failure(add(record_of(kListed, kEnded, inline_list))), ErrorCode::Corruption);
    EXPECT_EQ(failure(std::uint64_t{kSegmentPage} << 16 | 200), ErrorCode::Corruption);
    EXPECT_EQ(failure(std::uint64_t{3} << 48 | 200), ErrorCode::Corruption) << "no such segment";
}

TEST_F(VersionsTest, DamageNeverLeadsOutOfTheUndoRecord) {
    const Bytes whole = record_of(kListed, kEnded, with_reference(0x11));
    for (std::size_t size = 3; size < whole.size(); ++size) {
        EXPECT_FALSE(take_back(add(Bytes(whole.begin(), whole.begin() + static_cast<long>(size)))))
            << size << " bytes";
        begin_again();
    }
}

}  // namespace
}  // namespace redoubt::undo
