/// What verify found, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/output.h"
#include "verify/verify.h"

namespace redoubt::cli {

Json finding_json(const verify::Finding& finding);
Json findings_json(const std::vector<verify::Finding>& findings);
/// A line each. `quiet`: notes are left out.
std::string findings_text(const std::vector<verify::Finding>& findings, bool quiet);

}  // namespace redoubt::cli
