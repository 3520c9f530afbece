#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/output.h"
#include "io/memory_directory.h"
#include "unit/space/fake_space.h"

namespace redoubt::cli {
namespace {

using test::FakeSpace;
using test::kFakePageSize;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kUsedPage = 64;

/// `redoubt inspect t.ibd`.
class InspectTest : public ::testing::Test {
protected:
    using Bytes = std::vector<std::byte>;

    InspectTest() { options_.paths = {"t.ibd"}; }

    Result<int> inspect(Bytes file) {
        io::MemoryDirectory directory;
        directory.put(options_.paths.front(), std::move(file));
        ::testing::internal::CaptureStdout();
        auto result = inspect_command({.options = options_,
                                       .working_directory = directory,
                                       .keys = nullptr,
                                       .progress = progress_,
                                       .cancel = cancel_});
        printed_ = ::testing::internal::GetCapturedStdout();
        return result;
    }
    /// Whether a whole file or one page is asked for: one error that names file and page, ends
    /// with exit code 4, and nothing on stdout.
    void expect_first_page_refused(const Bytes& file) {
        for (const std::optional<PageNo> page : {std::optional<PageNo>(), {PageNo{0}}}) {
            options_.page = page;
            const Result<int> result = inspect(file);
            ASSERT_FALSE(result);
            EXPECT_EQ(exit_code_of(result.error().code()), 4) << result.error().to_string();
            EXPECT_THAT(result.error().file(), HasSubstr("t.ibd"));
            EXPECT_EQ(result.error().page(), PageNo{0});
            EXPECT_THAT(printed_, IsEmpty());
        }
    }

    Options options_;
    base::NoProgress progress_;
    base::CancelToken cancel_;
    std::string printed_;
};

TEST_F(InspectTest, AWholeFileEndsWithZero) {
    EXPECT_EQ(inspect(FakeSpace().file()).value(), 0);
    EXPECT_THAT(printed_, HasSubstr("pages in file:  256 (4.0 MiB)"));
    EXPECT_THAT(printed_, HasSubstr("damaged 0"));
}

TEST_F(InspectTest, AnyBitOfADamagedFirstPageIsNoticed) {
    const Bytes whole = FakeSpace().file();
    for (std::size_t at = 0; at < kFakePageSize; at += at < 200 ? 1 : 97) {
        SCOPED_TRACE(at);
        Bytes file(whole.begin(), whole.begin() + 4 * kFakePageSize);
        file[at] ^= std::byte{0x10};
        expect_first_page_refused(file);
    }
}

TEST_F(InspectTest, AZeroedOrForeignFirstPageIsNamed) {
    constexpr std::byte kAsMySql{0x4A};  // tablespace flags with the bits of MySQL 8.0
    for (const std::byte filling : {std::byte{0}, std::byte{0x5A}, kAsMySql, std::byte{0xFF}}) {
        Bytes file = FakeSpace().file();
        std::fill_n(file.begin(), kFakePageSize, filling);
        expect_first_page_refused(file);
    }
    expect_first_page_refused(Bytes(8 * kFakePageSize));
}

TEST_F(InspectTest, AFileCutWithinItsFirstPageIsNamed) {
    const Bytes whole = FakeSpace().file();
    for (const std::size_t size : {0, 1, 37, 38, 57, 58, 1023, 1024, 4095, 4096, 8192, 16383}) {
        SCOPED_TRACE(size);
        expect_first_page_refused(
            Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    }
}

TEST_F(InspectTest, AFileOfTooFewPagesIsNamed) {
    const Bytes whole = FakeSpace().file();
    const Result<int> result = inspect(Bytes(whole.begin(), whole.begin() + 4 * kFakePageSize - 1));
    ASSERT_FALSE(result);
    EXPECT_EQ(exit_code_of(result.error().code()), 4);
    EXPECT_THAT(result.error().file(), HasSubstr("t.ibd"));
    EXPECT_EQ(result.error().space(), test::kFakeSpace);
    EXPECT_THAT(printed_, IsEmpty());
}

TEST_F(InspectTest, AFileCutBehindItsFirstPagesShowsWhatIsThere) {
    const Bytes whole = FakeSpace().file();
    EXPECT_EQ(inspect(Bytes(whole.begin(), whole.begin() + 100 * kFakePageSize + 5)).value(), 4);
    EXPECT_THAT(printed_, HasSubstr("pages in file:  100"));
    EXPECT_THAT(printed_, HasSubstr("space has 256 pages by its header, the file 100"));
}

TEST_F(InspectTest, DamageOfOtherPagesIsListed) {
    FakeSpace space;
    space.initialise(kUsedPage, 10);
    Bytes file = space.file();
    file[kUsedPage * kFakePageSize + 100] ^= std::byte{1};
    EXPECT_EQ(inspect(file).value(), 4);
    EXPECT_THAT(printed_, HasSubstr("damaged 1"));
    EXPECT_THAT(printed_, HasSubstr("page 64"));

    options_.json = true;
    EXPECT_EQ(inspect(file).value(), 4);
    const Json document = Json::parse(printed_);
    EXPECT_EQ(document["schema"], "redoubt.inspect.v1");
    EXPECT_EQ(document["counts"]["damaged"], 1);
    EXPECT_EQ(document["damage"].at(0)["page"], kUsedPage);
}

TEST_F(InspectTest, ADamagedPageIsShownAsItIsStored) {
    FakeSpace space;
    space.initialise(kUsedPage, 10);
    space.set32(kUsedPage, 38, 4711);
    Bytes file = space.file();
    file[kUsedPage * kFakePageSize + 100] ^= std::byte{1};
    options_.page = PageNo{kUsedPage};
    EXPECT_EQ(inspect(std::move(file)).value(), 4);
    EXPECT_THAT(printed_, HasSubstr("checksum"));
    EXPECT_THAT(printed_, HasSubstr("4711"));
    EXPECT_EQ(inspect(space.file()).value(), 0);
    EXPECT_THAT(printed_, HasSubstr("whole"));
}

TEST_F(InspectTest, APageBehindTheEndIsAMistakeOfTheCaller) {
    options_.page = PageNo{test::kFakePages};
    const Result<int> result = inspect(FakeSpace().file());
    ASSERT_FALSE(result);
    EXPECT_EQ(exit_code_of(result.error().code()), 2);
    EXPECT_THAT(result.error().message(), HasSubstr("256 pages"));
    EXPECT_EQ(result.error().page(), PageNo{test::kFakePages});
}

TEST_F(InspectTest, OptionsOfPagesNeedAPageAndATablespace) {
    const auto refused = [this] {
        const Result<int> result = inspect(FakeSpace().file());
        return !result && exit_code_of(result.error().code()) == 2;
    };
    options_.records = true;
    EXPECT_TRUE(refused());
    options_.page = PageNo{3};
    options_.doublewrite = true;
    EXPECT_TRUE(refused());
    options_.doublewrite = false;
    options_.paths = {"t.frm"};
    EXPECT_TRUE(refused());
}

TEST_F(InspectTest, RecordsOfAnIndexPageWithoutItsDirectory) {
    FakeSpace space;
    space.initialise(kUsedPage, 17855);
    options_.page = PageNo{kUsedPage};
    options_.records = true;
    options_.json = true;
    EXPECT_EQ(inspect(space.file()).value(), 0);
    const Json document = Json::parse(printed_);
    // All zero behind the header: REDUNDANT, and the infimum leads nowhere.
    EXPECT_EQ(document["records"].at(0)["status"], "infimum");
    EXPECT_THAT(document["problems"].at(0).get<std::string>(),
                HasSubstr("the record list leads from offset 101 to 0"));
}

TEST_F(InspectTest, AFrmThatIsNoneIsNamed) {
    options_.paths = {"t.frm"};
    const Result<int> result = inspect(Bytes(5000));
    ASSERT_FALSE(result);
    EXPECT_EQ(exit_code_of(result.error().code()), 4);
    EXPECT_EQ(result.error().file(), "t.frm");
    EXPECT_THAT(printed_, IsEmpty());
}

}  // namespace
}  // namespace redoubt::cli
