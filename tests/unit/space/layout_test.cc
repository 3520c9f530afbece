#include "space/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/posix_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::space {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LayoutTest : public testing::Test {
protected:
    void SetUp() override {
        auto opened = io::open_posix_directory(temporary_.path());
        ASSERT_TRUE(opened);
        directory_ = *std::move(opened);
    }
    void write(const std::string& path, std::string_view text) {
        const std::filesystem::path full =
            path.starts_with('/') ? path : temporary_.path() + "/" + path;
        std::filesystem::create_directories(full.parent_path());
        std::ofstream(full) << text;
    }
    const std::string& root() const { return temporary_.path(); }

    test::TemporaryDirectory temporary_;
    std::unique_ptr<io::Directory> directory_;
};

TEST(DataFilePath, ReadsSizesAndAutoextend) {
    const auto files = parse_data_file_path("ibdata1:12M;sub/ibdata2:1G:autoextend:max:2G", "");
    ASSERT_TRUE(files) << files.error().to_string();
    ASSERT_EQ(files->size(), 2U);
    EXPECT_EQ((*files)[0].path, "ibdata1");
    EXPECT_EQ((*files)[0].size, 12U << 20);
    EXPECT_FALSE((*files)[0].autoextend);
    EXPECT_EQ((*files)[1].path, "sub/ibdata2");
    EXPECT_EQ((*files)[1].size, 1U << 30);
    EXPECT_TRUE((*files)[1].autoextend);
}

TEST(DataFilePath, PutsDataHomeBeforeRelativePathsOnly) {
    const auto files = parse_data_file_path("a:12M;/b:12M", "/home/");
    ASSERT_TRUE(files);
    EXPECT_EQ((*files)[0].path, "/home/a");
    EXPECT_EQ((*files)[1].path, "/b");
}

TEST(DataFilePath, RefusesWhatTheServerRefuses) {
    for (const char* text :
         {"", "ibdata1", "ibdata1:", ":12M", "ibdata1:12X", "ibdata1:0", "a:12M:autoextend;b:12M",
          "a:12M:max:3M", "a:12M:autoextend:max", "a:99999999999999999999M",
          "a:18446744073709551615K", "a:12M:raw", "a:3Gnewraw", ";a:12M"}) {
        const auto files = parse_data_file_path(text, "");
        ASSERT_FALSE(files) << text;
        EXPECT_EQ(files.error().code(), ErrorCode::Usage) << text;
    }
}

TEST(LinkFile, StripsTheEndAndWantsAPath) {
    EXPECT_EQ(parse_isl("/mnt/db/t.ibd\r\n \0").value(), "/mnt/db/t.ibd");
    EXPECT_FALSE(parse_isl(""));
    EXPECT_FALSE(parse_isl("t.ibd"));
    EXPECT_FALSE(parse_isl("db/t.ibd"));
    EXPECT_FALSE(parse_isl(std::string_view("/a\0/b/c", 7)));
}

TEST_F(LayoutTest, ReadsTheServersGroupsOfAnOptionFile) {
    write("my.cnf",
          "innodb-undo-directory=/ignored\n"
          "[client]\ninnodb_page_size=4k\n"
          "[mysqld]\n"
          "# innodb_page_size=4k\n"
          "  innodb-data-file-path = ibdata1:12M;ibdata2:10M:autoextend  # two\n"
          "innodb_data_home_dir = \"/data # home\"\n"
          "loose-innodb-page-size=64K\n"
          "[mariadb-10.11]\ninnodb_undo_tablespaces=3\n"
          "[mariadb-10.6]\ninnodb_undo_tablespaces=5\n"
          "[mariadbd]\ninnodb_log_group_home_dir=/log\\sdir\nskip-networking\n"
          "[server]\ninnodb_undo_directory = './'\n");
    LayoutOptions options;
    const Status status = read_defaults_file(*directory_, "my.cnf", options);
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(options.data_file_path, "ibdata1:12M;ibdata2:10M:autoextend");
    EXPECT_EQ(options.data_home, "/data # home");
    EXPECT_EQ(options.page_size, 65536U);
    EXPECT_EQ(options.undo_tablespaces, 3U);
    EXPECT_EQ(options.log_directory, "/log dir");
    EXPECT_EQ(options.undo_directory, "./");
}

TEST_F(LayoutTest, FollowsIncludesAndTheLastSettingWins) {
    write("my.cnf", "[mysqld]\ninnodb_page_size=4k\n!include " + root() + "/one.cnf\n!includedir " +
                        root() + "/conf.d\n");
    write("one.cnf", "[mysqld]\ninnodb_page_size=8k\ninnodb_undo_tablespaces=1\n");
    write("conf.d/a.cnf", "[mysqld]\ninnodb_undo_tablespaces=2\n");
    write("conf.d/b.txt", "[mysqld]\ninnodb_undo_tablespaces=9\n");
    LayoutOptions options;
    ASSERT_TRUE(read_defaults_file(*directory_, "my.cnf", options));
    EXPECT_EQ(options.page_size, 8192U);
    EXPECT_EQ(options.undo_tablespaces, 2U);
}

TEST_F(LayoutTest, AnOptionFileThatIncludesItselfIsAnError) {
    write("my.cnf", "!include " + root() + "/my.cnf\n!include " + root() + "/my.cnf\n");
    LayoutOptions options;
    const Status status = read_defaults_file(*directory_, "my.cnf", options);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Usage);
}

TEST_F(LayoutTest, BadOptionsNameTheFile) {
    for (const char* line : {"innodb_page_size=5k", "innodb_page_size",
                             "innodb_undo_tablespaces=128", "innodb_data_file_path=ibdata1"}) {
        write("my.cnf", std::string("[mysqld]\n") + line + "\n");
        LayoutOptions options;
        const Status status = read_defaults_file(*directory_, "my.cnf", options);
        ASSERT_FALSE(status) << line;
        EXPECT_EQ(status.error().code(), ErrorCode::Usage) << line;
        EXPECT_THAT(status.error().to_string(), HasSubstr("my.cnf"));
    }
}

TEST_F(LayoutTest, FindsTheFilesOfADataDirectory) {
    for (const char* file :
         {"ibdata1", "ib_logfile0", "undo002", "undo001", "undo128", "undo1", "undo00x", "db/t.frm",
          "db/t.ibd", "db/s#P#p0.ibd", "a/z.ibd", "lost+found/x.ibd"}) {
        write(file, "");
    }
    write("db/linked.isl", root() + "/elsewhere/db/linked.ibd");
    write("db/bad.isl", "nonsense");
    write("db/t.isl", root() + "/elsewhere/db/t.ibd");
    const auto layout = find_layout(*directory_, {}, false);
    ASSERT_TRUE(layout) << layout.error().to_string();
    EXPECT_FALSE(layout->is_backup);
    EXPECT_EQ(layout->log_path, "ib_logfile0");
    ASSERT_EQ(layout->system_files.size(), 1U);
    EXPECT_EQ(layout->system_files[0].path, "ibdata1");
    EXPECT_THAT(layout->undo_files, ElementsAre("undo001", "undo002"));
    std::vector<std::string> names;
    for (const TableFile& table : layout->tables) {
        names.push_back(table.name + " " + table.path.substr(table.path.rfind('/') + 1) +
                        (table.linked ? " linked" : ""));
    }
    EXPECT_THAT(names, ElementsAre("a/z z.ibd", "db/linked linked.ibd linked",
                                   "db/s#P#p0 s#P#p0.ibd", "db/t t.ibd"));
}

TEST_F(LayoutTest, ReadsABackupsOwnOptionsAndKeepsToItsDirectory) {
    write("ibdata1", "");
    write("ibdata2", "");
    write("undo001", "");
    write("xtrabackup_checkpoints", "");
    write("backup-my.cnf",
          "[mysqld]\ninnodb_page_size=8192\ninnodb_undo_directory=/gone\n"
          "innodb_data_file_path=/srv/ibdata1:12M;/srv/ibdata2:12M:autoextend\n");
    const auto layout = find_fixed_layout(*directory_, {}, false);
    ASSERT_TRUE(layout) << layout.error().to_string();
    EXPECT_TRUE(layout->is_backup);
    EXPECT_EQ(layout->options.page_size, 8192U);
    ASSERT_EQ(layout->system_files.size(), 2U);
    EXPECT_EQ(layout->system_files[0].path, "ibdata1");
    EXPECT_EQ(layout->system_files[1].path, "ibdata2");
    EXPECT_THAT(layout->undo_files, ElementsAre("undo001"));
}

TEST_F(LayoutTest, UsesDirectoriesElsewhere) {
    write("home/ibdata1", "");
    write("undo/undo001", "");
    LayoutOptions options;
    options.data_home = root() + "/home";
    options.undo_directory = "./undo/";
    options.log_directory = "/log";
    const auto layout = find_fixed_layout(*directory_, options, true);
    ASSERT_TRUE(layout) << layout.error().to_string();
    EXPECT_EQ(layout->system_files[0].path, root() + "/home/ibdata1");
    EXPECT_THAT(layout->undo_files, ElementsAre("undo/undo001"));
    EXPECT_EQ(layout->log_path, "/log/ib_logfile0");
}

TEST_F(LayoutTest, ADirectoryWithoutASystemTablespaceIsRefusedWithAHint) {
    const auto layout = find_layout(*directory_, {}, false);
    ASSERT_FALSE(layout);
    EXPECT_EQ(layout.error().code(), ErrorCode::NotFound);
    EXPECT_THAT(layout.error().hint(), HasSubstr("data directory"));
}

TEST_F(LayoutTest, FindsOneTableDirectlyOrByItsLink) {
    write("db/t.ibd", "");
    write("far/db/l.ibd", "");
    write("db/l.isl", root() + "/far/db/l.ibd");
    write("db/dangling.isl", root() + "/far/db/none.ibd");
    write("db/empty.isl", "");  // as a crash leaves it
    EXPECT_EQ(find_table(*directory_, "db/t").value().path, "db/t.ibd");
    const auto linked = find_table(*directory_, "db/l");
    ASSERT_TRUE(linked);
    EXPECT_EQ(linked->path, root() + "/far/db/l.ibd");
    EXPECT_TRUE(linked->linked);
    for (const char* name : {"db/dangling", "db/empty", "db/none", "x/y"}) {
        const auto missing = find_table(*directory_, name);
        ASSERT_FALSE(missing);
        EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
    }
}

}  // namespace
}  // namespace redoubt::space
