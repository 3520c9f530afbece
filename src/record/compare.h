/// Order of stored values in indexes, for the types where it is known exactly, and values made into
/// stored bytes to search with. Format: docs/formats/records.md#order,
/// docs/formats/collations.md.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "record/layout.h"
#include "record/value.h"

namespace redoubt::record {

/// Less than, equal to or greater than 0, as `a` stands before `b` in an index; NULL before all.
/// For types that are comparable() (others by their bytes, so that at least equal ones are equal).
int compare_fields(const FieldLayout& layout, const Field& a, const Field& b);
/// Whether `entry` stands where an index that has the first bytes of a column (`layout.prefix`)
/// would have `value`. Of a longer value it has as many whole characters as fit.
bool is_prefix_of(const FieldLayout& layout, const Field& entry, const Field& value);
/// How many bytes of `value` an index with the first bytes of its column has: `layout.prefix`, not
/// 0, at most, and of texts at most as many characters as always fit.
std::size_t prefix_size(const FieldLayout& layout, std::string_view value);
/// Of the first keys of a record and a search key of as many or fewer fields.
int compare_keys(std::span<const FieldLayout> layout, std::span<const Field> record,
                 std::span<const Field> key);

/// The bytes a column holds for `value` (not NULL). False: none does, or not exactly ("3.5" for an
/// INT); then no search by it is possible.
bool encode_key(const ColumnType& type, const Value& value, std::string& out);

}  // namespace redoubt::record
