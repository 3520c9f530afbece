/// Where iconv and the server disagree on what a character of several bytes is in Unicode.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace redoubt::record {

/// Characters one behind the other whose code points follow each other too; or all are '?', which
/// the server shows where it knows no code point.
struct CharacterRun {
    std::uint32_t first = 0;  ///< its bytes as one big-endian number
    std::uint16_t code = 0;   ///< code point of the first
    std::uint16_t count = 0;
};

/// Of a character set, in order; empty where there are none.
std::span<const CharacterRun> exceptions_of(std::string_view charset);

}  // namespace redoubt::record
