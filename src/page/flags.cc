#include "page/flags.h"

#include <bit>

namespace redoubt::page {
namespace {

/// Bits of the full_crc32 format.
struct FullBits {
    static constexpr std::uint32_t kPageSizeMask = 0xF;
    static constexpr std::uint32_t kMarker = 1U << 4;  // never set in a valid old-format value
    static constexpr unsigned kAlgorithmShift = 5;
    static constexpr std::uint32_t kAlgorithmMax = 6;
};

/// Bits of the old format.
struct OldBits {
    static constexpr std::uint32_t kPostAntelope = 1U << 0;
    static constexpr unsigned kZipShift = 1;
    static constexpr std::uint32_t kAtomicBlobs = 1U << 5;
    static constexpr unsigned kPageSizeShift = 6;
    static constexpr std::uint32_t kDataDirectory = 1U << 10;
    static constexpr std::uint32_t kMySqlEncryption = 1U << 13;
    static constexpr std::uint32_t kMySqlSdi = 1U << 14;
    static constexpr std::uint32_t kPageCompression = 1U << 16;
    static constexpr std::uint32_t kKnown = 0x7FF | kPageCompression;
};

constexpr std::uint32_t kDefaultSizeShift = 5;  // 512 << 5 = 16 KiB

bool valid_size_shift(std::uint32_t shift) { return shift >= 3 && shift <= 7; }

/// The checks on zip size that both old layouts share; `page_shift` 0 means 16 KiB.
bool valid_zip(std::uint32_t zip_shift, std::uint32_t page_shift, bool post_antelope,
               bool atomic_blobs) {
    return zip_shift == 0 || (zip_shift <= (page_shift == 0 ? kDefaultSizeShift : page_shift) &&
                              zip_shift <= kDefaultSizeShift && post_antelope && atomic_blobs);
}

Result<TablespaceFlags> decode_full(std::uint32_t raw) {
    const std::uint32_t shift = raw & FullBits::kPageSizeMask;
    const std::uint32_t algorithm = raw >> FullBits::kAlgorithmShift;
    if (!valid_size_shift(shift) || algorithm > FullBits::kAlgorithmMax) {
        return make_error(ErrorCode::Corruption, "tablespace flags {:#x} are not valid", raw);
    }
    TablespaceFlags flags;
    flags.full_crc32 = true;
    flags.logical_page_size = flags.physical_page_size = 512U << shift;
    flags.algorithm = static_cast<CompressionAlgorithm>(algorithm);
    flags.page_compressed = algorithm != 0;
    return flags;
}

bool valid_old(std::uint32_t raw) {
    const std::uint32_t page_shift = (raw >> OldBits::kPageSizeShift) & 0xF;
    const bool post_antelope = (raw & OldBits::kPostAntelope) != 0;
    const bool atomic_blobs = (raw & OldBits::kAtomicBlobs) != 0;
    return (raw & ~OldBits::kKnown) == 0 && (!atomic_blobs || post_antelope) &&
           (page_shift == 0 || (valid_size_shift(page_shift) && page_shift != kDefaultSizeShift)) &&
           valid_zip((raw >> OldBits::kZipShift) & 0xF, page_shift, post_antelope, atomic_blobs);
}

/// MariaDB 10.1.0 to 10.1.20 stored another layout; gives the value they should have stored.
std::optional<std::uint32_t> convert_from_10_1(std::uint32_t raw) {
    const bool compressed = (raw & (1U << 6)) != 0;
    const std::uint32_t level = (raw >> 7) & 0xF;
    const std::uint32_t atomic_writes = (raw >> 11) & 3;
    const std::uint32_t page_shift = (raw >> 13) & 0xF;
    const std::uint32_t converted = (raw & 0x3F) | page_shift << OldBits::kPageSizeShift |
                                    (compressed ? OldBits::kPageCompression : 0);
    if (raw >> 18 != 0 || compressed != (level != 0) || level > 9 || atomic_writes == 3 ||
        !valid_old(converted)) {
        return std::nullopt;
    }
    return converted;
}

}  // namespace

std::string_view name_of(CompressionAlgorithm algorithm) {
    switch (algorithm) {
        case CompressionAlgorithm::Zlib:
            return "zlib";
        case CompressionAlgorithm::Lz4:
            return "lz4";
        case CompressionAlgorithm::Lzo:
            return "lzo";
        case CompressionAlgorithm::Lzma:
            return "lzma";
        case CompressionAlgorithm::Bzip2:
            return "bzip2";
        case CompressionAlgorithm::Snappy:
            return "snappy";
        case CompressionAlgorithm::None:
            break;
    }
    return "none";
}

Result<TablespaceFlags> TablespaceFlags::decode(std::uint32_t raw) {
    if ((raw & FullBits::kMarker) != 0 &&
        raw >> FullBits::kAlgorithmShift <= FullBits::kAlgorithmMax) {
        return decode_full(raw);
    }
    TablespaceFlags flags;
    if (!valid_old(raw)) {
        const auto converted = convert_from_10_1(raw);
        if (!converted) {
            if ((raw & (OldBits::kMySqlEncryption | OldBits::kMySqlSdi)) != 0 &&
                (raw & FullBits::kMarker) == 0) {
                return make_error(ErrorCode::Unsupported,
                                  "tablespace flags {:#x} are those of MySQL {}", raw,
                                  (raw & OldBits::kMySqlSdi) != 0 ? "8.0" : "5.7 with encryption");
            }
            return make_error(ErrorCode::Corruption, "tablespace flags {:#x} are not valid", raw);
        }
        raw = *converted;
        flags.converted_from_10_1 = true;
    }
    const std::uint32_t page_shift = (raw >> OldBits::kPageSizeShift) & 0xF;
    const std::uint32_t zip_shift = (raw >> OldBits::kZipShift) & 0xF;
    flags.logical_page_size = 512U << (page_shift == 0 ? kDefaultSizeShift : page_shift);
    flags.row_compressed = zip_shift != 0;
    flags.physical_page_size = zip_shift == 0 ? flags.logical_page_size : 512U << zip_shift;
    flags.post_antelope = (raw & OldBits::kPostAntelope) != 0;
    flags.atomic_blobs = (raw & OldBits::kAtomicBlobs) != 0;
    flags.data_directory = (raw & OldBits::kDataDirectory) != 0;
    flags.page_compressed = (raw & OldBits::kPageCompression) != 0;
    return flags;
}

std::uint32_t TablespaceFlags::encode() const {
    const auto page_shift = static_cast<std::uint32_t>(std::countr_zero(logical_page_size)) - 9;
    if (full_crc32) {
        return page_shift | FullBits::kMarker |
               static_cast<std::uint32_t>(algorithm) << FullBits::kAlgorithmShift;
    }
    std::uint32_t raw = page_shift == kDefaultSizeShift ? 0 : page_shift << OldBits::kPageSizeShift;
    if (row_compressed) {
        raw |= (static_cast<std::uint32_t>(std::countr_zero(physical_page_size)) - 9)
               << OldBits::kZipShift;
    }
    raw |= post_antelope ? OldBits::kPostAntelope : 0;
    raw |= atomic_blobs ? OldBits::kAtomicBlobs : 0;
    raw |= page_compressed ? OldBits::kPageCompression : 0;
    return raw;  // DATA_DIRECTORY is ignored on read and written as 0
}

std::uint32_t TablespaceFlags::extent_pages() const {
    constexpr std::uint32_t kMiB = 1U << 20;
    return logical_page_size < 16384 ? kMiB / logical_page_size : 64;
}

std::uint32_t TablespaceFlags::descriptor_size() const { return 24 + extent_pages() / 4; }

std::uint32_t TablespaceFlags::crypt_data_offset() const {
    return 38 + 150 + descriptor_size() * (physical_page_size / extent_pages());
}

std::string TablespaceFlags::to_string() const {
    std::string text =
        fmt::format("{}k {}", logical_page_size / 1024, full_crc32 ? "full_crc32" : "crc32");
    if (row_compressed) {
        text += fmt::format(" row_format=compressed {}k", physical_page_size / 1024);
    }
    if (page_compressed) {
        text += full_crc32 ? fmt::format(" page_compressed {}", name_of(algorithm))
                           : " page_compressed";
    }
    return text;
}

}  // namespace redoubt::page
