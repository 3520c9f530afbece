/// One column's value as readers hand it on: what the server would print, not yet printed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace redoubt::record {

/// A view: text and bytes belong to whoever gave the value, and live as long as that says.
struct Value {
    enum class Kind : std::uint8_t {
        Null,
        Integer,   ///< TINYINT ... BIGINT, YEAR
        Unsigned,  ///< the same, UNSIGNED
        Float,     ///< FLOAT; printed with six digits, as the server does
        Double,
        Decimal,  ///< DECIMAL: `text` has all digits
        Text,   ///< CHAR, VARCHAR, TEXT, ENUM, SET, JSON in UTF-8; DATE, DATETIME, TIMESTAMP, TIME,
                ///< UUID, INET as the server prints them
        Bytes,  ///< BINARY, VARBINARY, BLOB, BIT, GEOMETRY (SRID and WKB)
        NotStored  ///< a VIRTUAL generated column: no record has it
    };
    Kind kind = Kind::Null;
    std::int64_t integer = 0;            ///< Integer
    std::uint64_t unsigned_integer = 0;  ///< Unsigned
    double number = 0;                   ///< Float, Double
    std::string_view text = {};          ///< Decimal, Text, Bytes

    bool is_null() const { return kind == Kind::Null; }
};

}  // namespace redoubt::record
