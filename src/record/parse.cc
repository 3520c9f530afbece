#include "record/parse.h"

#include <algorithm>

#include "base/big_endian.h"

namespace redoubt::record {
namespace {

constexpr unsigned kStatusMask = 7;
constexpr unsigned kStatusNodePointer = 1;
constexpr unsigned kStatusInstant = 4;
constexpr std::size_t kChildSize = 4;  // bytes

Error broken(std::string_view what, std::size_t origin) {
    return make_error(ErrorCode::Corruption, "record at offset {}: {}", origin, what);
}

unsigned byte_at(std::span<const std::byte> page, std::size_t offset) {
    return std::to_integer<unsigned>(page[offset]);
}

/// A COMPACT record's header is read downwards from its origin.
class Lengths {
public:
    Lengths(std::span<const std::byte> page, std::size_t below) : page_(page), at_(below) {}
    /// The next lower byte. False: the header reaches out of the heap.
    bool take(unsigned& value) {
        if (at_ <= kCompactHeap) {
            return false;
        }
        value = byte_at(page_, --at_);
        return true;
    }
    bool skip(std::size_t count) {
        if (at_ < kCompactHeap + count) {
            return false;
        }
        at_ -= count;
        return true;
    }
    std::size_t at() const { return at_; }

private:
    std::span<const std::byte> page_;
    std::size_t at_;
};

/// `count` fields of a COMPACT record whose null bitmap ends below `header_end` and takes
/// `null_bytes`. `begin`, if not null, gets where the lengths of these fields begin.
Status parse_compact(std::span<const std::byte> page, std::size_t origin, std::size_t header_end,
                     std::size_t null_bytes, std::span<const FieldLayout> fields, std::size_t count,
                     std::span<Field> out, std::size_t* begin = nullptr) {
    Lengths lengths(page, header_end);
    if (!lengths.skip(null_bytes)) {
        return broken("its header begins before the first record's place", origin);
    }
    std::size_t data = origin;
    std::size_t null_bit = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const FieldLayout& field = fields[i];
        Field& to = out[i];
        to = {.data = page.data() + data};
        if (field.nullable) {
            if (null_bit >= null_bytes * 8) {
                return broken("its null bitmap is too short", origin);
            }
            const unsigned bits = byte_at(page, header_end - 1 - null_bit / 8);
            const bool null = ((bits >> (null_bit % 8)) & 1) != 0;
            ++null_bit;
            if (null) {
                to.null = true;
                continue;
            }
        }
        if (field.fixed_size != 0) {
            to.size = field.fixed_size;
        } else {
            unsigned length = 0;
            if (!lengths.take(length)) {
                return broken("its lengths begin before the first record's place", origin);
            }
            if (field.big && (length & 0x80) != 0) {
                unsigned low = 0;
                if (!lengths.take(low)) {
                    return broken("its lengths begin before the first record's place", origin);
                }
                to.external = (length & 0x40) != 0;
                length = ((length & 0x3F) << 8) | low;
            }
            to.size = length;
        }
        if (to.size > page.size() - data || (to.external && to.size < kReferenceSize)) {
            return broken("a field reaches out of the page", origin);
        }
        data += to.size;
    }
    if (begin != nullptr) {
        *begin = lengths.at();
    }
    return {};
}

std::size_t redundant_field_count(std::span<const std::byte> page, std::size_t origin) {
    return (load_be<std::uint16_t>(page.data() + origin - 4) >> 1) & 0x3FF;
}

/// Bytes of all fields: where the last one ends, which has its room also where it is NULL.
std::size_t redundant_size(std::span<const std::byte> page, std::size_t origin, std::size_t count,
                           bool short_ends) {
    if (count == 0) {
        return 0;
    }
    const std::byte* const at =
        page.data() + origin - kRedundantHeader - (short_ends ? 1 : 2) * count;
    return short_ends ? std::to_integer<unsigned>(*at) & 0x7F
                      : load_be<std::uint16_t>(at) & 0x3FFFU;
}

/// `count` fields of a REDUNDANT record that has at least so many.
Status parse_redundant(std::span<const std::byte> page, std::size_t origin, std::size_t count,
                       std::span<Field> out) {
    const bool short_ends = (byte_at(page, origin - 3) & 1) != 0;
    const std::size_t width = short_ends ? 1 : 2;
    if (origin < kRedundantHeap + kRedundantHeader + width * count) {
        return broken("its header begins before the first record's place", origin);
    }
    std::size_t begin = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::byte* const at = page.data() + origin - kRedundantHeader - width * (i + 1);
        std::size_t end = 0;
        Field& to = out[i];
        to = {.data = page.data() + origin + begin};
        if (short_ends) {
            const auto raw = std::to_integer<unsigned>(*at);
            to.null = (raw & 0x80) != 0;
            end = raw & 0x7F;
        } else {
            const unsigned raw = load_be<std::uint16_t>(at);
            to.null = (raw & 0x8000) != 0;
            to.external = (raw & 0x4000) != 0;
            end = raw & 0x3FFF;
        }
        if (end < begin || end > page.size() - origin ||
            (to.external && end - begin < kReferenceSize)) {
            return broken("a field reaches out of the page", origin);
        }
        to.size = to.null ? 0 : static_cast<std::uint32_t>(end - begin);
        begin = end;
    }
    return {};
}

/// The count of added fields below the fixed header (status 4), and where it begins.
struct Added {
    std::size_t count = 0;
    std::size_t begin = 0;
};
Added added_fields(std::span<const std::byte> page, std::size_t origin) {
    const std::size_t end = origin - kCompactHeader;
    const unsigned first = byte_at(page, end - 1);
    if ((first & 0x80) == 0) {
        return {first, end - 1};
    }
    return {(first & 0x7F) | (std::size_t{byte_at(page, end - 2)} << 7), end - 2};
}

unsigned status_of(std::span<const std::byte> page, std::size_t origin) {
    return byte_at(page, origin - 3) & kStatusMask;
}

std::size_t null_bytes_of(std::span<const FieldLayout> fields) {
    std::size_t nullable = 0;
    for (const FieldLayout& field : fields) {
        nullable += field.nullable ? 1 : 0;
    }
    return (nullable + 7) / 8;
}

/// Whether a REDUNDANT node pointer may have so many fields, the child among them.
bool is_pointer_count(const RecordLayout& layout, std::size_t stored) {
    return stored == layout.key_fields + 1 || (layout.universal && stored > layout.key_fields);
}

/// Whether a REDUNDANT record of a leaf may have so many fields.
bool fits(const RecordLayout& layout, std::size_t stored) {
    return stored >= layout.core_fields && (stored <= layout.fields.size() || layout.universal);
}

Status parse_stored(std::span<const std::byte> page, std::size_t origin, const RecordLayout& layout,
                    std::size_t& count, std::span<Field> out) {
    if (!layout.compact) {
        const std::size_t stored = redundant_field_count(page, origin);
        if (!fits(layout, stored)) {
            return broken("its number of fields is not the index's", origin);
        }
        count = std::min(count, stored);
        return parse_redundant(page, origin, count, out);
    }
    const unsigned status = status_of(page, origin);
    if (status == 0) {
        count = std::min(count, layout.core_fields);
        return parse_compact(page, origin, origin - kCompactHeader, layout.core_null_bytes,
                             layout.fields, count, out);
    }
    if (status != kStatusInstant || layout.core_fields == layout.fields.size()) {
        return broken("its kind does not belong on this page", origin);
    }
    const Added added = added_fields(page, origin);
    const std::size_t stored = layout.core_fields + added.count + 1;
    if (stored > layout.fields.size()) {
        return broken("it has more fields than the index", origin);
    }
    count = std::min(count, stored);
    return parse_compact(page, origin, added.begin,
                         null_bytes_of(std::span(layout.fields).first(stored)), layout.fields,
                         count, out);
}

}  // namespace

Status parse_record(std::span<const std::byte> page, std::size_t origin, const RecordLayout& layout,
                    std::size_t count, std::span<Field> out) {
    std::size_t stored = count;
    RETURN_IF_ERROR(parse_stored(page, origin, layout, stored, out));
    for (std::size_t i = stored; i < count; ++i) {
        const std::size_t added = i - layout.core_fields;
        if (i < layout.core_fields || added >= layout.defaults.size()) {
            return broken("it has fewer fields than the index", origin);
        }
        out[i] = layout.defaults[added].field();
    }
    return {};
}

Result<PageNo> parse_node_pointer(std::span<const std::byte> page, std::size_t origin,
                                  const RecordLayout& layout, std::span<Field> out) {
    const std::size_t count = layout.key_fields;
    if (!layout.compact) {
        const std::size_t stored = redundant_field_count(page, origin);
        if (!is_pointer_count(layout, stored)) {
            return broken("a node pointer has another number of fields", origin);
        }
        std::vector<Field> all;
        if (layout.universal) {
            all.resize(stored);
        }
        const std::span<Field> fields = layout.universal ? std::span(all) : out;
        RETURN_IF_ERROR(parse_redundant(page, origin, stored, fields));
        const Field& child = fields[stored - 1];
        if (child.null || child.size != kChildSize) {
            return broken("a node pointer leads nowhere", origin);
        }
        if (layout.universal) {
            std::copy_n(all.begin(), count, out.begin());
        }
        return PageNo{load_be<std::uint32_t>(child.data)};
    }
    if (status_of(page, origin) != kStatusNodePointer) {
        return broken("not a node pointer", origin);
    }
    RETURN_IF_ERROR(parse_compact(page, origin, origin - kCompactHeader, layout.core_null_bytes,
                                  layout.fields, count, out));
    std::size_t end = origin;
    for (std::size_t i = 0; i < count; ++i) {
        end += out[i].size;
    }
    if (end + kChildSize > page.size()) {
        return broken("a node pointer reaches out of the page", origin);
    }
    return PageNo{load_be<std::uint32_t>(page.data() + end)};
}

Result<RecordExtent> parse_whole_record(std::span<const std::byte> page, std::size_t origin,
                                        const RecordLayout& layout, bool node_pointer,
                                        std::vector<Field>& fields) {
    RecordExtent extent;
    std::size_t count = node_pointer ? layout.key_fields : layout.fields.size();
    if (!layout.compact) {
        const std::size_t stored = redundant_field_count(page, origin);
        if (node_pointer ? !is_pointer_count(layout, stored) : !fits(layout, stored)) {
            return broken("its number of fields is not the index's", origin);
        }
        fields.resize(stored);
        RETURN_IF_ERROR(parse_redundant(page, origin, stored, fields));
        const bool short_ends = (byte_at(page, origin - 3) & 1) != 0;
        extent.begin = origin - kRedundantHeader - (short_ends ? 1 : 2) * stored;
        extent.end = origin + redundant_size(page, origin, stored, short_ends);
        fields.resize(stored - (node_pointer ? 1 : 0));
        return extent;
    }
    std::size_t header_end = origin - kCompactHeader;
    std::size_t null_bytes = layout.core_null_bytes;
    const unsigned status = status_of(page, origin);
    if (node_pointer != (status == kStatusNodePointer)) {
        return broken("its kind does not belong on this page", origin);
    }
    if (!node_pointer && status == kStatusInstant) {
        const Added added = added_fields(page, origin);
        count = layout.core_fields + added.count + 1;
        if (layout.core_fields == layout.fields.size() || count > layout.fields.size()) {
            return broken("it has more fields than the index", origin);
        }
        header_end = added.begin;
        null_bytes = null_bytes_of(std::span(layout.fields).first(count));
    } else if (!node_pointer) {
        if (status != 0) {
            return broken("its kind does not belong on this page", origin);
        }
        count = std::min(count, layout.core_fields);
    }
    fields.resize(count);
    RETURN_IF_ERROR(parse_compact(page, origin, header_end, null_bytes, layout.fields, count,
                                  fields, &extent.begin));
    extent.end = origin + (node_pointer ? kChildSize : 0);
    for (const Field& field : fields) {
        extent.end += field.size;
    }
    if (extent.end > page.size()) {
        return broken("it reaches out of the page", origin);
    }
    return extent;
}

Result<std::size_t> physical_fields(std::span<const std::byte> page, std::size_t origin,
                                    bool compact, std::size_t core_fields) {
    if (!compact) {
        return redundant_field_count(page, origin);
    }
    if (status_of(page, origin) != kStatusInstant || origin < kCompactHeap + kCompactHeader + 2) {
        return broken("not a record of an instant change", origin);
    }
    return core_fields + added_fields(page, origin).count + 1;
}

Status parse_metadata(std::span<const std::byte> page, std::size_t origin, bool compact,
                      std::span<const FieldLayout> fields, std::size_t core_fields,
                      std::span<Field> out) {
    ASSIGN_OR_RETURN(const std::size_t stored, physical_fields(page, origin, compact, core_fields));
    if (stored < fields.size()) {
        return broken("a record of an instant change has too few fields", origin);
    }
    const std::size_t count = std::min(fields.size(), out.size());
    if (!compact) {
        return parse_redundant(page, origin, count, out);
    }
    return parse_compact(page, origin, added_fields(page, origin).begin, null_bytes_of(fields),
                         fields, count, out);
}

}  // namespace redoubt::record
