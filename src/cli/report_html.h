/// verify --html: the report as one page of HTML that needs nothing else: no scripts, no files. It
/// is well-formed XML, too. Its size is bounded: what is left out is counted.
#pragma once

#include <string>
#include <vector>

#include "cli/verdict.h"

namespace redoubt::cli {

/// What the verdict does not know.
struct ReportFacts {
    std::string made_at;              ///< "2026-11-27 02:10:11 UTC"
    std::string version;              ///< of Redoubt
    std::vector<std::string> levels;  ///< that were asked for
};

std::string html_report(const Verdict& verdict, const ReportFacts& facts);

}  // namespace redoubt::cli
