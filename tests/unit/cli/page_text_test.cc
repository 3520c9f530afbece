#include "cli/page_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/big_endian.h"
#include "page/header.h"

namespace redoubt::cli {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr std::uint32_t kFull16k = 0x15;
constexpr std::uint32_t kOld16k = 0;
constexpr std::uint32_t kOldCompressed1k = 0x23;

space::SpaceHeader header_of(std::uint32_t flags, SpaceId id = SpaceId{9}) {
    space::SpaceHeader header;
    header.id = id;
    header.flags = page::TablespaceFlags::decode(flags).value();
    return header;
}

/// A page of a type, and what is put on it.
struct TestPage {
    TestPage(const space::SpaceHeader& space_header, std::uint16_t type,
             PageNo page_number = PageNo{4})
        : header(space_header), number(page_number), bytes(header.flags.physical_page_size) {
        page::initialise(bytes, {header.id, number});
        set16(24, type);
    }
    void set16(std::size_t at, std::uint16_t value) { store_be(&bytes[at], value); }
    void set32(std::size_t at, std::uint32_t value) { store_be(&bytes[at], value); }
    void set64(std::size_t at, std::uint64_t value) { store_be(&bytes[at], value); }
    PageText text() const { return describe_page(bytes, number, header); }
    /// Facts of a section; none when it is not there.
    std::vector<Fact> facts(std::string_view section) const {
        for (PageSection& candidate : text()) {
            if (candidate.name == section) {
                return std::move(candidate.facts);
            }
        }
        return {};
    }
    std::vector<std::string> sections() const {
        std::vector<std::string> names;
        for (const PageSection& section : text()) {
            names.push_back(section.name);
        }
        return names;
    }

    space::SpaceHeader header;
    PageNo number;
    std::vector<std::byte> bytes;
};

TEST(PageText, TheHeaderIsNamedByTheFormat) {
    TestPage full(header_of(kFull16k), 13);
    full.set32(0, 3);
    full.set64(16, 0x100000002);
    full.set32(16376, 2);
    full.set32(16380, 77);
    EXPECT_THAT(full.facts("page header"),
                ElementsAre(Pair("type", "unknown (13)"), Pair("key version", "3"),
                            Pair("page number", "4"), Pair("previous", "none"),
                            Pair("next", "none"), Pair("lsn", "4294967298"), Pair("space", "9"),
                            Pair("lsn, low half", "2"), Pair("checksum", "77")));

    TestPage old(header_of(kOld16k), 13);
    old.set32(0, 5);
    old.set32(8, 6);
    old.set32(16376, 7);
    old.set32(16380, 8);
    EXPECT_THAT(old.facts("page header"),
                ElementsAre(Pair("type", "unknown (13)"), Pair("checksum", "5"),
                            Pair("page number", "4"), Pair("previous", "6"), Pair("next", "none"),
                            Pair("lsn", "0"), Pair("space", "9"), Pair("checksum at the end", "7"),
                            Pair("lsn, low half", "8")));
}

TEST(PageText, OldEncryptedPagesSayTheirKeyVersion) {
    TestPage page(header_of(kOld16k), 13);
    page.header.crypt.emplace();
    page.set32(26, 2);
    page.set32(30, 99);
    EXPECT_THAT(page.facts("page header"), Contains(Pair("key version", "2")));
    EXPECT_THAT(page.facts("page header"), Contains(Pair("checksum as encrypted", "99")));
}

TEST(PageText, PagesOfRowFormatCompressedHaveNoTrailer) {
    const TestPage page(header_of(kOldCompressed1k), 13);
    ASSERT_EQ(page.bytes.size(), 1024U);
    EXPECT_THAT(page.facts("page header"), Not(Contains(Key("lsn, low half"))));
}

TEST(PageText, IndexPagesSayLevelRecordsAndSegments) {
    TestPage page(header_of(kFull16k), 17855);
    page.set16(38, 3);
    page.set16(42, 0x8000 | 12);
    page.set16(54, 10);
    page.set16(64, 1);
    page.set64(66, 21);
    page.set32(74, 9);
    page.set32(78, 2);
    page.set16(82, 242);
    const std::vector<Fact> facts = page.facts("index page header");
    EXPECT_THAT(facts, Contains(Pair("index id", "21")));
    EXPECT_THAT(facts, Contains(Pair("level", "1")));
    EXPECT_THAT(facts, Contains(Pair("records", "10")));
    EXPECT_THAT(facts, Contains(Pair("directory slots", "3")));
    EXPECT_THAT(facts, Contains(Pair("records in heap", "12")));
    EXPECT_THAT(facts, Contains(Pair("row format", "compact")));
    EXPECT_THAT(facts, Contains(Pair("leaf segment", "space 9, inode page 2 offset 242")));
    page.set16(42, 12);
    EXPECT_THAT(page.facts("index page header"), Contains(Pair("row format", "redundant")));
}

TEST(PageText, OnlyTheFirstPageOfAnUndoSegmentHasASegmentHeader) {
    TestPage page(header_of(kFull16k), 2);
    page.set16(40, 56);
    EXPECT_THAT(page.sections(), ElementsAre("page header", "undo page header"));
    page.set16(40, 86);
    page.set16(56, 4);
    page.set16(58, 86);
    EXPECT_THAT(page.facts("undo segment header"), Contains(Pair("state", "to purge (4)")));
    EXPECT_THAT(page.facts("undo segment header"), Contains(Pair("last log", "86")));
    page.set16(56, 6);
    EXPECT_THAT(page.facts("undo segment header"), Contains(Pair("state", "not known (6)")));
}

TEST(PageText, TheFirstPageCountsExtentsByState) {
    TestPage page(header_of(kFull16k), 8, PageNo{0});
    page.set32(46, 704);
    page.set32(62, 2);
    page.set32(66, 0);
    page.set16(70, 158);
    page.set32(72, 0xFFFFFFFF);
    for (const auto& [entry, state] : {std::pair{0U, 2U}, {1U, 4U}, {2U, 4U}, {3U, 99U}}) {
        page.set32(150 + 40 * entry + 20, state);
    }
    EXPECT_THAT(page.facts("tablespace header"), Contains(Pair("size", "704")));
    EXPECT_THAT(page.facts("tablespace header"),
                Contains(Pair("free extents", "2 entries, first page 0 offset 158, last none")));
    EXPECT_THAT(page.facts("extents described"),
                ElementsAre(Pair("not in use", "252"), Pair("free", "0"),
                            Pair("with free fragments", "1"), Pair("full of fragments", "0"),
                            Pair("of a segment", "2"), Pair("in no known state", "1")));
}

TEST(PageText, DescriptorPagesCountExtentsToo) {
    const TestPage page(header_of(kFull16k), 9, PageNo{16384});
    EXPECT_THAT(page.sections(), ElementsAre("page header", "extents described"));
    EXPECT_THAT(page.facts("extents described"), Contains(Pair("not in use", "256")));
    EXPECT_THAT(page.facts("extents described"), Not(Contains(Key("in no known state"))));
}

TEST(PageText, InodePagesListTheSegmentsInUse) {
    constexpr std::size_t kSecond = 50 + 192;
    TestPage page(header_of(kFull16k), 3, PageNo{2});
    page.set64(kSecond, 17);
    page.set32(kSecond + 8, 10);
    page.set32(kSecond + 12, 1);
    page.set32(kSecond + 28, 2);
    page.set32(kSecond + 44, 3);
    std::fill_n(page.bytes.begin() + kSecond + 64, 128, std::byte{0xFF});
    page.set32(kSecond + 64, 5);
    EXPECT_THAT(
        page.facts("segment inodes"),
        ElementsAre(Key("inode pages"), Pair("segment 17",
                                             "1 fragment pages; extents: 3 full, 2 partly used (10 "
                                             "pages), 1 empty")));
}

TEST(PageText, TheTransactionSystemListsRollbackSegmentsAndTheDoublewriteBuffer) {
    TestPage page(header_of(kFull16k, kSystemSpace), 7, PageNo{5});
    std::fill_n(page.bytes.begin() + 56, 256 * 8, std::byte{0xFF});
    page.set32(56 + 3 * 8, 1);
    page.set32(56 + 3 * 8 + 4, 50);
    const std::vector<Fact> facts = page.facts("transaction system");
    EXPECT_THAT(facts, Contains(Pair("rollback segment 3", "space 1 page 50")));
    EXPECT_THAT(facts, Not(Contains(Key("rollback segment 2"))));
    EXPECT_THAT(facts, Contains(Pair("doublewrite", "none")));
    page.set32(16384 - 200 + 10, 536853855);
    page.set32(16384 - 200 + 14, 64);
    page.set32(16384 - 200 + 18, 128);
    EXPECT_THAT(page.facts("transaction system"),
                Contains(Pair("doublewrite", "blocks at pages 64 and 128")));
}

TEST(PageText, SystemPagesAreWhatTheirPlaceSays) {
    const auto section_of = [](SpaceId space, std::uint32_t number) {
        return TestPage(header_of(kFull16k, space), 6, PageNo{number}).sections().at(1);
    };
    EXPECT_EQ(section_of(kSystemSpace, 7), "dictionary header");
    EXPECT_EQ(section_of(kSystemSpace, 3), "change buffer header");
    EXPECT_EQ(section_of(kSystemSpace, 6), "rollback segment header");
    EXPECT_EQ(section_of(SpaceId{1}, 7), "rollback segment header");
    EXPECT_EQ(section_of(SpaceId{1}, 3), "rollback segment header");
}

TEST(PageText, RollbackSegmentsCountTheirUndoSlots) {
    TestPage page(header_of(kFull16k, SpaceId{1}), 6, PageNo{3});
    std::fill_n(page.bytes.begin() + 72, 1024 * 4, std::byte{0xFF});
    page.set32(72, 60);
    page.set32(72 + 1023 * 4, 61);
    page.set64(72 + 1024 * 4, 4711);
    EXPECT_THAT(page.facts("rollback segment header"),
                Contains(Pair("undo slots in use", "2 of 1024")));
    EXPECT_THAT(page.facts("rollback segment header"), Contains(Pair("max trx id", "4711")));
}

TEST(PageText, BlobPagesSayHowMuchTheyHoldAndWhatFollows) {
    TestPage page(header_of(kFull16k), 10);
    page.set32(38, 16330);
    page.set32(42, 0xFFFFFFFF);
    EXPECT_THAT(page.facts("blob page header"),
                ElementsAre(Pair("bytes here", "16330"), Pair("next page", "none")));
}

/// Reads outside the page are for the address sanitizer to find.
TEST(PageText, AnyBytesAreSafe) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    constexpr std::uint32_t kFormats[] = {
        0x13,
        0x14,
        kFull16k,
        0x16,
        0x17,  // full_crc32, 4k to 64k
        kOld16k,
        0xE1,
        0x1C1,  // 16k, 4k and 64k
        kOldCompressed1k,
        0x29,
        0xE3,  // pages of 1k, 8k, and 1k where others have 4k
    };
    constexpr std::uint16_t kTypes[] = {0,  2,  3,  4,  5,     6,     7,     8,     9,    10,
                                        11, 12, 13, 18, 17854, 17855, 34354, 37401, 65535};
    for (const std::uint32_t format : kFormats) {
        for (const SpaceId space : {kSystemSpace, SpaceId{9}}) {
            for (const std::uint16_t type : kTypes) {
                for (const std::uint32_t number : {0U, 3U, 5U, 7U}) {
                    TestPage page(header_of(format, space), type, PageNo{number});
                    for (const bool all_ones : {false, true}) {
                        for (std::byte& byte : page.bytes) {
                            byte = all_ones ? std::byte{0xFF} : static_cast<std::byte>(random());
                        }
                        page.set16(24, type);
                        const PageText text = page.text();
                        ASSERT_FALSE(text.empty());
                        EXPECT_THAT(text, Each(Field(&PageSection::facts, Not(IsEmpty()))));
                        EXPECT_THAT(text[0].facts.at(0).second, StartsWith(page::type_name(type)));
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace redoubt::cli
