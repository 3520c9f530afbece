/// redoubt inspect FILE [--page N [--records]] [--map] [--svg FILE], FILE a tablespace or a .frm
/// redoubt inspect DIR [--doublewrite]
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/frm_text.h"
#include "cli/inspect_directory.h"
#include "cli/inspect_page.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/space_survey.h"
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
    if (directory.exists(path)) {
        return make_error(ErrorCode::Refused, "is there already: it is not replaced")
            .with_file(path);
    }
    return directory.replace_text(path, map_svg(map));
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
