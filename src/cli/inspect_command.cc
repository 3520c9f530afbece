/// redoubt inspect FILE [--page N [--records]] [--map] [--svg FILE], FILE a tablespace or a .frm
/// redoubt inspect DIR [--doublewrite]
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "btree/row_compressed.h"
#include "cli/command.h"
#include "cli/frm_text.h"
#include "cli/index_definition.h"
#include "cli/index_text.h"
#include "cli/inspect_directory.h"
#include "cli/output.h"
#include "cli/page_text.h"
#include "cli/progress_bar.h"
#include "cli/space_survey.h"
#include "cli/undo_text.h"
#include "page/header.h"
#include "page/index_page.h"
#include "space/file_pages.h"
#include "space/tablespace.h"

namespace redoubt::cli {
namespace {

constexpr int kExitWarnings = 3;
constexpr int kExitDamage = 4;
constexpr std::string_view kFrm = ".frm";
constexpr std::size_t kFrmMax = std::size_t{16} << 20;  // bytes; far beyond any real one

std::string encryption_text(const space::SpaceHeader& header) {
    if (!header.crypt) {
        return "no metadata";
    }
    const crypt::CryptData& crypt = *header.crypt;
    std::string_view option = "by the server's default";
    if (crypt.option == crypt::CryptData::Option::On) {
        option = "on";
    } else if (crypt.option == crypt::CryptData::Option::Off) {
        option = "off";
    }
    return fmt::format("{}, key {}, minimum version {}, option {}",
                       crypt.encrypts() ? "encrypts" : "does not encrypt", crypt.key_id,
                       crypt.min_key_version, option);
}

std::string header_text(const space::Tablespace& tablespace, std::uint32_t page_count) {
    const space::SpaceHeader& header = tablespace.header();
    return facts_text({
        {"file", tablespace.name()},
        {"space", fmt::format("{}", header.id.value)},
        {"format", header.flags.to_string()},
        {"flags", fmt::format("0x{:x}", header.flags.encode())},
        {"pages in file",
         fmt::format("{} ({})", human_count(page_count),
                     human_bytes(std::uint64_t{page_count} * header.flags.physical_page_size))},
        {"size by page 0", fmt::format("{} pages, used up to page {}", human_count(header.size),
                                       human_count(header.free_limit))},
        {"encryption", encryption_text(header)},
        {"lsn of page 0", fmt::format("{}", header.lsn.value)},
    });
}

Json header_json(const space::Tablespace& tablespace, std::uint32_t page_count) {
    const space::SpaceHeader& header = tablespace.header();
    Json result = document("inspect");
    result["file"] = tablespace.name();
    result["space"] = header.id.value;
    result["format"] = header.flags.to_string();
    result["flags"] = header.flags.encode();
    result["page_size"] = header.flags.physical_page_size;
    result["pages_in_file"] = page_count;
    result["size"] = header.size;
    result["free_limit"] = header.free_limit;
    result["lsn"] = header.lsn.value;
    if (header.crypt) {
        result["encryption"] = {{"encrypts", header.crypt->encrypts()},
                                {"key_id", header.crypt->key_id},
                                {"min_key_version", header.crypt->min_key_version},
                                {"option", static_cast<unsigned>(header.crypt->option)}};
    }
    return result;
}

/// Sums that answer "how full, how whole" at a glance.
struct Totals {
    std::uint64_t never_written = 0;
    std::uint64_t free = 0;
    std::uint64_t used = 0;
    std::uint64_t damaged = 0;
    std::uint64_t unreadable = 0;
};

Totals totals_of(const SpaceSurvey& survey) {
    const KindCounts counts = count_kinds(survey.pages);
    const auto count = [&counts](PageKind kind) { return counts[static_cast<std::size_t>(kind)]; };
    Totals totals{.never_written = count(PageKind::NeverWritten),
                  .free = count(PageKind::Free),
                  .used = 0,
                  .damaged = count(PageKind::Damaged),
                  .unreadable = count(PageKind::Encrypted)};
    totals.used = survey.pages.size() - totals.never_written - totals.free;
    return totals;
}

std::string survey_text(const SpaceSurvey& survey, bool with_histogram) {
    const Totals totals = totals_of(survey);
    std::string text = fmt::format(
        "\nused {}, free {}, never written {}, damaged {}, encrypted {} ({} without a key)\n",
        human_count(totals.used),
        survey.free_pages_known ? human_count(totals.free) : std::string("unknown"),
        human_count(totals.never_written), human_count(totals.damaged),
        human_count(survey.encrypted_pages), human_count(totals.unreadable));
    if (with_histogram) {
        const KindCounts counts = count_kinds(survey.pages);
        std::vector<std::vector<std::string>> rows;
        for (std::size_t kind = 0; kind < kPageKindCount; ++kind) {
            if (counts[kind] != 0) {
                rows.push_back(
                    {std::string(name_of(static_cast<PageKind>(kind))), human_count(counts[kind])});
            }
        }
        text += '\n' + table_text({"page type", "pages"}, rows);
    }
    for (const Error& damage : survey.damage) {
        text += fmt::format("damage: {}\n", damage.to_string());
    }
    if (totals.damaged > survey.damage.size()) {
        text += fmt::format("and {} more damaged pages\n",
                            human_count(totals.damaged - survey.damage.size()));
    }
    for (const space::ExtentProblem& problem : survey.extent_problems) {
        text += fmt::format("space management: page {}: {}\n", problem.page.value, problem.message);
    }
    return text;
}

void add_survey(Json& result, const SpaceSurvey& survey, bool with_map) {
    const Totals totals = totals_of(survey);
    result["counts"] = {{"used", totals.used},
                        {"never_written", totals.never_written},
                        {"damaged", totals.damaged},
                        {"encrypted", survey.encrypted_pages},
                        {"without_key", totals.unreadable}};
    if (survey.free_pages_known) {
        result["counts"]["free"] = totals.free;
    }
    const KindCounts counts = count_kinds(survey.pages);
    Json types = Json::object();
    for (std::size_t kind = 0; kind < kPageKindCount; ++kind) {
        if (counts[kind] != 0) {
            types[std::string(name_of(static_cast<PageKind>(kind)))] = counts[kind];
        }
    }
    result["page_types"] = std::move(types);
    result["damage"] = Json::array();
    for (const Error& damage : survey.damage) {
        result["damage"].push_back(error_json(damage));
    }
    result["space_management_problems"] = Json::array();
    for (const space::ExtentProblem& problem : survey.extent_problems) {
        result["space_management_problems"].push_back(
            {{"page", problem.page.value}, {"message", problem.message}});
    }
    if (with_map) {
        result["map"] = Json::array();
        for (const PageRun& run : runs_of(survey.pages)) {
            result["map"].push_back(
                {{"first", run.first}, {"count", run.count}, {"type", name_of(run.kind)}});
        }
    }
}

Status write_svg(const CommandContext& context, const PageMap& map) {
    io::Directory& directory = context.working_directory;
    const std::string& path = context.options.svg_file;
    ASSIGN_OR_RETURN(const auto file, directory.open(path, io::OpenMode::CreateExclusive));
    const std::string svg = map_svg(map);
    return file->write_at(0, std::as_bytes(std::span(svg)));
}

Result<int> inspect_space(const CommandContext& context, space::Tablespace& tablespace) {
    const Options& options = context.options;
    ASSIGN_OR_RETURN(const std::uint32_t page_count, tablespace.page_count());
    ASSIGN_OR_RETURN(SpaceSurvey survey, survey_space(tablespace, {.keys = context.keys,
                                                                   .threads = options.threads,
                                                                   .progress = &context.progress,
                                                                   .cancel = &context.cancel}));
    if (options.json) {
        Json result = header_json(tablespace, page_count);
        add_survey(result, survey, options.map);
        RETURN_IF_ERROR(print_json(result));
    } else {
        RETURN_IF_ERROR(
            print(header_text(tablespace, page_count) + survey_text(survey, !options.map)));
    }
    const int exit_code =
        std::ranges::count(survey.pages, PageKind::Damaged) != 0 || !survey.extent_problems.empty()
            ? kExitDamage
        : std::ranges::count(survey.pages, PageKind::Encrypted) != 0 ? kExitWarnings
                                                                     : 0;
    const PageMap map{
        .title = tablespace.name(),
        .subtitle = fmt::format(
            "space {}, {}, {}", tablespace.header().id.value, tablespace.header().flags.to_string(),
            human_bytes(std::uint64_t{page_count} * tablespace.physical_size())),
        .pages = std::move(survey.pages)};
    if (options.map && !options.json) {
        RETURN_IF_ERROR(print('\n' + map_text(map, is_terminal(STDOUT_FILENO))));
    }
    if (!options.svg_file.empty()) {
        RETURN_IF_ERROR(write_svg(context, map));
    }
    return exit_code;
}

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
    const auto file = context.working_directory.read_text(whole + std::string(kFrm), kFrmMax);
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

Result<int> inspect_frm(const CommandContext& context, const std::string& path) {
    ASSIGN_OR_RETURN(const std::string file, context.working_directory.read_text(path, kFrmMax));
    const std::size_t slash = path.rfind('/');
    std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    name = space::decode_file_name(name.substr(0, name.size() - kFrm.size()));
    auto shown = show_frm(std::as_bytes(std::span(file)), name);
    if (!shown) {
        return std::move(shown.error()).with_file(path);
    }
    if (context.options.json) {
        Json result = document("inspect");
        result["file"] = path;
        result.update(shown->document);
        RETURN_IF_ERROR(print_json(result));
    } else {
        RETURN_IF_ERROR(print(shown->text));
    }
    return 0;
}

Status check_options(const Options& options, bool tablespace) {
    const bool about_pages = options.page || options.map || !options.svg_file.empty();
    if (options.records && !options.page) {
        return make_error(ErrorCode::Usage, "--records shows those of one page: give --page, too");
    }
    if (about_pages && (options.doublewrite || !tablespace)) {
        return make_error(ErrorCode::Usage, "--page, --map and --svg are of a tablespace file");
    }
    return {};
}

}  // namespace

Result<int> inspect_command(const CommandContext& context) {
    const Options& options = context.options;
    const std::string& path = options.paths.front();
    const auto info = context.working_directory.info(path);
    const bool directory = info && info->is_directory;
    const bool frm = path.ends_with(kFrm);
    RETURN_IF_ERROR(check_options(options, !directory && !frm));
    if (frm) {
        return inspect_frm(context, path);
    }
    note_directory_in_use(context, directory ? path : io::parent_of(path));
    if (options.doublewrite) {
        return inspect_doublewrite(context, path);
    }
    if (directory) {
        return inspect_dictionary(context, path);
    }
    ASSIGN_OR_RETURN(
        const auto tablespace,
        space::Tablespace::open(context.working_directory, {path}, io::OpenMode::ReadOnly, path,
                                options.layout.page_size.value_or(0), std::nullopt));
    return options.page ? inspect_page(context, *tablespace, *options.page)
                        : inspect_space(context, *tablespace);
}

}  // namespace redoubt::cli
