/// Following a log that grows, wraps and is overtaken.
#include "backup/redo_copier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "io/posix_directory.h"
#include "redo/log_file.h"
#include "redo/record.h"
#include "unit/recovery/tiny_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::backup {
namespace {

using test::Bytes;
using test::LogBuilder;

constexpr PageId kPage{SpaceId{9}, PageNo{3}};

Bytes write_record(std::size_t size) {
    Bytes body(size, std::byte{0x77});
    body[0] = std::byte{100};  // offset
    return test::page_record(0x30, kPage, body);
}

/// The server: a LogBuilder whose bytes a file has.
class RedoCopierTest : public testing::Test {
protected:
    RedoCopierTest() {
        server_ = std::move(*io::open_posix_directory(server_files_.path()));
        backup_ = std::move(*io::open_posix_directory(backup_files_.path()));
        target_.emplace(*backup_, nullptr, nullptr);
    }

    /// What changed goes to the file, as the server's writes would.
    void write() { write(log_, "ib_logfile0"); }
    void write(const LogBuilder& log, const std::string& name) {
        const bool is_new = !server_->exists(name);
        const auto file =
            server_->open(name, is_new ? io::OpenMode::CreateExclusive : io::OpenMode::ReadWrite);
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write_at(0, log.bytes));
        durable_ = log.next.value;
    }

    Result<std::unique_ptr<RedoCopier>> start() {
        return RedoCopier::start(
            *server_, *target_,
            {.log_path = "ib_logfile0",
             .copy_name = "copy",
             .keys = nullptr,
             .cancel = &cancel_,
             .durable_lsn = [this]() -> Result<Lsn> { return Lsn{durable_.load()}; }});
    }

    /// The mini-transactions of the copy, read as prepare reads it.
    std::vector<Lsn> copied_ends() {
        std::vector<Lsn> ends;
        const auto copy = redo::LogFile::open(*backup_, "copy", nullptr);
        EXPECT_TRUE(copy) << copy.error().to_string();
        redo::LogReader reader = (*copy)->reader();
        reader.seek((*copy)->checkpoint()->lsn);
        for (;;) {
            const auto mtr = reader.next();
            if (!mtr || !*mtr) {
                return ends;
            }
            ends.push_back((*mtr)->end);
        }
    }

    test::TemporaryDirectory server_files_;
    test::TemporaryDirectory backup_files_;
    std::unique_ptr<io::Directory> server_;
    std::unique_ptr<io::Directory> backup_;
    std::optional<Target> target_;
    base::CancelToken cancel_;
    LogBuilder log_ = test::tiny_log();
    std::atomic<std::uint64_t> durable_ = 0;
};

TEST_F(RedoCopierTest, CopiesWhatIsThereAndWhatIsWrittenLater) {
    log_.append(write_record(50));
    write();
    const auto copier = start();
    ASSERT_TRUE(copier) << copier.error().to_string();
    EXPECT_EQ((*copier)->standing().copied, log_.next);
    std::vector<Lsn> expected;
    for (int i = 0; i < 30; ++i) {
        log_.append(write_record(1000));
        if (i % 10 == 0) {
            write();
            ASSERT_TRUE((*copier)->wait_for(log_.next));
        }
    }
    write();
    const auto end = (*copier)->stop(log_.next);
    ASSERT_TRUE(end) << end.error().to_string();
    EXPECT_EQ(end->last, log_.next);
    ASSERT_TRUE((*copier)->close());
    EXPECT_EQ(copied_ends().size(), 32);  // FILE_CHECKPOINT, one, thirty
    EXPECT_EQ(copied_ends().back(), log_.next);
    EXPECT_EQ(target_->files().at("copy").size,
              redo::kLogStart + log_.next.value - Lsn{20480}.value);
}

TEST_F(RedoCopierTest, FollowsOverTheEndOfTheFile) {
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    // The log holds 256 KiB: twice around it.
    for (int i = 0; i < 600; ++i) {
        log_.append(write_record(1000));
        if (i % 20 == 0) {
            log_.checkpoint(i / 20 % 2, log_.next, log_.next);
            write();
            ASSERT_TRUE((*copier)->wait_for(log_.next));
        }
    }
    write();
    const auto end = (*copier)->stop(log_.next);
    ASSERT_TRUE(end) << end.error().to_string();
    ASSERT_TRUE((*copier)->close());
    EXPECT_EQ(copied_ends().size(), 601);
    EXPECT_GT(end->checkpoint, Lsn{20480});
    EXPECT_LT(end->headroom_min, std::uint64_t{1} << 18);
}

TEST_F(RedoCopierTest, RedoThatWasOverwrittenIsLostNotTheEnd) {
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    for (int i = 0; i < 300; ++i) {  // more than the log holds, at once
        log_.append(write_record(1000));
    }
    log_.checkpoint(1, Lsn{log_.next.value - 1000}, log_.next);
    write();
    const auto status = (*copier)->wait_for(log_.next);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::RedoLost);
    EXPECT_THAT(status.error().hint(), testing::HasSubstr("innodb_log_file_size"));
}

// L2: after two laps the sequence bits are those that are looked for.
TEST_F(RedoCopierTest, TwoLapsAheadIsLostToo) {
    for (int i = 0; i < 3; ++i) {
        log_.append(write_record(1000));
    }
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    const Lsn copied = log_.next;
    // All of the log is replaced by what looks like a continuation.
    log_.next = Lsn{copied.value + (std::uint64_t{2} << 18)};
    for (int i = 0; i < 100; ++i) {
        log_.append(write_record(1000));
    }
    log_.checkpoint(1, Lsn{copied.value + (std::uint64_t{2} << 18)}, log_.next);
    write();
    const auto status = (*copier)->wait_for(log_.next);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::RedoLost);
}

TEST_F(RedoCopierTest, TellsOfFiles) {
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    log_.append(test::file_record(test::kFileCreate, SpaceId{12}, "./db/a.ibd"));
    log_.append(test::file_record(test::kFileRename, SpaceId{12}, "./db/a.ibd", "./db/b.ibd"));
    write();
    ASSERT_TRUE((*copier)->wait_for(log_.next));
    const FileEvents events = (*copier)->file_events();
    ASSERT_EQ(events.size(), 1);
    ASSERT_EQ(events.at(SpaceId{12}).size(), 2);
    EXPECT_EQ(events.at(SpaceId{12})[1].new_name, "./db/b.ibd");
}

TEST_F(RedoCopierTest, AMiniTransactionCutShortIsWaitedFor) {
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    const Lsn before = log_.next;
    log_.append(write_record(5000));
    const std::byte last = log_.byte(Lsn{log_.next.value - 1});
    log_.byte(Lsn{log_.next.value - 1}) = ~last;  // of the checksum
    write();
    durable_ = before.value;
    EXPECT_EQ((*copier)->standing().copied, before);
    log_.byte(Lsn{log_.next.value - 1}) = last;
    write();
    ASSERT_TRUE((*copier)->wait_for(log_.next));
}

// L4: seen with the real server under load, where an old part of its buffer followed the log's end.
TEST_F(RedoCopierTest, WhatLooksLikeRedoBehindTheDurableEndIsNotCopied) {
    log_.append(write_record(300));
    const Lsn durable = log_.next;
    LogBuilder stale = test::tiny_log();
    stale.append(write_record(300));
    stale.append(write_record(40));  // whole, with a right checksum
    write(stale, "ib_logfile0");
    durable_ = durable.value;
    const auto copier = start();
    ASSERT_TRUE(copier);
    EXPECT_EQ((*copier)->standing().copied, durable);
    log_.append(write_record(70));
    write();
    const auto end = (*copier)->stop(log_.next);
    ASSERT_TRUE(end) << end.error().to_string();
    ASSERT_TRUE((*copier)->close());
    EXPECT_EQ(copied_ends().back(), log_.next);
    EXPECT_EQ(copied_ends().size(), 3);
}

TEST_F(RedoCopierTest, FollowsALogOfAnotherSize) {
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    log_.append(write_record(100));
    write();
    // As SET GLOBAL innodb_log_file_size does: the new file begins where the log stands.
    LogBuilder larger(log_.next, LogBuilder::kStart + (std::size_t{1} << 20));
    larger.checkpoint(0, larger.next, larger.next);
    for (int i = 0; i < 10; ++i) {
        larger.append(write_record(100));
    }
    write(larger, "ib_logfile101");
    ASSERT_TRUE(server_->rename("ib_logfile101", "ib_logfile0"));
    ASSERT_TRUE((*copier)->wait_for(larger.next));
    EXPECT_EQ((*copier)->standing().capacity, std::uint64_t{1} << 20);
    ASSERT_TRUE((*copier)->stop(larger.next));
    ASSERT_TRUE((*copier)->close());
    EXPECT_EQ(copied_ends().size(), 12);
}

TEST_F(RedoCopierTest, StopsWhenCancelled) {
    write();
    const auto copier = start();
    ASSERT_TRUE(copier);
    cancel_.cancel();
    const auto status = (*copier)->wait_for(Lsn{~std::uint64_t{0}});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Cancelled);
}

TEST_F(RedoCopierTest, WithoutCloseThereIsNoCopy) {
    write();
    {
        const auto copier = start();
        ASSERT_TRUE(copier);
    }
    EXPECT_FALSE(backup_->exists("copy"));
}

}  // namespace
}  // namespace redoubt::backup
