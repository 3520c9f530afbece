// Records of docs/formats/records.md, laid on pages of zeros.
#include "record/parse.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "unit/hex.h"

namespace redoubt::record {
namespace {

using test::from_hex;

constexpr std::size_t kOrigin = 200;

/// `before` ends at the origin, `data` begins there.
std::vector<std::byte> page_with(std::string_view before, std::string_view data) {
    std::vector<std::byte> page(512);
    const auto head = from_hex(before);
    const auto tail = from_hex(data);
    std::copy(head.begin(), head.end(),
              page.begin() + static_cast<std::ptrdiff_t>(kOrigin - head.size()));
    std::copy(tail.begin(), tail.end(), page.begin() + static_cast<std::ptrdiff_t>(kOrigin));
    return page;
}

RecordLayout layout_of(std::vector<FieldLayout> fields, std::size_t key_fields, bool compact) {
    RecordLayout layout;
    layout.compact = compact;
    layout.fields = std::move(fields);
    layout.key_fields = key_fields;
    layout.trx_id_field = key_fields;
    layout.finish();
    return layout;
}

const FieldLayout kInt{.fixed_size = 4, .nullable = false};
const FieldLayout kTrxId{.fixed_size = 6, .nullable = false};
const FieldLayout kRollPtr{.fixed_size = 7, .nullable = false};
const FieldLayout kNullInt{.fixed_size = 4};
const FieldLayout kText{};
const FieldLayout kLongText{.big = true};

std::string hex_of(const Field& field) {
    std::string out;
    for (const std::byte b : field.bytes()) {
        out += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    }
    return field.null ? "null" : out;
}

std::vector<std::string> parsed(std::span<const std::byte> page, const RecordLayout& layout) {
    std::vector<Field> fields(layout.fields.size());
    const Status status = parse_record(page, kOrigin, layout, fields.size(), fields);
    if (!status) {
        return {status.error().message()};
    }
    std::vector<std::string> out;
    for (const Field& field : fields) {
        out.push_back(hex_of(field));
    }
    return out;
}

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseRecord, TakesACompactRecordApart) {
    const auto layout = layout_of({kTrxId, kTrxId, kRollPtr, kNullInt, kText}, 1, true);
    const auto page = page_with("0100000010001f",
                                "000000000200000000000059a700000158011080000003"
                                "63");
    EXPECT_THAT(parsed(page, layout),
                ElementsAre("000000000200", "000000000059", "a7000001580110", "80000003", "63"));
}

TEST(ParseRecord, TakesNullsFromTheBitmap) {
    const auto layout = layout_of({kInt, kNullInt, kText}, 1, true);
    EXPECT_THAT(parsed(page_with("030000100000", "80000001"), layout),
                ElementsAre("80000001", "null", "null"));
}

TEST(ParseRecord, TakesARedundantRecordWithAnOffPageColumnApart) {
    const auto layout = layout_of({kInt, kTrxId, kRollPtr, kLongText, kLongText}, 1, false);
    auto page = page_with("062543250011000a00040000180a0a46", "80000002");
    page.resize(4096);
    std::vector<Field> fields(5);
    ASSERT_TRUE(parse_record(page, kOrigin, layout, 5, fields));
    EXPECT_TRUE(fields[3].external);
    EXPECT_EQ(fields[3].size, 788U);
    EXPECT_FALSE(fields[4].external);
    EXPECT_EQ(fields[4].size, 768U);
}

TEST(ParseWholeRecord, OfRedundantHasRoomForANullAtItsEnd) {
    const auto layout = layout_of({kInt, kTrxId, kRollPtr, kText, kNullInt}, 1, false);
    const auto page = page_with("9612110a040000180b0000", "80000002");
    std::vector<Field> fields;
    const auto extent = parse_whole_record(page, kOrigin, layout, false, fields);
    ASSERT_TRUE(extent);
    EXPECT_TRUE(fields[4].null);
    EXPECT_EQ(extent->begin, kOrigin - 11);
    EXPECT_EQ(extent->end, kOrigin + 22);
}

TEST(ParseRecord, TakesWhatWasAddedInstantlyFromTheDefaults) {
    auto layout = layout_of({kInt, kTrxId, kRollPtr, kNullInt, kText, kInt, kText}, 1, true);
    layout.core_fields = 5;
    layout.core_null_bytes = 1;
    layout.defaults = {{.null = false, .bytes = "\x80\0\0\x4d"}, {.null = true, .bytes = {}}};
    layout.defaults[0].bytes = std::string("\x80\0\0\x4d", 4);
    // one field more than the core: n_add 0, status 4
    const auto newer = page_with("04000000003cff44",
                                 "8000000500000000000000000000000000"
                                 "8000003266697665"
                                 "80000037");
    EXPECT_THAT(parsed(newer, layout), ElementsAre("80000005", testing::_, testing::_, "80000032",
                                                   "66697665", "80000037", "null"));
    const auto older = page_with("04000000000000",
                                 "8000000500000000000000000000000000"
                                 "8000003266697665");
    EXPECT_THAT(parsed(older, layout), ElementsAre("80000005", testing::_, testing::_, "80000032",
                                                   "66697665", "8000004d", "null"));
}

TEST(ParseRecord, RefusesFieldsThatLeaveThePage) {
    const auto layout = layout_of({kInt, kLongText}, 1, true);
    const auto page = page_with("ffbf000000000000", "80000001");
    EXPECT_THAT(parsed(page, layout), ElementsAre(HasSubstr("reaches out of the page")));
    auto redundant = layout;
    redundant.compact = false;
    EXPECT_THAT(parsed(page_with("3fff0004000000040000", ""), redundant),
                ElementsAre(HasSubstr("record at offset")));
}

TEST(ParseRecord, RefusesHeadersThatBeginBeforeTheHeap) {
    std::vector<std::byte> page(512);
    const auto layout = layout_of({kInt, kText, kText, kText, kText}, 1, true);
    std::vector<Field> fields(5);
    EXPECT_FALSE(parse_record(page, kCompactHeap + kCompactHeader, layout, 5, fields));
}

TEST(ParseNodePointer, GivesKeyAndChild) {
    const auto layout = layout_of({kInt, kTrxId, kRollPtr, kText}, 1, true);
    std::vector<Field> fields(5);
    const auto page = page_with("00000019000e", "800000a300000008");
    const auto child = parse_node_pointer(page, kOrigin, layout, fields);
    ASSERT_TRUE(child);
    EXPECT_EQ(*child, PageNo{8});
    EXPECT_EQ(hex_of(fields[0]), "800000a3");
    EXPECT_FALSE(parse_node_pointer(page_with("00000010000e", "8000"), kOrigin, layout, fields));
}

}  // namespace
}  // namespace redoubt::record
