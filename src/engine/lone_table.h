/// One table's file away from its directory, a lone .ibd, read with the .frm beside it.
#pragma once

#include <memory>
#include <string>

#include "engine/catalog.h"
#include "engine/spaces.h"

namespace redoubt::engine {

struct LoneTable {
    std::unique_ptr<Spaces> spaces;
    Catalog catalog;  ///< that table, with its clustered index only
};

/// `file`: "t.ibd" or "t#P#p0.ibd" in `directory`; `database` is what its database is called.
/// Errors: NotFound (no .frm), Corruption (the .frm does not describe the file's records), Refused
/// (in use), Key, Unsupported, Io.
Result<LoneTable> open_lone_table(io::Directory& directory, const std::string& file,
                                  const std::string& database,
                                  const space::DirectoryOptions& options);

}  // namespace redoubt::engine
