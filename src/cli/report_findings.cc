#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "cli/html_text.h"
#include "cli/output.h"
#include "cli/report_parts.h"

namespace redoubt::cli {
namespace {

using verify::Finding;
using verify::Severity;

constexpr std::size_t kListedMax = 500;   // findings of one kind
constexpr std::size_t kListedMin = 10;    // of each
constexpr std::size_t kListedAll = 3000;  // of all kinds, but for those

constexpr std::string_view kHeals = "Nothing to do: crash recovery sets this right.";
constexpr std::string_view kHarmless = "Nothing to do: nothing uses this.";
constexpr std::string_view kUnfinished =
    "Nothing to do: the server takes back at its start what was not committed; a file that it "
    "leaves behind can be removed.";
constexpr std::string_view kOnceClean =
    "Let a server start on the directory and shut down cleanly, then verify again.";
constexpr std::string_view kRestoreTable =
    "Restore the table from a backup; 'redoubt sql --skip-damaged' reads what is still whole. Then "
    "look for the cause: disk, file system, memory.";
constexpr std::string_view kRebuildIndex =
    "Compare the table with a backup; if its rows are right, drop this index and add it again.";
constexpr std::string_view kRestoreFile =
    "Bring the file back from a backup or another copy of the directory.";
constexpr std::string_view kRightPlace =
    "Put each file back under the name that the dictionary has for it; a table of another server "
    "is brought in with ALTER TABLE ... IMPORT TABLESPACE.";
constexpr std::string_view kOneTime =
    "The log is not of the same time as the files: bring back the log that belongs to them, or "
    "restore all of it from one backup.";
constexpr std::string_view kUndo =
    "Copy the directory before a server starts on it: rollback or purge may stop it. Restore from "
    "a backup, or dump the tables with 'redoubt sql'.";
constexpr std::string_view kMarked =
    "Compare the table with a backup. If no row is missing, a server lost an undo log before purge "
    "read it: harmless, and gone after OPTIMIZE TABLE.";
constexpr std::string_view kLeftByPurge =
    "Nothing to do; ALTER TABLE ... FORCE makes the index anew, without them.";
constexpr std::string_view kNewBackup =
    "Make a new backup, once the server's damaged pages are repaired.";
constexpr std::string_view kRecover =
    "A server that starts on it recovers it; 'redoubt recover' (of a backup: 'redoubt prepare') "
    "does so without a server.";

using Steps = std::map<std::string_view, std::string_view>;

const Steps& steps_of_damage() {
    static const Steps kSteps = {
        {"dictionary", "Restore the system tablespace, and so the whole directory, from a backup."},
        {"duplicate-space-id", kRightPlace},
        {"entry-without-row", kRebuildIndex},
        {"file-changed", "Take this file from another backup: its bytes are not those copied."},
        {"file-missing", kRestoreFile},
        {"file-short", kRestoreFile},
        {"file-size", kRestoreFile},
        {"file-unreadable", "Look for the cause: the disk, or permissions; then verify again."},
        {"file-unusable", kRestoreFile},
        {"foreign-file", kRightPlace},
        {"history", kUndo},
        {"more-rows", kRebuildIndex},
        {"page-in-the-future", kOneTime},
        {"redo-short", kOneTime},
        {"rollback-segment", kUndo},
        {"row-without-entry", kRebuildIndex},
        {"undo-log", kUndo},
        {"unrecoverable", "Recovery cannot succeed with this log: restore from a backup."},
        {"wrong-space-id", kRightPlace},
    };
    return kSteps;
}

const Steps& steps_of_notes() {
    static const Steps kSteps = {
        {"alter-cut-off", kUndo},          {"ddl-not-committed", kUnfinished},
        {"dropped-file", kUnfinished},     {"file-missing", kUnfinished},
        {"file-tail", kHarmless},          {"file-to-be-created", kHeals},
        {"file-to-be-extended", kHeals},   {"first-page", kHeals},
        {"free-page", kHarmless},          {"leftover-file", kUnfinished},
        {"made-with-damage", kNewBackup},  {"mark-left-by-purge", kLeftByPurge},
        {"mark-without-undo", kMarked},    {"marks-not-checked", kOnceClean},
        {"needs-recovery", kRecover},      {"recovery-note", kHeals},
        {"rename-pending", kHeals},        {"rows-not-compared", kOnceClean},
        {"table-not-checked", kOnceClean}, {"torn-page", kHeals},
    };
    return kSteps;
}

void append_name(std::string& out, std::string_view what, const std::string& name) {
    if (!name.empty()) {
        fmt::format_to(std::back_inserter(out), "<span class=\"{0}\">{0} <bdi>{1}</bdi></span> ",
                       what, html_escaped(name));
    }
}

template <class Id>
void append_number(std::string& out, std::string_view what, const std::optional<Id>& id) {
    if (id) {
        fmt::format_to(std::back_inserter(out), "<span class=\"{0}\">{0} {1}</span> ", what,
                       id->value);
    }
}

void append_finding(std::string& out, const Finding& finding) {
    fmt::format_to(std::back_inserter(out), "<tr><td class=\"where\"><bdi class=\"file\">{}</bdi> ",
                   html_escaped(finding.file));
    append_name(out, "table", finding.table);
    append_name(out, "index", finding.index);
    append_number(out, "space", finding.space);
    append_number(out, "page", finding.page);
    append_number(out, "lsn", finding.lsn);
    fmt::format_to(std::back_inserter(out), "</td><td class=\"message\">{}</td></tr>\n",
                   html_escaped(finding.message));
}

/// `room`: how many may still be listed.
void append_kind(std::string& out, const std::vector<const Finding*>& findings, std::size_t& room) {
    const Finding& first = *findings.front();
    fmt::format_to(std::back_inserter(out),
                   "<details open=\"open\"><summary><span class=\"tag {}\">{}</span> <b>{}</b> "
                   "<span class=\"soft\">{}</span></summary>\n<p class=\"step\">{}</p>\n"
                   "<table "
                   "class=\"findings\"><colgroup><col/><col/></colgroup><thead><tr><th>Where</"
                   "th><th>What was found</th>"
                   "</tr></thead><tbody>\n",
                   verify::name_of(first.severity), verify::name_of(first.severity),
                   html_escaped(first.kind), counted(findings.size(), "finding"),
                   html_escaped(next_step(first.kind, first.severity)));
    const std::size_t listed = std::min({findings.size(), kListedMax, std::max(kListedMin, room)});
    room -= std::min(room, listed);
    for (std::size_t i = 0; i < listed; ++i) {
        append_finding(out, *findings[i]);
    }
    out += "</tbody></table>\n";
    if (findings.size() > listed) {
        fmt::format_to(std::back_inserter(out),
                       "<p class=\"soft\">{} more of this kind are not listed here; "
                       "'redoubt verify --json' lists all.</p>\n",
                       human_count(findings.size() - listed));
    }
    out += "</details>\n";
}

}  // namespace

std::string_view next_step(std::string_view kind, Severity severity) {
    const bool damage = severity == Severity::Damage;
    const Steps& steps = damage ? steps_of_damage() : steps_of_notes();
    const auto step = steps.find(kind);
    if (step != steps.end()) {
        return step->second;
    }
    return damage                       ? kRestoreTable
           : severity == Severity::Note ? "For your information."
                                        : "Give the key (--key-file) and verify again.";
}

void append_findings(std::string& out, const verify::VerifyReport& report) {
    out += "<section>\n<h2>Findings</h2>\n";
    if (report.findings.empty()) {
        out += "<p>None.</p>\n";
    }
    std::size_t room = kListedAll;
    for (const Severity severity : {Severity::Damage, Severity::Warning, Severity::Note}) {
        std::map<std::string_view, std::vector<const Finding*>> kinds;
        for (const Finding& finding : report.findings) {
            if (finding.severity == severity) {
                kinds[finding.kind].push_back(&finding);
            }
        }
        for (const auto& [kind, findings] : kinds) {
            append_kind(out, findings, room);
        }
    }
    out += "</section>\n";
}

}  // namespace redoubt::cli
