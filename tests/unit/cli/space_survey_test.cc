#include "cli/space_survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/memory_directory.h"
#include "unit/space/fake_space.h"

namespace redoubt::cli {
namespace {

using test::FakeSpace;
using test::kFakePageSize;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint16_t kBlob = 10;
constexpr std::uint16_t kIndex = 17855;
constexpr std::uint32_t kFullExtent = 64;  ///< first page of the extent that is used as a whole
constexpr std::uint32_t kFreePage = 4;

class SpaceSurveyTest : public ::testing::Test {
protected:
    using Bytes = std::vector<std::byte>;

    Result<SpaceSurvey> survey(Bytes file, const crypt::KeyRing* keys = nullptr,
                               unsigned threads = 1) {
        io::MemoryDirectory directory;
        directory.put("t.ibd", std::move(file));
        auto tablespace = space::Tablespace::open(directory, {"t.ibd"}, io::OpenMode::ReadOnly,
                                                  "t.ibd", 0, std::nullopt);
        if (!tablespace) {
            return std::move(tablespace.error());
        }
        return survey_space(
            **tablespace,
            {.keys = keys, .threads = threads, .progress = &progress_, .cancel = &cancel_});
    }
    SpaceSurvey survey_of(const FakeSpace& space) { return survey(space.file()).value(); }

    /// What encryption under the debug keys makes of the file, of pages from the full extent on.
    static Bytes encrypted_file(FakeSpace& space, std::uint32_t key_version) {
        const auto keys = crypt::debug_key_ring(key_version);
        crypt::CryptData crypt;
        crypt.scheme = crypt::CryptData::Scheme::One;
        const auto flags = page::TablespaceFlags::decode(test::kFakeFlags).value();
        crypt.encode(std::span(space.bytes(0))
                         .subspan(flags.crypt_data_offset())
                         .first<crypt::CryptData::kSize>());
        space::PageCodec codec(
            {.space = test::kFakeSpace, .flags = flags, .crypt = crypt, .keys = keys.get()});
        Bytes file = space.file();
        for (std::uint32_t page = kFullExtent; page < test::kFakePages; ++page) {
            EXPECT_TRUE(codec.encode(PageNo{page}, space.bytes(page), page_of(file, page)));
        }
        return file;
    }
    static std::span<std::byte> page_of(Bytes& file, std::uint32_t page) {
        return std::span(file).subspan(page * kFakePageSize, kFakePageSize);
    }
    /// Turns a bit over behind the page header.
    static void damage(Bytes& file, std::uint32_t page) {
        page_of(file, page)[100] ^= std::byte{1};
    }

    base::NoProgress progress_;
    base::CancelToken cancel_;
};

TEST_F(SpaceSurveyTest, SaysOfEveryPageWhatItIs) {
    struct Case {
        std::uint16_t type;
        PageKind kind;
    };
    const Case cases[] = {
        {0, PageKind::Allocated},      {2, PageKind::Undo},        {3, PageKind::Inode},
        {4, PageKind::System},         {5, PageKind::Bitmap},      {6, PageKind::System},
        {7, PageKind::System},         {8, PageKind::SpaceHeader}, {9, PageKind::Descriptors},
        {10, PageKind::Blob},          {11, PageKind::Blob},       {12, PageKind::Blob},
        {13, PageKind::Other},         {18, PageKind::IndexLeaf},  {17854, PageKind::SpatialIndex},
        {kIndex, PageKind::IndexLeaf},
    };
    FakeSpace space;
    std::uint32_t page = kFullExtent;
    for (const Case& c : cases) {
        space.initialise(page++, c.type);
    }
    space.initialise(page, kIndex);
    space.set16(page, 64, 1);  // level
    const SpaceSurvey survey = survey_of(space);
    ASSERT_THAT(survey.pages, SizeIs(test::kFakePages));
    page = kFullExtent;
    for (const Case& c : cases) {
        EXPECT_EQ(survey.pages[page++], c.kind) << "type " << c.type;
    }
    EXPECT_EQ(survey.pages[page], PageKind::IndexInner);
    EXPECT_EQ(survey.pages[page + 1], PageKind::NeverWritten);
    EXPECT_EQ(survey.pages[0], PageKind::SpaceHeader);
    EXPECT_EQ(survey.pages[2], PageKind::Inode);
    EXPECT_TRUE(survey.free_pages_known);
    EXPECT_THAT(survey.damage, IsEmpty());
    EXPECT_THAT(survey.extent_problems, IsEmpty());
}

TEST_F(SpaceSurveyTest, FreePagesMayHoldAnything) {
    FakeSpace space;
    std::vector<std::byte> file = space.file();
    std::ranges::fill(page_of(file, kFreePage), std::byte{0x5A});
    const SpaceSurvey survey = this->survey(std::move(file)).value();
    EXPECT_EQ(survey.pages[kFreePage], PageKind::Free);
    EXPECT_EQ(survey.pages[kFreePage + 1], PageKind::NeverWritten);
    EXPECT_THAT(survey.damage, IsEmpty());
}

TEST_F(SpaceSurveyTest, ListsTheFirstDamagedPagesInOrderWhateverTheThreads) {
    constexpr std::uint32_t kDamaged = kDamageListed + 5;
    FakeSpace space;
    // Some in each of two blocks that threads take as a whole.
    const std::uint32_t last = kFullExtent + 64 + 9;
    for (std::uint32_t page = last; page > last - kDamaged; --page) {
        space.initialise(page, kBlob);
    }
    std::vector<std::byte> file = space.file();
    for (std::uint32_t page = last; page > last - kDamaged; --page) {
        damage(file, page);
    }
    for (const unsigned threads : {1U, 4U}) {
        const SpaceSurvey survey = this->survey(file, nullptr, threads).value();
        EXPECT_EQ(std::ranges::count(survey.pages, PageKind::Damaged), kDamaged);
        ASSERT_THAT(survey.damage, SizeIs(kDamageListed));
        for (std::uint32_t i = 0; i < kDamageListed; ++i) {
            EXPECT_EQ(survey.damage[i].page(), PageNo{last - kDamaged + 1 + i});
            EXPECT_EQ(survey.damage[i].code(), ErrorCode::Corruption);
        }
    }
}

TEST_F(SpaceSurveyTest, EncryptedPagesAreReadWithTheirKeyAndCheckedWithout) {
    FakeSpace space;
    for (std::uint32_t page = kFullExtent; page < kFullExtent + 3; ++page) {
        space.initialise(page, kIndex);
    }
    std::vector<std::byte> file = encrypted_file(space, 2);

    const auto right = crypt::debug_key_ring(2);
    const SpaceSurvey seen = survey(file, right.get()).value();
    EXPECT_EQ(seen.pages[kFullExtent], PageKind::IndexLeaf);
    EXPECT_EQ(seen.encrypted_pages, 3U);

    damage(file, kFullExtent + 1);
    const auto too_old = crypt::debug_key_ring(1);
    for (const crypt::KeyRing* keys : {static_cast<crypt::KeyRing*>(nullptr), too_old.get()}) {
        const SpaceSurvey unseen = survey(file, keys).value();
        EXPECT_EQ(unseen.pages[kFullExtent], PageKind::Encrypted);
        EXPECT_EQ(unseen.pages[kFullExtent + 1], PageKind::Damaged);
        EXPECT_EQ(unseen.pages[kFullExtent + 2], PageKind::Encrypted);
        EXPECT_EQ(unseen.encrypted_pages, 3U);
        ASSERT_THAT(unseen.damage, SizeIs(1));
        EXPECT_EQ(unseen.damage[0].page(), PageNo{kFullExtent + 1});
        EXPECT_TRUE(unseen.free_pages_known) << "page 0 and inode pages are stored plain here";
    }
}

TEST_F(SpaceSurveyTest, WithoutTheKeyOfTheInodePagesItIsNotKnownWhatIsFree) {
    FakeSpace space;
    std::vector<std::byte> file = encrypted_file(space, 1);
    page::Header::KeyVersion::set(page_of(file, 2), std::uint32_t{1});
    page::seal(page_of(file, 2), *page::TablespaceFlags::decode(test::kFakeFlags));
    const SpaceSurvey survey = this->survey(std::move(file)).value();
    EXPECT_FALSE(survey.free_pages_known);
    EXPECT_EQ(survey.pages[2], PageKind::Encrypted);
    EXPECT_EQ(std::ranges::count(survey.pages, PageKind::Free), 0);
}

TEST_F(SpaceSurveyTest, WithoutTheFirstPageItIsNotKnownWhatIsFree) {
    FakeSpace space;
    space.set16(0, 24, kBlob);  // the first page says that it is none
    const SpaceSurvey survey = survey_of(space);
    EXPECT_FALSE(survey.free_pages_known);
    ASSERT_THAT(survey.extent_problems, SizeIs(1));
    EXPECT_EQ(survey.extent_problems[0].page, PageNo{0});
}

TEST_F(SpaceSurveyTest, WithoutTheSecondDescriptorPageItIsNotKnownWhatIsFree) {
    constexpr std::uint32_t kFlags = 0x13;    // full_crc32, 4 KiB
    constexpr std::size_t kSmallPage = 4096;  // bytes, and pages that one descriptor page is for
    constexpr std::uint32_t kPages = kSmallPage + 256;
    std::vector<std::byte> file(kSmallPage);
    page::initialise(file, {test::kFakeSpace, PageNo{0}});
    page::Header::Type::set(std::span(file), std::uint16_t{8});
    store_be(&file[38], test::kFakeSpace.value);
    store_be(&file[46], kPages);
    store_be(&file[50], kPages);  // free limit
    store_be(&file[54], kFlags);
    page::seal(file, *page::TablespaceFlags::decode(kFlags));
    file.resize(std::size_t{kPages} * kSmallPage);  // zeros, where descriptors should be
    EXPECT_FALSE(survey(std::move(file)).value().free_pages_known);
}

TEST_F(SpaceSurveyTest, DoublewriteBlocksAreNotJudged) {
    constexpr std::uint32_t kTrxSystem = 5;
    FakeSpace space(kSystemSpace);
    space.set32(0, 20, 1000);  // lsn: the system tablespace's first page always has one
    space.set_used(kTrxSystem);
    space.initialise(kTrxSystem, 7);
    const std::size_t header = kFakePageSize - 200;
    space.set32(kTrxSystem, header + 10, 536853855);
    space.set32(kTrxSystem, header + 14, 64);
    space.set32(kTrxSystem, header + 18, 128);
    std::vector<std::byte> file = space.file();
    for (const std::uint32_t page : {63U, 64U, 127U, 128U, 191U, 192U}) {
        std::ranges::fill(page_of(file, page), std::byte{0x5A});
    }
    const SpaceSurvey survey = this->survey(std::move(file)).value();
    EXPECT_EQ(survey.pages[63], PageKind::Free);
    EXPECT_EQ(survey.pages[192], PageKind::Free);
    EXPECT_THAT(std::span(survey.pages).subspan(64, 128), Each(PageKind::Doublewrite));
    EXPECT_THAT(survey.damage, IsEmpty());
}

TEST_F(SpaceSurveyTest, StopsWhenInterrupted) {
    cancel_.cancel();
    const auto result = survey(FakeSpace().file());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), ErrorCode::Cancelled);
}

}  // namespace
}  // namespace redoubt::cli
