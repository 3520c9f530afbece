/// InnoDB's own dictionary in words: SYS_TABLES, SYS_COLUMNS, SYS_INDEXES, SYS_FIELDS, SYS_FOREIGN
/// and SYS_VIRTUAL, table by table. Format: docs/formats/dictionary.md.
#pragma once

#include <string>

#include "cli/output.h"
#include "dict/dictionary.h"

namespace redoubt::cli {

std::string dictionary_text(const dict::Dictionary& dictionary);
Json dictionary_json(const dict::Dictionary& dictionary);

}  // namespace redoubt::cli
