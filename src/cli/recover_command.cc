/// redoubt recover DATADIR
#include <nlohmann/json.hpp>

#include "backup/metadata.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/recover_report.h"
#include "io/posix_directory.h"
#include "recovery/recover.h"

namespace redoubt::cli {
namespace {

Json report_json(const std::string& path, const recovery::RecoverReport& report) {
    Json result = document("recover");
    result["directory"] = path;
    add_recover_report(result, report);
    return result;
}

std::string report_text(const recovery::RecoverReport& report) {
    if (report.was_clean) {
        return fmt::format("the directory was shut down cleanly at lsn {}; nothing to recover\n",
                           report.end.value);
    }
    return facts_text(recover_facts(report));
}

/// Recovery would apply the log and leave the rest of what makes a backup whole undone.
Status refuse_backup(io::Directory& directory) {
    if (!backup::is_backup(directory)) {
        return {};
    }
    ASSIGN_OR_RETURN(const backup::Metadata metadata, backup::read_metadata(directory));
    if (metadata.checkpoints.state == backup::BackupState::Prepared) {
        return {};  // copied into place as it is, and used by a server since
    }
    return make_error(ErrorCode::Refused, "this is a backup that is not prepared")
        .with_file(directory.path())
        .with_hint("use redoubt prepare");
}

}  // namespace

Result<int> recover_command(const CommandContext& context) {
    const Options& options = context.options;
    const std::string& path = options.paths.front();
    ASSIGN_OR_RETURN(const auto directory, io::open_posix_directory(path));
    RETURN_IF_ERROR(refuse_backup(*directory));
    recovery::RecoverOptions recover_options;
    RETURN_IF_ERROR(take_shared_options(context, recover_options));

    ASSIGN_OR_RETURN(const recovery::RecoverReport report,
                     recovery::recover(*directory, recover_options));
    context.progress.end();
    print_notes(report.notes, options.quiet);
    RETURN_IF_ERROR(options.json ? print_json(report_json(path, report))
                                 : print(report_text(report)));
    return 0;
}

}  // namespace redoubt::cli
