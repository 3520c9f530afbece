/// Small things done to text everywhere.
#pragma once

#include <cctype>
#include <string_view>

namespace redoubt::base {

/// Without white space at both ends.
inline std::string_view strip(std::string_view text) {
    const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_space(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace redoubt::base
