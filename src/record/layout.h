/// How the records of one index lie on its pages: what a reader must know to take one apart. `dict`
/// fills it in. Format: docs/formats/records.md#layout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/column_type.h"

namespace redoubt::record {

inline constexpr std::size_t kNoField = SIZE_MAX;
inline constexpr std::size_t kRowIdSize = 6;       // bytes
inline constexpr std::size_t kTrxIdSize = 6;       // bytes
inline constexpr std::size_t kRollPtrSize = 7;     // bytes
inline constexpr std::size_t kReferenceSize = 20;  ///< of an off-page column, bytes

/// One field as it lies in a record; nothing is owned.
struct Field {
    const std::byte* data = nullptr;
    std::uint32_t size = 0;  ///< bytes
    bool null = false;
    bool external = false;  ///< the last 20 bytes say where the rest of the value is

    std::span<const std::byte> bytes() const { return {data, size}; }
};

struct FieldLayout {
    std::uint16_t fixed_size = 0;  ///< bytes; 0 = it varies
    std::uint16_t prefix = 0;      ///< bytes of the column that are stored; 0 = all
    bool nullable = true;
    bool big = false;  ///< its length may take two bytes
    bool descending = false;
    bool document_id = false;  ///< FTS_DOC_ID where the server hides it: a FULLTEXT index needs it
    /// Position among the table's columns as `dict` numbers them; kNoField: a system column, or one
    /// that was dropped.
    std::size_t column = kNoField;
    const ColumnType* type = nullptr;  ///< null where `column` is kNoField

    /// Of a secondary index: the hidden virtual column that keeps a long UNIQUE key. (Without a
    /// column are also DB_ROW_ID and FTS_DOC_ID.)
    bool is_hidden_hash() const {
        return column == kNoField && !document_id && fixed_size != kRowIdSize;
    }
};

/// What a record lacks because it is older than an instant ADD COLUMN.
struct DefaultValue {
    bool null = true;
    std::string bytes;
    Field field() const {
        return {.data = static_cast<const std::byte*>(static_cast<const void*>(bytes.data())),
                .size = static_cast<std::uint32_t>(bytes.size()),
                .null = null};
    }
};

struct RecordLayout {
    bool compact = true;  ///< false: ROW_FORMAT=REDUNDANT
    bool clustered = true;
    /// The change buffer's tree: each record has as many fields as it needs (`fields` are those
    /// that all have), and a node pointer is a whole record with the child behind it. REDUNDANT.
    bool universal = false;
    /// An R-tree: the first field is a box (four doubles), and records are in no order.
    bool spatial = false;
    std::vector<FieldLayout> fields;
    /// Of a node pointer, before the child's page number. Also of the key that tells records apart.
    std::size_t key_fields = 0;
    /// Where DB_TRX_ID is, DB_ROLL_PTR behind it; kNoField: a secondary index.
    std::size_t trx_id_field = kNoField;

    // Of clustered indexes with instantly added or dropped columns; else as finish() sets it.
    std::size_t core_fields = 0;  ///< of records written before the first such change
    std::size_t core_null_bytes = 0;
    std::vector<DefaultValue> defaults;  ///< of the fields from core_fields on

    std::size_t null_bytes(std::size_t field_count) const {
        std::size_t nullable = 0;
        for (std::size_t i = 0; i < field_count && i < fields.size(); ++i) {
            nullable += fields[i].nullable ? 1 : 0;
        }
        return (nullable + 7) / 8;
    }
    /// Once `fields` are complete, where nothing was changed instantly.
    void finish() {
        core_fields = fields.size();
        core_null_bytes = null_bytes(core_fields);
        defaults.clear();
    }
};

}  // namespace redoubt::record
