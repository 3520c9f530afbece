#include "record/compare.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/big_endian.h"
#include "record/charset.h"
#include "record/collation.h"
#include "record/decode.h"

namespace redoubt::record {
namespace {

int sign(bool less, bool greater) { return less ? -1 : (greater ? 1 : 0); }

template <class T>
int compare_numbers(const Field& a, const Field& b) {
    T x{};
    T y{};
    std::memcpy(&x, a.data, std::min<std::size_t>(sizeof x, a.size));
    std::memcpy(&y, b.data, std::min<std::size_t>(sizeof y, b.size));
    return sign(x<y, x> y);
}

bool is_text(const ColumnType& type) {
    return type.kind == TypeKind::FixedText || type.kind == TypeKind::Text;
}

/// null: no text, or one whose order is not known.
const Comparator* text_order(const ColumnType& type) {
    return is_text(type) && !type.compressed && type.collation != nullptr
               ? comparator_of(*type.collation)
               : nullptr;
}

void append_big_endian(std::string& out, std::uint64_t value, std::size_t size) {
    for (std::size_t i = size; i-- > 0;) {
        out += static_cast<char>((value >> (8 * i)) & 0xFF);
    }
}

bool encode_integer(const ColumnType& type, const Value& value, std::string& out) {
    const std::size_t bits = std::size_t{8} * type.size;
    if (bits == 0 || bits > 64) {
        return false;
    }
    const bool negative = value.kind == Value::Kind::Integer && value.integer < 0;
    const std::uint64_t raw = value.kind == Value::Kind::Integer
                                  ? static_cast<std::uint64_t>(value.integer)
                                  : value.unsigned_integer;
    if (value.kind != Value::Kind::Integer && value.kind != Value::Kind::Unsigned) {
        return false;
    }
    const std::uint64_t half = std::uint64_t{1} << (bits - 1);
    if (type.is_unsigned) {
        if (negative || (bits < 64 && raw >> bits != 0)) {
            return false;
        }
        append_big_endian(out, raw, type.size);
        return true;
    }
    if (negative ? raw < std::uint64_t{0} - half : raw >= half) {
        return false;
    }
    append_big_endian(out, raw ^ half, type.size);
    return true;
}

std::string number_text(const Value& value) {
    switch (value.kind) {
        case Value::Kind::Integer:
            return fmt::format("{}", value.integer);
        case Value::Kind::Unsigned:
            return fmt::format("{}", value.unsigned_integer);
        default:
            return std::string(value.text);
    }
}

/// Digits of one side of the point, grouped as DECIMAL stores them.
void append_groups(std::string& out, std::string_view digits, bool whole) {
    const std::size_t odd = digits.size() % 9;
    std::size_t at = 0;
    while (at < digits.size()) {
        const std::size_t left = digits.size() - at;
        std::size_t group = std::min<std::size_t>(9, left);
        if (whole && at == 0 && odd != 0) {
            group = odd;
        }
        std::uint32_t value = 0;
        std::from_chars(digits.data() + at, digits.data() + at + group, value);
        append_big_endian(out, value, decimal_size(static_cast<unsigned>(group), 0));
        at += group;
    }
}

bool encode_decimal(const ColumnType& type, const Value& value, std::string& out) {
    std::string text = number_text(value);
    const bool negative = text.starts_with('-');
    text.erase(0, negative || text.starts_with('+') ? 1 : 0);
    const std::size_t point = text.find('.');
    std::string whole = text.substr(0, point);
    std::string rest = point == std::string::npos ? std::string() : text.substr(point + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || !std::all_of(whole.begin(), whole.end(), is_digit) ||
        !std::all_of(rest.begin(), rest.end(), is_digit)) {
        return false;
    }
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
    while (rest.ends_with('0')) {
        rest.pop_back();
    }
    const std::size_t room = type.precision - type.digits;
    if (whole.size() > room || rest.size() > type.digits) {
        return false;
    }
    const bool zero = whole.empty() && rest.empty();
    std::string bytes;
    append_groups(bytes, std::string(room - whole.size(), '0') + whole, true);
    append_groups(bytes, rest + std::string(type.digits - rest.size(), '0'), false);
    if (negative && !zero) {
        for (char& c : bytes) {
            c = static_cast<char>(~c);
        }
    }
    if (bytes.empty()) {
        return false;
    }
    bytes[0] = static_cast<char>(static_cast<unsigned char>(bytes[0]) ^ 0x80);
    out += bytes;
    return true;
}

bool encode_date(const Value& value, std::string& out) {
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int used = 0;
    const std::string text(value.text);
    if (std::sscanf(text.c_str(), "%4u-%2u-%2u%n", &year, &month, &day, &used) != 3 ||
        static_cast<std::size_t>(used) != text.size() || month > 12 || day > 31) {
        return false;
    }
    append_big_endian(out, 0x800000 | (year << 9) | (month << 5) | day, 3);
    return true;
}

bool encode_date_time(const ColumnType& type, const Value& value, std::string& out) {
    unsigned part[6] = {};
    int used = 0;
    const std::string text(value.text);
    const int got = std::sscanf(text.c_str(), "%4u-%2u-%2u%n %2u:%2u:%2u%n", &part[0], &part[1],
                                &part[2], &used, &part[3], &part[4], &part[5], &used);
    if ((got != 3 && got != 6) || part[1] > 12 || part[2] > 31 || part[3] > 23 || part[4] > 59 ||
        part[5] > 59) {
        return false;
    }
    std::uint64_t fraction = 0;
    std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
    if (!rest.empty()) {
        rest.remove_prefix(1);
        if (text[static_cast<std::size_t>(used)] != '.' || got != 6) {
            return false;
        }
    }
    for (std::size_t i = 0; i < std::max<std::size_t>(rest.size(), 6); ++i) {
        const char c = i < rest.size() ? rest[i] : '0';
        if (c < '0' || c > '9' || (i >= type.digits && c != '0')) {
            return false;
        }
        fraction = i < 6 ? fraction * 10 + static_cast<unsigned>(c - '0') : fraction;
    }
    const std::size_t fraction_size = (type.digits + 1U) / 2;
    for (std::size_t i = fraction_size; i < 3; ++i) {
        fraction /= 100;
    }
    const std::uint64_t day = ((std::uint64_t{part[0]} * 13 + part[1]) << 5) | part[2];
    const std::uint64_t clock = (part[3] << 12) | (part[4] << 6) | part[5];
    append_big_endian(out, ((day << 17) | clock) + 0x8000000000, 5);
    append_big_endian(out, fraction, fraction_size);
    return true;
}

}  // namespace

bool ColumnType::comparable() const {
    switch (kind) {
        case TypeKind::FixedText:
        case TypeKind::Text:
            return text_order(*this) != nullptr;
        case TypeKind::Unknown:
            return false;
        default:
            return !compressed;
    }
}

int compare_fields(const FieldLayout& layout, const Field& a, const Field& b) {
    int order = 0;
    if (a.null || b.null) {
        order = sign(a.null && !b.null, b.null && !a.null);
    } else if (layout.type != nullptr && layout.type->kind == TypeKind::Float) {
        order = compare_numbers<float>(a, b);
    } else if (layout.type != nullptr && layout.type->kind == TypeKind::Double) {
        order = compare_numbers<double>(a, b);
    } else if (const Comparator* const text =
                   layout.type != nullptr ? text_order(*layout.type) : nullptr) {
        order = layout.type->kind == TypeKind::FixedText
                    ? text->compare_filled(a.bytes(), b.bytes())
                    : text->compare(a.bytes(), b.bytes());
    } else {
        const bool pad = layout.type != nullptr && is_text(*layout.type) &&
                         layout.type->collation != nullptr && !layout.type->collation->no_pad();
        order = byte_order(pad).compare(a.bytes(), b.bytes());
    }
    return layout.descending ? -order : order;
}

bool is_prefix_of(const FieldLayout& layout, const Field& entry, const Field& value) {
    Field beginning = value;
    if (!value.null) {
        beginning.size = static_cast<std::uint32_t>(prefix_size(layout, as_text(value.bytes())));
    }
    return compare_fields(layout, entry, beginning) == 0;
}

std::size_t prefix_size(const FieldLayout& layout, std::string_view value) {
    const Collation* const collation = layout.type != nullptr ? layout.type->collation : nullptr;
    if (collation == nullptr || collation->charset->fixed_size()) {
        return std::min<std::size_t>(value.size(), layout.prefix);
    }
    const Charset& charset = *collation->charset;
    return size_of_characters(charset, std::as_bytes(std::span(value)),
                              layout.prefix / charset.max_size);
}

int compare_keys(std::span<const FieldLayout> layout, std::span<const Field> record,
                 std::span<const Field> key) {
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (const int order = compare_fields(layout[i], record[i], key[i]); order != 0) {
            return order;
        }
    }
    return 0;
}

bool encode_key(const ColumnType& type, const Value& value, std::string& out) {
    switch (type.kind) {
        case TypeKind::Integer:
            return encode_integer(type, value, out);
        case TypeKind::Year: {
            const bool zero = value.kind == Value::Kind::Integer && value.integer == 0;
            if (value.kind != Value::Kind::Integer ||
                (!zero && (value.integer < 1901 || value.integer > 2155))) {
                return false;
            }
            out += static_cast<char>(zero ? 0 : value.integer - 1900);
            return true;
        }
        case TypeKind::Decimal:
            return encode_decimal(type, value, out);
        case TypeKind::Date:
            return value.kind == Value::Kind::Text && encode_date(value, out);
        case TypeKind::DateTime:
            return value.kind == Value::Kind::Text && encode_date_time(type, value, out);
        case TypeKind::FixedBytes:
        case TypeKind::Bytes:
            if (value.kind != Value::Kind::Bytes && value.kind != Value::Kind::Text) {
                return false;
            }
            out += value.text;
            if (type.kind == TypeKind::FixedBytes && value.text.size() < type.size) {
                out.append(type.size - value.text.size(), '\0');
            }
            return !type.compressed;
        case TypeKind::FixedText:
        case TypeKind::Text:
            return (value.kind == Value::Kind::Bytes || value.kind == Value::Kind::Text) &&
                   type.comparable() && encode_text(*type.collation->charset, value.text, out);
        default:
            return false;
    }
}

}  // namespace redoubt::record
