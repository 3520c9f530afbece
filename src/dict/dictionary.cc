#include "dict/dictionary.h"

#include <algorithm>
#include <functional>

#include "base/big_endian.h"
#include "btree/tree.h"
#include "page/dictionary_header.h"
#include "record/charset.h"
#include "record/parse.h"

namespace redoubt::dict {
namespace {

using record::Field;

/// One of the five tables whose place is in the dictionary header.
struct SystemTree {
    std::string_view name;
    PageNo root;
    std::uint64_t table_id;
    std::uint64_t index_id;
    std::size_t key_fields;
    std::size_t fields;
    std::size_t fields_min;  // of rows that old servers wrote
};

using RowVisitor = std::function<Status(std::span<const Field>)>;

class Reader {
public:
    Reader(space::PageSource& source, std::uint32_t page_size, undo::Versions* versions,
           const base::CancelToken* cancel)
        : source_(source), page_size_(page_size), versions_(versions), cancel_(cancel) {}

    Result<Dictionary> run() {
        std::vector<std::byte> page(page_size_);
        RETURN_IF_ERROR(source_.read({kSystemSpace, page::DictionaryHeaderView::kPage}, page));
        const page::DictionaryHeaderView header(page);
        RETURN_IF_ERROR(visit({"SYS_TABLES", header.tables_root(), 1, 1, 1, 10, 10},
                              [this](auto row) { return add_table(row); }));
        for (std::size_t i = 0; i < dictionary_.tables.size(); ++i) {
            by_table_id_.emplace(dictionary_.tables[i].id, i);
        }
        RETURN_IF_ERROR(visit({"SYS_COLUMNS", header.columns_root(), 2, 2, 2, 9, 9},
                              [this](auto row) { return add_column(row); }));
        RETURN_IF_ERROR(visit({"SYS_INDEXES", header.indexes_root(), 3, 3, 2, 10, 9},
                              [this](auto row) { return add_index(row); }));
        RETURN_IF_ERROR(visit({"SYS_FIELDS", header.fields_root(), 4, 4, 2, 5, 5},
                              [this](auto row) { return add_field(row); }));
        RETURN_IF_ERROR(read_foreign_keys());
        // A table like others, too; made by 10.2.
        if (const SystemTree* const tree = find_tree("SYS_VIRTUAL", 3, 5)) {
            RETURN_IF_ERROR(visit(*tree, [this](auto row) { return add_virtual_base(row); }));
        }
        return std::move(dictionary_);
    }

private:
    /// SYS_FOREIGN and SYS_FOREIGN_COLS are tables like others; an old directory may lack them.
    Status read_foreign_keys() {
        if (const SystemTree* const tree = find_tree("SYS_FOREIGN", 1, 6)) {
            RETURN_IF_ERROR(visit(*tree, [this](auto row) { return add_foreign_key(row); }));
        }
        if (const SystemTree* const tree = find_tree("SYS_FOREIGN_COLS", 2, 6)) {
            RETURN_IF_ERROR(visit(*tree, [this](auto row) { return add_foreign_column(row); }));
        }
        return {};
    }

    const SystemTree* find_tree(std::string_view name, std::size_t key_fields, std::size_t fields) {
        for (const SystemTableRow& table : dictionary_.tables) {
            if (table.name == name && !table.indexes.empty() && table.space == kSystemSpace) {
                const SystemIndex& index = table.indexes.front();
                found_tree_ = {name, index.root, table.id, index.id, key_fields, fields, fields};
                return &found_tree_;
            }
        }
        return nullptr;
    }

    Status visit(const SystemTree& tree, const RowVisitor& visitor) {
        record::RecordLayout layout;
        layout.compact = false;
        layout.fields.resize(tree.fields);
        layout.key_fields = tree.key_fields;
        layout.trx_id_field = tree.key_fields;
        layout.finish();
        layout.core_fields = tree.fields_min;
        layout.defaults.resize(tree.fields - tree.fields_min);
        btree::TreeReader reader(source_,
                                 {.root = {kSystemSpace, tree.root},
                                  .index_id = tree.index_id,
                                  .physical_size = page_size_,
                                  .logical_size = page_size_},
                                 layout, cancel_);
        Status done = visit_rows(reader, tree, visitor);
        if (!done) {
            return std::move(done.error()).with_context(tree.name);
        }
        return done;
    }

    Status visit_rows(btree::TreeReader& reader, const SystemTree& tree,
                      const RowVisitor& visitor) {
        RETURN_IF_ERROR(reader.to_first());
        std::vector<Field> fields(tree.fields);
        for (;;) {
            ASSIGN_OR_RETURN(const bool more, reader.next());
            if (!more) {
                return {};
            }
            bool deleted = (reader.info() & record::kDeleteMark) != 0;
            RETURN_IF_ERROR(reader.parse(tree.fields, fields));
            RETURN_IF_ERROR(check_system_columns(reader, tree, fields));
            bool exists = true;
            if (versions_ != nullptr && !versions_->committed(fields, reader.layout())) {
                auto version =
                    versions_->take_back(tree.table_id, reader.layout(), fields, deleted);
                if (!version) {
                    return std::move(version.error());
                }
                exists = *version;
            }
            if (exists && !deleted) {
                if (Status taken = visitor(fields); !taken) {
                    return std::move(taken.error()).with_page(reader.page_id());
                }
            }
        }
    }

    static Status check_system_columns(const btree::TreeReader& reader, const SystemTree& tree,
                                       std::span<const Field> fields) {
        if (fields[tree.key_fields].size != record::kTrxIdSize ||
            fields[tree.key_fields + 1].size != record::kRollPtrSize) {
            return corruption(reader.page_id(), "a row lacks its system columns");
        }
        return {};
    }

    static Result<std::uint64_t> u64(const Field& field) {
        if (field.size != 8 || field.null) {
            return make_error(ErrorCode::Corruption, "a row has no id of eight bytes");
        }
        return load_be<std::uint64_t>(field.data);
    }
    static Result<std::uint32_t> u32(const Field& field) {
        if (field.size != 4 || field.null) {
            return make_error(ErrorCode::Corruption, "a row has no number of four bytes");
        }
        return load_be<std::uint32_t>(field.data);
    }
    static std::string text(const Field& field) {
        return std::string(record::as_text(field.bytes()));
    }

    Status add_table(std::span<const Field> row) {
        SystemTableRow table;
        table.name = text(row[0]);
        ASSIGN_OR_RETURN(table.id, u64(row[3]));
        ASSIGN_OR_RETURN(table.column_counts, u32(row[4]));
        ASSIGN_OR_RETURN(table.type, u32(row[5]));
        ASSIGN_OR_RETURN(table.mix_length, u32(row[7]));
        ASSIGN_OR_RETURN(const std::uint32_t space, u32(row[9]));
        table.space = SpaceId{space};
        dictionary_.tables.push_back(std::move(table));
        return {};
    }

    SystemTableRow* table_of(std::uint64_t id) {
        const auto found = by_table_id_.find(id);
        return found == by_table_id_.end() ? nullptr : &dictionary_.tables[found->second];
    }

    Status add_column(std::span<const Field> row) {
        ASSIGN_OR_RETURN(const std::uint64_t table_id, u64(row[0]));
        SystemColumn column;
        ASSIGN_OR_RETURN(column.position, u32(row[1]));
        column.name = text(row[4]);
        ASSIGN_OR_RETURN(column.main_type, u32(row[5]));
        ASSIGN_OR_RETURN(column.precise_type, u32(row[6]));
        ASSIGN_OR_RETURN(column.length, u32(row[7]));
        if (SystemTableRow* const table = table_of(table_id)) {
            table->columns.push_back(std::move(column));
        }
        return {};
    }

    Status add_index(std::span<const Field> row) {
        ASSIGN_OR_RETURN(const std::uint64_t table_id, u64(row[0]));
        SystemIndex index;
        ASSIGN_OR_RETURN(index.id, u64(row[1]));
        index.name = text(row[4]);
        ASSIGN_OR_RETURN(index.type, u32(row[6]));
        ASSIGN_OR_RETURN(const std::uint32_t space, u32(row[7]));
        ASSIGN_OR_RETURN(const std::uint32_t root, u32(row[8]));
        index.space = SpaceId{space};
        index.root = PageNo{root};
        SystemTableRow* const table = table_of(table_id);
        if (table != nullptr) {
            by_index_id_.emplace(index.id,
                                 std::pair(by_table_id_.at(table_id), table->indexes.size()));
            table->indexes.push_back(std::move(index));
        }
        return {};
    }

    Status add_field(std::span<const Field> row) {
        ASSIGN_OR_RETURN(const std::uint64_t index_id, u64(row[0]));
        ASSIGN_OR_RETURN(const std::uint32_t position, u32(row[1]));
        const auto found = by_index_id_.find(index_id);
        if (found == by_index_id_.end()) {
            return {};
        }
        SystemIndex& index = dictionary_.tables[found->second.first].indexes[found->second.second];
        SystemIndexField field{.column = text(row[4])};
        // Position, direction and prefix in one number, if any field of the index has the latter.
        const bool combined = index.fields.empty() ? position != 0 : position >= 0x10000;
        if (combined) {
            field.descending = (position & 0x8000) != 0;
            field.prefix = static_cast<std::uint16_t>(position & 0x7FFF);
        }
        index.fields.push_back(std::move(field));
        return {};
    }

    Status add_foreign_key(std::span<const Field> row) {
        ForeignKey key;
        key.id = text(row[0]);
        key.child = text(row[3]);
        key.parent = text(row[4]);
        ASSIGN_OR_RETURN(const std::uint32_t count, u32(row[5]));
        key.flags = count >> 24;
        by_foreign_id_.emplace(key.id, dictionary_.foreign_keys.size());
        dictionary_.foreign_keys.push_back(std::move(key));
        return {};
    }

    Status add_foreign_column(std::span<const Field> row) {
        const auto found = by_foreign_id_.find(text(row[0]));
        if (found != by_foreign_id_.end()) {
            dictionary_.foreign_keys[found->second].columns.emplace_back(text(row[4]),
                                                                         text(row[5]));
        }
        return {};
    }

    Status add_virtual_base(std::span<const Field> row) {
        ASSIGN_OR_RETURN(const std::uint64_t table_id, u64(row[0]));
        VirtualBase made;
        ASSIGN_OR_RETURN(made.position, u32(row[1]));
        ASSIGN_OR_RETURN(made.base, u32(row[2]));
        if (SystemTableRow* const table = table_of(table_id)) {
            table->virtual_bases.push_back(made);
        }
        return {};
    }

    SystemTree found_tree_{};
    space::PageSource& source_;
    std::uint32_t page_size_;
    undo::Versions* versions_;
    const base::CancelToken* cancel_;
    Dictionary dictionary_;
    std::map<std::uint64_t, std::size_t> by_table_id_;
    std::map<std::string, std::size_t> by_foreign_id_;
    std::map<std::uint64_t, std::pair<std::size_t, std::size_t>> by_index_id_;
};

}  // namespace

std::vector<SystemTableRow> core_tables(const page::DictionaryHeaderView& header) {
    // MTYPE: 4 text compared as bytes, 6 number; ids and numbers are without sign.
    struct CoreColumn {
        std::string_view name;
        std::uint32_t length;  // bytes; 0 = text
    };
    const auto make = [](std::string_view name, std::uint64_t id, PageNo root, std::size_t key,
                         std::initializer_list<CoreColumn> columns) {
        SystemTableRow table;
        table.name = name;
        table.id = id;
        table.type = 1;
        SystemIndex index;
        index.id = id;
        index.name = "CLUST_IND";
        index.type = 3;
        index.root = root;
        for (const CoreColumn& column : columns) {
            const auto position = static_cast<std::uint32_t>(table.columns.size());
            table.columns.push_back({.position = position,
                                     .name = std::string(column.name),
                                     .main_type = column.length == 0 ? 4U : 6U,
                                     .length = column.length});
            if (position < key) {
                index.fields.push_back({.column = std::string(column.name)});
            }
        }
        table.indexes.push_back(std::move(index));
        return table;
    };
    std::vector<SystemTableRow> tables;
    tables.push_back(make("SYS_TABLES", 1, header.tables_root(), 1,
                          {{"NAME", 0},
                           {"ID", 8},
                           {"N_COLS", 4},
                           {"TYPE", 4},
                           {"MIX_ID", 8},
                           {"MIX_LEN", 4},
                           {"CLUSTER_NAME", 0},
                           {"SPACE", 4}}));
    SystemIndex by_id;
    by_id.id = 5;
    by_id.name = "ID_IND";
    by_id.type = 2;
    by_id.root = header.table_ids_root();
    by_id.fields.push_back({.column = "ID"});
    tables.back().indexes.push_back(std::move(by_id));
    tables.push_back(make("SYS_COLUMNS", 2, header.columns_root(), 2,
                          {{"TABLE_ID", 8},
                           {"POS", 4},
                           {"NAME", 0},
                           {"MTYPE", 4},
                           {"PRTYPE", 4},
                           {"LEN", 4},
                           {"PREC", 4}}));
    tables.push_back(make("SYS_INDEXES", 3, header.indexes_root(), 2,
                          {{"TABLE_ID", 8},
                           {"ID", 8},
                           {"NAME", 0},
                           {"N_FIELDS", 4},
                           {"TYPE", 4},
                           {"SPACE", 4},
                           {"PAGE_NO", 4},
                           {"MERGE_THRESHOLD", 4}}));
    tables.push_back(make("SYS_FIELDS", 4, header.fields_root(), 2,
                          {{"INDEX_ID", 8}, {"POS", 4}, {"COL_NAME", 0}}));
    return tables;
}

RowFormat SystemTableRow::row_format() const {
    if ((column_counts & 0x80000000) == 0) {
        return RowFormat::Redundant;
    }
    if ((type & 0x20) == 0) {
        return RowFormat::Compact;
    }
    return (type & 0x1E) != 0 ? RowFormat::Compressed : RowFormat::Dynamic;
}

Result<Dictionary> read_dictionary(space::PageSource& source, std::uint32_t page_size,
                                   undo::Versions* versions, const base::CancelToken* cancel) {
    return Reader(source, page_size, versions, cancel).run();
}

}  // namespace redoubt::dict
