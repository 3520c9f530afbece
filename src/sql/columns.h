/// How a column of MariaDB's shows itself to SQLite: its declared type, which decides how SQLite
/// converts what it is compared with; its collation; and which comparisons an index may be asked to
/// make. Declared types are chosen so that no value is converted behind our back.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "dict/table.h"
#include "record/value.h"

struct sqlite3_value;

namespace redoubt::sql {

enum class ColumnClass : std::uint8_t {
    Integer,
    Float,
    Double,
    Decimal,
    Text,
    Date,
    DateTime,
    Timestamp,
    Bytes,
    Other  ///< no index is asked: ENUM, SET, TIME, BIT, UUID, INET, geometry
};

struct ColumnTraits {
    ColumnClass kind = ColumnClass::Other;
    std::string declared_type;  ///< SQLite's; empty = none
    std::string collation = "BINARY";
    /// What SQLite takes for equal is equal to the index too.
    bool equality = false;
    /// What SQLite takes for less is less, or equal, to the index too.
    bool range = false;
    /// SQLite's order of the values is the index's.
    bool ordered = false;
    bool is_unsigned = false;   ///< Integer
    std::uint64_t maximum = 0;  ///< Integer
    std::int64_t minimum = 0;   ///< Integer
    unsigned text_size = 0;     ///< times: characters, fraction included; BINARY(n): bytes
};

ColumnTraits traits_of(const dict::Column& column);

/// How SELECT prints a number that comes straight from a column, as the server does.
struct NumberStyle {
    enum class Kind : std::uint8_t { Plain, Float, Fixed, ZeroFill };
    Kind kind = Kind::Plain;
    bool single = false;  ///< a FLOAT, whatever the kind
    int count = 0;        ///< Fixed: decimals; ZeroFill: digits
};
/// From the type that traits_of() declared; null: an expression.
NumberStyle style_of(const char* declared_type);
/// Digits as text stand for a number: BIGINT UNSIGNED.
bool is_integer_type(const char* declared_type);
/// DECIMAL: numbers as text.
bool is_decimal_type(const char* declared_type);

/// "name" as SQL writes it.
std::string quoted(std::string_view name);

enum class BoundSide : std::uint8_t { Equal, Lower, Upper };
struct Bound {
    enum class Use : std::uint8_t {
        Exact,    ///< stands for the comparison itself
        Wider,    ///< to be taken as inclusive: it lets rows in that do not belong
        Unknown,  ///< cannot be told to an index
        NoRows    ///< nothing compares so
    };
    Use use = Use::Unknown;
    record::Value value = {};
};
/// What an index is asked for when SQLite asks for column = value, > or >=, < or <=. Texts are kept
/// in `texts`. NULL becomes a NULL, to be handled by the caller.
Bound bound_of(const ColumnTraits& traits, sqlite3_value* value, BoundSide side,
               std::deque<std::string>& texts);

}  // namespace redoubt::sql
