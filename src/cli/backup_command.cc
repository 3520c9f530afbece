/// redoubt backup DIR
#include <nlohmann/json.hpp>

#include "backup/backup.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/output.h"
#include "cli/password.h"

namespace redoubt::cli {
namespace {

constexpr int kExitWarnings = 3;

std::string milliseconds(double value) { return fmt::format("{:.1f} ms", value); }

Json damaged_json(const std::vector<backup::DamagedPage>& damaged) {
    Json list = Json::array();
    for (const backup::DamagedPage& page : damaged) {
        list.push_back({{"kind", "page-corrupt"},
                        {"severity", "damage"},
                        {"file", page.file},
                        {"space", page.space.value},
                        {"page", page.page.value},
                        {"message", page.message}});
    }
    return list;
}

Json report_json(const Options& options, const backup::BackupReport& report) {
    const backup::Manifest& manifest = report.manifest;
    const bool cold = !options.datadir_copy.empty();
    Json result = document("backup");
    result["directory"] = options.paths.front();
    result["kind"] = cold ? "cold" : "hot";
    result["uuid"] = manifest.uuid;
    result["server"] = {{"version", manifest.server_version}, {"host", manifest.host}};
    result["lsn"] = {
        {"from", manifest.from.value}, {"to", manifest.to.value}, {"last", manifest.last.value}};
    if (!manifest.binlog_file.empty()) {
        result["binlog"] = {{"file", manifest.binlog_file},
                            {"offset", manifest.binlog_offset},
                            {"gtid", manifest.gtid}};
    }
    result["files"] = report.files;
    result["bytes"] = report.bytes;
    result["tablespaces"] = report.tablespaces;
    result["pages"] = report.pages;
    result["pages_read_again"] = report.pages_read_again;
    result["redo_bytes"] = report.redo_bytes;
    if (!cold) {
        result["headroom_min"] = report.headroom_min;
        result["log_capacity"] = report.log_capacity;
        result["ddl_blocked_ms"] = report.ddl_blocked_ms;
        result["commits_blocked_ms"] = report.commits_blocked_ms;
        result["longest_commit_ms"] = report.longest_commit_ms;
    }
    result["findings"] = cold ? findings_json(report.findings) : damaged_json(report.damaged);
    result["notes"] = report.notes;
    result["seconds"] = report.seconds;
    return result;
}

std::string report_text(const Options& options, const backup::BackupReport& report) {
    const backup::Manifest& manifest = report.manifest;
    std::vector<Fact> facts;
    if (options.datadir_copy.empty()) {
        facts.emplace_back("server",
                           fmt::format("{} on {}", manifest.server_version, manifest.host));
    } else {
        facts.emplace_back("copied", options.datadir_copy);
    }
    facts.emplace_back(
        "written",
        fmt::format("{} files, {}, in {} ({}/s)", human_count(report.files),
                    human_bytes(report.bytes), human_seconds(report.seconds),
                    human_bytes(static_cast<std::uint64_t>(static_cast<double>(report.bytes) /
                                                           std::max(report.seconds, 0.001)))));
    facts.emplace_back("checked",
                       fmt::format("{} pages of {} tablespaces{}{}", human_count(report.pages),
                                   human_count(report.tablespaces),
                                   report.pages_read_again == 0
                                       ? ""
                                       : fmt::format(", {} read again while the server wrote them",
                                                     human_count(report.pages_read_again)),
                                   report.has_damage() ? "; DAMAGE FOUND" : ""));
    facts.emplace_back("redo", fmt::format("{}, lsn {} to {}", human_bytes(report.redo_bytes),
                                           manifest.from.value, manifest.last.value));
    if (options.datadir_copy.empty()) {
        facts.emplace_back("headroom", fmt::format("never less than {} of the server's {} log",
                                                   human_bytes(report.headroom_min),
                                                   human_bytes(report.log_capacity)));
        facts.emplace_back("server waited",
                           fmt::format("{} at the longest commit; for locks: commits {}, DDL {}",
                                       milliseconds(report.longest_commit_ms),
                                       milliseconds(report.commits_blocked_ms),
                                       milliseconds(report.ddl_blocked_ms)));
    }
    if (!manifest.binlog_file.empty()) {
        facts.emplace_back(
            "binary log",
            fmt::format("{} position {}{}", manifest.binlog_file, manifest.binlog_offset,
                        manifest.gtid.empty() ? "" : ", GTID " + manifest.gtid));
    }
    return facts_text(facts) +
           fmt::format("{} is complete and durable; next: redoubt restore {} DATADIR\n",
                       options.paths.front(), options.paths.front());
}

std::string damage_text(const std::vector<backup::DamagedPage>& damaged) {
    std::string text;
    for (const backup::DamagedPage& page : damaged) {
        text += fmt::format("DAMAGE {}; space {} page {}: {}\n", page.file, page.space.value,
                            page.page.value, page.message);
    }
    return text;
}

}  // namespace

Result<int> backup_command(const CommandContext& context) {
    const Options& options = context.options;
    backup::BackupOptions backup_options;
    RETURN_IF_ERROR(take_shared_options(context, backup_options));
    if (options.datadir_copy.empty()) {
        client::ConnectOptions server = options.server;
        if (options.ask_password) {
            ASSIGN_OR_RETURN(server.password, ask_password("Password: "));
        }
        ASSIGN_OR_RETURN(
            backup_options.server,
            client::complete_options(context.working_directory, server, options.option_files,
                                     client::process_environment));
    }
    backup_options.datadir_copy = options.datadir_copy;
    backup_options.continue_on_damage = options.continue_on_damage;
    backup_options.replica_position = options.slave_info;
    backup_options.lock_wait_seconds = options.lock_wait_timeout;
    ASSIGN_OR_RETURN(
        const backup::BackupReport report,
        backup::back_up(context.working_directory, options.paths.front(), backup_options));
    context.progress.end();
    if (options.json) {
        RETURN_IF_ERROR(print_json(report_json(options, report)));
    } else {
        print_notes(report.notes, options.quiet);
        RETURN_IF_ERROR(
            print(damage_text(report.damaged) + findings_text(report.findings, options.quiet)));
        RETURN_IF_ERROR(print(report_text(options, report)));
    }
    return report.has_damage() ? kExitWarnings : 0;
}

}  // namespace redoubt::cli
