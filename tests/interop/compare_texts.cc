// Compares pairs of texts by collations, for tests to hold against the server's comparisons.
//   compare_texts < lines
// A line is "COLLATION CHARACTERS HEX HEX", "-" for an empty text; CHARACTERS above 0: as CHARs of
// so many in an index. For each a line of -1, 0 or 1, or "?" where the collation's order is not
// known. Exit codes: 0, 2 a line that is none.
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "record/charset.h"
#include "record/collation.h"

namespace redoubt {
namespace {

std::optional<std::string> from_hex(const std::string& text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    std::string bytes;
    if (text == "-") {
        return bytes;
    }
    if (text.size() % 2 != 0 ||
        text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < text.size(); i += 2) {
        bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
    }
    return bytes;
}

int run() {
    std::ios::sync_with_stdio(false);
    std::string name;
    std::string kind;
    std::string first;
    std::string second;
    while (std::cin >> name >> kind >> first >> second) {
        const auto a = from_hex(first);
        const auto b = from_hex(second);
        if (!a || !b) {
            return 2;
        }
        const record::Collation* const collation = record::find_collation(name);
        const record::Comparator* const order =
            collation == nullptr ? nullptr : record::comparator_of(*collation);
        if (order == nullptr) {
            std::cout << "?\n";
            continue;
        }
        const auto x = std::as_bytes(std::span<const char>(*a));
        const auto y = std::as_bytes(std::span<const char>(*b));
        const int outcome = kind == "char" ? order->compare_filled(x, y) : order->compare(x, y);
        std::cout << (outcome < 0 ? -1 : (outcome > 0 ? 1 : 0)) << '\n';
    }
    return std::cin.eof() ? 0 : 2;
}

}  // namespace
}  // namespace redoubt

int main() { return redoubt::run(); }
