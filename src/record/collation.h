/// The order of texts in the server's collations, for those whose rules are known here exactly.
/// Weights were read from a server of 10.11.19 (tools/make_collation_tables).
/// Format: docs/formats/collations.md; checked by interop/collations.py.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "record/charset.h"

namespace redoubt::record {

using TextBytes = std::span<const std::byte>;

/// Orders of any bytes whatever, also of those that are no text: each is total, and takes time and
/// memory as the texts are long. Below 0, 0 or above, as `a` stands before, with or behind `b`.
/// Thread-safe.
class Comparator {
public:
    virtual ~Comparator() = default;

    /// Of texts in the collation's character set, as VARCHAR and TEXT hold them.
    virtual int compare(TextBytes a, TextBytes b) const = 0;

    /// Of CHARs as an index has them, with such spaces as are stored: where spaces at the end
    /// count, the shorter one has more of them than are stored.
    virtual int compare_filled(TextBytes a, TextBytes b) const = 0;
    /// Whether compare() finds two CHARs without their trailing spaces equal if, and only if,
    /// compare_filled() does.
    virtual bool filling_keeps_equality() const { return true; }

    /// Of UTF-8 that the texts were converted to; what the character set does not have comes last.
    virtual int compare_utf8(std::string_view a, std::string_view b) const = 0;
    /// Whether compare_utf8() says of converted texts what compare() says of them unconverted.
    virtual bool knows_utf8() const { return true; }
};

/// null: its rules are not known here. Lives for ever. Thread-safe.
const Comparator* comparator_of(const Collation& collation);
/// Of bytes as numbers; `pad`: the shorter text is filled up with spaces.
const Comparator& byte_order(bool pad);

}  // namespace redoubt::record
