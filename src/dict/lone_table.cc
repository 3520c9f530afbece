#include "dict/lone_table.h"

#include <algorithm>

#include "page/header.h"
#include "page/index_page.h"

namespace redoubt::dict {
namespace {

using record::ColumnType;
using record::TypeKind;

// MTYPE and PRTYPE of SYS_COLUMNS: docs/formats/dictionary.md#types. Only what decides how values
// are stored is told apart.
constexpr std::uint32_t kFixedBinary = 3;
constexpr std::uint32_t kBinary = 4;
constexpr std::uint32_t kBlob = 5;
constexpr std::uint32_t kInt = 6;
constexpr std::uint32_t kVarcharOther = 12;
constexpr std::uint32_t kCharOther = 13;
constexpr std::uint32_t kGeometry = 14;
constexpr std::uint32_t kNotNull = 0x100;
constexpr unsigned kCollationShift = 16;
// TYPE, N_COLS and index types: docs/formats/dictionary.md.
constexpr std::uint32_t kCompactBit = 0x80000000;
constexpr std::uint32_t kDynamic = 0x21;
constexpr std::uint32_t kCompressedPages = 0x02;
constexpr std::uint32_t kClusteredUnique = 3;
constexpr std::string_view kDocId = "FTS_DOC_ID";

bool is_stored(const FrmField& field) {
    return !field.virtual_column() && field.visibility != Visibility::Full;
}

bool is_blob(const FrmField& field) {
    return field.type == FrmType::TinyBlob || field.type == FrmType::Blob ||
           field.type == FrmType::MediumBlob || field.type == FrmType::LongBlob;
}

bool is_prefix(const FrmField& field, const FrmKeyPart& part) {
    const bool text = (field.type == FrmType::Varchar || field.type == FrmType::Char) &&
                      field.plugin_type.empty();  // whose length is that of the text shown
    return is_blob(field) || (text && part.length < field.length);
}

Result<SystemColumn> column_of(const FrmField& field) {
    ASSIGN_OR_RETURN(const ColumnType type, column_type(field));
    SystemColumn column{.name = field.name,
                        .precise_type = (field.nullable() ? 0 : kNotNull) |
                                        std::uint32_t{field.collation} << kCollationShift,
                        .length = type.size != 0 ? type.size : field.length};
    if (field.type == FrmType::Geometry) {
        column.main_type = kGeometry;
    } else if (is_blob(field)) {
        column.main_type = kBlob;
    } else if (type.kind == TypeKind::FixedText) {
        column.main_type = kCharOther;
    } else if (type.kind == TypeKind::Text) {
        column.main_type = kVarcharOther;
    } else if (type.kind == TypeKind::Bytes) {
        column.main_type = kBinary;
    } else {
        column.main_type = kFixedBinary;
    }
    return column;
}

/// The key that the server has InnoDB order the rows by: the primary one, else the first that is
/// unique over whole columns that are not null; null: there is none, rows have hidden numbers.
const FrmKey* clustered_key(const Frm& frm) {
    const auto is_whole = [&](const FrmKeyPart& part) {
        const FrmField& field = frm.fields[part.field];
        return !field.nullable() && is_stored(field) && !is_prefix(field, part);
    };
    for (const FrmKey& key : frm.keys) {
        if (key.name == "PRIMARY") {
            return &key;
        }
    }
    for (const FrmKey& key : frm.keys) {
        const bool tree = key.unique() && !key.fulltext() && !key.spatial();
        if (tree && std::ranges::all_of(key.parts, is_whole)) {
            return &key;
        }
    }
    return nullptr;
}

SystemIndexField key_field(const Frm& frm, const FrmKeyPart& part) {
    const FrmField& field = frm.fields[part.field];
    return {.column = field.name,
            .prefix = is_prefix(field, part) ? part.length : std::uint16_t{0},
            .descending = part.descending};
}

}  // namespace

bool has_hidden_doc_id(const Frm& frm) {
    return std::ranges::any_of(frm.keys, &FrmKey::fulltext) &&
           std::ranges::none_of(frm.fields,
                                [](const FrmField& field) { return field.name == kDocId; });
}

Result<std::unique_ptr<StoredTable>> build_lone_table(const Frm& frm, const LoneTable& table) {
    const page::IndexHeaderView root(table.root);
    const SpaceId space = table.header.id;
    if (!page::is_index_type(page::HeaderView(table.root).type()) ||
        page::HeaderView(table.root).previous() != kNoPage ||
        page::HeaderView(table.root).next() != kNoPage) {
        return corruption({space, kLoneRoot}, "not the root of a clustered index");
    }
    SystemTableRow row{
        .name = table.name,
        .column_counts = root.compact() ? kCompactBit : 0,
        .type = kDynamic | (table.header.flags.row_compressed ? kCompressedPages : 0),
        .space = space,
        .columns = {},
        .indexes = {}};
    for (const FrmField& field : frm.fields) {
        if (is_stored(field)) {
            ASSIGN_OR_RETURN(SystemColumn column, column_of(field));
            row.columns.push_back(std::move(column));
        }
    }
    if (table.hidden_doc_id) {
        row.columns.push_back({.name = std::string(kDocId),
                               .main_type = kInt,
                               .precise_type = kNotNull,
                               .length = 8});
    }
    SystemIndex index{.id = root.index_id(),
                      .name = "GEN_CLUST_INDEX",
                      .type = kClusteredUnique,
                      .space = space,
                      .root = kLoneRoot,
                      .fields = {}};
    if (const FrmKey* const key = clustered_key(frm)) {
        index.name = key->name;
        for (const FrmKeyPart& part : key->parts) {
            index.fields.push_back(key_field(frm, part));
        }
    } else {
        index.type = 1;  // as the dictionary has it
    }
    row.indexes.push_back(std::move(index));
    return build_table({&row}, &frm);
}

}  // namespace redoubt::dict
