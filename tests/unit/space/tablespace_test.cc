#include "space/tablespace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/big_endian.h"
#include "io/posix_directory.h"
#include "page/header.h"
#include "unit/temporary_directory.h"

namespace redoubt::space {
namespace {

using page::TablespaceFlags;
using testing::HasSubstr;

constexpr std::uint32_t kFull16k = 0x15;
constexpr std::uint32_t kPageSize = 16384;

std::vector<std::byte> first_page(std::uint32_t space, std::uint32_t raw_flags,
                                  std::uint32_t size) {
    const TablespaceFlags flags = TablespaceFlags::decode(raw_flags).value();
    std::vector<std::byte> page(flags.physical_page_size);
    page::initialise(page, {SpaceId{space}, PageNo{0}});
    page::Header::Type::set(std::span(page), std::uint16_t{8});
    page::Header::PageLsn::set(std::span(page), std::uint64_t{4711});
    store_be<std::uint32_t>(page.data() + 38, space);
    store_be<std::uint32_t>(page.data() + 46, size);
    store_be<std::uint32_t>(page.data() + 50, 64);
    store_be<std::uint32_t>(page.data() + 54, raw_flags);
    page::seal(page, flags);
    return page;
}

FirstPageProblem problem_of(std::vector<std::byte> page, std::uint32_t expected_page_size = 0) {
    const auto header = parse_first_page(page, expected_page_size, page::Strictness::AnyKnown);
    EXPECT_FALSE(header);
    EXPECT_FALSE(header.error().error.message().empty());
    return header.error().problem;
}

TEST(FirstPage, ReadsTheHeaderOfEveryFormat) {
    for (const std::uint32_t flags : {0x13U, 0x15U, 0x17U, 0x35U, 0U, 33U, 37U, 0x10021U}) {
        std::vector<std::byte> page = first_page(9, flags, 704);
        page.resize(65536, std::byte{0x5A});  // what follows in the file
        const auto header = parse_first_page(page, 0, page::Strictness::AnyKnown);
        ASSERT_TRUE(header) << header.error().error.to_string();
        EXPECT_EQ(header->id, SpaceId{9});
        EXPECT_EQ(header->flags.encode(), flags);
        EXPECT_EQ(header->size, 704U);
        EXPECT_EQ(header->free_limit, 64U);
        EXPECT_EQ(header->lsn, Lsn{4711});
        EXPECT_FALSE(header->crypt);
    }
}

TEST(FirstPage, ReadsTheEncryptionMetadata) {
    const TablespaceFlags flags = TablespaceFlags::decode(kFull16k).value();
    std::vector<std::byte> page = first_page(9, kFull16k, 704);
    crypt::CryptData crypt;
    crypt.scheme = crypt::CryptData::Scheme::One;
    crypt.key_id = 5;
    crypt.encode(std::span(page).subspan(10428).first<crypt::CryptData::kSize>());
    page::seal(page, flags);
    const auto header = parse_first_page(page, kPageSize, page::Strictness::AnyKnown);
    ASSERT_TRUE(header);
    ASSERT_TRUE(header->crypt);
    EXPECT_EQ(header->crypt->key_id, 5U);
}

TEST(FirstPage, TellsWhyAPageCannotBeUsed) {
    const std::vector<std::byte> good = first_page(9, kFull16k, 704);
    const auto with = [&good](std::size_t at, std::uint32_t value) {
        std::vector<std::byte> page = good;
        store_be(page.data() + at, value);
        return page;
    };
    EXPECT_EQ(problem_of({}), FirstPageProblem::Short);
    EXPECT_EQ(problem_of({good.begin(), good.begin() + 8192}), FirstPageProblem::Short);
    EXPECT_EQ(problem_of(std::vector<std::byte>(kPageSize)), FirstPageProblem::AllZero);
    EXPECT_EQ(problem_of(std::vector<std::byte>(4096)), FirstPageProblem::AllZero);
    // KEY_BLOCK_SIZE=2 in a server with pages of 4096: page 1 was written first.
    std::vector<std::byte> second_first(kPageSize);
    second_first[2048 + 7] = std::byte{1};
    EXPECT_EQ(problem_of(second_first, 4096), FirstPageProblem::AllZero);
    EXPECT_EQ(problem_of(with(54, 0x10)), FirstPageProblem::BadFlags);
    EXPECT_EQ(problem_of(good, 4096), FirstPageProblem::WrongPageSize);
    EXPECT_EQ(problem_of(with(4, 1)), FirstPageProblem::WrongPageNumber);
    EXPECT_EQ(problem_of(with(34, 0xFFFFFFFE)), FirstPageProblem::BadSpaceId);
    EXPECT_EQ(problem_of(with(38, 8)), FirstPageProblem::SpaceIdsDiffer);
    EXPECT_EQ(problem_of(with(200, 8)), FirstPageProblem::BadChecksum);
    EXPECT_EQ(problem_of(with(24, 0x80010000)), FirstPageProblem::BadChecksum);
}

TEST(FirstPage, GarbageIsNotTakenForAnotherServersFormat) {
    constexpr std::uint32_t kMySql57Encrypted = 0x318B2DE2U;
    std::vector<std::byte> page = first_page(9, kFull16k, 704);
    store_be(page.data() + 54, kMySql57Encrypted);
    const auto foreign = parse_first_page(page, 0, page::Strictness::AnyKnown);
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().error.code(), ErrorCode::Unsupported);
    store_be(page.data() + 34, 0x5A5A5A5AU);
    const auto garbage = parse_first_page(page, 0, page::Strictness::AnyKnown);
    ASSERT_FALSE(garbage);
    EXPECT_EQ(garbage.error().error.code(), ErrorCode::Corruption);
}

TEST(FirstPage, OfZerosWithAWrongBitIsNotTheSystemTablespaces) {
    std::vector<std::byte> zeros(page::kPageSizeMax);
    for (std::size_t at = 0; at < kPageSize; ++at) {
        zeros[at] = std::byte{4};
        EXPECT_FALSE(parse_first_page(zeros, kPageSize, page::Strictness::AnyKnown)) << at;
        zeros[at] = std::byte{0};
    }
}

class TablespaceTest : public testing::Test {
protected:
    void SetUp() override {
        auto opened = io::open_posix_directory(temporary_.path());
        ASSERT_TRUE(opened);
        directory_ = *std::move(opened);
    }
    void write(const std::string& path, std::span<const std::byte> bytes, std::uint64_t size) {
        const std::string full = temporary_.path() + "/" + path;
        std::ofstream out(full, std::ios::binary);
        for (const std::byte b : bytes) {
            out.put(static_cast<char>(b));
        }
        out.close();
        std::filesystem::resize_file(full, size);
    }
    Result<std::unique_ptr<Tablespace>> open(const std::vector<std::string>& paths,
                                             const std::string& name = "db/t",
                                             std::optional<SpaceId> id = std::nullopt) {
        return Tablespace::open(*directory_, paths, io::OpenMode::ReadWrite, name, kPageSize, id);
    }

    test::TemporaryDirectory temporary_;
    std::unique_ptr<io::Directory> directory_;
};

std::vector<std::byte> filled(std::size_t pages, unsigned value) {
    return std::vector<std::byte>(pages * kPageSize, static_cast<std::byte>(value));
}

TEST_F(TablespaceTest, ReadsAndWritesOneFile) {
    write("t.ibd", first_page(9, kFull16k, 7), 7 * kPageSize + 100);
    auto space = open({"t.ibd"}, "db/t", SpaceId{9});
    ASSERT_TRUE(space) << space.error().to_string();
    EXPECT_EQ((*space)->page_count().value(), 7U);
    ASSERT_TRUE((*space)->write_raw(PageNo{5}, filled(1, 5)));
    std::vector<std::byte> buffer(4 * kPageSize);
    EXPECT_EQ((*space)->read_raw(PageNo{4}, 4, buffer).value(), 3U);
    EXPECT_EQ(buffer[kPageSize], std::byte{5});
    EXPECT_EQ((*space)->read_raw(PageNo{8}, 4, buffer).value(), 0U);
    ASSERT_TRUE((*space)->extend(10));
    EXPECT_EQ((*space)->page_count().value(), 10U);
    ASSERT_TRUE((*space)->extend(3));
    EXPECT_EQ((*space)->page_count().value(), 10U);
    ASSERT_TRUE((*space)->truncate(6));
    EXPECT_EQ((*space)->page_count().value(), 6U);
    EXPECT_TRUE((*space)->sync());
}

TEST_F(TablespaceTest, SeveralFilesAreOneSequenceOfPages) {
    constexpr std::uint64_t kMib = 1 << 20;
    constexpr std::uint32_t kPages = kMib / kPageSize;
    write("ibdata1", first_page(0, kFull16k, 3 * kPages), 2 * kMib + 5000);  // last MiB incomplete
    write("ibdata2", {}, kMib + kPageSize);
    auto space = open({"ibdata1", "ibdata2"}, "innodb_system");
    ASSERT_TRUE(space) << space.error().to_string();
    EXPECT_EQ((*space)->page_count().value(), 3 * kPages);
    std::vector<std::byte> data = filled(1, 1);
    const std::vector<std::byte> second = filled(1, 2);
    data.insert(data.end(), second.begin(), second.end());
    ASSERT_TRUE((*space)->write_raw(PageNo{2 * kPages - 1}, data));
    std::vector<std::byte> buffer(2 * kPageSize);
    EXPECT_EQ((*space)->read_raw(PageNo{2 * kPages - 1}, 2, buffer).value(), 2U);
    EXPECT_EQ(buffer, data);
    auto file = directory_->open("ibdata2", io::OpenMode::ReadOnly);
    std::vector<std::byte> page(kPageSize);
    ASSERT_TRUE((*file)->read_exactly(0, page));
    EXPECT_EQ(page, second);
    EXPECT_EQ((*space)->read_raw(PageNo{3 * kPages - 1}, 2, buffer).value(), 1U);
    ASSERT_TRUE((*space)->extend(4 * kPages));
    EXPECT_EQ((*space)->page_count().value(), 4 * kPages);
    EXPECT_EQ(directory_->info("ibdata2")->size, 2 * kMib);
    EXPECT_FALSE((*space)->truncate(kPages));
    EXPECT_EQ((*space)->files().size(), 2U);
}

TEST_F(TablespaceTest, RefusesTheFileOfAnotherSpace) {
    write("t.ibd", first_page(9, kFull16k, 7), 7 * kPageSize);
    const auto space = open({"t.ibd"}, "db/t", SpaceId{8});
    ASSERT_FALSE(space);
    EXPECT_EQ(space.error().code(), ErrorCode::Refused);
    EXPECT_THAT(space.error().to_string(), HasSubstr("t.ibd"));
}

TEST_F(TablespaceTest, AFileOfLessThanFourPagesIsDamaged) {
    write("t.ibd", first_page(9, kFull16k, 4), 3 * kPageSize);
    const auto space = open({"t.ibd"});
    ASSERT_FALSE(space);
    EXPECT_EQ(space.error().code(), ErrorCode::Corruption);
}

TEST_F(TablespaceTest, OpensTheSystemTablespaceOfALayout) {
    write("ibdata1", first_page(0, kFull16k, 768), 12 << 20);
    const auto layout = find_fixed_layout(*directory_, {}, false);
    ASSERT_TRUE(layout);
    const auto space = open_system_tablespace(*directory_, *layout, io::OpenMode::ReadOnly);
    ASSERT_TRUE(space) << space.error().to_string();
    EXPECT_EQ((*space)->name(), "innodb_system");
    EXPECT_EQ((*space)->header().size, 768U);
    EXPECT_EQ((*space)->make_codec(nullptr).parameters().space, kSystemSpace);
}

}  // namespace
}  // namespace redoubt::space
