#include "record/keys.h"

#include "record/column_type.h"

namespace redoubt::record {

bool keys_are_ordered(const RecordLayout& layout) {
    for (std::size_t i = 0; i < layout.key_fields && i < layout.fields.size(); ++i) {
        const ColumnType* const type = layout.fields[i].type;
        if (type != nullptr && !type->comparable()) {
            return false;
        }
    }
    return layout.key_fields <= layout.fields.size();
}

void KeptKey::assign(std::span<const Field> from) {
    bytes.clear();
    fields.assign(from.begin(), from.end());
    for (const Field& field : from) {
        bytes.insert(bytes.end(), field.data, field.data + field.size);
    }
    std::size_t at = 0;
    for (Field& field : fields) {
        field.data = bytes.data() + at;
        at += field.size;
    }
    known = true;
}

}  // namespace redoubt::record
