#include "backup/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/restore_plan.h"
#include "io/memory_directory.h"

namespace redoubt::backup {
namespace {

using testing::Contains;
using testing::HasSubstr;

void put(io::MemoryDirectory& directory, std::string_view path, std::string_view text = "x") {
    const auto bytes = std::as_bytes(std::span(text));
    directory.put(path, {bytes.begin(), bytes.end()});
}

io::MemoryDirectory a_backup() {
    io::MemoryDirectory backup;
    put(backup, "backup-my.cnf",
        "[mysqld]\ninnodb_data_file_path=ibdata1:12M;/disk2/ibdata2:12M:autoextend\n");
    for (const char* path : {"xtrabackup_checkpoints", "xtrabackup_info", "xtrabackup_binlog_info",
                             "ib_logfile0", "ibdata1", "ibdata2", "undo001", "aria_log_control",
                             "aria_log.00000001", "ib_buffer_pool", "d/t.ibd", "d/t.frm", "d/e.ibd",
                             "m/m.MYD", "#rocksdb/CURRENT", "#rocksdb/deep/x"}) {
        put(backup, path);
    }
    put(backup, "d/e.isl", "/ext/d/e.ibd\n");
    return backup;
}

/// Where a file of the backup goes; "" when it is left behind.
std::string target_of(const RestorePlan& plan, std::string_view from) {
    for (const RestoreFile& file : plan.files) {
        if (file.from == from) {
            return file.to;
        }
    }
    return plan.log.from == from ? plan.log.to : "";
}

TEST(RestorePlan, WithoutATargetLayoutAllGoesIntoTheDataDirectory) {
    io::MemoryDirectory backup = a_backup();
    const auto plan = make_restore_plan(backup, {});
    ASSERT_TRUE(plan) << plan.error().to_string();
    for (const char* path :
         {"ib_logfile0", "ibdata1", "ibdata2", "undo001", "aria_log_control", "d/t.ibd", "d/t.frm",
          "d/e.isl", "m/m.MYD", "#rocksdb/deep/x", "xtrabackup_info", "ib_buffer_pool"}) {
        EXPECT_EQ(target_of(*plan, path), path);
    }
    EXPECT_EQ(target_of(*plan, "d/e.ibd"), "/ext/d/e.ibd")
        << "DATA DIRECTORY: where its link leads";
    for (const char* path : {"backup-my.cnf", "xtrabackup_checkpoints", "xtrabackup_binlog_info"}) {
        EXPECT_EQ(target_of(*plan, path), "") << "of the backup only";
    }
    EXPECT_EQ(plan->files.at(0).from, "ibdata1") << "a server that starts too early must see it";
    EXPECT_EQ(plan->files.at(1).from, "ibdata2");
    EXPECT_THAT(plan->notes, Contains(HasSubstr("/disk2")));
    EXPECT_THAT(plan->directories, Contains("/ext/d"));
    EXPECT_THAT(plan->directories, Contains("#rocksdb/deep"));
}

TEST(RestorePlan, ALinkWithoutAPathIsTold) {
    io::MemoryDirectory backup = a_backup();
    put(backup, "d/t.isl", "\n");
    const auto plan = make_restore_plan(backup, {});
    ASSERT_TRUE(plan) << plan.error().to_string();
    EXPECT_EQ(target_of(*plan, "d/t.ibd"), "d/t.ibd") << "as the server sees it";
    EXPECT_THAT(plan->notes, Contains(HasSubstr("d/t.isl holds no path")));
}

TEST(RestorePlan, TheTargetsLayoutIsHonoured) {
    io::MemoryDirectory backup = a_backup();
    RestoreOptions options;
    options.layout_given = true;
    options.layout.data_file_path = "ibdata1:12M;ibdata2:12M:autoextend";
    options.layout.data_home = "/home";
    options.layout.undo_directory = "/undo";
    options.layout.log_directory = "/log";
    options.layout.aria_log_directory = "/aria";
    options.layout.rocksdb_directory = "/rocks";
    const auto plan = make_restore_plan(backup, options);
    ASSERT_TRUE(plan) << plan.error().to_string();
    EXPECT_EQ(target_of(*plan, "ibdata2"), "/home/ibdata2");
    EXPECT_EQ(target_of(*plan, "undo001"), "/undo/undo001");
    EXPECT_EQ(target_of(*plan, "ib_logfile0"), "/log/ib_logfile0");
    EXPECT_EQ(target_of(*plan, "aria_log.00000001"), "/aria/aria_log.00000001");
    EXPECT_EQ(target_of(*plan, "#rocksdb/deep/x"), "/rocks/deep/x");
    EXPECT_EQ(target_of(*plan, "d/t.ibd"), "d/t.ibd");
}

TEST(RestorePlan, ATargetWithOtherDataFilesIsRefused) {
    io::MemoryDirectory backup = a_backup();
    RestoreOptions options;
    options.layout_given = true;  // its default: ibdata1 alone
    const auto plan = make_restore_plan(backup, options);
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code(), ErrorCode::Usage);
    EXPECT_THAT(plan.error().message(), HasSubstr("ibdata1, ibdata2"));
}

TEST(RestorePlan, IsReadBackFromItsFile) {
    io::MemoryDirectory backup = a_backup();
    const auto plan = make_restore_plan(backup, {});
    ASSERT_TRUE(plan) << plan.error().to_string();
    const std::string text = plan_to_text(*plan, "some/backup", Lsn{77}, true);
    const auto read = parse_unfinished(text);
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->backup_path, "some/backup");
    EXPECT_EQ(read->last_lsn, Lsn{77});
    EXPECT_TRUE(read->move);
    EXPECT_EQ(plan_to_text(read->plan, "some/backup", Lsn{77}, true), text);
    for (std::size_t size = 0; size + 1 < text.size(); size += 7) {
        EXPECT_FALSE(parse_unfinished(text.substr(0, size))) << size;
    }
}

TEST(RestorePlan, APlanThatLeadsOutIsNotFollowed) {
    RestorePlan plan;
    plan.log = {.from = "ib_logfile0", .to = "ib_logfile0"};
    EXPECT_TRUE(parse_unfinished(plan_to_text(plan, "b", Lsn{1}, true)));
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"../x", "x"}, {"/etc/x", "x"}, {"d/../../x", "x"}, {"x", "d/../../x"}, {"", "x"}}) {
        plan.files = {{.from = from, .to = to}};
        EXPECT_FALSE(parse_unfinished(plan_to_text(plan, "b", Lsn{1}, true))) << from << " " << to;
    }
}

/// A server may have run on what was restored before the next run comes to forget the plan.
TEST(Restore, WhatWasCompleteIsNotTouchedAgain) {
    for (const bool move : {false, true}) {
        io::MemoryDirectory root;
        RestorePlan plan;
        plan.log = {.from = "ib_logfile0", .to = "ib_logfile0"};
        plan.files = {{.from = "ibdata1", .to = "ibdata1"}};
        put(root, "backup/ibdata1", "old");
        put(root, "backup/xtrabackup_checkpoints",
            "backup_type = log-applied\nfrom_lsn = 0\nto_lsn = 1\nlast_lsn = 1\n");
        put(root, "data/ib_logfile0", "the server's");
        put(root, "data/ibdata1", "the server's");
        put(root, "data/redoubt.restore", plan_to_text(plan, "backup", Lsn{1}, move));
        RestoreOptions options;
        options.move = move;
        const auto report = restore(root, "backup", "data", options);
        ASSERT_TRUE(report) << report.error().to_string();
        EXPECT_TRUE(report->resumed);
        EXPECT_EQ(root.read_text("data/ibdata1", 100).value(), "the server's");
        EXPECT_EQ(root.read_text("data/ib_logfile0", 100).value(), "the server's");
        EXPECT_FALSE(root.exists("data/redoubt.restore"));
    }
}

TEST(Restore, ATargetThatIsNotEmptyIsLeftAlone) {
    io::MemoryDirectory root;
    put(root, "backup/ib_logfile0");
    put(root, "backup/ibdata1");
    put(root, "backup/backup-my.cnf", "[mysqld]\n");
    put(root, "backup/xtrabackup_checkpoints",
        "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 1\nlast_lsn = 1\n");
    put(root, "data/precious");
    const auto report = restore(root, "backup", "data", {});
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::Refused);
    EXPECT_THAT(report.error().message(), HasSubstr("precious"));
    EXPECT_EQ(root.list("data")->size(), 1U);
}

}  // namespace
}  // namespace redoubt::backup
