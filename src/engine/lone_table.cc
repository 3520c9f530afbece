#include "engine/lone_table.h"

#include <algorithm>
#include <vector>

#include "dict/lone_table.h"
#include "dict/show_create.h"
#include "engine/instant.h"
#include "page/index_page.h"
#include "record/parse.h"

namespace redoubt::engine {
namespace {

constexpr std::string_view kSuffix = ".ibd";
constexpr std::string_view kPartition = "#P#";

/// Whether the records of the first leaf lie as the layout says: whole, and none in another.
Status check_fit(Spaces& spaces, const dict::StoredPart& part, const btree::Tree& tree) {
    record::RecordLayout layout = part.indexes.front().layout;
    btree::TreeReader reader(spaces, tree, layout);
    RETURN_IF_ERROR(apply_instant_changes(reader, part, nullptr, false, layout));
    RETURN_IF_ERROR(reader.to_first());
    std::vector<record::RecordExtent> extents;
    std::vector<record::Field> fields;
    for (PageNo first = kNoPage;;) {
        ASSIGN_OR_RETURN(const bool more, reader.next());
        if (!more || (first != kNoPage && reader.page_id().page != first)) {
            break;
        }
        first = reader.page_id().page;
        if ((reader.info() & record::kMinimumRecord) != 0) {
            continue;
        }
        ASSIGN_OR_RETURN(
            const record::RecordExtent extent,
            record::parse_whole_record(reader.page(), reader.origin(), layout, false, fields));
        extents.push_back(extent);
    }
    std::ranges::sort(extents, {}, &record::RecordExtent::begin);
    for (std::size_t i = 1; i < extents.size(); ++i) {
        if (extents[i].begin < extents[i - 1].end) {
            return make_error(ErrorCode::Corruption, "records lie in each other");
        }
    }
    return {};
}

Result<std::unique_ptr<dict::StoredTable>> build(Spaces& spaces, const dict::Frm& frm,
                                                 const dict::LoneTable& lone,
                                                 const std::string& file) {
    ASSIGN_OR_RETURN(auto table, dict::build_lone_table(frm, lone));
    dict::StoredPart& part = table->parts.front();
    part.file = table->table.file = file;
    const dict::StoredIndex& index = part.indexes.front();
    RETURN_IF_ERROR(check_fit(
        spaces, part, btree::Tree::at({part.space, index.root}, index.id, lone.header.flags)));
    return table;
}

}  // namespace

Result<LoneTable> open_lone_table(io::Directory& directory, const std::string& file,
                                  const std::string& database,
                                  const space::DirectoryOptions& options) {
    if (!file.ends_with(kSuffix)) {
        return make_error(ErrorCode::Usage, "not a table's file (NAME.ibd)").with_file(file);
    }
    const std::string name = file.substr(0, file.size() - kSuffix.size());
    LoneTable made;
    ASSIGN_OR_RETURN(made.spaces, Spaces::open_alone(directory, file, options));
    const std::string stem = name.substr(0, name.find(kPartition));
    ASSIGN_OR_RETURN(const std::optional<dict::Frm> found, read_frm(directory, stem));
    if (!found) {
        return make_error(ErrorCode::NotFound, "a file alone is read with its .frm beside it")
            .with_file(stem + ".frm")
            .with_hint("put the table's .frm there, or name the whole data directory");
    }
    const dict::Frm& frm = *found;
    ASSIGN_OR_RETURN(const space::SpaceHeader header, made.spaces->header(made.spaces->alone()));
    std::vector<std::byte> root(header.flags.physical_page_size);
    RETURN_IF_ERROR(made.spaces->read({header.id, dict::kLoneRoot}, root));
    dict::LoneTable lone{.name = database + "/" + name,
                         .header = header,
                         .root = root,
                         .hidden_doc_id = dict::has_hidden_doc_id(frm)};
    auto table = build(*made.spaces, frm, lone, file);
    if (!table && table.error().code() == ErrorCode::Corruption) {
        // FULLTEXT leaves its column behind when its last index is dropped.
        lone.hidden_doc_id = !lone.hidden_doc_id;
        if (auto other = build(*made.spaces, frm, lone, file)) {
            table = std::move(other);
        }
    }
    if (!table) {
        Error error = std::move(table.error()).with_file(file);
        return error.code() == ErrorCode::Corruption
                   ? std::move(error)
                         .with_context("read as the .frm beside it says")
                         .with_hint(
                             "the .frm is of another table or another time, or the file is damaged "
                             "(redoubt verify)")
                   : std::move(error);
    }
    dict::CreateExtras extras;  // foreign keys only the dictionary knows
    extras.next_auto_increment =
        dict::next_auto_increment(frm, page::IndexHeaderView(root).max_trx_id());
    (*table)->table.create_statement = dict::show_create((*table)->table.name, frm, extras);
    made.catalog.tables.push_back(std::move(*table));
    return made;
}

}  // namespace redoubt::engine
