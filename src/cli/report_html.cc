#include "cli/report_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/html_text.h"
#include "cli/output.h"
#include "cli/report_parts.h"

namespace redoubt::cli {
namespace {

using verify::Severity;
using verify::VerifyReport;

bool asked(const ReportFacts& facts, std::string_view level) {
    return std::ranges::find(facts.levels, level) != facts.levels.end();
}

bool asked_trees(const ReportFacts& facts) { return asked(facts, "trees") || asked(facts, "rows"); }

void append_verdict(std::string& out, std::string_view kind, const std::string& sentence) {
    const std::string_view sign = kind == "good" ? "\u2713" : kind == "warn" ? "!" : "\u2717";
    fmt::format_to(std::back_inserter(out), "<p class=\"verdict {}\"><b>{}</b> {}</p>\n", kind,
                   sign, sentence);
}

/// The verdict on one operand, as a sentence.
void append_verdict(std::string& out, const Verdict::Entry& entry) {
    const std::size_t damage = entry.count(Severity::Damage);
    const std::size_t warnings = entry.count(Severity::Warning);
    if (damage != 0) {
        append_verdict(out, "bad",
                       fmt::format("This {} is damaged: {} did not pass.", entry.kind,
                                   counted(damage, "place")));
    } else if (!entry.all_checked()) {
        append_verdict(out, "warn", "No damage was found, but not everything could be checked.");
    } else if (warnings != 0) {
        append_verdict(out, "warn",
                       fmt::format("No damage was found; {}.", counted(warnings, "warning")));
    } else if (entry.report.needs_recovery) {
        append_verdict(out, "good",
                       "No damage was found. The server did not shut down cleanly; crash recovery "
                       "will set right what is unfinished.");
    } else {
        append_verdict(out, "good", "No damage was found.");
    }
}

void append_card(std::string& out, std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(out), "<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
}

void append_cards(std::string& out, const VerifyReport& report, const ReportFacts& facts) {
    std::uint64_t bytes = 0;
    std::uint64_t allocated = 0;
    for (const verify::SpaceContents& space : report.contents->spaces) {
        bytes += space.bytes;
        allocated += space.allocated;
    }
    out += "<dl class=\"cards\">\n";
    append_card(out, "Tablespace files", human_count(report.files));
    append_card(out, "Their size", human_bytes(bytes));
    append_card(out, "On disk", human_bytes(allocated));
    if (asked(facts, "pages")) {
        append_card(out, "Pages checked", human_count(report.pages - report.not_checked_pages));
        append_card(out, "Never written", human_count(report.zero_pages));
        append_card(out, "Free", human_count(report.free_pages));
    }
    if (asked_trees(facts)) {
        append_card(out, "Tables", human_count(report.tables));
        append_card(out, "Trees", human_count(report.trees));
        append_card(out, "Records", human_count(report.records));
    }
    if (report.end.value != 0) {
        append_card(out, "Checkpoint LSN", human_count(report.checkpoint.value));
        append_card(out, "End of the log", human_count(report.end.value));
    }
    append_card(out, "Time", human_seconds(report.seconds));
    out += "</dl>\n";
}

void append_item(std::string& out, const std::string& text) {
    fmt::format_to(std::back_inserter(out), "<li>{}</li>\n", html_escaped(text));
}

void append_levels(std::string& out, const ReportFacts& facts) {
    if (!asked(facts, "pages")) {
        append_item(out, "Pages, and their ages: level pages was not asked for.");
    }
    if (!asked_trees(facts)) {
        append_item(out,
                    "B-trees, records and undo logs, and how full index pages are: level trees was "
                    "not asked for.");
    }
    if (!asked(facts, "rows")) {
        append_item(out,
                    "Rows against secondary indexes: level rows was not asked for (it is not on by "
                    "default).");
    }
}

/// What a reader could take for checked, and was not.
void append_not_checked(std::string& out, const VerifyReport& report, const ReportFacts& facts) {
    out += "<section>\n<h2>Not checked</h2>\n<ul>\n";
    append_levels(out, facts);
    if (report.not_checked_pages != 0) {
        append_item(out, fmt::format("The content of {} that cannot be seen without the key; the "
                                     "checksum of what is stored was checked.",
                                     counted(report.not_checked_pages, "page")));
    }
    for (const std::string& key : report.missing_keys) {
        append_item(out, "Missing: " + key);
    }
    for (const std::string_view kind :
         {"table-not-checked", "trees-not-checked", "rows-not-compared", "marks-not-checked",
          "table-unreadable"}) {
        const auto found = static_cast<std::size_t>(
            std::ranges::count(report.findings, kind, &verify::Finding::kind));
        if (found != 0) {
            append_item(out,
                        fmt::format("What {} of kind {} name.", counted(found, "finding"), kind));
        }
    }
    append_item(out,
                "Files that are not InnoDB's (MyISAM, Aria, .frm and others): they are compared "
                "only where a backup's manifest has their hashes.");
    out += "</ul>\n</section>\n";
}

void append_entry(std::string& out, const Verdict::Entry& entry, const ReportFacts& facts) {
    std::string levels;
    for (const std::string& level : facts.levels) {
        levels += (levels.empty() ? "" : ", ") + level;
    }
    fmt::format_to(std::back_inserter(out),
                   "<h1><bdi>{}</bdi></h1>\n<p class=\"facts\">{}, verified {} by redoubt {}; "
                   "levels: {}</p>\n",
                   html_escaped(entry.path), entry.kind, html_escaped(facts.made_at),
                   html_escaped(facts.version), html_escaped(levels));
    append_verdict(out, entry);
    append_cards(out, entry.report, facts);
    append_findings(out, entry.report);
    append_ages(out, entry.report);
    append_page_kinds(out, *entry.report.contents);
    append_tables(out, *entry.report.contents, asked_trees(facts));
    append_tablespaces(out, *entry.report.contents);
    append_not_checked(out, entry.report, facts);
}

void append_error(std::string& out, const Verdict& verdict, const ReportFacts& facts) {
    fmt::format_to(std::back_inserter(out),
                   "<h1><bdi>{}</bdi></h1>\n<p class=\"facts\">{} by redoubt {}</p>\n",
                   html_escaped(verdict.error_path), html_escaped(facts.made_at),
                   html_escaped(facts.version));
    append_verdict(out, "bad",
                   fmt::format("Verification ended with an error: {}. Nothing is known of this "
                               "path, nor of those after it.",
                               html_escaped(verdict.error->message())));
    out += "<ul>\n";
    if (!verdict.error->file().empty()) {
        append_item(out, "File: " + verdict.error->file());
    }
    if (!verdict.error->hint().empty()) {
        append_item(out, "What to do: " + verdict.error->hint());
    }
    out += "</ul>\n";
}

std::string title_of(const Verdict& verdict) {
    const std::string first = verdict.error || verdict.entries.empty()
                                  ? verdict.error_path
                                  : verdict.entries.front().path;
    const std::size_t more = verdict.entries.size() + (verdict.error ? 1 : 0);
    return more > 1 ? fmt::format("{} and {} more", first, more - 1) : first;
}

}  // namespace

std::string html_report(const Verdict& verdict, const ReportFacts& facts) {
    std::string out = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
        "<meta charset=\"utf-8\"/>\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"generator\" content=\"redoubt {}\"/>\n"
        "<title>Verification of {}</title>\n<style>{}</style>\n</head>\n<body>\n",
        html_escaped(facts.version), html_escaped(title_of(verdict)), report_style());
    if (verdict.error) {
        append_error(out, verdict, facts);  // first, so that nobody takes the rest for all
    }
    for (const Verdict::Entry& entry : verdict.entries) {
        append_entry(out, entry, facts);
    }
    out +=
        "<footer>Made by 'redoubt verify --html'; 'redoubt verify --json' gives the findings to "
        "programs.</footer>\n</body>\n</html>\n";
    return out;
}

}  // namespace redoubt::cli
