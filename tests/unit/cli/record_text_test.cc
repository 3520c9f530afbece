#include "cli/record_text.h"

#include <gtest/gtest.h>

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

namespace redoubt::cli {
namespace {

std::vector<std::byte> bytes(std::initializer_list<unsigned> values) {
    std::vector<std::byte> result;
    for (const unsigned value : values) {
        result.push_back(static_cast<std::byte>(value));
    }
    return result;
}

/// The texts of all records of one mini-transaction.
std::vector<std::string> texts(const std::vector<std::byte>& mtr) {
    std::vector<std::string> lines;
    RecordDescriber describer;
    redo::RecordReader reader(mtr);
    while (true) {
        auto record = reader.next();
        if (!record) {
            ADD_FAILURE() << record.error().to_string();
            return lines;
        }
        if (!*record) {
            return lines;
        }
        lines.push_back(describer.text(**record));
    }
}

TEST(RecordDescriber, CountsSamePageOffsetsFromTheEndOfTheRecordBefore) {
    EXPECT_EQ(texts(bytes({
                  0x35, 5, 3, 50, 0xaa, 0xbb,  // WRITE 5:3 at 50, 2 bytes
                  0xb2, 8, 0xcc,               // same page, 8 after the end: 60, 1 byte
                  0xc3, 0, 16, 0,              // MEMSET right behind: 61, 16 bytes
                  0xd3, 3, 4, 1,               // MEMMOVE to 80, 4 bytes, from 80 - 0 - 1
              })),
              (std::vector<std::string>{
                  "WRITE 5:3 offset 50 length 2", "WRITE 5:3 offset 60 length 1",
                  "MEMSET 5:3 offset 61 length 16", "MEMMOVE 5:3 offset 80 length 4 from 79"}));
}

TEST(RecordDescriber, AfterInitPageOffsetsCountFromThePageType) {
    EXPECT_EQ(texts(bytes({0x12, 5, 3, 0xb3, 0, 0x45, 0xbf})),
              (std::vector<std::string>{"INIT_PAGE 5:3", "WRITE 5:3 offset 24 length 2"}));
}

TEST(RecordDescriber, NamesFilesAndTheCheckpoint) {
    EXPECT_EQ(texts(bytes({0x8b, 7, 0, '.', '/', 'd', '/', 't', '.', 'i', 'b', 'd'})),
              (std::vector<std::string>{"FILE_CREATE space 7 ./d/t.ibd"}));
    EXPECT_EQ(texts(bytes({0xfa, 0, 0, 0, 0, 0, 0, 0, 0, 0x30, 0})),
              (std::vector<std::string>{"FILE_CHECKPOINT lsn 12288"}));
}

TEST(RecordDescriber, MalformedOperandsGiveTheirSizeOnly) {
    // WRITE whose offset varint is cut short.
    const auto body = bytes({0xe0});
    redo::Record record{.type = redo::RecordType::Write,
                        .same_page = false,
                        .page = {SpaceId{5}, PageNo{3}},
                        .body = body,
                        .name = {},
                        .new_name = {},
                        .checkpoint = {},
                        .offset = 0,
                        .length = 4};
    EXPECT_EQ(RecordDescriber().text(record), "WRITE 5:3 operands 1 bytes");
    EXPECT_FALSE(RecordDescriber().json(record).contains("offset"));
}

}  // namespace
}  // namespace redoubt::cli
