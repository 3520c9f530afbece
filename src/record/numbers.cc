// DECIMAL and the temporal types.
#include <array>
#include <ctime>

#include "base/big_endian.h"
#include "base/integers.h"
#include "record/decode.h"

namespace redoubt::record {
namespace {

constexpr std::size_t kGroupDigits = 9;  // of a DECIMAL: nine digits in four bytes
constexpr std::size_t kGroupSize = 4;
constexpr auto kRestSize = std::to_array<std::size_t>({0, 1, 1, 2, 2, 3, 3, 4, 4});
constexpr auto kPowers = std::to_array<std::uint64_t>(
    {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000});

constexpr std::uint64_t kDateTimeBias = 0x8000000000;
constexpr std::uint64_t kOldTimeZero = 3020400;  // seconds: 838:59:59 and one more

/// One group: up to nine digits from `at` on, which moves behind them.
void append_group(std::string& out, std::span<const std::byte> bytes, std::size_t& at,
                  std::size_t digits, unsigned char invert) {
    const std::size_t size = digits == kGroupDigits ? kGroupSize : kRestSize[digits];
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const auto b = std::to_integer<unsigned>(bytes[at + i]) ^ (at + i == 0 ? 0x80U : 0U);
        value = (value << 8) | ((b ^ invert) & 0xFF);
    }
    at += size;
    fmt::format_to(std::back_inserter(out), "{:0{}}", value % kPowers[digits], digits);
}

void append_fraction(std::string& out, std::uint64_t fraction, unsigned digits) {
    if (digits > 0) {
        fmt::format_to(std::back_inserter(out), ".{:0{}}", fraction % kPowers[digits], digits);
    }
}

void append_day_time(std::string& out, const std::array<std::uint64_t, 6>& parts) {
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02} {:02}:{:02}:{:02}", parts[0],
                   parts[1], parts[2], parts[3], parts[4], parts[5]);
}

void append_time(std::string& out, bool negative, std::uint64_t hours, std::uint64_t minutes,
                 std::uint64_t seconds) {
    fmt::format_to(std::back_inserter(out), "{}{:02}:{:02}:{:02}", negative ? "-" : "", hours,
                   minutes, seconds);
}

void append_timestamp(std::string& out, std::uint64_t seconds, std::uint64_t fraction,
                      unsigned digits) {
    if (seconds == 0 && fraction == 0) {
        append_day_time(out, {});
    } else {
        const auto clock = static_cast<std::time_t>(seconds);
        std::tm local{};
        localtime_r(&clock, &local);
        fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
                       local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                       local.tm_min, local.tm_sec);
    }
    append_fraction(out, fraction, digits);
}

/// What the 2k digits of a stored fraction are with the column's `digits`.
std::uint64_t shown_fraction(std::uint64_t stored, unsigned digits) {
    return digits % 2 == 1 ? stored / 10 : stored;
}

void append_new_time(std::string& out, unsigned digits, std::span<const std::byte> stored) {
    const auto width = static_cast<unsigned>(8 * stored.size());
    const unsigned fraction_bits = width - 24;
    const std::uint64_t bias = std::uint64_t{1} << (width - 1);
    std::uint64_t value = load_be(stored);
    const bool negative = value < bias;
    value = negative ? bias - value : value - bias;
    const std::uint64_t clock = value >> fraction_bits;
    append_time(out, negative, (clock >> 12) & 0x3FF, (clock >> 6) & 0x3F, clock & 0x3F);
    append_fraction(out, shown_fraction(value & ((std::uint64_t{1} << fraction_bits) - 1), digits),
                    digits);
}

void append_new_date_time(std::string& out, unsigned digits, std::span<const std::byte> stored) {
    const std::uint64_t packed = load_be(stored.first(5)) - kDateTimeBias;
    const std::uint64_t day = (packed >> 17) & 0x3FFFFF;
    append_day_time(out, {(day >> 5) / 13, (day >> 5) % 13, day & 0x1F, (packed >> 12) & 0x1F,
                          (packed >> 6) & 0x3F, packed & 0x3F});
    append_fraction(out, shown_fraction(load_be(stored.subspan(5)), digits), digits);
}

void append_old_time(std::string& out, unsigned digits, std::span<const std::byte> stored) {
    if (digits == 0) {  // a decimal number: hhmmss
        std::int64_t value = static_cast<std::int64_t>(load_be(stored)) - 0x800000;
        const bool negative = value < 0;
        value = negative ? -value : value;
        const auto clock = static_cast<std::uint64_t>(value);
        append_time(out, negative, clock / 10000, clock / 100 % 100, clock % 100);
        return;
    }
    const auto zero = static_cast<std::int64_t>(kOldTimeZero * kPowers[digits]);
    const std::int64_t value = static_cast<std::int64_t>(load_be(stored)) - zero;
    const bool negative = value < 0;
    const auto all = static_cast<std::uint64_t>(negative ? -value : value);
    const std::uint64_t seconds = all / kPowers[digits];
    append_time(out, negative, seconds / 3600, seconds / 60 % 60, seconds % 60);
    append_fraction(out, all % kPowers[digits], digits);
}

void append_old_date_time(std::string& out, unsigned digits, std::span<const std::byte> stored) {
    if (digits == 0) {  // a decimal number: yyyymmddhhmmss
        const std::uint64_t value = load_be(stored) ^ (std::uint64_t{1} << 63);
        const std::uint64_t day = value / 1000000;
        const std::uint64_t clock = value % 1000000;
        append_day_time(out, {day / 10000, day / 100 % 100, day % 100, clock / 10000,
                              clock / 100 % 100, clock % 100});
        return;
    }
    const std::uint64_t value = load_be(stored);
    std::uint64_t rest = value / kPowers[digits];
    const std::uint64_t second = rest % 60;
    const std::uint64_t minute = (rest /= 60) % 60;
    const std::uint64_t hour = (rest /= 60) % 24;
    const std::uint64_t day = (rest /= 24) % 32;
    const std::uint64_t month = (rest /= 32) % 13;
    append_day_time(out, {rest / 13, month, day, hour, minute, second});
    append_fraction(out, value % kPowers[digits], digits);
}

}  // namespace

std::size_t decimal_size(unsigned precision, unsigned digits) {
    const std::size_t whole = precision > digits ? precision - digits : 0;
    return whole / kGroupDigits * kGroupSize + kRestSize[whole % kGroupDigits] +
           digits / kGroupDigits * kGroupSize + kRestSize[digits % kGroupDigits];
}

void append_decimal(std::string& out, const ColumnType& type, std::span<const std::byte> stored) {
    const std::size_t whole =
        type.precision > type.digits ? static_cast<std::size_t>(type.precision - type.digits) : 0;
    const bool negative = (std::to_integer<unsigned>(stored[0]) & 0x80) == 0;
    const unsigned char invert = negative ? 0xFF : 0;
    std::string digits;
    std::size_t at = 0;
    for (std::size_t left = whole; left > 0;) {
        const std::size_t group = left % kGroupDigits == 0 ? kGroupDigits : left % kGroupDigits;
        append_group(digits, stored, at, group, invert);
        left -= group;
    }
    const std::size_t first = digits.find_first_not_of('0');
    digits.erase(0, first == std::string::npos ? digits.size() : first);
    out += negative ? "-" : "";
    out += digits.empty() ? "0" : digits;
    if (type.digits > 0) {
        out += '.';
    }
    for (std::size_t left = type.digits; left > 0;) {
        const std::size_t group = std::min(left, kGroupDigits);
        append_group(out, stored, at, group, invert);
        left -= group;
    }
}

void append_date(std::string& out, std::uint32_t packed) {
    fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}", packed >> 9, (packed >> 5) & 15,
                   packed & 31);
}

void append_temporal(std::string& out, const ColumnType& type, std::span<const std::byte> stored) {
    switch (type.kind) {
        case TypeKind::Time:
            return append_new_time(out, type.digits, stored);
        case TypeKind::DateTime:
            return append_new_date_time(out, type.digits, stored);
        case TypeKind::Timestamp:
            return append_timestamp(out, load_be(stored.first(4)),
                                    shown_fraction(load_be(stored.subspan(4)), type.digits),
                                    type.digits);
        case TypeKind::OldTime:
            return append_old_time(out, type.digits, stored);
        case TypeKind::OldDateTime:
            return append_old_date_time(out, type.digits, stored);
        default:
            return append_timestamp(out, load_be(stored.first(4)), load_be(stored.subspan(4)),
                                    type.digits);
    }
}

}  // namespace redoubt::record
