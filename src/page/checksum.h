/// Page checksums of every kind, as pure functions over the stored bytes.
/// Format: docs/formats/checksums.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "page/flags.h"

namespace redoubt::page {

/// What a reader accepts in files that are not full_crc32 (innodb_checksum_algorithm's strict_*).
enum class Strictness : std::uint8_t { AnyKnown, Crc32Only };

std::uint32_t crc32_checksum(std::span<const std::byte> page);  ///< old format
std::uint32_t innodb_new_checksum(std::span<const std::byte> page);
/// Computed after field 0 has its final value.
std::uint32_t innodb_old_checksum(std::span<const std::byte> page);
std::uint32_t zip_crc32_checksum(std::span<const std::byte> page);  ///< ROW_FORMAT=COMPRESSED
std::uint32_t zip_innodb_checksum(std::span<const std::byte> page);

/// True when every byte is zero.
bool all_zero(std::span<const std::byte> bytes);

/// Bytes of a full_crc32 page that are stored: the page size, or less when it is compressed.
/// 0 = the type field contradicts the page size.
std::uint32_t full_crc32_stored_size(std::span<const std::byte> page);

enum class ChecksumResult : std::uint8_t { Ok, AllZero, Mismatch };
/// The checksum (and LSN words) of one stored page, without keys. For old-format page_compressed
/// pages (types 34354, 37401) there is nothing to check before decompression: Ok.
/// For old-format encrypted pages use `check_post_encryption`. `expected`/`found`, if not null,
/// receive the values for messages.
ChecksumResult check_stored(std::span<const std::byte> page, const TablespaceFlags& flags,
                            Strictness strictness, std::uint32_t* expected = nullptr,
                            std::uint32_t* found = nullptr);
/// Old format only: u32 at 30 of a page stored encrypted.
ChecksumResult check_post_encryption(std::span<const std::byte> page, const TablespaceFlags& flags);

/// Writes LSN words and checksum fields of a plain page as 10.11 would (crc32 or full_crc32 or
/// zip), from the LSN at 16. For full_crc32 pages the whole physical page is covered.
void seal(std::span<std::byte> page, const TablespaceFlags& flags);

}  // namespace redoubt::page
