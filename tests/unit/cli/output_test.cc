#include "cli/output.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>

namespace redoubt::cli {
namespace {

TEST(HumanText, GivesBytesCountsAndSeconds) {
    EXPECT_EQ(human_bytes(17), "17 bytes");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes((std::uint64_t{1} << 30) - 1), "1.0 GiB");
    EXPECT_EQ(human_bytes(UINT64_MAX), "16.0 EiB");
    EXPECT_EQ(human_count(0), "0");
    EXPECT_EQ(human_count(999), "999");
    EXPECT_EQ(human_count(1000), "1,000");
    EXPECT_EQ(human_count(1234567), "1,234,567");
    EXPECT_EQ(human_seconds(0.44), "0.4 s");
    EXPECT_EQ(human_seconds(125), "2:05 min");
}

TEST(FactsText, AlignsValues) {
    EXPECT_EQ(facts_text({{"a", "1"}, {"longer", "2"}}), "a:      1\nlonger: 2\n");
}

TEST(TableText, SetsNumbersToTheRight) {
    EXPECT_EQ(table_text({"record", "count"}, {{"WRITE", "1,000"}, {"MEMSET", "7"}}),
              "record  count\n"
              "WRITE   1,000\n"
              "MEMSET      7\n");
}

TEST(HexDump, ShowsOffsetsAndPrintableBytesAndFoldsRepeats) {
    std::array<std::byte, 80> bytes{};
    bytes[0] = std::byte{'A'};
    bytes[79] = std::byte{0xff};
    EXPECT_EQ(hex_dump(bytes),
              "00000  41 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00 |A...............|\n"
              "00010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00 |................|\n"
              "*\n"
              "00040  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 ff |................|\n");
}

TEST(ErrorDocument, LeavesOutWhatIsNotKnown) {
    const Error error = make_error(ErrorCode::Corruption, "bad")
                            .with_file("db/t.ibd")
                            .with_page(PageId{SpaceId{7}, PageNo{3}});
    EXPECT_EQ(error_document("verify", error).dump(),
              R"({"schema":"redoubt.verify.v1","error":{"code":"corruption","message":"bad",)"
              R"("file":"db/t.ibd","space":7,"page":3}})");
    EXPECT_EQ(error_document("", error)["schema"], "redoubt.usage.v1");
}

}  // namespace
}  // namespace redoubt::cli
