#include "cli/index_definition.h"

#include <algorithm>
#include <array>

#include "btree/tree.h"
#include "dict/stored_table.h"
#include "engine/instant.h"
#include "record/charset.h"
#include "space/layout.h"

namespace redoubt::cli {
namespace {

// MTYPE and PRTYPE of SYS_COLUMNS: docs/formats/dictionary.md#types.
constexpr std::uint32_t kFixedBinary = 3;
constexpr std::uint32_t kBinary = 4;
constexpr std::uint32_t kBlob = 5;
constexpr std::uint32_t kVarcharOther = 12;
constexpr std::uint32_t kCharOther = 13;
constexpr std::uint32_t kGeometry = 14;
constexpr std::uint32_t kNotNull = 0x100;
constexpr std::uint32_t kVirtual = 0x2000;
constexpr std::uint16_t kBinaryCollation = 63;
constexpr PageNo kClusteredRoot{3};  // of a table with a file of its own

std::string field_name(const dict::StoredTable& table, const record::RecordLayout& layout,
                       std::size_t i) {
    const std::size_t column = layout.fields[i].column;
    if (column != record::kNoField) {
        return table.table.columns[column].name;
    }
    if (layout.trx_id_field != record::kNoField &&
        (i == layout.trx_id_field || i == layout.trx_id_field + 1)) {
        return i == layout.trx_id_field ? "DB_TRX_ID" : "DB_ROLL_PTR";
    }
    const bool row_id = layout.fields[i].fixed_size == 6 && i + 1 <= layout.key_fields;
    return row_id ? "DB_ROW_ID" : "(dropped or hidden column)";
}

std::unique_ptr<dict::StoredTable> build(const dict::SystemTableRow& row, const dict::Frm* frm,
                                         Status& why) {
    auto built = dict::build_table({&row}, frm);
    if (!built) {
        why = std::move(built.error());
        return nullptr;
    }
    return std::move(*built);
}

Result<dict::SystemColumn> column_of(const dict::FrmField& field) {
    using dict::FrmType;
    dict::SystemColumn column{.position = 0, .name = field.name, .length = field.length};
    column.precise_type = (field.nullable() ? 0 : kNotNull) |
                          (field.virtual_column() ? kVirtual : 0) |
                          (std::uint32_t{field.collation} << 16);
    const bool binary = field.collation == kBinaryCollation || !field.plugin_type.empty();
    switch (field.type) {
        case FrmType::Varchar:
            column.main_type = binary ? kBinary : kVarcharOther;
            return column;
        case FrmType::TinyBlob:
        case FrmType::Blob:
        case FrmType::MediumBlob:
        case FrmType::LongBlob:
            column.main_type = kBlob;
            return column;
        case FrmType::Geometry:
            column.main_type = kGeometry;
            return column;
        case FrmType::Char:
            if (!binary) {
                column.main_type = kCharOther;
                return column;
            }
            break;
        default:
            break;
    }
    ASSIGN_OR_RETURN(const record::ColumnType type, dict::column_type(field));
    column.main_type = kFixedBinary;
    column.length = type.size != 0 ? type.size : field.length;
    return column;
}

/// The key that orders the rows; null: none, so InnoDB's own row ids do.
const dict::FrmKey* clustered_key(const dict::Frm& frm) {
    const auto usable = [&frm](const dict::FrmKey& key) {
        return key.unique() && !key.fulltext() && !key.spatial() && key.algorithm <= 4 &&
               std::ranges::all_of(key.parts, [&frm](const dict::FrmKeyPart& part) {
                   const dict::FrmField& field = frm.fields[part.field];
                   const auto type = dict::column_type(field);
                   const bool whole = part.length == field.length ||
                                      (type && type->size != 0 && part.length == type->size);
                   return !field.nullable() && !field.virtual_column() && whole;
               });
    };
    for (const dict::FrmKey& key : frm.keys) {
        if (key.name == "PRIMARY" || usable(key)) {
            return &key;
        }
    }
    return nullptr;
}

}  // namespace

Result<std::shared_ptr<const IndexDefinition>> make_definition(const DefinitionParts& parts,
                                                               std::vector<std::string>& notes) {
    Status why;
    std::shared_ptr<const dict::StoredTable> table = build(parts.row, parts.frm, why);
    if (table == nullptr && parts.frm != nullptr) {
        notes.push_back(fmt::format("the .frm file of {} does not fit: {}",
                                    space::sql_name(parts.row.name), why.error().message()));
        table = build(parts.row, nullptr, why);
    }
    if (table == nullptr) {
        return std::move(why.error());
    }
    const dict::StoredPart& part = table->parts.front();
    const auto index = std::ranges::find(part.indexes, parts.index_id, &dict::StoredIndex::id);
    if (index == part.indexes.end()) {
        return std::shared_ptr<const IndexDefinition>();
    }
    auto made = std::make_shared<IndexDefinition>();
    made->table = space::sql_name(parts.row.name);
    made->index = table->table.indexes[static_cast<std::size_t>(index - part.indexes.begin())].name;
    made->layout = index->layout;
    made->owner = table;
    if (index->layout.clustered) {
        btree::TreeReader reader(parts.source,
                                 {.root = {part.space, index->root},
                                  .index_id = index->id,
                                  .physical_size = parts.header.flags.physical_page_size,
                                  .logical_size = parts.header.flags.logical_page_size,
                                  .row_compressed = parts.header.flags.row_compressed},
                                 index->layout);
        const auto changed =
            engine::apply_instant_changes(reader, part, parts.transactions, false, made->layout);
        if (!changed) {
            notes.push_back(fmt::format("instant changes of {} are not known: {}", made->table,
                                        changed.error().message()));
            made->layout = index->layout;
        }
    }
    for (std::size_t field = 0; field < made->layout.fields.size(); ++field) {
        made->names.push_back(field_name(*table, made->layout, field));
    }
    return std::shared_ptr<const IndexDefinition>(std::move(made));
}

Result<dict::SystemTableRow> row_of_frm(const dict::Frm& frm, const std::string& name,
                                        SpaceId space, std::uint64_t index_id, bool compact) {
    if (std::ranges::any_of(frm.keys, &dict::FrmKey::fulltext)) {
        return make_error(ErrorCode::Unsupported,
                          "a FULLTEXT index may have given the table a hidden column");
    }
    // Dynamic stands for every format that is not REDUNDANT: all lie alike on an expanded page.
    dict::SystemTableRow row{.name = name,
                             .id = 0,
                             .column_counts = compact ? 0x80000000 : 0,
                             .type = compact ? 0x21U : 1U,
                             .space = space,
                             .columns = {},
                             .indexes = {}};
    for (const dict::FrmField& field : frm.fields) {
        if (field.visibility == dict::Visibility::Full) {
            continue;
        }
        ASSIGN_OR_RETURN(dict::SystemColumn column, column_of(field));
        column.position = static_cast<std::uint32_t>(row.columns.size());
        row.columns.push_back(std::move(column));
    }
    dict::SystemIndex index{.id = index_id,
                            .name = "GEN_CLUST_INDEX",
                            .type = 1,
                            .space = space,
                            .root = kClusteredRoot,
                            .fields = {}};
    if (const dict::FrmKey* const key = clustered_key(frm)) {
        index.name = key->name;
        index.type = 3;
        for (const dict::FrmKeyPart& part : key->parts) {
            const dict::FrmField& field = frm.fields[part.field];
            const bool text =
                field.type == dict::FrmType::Varchar || field.type == dict::FrmType::Char ||
                (field.type >= dict::FrmType::TinyBlob && field.type <= dict::FrmType::Blob);
            const bool prefix = text && part.length < field.length;
            index.fields.push_back({.column = field.name,
                                    .prefix = prefix ? part.length : std::uint16_t{0},
                                    .descending = part.descending});
        }
    }
    row.indexes.push_back(std::move(index));
    return row;
}

std::shared_ptr<const IndexDefinition> system_index(std::uint64_t index_id) {
    struct Column {
        std::string_view name;
        unsigned size;  // bytes of a number; 0: text
    };
    struct Index {
        std::string_view table;
        std::string_view name;
        std::size_t key_fields;
        std::size_t fields_min;
        bool clustered;
        std::vector<Column> columns;
    };
    static const std::array<Index, 5> kIndexes = {{
        {"SYS_TABLES",
         "CLUST_IND",
         1,
         10,
         true,
         {{"NAME", 0},
          {"", 0},
          {"", 0},
          {"ID", 8},
          {"N_COLS", 4},
          {"TYPE", 4},
          {"MIX_ID", 8},
          {"MIX_LEN", 4},
          {"CLUSTER_NAME", 0},
          {"SPACE", 4}}},
        {"SYS_COLUMNS",
         "CLUST_IND",
         2,
         9,
         true,
         {{"TABLE_ID", 8},
          {"POS", 4},
          {"", 0},
          {"", 0},
          {"NAME", 0},
          {"MTYPE", 4},
          {"PRTYPE", 4},
          {"LEN", 4},
          {"PREC", 4}}},
        {"SYS_INDEXES",
         "CLUST_IND",
         2,
         9,
         true,
         {{"TABLE_ID", 8},
          {"ID", 8},
          {"", 0},
          {"", 0},
          {"NAME", 0},
          {"N_FIELDS", 4},
          {"TYPE", 4},
          {"SPACE", 4},
          {"PAGE_NO", 4},
          {"MERGE_THRESHOLD", 4}}},
        {"SYS_FIELDS",
         "CLUST_IND",
         2,
         5,
         true,
         {{"INDEX_ID", 8}, {"POS", 4}, {"", 0}, {"", 0}, {"COL_NAME", 0}}},
        {"SYS_TABLES", "ID_IND", 2, 2, false, {{"ID", 8}, {"NAME", 0}}},
    }};
    if (index_id < 1 || index_id > kIndexes.size()) {
        return nullptr;
    }
    const Index& from = kIndexes[index_id - 1];
    auto table = std::make_shared<dict::StoredTable>();
    auto made = std::make_shared<IndexDefinition>();
    made->table = from.table;
    made->index = from.name;
    record::RecordLayout& layout = made->layout;
    layout.compact = false;
    layout.clustered = from.clustered;
    layout.key_fields = from.key_fields;
    layout.trx_id_field = from.clustered ? from.key_fields : record::kNoField;
    table->types.reserve(from.columns.size());  // the layout points into it
    for (const Column& column : from.columns) {
        using record::TypeKind;
        table->types.push_back({.kind = column.size == 0 ? TypeKind::Text : TypeKind::Integer,
                                .is_unsigned = true,
                                .size = column.size,
                                .collation = record::default_collation("utf8mb3")});
        layout.fields.push_back({.type = column.name.empty() ? nullptr : &table->types.back()});
        made->names.emplace_back(column.name);
    }
    if (from.clustered) {
        made->names[from.key_fields] = "DB_TRX_ID";
        made->names[from.key_fields + 1] = "DB_ROLL_PTR";
    }
    layout.finish();
    layout.core_fields = from.fields_min;
    layout.defaults.resize(layout.fields.size() - from.fields_min);
    made->owner = std::move(table);
    return made;
}

}  // namespace redoubt::cli
