#include "cli/recover_report.h"

#include <nlohmann/json.hpp>

namespace redoubt::cli {

void add_recover_report(Json& result, const recovery::RecoverReport& report) {
    result["was_clean"] = report.was_clean;
    result["checkpoint_lsn"] = report.checkpoint.value;
    result["end_lsn"] = report.end.value;
    result["redo"] = {{"bytes", report.redo_bytes},
                      {"mini_transactions", report.mtr_count},
                      {"records", report.record_count},
                      {"batches", report.batches}};
    result["pages"] = {{"applied", report.pages_applied},
                       {"initialised", report.pages_initialised},
                       {"freed", report.pages_freed},
                       {"written", report.pages_written},
                       {"restored_from_doublewrite", report.doublewrite_restored}};
    result["bytes_written"] = report.bytes_written;
    result["tablespaces"] = report.tablespaces;
    result["created_files"] = report.created_files;
    result["renamed_files"] = report.renamed_files;
    result["notes"] = report.notes;
    result["seconds"] = {{"scan", report.scan_seconds},
                         {"apply", report.apply_seconds},
                         {"sync", report.sync_seconds}};
}

std::vector<Fact> recover_facts(const recovery::RecoverReport& report) {
    std::vector<Fact> facts = {
        {"recovered to lsn",
         fmt::format("{} from checkpoint {}", report.end.value, report.checkpoint.value)},
        {"redo", fmt::format("{}, {} mini-transactions, {} records, {} batch{}",
                             human_bytes(report.redo_bytes), human_count(report.mtr_count),
                             human_count(report.record_count), report.batches,
                             report.batches == 1 ? "" : "es")},
        {"pages",
         fmt::format("{} changed, {} made new, {} freed; {} written ({}) in {} tablespaces",
                     human_count(report.pages_applied), human_count(report.pages_initialised),
                     human_count(report.pages_freed), human_count(report.pages_written),
                     human_bytes(report.bytes_written), human_count(report.tablespaces))},
        {"restored from doublewrite",
         fmt::format("{} pages", human_count(report.doublewrite_restored))},
    };
    for (const std::string& file : report.created_files) {
        facts.emplace_back("created", file);
    }
    for (const std::string& file : report.renamed_files) {
        facts.emplace_back("renamed", file);
    }
    facts.emplace_back(
        "time",
        fmt::format("scan {}, apply {}, sync {}", human_seconds(report.scan_seconds),
                    human_seconds(report.apply_seconds), human_seconds(report.sync_seconds)));
    return facts;
}

}  // namespace redoubt::cli
