#include "backup/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_directory.h"

namespace redoubt::backup {
namespace {

using testing::HasSubstr;

constexpr std::string_view kReal =
    "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 44404\nlast_lsn = 2848738\n"
    "recover_binlog_info = 0\n";

void put(io::MemoryDirectory& directory, std::string_view path, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    directory.put(path, {bytes.begin(), bytes.end()});
}

TEST(Checkpoints, WhatTheToolWroteIsReadAndWrittenAlike) {
    const auto checkpoints = parse_checkpoints(kReal);
    ASSERT_TRUE(checkpoints) << checkpoints.error().to_string();
    EXPECT_EQ(checkpoints->state, BackupState::Copied);
    EXPECT_EQ(checkpoints->to, Lsn{44404});
    EXPECT_EQ(checkpoints->last, Lsn{2848738});
    EXPECT_EQ(format_checkpoints(*checkpoints), kReal);
}

TEST(Checkpoints, EachStateIsReadBack) {
    for (const BackupState state :
         {BackupState::Copied, BackupState::Prepared, BackupState::Increment}) {
        Checkpoints written;
        written.state = state;
        written.recover_binlog_info = true;
        const auto read = parse_checkpoints(format_checkpoints(written));
        ASSERT_TRUE(read) << read.error().to_string();
        EXPECT_EQ(read->state, state);
        EXPECT_TRUE(read->recover_binlog_info);
    }
}

TEST(Checkpoints, OnlyTheFirstThreeLinesAreMandatory) {
    EXPECT_TRUE(parse_checkpoints("backup_type = log-applied\nfrom_lsn = 0\nto_lsn = 1\n"));
    EXPECT_FALSE(parse_checkpoints("backup_type = log-applied\nfrom_lsn = 0\n"));
}

TEST(Checkpoints, WhatContradictsItselfIsIncomplete) {
    for (const std::string_view text :
         {"", "backup_type = half\nfrom_lsn = 0\nto_lsn = 1\n",
          "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 12x\n",
          "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = -5\n",
          "backup_type = full-backuped\nfrom_lsn = 7\nto_lsn = 9\n",
          "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 9\nlast_lsn = 8\n",
          "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 99999999999999999999\n"}) {
        const auto checkpoints = parse_checkpoints(text);
        ASSERT_FALSE(checkpoints) << text;
        EXPECT_EQ(checkpoints.error().code(), ErrorCode::Incomplete);
        EXPECT_FALSE(checkpoints.error().hint().empty());
    }
}

TEST(Metadata, FilesThatAreWrittenLastAreMissed) {
    io::MemoryDirectory directory;
    put(directory, kOptionsFile, "[mysqld]\n");
    auto metadata = read_metadata(directory);
    ASSERT_FALSE(metadata);
    EXPECT_EQ(metadata.error().code(), ErrorCode::Incomplete);
    EXPECT_THAT(metadata.error().to_string(), HasSubstr(kCheckpointsFile));
    put(directory, kCheckpointsFile, kReal);
    EXPECT_TRUE(read_metadata(directory));
}

TEST(Metadata, WhatAnInterruptedBackupLeavesIsAnIncompleteBackup) {
    io::MemoryDirectory directory;
    put(directory, "ibdata1", "copied");
    EXPECT_FALSE(is_backup(directory));
    put(directory, kUnfinishedLog, "");
    EXPECT_TRUE(is_backup(directory));
    put(directory, kOptionsFile, "[mysqld]\n");
    put(directory, kCheckpointsFile, kReal);  // of whatever was there before
    const auto metadata = read_metadata(directory);
    ASSERT_FALSE(metadata);
    EXPECT_EQ(metadata.error().code(), ErrorCode::Incomplete);
    EXPECT_THAT(metadata.error().to_string(), HasSubstr(kUnfinishedLog));
}

TEST(Metadata, FilesOfTwoBackupsContradictEachOther) {
    io::MemoryDirectory directory;
    put(directory, kOptionsFile, "[mysqld]\n");
    put(directory, kCheckpointsFile, kReal);
    put(directory, kInfoFile, "innodb_to_lsn = 44404\npartial = Y\n");
    const auto same = read_metadata(directory);
    ASSERT_TRUE(same) << same.error().to_string();
    EXPECT_TRUE(same->partial());
    put(directory, kInfoFile, "innodb_to_lsn = 44405\n");
    const auto other = read_metadata(directory);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message(), HasSubstr("contradict"));
}

}  // namespace
}  // namespace redoubt::backup
