/// What a recovery did, for people and for programs; `recover` and `prepare` tell it alike.
#pragma once

#include <string>
#include <vector>

#include "cli/output.h"
#include "recovery/recover.h"

namespace redoubt::cli {

void add_recover_report(Json& document, const recovery::RecoverReport& report);
std::vector<Fact> recover_facts(const recovery::RecoverReport& report);

}  // namespace redoubt::cli
