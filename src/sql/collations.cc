#include "sql/collations.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "record/charset.h"
#include "record/collation.h"

namespace redoubt::sql {
namespace {

int sign_of(int comparison) { return comparison < 0 ? -1 : comparison > 0 ? 1 : 0; }

/// value = 0.DIGITS * 10^point, with no zeros at either end of the digits; 0 has none. The digits
/// are those of `whole` and then of `fraction`, which are stretches of the text.
struct Decimal {
    bool negative = false;
    std::string_view whole;  ///< without leading zeros
    std::string_view
        fraction;  ///< without trailing zeros; without leading ones if `whole` is empty
    std::int64_t point = 0;

    std::size_t size() const { return whole.size() + fraction.size(); }
    char at(std::size_t position) const {
        return position < whole.size() ? whole[position]
               : position < size()     ? fraction[position - whole.size()]
                                       : '0';
    }
};

std::string_view take_digits(std::string_view& text) {
    const auto end =
        std::find_if_not(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto count = static_cast<std::size_t>(end - text.begin());
    const std::string_view digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
}

/// What follows the digits: nothing, or an exponent of a size any number has.
std::optional<std::int64_t> parse_exponent(std::string_view text) {
    if (text.empty()) {
        return 0;
    }
    if (text.front() != 'e' && text.front() != 'E') {
        return std::nullopt;
    }
    text.remove_prefix(1);
    text.remove_prefix(text.starts_with('+') ? 1 : 0);
    std::int32_t exponent = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (problem != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return exponent;
}

std::optional<Decimal> parse_decimal(std::string_view text) {
    Decimal number;
    if (text.starts_with('-') || text.starts_with('+')) {
        number.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    number.whole = take_digits(text);
    bool any = !number.whole.empty();
    if (text.starts_with('.')) {
        text.remove_prefix(1);
        number.fraction = take_digits(text);
        any = any || !number.fraction.empty();
    }
    const auto exponent = parse_exponent(text);
    if (!any || !exponent) {
        return std::nullopt;
    }
    const auto strip_front = [](std::string_view& digits) {
        const std::size_t zeros = std::min(digits.find_first_not_of('0'), digits.size());
        digits.remove_prefix(zeros);
        return static_cast<std::int64_t>(zeros);
    };
    number.fraction = number.fraction.substr(0, number.fraction.find_last_not_of('0') + 1);
    strip_front(number.whole);
    number.point = static_cast<std::int64_t>(number.whole.size()) + *exponent;
    if (number.whole.empty()) {
        number.point -= strip_front(number.fraction);
    }
    return number;
}

int compare_magnitude(const Decimal& left, const Decimal& right) {
    if (left.point != right.point) {
        return left.point < right.point ? -1 : 1;
    }
    const std::size_t count = std::max(left.size(), right.size());
    for (std::size_t position = 0; position < count; ++position) {
        if (left.at(position) != right.at(position)) {
            return left.at(position) < right.at(position) ? -1 : 1;
        }
    }
    return 0;
}

int sign_of(const Decimal& number) { return number.size() == 0 ? 0 : number.negative ? -1 : 1; }

template <int (*kCompare)(std::string_view, std::string_view)>
int collate(void*, int left_size, const void* left, int right_size, const void* right) {
    return kCompare({static_cast<const char*>(left), static_cast<std::size_t>(left_size)},
                    {static_cast<const char*>(right), static_cast<std::size_t>(right_size)});
}

int collate_texts(void* order, int left_size, const void* left, int right_size, const void* right) {
    return static_cast<const record::Comparator*>(order)->compare_utf8(
        {static_cast<const char*>(left), static_cast<std::size_t>(left_size)},
        {static_cast<const char*>(right), static_cast<std::size_t>(right_size)});
}

const record::Comparator* text_order(const record::Collation& collation) {
    const record::Comparator* const order = record::comparator_of(collation);
    return order != nullptr && order->knows_utf8() ? order : nullptr;
}

}  // namespace

int compare_decimal(std::string_view left, std::string_view right) {
    const auto a = parse_decimal(left);
    const auto b = parse_decimal(right);
    if (!a || !b) {
        return a ? -1 : b ? 1 : sign_of(left.compare(right));
    }
    const int sign = sign_of(*a);
    if (sign != sign_of(*b)) {
        return sign < sign_of(*b) ? -1 : 1;
    }
    return sign * (sign == 0 ? 0 : compare_magnitude(*a, *b));
}

int compare_temporal(std::string_view left, std::string_view right) {
    constexpr std::string_view kMidnight = "0000-00-00 00:00:00.000000";
    const std::size_t count = std::max(left.size(), right.size());
    const auto at = [&](std::string_view text, std::size_t position) {
        return position < text.size()        ? static_cast<unsigned char>(text[position])
               : position < kMidnight.size() ? static_cast<unsigned char>(kMidnight[position])
                                             : static_cast<unsigned char>('\0');
    };
    for (std::size_t position = 0; position < count; ++position) {
        if (at(left, position) != at(right, position)) {
            return at(left, position) < at(right, position) ? -1 : 1;
        }
    }
    return 0;
}

const record::Comparator* text_order(std::string_view collation) {
    const record::Collation* const found = record::find_collation(collation);
    return found == nullptr ? nullptr : text_order(*found);
}

int register_collations(sqlite3* connection) {
    using Compare = int (*)(void*, int, const void*, int, const void*);
    constexpr std::array<std::pair<const char*, Compare>, 2> kCollations = {
        {{kDecimalCollation, collate<compare_decimal>},
         {kTemporalCollation, collate<compare_temporal>}}};
    for (const auto& [name, compare] : kCollations) {
        const int code = sqlite3_create_collation(connection, name, SQLITE_UTF8, nullptr, compare);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    for (unsigned id = 0; id < record::kCollationIdsEnd; ++id) {
        const record::Collation* const collation = record::find_collation(id);
        const record::Comparator* const order =
            collation == nullptr ? nullptr : text_order(*collation);
        if (order == nullptr) {
            continue;
        }
        const int code = sqlite3_create_collation(
            connection, std::string(collation->name).c_str(), SQLITE_UTF8,
            const_cast<record::Comparator*>(order), collate_texts);  // SQLite only hands it back
        if (code != SQLITE_OK) {
            return code;
        }
    }
    return SQLITE_OK;
}

}  // namespace redoubt::sql
