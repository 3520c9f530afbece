#include "io/posix_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "io/aligned_bytes.h"
#include "io/recording_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::io {
namespace {

using ::testing::ElementsAre;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

class PosixDirectoryTest : public ::testing::Test {
protected:
    PosixDirectoryTest() : directory_(std::move(*open_posix_directory(temporary_.path()))) {}
    test::TemporaryDirectory temporary_;
    std::unique_ptr<Directory> directory_;
};

TEST_F(PosixDirectoryTest, WritesReadsAndLists) {
    ASSERT_TRUE(directory_->make_directory("a/b"));
    auto file = directory_->open("a/b/f", OpenMode::CreateExclusive);
    ASSERT_TRUE(file) << file.error().to_string();
    ASSERT_TRUE((*file)->write_at(3, bytes_of("xyz")));
    ASSERT_TRUE((*file)->sync());
    EXPECT_EQ((*file)->info()->size, 6U);
    std::string buffer(10, '?');
    EXPECT_EQ(*(*file)->read_at(0, std::as_writable_bytes(std::span(buffer))), 6U);
    EXPECT_EQ(buffer.substr(0, 6), std::string("\0\0\0xyz", 6));
    EXPECT_THAT(*directory_->list("a"), ElementsAre("b"));
    ASSERT_TRUE(directory_->rename("a/b/f", "a/g"));
    EXPECT_TRUE(directory_->exists("a/g"));
    EXPECT_FALSE(directory_->exists("a/b/f"));
    ASSERT_TRUE(directory_->sync_directory("a"));
}

TEST_F(PosixDirectoryTest, ReadsPastTheCacheAsThroughIt) {
    std::string text;
    for (int i = 0; i < 5000; ++i) {
        text += fmt::format("{} ", i);
    }
    auto file = std::move(*directory_->open("f", OpenMode::CreateExclusive));
    ASSERT_TRUE(file->write_at(0, bytes_of(text)));
    struct Range {
        std::size_t offset;
        std::size_t size;
    };
    for (const auto& [offset, size] :
         {Range{0, 4096}, Range{1, 1}, Range{4095, 2}, Range{100, 9000}, Range{text.size() - 5, 5},
          Range{0, text.size()}}) {
        std::string buffer(size, '?');
        const Status read =
            file->read_newest_exactly(offset, std::as_writable_bytes(std::span(buffer)));
        ASSERT_TRUE(read) << read.error().to_string();
        EXPECT_EQ(buffer, text.substr(offset, size)) << offset << "+" << size;
    }
    const AlignedBytes aligned(8192);
    EXPECT_EQ(*file->read_newest_at(20480, aligned.bytes()), text.size() - 20480);
    EXPECT_EQ(*file->read_newest_at(text.size(), aligned.bytes()), 0U);
    EXPECT_EQ(*file->read_newest_at(text.size() + 9000, aligned.bytes().first(7)), 0U);
    EXPECT_EQ(file->read_newest_exactly(text.size() - 1, aligned.bytes().first(2)).error().code(),
              ErrorCode::Corruption);
}

TEST_F(PosixDirectoryTest, NamesTheFileAndTheKindOfError) {
    auto missing = directory_->open("no/such", OpenMode::ReadOnly);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::NotFound);
    EXPECT_EQ(missing.error().file(), temporary_.path() + "/no/such");
    ASSERT_TRUE(directory_->open("f", OpenMode::CreateExclusive));
    EXPECT_EQ(directory_->open("f", OpenMode::CreateExclusive).error().code(), ErrorCode::Refused);
}

TEST_F(PosixDirectoryTest, AShortFileIsNamedAsSuch) {
    auto file = directory_->open("f", OpenMode::CreateExclusive);
    ASSERT_TRUE((*file)->write_at(0, bytes_of("12345")));
    std::string buffer(8, '?');
    const Status status = (*file)->read_exactly(2, std::as_writable_bytes(std::span(buffer)));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
}

TEST_F(PosixDirectoryTest, TheRecorderNotesOperationsInOrder) {
    auto log = std::make_shared<OperationLog>();
    auto recorder = record_operations(*directory_, log);
    auto file = recorder->open("f", OpenMode::CreateExclusive);
    ASSERT_TRUE((*file)->write_at(512, bytes_of("x")));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE(recorder->rename("f", "g"));
    ASSERT_TRUE(recorder->sync_directory(""));
    std::vector<std::string> texts;
    for (const Operation& operation : log->operations()) {
        texts.push_back(operation.to_string());
    }
    EXPECT_THAT(
        texts, ElementsAre("create f", "write f 512+1", "sync f", "rename f g", "sync_directory "));
}

}  // namespace
}  // namespace redoubt::io
