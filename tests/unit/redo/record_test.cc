#include "redo/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "unit/redo/log_builder.h"

namespace redoubt::redo {
namespace {

using test::Bytes;
using test::from_hex;
using testing::HasSubstr;

Record only_record_of(const Bytes& bytes) {
    RecordReader reader{bytes};
    auto record = reader.next();
    EXPECT_TRUE(record) << record.error().to_string();
    if (!record || !*record) {
        ADD_FAILURE() << "no record";
        return {};
    }
    EXPECT_FALSE(reader.next()->has_value());
    return **record;
}

std::string error_of(std::string_view hex) {
    const Bytes bytes = from_hex(hex);
    RecordReader reader{bytes};
    for (;;) {
        auto record = reader.next();
        if (!record) {
            EXPECT_EQ(record.error().code(), ErrorCode::Corruption);
            return record.error().message();
        }
        if (!*record) {
            return "";
        }
    }
}

TEST(Varint, DecodesEachLengthAndItsLimits) {
    struct Case {
        std::string_view hex;
        std::uint32_t value;
        std::uint32_t length;
    };
    for (const Case& c : {Case{"3F", 63, 1},
                          {"7F", 0x7F, 1},
                          {"8000", 0x80, 2},
                          {"8063", 227, 2},
                          {"A842", 10434, 2},
                          {"BFFF", 0x407F, 2},
                          {"C00000", 16512, 3},
                          {"DFFFFF", 0x20407F, 3},
                          {"E0000000", 2113664, 4},
                          {"EFFFFFFF", 0x1020407F, 4},
                          {"F000000000", 270549120, 5},
                          {"F0EFDFBF7F", 0xFFFFFFFF, 5}}) {
        const Varint varint = read_varint(from_hex(c.hex));
        EXPECT_EQ(varint.value, c.value) << c.hex;
        EXPECT_EQ(varint.length, c.length) << c.hex;
        Bytes written;
        test::append_varint(written, c.value);
        EXPECT_EQ(written, from_hex(c.hex));
        written.pop_back();
        EXPECT_EQ(read_varint(written).length, 0U) << "cut short: " << c.hex;
    }
}

TEST(Varint, RefusesReservedFormsAndValuesBeyond32Bits) {
    for (const std::string_view hex :
         {"F0EFDFBF80", "F0FFFFFFFF", "F100000000", "F800000000", "FF00000000"}) {
        EXPECT_EQ(read_varint(from_hex(hex)).length, 0U) << hex;
    }
}

TEST(RecordReader, SamePageRecordsTakeThePageOfTheLastOneWithAnId) {
    const Bytes bytes = from_hex("1380880da1014680880d0808ffb23101");  // from vector 12
    RecordReader reader{bytes};
    const PageId page{SpaceId{264}, PageNo{13}};
    std::size_t offset = 0;
    for (const bool same_page : {false, true, false, true}) {
        auto record = reader.next();
        ASSERT_TRUE(record && *record);
        EXPECT_EQ((*record)->page, page);
        EXPECT_EQ((*record)->same_page, same_page);
        EXPECT_EQ((*record)->offset, offset);
        offset += (*record)->length;
    }
    EXPECT_EQ(offset, bytes.size());
}

TEST(RecordReader, BodyIsWhatFollowsThePageId) {
    const Bytes bytes = from_hex("37807b814da24f20");
    const Record record = only_record_of(bytes);
    EXPECT_EQ(record.page, (PageId{SpaceId{251}, PageNo{461}}));
    EXPECT_TRUE(std::ranges::equal(record.body, from_hex("a24f20")));
}

TEST(RecordReader, AFileModifyByteAfterAPageRecordIsASamePageWrite) {
    const Bytes bytes = from_hex("33010200b30201ff");
    RecordReader reader{bytes};
    ASSERT_TRUE(reader.next());
    EXPECT_EQ((*reader.next())->type, RecordType::Write);
}

TEST(RecordReader, DecodesLongRecords) {
    for (const std::size_t size :
         {13U, 14U, 15U, 16U, 17U, 140U, 141U, 142U, 16000U, 16526U, 16527U, 16528U, 70000U}) {
        const Bytes body(size, std::byte{0x5A});
        const Bytes bytes = test::page_record(0x30, {SpaceId{1}, PageNo{2}}, body);
        const Record record = only_record_of(bytes);
        EXPECT_EQ(record.body.size(), size);
        EXPECT_EQ(record.length, bytes.size());
    }
}

TEST(RecordReader, DecodesRename) {
    const Bytes bytes =
        from_hex("a00a807e002e2f742f78362e696264002e2f742f79352e696264");  // vector 15
    const Record record = only_record_of(bytes);
    EXPECT_EQ(record.type, RecordType::FileRename);
    EXPECT_EQ(record.page.space, SpaceId{254});
    EXPECT_EQ(record.name, "./t/x6.ibd");
    EXPECT_EQ(record.new_name, "./t/y5.ibd");
}

TEST(RecordReader, DecodesFileCheckpoint) {
    const Record record = only_record_of(from_hex("fa000000000000298dfb73"));
    EXPECT_EQ(record.type, RecordType::FileCheckpoint);
    EXPECT_EQ(record.checkpoint, Lsn{697170803});
}

TEST(RecordReader, TakesAllFormsOfPadding) {
    for (const std::string_view hex :
         {"f100", "f20000", "f3000000", "fa00000000000000000000", "fb0000000000000000000000",
          "f0000000000000000000000000000000", "f001000000000000000000000000000000"}) {
        const Bytes bytes = from_hex(hex);
        EXPECT_EQ(only_record_of(bytes).type, RecordType::Padding) << hex;
    }
    EXPECT_EQ(error_of("f100be8063002e2f742f6674322e696264"), "") << "padding may be first";
}

TEST(RecordReader, RefusesMalformedFileRecords) {
    for (const std::string_view hex : {
             "9a00002e2f782e696264",        // FILE_DELETE of space 0 (length nibble 10)
             "990001612f782e696264",        // the same, page number not 0
             "98010161782e696264",          // page number not 0
             "9701006162696264",            // name without ".ibd"
             "99010061002f2e696264",        // NUL inside
             "99010061622e69626400",        // NUL at the end
             "a901006161612e696264",        // rename without a second name
             "ad01006100622e696264006300",  // rename with a bad new name
             "b101",                        // no page number
             "c801006161612e696264",        // types 4 to 6 do not exist
             "fa00010000000000000001",      // checkpoint with a page number
             "f9000000000000000001",        // neither checkpoint nor padding
             "fa000000000000298dfb73f100",  // checkpoint before another record
         }) {
        EXPECT_THAT(error_of(hex), HasSubstr("malformed redo record")) << hex;
    }
}

TEST(RecordReader, RefusesMalformedPageRecords) {
    for (const std::string_view hex : {
             "02010213",      // ends within the second record
             "03010200",      // FREE_PAGE with operands
             "13010200",      // INIT_PAGE with operands
             "33010200812a",  // INIT_PAGE-like same_page byte, cut short
             "220102",        // EXTENDED without a subtype
             "2301020b",      // unknown subtype
             "2401020a00",    // TRIM_PAGES with operands
             "63010200",      // reserved type
             "3181",          // page id cut short
             "33f1000000",    // page id in no valid form
             "30",            // length cut short
             "3080",          // the same
             "30ff",          // length in no valid form
             "01",            // no record begins so
         }) {
        EXPECT_THAT(error_of(hex), HasSubstr("malformed redo record")) << hex;
    }
    EXPECT_THAT(error_of("1201029101"), HasSubstr("byte 3")) << "INIT_PAGE without a page id";
}

TEST(RecordReader, GoesOnBehindAMalformedRecordOfKnownLength) {
    const Bytes bytes = from_hex(
        "03010200120304"
        "1200ff"
        "120304");
    RecordReader reader{bytes};
    EXPECT_FALSE(reader.next()) << "FREE_PAGE with operands";
    auto second = reader.next();
    ASSERT_TRUE(second && *second);
    EXPECT_EQ((*second)->page, (PageId{SpaceId{3}, PageNo{4}}));
    EXPECT_FALSE(reader.next()) << "page id in no valid form";
    EXPECT_FALSE(reader.next()->has_value()) << "nothing can be told of what follows";
}

TEST(RecordKind, IsDenseAndNamed) {
    std::set<std::string_view> names;
    for (std::size_t kind = 0; kind < kRecordKindCount; ++kind) {
        names.insert(record_kind_name(kind));
    }
    EXPECT_EQ(names.size(), kRecordKindCount);
    for (unsigned type = 0; type <= static_cast<unsigned>(RecordType::Padding); ++type) {
        Record record{};
        record.type = static_cast<RecordType>(type);
        EXPECT_LT(record_kind(record), kRecordKindCount);
    }
    Record trim{};
    trim.type = RecordType::Extended;
    const Bytes body = from_hex("0a");
    trim.body = body;
    EXPECT_EQ(record_name(trim), "TRIM_PAGES");
    trim.type = RecordType::Write;
    EXPECT_EQ(record_name(trim), "WRITE");
}

}  // namespace
}  // namespace redoubt::redo
