#include "cli/directory_reader.h"

#include <algorithm>

#include "cli/index_definition.h"
#include "engine/catalog.h"
#include "space/layout.h"
#include "undo/versions.h"

namespace redoubt::cli {
namespace {

/// "db/t#P#p0" -> "db/t".
std::string whole_table(const std::string& name) {
    return name.substr(0, std::min(name.find("#P#"), name.size()));
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
    Status recovered = read_recovered();
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
    Status done = read();
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
    const auto read = engine::read_frm(directory_, whole_table(row.name));
    // Without one that can be read, fields have no names or types of SQL.
    const dict::Frm* const frm = read && *read ? &**read : nullptr;
    ASSIGN_OR_RETURN(const space::SpaceHeader header, header_of(row));
    return make_definition({.row = row,
                            .frm = frm,
                            .index_id = index_id,
                            .header = header,
                            .source = source(),
                            .transactions = transactions_ ? &*transactions_ : nullptr},
                           notes_);
}

std::shared_ptr<const IndexDefinition> DirectoryReader::define_noting(
    const dict::SystemTableRow& row, std::uint64_t index_id) {
    auto made = define(row, index_id);
    if (!made) {
        notes_.push_back(fmt::format("the definition of {} cannot be made: {}",
                                     space::sql_name(row.name), made.error().to_string()));
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

}  // namespace redoubt::cli
