// Records taken apart, and their values decoded. Input: a byte of choices, a byte for each field
// (up to 16), then the page.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "record/decode.h"
#include "record/parse.h"

namespace {

using namespace redoubt;

void decode_all(std::span<const record::Field> fields) {
    static const record::ColumnType kTypes[] = {
        {.kind = record::TypeKind::Text,
         .compressed = true,
         .collation = record::find_collation(8)},
        {.kind = record::TypeKind::FixedText, .collation = record::find_collation(54)},
        {.kind = record::TypeKind::Text, .collation = record::find_collation(13)},
        {.kind = record::TypeKind::Integer},
        {.kind = record::TypeKind::Decimal, .precision = 20, .digits = 11, .size = 10},
        {.kind = record::TypeKind::DateTime, .digits = 3, .size = 7},
        {.kind = record::TypeKind::OldTime, .digits = 2, .size = 4},
        {.kind = record::TypeKind::Uuid, .size = 16},
        {.kind = record::TypeKind::Inet6, .size = 16},
        {.kind = record::TypeKind::Set}};
    for (const record::ColumnType& type : kTypes) {
        record::ValueDecoder decoder(type);
        for (const record::Field& field : fields) {
            if (!field.null) {
                static_cast<void>(decoder.decode(field.bytes()));
            }
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    if (input.size() < 17) {
        return 0;
    }
    const auto choices = std::to_integer<unsigned>(input[0]);
    record::RecordLayout layout;
    layout.compact = (choices & 1) != 0;
    for (std::size_t i = 1; i < 17; ++i) {
        const auto b = std::to_integer<unsigned>(input[i]);
        layout.fields.push_back({.fixed_size = static_cast<std::uint16_t>(b >> 3),
                                 .nullable = (b & 1) != 0,
                                 .big = (b & 2) != 0});
    }
    layout.key_fields = 1 + (choices >> 1) % 4;
    layout.finish();
    if ((choices & 0x80) != 0) {
        layout.core_fields = 8;
        layout.core_null_bytes = layout.null_bytes(8);
        layout.defaults.resize(8);
    }
    std::vector<std::byte> page(4096);
    std::copy_n(input.begin() + 17, std::min(page.size(), input.size() - 17), page.begin());
    std::vector<record::Field> fields(layout.fields.size() + 1);
    for (std::size_t origin = record::kRedundantHeap + record::kRedundantHeader;
         origin < page.size(); origin += 97) {
        if (record::parse_record(page, origin, layout, layout.fields.size(), fields)) {
            decode_all(std::span(fields).first(layout.fields.size()));
        }
        static_cast<void>(record::parse_node_pointer(page, origin, layout, fields));
        static_cast<void>(record::parse_metadata(page, origin, layout.compact, layout.fields,
                                                 layout.core_fields, fields));
    }
    return 0;
}
