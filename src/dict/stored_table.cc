#include "dict/stored_table.h"

#include <algorithm>

#include "dict/show_create.h"
#include "record/charset.h"
#include "record/decode.h"
#include "space/layout.h"

namespace redoubt::dict {
namespace {

using record::ColumnType;
using record::FieldLayout;
using record::kNoField;
using record::TypeKind;

// MTYPE of SYS_COLUMNS.
constexpr std::uint32_t kVarchar = 1;
constexpr std::uint32_t kChar = 2;
constexpr std::uint32_t kFixedBinary = 3;
constexpr std::uint32_t kBinary = 4;
constexpr std::uint32_t kBlob = 5;
constexpr std::uint32_t kInt = 6;
constexpr std::uint32_t kSystem = 8;
constexpr std::uint32_t kFloat = 9;
constexpr std::uint32_t kDouble = 10;
constexpr std::uint32_t kVarcharOther = 12;
constexpr std::uint32_t kCharOther = 13;
constexpr std::uint32_t kGeometry = 14;
// Bits of PRTYPE.
constexpr std::uint32_t kUnsigned = 0x200;
constexpr std::uint32_t kBinaryType = 0x400;

constexpr std::uint32_t kFixedMax = 768;  // bytes; longer ones are stored as if they varied
constexpr std::uint32_t kSmallMax = 255;  // bytes whose length takes one byte at most
constexpr unsigned kLatin1 = 8;           // collation latin1_swedish_ci
constexpr std::size_t kColumnsMax = 4096;

std::uint32_t collation_of(const SystemColumn& column) {
    return (column.precise_type >> 16) & 0x7FFF;
}

/// Text that is latin1_swedish_ci.
bool is_old_text(const SystemColumn& column) {
    return column.main_type == kVarchar || column.main_type == kChar;
}

std::uint32_t fixed_size(const SystemColumn& column, bool compact) {
    switch (column.main_type) {
        case kSystem:
        case kChar:
        case kFixedBinary:
        case kInt:
        case kFloat:
        case kDouble:
            return column.length;
        case kCharOther: {
            const record::Collation* const collation = record::find_collation(collation_of(column));
            const bool fixed = !compact || (column.precise_type & kBinaryType) != 0 ||
                               (collation != nullptr && collation->charset->fixed_size());
            return fixed ? column.length : 0;
        }
        default:
            return 0;
    }
}

FieldLayout field_of(const SystemColumn& column, std::uint16_t prefix, bool compact) {
    std::uint32_t size = fixed_size(column, compact);
    if (prefix > 0 && size > prefix) {
        // As many whole characters as always fit may have fewer bytes.
        const bool varies = column.main_type == kCharOther && fixed_size(column, true) == 0;
        size = varies ? 0 : prefix;
    }
    return {.fixed_size = static_cast<std::uint16_t>(size > kFixedMax ? 0 : size),
            .prefix = prefix,
            .nullable = column.nullable(),
            .big = column.length > kSmallMax || column.main_type == kBlob ||
                   column.main_type == kGeometry};
}

/// The type of a column as far as InnoDB alone knows it.
ColumnType type_without_frm(const SystemColumn& column) {
    ColumnType type{.kind = TypeKind::Unknown};
    switch (column.main_type) {
        case kInt:
            if (column.length <= 8 && column.length > 0) {
                type = {.kind = TypeKind::Integer,
                        .is_unsigned = (column.precise_type & kUnsigned) != 0 ||
                                       (column.precise_type & kBinaryType) == 0,
                        .size = column.length};
            }
            break;
        case kFloat:
            type = {.kind = TypeKind::Float, .size = 4};
            break;
        case kDouble:
            type = {.kind = TypeKind::Double, .size = 8};
            break;
        case kVarchar:
        case kVarcharOther:
        case kBlob:
        case kChar:
        case kCharOther:
            type.kind = column.main_type == kChar || column.main_type == kCharOther
                            ? TypeKind::FixedText
                            : TypeKind::Text;
            // VARCHAR and CHAR without an id are of the dictionary's own tables.
            type.collation = record::find_collation(
                collation_of(column) == 0 && is_old_text(column) ? kLatin1 : collation_of(column));
            if (type.collation == nullptr || type.collation->charset->is_binary()) {
                type.kind = TypeKind::Bytes;
            }
            break;
        case kBinary:
        case kGeometry:
            type.kind = TypeKind::Bytes;
            break;
        default:
            break;
    }
    return type;
}

class Builder {
public:
    Builder(std::vector<const SystemTableRow*> parts, const Frm* frm)
        : parts_(std::move(parts)), frm_(frm), made_(std::make_unique<StoredTable>()) {}

    Result<std::unique_ptr<StoredTable>> run() {
        const SystemTableRow& first = *parts_.front();
        if (first.columns.size() > kColumnsMax) {
            return make_error(ErrorCode::Corruption, "the dictionary gives it {} columns",
                              first.columns.size());
        }
        name_table(first.name);
        RETURN_IF_ERROR(make_columns(first));
        RETURN_IF_ERROR(make_indexes(first));
        for (const SystemTableRow* const part : parts_) {
            RETURN_IF_ERROR(add_part(*part));
        }
        return std::move(made_);
    }

private:
    void name_table(const std::string& stored) {
        const std::size_t slash = stored.find('/');
        std::string name = stored.substr(slash == std::string::npos ? 0 : slash + 1);
        name.erase(std::min(name.find("#P#"), name.size()));
        made_->table.database =
            space::decode_file_name(stored.substr(0, slash == std::string::npos ? 0 : slash));
        made_->table.name = space::decode_file_name(name);
    }

    Status make_columns(const SystemTableRow& first) {
        return frm_ != nullptr ? columns_of_frm(first) : columns_of_dictionary(first);
    }

    Status columns_of_frm(const SystemTableRow& first) {
        for (std::size_t i = 0; i < frm_->fields.size(); ++i) {
            const FrmField& field = frm_->fields[i];
            if (field.visibility == Visibility::Full) {
                continue;  // a hash that keeps a long column unique: nobody is shown it
            }
            if (frm_->system_period && i == frm_->system_period->second) {
                made_->table.row_end = made_->types.size();
            }
            ASSIGN_OR_RETURN(ColumnType type, column_type(field));
            made_->types.push_back(std::move(type));
            const record::Collation* const collation = record::find_collation(field.collation);
            const bool text = made_->types.back().collation != nullptr;
            made_->table.columns.push_back(
                {.name = field.name,
                 .type_text = type_text(field),
                 .collation = text && collation != nullptr ? std::string(collation->name) : "",
                 .nullable = field.nullable(),
                 .virtual_column = field.virtual_column()});
        }
        return check_columns(first);
    }

    /// Both dictionaries must speak of the same columns, of the same sizes.
    Status check_columns(const SystemTableRow& part) const {
        std::size_t stored = 0;
        for (std::size_t i = 0; i < made_->types.size(); ++i) {
            stored += made_->table.columns[i].virtual_column ? 0 : 1;
        }
        std::size_t known = 0;
        for (const SystemColumn& column : part.columns) {
            const std::size_t position = position_of(column.name);
            if (position == kNoField) {
                if (column.name == "FTS_DOC_ID" || column.virtual_column()) {
                    continue;  // hidden: FULLTEXT needs it; a hash that keeps a column unique
                }
                return make_error(ErrorCode::Corruption, "its .frm file has no column {}",
                                  column.name);
            }
            const ColumnType& type = made_->types[position];
            const std::uint32_t fixed = fixed_size(column, false);
            if (column.main_type != kCharOther && column.main_type != kChar && fixed != 0 &&
                type.size != 0 && type.size != fixed) {
                return make_error(ErrorCode::Corruption,
                                  "column {} has {} bytes in the dictionary, {} in the .frm file",
                                  column.name, fixed, type.size);
            }
            known += column.virtual_column() ? 0 : 1;
        }
        if (known != stored) {
            return make_error(ErrorCode::Corruption,
                              "its .frm file has {} stored columns, the dictionary {}", stored,
                              known);
        }
        return {};
    }

    Status columns_of_dictionary(const SystemTableRow& first) {
        for (const SystemColumn& column : first.columns) {
            ColumnType type = type_without_frm(column);
            made_->table.columns.push_back(
                {.name = column.name,
                 .type_text = "",
                 .collation = type.collation != nullptr ? std::string(type.collation->name) : "",
                 .nullable = column.nullable(),
                 .virtual_column = column.virtual_column()});
            made_->types.push_back(std::move(type));
        }
        return {};
    }

    std::size_t position_of(std::string_view name) const {
        const auto& columns = made_->table.columns;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i].name == name) {
                return i;
            }
        }
        return kNoField;
    }

    static const SystemColumn* find_column(const SystemTableRow& part, std::string_view name) {
        const auto found = std::find_if(part.columns.begin(), part.columns.end(),
                                        [&](const SystemColumn& c) { return c.name == name; });
        return found == part.columns.end() ? nullptr : &*found;
    }

    /// Indexes that have rows in order and are finished.
    static std::vector<const SystemIndex*> trees_of(const SystemTableRow& part) {
        std::vector<const SystemIndex*> trees;
        for (const SystemIndex& index : part.indexes) {
            if (index.is_tree() && !index.name.starts_with('\xFF') && index.root != kNoPage &&
                (index.clustered() || !trees.empty())) {
                trees.push_back(&index);
            }
        }
        return trees;
    }

    Status make_indexes(const SystemTableRow& first) {
        const auto trees = trees_of(first);
        if (trees.empty() || !trees.front()->clustered()) {
            return make_error(ErrorCode::Corruption, "the dictionary gives it no clustered index");
        }
        for (const SystemIndex* const tree : trees) {
            Index index{.name = tree->name,
                        .clustered = tree->clustered(),
                        .unique = tree->unique(),
                        .searchable = !tree->fields.empty(),
                        .ordered = parts_.size() == 1,
                        .whole_columns = 0};
            for (const SystemIndexField& field : tree->fields) {
                const std::size_t position = position_of(field.column);
                if (position != kNoField) {
                    index.columns.push_back(position);
                }
                const bool exact = position != kNoField && field.prefix == 0 && !field.descending &&
                                   searchable(made_->types[position]);
                index.searchable = index.searchable && (exact || index.columns.size() > 1);
                if (position != kNoField && made_->table.columns[position].virtual_column) {
                    index.searchable = false;  // no row tells whether the entry is its own
                }
                index.whole_columns +=
                    exact && index.whole_columns + 1 == index.columns.size() ? 1 : 0;
            }
            index.searchable =
                index.searchable && (index.clustered || rows_can_be_found(*trees.front()));
            made_->table.indexes.push_back(std::move(index));
        }
        return {};
    }

    /// Rows are looked up by the clustered key once another index has given it.
    bool rows_can_be_found(const SystemIndex& clustered) const {
        return std::all_of(clustered.fields.begin(), clustered.fields.end(),
                           [&](const SystemIndexField& field) {
                               const std::size_t position = position_of(field.column);
                               return position != kNoField && made_->types[position].comparable();
                           });
    }

    static bool searchable(const ColumnType& type) {
        switch (type.kind) {
            case TypeKind::Integer:
            case TypeKind::Decimal:
            case TypeKind::Year:
            case TypeKind::Date:
            case TypeKind::DateTime:
            case TypeKind::FixedBytes:
            case TypeKind::Bytes:
            case TypeKind::FixedText:
            case TypeKind::Text:
                return type.comparable();
            default:
                return false;
        }
    }

    Status add_part(const SystemTableRow& row) {
        const auto trees = trees_of(row);
        if (trees.size() != made_->table.indexes.size()) {
            return make_error(ErrorCode::Corruption, "its partitions have different indexes");
        }
        StoredPart part{
            .name = row.name, .id = row.id, .space = row.space, .row_format = row.row_format()};
        compact_ = part.row_format != RowFormat::Redundant;
        for (const SystemColumn& column : row.columns) {
            if (!column.virtual_column()) {
                part.columns.push_back(field(column, 0, false));
            }
        }
        for (const SystemIndex* const tree : trees) {
            StoredIndex index{.id = tree->id, .root = tree->root};
            if (tree->space != row.space) {
                return make_error(ErrorCode::Corruption, "index {} is in another tablespace",
                                  tree->name);
            }
            RETURN_IF_ERROR(tree->clustered() ? lay_out_clustered(row, *tree, index.layout)
                                              : lay_out_secondary(row, *tree, index.layout));
            index.layout.compact = compact_;
            index.layout.finish();
            part.indexes.push_back(std::move(index));
        }
        for (const SystemIndex& index : row.indexes) {
            if (index.spatial() && index.space == row.space && index.root != kNoPage &&
                !index.name.starts_with('\xFF') && index.fields.size() == 1) {
                StoredSpatial made{index.name, {.id = index.id, .root = index.root}};
                RETURN_IF_ERROR(lay_out_secondary(row, index, made.index.layout));
                made.index.layout.compact = compact_;
                make_spatial(made.index.layout);
                part.spatial_indexes.push_back(std::move(made));
            }
        }
        if (made_->parts.empty()) {
            made_->table.space = row.space;
        }
        made_->parts.push_back(std::move(part));
        return {};
    }

    FieldLayout field(const SystemColumn& column, std::uint16_t prefix, bool descending) const {
        FieldLayout made = field_of(column, prefix, compact_);
        made.descending = descending;
        made.column = position_of(column.name);
        made.document_id = made.column == kNoField && column.name == "FTS_DOC_ID";
        made.type = made.column == kNoField ? nullptr : &made_->types[made.column];
        return made;
    }

    Status add_key_fields(const SystemTableRow& row, const SystemIndex& tree,
                          record::RecordLayout& layout) const {
        for (const SystemIndexField& key : tree.fields) {
            const SystemColumn* const column = find_column(row, key.column);
            if (column == nullptr) {
                return make_error(ErrorCode::Corruption, "index {} has the unknown column {}",
                                  tree.name, key.column);
            }
            layout.fields.push_back(field(*column, key.prefix, key.descending));
            key_names_.push_back(key.prefix == 0 ? key.column : std::string());
        }
        return {};
    }

    Status lay_out_clustered(const SystemTableRow& row, const SystemIndex& tree,
                             record::RecordLayout& layout) const {
        key_names_.clear();
        RETURN_IF_ERROR(add_key_fields(row, tree, layout));
        if (layout.fields.empty()) {
            layout.fields.push_back({.fixed_size = record::kRowIdSize, .nullable = false});
        }
        layout.clustered = true;
        layout.key_fields = layout.fields.size();
        layout.trx_id_field = layout.key_fields;
        layout.fields.push_back({.fixed_size = record::kTrxIdSize, .nullable = false});
        layout.fields.push_back({.fixed_size = record::kRollPtrSize, .nullable = false});
        for (const SystemColumn& column : row.columns) {
            const bool in_key =
                std::find(key_names_.begin(), key_names_.end(), column.name) != key_names_.end();
            if (!column.virtual_column() && !in_key) {
                layout.fields.push_back(field(column, 0, false));
            }
        }
        return {};
    }

    Status lay_out_secondary(const SystemTableRow& row, const SystemIndex& tree,
                             record::RecordLayout& layout) const {
        key_names_.clear();
        RETURN_IF_ERROR(add_key_fields(row, tree, layout));
        const SystemIndex& clustered = *trees_of(row).front();
        if (clustered.fields.empty()) {
            layout.fields.push_back({.fixed_size = record::kRowIdSize, .nullable = false});
        }
        for (const SystemIndexField& key : clustered.fields) {
            const bool there =
                std::find(key_names_.begin(), key_names_.end(), key.column) != key_names_.end();
            const SystemColumn* const column = find_column(row, key.column);
            if (!there && column != nullptr) {
                layout.fields.push_back(field(*column, key.prefix, key.descending));
            }
        }
        layout.clustered = false;
        layout.key_fields = layout.fields.size();
        return {};
    }

    /// In place of the geometry itself there is its box.
    static void make_spatial(record::RecordLayout& layout) {
        FieldLayout& box = layout.fields.front();
        box = {.nullable = false, .big = true, .column = box.column};  // 32 bytes, with a length
        layout.spatial = true;
        layout.key_fields = 1;  // of node pointers
        layout.finish();
    }

    std::vector<const SystemTableRow*> parts_;
    const Frm* frm_;
    std::unique_ptr<StoredTable> made_;
    bool compact_ = true;
    mutable std::vector<std::string> key_names_;  // of the index being laid out; prefixes as ""
};

}  // namespace

Result<std::unique_ptr<StoredTable>> build_table(std::vector<const SystemTableRow*> parts,
                                                 const Frm* frm) {
    return Builder(std::move(parts), frm).run();
}

}  // namespace redoubt::dict
