#include "recovery/journal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/posix_directory.h"
#include "io/recording_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::recovery {
namespace {

constexpr JournalIdentity kIdentity{Lsn{50000}, Lsn{90000}};

std::vector<std::byte> image(unsigned fill, std::size_t size = 16384) {
    return std::vector<std::byte>(size, static_cast<std::byte>(fill));
}
PageId page(std::uint32_t number) { return {SpaceId{7}, PageNo{number}}; }

class JournalTest : public ::testing::Test {
protected:
    JournalTest() : directory_(std::move(*io::open_posix_directory(temporary_.path()))) {}

    void write_two_blocks() {
        auto journal = Journal::create(*directory_, kIdentity);
        ASSERT_TRUE(journal) << journal.error().to_string();
        const auto a = image(1);
        const auto b = image(2, 4096);
        const auto c = image(3);
        ASSERT_TRUE((*journal)->append(std::vector<JournalEntry>{{page(1), a}, {page(2), b}}));
        ASSERT_TRUE((*journal)->append(std::vector<JournalEntry>{{page(3), c}}));
    }
    void change_byte(std::uint64_t offset) {
        auto file = directory_->open(Journal::kFileName, io::OpenMode::ReadWrite);
        std::array<std::byte, 1> byte{};
        ASSERT_TRUE((*file)->read_exactly(offset, byte));
        byte[0] ^= std::byte{0x10};
        ASSERT_TRUE((*file)->write_at(offset, byte));
    }
    std::unique_ptr<Journal> open(const JournalIdentity& identity = kIdentity) {
        auto journal = Journal::open(*directory_, identity);
        EXPECT_TRUE(journal);
        return std::move(*journal);
    }

    test::TemporaryDirectory temporary_;
    std::unique_ptr<io::Directory> directory_;
};

TEST_F(JournalTest, GivesBackWhatWasAppended) {
    write_two_blocks();
    const auto journal = open();
    ASSERT_TRUE(journal);
    EXPECT_EQ(journal->pages(), (std::vector<PageId>{page(1), page(2), page(3)}));
    std::vector<std::byte> buffer(16384);
    ASSERT_TRUE(*journal->read(page(3), buffer));
    EXPECT_EQ(buffer, image(3));
    std::vector<std::byte> small(4096);
    ASSERT_TRUE(*journal->read(page(2), small));
    EXPECT_EQ(small, image(2, 4096));
    EXPECT_FALSE(*journal->read(page(9), buffer));
}

TEST_F(JournalTest, OfAnotherRecoveryIsNotUsed) {  // J3
    write_two_blocks();
    EXPECT_FALSE(open({kIdentity.checkpoint, Lsn{90001}}));
    EXPECT_FALSE(open({Lsn{50001}, kIdentity.end}));
}

TEST_F(JournalTest, ABlockThatNeverBecameDurableEndsIt) {
    write_two_blocks();
    change_byte(24576 +
                100);  // in the second block: the first has 20552 bytes, rounded up to 24576
    const auto journal = open();
    ASSERT_TRUE(journal);
    EXPECT_EQ(journal->pages(), (std::vector<PageId>{page(1), page(2)}));
    change_byte(60);
    EXPECT_FALSE(open());
}

TEST_F(JournalTest, IsAbsentWhenThereIsNone) { EXPECT_FALSE(open()); }

TEST_F(JournalTest, SyncsEveryAppendAndItsOwnName) {  // J1
    auto log = std::make_shared<io::OperationLog>();
    auto recorder = io::record_operations(*directory_, log);
    auto journal = Journal::create(*recorder, kIdentity);
    ASSERT_TRUE(journal);
    const auto a = image(1);
    ASSERT_TRUE((*journal)->append(std::vector<JournalEntry>{{page(1), a}}));
    const auto operations = log->operations();
    ASSERT_FALSE(operations.empty());
    EXPECT_EQ(operations.back().kind, io::OperationKind::Sync);
    EXPECT_TRUE(std::any_of(operations.begin(), operations.end(), [](const io::Operation& o) {
        return o.kind == io::OperationKind::SyncDirectory;
    }));
}

TEST_F(JournalTest, ResetForgetsAll) {
    auto journal = Journal::create(*directory_, kIdentity);
    const auto a = image(1);
    ASSERT_TRUE((*journal)->append(std::vector<JournalEntry>{{page(1), a}}));
    EXPECT_GT((*journal)->size(), 16384U);
    ASSERT_TRUE((*journal)->reset());
    EXPECT_EQ((*journal)->size(), 0U);
    EXPECT_FALSE(open());
}

}  // namespace
}  // namespace redoubt::recovery
