#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string_view>
#include <vector>

namespace redoubt {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

// Vectors of shared/spec/checksums-encryption-compression.md section 1.1.
TEST(Crc32c, GivesTheKnownValues) {
    EXPECT_EQ(crc32c({}), 0U);
    EXPECT_EQ(crc32c(bytes_of("a")), 0xC1D04330U);
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8A9136AAU);
    EXPECT_EQ(crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43U);
    EXPECT_EQ(crc32c(std::vector<std::byte>(16380)), 0xDD9E4F5AU);
}

TEST(Crc32c, PortableAndFastAgreeOnEveryLengthAndAlignment) {
    std::mt19937 random(1);
    std::vector<std::byte> data(5000);
    for (std::byte& b : data) {
        b = static_cast<std::byte>(random());
    }
    for (std::size_t start = 0; start < 9; ++start) {
        for (std::size_t length = 0; length + start < data.size(); length += 1 + length / 9) {
            const auto part = std::span<const std::byte>(data).subspan(start, length);
            ASSERT_EQ(crc32c(part), crc32c_portable(part)) << start << "+" << length;
        }
    }
}

TEST(Crc32c, Chains) {
    const auto all = bytes_of("the quick brown fox jumps over the lazy dog");
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all));
        EXPECT_EQ(crc32c_portable(all.subspan(cut), crc32c_portable(all.first(cut))), crc32c(all));
    }
}

TEST(Crc32c, IsTakenBackByteByByte) {
    std::mt19937 random(2);
    std::vector<std::byte> data(2000);
    for (std::byte& b : data) {
        b = static_cast<std::byte>(random());
    }
    std::uint32_t crc = crc32c(data);
    for (std::size_t length = data.size(); length > 0; --length) {
        crc = crc32c_without(data[length - 1], crc);
        ASSERT_EQ(crc, crc32c(std::span(data).first(length - 1))) << length;
    }
}

}  // namespace
}  // namespace redoubt
