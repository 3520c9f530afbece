/// The length prefix of a redo record: what the log reader, the decryption and the record decoder
/// share. Format: docs/formats/redo-log.md#record-prefix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "redo/record.h"

namespace redoubt::redo {

/// No mini-transaction has this many bytes of records (InnoDB: MTR_SIZE_MAX).
inline constexpr std::uint32_t kMtrSizeMax = 1U << 20;

struct RecordFrame {
    std::uint32_t prefix = 0;  ///< bytes of type and length
    std::uint32_t length = 0;  ///< bytes of the whole record; 0 = `bytes` ends within the prefix
};

/// `bytes` begins at the record and is not empty. A length of 1 MiB or more, or one that is no
/// valid varint, gives `kMtrSizeMax`, which reaches past every mini-transaction.
inline RecordFrame read_frame(std::span<const std::byte> bytes) {
    constexpr std::uint32_t kImplied = 16;  // bytes that a stored length leaves out
    const std::uint32_t nibble = std::to_integer<std::uint32_t>(bytes[0]) & 15;
    if (nibble != 0) {
        return {.prefix = 1, .length = 1 + nibble};
    }
    if (bytes.size() < 2) {
        return {};
    }
    const auto first = std::to_integer<std::uint32_t>(bytes[1]);
    if (first < 0x80) {
        return {.prefix = 2, .length = first + kImplied};
    }
    if (first >= 0xE0) {
        return {.prefix = 2, .length = kMtrSizeMax};
    }
    const Varint size = read_varint(bytes.subspan(1));
    if (size.length == 0) {
        return {};
    }
    return {.prefix = 1 + size.length,
            .length = size.value < kMtrSizeMax ? size.value + kImplied : kMtrSizeMax};
}

}  // namespace redoubt::redo
