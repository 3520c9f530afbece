/// redoubt prepare BACKUP
#include <nlohmann/json.hpp>

#include "backup/prepare.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/output.h"
#include "cli/recover_report.h"
#include "io/posix_directory.h"

namespace redoubt::cli {
namespace {

Json report_json(const std::string& path, const backup::PrepareReport& report) {
    Json result = document("prepare");
    result["backup"] = path;
    result["was_prepared"] = report.was_prepared;
    const backup::Checkpoints& checkpoints = report.metadata.checkpoints;
    result["to_lsn"] = checkpoints.to.value;
    result["last_lsn"] = checkpoints.last.value;
    result["partial"] = report.metadata.partial();
    if (report.was_prepared) {
        return result;
    }
    result["markers"] = report.markers;
    if (report.binlog) {
        result["binlog"] = {{"file", report.binlog->file}, {"position", report.binlog->offset}};
    }
    add_recover_report(result, report.recovery);
    result["findings"] = findings_json(report.findings);
    result["seconds"]["total"] = report.seconds;
    return result;
}

std::string report_text(const backup::PrepareReport& report) {
    if (report.was_prepared) {
        return "the backup is prepared already; nothing to do\n";
    }
    std::vector<Fact> facts = recover_facts(report.recovery);
    if (!report.markers.empty()) {
        facts.emplace_back("tables renamed or dropped while copied",
                           human_count(report.markers.size()));
    }
    if (report.binlog) {
        facts.emplace_back("InnoDB's place in the binary log",
                           fmt::format("{} {}", report.binlog->file, report.binlog->offset));
    }
    return facts_text(facts) + (report.damaged()
                                    ? "prepared, but not whole: see above\n"
                                    : "prepared: a server can start on it (redoubt restore)\n");
}

}  // namespace

Result<int> prepare_command(const CommandContext& context) {
    const Options& options = context.options;
    const std::string& path = options.paths.front();
    ASSIGN_OR_RETURN(const auto directory, io::open_posix_directory(path));
    backup::PrepareOptions prepare_options;
    RETURN_IF_ERROR(take_shared_options(context, prepare_options));
    ASSIGN_OR_RETURN(const backup::PrepareReport report,
                     backup::prepare(*directory, prepare_options));
    context.progress.end();
    if (options.json) {
        RETURN_IF_ERROR(print_json(report_json(path, report)));
    } else {
        print_notes(report.recovery.notes, options.quiet);
        RETURN_IF_ERROR(print(findings_text(report.findings, options.quiet)));
        RETURN_IF_ERROR(print(report_text(report)));
    }
    return report.damaged() ? exit_code_of(ErrorCode::Corruption) : 0;
}

}  // namespace redoubt::cli
