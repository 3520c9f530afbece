// Page 1 of PAGE_COMPRESSED tables made by MariaDB 10.11.19 with its default level (and one lzma
// table of level 9): full_crc32, 16k pages.
#include "space/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "unit/hex.h"

namespace redoubt::space {
namespace {

using page::CompressionAlgorithm;
using test::from_hex;
using test::to_hex;

constexpr std::size_t kPageSize = 16384;

std::string repeat(std::string_view hex, std::size_t count) {
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
        result += hex;
    }
    return result;
}

struct Vector {
    CompressionAlgorithm algorithm;
    std::uint8_t space;
    std::string_view lsn;  // low half
    std::string compressed;
    bool same_encoder = true;  // compress() gives the server's bytes
};

const std::vector<Vector>& vectors() {
    static const std::vector<Vector> kVectors = {
        {CompressionAlgorithm::Zlib, 5, "0000b245",
         "789cedc7b90d00201003c123a0b46b9806413c1214403813acec88a5f463df9651e37a37" +
             repeat("00", 15) + "f051cbd90174c709f2"},
        {CompressionAlgorithm::Lz4, 6, "0000e329",
         "120001002301ff0100020f0042e32900050a00010200110606000f0200" + repeat("ff", 63) +
             "fb60e32900000000"},
        {CompressionAlgorithm::Lzo, 7, "0001139b",
         "060000000000000001ffc0009c010201139b00058401b10007b80020000000000000000000000000"
         "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000e214000d00000000000000000001139b00000000110000"},
        {CompressionAlgorithm::Lzma, 8, "00014416",
         "fd377a585a000000ff12d94103c051808001210116000000d8accfece03fff00495d000069feb7f9"
         "618fd1e535e53d1432562622b608cb2924a95555c0099e003b55d9e8add17f28f8c90e060cabb383"
         "5428666b7276cfd1c5d52028858b12f82d1483732c1d40054bfebc00000000000001618080010000"
         "bc64805da8000afc020000000000595a",
         false},
        {CompressionAlgorithm::Lzma, 11, "0001d7c5",
         "fd377a585a000000ff12d94103c05180800121011c000000bc4c7283e03fff00495d000069feb7f9"
         "618ff752c9eb2c7d5307b9e889d1de80887d916289987afacdd2a53eae116e0eb1d2f4bb14ff3a9a"
         "dcce9f864127cde5784d15bdbbfa648b8e26f4b0d9c26a1df251a400000000000001618080010000"
         "bc64805da8000afc020000000000595a",
         false},
        {CompressionAlgorithm::Bzip2, 9, "000175ca",
         "425a68313141592653598349b1c70000034084eea0820000100008a0005440d03402a9a81309c862"
         "67a06eea50ccaa0e7dbbfa3b30f2c04851e2ee48a70a1210693638e0"},
        {CompressionAlgorithm::Snappy, 10, "0001a6f2",
         "808001000009010401ff0d01050f1001a6f20005050a0901000a0907" + repeat("fe0100", 255) +
             "3201001801a6f200000000"},
    };
    return kVectors;
}

/// The page before compression: an empty change buffer bitmap.
std::vector<std::byte> plain_of(const Vector& v) {
    std::vector<std::byte> page(kPageSize);
    test::put(page, 0, "0000000000000001ffffffffffffffff00000000");
    test::put(page, 20, v.lsn);
    test::put(page, 24, "0005");
    page[37] = std::byte{v.space};
    test::put(page, kPageSize - 8, v.lsn);
    return page;
}

constexpr CompressionAlgorithm kAlgorithms[] = {
    CompressionAlgorithm::Zlib, CompressionAlgorithm::Lz4,   CompressionAlgorithm::Lzo,
    CompressionAlgorithm::Lzma, CompressionAlgorithm::Bzip2, CompressionAlgorithm::Snappy};

/// Whether the end of the data is known from the data, so that more may follow.
bool self_delimiting(CompressionAlgorithm algorithm) {
    return algorithm == CompressionAlgorithm::Zlib || algorithm == CompressionAlgorithm::Lzma ||
           algorithm == CompressionAlgorithm::Bzip2;
}

std::vector<std::byte> noise(std::size_t size) {
    std::mt19937 random(1);
    std::vector<std::byte> bytes(size);
    for (std::byte& b : bytes) {
        b = static_cast<std::byte>(random());
    }
    return bytes;
}

TEST(Decompress, ReadsTheServersPages) {
    for (const Vector& v : vectors()) {
        SCOPED_TRACE(page::name_of(v.algorithm));
        std::vector<std::byte> page(kPageSize, std::byte{0xEE});
        const Status status = decompress(v.algorithm, from_hex(v.compressed), page);
        ASSERT_TRUE(status) << status.error().to_string();
        EXPECT_EQ(page, plain_of(v));
    }
}

TEST(Compress, WritesTheServersBytes) {
    for (const Vector& v : vectors()) {
        if (!v.same_encoder) {
            continue;
        }
        SCOPED_TRACE(page::name_of(v.algorithm));
        std::vector<std::byte> out(kPageSize);
        const Result<std::size_t> size = compress(v.algorithm, plain_of(v), out);
        ASSERT_TRUE(size) << size.error().to_string();
        EXPECT_EQ(to_hex(std::span(out).first(*size)), v.compressed);
    }
}

TEST(Compress, PagesOfAllSizesComeBack) {
    for (const CompressionAlgorithm algorithm : kAlgorithms) {
        SCOPED_TRACE(page::name_of(algorithm));
        for (std::size_t page_size = 4096; page_size <= 65536; page_size *= 2) {
            std::vector<std::byte> page = noise(page_size);
            std::fill(page.begin() + 100, page.end() - 100, std::byte{0x20});
            std::vector<std::byte> stored(page_size);
            const Result<std::size_t> size = compress(algorithm, page, stored);
            ASSERT_TRUE(size) << size.error().to_string();
            ASSERT_GT(*size, 0U);
            ASSERT_LT(*size, page_size);
            std::vector<std::byte> back(page_size);
            ASSERT_TRUE(decompress(algorithm, std::span(stored).first(*size), back));
            EXPECT_EQ(back, page);
        }
    }
}

TEST(Compress, WhatDoesNotFitGivesZeroAndLeavesTheBytesBehindAlone) {
    const std::vector<std::byte> page = noise(kPageSize);
    for (const CompressionAlgorithm algorithm : kAlgorithms) {
        SCOPED_TRACE(page::name_of(algorithm));
        for (const std::size_t room : {std::size_t{0}, std::size_t{1}, kPageSize - 1}) {
            std::vector<std::byte> out(kPageSize * 2, std::byte{0xEE});
            const Result<std::size_t> size = compress(algorithm, page, std::span(out).first(room));
            ASSERT_TRUE(size) << size.error().to_string();
            EXPECT_EQ(*size, 0U) << room;
            EXPECT_TRUE(std::all_of(out.begin() + static_cast<std::ptrdiff_t>(room), out.end(),
                                    [](std::byte b) { return b == std::byte{0xEE}; }));
        }
    }
}

TEST(Decompress, OtherSizesThanTheFullPageAreCorruption) {
    for (const Vector& v : vectors()) {
        SCOPED_TRACE(page::name_of(v.algorithm));
        for (const std::size_t size : {std::size_t{0}, kPageSize - 1, kPageSize + 1}) {
            std::vector<std::byte> page(size);
            const Status status = decompress(v.algorithm, from_hex(v.compressed), page);
            ASSERT_FALSE(status) << size;
            EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
        }
    }
}

TEST(Decompress, CutDataIsCorruption) {
    for (const Vector& v : vectors()) {
        SCOPED_TRACE(page::name_of(v.algorithm));
        const std::vector<std::byte> whole = from_hex(v.compressed);
        std::vector<std::byte> page(kPageSize);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            // A buffer of exactly this size, so that a sanitizer sees reads past it.
            const std::vector<std::byte> cut(whole.data(), whole.data() + size);
            const Status status = decompress(v.algorithm, cut, page);
            ASSERT_FALSE(status) << size;
            EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
        }
    }
}

TEST(Decompress, OnlySelfDelimitingDataMayBeFollowedByOtherBytes) {
    for (const Vector& v : vectors()) {
        SCOPED_TRACE(page::name_of(v.algorithm));
        std::vector<std::byte> longer = from_hex(v.compressed);
        longer.insert(longer.end(), 60, std::byte{0xEE});
        std::vector<std::byte> page(kPageSize);
        EXPECT_EQ(decompress(v.algorithm, longer, page).has_value(), self_delimiting(v.algorithm));
    }
}

TEST(Compression, NeedsAnAlgorithm) {
    std::vector<std::byte> page(kPageSize);
    std::vector<std::byte> out(kPageSize);
    const Status status = decompress(CompressionAlgorithm::None, page, out);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
    const Result<std::size_t> size = compress(CompressionAlgorithm::None, page, out);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().code(), ErrorCode::Internal);
}

TEST(Compression, ThreadsShareTheLibraries) {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
        threads.emplace_back([] {
            for (const Vector& v : vectors()) {
                std::vector<std::byte> page(kPageSize);
                EXPECT_TRUE(decompress(v.algorithm, from_hex(v.compressed), page));
                EXPECT_EQ(page, plain_of(v));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace redoubt::space
