#include "recovery/page_apply.h"

#include "base/crc32c.h"
#include "unit/recovery/apply_fixture.h"

namespace redoubt::recovery {
namespace {

using redo::RecordType;
using testing::HasSubstr;

class PageApply : public ApplyTest {};

TEST_F(PageApply, InitPageLeavesNumberNullLinksAndSpace) {
    page_.assign(page_.size(), std::byte{0x55});
    ASSERT_TRUE(apply(RecordType::InitPage, ""));
    Buffer expected(page_.size());
    const Buffer header = from_hex("00000000 0000000d ffffffff ffffffff");
    std::copy(header.begin(), header.end(), expected.begin());
    const Buffer space = from_hex("00000108");
    std::copy(space.begin(), space.end(), expected.begin() + 34);
    EXPECT_EQ(page_, expected);
    // The running offset is now that of the page type.
    ASSERT_TRUE(apply(RecordType::Write, "0108", kSamePage));
    EXPECT_EQ(u16(24), 8);
}

TEST_F(PageApply, WritesFollowEachOther) {
    ASSERT_TRUE(apply(RecordType::Write, "14 a1a2"));  // at 20
    ASSERT_TRUE(apply(RecordType::Write, "00 a3", kSamePage));
    ASSERT_TRUE(apply(RecordType::Write, "02 a4", kSamePage));
    EXPECT_EQ(bytes(19, 8), from_hex("00 a1a2 a3 0000 a4 00"));
    ASSERT_TRUE(apply(RecordType::Write, "bf7f ee"));  // a page id starts over: 0x3f7f + 0x80
    EXPECT_EQ(u8(16383), 0xee);
}

TEST_F(PageApply, MemsetRepeatsItsPattern) {
    ASSERT_TRUE(apply(RecordType::Memset, "28 07 010203"));
    ASSERT_TRUE(apply(RecordType::Memset, "01 02 ff", kSamePage));
    EXPECT_EQ(bytes(39, 12), from_hex("00 01020301020301 00 ffff 00"));
}

TEST_F(PageApply, MemmoveCopiesOverlappingBytesBothWays) {
    ASSERT_TRUE(apply(RecordType::Write, "28 0102030405"));
    ASSERT_TRUE(apply(RecordType::Memmove, "2a 04 03"));  // 42 from 42 - 1 - 1 = 40
    EXPECT_EQ(bytes(40, 7), from_hex("01020102030400"));
    ASSERT_TRUE(apply(RecordType::Memmove, "28 05 00"));  // 40 from 40 + 0 + 1
    EXPECT_EQ(bytes(40, 7), from_hex("02010203040400"));
    ASSERT_TRUE(apply(RecordType::Write, "00 77", kSamePage));  // goes on at 45
    EXPECT_EQ(u8(45), 0x77);
}

TEST_F(PageApply, BuildsPageZeroOfANewTablespaceAsLogged) {
    // Vector 17 of the real log: FILE_CREATE's page 0, in order, less the records of page 1.
    reset(16384, {SpaceId{227}, PageNo{0}});
    ASSERT_TRUE(apply(RecordType::InitPage, ""));
    for (const auto* body : {"0108", "0fe3", "0400000004", "0400000015"}) {
        ASSERT_TRUE(apply(RecordType::Write, body, kSamePage));
    }
    for (const auto* body : {"0804ff", "0204ff", "0604ff", "0204ff", "0604ff", "0204ff", "0e04ff",
                             "0204ff", "0604ff", "0204ff"}) {
        ASSERT_TRUE(apply(RecordType::Memset, body, kSamePage));
    }
    ASSERT_TRUE(apply(RecordType::Write, "7501"));
    ASSERT_TRUE(apply(RecordType::Write, "3540"));
    ASSERT_TRUE(apply(RecordType::Memset, "802e10ff"));
    ASSERT_TRUE(apply(RecordType::Write, "802d01"));
    ASSERT_TRUE(apply(RecordType::Write, "00fe", kSamePage));
    ASSERT_TRUE(apply(RecordType::Write, "802efa"));
    ASSERT_TRUE(apply(RecordType::Write, "802d02"));
    ASSERT_TRUE(apply(RecordType::Write, "5101"));
    ASSERT_TRUE(apply(RecordType::Write, "0000000000009e", kSamePage));
    ASSERT_TRUE(apply(RecordType::Memmove, "00060b", kSamePage));
    ASSERT_TRUE(apply(RecordType::Memset, "4004ff", kSamePage));
    ASSERT_TRUE(apply(RecordType::Memmove, "02060b", kSamePage));
    ASSERT_TRUE(apply(RecordType::Write, "3d02"));

    EXPECT_EQ(bytes(0, 38), from_hex("00000000 00000000 ffffffff ffffffff 0000000000000000 0008"
                                     "0000000000000000 000000e3"));
    // space, 0, size 4, free limit 64, flags 0x15, 2 pages used of the first extent
    EXPECT_EQ(bytes(38, 24), from_hex("000000e3 00000000 00000004 00000040 00000015 00000002"));
    // FSP_FREE empty; FSP_FREE_FRAG: one extent, first and last at (0, 158)
    EXPECT_EQ(bytes(62, 32), from_hex("00000000 ffffffff 0000 ffffffff 0000"
                                      "00000001 00000000 009e 00000000 009e"));
    // descriptor of the first extent: no segment, no neighbours, state 2, pages 0 and 1 in use
    EXPECT_EQ(bytes(150, 40), from_hex("0000000000000000 ffffffff 0000 ffffffff 0000 00000002"
                                       "fa ffffffffffffffffffffffffffffff"));
}

TEST_F(PageApply, FreePageTakesNoFurtherRecords) {
    page_.assign(page_.size(), std::byte{0x55});
    const Buffer before = page_;
    ASSERT_TRUE(apply(RecordType::FreePage, ""));
    EXPECT_EQ(page_, before);
    EXPECT_THAT(failure(RecordType::Write, "0a01", kSamePage), HasSubstr("no record may follow"));
    EXPECT_EQ(page_, before);
}

TEST_F(PageApply, NamesRecordAndPage) {
    const std::string message = failure(RecordType::Write, "0a");
    EXPECT_THAT(message, HasSubstr("WRITE: malformed record"));
    EXPECT_THAT(message, HasSubstr("space 264 page 13"));
}

TEST_F(PageApply, RejectsMalformedRangesAndTouchesNothing) {
    reset(1024);
    const Buffer before = page_;
    const struct {
        RecordType type;
        const char* body;
    } cases[] = {
        {RecordType::Write, ""},                    // no offset
        {RecordType::Write, "80"},                  // offset cut short
        {RecordType::Write, "f8"},                  // reserved integer
        {RecordType::Write, "0a"},                  // no data
        {RecordType::Write, "07 01"},               // before byte 8
        {RecordType::Write, "8380 01"},             // at the page's end
        {RecordType::Write, "837f 0102"},           // across it
        {RecordType::Write, "f0ffffffff 01"},       // far beyond
        {RecordType::Memset, "0a"},                 // no length
        {RecordType::Memset, "0a 04"},              // no pattern
        {RecordType::Memset, "0a 01 0102"},         // pattern longer than the range
        {RecordType::Memset, "0a 00 01"},           // empty range
        {RecordType::Memset, "837f 02 01"},         // across the end
        {RecordType::Memset, "0a f0efdfbf7f 01"},   // huge
        {RecordType::Memmove, "0a 04"},             // no source
        {RecordType::Memmove, "0a 04 01 00"},       // rest after the source
        {RecordType::Memmove, "0a 04 05"},          // source 7
        {RecordType::Memmove, "0a 04 87ff"},        // source beyond the end
        {RecordType::Memmove, "837d 04 01"},        // across the end
        {RecordType::Memmove, "0a 04 f0efdfbf7f"},  // source far beyond
        {RecordType::FreePage, "00"},               // operands
        {RecordType::InitPage, "00"},               // operands
        {RecordType::Reserved, "0a01"},             // no such type
        {RecordType::Option, ""},                   // no subtype
        {RecordType::Option, "00010203"},           // short checksum
        {RecordType::Extended, ""},                 // no subtype
        {RecordType::Extended, "0b"},               // unknown subtype
        {RecordType::Extended, "ff"},               // unknown subtype
        {RecordType::Extended, "00 00"},            // operands
        {RecordType::Extended, "01 00"},            // operands
        {RecordType::Extended, "02 00"},            // operands
        {RecordType::Extended, "03 0102"},          // undo record too short
    };
    for (const auto& c : cases) {
        EXPECT_THAT(failure(c.type, c.body), HasSubstr("malformed record")) << c.body;
        EXPECT_EQ(page_, before) << c.body;
    }
}

TEST_F(PageApply, WholePageRecordsNeedAPageId) {
    EXPECT_THAT(failure(RecordType::InitPage, "", kSamePage), HasSubstr("no page id"));
    EXPECT_THAT(failure(RecordType::FreePage, "", kSamePage), HasSubstr("no page id"));
}

TEST_F(PageApply, ExtendedRecordsAreNotForCompressedOrFirstPages) {
    reset(8192, {SpaceId{5}, PageNo{13}}, /*compressed=*/true);
    EXPECT_THAT(failure(RecordType::Extended, "01"), HasSubstr("not for this kind of page"));
    ASSERT_TRUE(apply(RecordType::Write, "0a01"));
    for (const std::uint32_t number : {0U, 1U, 2U}) {
        reset(16384, {SpaceId{5}, PageNo{number}});
        EXPECT_THAT(failure(RecordType::Extended, "01"), HasSubstr("not for this kind of page"));
    }
}

TEST_F(PageApply, RecordsOfFilesAndTablespacesAreTheCallersMistake) {
    const Status file = apply(RecordType::FileModify, "");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code(), ErrorCode::Internal);
    const Status trim = apply(RecordType::Extended, "0a");
    ASSERT_FALSE(trim);
    EXPECT_EQ(trim.error().code(), ErrorCode::Internal);
}

TEST_F(PageApply, ChecksTheLoggedPageChecksum) {
    ASSERT_TRUE(apply(RecordType::InitPage, ""));
    ASSERT_TRUE(apply(RecordType::Write, "64 0102030405"));
    Buffer covered = bytes(4, 12);
    const Buffer type = bytes(24, 2);
    const Buffer rest = bytes(34, 16384 - 8 - 34);
    covered.insert(covered.end(), type.begin(), type.end());
    covered.insert(covered.end(), rest.begin(), rest.end());
    Buffer option = from_hex("00 00000000");
    store_be(option.data() + 1, crc32c(covered));
    EXPECT_TRUE(apply(RecordType::Option, option, kSamePage));
    // Leaves the running offset alone.
    ASSERT_TRUE(apply(RecordType::Write, "00 06", kSamePage));
    EXPECT_EQ(u8(105), 6);
    const Status status = apply(RecordType::Option, option, kSamePage);
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().to_string(), HasSubstr("contradicts the record: its checksum"));
    EXPECT_TRUE(apply(RecordType::Option, "07 aabb"));  // unknown subtypes mean nothing
}

TEST_F(PageApply, UndoRecordsAreFramedByTheirOffsets) {
    page_.assign(page_.size(), std::byte{0x55});
    ASSERT_TRUE(apply(RecordType::Extended, "02"));
    EXPECT_EQ(u16(24), 2);
    EXPECT_EQ(bytes(38, 19), from_hex("0000 0038 0038 ffffffff 0000 ffffffff 0000 55"));
    ASSERT_TRUE(apply(RecordType::Extended, "03 0c0180", kSamePage));
    ASSERT_TRUE(apply(RecordType::Extended, "03 01020304", kSamePage));
    EXPECT_EQ(u16(42), 71);
    EXPECT_EQ(bytes(56, 16), from_hex("003f 0c0180 0038 0047 01020304 003f 55"));
    ASSERT_TRUE(apply(RecordType::Write, "000007", kSamePage));  // goes on at the type
    EXPECT_EQ(u16(24), 7);
}

TEST_F(PageApply, UndoRecordThatDoesNotFitContradictsThePage) {
    reset(1024);
    ASSERT_TRUE(apply(RecordType::Extended, "02"));
    set16(42, 1024 - 8 - 6 - 3);
    EXPECT_THAT(failure(RecordType::Extended, "03 010203"), HasSubstr("no room for 3 undo bytes"));
    set16(42, 1024 - 8 - 6 - 4);
    EXPECT_TRUE(apply(RecordType::Extended, "03 010203"));
    for (const int begin : {0, 55, 65535}) {
        set16(42, begin);
        EXPECT_THAT(failure(RecordType::Extended, "03 010203"), HasSubstr("contradicts"));
    }
}

}  // namespace
}  // namespace redoubt::recovery
