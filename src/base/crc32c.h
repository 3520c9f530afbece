/// CRC-32C (Castagnoli), the checksum of full_crc32 pages and of the redo log.
/// Format: docs/formats/checksums.md#crc-32c.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt {

/// `seed` is the CRC of the bytes before `data` (0 at the start), so calls chain.
/// ISA-L where the processor has SSE4.2, else the portable code; chosen once at run time.
std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t seed = 0);

/// The CRC before `last`, if behind it it is `crc`: for who looks, from an end backwards, for where
/// bytes with a known CRC begin, which is wherever this becomes 0.
std::uint32_t crc32c_without(std::byte last, std::uint32_t crc);

/// The portable fallback (slicing by eight), public so that tests hold it against the other.
std::uint32_t crc32c_portable(std::span<const std::byte> data, std::uint32_t seed = 0);

}  // namespace redoubt
