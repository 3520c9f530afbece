/// redoubt verify PATH... [--level files,pages,trees,rows]
#include <algorithm>
#include <nlohmann/json.hpp>

#include "backup/metadata.h"
#include "backup/verify_backup.h"
#include "cli/command.h"
#include "cli/findings.h"
#include "cli/output.h"
#include "io/posix_directory.h"
#include "verify/verify.h"

namespace redoubt::cli {
namespace {

constexpr int kExitWarnings = 3;
constexpr int kExitDamage = 4;

/// What was found under all operands together.
struct Verdict {
    struct Entry {
        std::string path;  ///< the operand
        verify::VerifyReport report;
    };
    std::vector<Entry> entries;
    std::optional<Error> error;  ///< why an operand could not be verified; the rest was left

    std::size_t count(verify::Severity severity) const {
        std::size_t found = 0;
        for (const Entry& entry : entries) {
            found += static_cast<std::size_t>(
                std::ranges::count(entry.report.findings, severity, &verify::Finding::severity));
        }
        return found;
    }
    std::uint64_t sum(std::uint64_t verify::VerifyReport::*member) const {
        std::uint64_t total = 0;
        for (const Entry& entry : entries) {
            total += entry.report.*member;
        }
        return total;
    }
    std::vector<std::string> missing_keys() const {
        std::vector<std::string> keys;
        for (const Entry& entry : entries) {
            keys.insert(keys.end(), entry.report.missing_keys.begin(),
                        entry.report.missing_keys.end());
        }
        std::ranges::sort(keys);
        // clang 14 cannot compile std::ranges::unique of libstdc++ 12.
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        return keys;
    }
    bool all_checked() const {
        return sum(&verify::VerifyReport::not_checked_pages) == 0 && missing_keys().empty();
    }
    int exit_code() const {
        if (error) {
            return exit_code_of(error->code());
        }
        if (count(verify::Severity::Damage) != 0) {
            return kExitDamage;
        }
        return all_checked() && count(verify::Severity::Warning) == 0 ? 0 : kExitWarnings;
    }
};

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

Result<verify::VerifyReport> verify_operand(const std::string& path,
                                            const verify::VerifyOptions& options) {
    const auto directory = io::open_posix_directory(path);
    return directory && backup::is_backup(**directory) ? backup::verify_backup(**directory, options)
                                                       : verify::verify_path(path, options);
}

}  // namespace

Result<int> verify_command(const CommandContext& context) {
    const Options& options = context.options;
    verify::VerifyOptions verify_options;
    verify_options.levels = options.levels;
    RETURN_IF_ERROR(take_shared_options(context, verify_options));

    Verdict verdict;
    for (const std::string& path : options.paths) {
        auto report = verify_operand(path, verify_options);
        context.progress.end();
        if (!report) {
            verdict.error = std::move(report.error());
            break;
        }
        verdict.entries.push_back({path, std::move(*report)});
        if (!options.json) {
            RETURN_IF_ERROR(print(entry_text(verdict.entries.back(), options)));
        }
    }
    if (options.json) {
        RETURN_IF_ERROR(print_json(verdict_json(verdict, options)));
    } else if (!verdict.error) {
        RETURN_IF_ERROR(print(conclusion_text(verdict)));
    }
    if (verdict.error) {
        print_error(*verdict.error);
    }
    return verdict.exit_code();
}

}  // namespace redoubt::cli
