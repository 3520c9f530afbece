/// Copying data files while they change: torn pages, damage, DDL.
#include "backup/innodb_copier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "io/memory_directory.h"
#include "unit/io/passing_directory.h"
#include "unit/recovery/tiny_directory.h"

namespace redoubt::backup {
namespace {

using recovery::FileEvent;
using redo::RecordType;
using test::Bytes;
using test::kTinyPageSize;
using testing::HasSubstr;

/// What a read gives may be changed on its way.
using Meddle =
    std::function<void(const std::string& path, std::uint64_t offset, std::span<std::byte> bytes)>;

class MeddlingFile final : public test::PassingFile {
public:
    MeddlingFile(std::unique_ptr<io::File> inner, std::string name, const Meddle& meddle)
        : PassingFile(std::move(inner)), name_(std::move(name)), meddle_(meddle) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        auto read = PassingFile::read_at(offset, buffer);
        if (read && meddle_) {
            meddle_(name_, offset, buffer.first(*read));
        }
        return read;
    }

private:
    std::string name_;
    const Meddle& meddle_;
};

class MeddlingDirectory final : public test::PassingDirectory {
public:
    explicit MeddlingDirectory(io::Directory& inner) : PassingDirectory(inner) {}
    Result<std::unique_ptr<io::File>> open(std::string_view path, io::OpenMode mode) override {
        ASSIGN_OR_RETURN(auto file, PassingDirectory::open(path, mode));
        return std::unique_ptr<io::File>(
            std::make_unique<MeddlingFile>(std::move(file), std::string(path), meddle));
    }

    Meddle meddle;
};

class InnodbCopierTest : public testing::Test {
protected:
    InnodbCopierTest() {
        put("ibdata1", kSystemSpace, std::size_t{1} << 20);
        put("db/a.ibd", SpaceId{11}, test::kTinyTableSize);
        put("db/b.ibd", SpaceId{12}, test::kTinyTableSize);
    }

    void put(const std::string& path, SpaceId id, std::size_t size) {
        server_.put(path, test::tiny_tablespace(id, size));
    }

    InnodbCopier& copier(bool continue_on_damage = false) {
        auto layout = space::find_layout(datadir_, test::tiny_options().layout, true);
        EXPECT_TRUE(layout) << layout.error().to_string();
        layout_ = std::move(*layout);
        copier_.emplace(datadir_, layout_, target_,
                        InnodbCopierOptions{
                            .threads = 1, .continue_on_damage = continue_on_damage, .check = {}});
        return *copier_;
    }

    void copy_all(bool continue_on_damage = false) {
        const auto status = copier(continue_on_damage).copy_all();
        ASSERT_TRUE(status) << status.error().to_string();
    }

    static FileEvent event(RecordType type, std::string name, std::string new_name = {}) {
        return {
            .type = type, .lsn = Lsn{1}, .name = std::move(name), .new_name = std::move(new_name)};
    }

    std::vector<std::string> copied() {
        std::vector<std::string> names;
        for (const auto& [path, file] : target_.files()) {
            names.push_back(path);
        }
        return names;
    }
    SpaceId space_of(const std::string& path) { return target_.files().at(path).space.value(); }

    io::MemoryDirectory server_;
    MeddlingDirectory datadir_{server_};
    io::MemoryDirectory backup_;
    Target target_{backup_, nullptr, nullptr};
    space::Layout layout_;
    std::optional<InnodbCopier> copier_;
};

TEST_F(InnodbCopierTest, CopiesEveryTablespaceAsItIs) {
    copy_all();
    ASSERT_TRUE(copier_->settle({}));
    EXPECT_THAT(copied(), testing::ElementsAre("db/a.ibd", "db/b.ibd", "ibdata1"));
    for (const std::string& path : copied()) {
        EXPECT_EQ(*backup_.find(path), *server_.find(path)) << path;
    }
    EXPECT_EQ(space_of("db/a.ibd"), SpaceId{11});
    EXPECT_EQ(target_.files().at("db/a.ibd").pages, test::kTinyPages);
    EXPECT_EQ(target_.files().at("db/a.ibd").lsn, Lsn{20000});
    EXPECT_EQ(copier_->pages_read_again(), 0);
}

// I1
TEST_F(InnodbCopierTest, APageCaughtHalfWrittenIsReadAgain) {
    int reads = 0;
    datadir_.meddle = [&](const std::string& path, std::uint64_t offset,
                          std::span<std::byte> bytes) {
        const std::uint64_t at = kTinyPageSize + 100;
        if (path == "db/b.ibd" && offset <= at && at < offset + bytes.size() && ++reads <= 3) {
            bytes[at - offset] ^= std::byte{1};
        }
    };
    copy_all();
    EXPECT_EQ(*backup_.find("db/b.ibd"), *server_.find("db/b.ibd"));
    EXPECT_GE(copier_->pages_read_again(), 1);
    EXPECT_TRUE(copier_->damaged().empty());
}

TEST_F(InnodbCopierTest, APageThatStaysBadEndsTheCopyWithItsTable) {
    (*server_.find("db/b.ibd"))[kTinyPageSize + 100] ^= std::byte{1};
    const auto status = copier().copy_all();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
    EXPECT_EQ(status.error().page(), PageNo{1});
    EXPECT_EQ(status.error().space(), SpaceId{12});
    EXPECT_THAT(status.error().to_string(), HasSubstr("table db/b"));
}

TEST_F(InnodbCopierTest, ContinuesOnDamageAndListsIt) {
    (*server_.find("db/b.ibd"))[kTinyPageSize + 100] ^= std::byte{1};
    copy_all(true);
    ASSERT_TRUE(copier_->settle({}));
    ASSERT_EQ(copier_->damaged().size(), 1);
    EXPECT_EQ(copier_->damaged()[0].file, "db/b.ibd");
    EXPECT_EQ(copier_->damaged()[0].page, PageNo{1});
    EXPECT_EQ(*backup_.find("db/b.ibd"), *server_.find("db/b.ibd"));
}

// I2
TEST_F(InnodbCopierTest, NamesThatWereSwappedAreSwapped) {
    copy_all();
    const FileEvents events{
        {SpaceId{11},
         {event(RecordType::FileRename, "./db/a.ibd", "./db/tmp.ibd"),
          event(RecordType::FileRename, "./db/tmp.ibd", "./db/b.ibd")}},
        {SpaceId{12}, {event(RecordType::FileRename, "./db/b.ibd", "./db/a.ibd")}}};
    const auto status = copier_->settle(events);
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(space_of("db/a.ibd"), SpaceId{12});
    EXPECT_EQ(space_of("db/b.ibd"), SpaceId{11});
    EXPECT_THAT(copied(), testing::ElementsAre("db/a.ibd", "db/b.ibd", "ibdata1"));
}

TEST_F(InnodbCopierTest, ATableMadeAnewUnderItsNameReplacesTheCopy) {
    copy_all();
    put("db/a.ibd", SpaceId{20}, test::kTinyTableSize);
    const FileEvents events{
        {SpaceId{11},
         {event(RecordType::FileRename, "./db/a.ibd", "./db/#sql-backup-1-2.ibd"),
          event(RecordType::FileDelete, "./db/#sql-backup-1-2.ibd")}},
        {SpaceId{20},
         {event(RecordType::FileCreate, "./db/#sql-alter-1-2.ibd"),
          event(RecordType::FileRename, "./db/#sql-alter-1-2.ibd", "./db/a.ibd")}}};
    const auto found = copier_->copy_new(events);
    ASSERT_TRUE(found) << found.error().to_string();
    EXPECT_EQ(*found, 1);
    ASSERT_TRUE(copier_->settle(events));
    EXPECT_EQ(space_of("db/a.ibd"), SpaceId{20});
    EXPECT_THAT(copied(), testing::ElementsAre("db/a.ibd", "db/b.ibd", "ibdata1"));
}

TEST_F(InnodbCopierTest, ATableDroppedBeforeItsTurnIsNotMissed) {
    InnodbCopier& copier = this->copier();
    ASSERT_TRUE(server_.unlink("db/b.ibd"));
    const auto status = copier.copy_all();
    ASSERT_TRUE(status) << status.error().to_string();
    ASSERT_TRUE(copier.settle({{SpaceId{12}, {event(RecordType::FileDelete, "./db/b.ibd")}}}));
    EXPECT_THAT(copied(), testing::ElementsAre("db/a.ibd", "ibdata1"));
}

TEST_F(InnodbCopierTest, ATableRenamedBetweenTwoLooksIsCopiedOnce) {
    // Listed under both names; when the second has its turn the first is gone.
    put("db/c.ibd", SpaceId{11}, test::kTinyTableSize);
    InnodbCopier& copier = this->copier();
    datadir_.meddle = [&](const std::string& path, std::uint64_t, std::span<std::byte>) {
        if (path == "db/b.ibd" && server_.find("db/a.ibd") != nullptr) {
            ASSERT_TRUE(server_.unlink("db/a.ibd"));
        }
    };
    ASSERT_TRUE(copier.copy_all());
    ASSERT_TRUE(copier.settle(
        {{SpaceId{11}, {event(RecordType::FileRename, "./db/a.ibd", "./db/c.ibd")}}}));
    EXPECT_THAT(copied(), testing::ElementsAre("db/b.ibd", "db/c.ibd", "ibdata1"));
    EXPECT_TRUE(copier.notes().empty());
}

TEST_F(InnodbCopierTest, TwoFilesWithOneSpaceIdAreBothKept) {
    put("db/c.ibd", SpaceId{11}, test::kTinyTableSize);
    copy_all();
    ASSERT_TRUE(copier_->settle({}));
    EXPECT_THAT(copied(), testing::ElementsAre("db/a.ibd", "db/b.ibd", "db/c.ibd", "ibdata1"));
    EXPECT_THAT(copier_->notes(), testing::ElementsAre(HasSubstr("same space id 11")));
}

TEST_F(InnodbCopierTest, ATableTooYoungToHaveAPageZeroComesWithTheRedo) {
    server_.put("db/young.ibd", Bytes(test::kTinyTableSize));
    copy_all();
    EXPECT_FALSE(target_.has("db/young.ibd"));
    const FileEvents events{{SpaceId{30}, {event(RecordType::FileCreate, "./db/young.ibd")}}};
    ASSERT_EQ(*copier_->copy_new(events), 0);
    const auto status = copier_->settle(events);
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_TRUE(target_.has("db/young.ibd"));
}

TEST_F(InnodbCopierTest, AForeignFileUnderALoggedNameIsRefused) {
    put("db/n.ibd", SpaceId{31}, test::kTinyTableSize);
    InnodbCopier& copier = this->copier();
    ASSERT_TRUE(server_.unlink("db/n.ibd"));  // not there when all are copied
    ASSERT_TRUE(copier.copy_all());
    put("db/n.ibd", SpaceId{31}, test::kTinyTableSize);
    const auto status =
        copier.settle({{SpaceId{32}, {event(RecordType::FileCreate, "./db/n.ibd")}}});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Refused);
}

TEST_F(InnodbCopierTest, IntermediateTablesAreLeftOut) {
    put("db/#sql-alter-1-2.ibd", SpaceId{40}, test::kTinyTableSize);
    copy_all();
    const FileEvents events{
        {SpaceId{40}, {event(RecordType::FileCreate, "./db/#sql-alter-1-2.ibd")}}};
    ASSERT_TRUE(copier_->settle(events));
    EXPECT_THAT(copied(), testing::ElementsAre("db/a.ibd", "db/b.ibd", "ibdata1"));
}

TEST_F(InnodbCopierTest, AFileThatShrinksIsNoTable) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;  // what is read at a time
    put("db/b.ibd", SpaceId{12}, 3 * kMebibyte);
    datadir_.meddle = [&](const std::string& path, std::uint64_t, std::span<std::byte> bytes) {
        if (path == "db/b.ibd" && bytes.size() == kMebibyte) {
            server_.find("db/b.ibd")->resize(kMebibyte);
        }
    };
    const auto status = copier().copy_all();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Io);
    EXPECT_THAT(status.error().message(), HasSubstr("became shorter"));
}

TEST(TableOfLoggedName, TakesTheLastTwoParts) {
    EXPECT_EQ(table_of_logged_name("./db/t.ibd"), "db/t");
    EXPECT_EQ(table_of_logged_name("/elsewhere/db/t#P#p0.ibd"), "db/t#P#p0");
    EXPECT_EQ(table_of_logged_name("db/t.ibd"), "db/t");
    EXPECT_EQ(table_of_logged_name("./undo001"), "");
    EXPECT_EQ(table_of_logged_name("./t.ibd"), "");
    EXPECT_EQ(table_of_logged_name("t.ibd"), "");
    EXPECT_EQ(table_of_logged_name("./db/.ibd"), "");
    EXPECT_EQ(table_of_logged_name(""), "");
}

}  // namespace
}  // namespace redoubt::backup
