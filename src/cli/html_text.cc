#include "cli/html_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace redoubt::cli {
namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t size = 0;  // bytes; 0 = not UTF-8
};

/// The first character of `text`, which is not empty. Shortest forms only, no surrogates.
Character first_character(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return {lead, 1};
    }
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) {
        return {};
    }
    std::uint32_t code = lead & (0x7FU >> size);
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xC0U) != 0x80U) {
            return {};
        }
        code = code << 6 | (byte(at) & 0x3FU);
    }
    const bool too_long = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return too_long || surrogate || code > 0x10FFFF ? Character{} : Character{code, size};
}

/// Controls, what sets directions or separates lines, and what is no character.
bool is_hidden(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) ||
           code == 0xFEFF || (code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE;
}

}  // namespace

std::string html_escaped(std::string_view text) {
    std::string escaped;
    while (!text.empty()) {
        const Character character = first_character(text);
        if (character.size == 0) {
            fmt::format_to(std::back_inserter(escaped), "\\x{:02X}",
                           static_cast<unsigned char>(text.front()));
            text.remove_prefix(1);
            continue;
        }
        switch (character.code) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            case '\'':
                escaped += "&#39;";
                break;
            default:
                if (is_hidden(character.code)) {
                    fmt::format_to(std::back_inserter(escaped), "\\u{:04X}", character.code);
                } else {
                    escaped += text.substr(0, character.size);
                }
        }
        text.remove_prefix(character.size);
    }
    return escaped;
}

}  // namespace redoubt::cli
