#include "redo/log_writer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "redo/record.h"
#include "unit/redo/opened_log.h"

namespace redoubt::redo {
namespace {

using test::Bytes;
using test::file_checkpoint;
using test::from_hex;
using test::LogBuilder;
using test::OpenedLog;
using test::read_all;

constexpr std::size_t kSmallest = 12304;  // bytes

TEST(LogWriter, ACleanLogIsReadBack) {
    const OpenedLog opened(make_clean_log(Lsn{123456789}, "Redoubt 1.0"));
    EXPECT_EQ(opened.log->file_size(), kSmallest);
    EXPECT_EQ(opened.log->header().creator, "Redoubt 1.0");
    const auto checkpoint = opened.log->checkpoint();
    ASSERT_TRUE(checkpoint) << checkpoint.error().to_string();
    EXPECT_EQ(checkpoint->lsn, Lsn{123456789});
    EXPECT_EQ(checkpoint->end_lsn, Lsn{123456789});
    LogReader reader = opened.log->reader();
    reader.seek(checkpoint->end_lsn);
    const auto mtrs = read_all(reader, LogEnd::SequenceBit);
    ASSERT_EQ(mtrs.size(), 1U);
    EXPECT_EQ((*RecordReader(mtrs[0]).next())->checkpoint, Lsn{123456789});
}

TEST(LogWriter, ACleanLogMayNameFiles) {
    std::vector<NamedFile> names{{SpaceId{5}, "./a/b.ibd"},
                                 {SpaceId{300}, "./shop/" + std::string(250, 'x') + ".ibd"}};
    for (std::uint32_t i = 0; i < 3000; ++i) {
        names.push_back({SpaceId{20000 + i * 1000}, "./db/" + std::string(i % 140, 'y') + ".ibd"});
    }
    const OpenedLog opened(make_clean_log(Lsn{50000}, "Redoubt 1.0", names));
    EXPECT_EQ(opened.log->file_size() % 4096, 0U);
    LogReader reader = opened.log->reader();
    reader.seek(Lsn{50000});
    std::size_t found = 0;
    bool checkpoint = false;
    const auto mtrs = read_all(reader, LogEnd::EmptyByte);
    EXPECT_GT(mtrs.size(), 1U);
    for (const auto& mtr : mtrs) {
        RecordReader records(mtr);
        for (auto record = records.next(); record && *record; record = records.next()) {
            if ((*record)->type == RecordType::FileCheckpoint) {
                checkpoint = true;
                continue;
            }
            ASSERT_LT(found, names.size());
            EXPECT_EQ((*record)->type, RecordType::FileModify);
            EXPECT_EQ((*record)->page.space, names[found].space);
            EXPECT_EQ((*record)->name, names[found].path);
            ++found;
        }
    }
    EXPECT_EQ(found, names.size());
    EXPECT_TRUE(checkpoint);
}

void write_all(std::span<const LogWrite> writes, Bytes& bytes) {
    for (const LogWrite& write : writes) {
        ASSERT_LE(write.offset + write.bytes.size(), bytes.size());
        std::ranges::copy(write.bytes, bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
    }
}

/// A log of 1000 bytes with a checkpoint, some records, and its end at any place of the lap.
struct Crashed {
    explicit Crashed(std::uint64_t begin, unsigned block = 0)
        : builder(Lsn{20000}, LogBuilder::kStart + 1000) {
        builder.next = checkpoint = Lsn{begin};
        builder.append(file_checkpoint(checkpoint));
        builder.append(test::page_record(0x30, {SpaceId{5}, PageNo{3}}, from_hex("0102")));
        builder.checkpoint(block, checkpoint, checkpoint);
        end = builder.next;
    }
    LogBuilder builder;
    Lsn checkpoint;
    Lsn end;
};

const std::vector<NamedFile> kNames{{SpaceId{5}, "./a/b.ibd"}};

TEST(LogWriter, ACheckpointInPlaceMakesTheLogCleanWhereverItEnds) {
    for (std::uint64_t begin = 20900; begin < 21010; ++begin) {
        SCOPED_TRACE(begin);
        Crashed crashed(begin, begin % 2);
        const OpenedLog before(crashed.builder.bytes);
        const auto writes = checkpoint_in_place(
            *before.log, {crashed.checkpoint, crashed.checkpoint, static_cast<unsigned>(begin % 2)},
            crashed.end, kNames);
        ASSERT_TRUE(writes);
        Bytes bytes = crashed.builder.bytes;
        write_all(writes->records, bytes);
        {
            // Killed here: the old checkpoint counts, and what it needs is there.
            const OpenedLog between(bytes);
            EXPECT_EQ(between.log->checkpoint()->lsn, crashed.checkpoint);
            LogReader reader = between.log->reader();
            reader.seek(crashed.checkpoint);
            EXPECT_EQ(read_all(reader, LogEnd::EmptyByte).size(), 3U);
        }
        write_all(std::span(&writes->block, 1), bytes);
        const OpenedLog after(bytes);
        const auto checkpoint = after.log->checkpoint();
        ASSERT_TRUE(checkpoint);
        EXPECT_EQ(checkpoint->lsn, crashed.end);
        EXPECT_EQ(checkpoint->end_lsn, crashed.end);
        EXPECT_NE(checkpoint->block, begin % 2);
        EXPECT_EQ(after.log->checkpoints()[begin % 2]->lsn, crashed.checkpoint) << "kept";
        LogReader reader = after.log->reader();
        reader.seek(crashed.end);
        const auto mtrs = read_all(reader, LogEnd::EmptyByte);
        ASSERT_EQ(mtrs.size(), 1U);
        RecordReader records(mtrs[0]);
        EXPECT_EQ((*records.next())->name, "./a/b.ibd");
        EXPECT_EQ((*records.next())->checkpoint, crashed.end);
    }
}

TEST(LogWriter, WhatLiesBehindATornEndStaysOutOfTheLog) {
    Crashed crashed(20100);
    // A torn mini-transaction as long as what the checkpoint writes, and a whole one behind it.
    crashed.builder.append(file_checkpoint(crashed.checkpoint));
    const Lsn whole = crashed.builder.append(file_checkpoint(crashed.checkpoint));
    crashed.builder.byte(Lsn{whole.value - 1}) ^= std::byte{1};
    Bytes bytes = crashed.builder.bytes;
    const OpenedLog before(bytes);
    const auto writes = checkpoint_in_place(
        *before.log, {crashed.checkpoint, crashed.checkpoint, 0}, crashed.end, {});
    ASSERT_TRUE(writes);
    write_all(writes->records, bytes);
    write_all(std::span(&writes->block, 1), bytes);
    const OpenedLog after(bytes);
    LogReader reader = after.log->reader();
    reader.seek(crashed.end);
    EXPECT_EQ(read_all(reader, LogEnd::EmptyByte).size(), 1U);
    EXPECT_EQ(reader.position(), whole);
}

TEST(LogWriter, NoCheckpointOverWhatTheOldOneNeeds) {
    Crashed crashed(20100);
    const std::uint64_t needed = 16 + 1;  // FILE_CHECKPOINT and the byte that ends the log
    const OpenedLog opened(crashed.builder.bytes);
    const Checkpoint old{crashed.checkpoint, crashed.checkpoint, 0};
    EXPECT_TRUE(checkpoint_in_place(*opened.log, old, Lsn{20100 + 1000 - needed}, {}));
    EXPECT_FALSE(checkpoint_in_place(*opened.log, old, Lsn{20100 + 1000 - needed + 1}, {}));
}

}  // namespace
}  // namespace redoubt::redo
