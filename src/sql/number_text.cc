#include "sql/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace redoubt::sql {
namespace {

constexpr int kFixedPlacesMax = 15;  // digits before the point, or zeros after it and one digit

/// value = 0.DIGITS * 10^point
struct Digits {
    bool negative = false;
    std::string digits;
    int point = 0;
};

/// Of "-1.2345e+07", as std::to_chars writes it.
Digits split_scientific(std::string_view text) {
    Digits result;
    if (text.starts_with('-')) {
        result.negative = true;
        text.remove_prefix(1);
    }
    const std::size_t mark = text.find('e');
    for (const char c : text.substr(0, mark)) {
        if (c != '.') {
            result.digits += c;
        }
    }
    std::string_view exponent = text.substr(mark + 1);
    exponent.remove_prefix(exponent.starts_with('+') ? 1 : 0);
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), result.point);
    ++result.point;
    while (result.digits.size() > 1 && result.digits.back() == '0') {
        result.digits.pop_back();
    }
    return result;
}

std::string join(const Digits& number) {
    const std::string& digits = number.digits;
    const int count = static_cast<int>(digits.size());
    const int point = number.point;
    std::string text = number.negative ? "-" : "";
    if (point <= -kFixedPlacesMax || point > kFixedPlacesMax) {
        text += digits[0];
        text += count > 1 ? "." + digits.substr(1) : "";
        return text + fmt::format("e{}", point - 1);
    }
    if (point <= 0) {
        return text + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
    }
    if (point >= count) {
        return text + digits + std::string(static_cast<std::size_t>(point - count), '0');
    }
    return text + digits.substr(0, static_cast<std::size_t>(point)) + "." +
           digits.substr(static_cast<std::size_t>(point));
}

/// Not a number in any table of the server's, but SQL may compute one.
std::string special_text(double value) {
    return std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
}

Digits shortest_digits(double value) {
    std::array<char, 64> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                   std::chars_format::scientific);
    return split_scientific({buffer.data(), static_cast<std::size_t>(end.ptr - buffer.data())});
}

}  // namespace

std::string float_text(double value) {
    constexpr int kDigitsAfterFirst = 5;
    if (!std::isfinite(value)) {
        return special_text(value);
    }
    return value == 0 ? "0"
                      : join(split_scientific(fmt::format("{:.{}e}", value, kDigitsAfterFirst)));
}

std::string double_text(double value) {
    if (!std::isfinite(value)) {
        return special_text(value);
    }
    return value == 0 ? "0" : join(shortest_digits(value));
}

std::string fixed_text(double value, int decimals) {
    constexpr int kDecimalsMax = 38;
    if (!std::isfinite(value)) {
        return special_text(value);
    }
    const int places = std::clamp(decimals, 0, kDecimalsMax);
    const Digits digits = shortest_digits(value);
    const int count = static_cast<int>(digits.digits.size());
    if (value == 0 || count - digits.point > places) {
        return fmt::format("{:.{}f}", value, places);  // rounded
    }
    // All digits there are, then zeros: 1e20 as a FLOAT is 999999984306749400.00.
    std::string text = digits.digits;
    std::string sign = digits.negative ? "-" : "";
    if (digits.point <= 0) {
        text.insert(0, static_cast<std::size_t>(1 - digits.point), '0');
    }
    const auto whole = static_cast<std::size_t>(std::max(digits.point, 1));
    text.resize(std::max(text.size(), whole), '0');
    text.resize(whole + static_cast<std::size_t>(places), '0');
    if (places != 0) {
        text.insert(whole, 1, '.');
    }
    return sign + text;
}

}  // namespace redoubt::sql
