#include "sql/columns.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>

#include "record/collation.h"
#include "sql/collations.h"
#include "sql/number_text.h"

namespace redoubt::sql {
namespace {

using record::Value;

constexpr std::string_view kFloatType = "FLOAT";
constexpr std::string_view kIntegerType = "INTEGER";
constexpr std::string_view kUnsignedType = "BIGINT UNSIGNED";
constexpr std::string_view kDecimalType = "DECIMAL_TEXT";  // "TEXT" in it: TEXT affinity

/// "int(11) unsigned zerofill" -> "int"
std::string_view first_word(std::string_view type) {
    return type.substr(0, type.find_first_of("( "));
}
/// The numbers of "(7,2)"; -1 where there are fewer.
std::array<int, 2> parameters(std::string_view type) {
    std::array<int, 2> numbers = {-1, -1};
    const std::size_t open = type.find('(');
    if (open == std::string_view::npos) {
        return numbers;
    }
    const char* at = type.data() + open + 1;
    const char* const end = type.data() + type.size();
    for (int& number : numbers) {
        int parsed = 0;
        const auto [next, problem] = std::from_chars(at, end, parsed);
        if (problem != std::errc{} || parsed < 0) {
            break;
        }
        number = parsed;
        if (next == end || *next != ',') {
            break;
        }
        at = next + 1;
    }
    return numbers;
}
/// A word of the type behind its name, outside of any quotes: integers have none.
bool has_word(std::string_view type, std::string_view word) {
    return type.find(word) != std::string_view::npos;
}

unsigned integer_bits(std::string_view word) {
    return word == "tinyint"     ? 8
           : word == "smallint"  ? 16
           : word == "mediumint" ? 24
           : word == "int"       ? 32
           : word == "bigint"    ? 64
                                 : 0;
}

ColumnTraits integer_traits(std::string_view type, unsigned bits) {
    ColumnTraits traits{.kind = ColumnClass::Integer,
                        .declared_type = std::string(kIntegerType),
                        .equality = true,
                        .range = true,
                        .ordered = true};
    traits.is_unsigned = has_word(type, " unsigned") || has_word(type, " zerofill");
    traits.maximum = UINT64_MAX >> (64 - bits + (traits.is_unsigned ? 0 : 1));
    traits.minimum = traits.is_unsigned ? 0 : -static_cast<std::int64_t>(traits.maximum) - 1;
    if (traits.is_unsigned && bits == 64) {
        traits.declared_type = kUnsignedType;
        traits.collation = kDecimalCollation;  // values from 2^63 on are texts of digits
    }
    if (has_word(type, " zerofill")) {
        traits.declared_type += fmt::format(" ZEROFILL({})", parameters(type)[0]);
    }
    return traits;
}

ColumnTraits real_traits(std::string_view type, std::string_view word) {
    const bool single = word == "float";
    ColumnTraits traits{.kind = single ? ColumnClass::Float : ColumnClass::Double,
                        .declared_type = std::string(single ? kFloatType : "DOUBLE"),
                        .equality = true,
                        .range = true,
                        .ordered = true};
    if (const auto [digits, decimals] = parameters(type); decimals >= 0) {
        traits.declared_type += fmt::format("({},{})", digits, decimals);
    }
    return traits;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

ColumnTraits text_traits(const std::string& collation, bool fixed) {
    ColumnTraits traits{.kind = ColumnClass::Text, .declared_type = "TEXT", .equality = true};
    const record::Comparator* const order = text_order(collation);
    if (order == nullptr) {
        return traits;  // what has the same bytes is equal in every order
    }
    traits.collation = collation;
    // An index has CHARs filled up with spaces, SQLite has them without.
    const bool no_pad = collation.find("_nopad_") != std::string::npos;
    traits.range = traits.ordered = !fixed || !no_pad;
    traits.equality = !fixed || order->filling_keeps_equality();
    return traits;
}

ColumnTraits temporal_traits(ColumnClass kind, std::string_view type) {
    constexpr unsigned kSecondsSize = 19;  // "2024-06-01 12:00:00"
    const int fraction = std::clamp(parameters(type)[0], 0, 6);
    const bool timestamp = kind == ColumnClass::Timestamp;
    return {.kind = kind,
            .declared_type = "DATE_TEXT",
            .collation = kTemporalCollation,
            // Local times happen twice when clocks are set back, so a local time is no place in an
            // index of instants; a range some hours wider is (bound_of).
            .equality = !timestamp,
            .range = true,
            .ordered = !timestamp,
            .text_size =
                kind == ColumnClass::Date
                    ? 10
                    : kSecondsSize + (fraction > 0 ? 1U + static_cast<unsigned>(fraction) : 0U)};
}

// --- Bounds. ---

Bound exact(Value value) { return {.use = Bound::Use::Exact, .value = value}; }
Bound wider(Value value) { return {.use = Bound::Use::Wider, .value = value}; }
Bound no_rows() { return {.use = Bound::Use::NoRows}; }

std::string_view text_of(sqlite3_value* value) {
    const void* bytes = sqlite3_value_blob(value);
    return bytes == nullptr
               ? std::string_view()
               : std::string_view(static_cast<const char*>(bytes),
                                  static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

/// What the value is once SQLite has compared it with a number: "5" is 5.
struct Number {
    int type = SQLITE_NULL;  ///< SQLITE_INTEGER, SQLITE_FLOAT, or anything else
    std::int64_t integer = 0;
    double real = 0;
};
Number number_of(sqlite3_value* value) {
    struct Free {
        void operator()(sqlite3_value* copy) const { sqlite3_value_free(copy); }
    };
    // A copy, because the question changes the value.
    const std::unique_ptr<sqlite3_value, Free> copy(sqlite3_value_dup(value));
    if (copy == nullptr) {
        return {};
    }
    Number number{.type = sqlite3_value_numeric_type(copy.get())};
    number.integer = sqlite3_value_int64(copy.get());
    number.real = sqlite3_value_double(copy.get());
    return number;
}

Bound integer_bound(const ColumnTraits& traits, const Number& number, BoundSide side) {
    constexpr double kExactMax = 9007199254740992;  // 2^53: integers up to here are doubles too
    std::int64_t integer = number.integer;
    bool fraction = false;
    if (number.type == SQLITE_FLOAT) {
        if (!(std::abs(number.real) <= kExactMax)) {
            return {};
        }
        const double whole = std::floor(number.real);
        fraction = whole != number.real;
        if (fraction && side == BoundSide::Equal) {
            return no_rows();
        }
        // x > 4.5 is among x >= 4, x < 4.5 is x <= 4
        integer = static_cast<std::int64_t>(whole);
    }
    const bool below = integer < traits.minimum;
    const bool above = integer > 0 && static_cast<std::uint64_t>(integer) > traits.maximum;
    if (below || above) {
        const bool excludes_all = side == BoundSide::Equal || (side == BoundSide::Lower) == above;
        return excludes_all ? no_rows() : Bound{};
    }
    const Value value = traits.is_unsigned
                            ? Value{.kind = Value::Kind::Unsigned,
                                    .unsigned_integer = static_cast<std::uint64_t>(integer)}
                            : Value{.kind = Value::Kind::Integer, .integer = integer};
    return fraction ? wider(value) : exact(value);
}

Bound real_bound(const ColumnTraits& traits, const Number& number, BoundSide side) {
    constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
    if (number.type == SQLITE_INTEGER &&
        (number.integer > kExactMax || number.integer < -kExactMax)) {
        return {};
    }
    if (traits.kind == ColumnClass::Double) {
        return exact({.kind = Value::Kind::Double, .number = number.real});
    }
    constexpr double kMax = std::numeric_limits<float>::max();
    if (!(std::abs(number.real) <= kMax)) {
        return {};
    }
    // The float next to the double, on the side that loses no rows.
    auto single = static_cast<float>(number.real);
    const double rounded = static_cast<double>(single);
    if (rounded == number.real) {
        return exact({.kind = Value::Kind::Float, .number = rounded});
    }
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    switch (side) {
        case BoundSide::Equal:
            return no_rows();
        case BoundSide::Lower:
            single = rounded > number.real ? std::nextafter(single, -kInfinity) : single;
            break;
        case BoundSide::Upper:
            single = rounded < number.real ? std::nextafter(single, kInfinity) : single;
            break;
    }
    return wider({.kind = Value::Kind::Float, .number = static_cast<double>(single)});
}

Bound decimal_bound(sqlite3_value* value, std::deque<std::string>& texts) {
    constexpr std::size_t kDigitsMax = 15;  // of a double, as SQLite writes one for a comparison
    std::string text;
    switch (sqlite3_value_type(value)) {
        case SQLITE_INTEGER:
            text = fmt::format("{}", sqlite3_value_int64(value));
            break;
        case SQLITE_FLOAT: {
            text = double_text(sqlite3_value_double(value));
            const auto digits = std::count_if(text.begin(), text.end(),
                                              [](unsigned char c) { return c >= '0' && c <= '9'; });
            if (static_cast<std::size_t>(digits) > kDigitsMax) {
                return {};
            }
            break;
        }
        case SQLITE_TEXT:
            text = text_of(value);
            break;
        default:
            return {};
    }
    std::string_view digits = text;
    digits.remove_prefix(digits.starts_with('-') ? 1 : 0);
    const bool plain = !digits.empty() && digits.front() != '.' && digits.back() != '.' &&
                       digits.find_first_not_of("0123456789.") == std::string_view::npos &&
                       std::count(digits.begin(), digits.end(), '.') <= 1;
    if (!plain) {
        return {};
    }
    texts.push_back(std::move(text));
    return exact({.kind = Value::Kind::Decimal, .text = texts.back()});
}

constexpr std::string_view kMidnight = "0000-00-00 00:00:00.000000";

/// Digits and separators of a date, or the beginning of one, with no number out of its range.
bool is_temporal(std::string_view text) {
    if (text.size() > kMidnight.size()) {
        return false;
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool digit = text[at] >= '0' && text[at] <= '9';
        if (kMidnight[at] == '0' ? !digit : text[at] != kMidnight[at]) {
            return false;
        }
    }
    std::string whole(text);
    whole += kMidnight.substr(text.size());
    const std::string_view view = whole;
    return view.substr(5, 2) <= "12" && view.substr(8, 2) <= "31" && view.substr(11, 2) <= "23" &&
           view.substr(14, 2) <= "59" && view.substr(17, 2) <= "59";
}

/// The same time, `days` later; nothing outside of the years 1 to 9999 or where there is no such
/// day.
std::optional<std::string> move_days(const std::string& text, int days) {
    const auto part = [&](std::size_t at, std::size_t size) {
        int number = 0;
        std::from_chars(text.data() + at, text.data() + at + size, number);
        return number;
    };
    const std::chrono::year_month_day date{std::chrono::year(part(0, 4)),
                                           std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                           std::chrono::day(static_cast<unsigned>(part(8, 2)))};
    if (!date.ok()) {
        return std::nullopt;
    }
    const std::chrono::year_month_day moved{std::chrono::sys_days(date) + std::chrono::days(days)};
    const int year = static_cast<int>(moved.year());
    if (year < 1 || year > 9999) {
        return std::nullopt;
    }
    return fmt::format("{:04}-{:02}-{:02}{}", year, static_cast<unsigned>(moved.month()),
                       static_cast<unsigned>(moved.day()), text.substr(10));
}

Bound temporal_bound(const ColumnTraits& traits, sqlite3_value* value, BoundSide side,
                     std::deque<std::string>& texts) {
    if (sqlite3_value_type(value) != SQLITE_TEXT) {
        return {};
    }
    const std::string_view given = text_of(value);
    if (!is_temporal(given)) {
        return {};
    }
    std::string text(given);
    text += kMidnight.substr(given.size());
    const bool whole = text.find_first_not_of("0:. ", traits.text_size) == std::string::npos;
    text.resize(traits.text_size);
    if (traits.kind == ColumnClass::Timestamp) {
        // A day more than clocks are ever set back or forth, in whatever time zone.
        const auto moved = move_days(text, side == BoundSide::Lower ? -1 : 1);
        if (!moved) {
            return {};
        }
        texts.push_back(*moved);
        return wider({.kind = Value::Kind::Text, .text = texts.back()});
    }
    texts.push_back(std::move(text));
    const Value bound{.kind = Value::Kind::Text, .text = texts.back()};
    return whole ? exact(bound) : wider(bound);
}

Bound bytes_bound(sqlite3_value* value, int type, Value::Kind kind, std::size_t size,
                  std::deque<std::string>& texts) {
    // A number is not looked for among texts: SQLite may compare the two as numbers, and then
    // '05' equals 5.
    if (sqlite3_value_type(value) != type) {
        return {};
    }
    texts.emplace_back(text_of(value));
    const Value bound{.kind = kind, .text = texts.back()};
    // BINARY(n) has all its bytes: an index may take a shorter value for one filled up with zeros.
    return size != 0 && bound.text.size() != size ? wider(bound) : exact(bound);
}

}  // namespace

ColumnTraits traits_of(const dict::Column& column) {
    const std::string_view type = column.type_text;
    const std::string_view word = first_word(type);
    ColumnTraits traits;
    if (const unsigned bits = integer_bits(word); bits != 0) {
        traits = integer_traits(type, bits);
    } else if (word == "year") {
        traits = integer_traits("smallint", 16);
        traits.equality = traits.range = false;  // few years have a place in an index
    } else if (word == "float" || word == "double") {
        traits = real_traits(type, word);
    } else if (word == "decimal") {
        traits = {.kind = ColumnClass::Decimal,
                  .declared_type = std::string(kDecimalType),
                  .collation = kDecimalCollation,
                  .equality = true,
                  .range = true,
                  .ordered = true};
    } else if (word == "char" || word == "varchar" || word.ends_with("text")) {
        traits = text_traits(column.collation, word == "char");
    } else if (word == "date") {
        traits = temporal_traits(ColumnClass::Date, type);
    } else if (word == "datetime") {
        traits = temporal_traits(ColumnClass::DateTime, type);
    } else if (word == "timestamp") {
        traits = temporal_traits(ColumnClass::Timestamp, type);
    } else if (word == "binary" || word == "varbinary" || word.ends_with("blob")) {
        traits = {.kind = ColumnClass::Bytes,
                  .declared_type = "BLOB",
                  .equality = true,
                  .range = true,
                  .ordered = true,
                  .text_size = word == "binary"
                                   ? static_cast<unsigned>(std::max(parameters(type)[0], 1))
                                   : 0};
    } else if (is_one_of(word, {"enum", "set", "time", "uuid", "inet4", "inet6"})) {
        traits.declared_type = "TEXT";
    }
    if (column.virtual_column) {  // NULL to SQLite, whatever an index knows of it
        traits.equality = traits.range = traits.ordered = false;
    }
    return traits;
}

NumberStyle style_of(const char* declared_type) {
    const std::string_view type = declared_type == nullptr ? "" : declared_type;
    NumberStyle style;
    if (const std::size_t at = type.find(" ZEROFILL"); at != std::string_view::npos) {
        style.kind = NumberStyle::Kind::ZeroFill;
        style.count = parameters(type.substr(at))[0];
        return style;
    }
    style.single = first_word(type) == kFloatType;
    if (const int decimals = parameters(type)[1]; decimals >= 0) {
        style.kind = NumberStyle::Kind::Fixed;
        style.count = decimals;
    } else if (style.single) {
        style.kind = NumberStyle::Kind::Float;
    }
    return style;
}

bool is_integer_type(const char* declared_type) {
    return declared_type != nullptr && std::string_view(declared_type).starts_with(kUnsignedType);
}
bool is_decimal_type(const char* declared_type) {
    return declared_type != nullptr && declared_type == kDecimalType;
}

std::string quoted(std::string_view name) {
    std::string text = "\"";
    for (const char c : name) {
        text += c;
        text += c == '"' ? "\"" : "";
    }
    return text + '"';
}

Bound bound_of(const ColumnTraits& traits, sqlite3_value* value, BoundSide side,
               std::deque<std::string>& texts) {
    if (sqlite3_value_type(value) == SQLITE_NULL) {
        return exact({});
    }
    switch (traits.kind) {
        case ColumnClass::Integer:
        case ColumnClass::Float:
        case ColumnClass::Double: {
            const Number number = number_of(value);
            if (number.type != SQLITE_INTEGER && number.type != SQLITE_FLOAT) {
                return {};
            }
            return traits.kind == ColumnClass::Integer ? integer_bound(traits, number, side)
                                                       : real_bound(traits, number, side);
        }
        case ColumnClass::Decimal:
            return decimal_bound(value, texts);
        case ColumnClass::Text:
            return bytes_bound(value, SQLITE_TEXT, Value::Kind::Text, 0, texts);
        case ColumnClass::Bytes:
            return bytes_bound(value, SQLITE_BLOB, Value::Kind::Bytes, traits.text_size, texts);
        case ColumnClass::Date:
        case ColumnClass::DateTime:
        case ColumnClass::Timestamp:
            return temporal_bound(traits, value, side, texts);
        case ColumnClass::Other:
            break;
    }
    return {};
}

}  // namespace redoubt::sql
