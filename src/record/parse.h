/// Takes records apart. Whatever the bytes say, nothing outside the page is touched.
/// Format: docs/formats/records.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "record/layout.h"

namespace redoubt::record {

// Positions of the first and last record of every page, and where others may begin.
inline constexpr std::size_t kCompactInfimum = 99;
inline constexpr std::size_t kCompactSupremum = 112;
inline constexpr std::size_t kCompactHeap = 120;
inline constexpr std::size_t kRedundantInfimum = 101;
inline constexpr std::size_t kRedundantSupremum = 116;
inline constexpr std::size_t kRedundantHeap = 125;
inline constexpr std::size_t kCompactHeader = 5;    // bytes before a record's origin
inline constexpr std::size_t kRedundantHeader = 6;  // bytes before a record's origin

inline constexpr unsigned kMinimumRecord = 0x10;  ///< info bit: first of its level, or metadata
inline constexpr unsigned kDeleteMark = 0x20;     ///< info bit

/// Of a record whose origin list_records() gave.
inline unsigned info_bits(std::span<const std::byte> page, std::size_t origin, bool compact) {
    return std::to_integer<unsigned>(page[origin - (compact ? kCompactHeader : kRedundantHeader)]) &
           0xF0;
}

/// The first `count` fields of a record of a leaf page into `out`; what an older record lacks is
/// taken from the layout's defaults. Fields view the page and the layout. Errors: Corruption,
/// without a page.
Status parse_record(std::span<const std::byte> page, std::size_t origin, const RecordLayout& layout,
                    std::size_t count, std::span<Field> out);

/// The key_fields of a node pointer into `out`, and the page it leads to. Errors: as above.
Result<PageNo> parse_node_pointer(std::span<const std::byte> page, std::size_t origin,
                                  const RecordLayout& layout, std::span<Field> out);

/// The first fields of the record that describes instant changes, at most as many as `out` holds,
/// before its defaults are known: `fields` are all that it has, a 20-byte reference among them
/// where it has one.
Status parse_metadata(std::span<const std::byte> page, std::size_t origin, bool compact,
                      std::span<const FieldLayout> fields, std::size_t core_fields,
                      std::span<Field> out);

/// Where a record lies on its page, its header and lengths included.
struct RecordExtent {
    std::size_t begin = 0;
    std::size_t end = 0;
};
/// Of a record (no metadata record) of a leaf page, or with `node_pointer` of one above. `fields`
/// gets all that are stored, node pointers' key only. Errors: Corruption, without a page.
Result<RecordExtent> parse_whole_record(std::span<const std::byte> page, std::size_t origin,
                                        const RecordLayout& layout, bool node_pointer,
                                        std::vector<Field>& fields);

/// Number of fields that a metadata record or a record with added columns has.
Result<std::size_t> physical_fields(std::span<const std::byte> page, std::size_t origin,
                                    bool compact, std::size_t core_fields);

}  // namespace redoubt::record
