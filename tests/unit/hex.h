/// Byte strings written as hexadecimal digits, for test vectors.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::test {

inline std::vector<std::byte> from_hex(std::string_view hex) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(
            static_cast<std::byte>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
    std::string hex;
    for (const std::byte b : bytes) {
        hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    }
    return hex;
}

/// Puts the bytes that `hex` spells at `offset` of `page`.
inline void put(std::span<std::byte> page, std::size_t offset, std::string_view hex) {
    const std::vector<std::byte> bytes = from_hex(hex);
    std::ranges::copy(bytes, page.subspan(offset, bytes.size()).begin());
}

}  // namespace redoubt::test
