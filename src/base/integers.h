/// Unsigned integers of a size known only at run time, at most 8 bytes. Fields of a fixed size:
/// base/big_endian.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt {

inline std::uint64_t load_be(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (const std::byte b : bytes) {
        value = (value << 8) | std::to_integer<std::uint64_t>(b);
    }
    return value;
}

inline std::uint64_t load_le(std::span<const std::byte> bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return value;
}

}  // namespace redoubt
