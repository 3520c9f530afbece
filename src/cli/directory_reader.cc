#include "cli/directory_reader.h"

#include <algorithm>
#include <array>

#include "dict/frm.h"
#include "engine/instant.h"
#include "undo/versions.h"

namespace redoubt::cli {
namespace {

constexpr std::size_t kFrmMax = std::size_t{16} << 20;  // bytes; far beyond any real one

/// "db/t#P#p0" -> "db/t".
std::string whole_table(const std::string& name) {
    return name.substr(0, std::min(name.find("#P#"), name.size()));
}

std::string sql_name(const std::string& name) {
    const std::size_t slash = name.find('/');
    if (slash == std::string::npos) {
        return name;
    }
    return space::decode_file_name(name.substr(0, slash)) + "." +
           space::decode_file_name(name.substr(slash + 1));
}

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

/// The .frm of a table; null: there is none that can be read.
std::optional<dict::Frm> read_frm(io::Directory& directory, const std::string& name) {
    const auto text = directory.read_text(whole_table(name) + ".frm", kFrmMax);
    if (!text) {
        return std::nullopt;
    }
    auto frm = dict::decode_frm(std::as_bytes(std::span<const char>(*text)));
    return frm ? std::optional<dict::Frm>(std::move(*frm)) : std::nullopt;
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

}  // namespace

Status DirectoryReader::Files::open_system(const space::Layout& layout) {
    ASSIGN_OR_RETURN(auto file,
                     space::open_system_tablespace(directory_, layout, io::OpenMode::ReadOnly));
    add(std::move(file));
    return {};
}

Status DirectoryReader::Files::open_table(const std::string& name, SpaceId space) {
    if (open_.contains(space)) {
        return {};
    }
    ASSIGN_OR_RETURN(const space::TableFile table, space::find_table(directory_, name));
    ASSIGN_OR_RETURN(auto file, space::Tablespace::open(directory_, {table.path},
                                                        io::OpenMode::ReadOnly, name, 0, space));
    add(std::move(file));
    return {};
}

void DirectoryReader::Files::add(std::unique_ptr<space::Tablespace> file) {
    auto pages = std::make_unique<space::FilePages>(*file, keys_);
    const SpaceId space = file->header().id;
    open_.emplace(space, OpenFile{std::move(file), std::move(pages)});
}

Status DirectoryReader::Files::read(PageId id, std::span<std::byte> plain) {
    const auto found = open_.find(id.space);
    if (found == open_.end()) {
        return make_error(ErrorCode::NotFound, "no file carries the tablespace's id").with_page(id);
    }
    return found->second.pages->read(id, plain);
}

Result<std::uint32_t> DirectoryReader::Files::page_count(SpaceId space) {
    const auto found = open_.find(space);
    if (found == open_.end()) {
        return make_error(ErrorCode::NotFound, "no file carries the tablespace's id")
            .with_space(space);
    }
    return found->second.pages->page_count(space);
}

const space::SpaceHeader* DirectoryReader::Files::header(SpaceId space) const {
    const auto found = open_.find(space);
    return found == open_.end() ? nullptr : &found->second.file->header();
}

Result<std::unique_ptr<DirectoryReader>> DirectoryReader::open(
    io::Directory& directory, const space::DirectoryOptions& options) {
    std::unique_ptr<DirectoryReader> reader(new DirectoryReader(directory, options));
    RETURN_IF_ERROR(reader->read());
    return reader;
}

space::PageSource& DirectoryReader::source() {
    return spaces_ != nullptr ? static_cast<space::PageSource&>(*spaces_) : files_;
}

Status DirectoryReader::read() {
    ASSIGN_OR_RETURN(layout_,
                     space::find_layout(directory_, options_.layout, options_.layout_given));
    const Status recovered = read_recovered();
    if (recovered || recovered.error().code() == ErrorCode::Cancelled) {
        return recovered;
    }
    notes_.push_back(
        fmt::format("the dictionary is read as the files are: {}", recovered.error().message()));
    return read_as_it_is();
}

Status DirectoryReader::read_recovered() {
    ASSIGN_OR_RETURN(spaces_, engine::Spaces::open(directory_, options_));
    const auto read = [this]() -> Status {
        ASSIGN_OR_RETURN(transactions_, undo::Transactions::read(*spaces_, spaces_->page_size()));
        undo::Versions versions(*spaces_, *transactions_, spaces_->page_size());
        ASSIGN_OR_RETURN(dictionary_, dict::read_dictionary(*spaces_, spaces_->page_size(),
                                                            &versions, options_.cancel));
        return {};
    };
    const Status done = read();
    if (!done) {
        spaces_ = nullptr;
        transactions_.reset();
    } else if (spaces_->needs_recovery()) {
        notes_.emplace_back(
            "the directory was not stopped cleanly; the dictionary is as recovery would leave it");
    }
    return done;
}

Status DirectoryReader::read_as_it_is() {
    RETURN_IF_ERROR(files_.open_system(layout_));
    const std::uint32_t page_size = files_.header(kSystemSpace)->flags.logical_page_size;
    ASSIGN_OR_RETURN(dictionary_,
                     dict::read_dictionary(files_, page_size, nullptr, options_.cancel));
    return {};
}

Result<space::SpaceHeader> DirectoryReader::header_of(const dict::SystemTableRow& row) {
    if (spaces_ != nullptr) {
        if (row.space != kSystemSpace) {
            RETURN_IF_ERROR(spaces_->find(row.space, row.name));
        }
        return spaces_->header(row.space);
    }
    if (row.space != kSystemSpace) {
        RETURN_IF_ERROR(files_.open_table(row.name, row.space));
    }
    return *files_.header(row.space);
}

Result<std::shared_ptr<const IndexDefinition>> DirectoryReader::define(
    const dict::SystemTableRow& row, std::uint64_t index_id) {
    const std::optional<dict::Frm> frm = read_frm(directory_, row.name);
    Status why;
    std::shared_ptr<const dict::StoredTable> table = build(row, frm ? &*frm : nullptr, why);
    if (table == nullptr && frm) {
        notes_.push_back(fmt::format("the .frm file of {} does not fit: {}", sql_name(row.name),
                                     why.error().message()));
        table = build(row, nullptr, why);
    }
    if (table == nullptr) {
        return std::move(why.error());
    }
    const dict::StoredPart& part = table->parts.front();
    for (std::size_t i = 0; i < part.indexes.size(); ++i) {
        const dict::StoredIndex& index = part.indexes[i];
        if (index.id != index_id) {
            continue;
        }
        auto made = std::make_shared<IndexDefinition>();
        made->table = sql_name(row.name);
        made->index = table->table.indexes[i].name;
        made->layout = index.layout;
        made->owner = table;
        if (index.layout.clustered) {
            ASSIGN_OR_RETURN(const space::SpaceHeader header, header_of(row));
            btree::TreeReader reader(source(),
                                     {.root = {part.space, index.root},
                                      .index_id = index.id,
                                      .physical_size = header.flags.physical_page_size,
                                      .logical_size = header.flags.logical_page_size,
                                      .row_compressed = header.flags.row_compressed},
                                     index.layout, options_.cancel);
            const Status changed = engine::apply_instant_changes(
                reader, part, transactions_ ? &*transactions_ : nullptr, made->layout);
            if (!changed) {
                notes_.push_back(fmt::format("instant changes of {} are not known: {}", made->table,
                                             changed.error().message()));
                made->layout = index.layout;
            }
        }
        for (std::size_t field = 0; field < made->layout.fields.size(); ++field) {
            made->names.push_back(field_name(*table, made->layout, field));
        }
        return std::shared_ptr<const IndexDefinition>(std::move(made));
    }
    return std::shared_ptr<const IndexDefinition>();
}

std::shared_ptr<const IndexDefinition> DirectoryReader::define_noting(
    const dict::SystemTableRow& row, std::uint64_t index_id) {
    auto made = define(row, index_id);
    if (!made) {
        notes_.push_back(fmt::format("the definition of {} cannot be made: {}", sql_name(row.name),
                                     made.error().to_string()));
        return nullptr;
    }
    return *made;
}

std::shared_ptr<const IndexDefinition> DirectoryReader::find_index(SpaceId space,
                                                                   std::uint64_t index_id) {
    if (space == kSystemSpace) {
        if (auto known = system_index(index_id)) {
            return known;
        }
    }
    for (const dict::SystemTableRow& row : dictionary_.tables) {
        const bool has = row.space == space &&
                         std::ranges::any_of(
                             row.indexes, [&](const auto& index) { return index.id == index_id; });
        if (has) {
            return define_noting(row, index_id);
        }
    }
    return nullptr;
}

std::shared_ptr<const IndexDefinition> DirectoryReader::find_table(std::uint64_t table_id) {
    const auto known = by_table_.find(table_id);
    if (known != by_table_.end()) {
        return known->second;
    }
    std::shared_ptr<const IndexDefinition> made;
    if (table_id <= 4) {  // SYS_TABLES to SYS_FIELDS; their indexes have the same numbers
        made = system_index(table_id);
    }
    for (const dict::SystemTableRow& row : dictionary_.tables) {
        if (row.id == table_id && !row.indexes.empty()) {
            made = define_noting(row, row.indexes.front().id);
            break;
        }
    }
    by_table_.emplace(table_id, made);
    return made;
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
