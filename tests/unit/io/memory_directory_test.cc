#include "io/memory_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace redoubt::io {
namespace {

using testing::ElementsAre;

MemoryDirectory::Bytes bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

TEST(MemoryDirectory, ReadsBackWhatWasWrittenAndFillsTheGapWithZeros) {
    MemoryDirectory directory;
    auto file = directory.open("a.ibd", OpenMode::CreateExclusive);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write_at(3, bytes_of("xyz")));
    EXPECT_EQ(*directory.read_text("a.ibd", 100), std::string("\0\0\0xyz", 6));
    std::array<std::byte, 4> tail{};
    EXPECT_EQ(*(*file)->read_at(4, tail), 2U);
    EXPECT_EQ(*(*file)->read_at(6, tail), 0U);
}

TEST(MemoryDirectory, TellsMissingFromExisting) {
    MemoryDirectory directory;
    EXPECT_EQ(directory.open("a", OpenMode::ReadOnly).error().code(), ErrorCode::NotFound);
    EXPECT_EQ(directory.open("d/a", OpenMode::CreateExclusive).error().code(), ErrorCode::NotFound);
    directory.put("d/a", bytes_of("1"));
    EXPECT_EQ(directory.open("d/a", OpenMode::CreateExclusive).error().code(), ErrorCode::Refused);
    EXPECT_TRUE(directory.info("d")->is_directory);
    EXPECT_TRUE(directory.info("d/a")->is_regular);
}

TEST(MemoryDirectory, ListsTheEntriesOfOneDirectorySorted) {
    MemoryDirectory directory;
    directory.put("d/b.ibd", {});
    directory.put("d/a.ibd", {});
    directory.put("d/e/c.ibd", {});
    directory.put("top", {});
    EXPECT_THAT(*directory.list(""), ElementsAre("d", "top"));
    EXPECT_THAT(*directory.list("d"), ElementsAre("a.ibd", "b.ibd", "e"));
    EXPECT_EQ(directory.list("none").error().code(), ErrorCode::NotFound);
}

TEST(MemoryDirectory, RenameReplacesTheTargetAndAnOpenFileOutlivesUnlink) {
    MemoryDirectory directory;
    directory.put("a", bytes_of("new"));
    directory.put("b", bytes_of("old"));
    ASSERT_TRUE(directory.rename("a", "b"));
    EXPECT_FALSE(directory.exists("a"));
    EXPECT_EQ(*directory.read_text("b", 10), "new");
    auto file = directory.open("b", OpenMode::ReadOnly);
    ASSERT_TRUE(file);
    ASSERT_TRUE(directory.unlink("b"));
    EXPECT_EQ((*file)->info()->size, 3U);
    EXPECT_EQ((*file)->write_at(0, bytes_of("x")).error().code(), ErrorCode::Io);
}

}  // namespace
}  // namespace redoubt::io
