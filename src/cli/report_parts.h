/// The sections of the HTML report (report_html.h). Each appends whole elements.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/report_html.h"
#include "cli/verdict.h"

namespace redoubt::cli {

/// The style sheet.
std::string_view report_style();

/// By severity, then kind, with what to do.
void append_findings(std::string& out, const verify::VerifyReport& report);
/// What a reader should do about findings of this kind: one sentence.
std::string_view next_step(std::string_view kind, verify::Severity severity);

/// How old pages are: all of them by LSN, and the largest files from begin to end.
void append_ages(std::string& out, const verify::VerifyReport& report);
/// Of 10 steps from the oldest (0) to the newest LSN.
unsigned age_step(Lsn lsn, Lsn oldest, Lsn newest);

/// Kinds of pages of all tablespaces together.
void append_page_kinds(std::string& out, const verify::Contents& contents);
void append_tables(std::string& out, const verify::Contents& contents, bool trees_walked);
void append_tablespaces(std::string& out, const verify::Contents& contents);

/// "12.5%"; "<0.1%" of what is little but something.
std::string share_text(std::uint64_t part, std::uint64_t whole);
/// A number of things: "1 page", "2,000 pages".
std::string counted(std::uint64_t count, std::string_view thing);

}  // namespace redoubt::cli
