#include "page/checksum.h"

#include <zlib.h>

#include <cstring>

#include "base/crc32c.h"
#include "page/header.h"

namespace redoubt::page {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::uint32_t kNoChecksum = 0xDEADBEEF;  // innodb_checksum_algorithm=none
constexpr std::size_t kCoveredBegin = 4;
constexpr std::size_t kCoveredEnd = 26;
constexpr std::uint16_t kCompressedBit = 0x8000;

std::uint32_t word(Bytes page, std::size_t at) { return load_be<std::uint32_t>(page.data() + at); }

/// Legacy hash of servers before crc32 (InnoDB: ut_fold_binary); docs/formats/checksums.md#innodb.
std::uint32_t fold(Bytes bytes) {
    constexpr std::uint32_t kMask1 = 1653893711;
    constexpr std::uint32_t kMask2 = 1463735687;
    std::uint32_t value = 0;
    for (const std::byte b : bytes) {
        const auto byte = std::to_integer<std::uint32_t>(b);
        value = (((((value ^ byte ^ kMask1) << 8) + value) ^ kMask2) + byte);
    }
    return value;
}

/// Adler-32 started with 0, as zlib continues one.
std::uint32_t adler(std::uint32_t seed, Bytes bytes) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): zlib takes unsigned char*
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    return static_cast<std::uint32_t>(adler32(seed, data, static_cast<uInt>(bytes.size())));
}

bool zero_but_for_26_to_33(Bytes page) {
    return all_zero(page.first(26)) && all_zero(page.subspan(34));
}

struct Report {
    std::uint32_t* expected;
    std::uint32_t* found;
    ChecksumResult mismatch(std::uint32_t want, std::uint32_t have) const {
        if (expected != nullptr) {
            *expected = want;
        }
        if (found != nullptr) {
            *found = have;
        }
        return ChecksumResult::Mismatch;
    }
};

ChecksumResult check_full(Bytes page, const Report& report) {
    const std::uint32_t size = full_crc32_stored_size(page);
    if (size == 0) {
        return report.mismatch(0, Header::Type::get(page));
    }
    const std::uint32_t stored = word(page, size - 4);
    if (stored == 0 && size == page.size() && all_zero(page)) {
        return ChecksumResult::AllZero;
    }
    const std::uint32_t computed = crc32c(page.first(size - 4));
    if (stored != computed) {
        return report.mismatch(computed, stored);
    }
    const bool compressed = (Header::Type::get(page) & kCompressedBit) != 0;
    if (!compressed && Header::KeyVersion::get(page) == 0 &&
        word(page, 20) != word(page, page.size() - 8)) {
        return report.mismatch(word(page, 20), word(page, page.size() - 8));
    }
    return ChecksumResult::Ok;
}

/// The non-strict rule: any of the historic checksums, but not half of one and half of another.
bool matches_any_known(Bytes page, std::uint32_t field1, std::uint32_t field2,
                       const Report& report) {
    if (field1 == kNoChecksum && field2 == kNoChecksum) {
        return true;
    }
    std::optional<std::uint32_t> crc;
    const auto computed = [&] {
        if (!crc) {
            crc = crc32_checksum(page);
        }
        return *crc;
    };
    if (field2 != word(page, 16) && field2 != kNoChecksum && field2 != computed() &&
        field2 != innodb_old_checksum(page)) {
        report.mismatch(computed(), field2);
        return false;
    }
    if (field1 != 0 && field1 != kNoChecksum && field1 != computed() &&
        field1 != innodb_new_checksum(page)) {
        report.mismatch(computed(), field1);
        return false;
    }
    if (crc && (field1 == *crc) != (field2 == *crc)) {
        report.mismatch(*crc, field1 == *crc ? field2 : field1);
        return false;
    }
    return true;
}

ChecksumResult check_old(Bytes page, Strictness strictness, const Report& report) {
    const std::size_t trailer = page.size() - kTrailerSize;
    if (word(page, 20) != word(page, trailer + 4)) {
        return report.mismatch(word(page, 20), word(page, trailer + 4));
    }
    const std::uint32_t field1 = word(page, 0);
    const std::uint32_t field2 = word(page, trailer);
    if (field1 == 0 && field2 == 0 && zero_but_for_26_to_33(page)) {
        return ChecksumResult::AllZero;
    }
    if (strictness == Strictness::Crc32Only) {
        const std::uint32_t computed = crc32_checksum(page);
        return field1 == computed && field2 == computed
                   ? ChecksumResult::Ok
                   : report.mismatch(computed, field1 == computed ? field2 : field1);
    }
    return matches_any_known(page, field1, field2, report) ? ChecksumResult::Ok
                                                           : ChecksumResult::Mismatch;
}

ChecksumResult check_zip(Bytes page, Strictness strictness, const Report& report) {
    const std::uint32_t stored = word(page, 0);
    if (stored == 0 && all_zero(page)) {
        return ChecksumResult::AllZero;
    }
    const std::uint32_t computed = zip_crc32_checksum(page);
    if (stored == computed || (strictness == Strictness::AnyKnown &&
                               (stored == kNoChecksum || stored == zip_innodb_checksum(page)))) {
        return ChecksumResult::Ok;
    }
    return report.mismatch(computed, stored);
}

}  // namespace

std::uint32_t crc32_checksum(Bytes page) {
    return crc32c(page.subspan(kCoveredBegin, kCoveredEnd - kCoveredBegin)) ^
           crc32c(page.subspan(kHeaderSize, page.size() - kTrailerSize - kHeaderSize));
}
std::uint32_t innodb_new_checksum(Bytes page) {
    return fold(page.subspan(kCoveredBegin, kCoveredEnd - kCoveredBegin)) +
           fold(page.subspan(kHeaderSize, page.size() - kTrailerSize - kHeaderSize));
}
std::uint32_t innodb_old_checksum(Bytes page) { return fold(page.first(kCoveredEnd)); }

std::uint32_t zip_crc32_checksum(Bytes page) {
    return crc32c(page.subspan(4, 12)) ^ crc32c(page.subspan(24, 2)) ^ crc32c(page.subspan(34));
}
std::uint32_t zip_innodb_checksum(Bytes page) {
    return adler(adler(adler(0, page.subspan(4, 12)), page.subspan(24, 2)), page.subspan(34));
}

bool all_zero(Bytes bytes) {
    return bytes.empty() || (bytes[0] == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::uint32_t full_crc32_stored_size(Bytes page) {
    const std::uint16_t type = Header::Type::get(page);
    if ((type & kCompressedBit) == 0) {
        return static_cast<std::uint32_t>(page.size());
    }
    const std::uint32_t size = static_cast<std::uint32_t>(type & ~kCompressedBit) << 8;
    return size > kHeaderSize && size < page.size() ? size : 0;
}

ChecksumResult check_stored(Bytes page, const TablespaceFlags& flags, Strictness strictness,
                            std::uint32_t* expected, std::uint32_t* found) {
    const Report report{expected, found};
    if (flags.full_crc32) {
        return check_full(page, report);
    }
    if (flags.row_compressed) {
        return check_zip(page, strictness, report);
    }
    const auto type = static_cast<PageType>(Header::Type::get(page));
    if (flags.page_compressed &&
        (type == PageType::PageCompressed || type == PageType::PageCompressedEncrypted)) {
        return ChecksumResult::Ok;
    }
    return check_old(page, strictness, report);
}

ChecksumResult check_post_encryption(Bytes page, const TablespaceFlags& flags) {
    const std::uint32_t stored = Header::PostEncryption::get(page);
    return stored == (flags.row_compressed ? zip_crc32_checksum(page) : crc32_checksum(page))
               ? ChecksumResult::Ok
               : ChecksumResult::Mismatch;
}

void seal(std::span<std::byte> page, const TablespaceFlags& flags) {
    if (flags.row_compressed) {
        store_be(page.data(), zip_crc32_checksum(page));
        return;
    }
    const std::size_t trailer = page.size() - kTrailerSize;
    const std::uint32_t lsn = word(page, 20);
    if (flags.full_crc32) {
        store_be(page.data() + trailer, lsn);
        store_be(page.data() + trailer + 4, crc32c(page.first(page.size() - 4)));
        return;
    }
    store_be(page.data() + trailer + 4, lsn);
    const std::uint32_t checksum = crc32_checksum(page);
    store_be(page.data(), checksum);
    store_be(page.data() + trailer, checksum);
}

}  // namespace redoubt::page
