#include "io/bounded_directory.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "io/memory_directory.h"
#include "unit/io/watched_directory.h"

namespace redoubt::io {
namespace {

class BoundedDirectoryTest : public testing::Test {
protected:
    static constexpr std::size_t kFiles = 9;

    std::unique_ptr<File> open(const std::string& path) {
        if (memory_.find(path) == nullptr) {
            memory_.put(path, MemoryDirectory::Bytes(8));
        }
        return std::move(directory_.open(path, OpenMode::ReadWrite)).value();
    }
    static void write(File& file, int value) {
        const std::array bytes{static_cast<std::byte>(value)};
        ASSERT_TRUE(file.write_at(0, bytes));
    }
    static int read(File& file) {
        std::array<std::byte, 1> bytes{};
        const auto got = file.read_at(0, bytes);
        return got ? std::to_integer<int>(bytes[0]) : -1;
    }
    /// Has every other file closed.
    void use_others() {
        for (const char* path : {"x", "y", "z"}) {
            const auto other = open(path);
            EXPECT_EQ(read(*other), 0);
            others_.push_back(open(path));
            EXPECT_EQ(read(*others_.back()), 0);
        }
    }

    MemoryDirectory memory_;
    test::WatchedDirectory watched_{memory_};
    BoundedDirectory directory_{watched_, 2};
    std::vector<std::unique_ptr<File>> others_;
};

TEST_F(BoundedDirectoryTest, FewAreOpenAndEachKeepsItsBytes) {
    std::vector<std::unique_ptr<File>> files;
    files.reserve(kFiles);
    for (std::size_t i = 0; i < kFiles; ++i) {
        files.push_back(open(fmt::format("f{}", i)));
    }
    for (int round = 1; round < 3; ++round) {
        int value = 10 * round;
        for (const auto& file : files) {
            write(*file, value++);
        }
        for (auto file = files.rbegin(); file != files.rend(); ++file) {
            EXPECT_EQ(read(**file), --value);
        }
    }
    EXPECT_EQ(watched_.open_most(), 2);
    files.clear();
    EXPECT_EQ(watched_.open_now(), 0);
}

TEST_F(BoundedDirectoryTest, WhatWasWrittenIsSyncedBeforeAFileIsClosed) {
    const auto written = open("a");
    const auto only_read = open("b");
    write(*written, 1);
    EXPECT_EQ(read(*only_read), 0);
    use_others();
    EXPECT_EQ(watched_.synced(), std::vector<std::string>{"a"});
    ASSERT_TRUE(only_read->sync()) << "what others wrote is to be durable, too";
    EXPECT_EQ(watched_.synced(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(BoundedDirectoryTest, AFailedSyncIsToldOfAtOnceAndForGood) {
    const auto written = open("a");
    write(*written, 1);
    watched_.fail_next_sync("a");
    const auto second = open("b");
    const auto third = directory_.open("b", OpenMode::ReadOnly);
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().code(), ErrorCode::Io);
    EXPECT_EQ(third.error().file(), "a");
    EXPECT_FALSE(written->sync());
    EXPECT_FALSE(written->sync());
    std::array<std::byte, 1> bytes{};
    EXPECT_FALSE(written->read_at(0, bytes));
    EXPECT_EQ(read(*second), 0);
}

TEST_F(BoundedDirectoryTest, FilesFollowTheirRename) {
    const auto renamed = open("a");
    write(*renamed, 1);
    use_others();
    ASSERT_TRUE(directory_.rename("a", "b"));
    EXPECT_EQ(read(*renamed), 1);
    use_others();
    EXPECT_EQ(read(*renamed), 1);
    write(*renamed, 2);
    EXPECT_EQ(std::to_integer<int>(memory_.find("b")->front()), 2);
}

TEST_F(BoundedDirectoryTest, WhatIsDeletedOrReplacedStaysReadable) {
    const auto deleted = open("a");
    write(*deleted, 1);
    const auto replaced = open("b");
    write(*replaced, 2);
    const auto other = open("c");
    write(*other, 3);
    use_others();
    ASSERT_TRUE(directory_.unlink("a"));
    ASSERT_TRUE(directory_.rename("c", "b"));
    use_others();
    EXPECT_EQ(read(*deleted), 1);
    EXPECT_EQ(read(*replaced), 2);
    EXPECT_EQ(read(*other), 3);
}

TEST_F(BoundedDirectoryTest, ALockedFileStaysOpen) {
    const auto locked = open("a");
    use_others();
    ASSERT_TRUE(locked->lock_exclusive());
    use_others();
    memory_.put("a", MemoryDirectory::Bytes(8, std::byte{7}));  // another file of that name
    EXPECT_EQ(read(*locked), 0);
}

TEST_F(BoundedDirectoryTest, WhatIsCreatedIsOpenedAgainAsItIs) {
    const auto created = std::move(directory_.open("new", OpenMode::CreateExclusive)).value();
    write(*created, 5);
    use_others();
    EXPECT_EQ(read(*created), 5);
}

TEST_F(BoundedDirectoryTest, ThreadsMayShareIt) {
    constexpr std::size_t kThreads = 3;
    std::vector<std::unique_ptr<File>> files;
    files.reserve(kFiles);
    for (std::size_t i = 0; i < kFiles; ++i) {
        files.push_back(open(fmt::format("f{}", i)));
        write(*files.back(), static_cast<int>(i));
        ASSERT_TRUE(files.back()->sync());
    }
    {
        std::vector<std::jthread> threads;
        threads.reserve(kThreads);
        for (std::size_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&, thread]() {
                for (std::size_t i = 0; i < 2000; ++i) {
                    const std::size_t number = (i * (thread + 1)) % kFiles;
                    EXPECT_EQ(read(*files[number]), static_cast<int>(number));
                }
            });
        }
    }
    EXPECT_LE(watched_.open_most(), 2 + kThreads) << "one more for each thread at work";
}

}  // namespace
}  // namespace redoubt::io
