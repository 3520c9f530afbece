/// redoubt restore BACKUP DATADIR
#include <nlohmann/json.hpp>

#include "backup/restore.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/output.h"

namespace redoubt::cli {
namespace {

constexpr int kExitWarnings = 3;

Json report_json(const Options& options, const backup::RestoreReport& report) {
    Json result = document("restore");
    result["backup"] = options.paths.front();
    result["directory"] = options.target;
    result["moved"] = options.move;
    result["resumed"] = report.resumed;
    result["prepared_first"] = report.prepared.has_value() && !report.prepared->was_prepared;
    result["files"] = report.files;
    result["bytes"] = report.bytes;
    if (report.verified) {
        result["verified"] = {{"files", report.verified->files},
                              {"pages", report.verified->pages},
                              {"not_checked_pages", report.verified->not_checked_pages},
                              {"seconds", report.verified->seconds}};
        result["findings"] = findings_json(report.verified->findings);
    }
    result["notes"] = report.notes;
    result["seconds"] = report.seconds;
    return result;
}

std::string report_text(const Options& options, const backup::RestoreReport& report) {
    std::vector<Fact> facts;
    if (report.prepared && !report.prepared->was_prepared) {
        facts.emplace_back("prepared first", fmt::format("redo applied to lsn {} in {}",
                                                         report.prepared->recovery.end.value,
                                                         human_seconds(report.prepared->seconds)));
    }
    if (report.verified) {
        facts.emplace_back("verified", fmt::format("{} files, {} pages in {}{}",
                                                   human_count(report.verified->files),
                                                   human_count(report.verified->pages),
                                                   human_seconds(report.verified->seconds),
                                                   report.damaged() ? ", damage found" : ""));
    }
    facts.emplace_back(
        options.move ? "moved" : "copied",
        fmt::format("{} files, {}", human_count(report.files), human_bytes(report.bytes)));
    facts.emplace_back("time", human_seconds(report.seconds));
    return facts_text(facts) +
           fmt::format("{} is complete and durable; see that the server's user owns its files\n",
                       options.target);
}

}  // namespace

Result<int> restore_command(const CommandContext& context) {
    const Options& options = context.options;
    backup::RestoreOptions restore_options;
    RETURN_IF_ERROR(take_shared_options(context, restore_options));
    restore_options.move = options.move;
    restore_options.continue_on_damage = options.continue_on_damage;
    ASSIGN_OR_RETURN(const backup::RestoreReport report,
                     backup::restore(context.working_directory, options.paths.front(),
                                     options.target, restore_options));
    context.progress.end();
    if (options.json) {
        RETURN_IF_ERROR(print_json(report_json(options, report)));
    } else {
        print_notes(report.notes, options.quiet);
        if (report.verified) {
            RETURN_IF_ERROR(print(findings_text(report.verified->findings, options.quiet)));
        }
        RETURN_IF_ERROR(print(report_text(options, report)));
    }
    return report.damaged() ? kExitWarnings : 0;
}

}  // namespace redoubt::cli
