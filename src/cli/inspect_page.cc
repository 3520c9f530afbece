#include "cli/inspect_page.h"

#include <nlohmann/json.hpp>
#include <optional>

#include "btree/row_compressed.h"
#include "cli/index_definition.h"
#include "cli/index_text.h"
#include "cli/inspect_directory.h"
#include "cli/output.h"
#include "cli/page_text.h"
#include "cli/undo_text.h"
#include "page/header.h"
#include "page/index_page.h"
#include "space/file_pages.h"

namespace redoubt::cli {
namespace {

constexpr int kExitWarnings = 3;
constexpr int kExitDamage = 4;
constexpr std::size_t kFrmMax = std::size_t{16} << 20;  // bytes; far beyond any real one

/// What is shown of one page beside its headers.
struct PageContents {
    std::optional<ShownRecords> records;
    std::optional<ShownUndo> undo;
    std::shared_ptr<const IndexDefinition> definition;
    std::vector<std::string> notes;
};

/// `page`: as decoded. Of ROW_FORMAT=COMPRESSED: what it expands to, into `expanded`.
std::span<const std::byte> expand(std::span<const std::byte> page, PageId id,
                                  const space::SpaceHeader& header,
                                  std::vector<std::byte>& expanded, PageContents& contents) {
    expanded.resize(header.flags.logical_page_size);
    btree::PageExpander expander;
    const Status done = expander.expand(page, id, expanded);
    if (!done) {
        contents.notes.push_back(done.error().message());
        return {};
    }
    return expanded;
}

/// Of the clustered index of a table whose .frm lies beside its file, where the dictionary does not
/// tell.
std::shared_ptr<const IndexDefinition> definition_by_frm(const CommandContext& context,
                                                         space::Tablespace& tablespace,
                                                         std::span<const std::byte> page,
                                                         std::vector<std::string>& notes) {
    constexpr std::string_view kIbd = ".ibd";
    constexpr PageNo kClusteredRoot{3};
    const std::string& path = tablespace.path();
    if (!path.ends_with(kIbd)) {
        return nullptr;
    }
    const std::string stem = path.substr(0, path.size() - kIbd.size());
    const std::string whole = stem.substr(0, stem.find("#P#"));
    const auto file = context.working_directory.read_text(whole + ".frm", kFrmMax);
    if (!file) {
        return nullptr;
    }
    const auto frm = dict::decode_frm(std::as_bytes(std::span(*file)));
    const space::SpaceHeader& header = tablespace.header();
    space::FilePages pages(tablespace, context.keys);
    std::vector<std::byte> root(tablespace.physical_size());
    const std::uint64_t index = page::IndexHeaderView(page).index_id();
    if (!frm || !pages.read({header.id, kClusteredRoot}, root) ||
        page::IndexHeaderView(root).index_id() != index) {
        return nullptr;
    }
    const std::size_t slash = stem.rfind('/');
    const auto row = row_of_frm(*frm, slash == std::string::npos ? stem : stem.substr(slash + 1),
                                header.id, index, page::IndexHeaderView(page).compact());
    if (!row) {
        notes.push_back(row.error().message());
        return nullptr;
    }
    const auto made = make_definition({.row = *row,
                                       .frm = &*frm,
                                       .index_id = index,
                                       .header = header,
                                       .source = pages,
                                       .transactions = nullptr},
                                      notes);
    if (!made) {
        notes.push_back(made.error().to_string());
        return nullptr;
    }
    notes.emplace_back("columns are as the .frm file says");
    return *made;
}

PageContents contents_of(const CommandContext& context, space::Tablespace& tablespace,
                         std::span<const std::byte> page, PageId id) {
    const space::SpaceHeader& header = tablespace.header();
    PageContents contents;
    const std::uint16_t type = page::HeaderView(page).type();
    const bool undo = type == static_cast<std::uint16_t>(page::PageType::UndoLog);
    const bool wanted = context.options.records;
    OpenedDirectory opened;
    if (wanted && (undo || page::is_index_type(type))) {
        opened = open_directory_of(context, tablespace.path());
    }
    DirectoryReader* const reader = opened.reader.get();
    if (undo) {
        TableLookup lookup;
        if (reader != nullptr) {
            lookup = [reader](std::uint64_t table) { return reader->find_table(table); };
        }
        contents.undo = show_undo(page, wanted, lookup);
    } else if (wanted && page::is_index_type(type)) {
        const std::uint64_t index = page::IndexHeaderView(page).index_id();
        if (reader != nullptr) {
            contents.definition = reader->find_index(id.space, index);
        }
        if (contents.definition == nullptr) {
            contents.definition = definition_by_frm(context, tablespace, page, contents.notes);
        }
        std::vector<std::byte> expanded;
        const bool compressed = header.flags.row_compressed;
        const auto shown = compressed ? expand(page, id, header, expanded, contents) : page;
        if (!shown.empty()) {
            contents.records = show_records(shown, contents.definition.get(), compressed);
        }
        if (compressed && !shown.empty()) {
            contents.notes.emplace_back("offsets are those of the page as it is in memory");
        }
    } else if (wanted) {
        contents.notes.push_back(
            fmt::format("no records are on a page of type {}", page::type_name(type)));
    }
    if (reader != nullptr) {
        contents.notes.insert(contents.notes.begin(), reader->notes().begin(),
                              reader->notes().end());
    }
    return contents;
}

std::string contents_text(const PageContents& contents, bool with_records) {
    std::string text;
    if (contents.definition != nullptr) {
        text += '\n' + facts_text({{"table", contents.definition->table},
                                   {"index", contents.definition->index}});
    }
    if (contents.records) {
        text += records_text(*contents.records);
    }
    if (contents.undo) {
        text += undo_text(*contents.undo, with_records);
    }
    return text;
}

void add_contents(Json& result, const PageContents& contents, bool with_records) {
    if (contents.definition != nullptr) {
        result["table"] = contents.definition->table;
        result["index"] = contents.definition->index;
    }
    if (contents.records) {
        result.update(records_json(*contents.records));
    }
    if (contents.undo) {
        result.update(undo_json(*contents.undo, with_records));
    }
    if (!contents.notes.empty()) {
        result["notes"] = contents.notes;
    }
}

struct OnePage {
    PageNo number;
    bool whole = false;
    bool readable = false;  ///< false: encrypted, and there is no key: all but the header is noise
    std::string verdict;
    std::span<const std::byte> bytes;
};

Status print_page(const CommandContext& context, const space::Tablespace& tablespace,
                  const OnePage& page, const PageContents& contents) {
    const Options& options = context.options;
    PageText sections = describe_page(page.bytes, page.number, tablespace.header());
    if (!page.readable) {
        sections.resize(1);
    }
    if (options.json) {
        Json result = document("inspect");
        result["file"] = tablespace.name();
        result["page"] = page.number.value;
        result["whole"] = page.whole;
        result["verdict"] = page.verdict;
        for (const PageSection& section : sections) {
            Json& fields = result[section.name] = Json::object();
            for (const auto& [name, value] : section.facts) {
                fields[name] = value;
            }
        }
        add_contents(result, contents, options.records);
        return print_json(result);
    }
    print_notes(contents.notes, options.quiet);
    std::string text = facts_text({{"file", tablespace.name()},
                                   {"page", fmt::format("{}", page.number.value)},
                                   {"verdict", page.verdict}});
    for (const PageSection& section : sections) {
        text += fmt::format("\n{}\n{}", section.name, facts_text(section.facts));
    }
    text += contents_text(contents, options.records);
    if (options.verbose) {
        text += '\n' + hex_dump(page.bytes);
    }
    return print(text);
}

}  // namespace

Result<int> inspect_page(const CommandContext& context, space::Tablespace& tablespace,
                         PageNo number) {
    const space::SpaceHeader& header = tablespace.header();
    std::vector<std::byte> stored(tablespace.physical_size());
    ASSIGN_OR_RETURN(const std::uint32_t count, tablespace.read_raw(number, 1, stored));
    if (count == 0) {
        ASSIGN_OR_RETURN(const std::uint32_t page_count, tablespace.page_count());
        return make_error(ErrorCode::Usage, "there is no such page: the file has {} pages",
                          page_count)
            .with_file(tablespace.name())
            .with_page(number);
    }
    std::vector<std::byte> plain(stored.size());
    space::PageCodec codec = tablespace.make_codec(context.keys);
    const Result<space::PageState> state = codec.decode(number, stored, plain);
    // What cannot be decoded is shown as it is stored.
    const bool readable = state || state.error().code() != ErrorCode::Key;
    const OnePage page{.number = number,
                       .whole = state.has_value(),
                       .readable = readable,
                       .verdict = !state                                ? state.error().to_string()
                                  : *state == space::PageState::AllZero ? "never written, all zero"
                                                                        : "whole",
                       .bytes = state ? plain : stored};
    const PageContents contents =
        readable ? contents_of(context, tablespace, page.bytes, {header.id, number})
                 : PageContents();
    RETURN_IF_ERROR(print_page(context, tablespace, page, contents));
    if (state) {
        return 0;
    }
    return readable ? kExitDamage : kExitWarnings;
}

}  // namespace redoubt::cli
