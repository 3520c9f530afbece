/// redoubt verify PATH... [--level files,pages,trees,rows] [--html FILE]
#include <fmt/chrono.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "backup/metadata.h"
#include "backup/verify_backup.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/output.h"
#include "cli/report_file.h"
#include "cli/report_html.h"
#include "cli/verdict.h"
#include "io/posix_directory.h"
#include "verify/verify.h"

namespace redoubt::cli {
namespace {

Json verdict_json(const Verdict& verdict, const Options& options) {
    Json result = document("verify");
    result["levels"] = options.levels;
    result["result"] = verdict.error                                  ? "error"
                       : verdict.count(verify::Severity::Damage) != 0 ? "damage"
                       : !verdict.all_checked()                       ? "not all checked"
                                                                      : "clean";
    result["findings"] = Json::array();
    result["paths"] = Json::array();
    for (const Verdict::Entry& entry : verdict.entries) {
        for (const verify::Finding& finding : entry.report.findings) {
            Json object = finding_json(finding);
            if (options.paths.size() > 1) {
                object["path"] = entry.path;  // "file" is relative to it
            }
            result["findings"].push_back(std::move(object));
        }
        Json about = {{"path", entry.path}, {"needs_recovery", entry.report.needs_recovery}};
        if (entry.report.end.value != 0) {
            about["checkpoint_lsn"] = entry.report.checkpoint.value;
            about["end_lsn"] = entry.report.end.value;
        }
        about["seconds"] = entry.report.seconds;
        result["paths"].push_back(std::move(about));
    }
    result["checked"] = {{"files", verdict.sum(&verify::VerifyReport::files)},
                         {"pages", verdict.sum(&verify::VerifyReport::pages)},
                         {"bytes", verdict.sum(&verify::VerifyReport::bytes)},
                         {"tables", verdict.sum(&verify::VerifyReport::tables)},
                         {"trees", verdict.sum(&verify::VerifyReport::trees)},
                         {"records", verdict.sum(&verify::VerifyReport::records)},
                         {"zero_pages", verdict.sum(&verify::VerifyReport::zero_pages)},
                         {"free_pages", verdict.sum(&verify::VerifyReport::free_pages)}};
    result["not_checked"] = {{"pages", verdict.sum(&verify::VerifyReport::not_checked_pages)},
                             {"missing_keys", verdict.missing_keys()}};
    if (verdict.error) {
        result["error"] = error_json(*verdict.error);
    }
    return result;
}

std::string entry_text(const Verdict::Entry& entry, const Options& options) {
    const verify::VerifyReport& report = entry.report;
    std::string text = options.paths.size() > 1 ? entry.path + ":\n" : "";
    text += findings_text(report.findings, options.quiet);
    if (report.needs_recovery) {
        text += fmt::format(
            "the directory needs crash recovery: redo from lsn {} to {} is still to be applied\n",
            report.checkpoint.value, report.end.value);
    }
    text += fmt::format("checked {} files, {} pages ({}; {} never written, {} free) in {}\n",
                        human_count(report.files), human_count(report.pages),
                        human_bytes(report.bytes), human_count(report.zero_pages),
                        human_count(report.free_pages), human_seconds(report.seconds));
    if (report.trees != 0) {
        text +=
            fmt::format("checked {} trees of {} tables, {} records\n", human_count(report.trees),
                        human_count(report.tables), human_count(report.records));
    }
    if (report.not_checked_pages != 0) {
        text += fmt::format("not checked: {} pages\n", human_count(report.not_checked_pages));
    }
    for (const std::string& key : report.missing_keys) {
        text += fmt::format("not checked: {}\n", key);
    }
    return text;
}

std::string conclusion_text(const Verdict& verdict) {
    const std::size_t damage = verdict.count(verify::Severity::Damage);
    const std::size_t warnings = verdict.count(verify::Severity::Warning);
    const std::size_t notes = verdict.count(verify::Severity::Note);
    return fmt::format("result: {}, {} warnings, {} notes{}\n",
                       damage == 0 ? "no damage found" : fmt::format("{} damaged places", damage),
                       warnings, notes, verdict.all_checked() ? "" : "; not everything checked");
}

Result<Verdict::Entry> verify_operand(const std::string& path,
                                      const verify::VerifyOptions& options) {
    const auto directory = io::open_posix_directory(path);
    const bool is_backup = directory && backup::is_backup(**directory);
    ASSIGN_OR_RETURN(verify::VerifyReport report, is_backup
                                                      ? backup::verify_backup(**directory, options)
                                                      : verify::verify_path(path, options));
    return Verdict::Entry{.path = path,
                          .kind = is_backup   ? "backup"
                                  : directory ? "data directory"
                                              : "file",
                          .report = std::move(report)};
}

/// The operands, and where the layout has other parts of them: nothing is written there.
std::vector<std::string> verified_paths(const Options& options,
                                        const space::LayoutOptions& layout) {
    std::vector<std::string> paths = options.paths;
    for (const std::string& path : options.paths) {
        for (const std::string& directory :
             {layout.data_home, layout.undo_directory, layout.log_directory}) {
            if (!directory.empty()) {
                paths.push_back(io::join(path, directory));
            }
        }
    }
    return paths;
}

Status write_html(const CommandContext& context, const std::string& path, const Verdict& verdict,
                  std::chrono::system_clock::time_point begin) {
    RETURN_IF_ERROR(context.cancel.check());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(begin);
    const std::string html = html_report(
        verdict,
        {.made_at = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                                fmt::gmtime(std::chrono::system_clock::to_time_t(seconds))),
         .version = REDOUBT_VERSION,
         .levels = context.options.levels});
    return write_report(context.working_directory, path, html);
}

}  // namespace

Result<int> verify_command(const CommandContext& context) {
    const Options& options = context.options;
    verify::VerifyOptions verify_options;
    verify_options.levels = options.levels;
    verify_options.from_table = options.from_table;
    RETURN_IF_ERROR(take_shared_options(context, verify_options));
    std::string report_path;
    if (!options.html_file.empty()) {
        verify_options.contents = true;
        ASSIGN_OR_RETURN(report_path,
                         check_report_file(context.working_directory, options.html_file,
                                           verified_paths(options, verify_options.layout)));
    }

    const auto begin = std::chrono::system_clock::now();
    Verdict verdict;
    for (const std::string& path : options.paths) {
        auto entry = verify_operand(path, verify_options);
        context.progress.end();
        if (!entry) {
            verdict.error = std::move(entry.error());
            verdict.error_path = path;
            break;
        }
        verdict.entries.push_back(std::move(*entry));
        if (!options.json) {
            RETURN_IF_ERROR(print(entry_text(verdict.entries.back(), options)));
        }
        if (verdict.entries.back().report.ended_early) {
            verdict.error = verdict.entries.back().report.ended_early;
            verdict.error_path = path;
            break;
        }
    }
    const bool interrupted = verdict.error && verdict.error->code() == ErrorCode::Cancelled;
    Status written;
    if (!report_path.empty() && !interrupted) {
        written = write_html(context, report_path, verdict, begin);
    }
    if (options.json) {
        RETURN_IF_ERROR(print_json(verdict_json(verdict, options)));
    } else if (!verdict.error) {
        RETURN_IF_ERROR(print(conclusion_text(verdict)));
    }
    if (verdict.error) {
        print_error(*verdict.error);
    }
    if (!written) {
        print_error(written.error());
    }
    const int exit_code = verdict.exit_code();
    const bool report_decides = exit_code == 0 || exit_code == Verdict::kExitWarnings;
    return written || !report_decides ? exit_code : exit_code_of(written.error().code());
}

}  // namespace redoubt::cli
