// Values of spec/tablespaces-and-pages.md 5.1, seen in files of 10.11.19.
#include "page/flags.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace redoubt::page {
namespace {

TablespaceFlags decoded(std::uint32_t raw) {
    const Result<TablespaceFlags> flags = TablespaceFlags::decode(raw);
    EXPECT_TRUE(flags) << flags.error().to_string();
    return flags ? *flags : TablespaceFlags{};
}

ErrorCode refusal(std::uint32_t raw) {
    const Result<TablespaceFlags> flags = TablespaceFlags::decode(raw);
    EXPECT_FALSE(flags) << fmt::format("{:#x} was taken for {}", raw, flags->to_string());
    return flags ? ErrorCode::Internal : flags.error().code();
}

/// Each value that a server of 10.11 writes on page 0, from its options: page size, row format,
/// page compression.
std::vector<std::uint32_t> values_a_server_writes() {
    std::vector<std::uint32_t> values;
    for (std::uint32_t shift = 3; shift <= 7; ++shift) {
        for (std::uint32_t algorithm = 0; algorithm <= 6; ++algorithm) {
            values.push_back(shift | 1U << 4 | algorithm << 5);
        }
        const std::uint32_t size = shift == 5 ? 0 : shift << 6;
        values.push_back(size);                    // REDUNDANT, COMPACT, system, undo
        values.push_back(size | 0x21);             // DYNAMIC
        values.push_back(size | 0x21 | 1U << 16);  // DYNAMIC, page compressed
        values.push_back(size | 1U << 16);         // COMPACT, page compressed
        for (std::uint32_t zip = 1; shift <= 5 && zip <= shift; ++zip) {
            values.push_back(size | 0x21 | zip << 1);  // COMPRESSED
        }
    }
    return values;
}

TEST(TablespaceFlags, EveryValueAServerWritesSurvivesDecodingAndEncoding) {
    const std::vector<std::uint32_t> values = values_a_server_writes();
    EXPECT_EQ(std::set(values.begin(), values.end()).size(), values.size());
    for (const std::uint32_t raw : values) {
        SCOPED_TRACE(fmt::format("{:#x}", raw));
        const TablespaceFlags flags = decoded(raw);
        EXPECT_EQ(flags.encode(), raw);
        EXPECT_FALSE(flags.converted_from_10_1);
        EXPECT_LE(flags.physical_page_size, flags.logical_page_size);
        EXPECT_EQ(decoded(flags.encode()), flags);
    }
}

TEST(TablespaceFlags, Full16k) {
    const TablespaceFlags flags = decoded(0x15);
    EXPECT_TRUE(flags.full_crc32);
    EXPECT_EQ(flags.logical_page_size, 16384U);
    EXPECT_EQ(flags.physical_page_size, 16384U);
    EXPECT_FALSE(flags.page_compressed);
    EXPECT_EQ(flags.algorithm, CompressionAlgorithm::None);
    EXPECT_EQ(flags.to_string(), "16k full_crc32");
}

TEST(TablespaceFlags, FullFormatNamesThePageSize) {
    EXPECT_EQ(decoded(0x13).logical_page_size, 4096U);
    EXPECT_EQ(decoded(0x14).logical_page_size, 8192U);
    EXPECT_EQ(decoded(0x16).logical_page_size, 32768U);
    EXPECT_EQ(decoded(0x17).logical_page_size, 65536U);
}

TEST(TablespaceFlags, FullFormatNamesTheCompressionAlgorithm) {
    const std::pair<std::uint32_t, CompressionAlgorithm> kValues[] = {
        {0x35, CompressionAlgorithm::Zlib},  {0x55, CompressionAlgorithm::Lz4},
        {0x75, CompressionAlgorithm::Lzo},   {0x95, CompressionAlgorithm::Lzma},
        {0xB5, CompressionAlgorithm::Bzip2}, {0xD5, CompressionAlgorithm::Snappy}};
    for (const auto& [raw, algorithm] : kValues) {
        EXPECT_TRUE(decoded(raw).page_compressed);
        EXPECT_EQ(decoded(raw).algorithm, algorithm) << name_of(algorithm);
    }
    EXPECT_EQ(decoded(0x35).to_string(), "16k full_crc32 page_compressed zlib");
}

TEST(TablespaceFlags, OldFormatDynamic) {
    const TablespaceFlags flags = decoded(33);
    EXPECT_FALSE(flags.full_crc32);
    EXPECT_TRUE(flags.post_antelope);
    EXPECT_TRUE(flags.atomic_blobs);
    EXPECT_FALSE(flags.row_compressed);
    EXPECT_EQ(flags.logical_page_size, 16384U);
    EXPECT_EQ(flags.to_string(), "16k crc32");
}

TEST(TablespaceFlags, OldFormatCompressedRows) {
    std::uint32_t size = 1024;
    for (const std::uint32_t raw : {35U, 37U, 39U, 41U, 43U}) {
        const TablespaceFlags flags = decoded(raw);
        EXPECT_TRUE(flags.row_compressed);
        EXPECT_EQ(flags.physical_page_size, size);
        EXPECT_EQ(flags.logical_page_size, 16384U);
        size *= 2;
    }
    EXPECT_EQ(decoded(41).to_string(), "16k crc32 row_format=compressed 8k");
}

TEST(TablespaceFlags, OldFormatPageCompressed) {
    const TablespaceFlags flags = decoded(0x10021);
    EXPECT_TRUE(flags.page_compressed);
    EXPECT_EQ(flags.algorithm, CompressionAlgorithm::None);  // each page names its own
    EXPECT_EQ(flags.to_string(), "16k crc32 page_compressed");
}

TEST(TablespaceFlags, DataDirectoryBitIsReadAndNeverWritten) {
    const TablespaceFlags flags = decoded(0x421);
    EXPECT_TRUE(flags.data_directory);
    EXPECT_EQ(flags.encode(), 0x21U);
}

TEST(TablespaceFlags, LayoutOf10_1IsConverted) {
    // 0x361: a page_compressed table at level 6; the server restamps it with 0x10021.
    const TablespaceFlags flags = decoded(0x361);
    EXPECT_TRUE(flags.converted_from_10_1);
    EXPECT_TRUE(flags.page_compressed);
    EXPECT_EQ(flags.encode(), 0x10021U);
    // 64 KiB pages and atomic writes, COMPACT: PAGE_SSIZE at 13, ATOMIC_WRITES at 11.
    EXPECT_EQ(decoded(7U << 13 | 1U << 11).encode(), 7U << 6);
}

TEST(TablespaceFlags, LayoutOf10_1IsCheckedToo) {
    EXPECT_EQ(refusal(0x21 | 1U << 6), ErrorCode::Corruption);    // compressed, no level
    EXPECT_EQ(refusal(0x21 | 6U << 7), ErrorCode::Corruption);    // level, not compressed
    EXPECT_EQ(refusal(0x361 | 8U << 7), ErrorCode::Corruption);   // level 14
    EXPECT_EQ(refusal(0x361 | 3U << 11), ErrorCode::Corruption);  // atomic writes 3
    EXPECT_EQ(refusal(0x361 | 1U << 18), ErrorCode::Corruption);  // bits beyond
    EXPECT_EQ(refusal(0x360), ErrorCode::Corruption);             // bit 5 without bit 0
}

TEST(TablespaceFlags, ImpossibleValuesAreRefused) {
    for (const std::uint32_t raw : {0x10U, 0x11U, 0x12U, 0x18U, 0x1FU, 0xF5U}) {
        EXPECT_EQ(refusal(raw), ErrorCode::Corruption) << fmt::format("{:#x}", raw);
    }
    EXPECT_EQ(refusal(0x20), ErrorCode::Corruption);            // bit 5 without bit 0
    EXPECT_EQ(refusal(0x21 | 8U << 6), ErrorCode::Corruption);  // 128 KiB
    EXPECT_EQ(refusal(1U | 2U << 1), ErrorCode::Corruption);    // zip size without DYNAMIC
    EXPECT_EQ(refusal(0x21 | 4U << 6 | 5U << 1), ErrorCode::Corruption);  // 16 KiB in 8 KiB pages
    EXPECT_EQ(refusal(0x80000021), ErrorCode::Corruption);
}

TEST(TablespaceFlags, FilesOfMySqlAreNamedAsSuch) {
    EXPECT_EQ(refusal(0x2021), ErrorCode::Unsupported);  // 5.7 with encryption
    EXPECT_EQ(refusal(0x4021), ErrorCode::Unsupported);  // 8.0
    EXPECT_NE(TablespaceFlags::decode(0x4021).error().message().find("MySQL 8.0"),
              std::string::npos);
}

TEST(TablespaceFlags, ExtentsAreAMebibyteOr64Pages) {
    const std::tuple<std::uint32_t, std::uint32_t, std::uint32_t> kSizes[] = {
        {0x13, 256, 88}, {0x14, 128, 56}, {0x15, 64, 40}, {0x16, 64, 40}, {0x17, 64, 40}};
    for (const auto& [raw, pages, descriptor] : kSizes) {
        EXPECT_EQ(decoded(raw).extent_pages(), pages);
        EXPECT_EQ(decoded(raw).descriptor_size(), descriptor);
    }
    EXPECT_EQ(decoded(35).extent_pages(), 64U);  // by the logical page size
}

TEST(TablespaceFlags, EncryptionMetadataFollowsTheDescriptors) {
    const std::pair<std::uint32_t, std::uint32_t> kOffsets[] = {
        {0x13, 1596}, {0x14, 3772}, {0x15, 10428}, {0x16, 20668}, {0x17, 41148}, {33, 10428},
        {35, 828},    {37, 1468},   {39, 2748},    {41, 5308},    {43, 10428}};
    for (const auto& [raw, offset] : kOffsets) {
        EXPECT_EQ(decoded(raw).crypt_data_offset(), offset) << fmt::format("{:#x}", raw);
    }
}

}  // namespace
}  // namespace redoubt::page
