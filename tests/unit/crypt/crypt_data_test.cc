#include "crypt/crypt_data.h"

#include <gtest/gtest.h>

#include <vector>

#include "unit/hex.h"

namespace redoubt::crypt {
namespace {

// spec/checksums-encryption-compression.md 9.2: bytes at 10428 of an ENCRYPTED=YES table.
constexpr std::string_view kReal =
    "730e0c52457401108f6ccd25c9e708c778ea5f01004584b4000000010000000101";

TEST(CryptData, ReadsTheMetadataOfARealTable) {
    const auto data = CryptData::decode(test::from_hex(kReal));
    ASSERT_TRUE(data) << data.error().to_string();
    ASSERT_TRUE(data->has_value());
    EXPECT_TRUE((*data)->encrypts());
    EXPECT_EQ(test::to_hex((*data)->iv), "8f6ccd25c9e708c778ea5f01004584b4");
    EXPECT_EQ((*data)->min_key_version, 1U);
    EXPECT_EQ((*data)->key_id, 1U);
    EXPECT_EQ((*data)->option, CryptData::Option::On);
}

TEST(CryptData, WritesTheSameBytes) {
    const auto data = CryptData::decode(test::from_hex(kReal));
    std::array<std::byte, CryptData::kSize> bytes{};
    (**data).encode(bytes);
    EXPECT_EQ(test::to_hex(bytes), kReal);
}

TEST(CryptData, TableWithEncryptionOffHasASchemeOfNone) {
    std::vector<std::byte> bytes = test::from_hex(kReal);
    bytes[6] = std::byte{0};
    bytes[32] = std::byte{2};
    const auto data = CryptData::decode(bytes);
    ASSERT_TRUE(data && data->has_value());
    EXPECT_FALSE((*data)->encrypts());
    EXPECT_EQ((*data)->option, CryptData::Option::Off);
}

TEST(CryptData, IsAbsentWithoutTheMagicNumber) {
    const std::vector<std::byte> real = test::from_hex(kReal);
    for (std::size_t at = 0; at < 6; ++at) {
        std::vector<std::byte> bytes = real;
        bytes[at] ^= std::byte{1};
        const auto data = CryptData::decode(bytes);
        ASSERT_TRUE(data) << at;
        EXPECT_FALSE(data->has_value()) << at;
    }
}

TEST(CryptData, IsAbsentWhereThereIsNoRoomForIt) {
    const std::vector<std::byte> real = test::from_hex(kReal);
    for (std::size_t size = 0; size < CryptData::kSize; ++size) {
        const auto data = CryptData::decode(std::span(real).first(size));
        ASSERT_TRUE(data) << size;
        EXPECT_FALSE(data->has_value()) << size;
    }
}

TEST(CryptData, ValuesOutsideTheFormatAreCorruption) {
    const std::vector<std::byte> real = test::from_hex(kReal);
    const std::pair<std::size_t, std::byte> kWrong[] = {
        {6, std::byte{2}},                          // scheme
        {7, std::byte{15}}, {7, std::byte{17}},     // IV length
        {32, std::byte{3}}, {32, std::byte{0xFF}},  // option
    };
    for (const auto& [at, value] : kWrong) {
        std::vector<std::byte> bytes = real;
        bytes[at] = value;
        const auto data = CryptData::decode(bytes);
        ASSERT_FALSE(data) << at;
        EXPECT_EQ(data.error().code(), ErrorCode::Corruption);
    }
}

}  // namespace
}  // namespace redoubt::crypt
