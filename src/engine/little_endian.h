/// Numbers of the server's own files, which are little-endian.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt::engine {

/// The first `size` bytes, at most 8. The caller has checked that they are there.
inline std::uint64_t little(std::span<const std::byte> bytes, std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;) {
        value = (value << 8) | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return value;
}

}  // namespace redoubt::engine
