/// Text for HTML that is well-formed XML, too.
#pragma once

#include <string>
#include <string_view>

namespace redoubt::cli {

/// For content and for attributes in double quotes. Whatever `text` is, the result is UTF-8 that
/// shows as one run of characters: bytes that are not UTF-8 become "\xFF", control characters, line
/// breaks among them, and those that change the direction of what follows "\u202E".
std::string html_escaped(std::string_view text);

}  // namespace redoubt::cli
