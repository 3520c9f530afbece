/// A table of a file alone: without InnoDB's dictionary, out of its .frm and its clustered root.
/// Format: docs/formats/frm.md#lone.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/error.h"
#include "dict/frm.h"
#include "dict/stored_table.h"
#include "space/tablespace.h"

namespace redoubt::dict {

/// Where every file-per-table tablespace has the root of its clustered index.
inline constexpr PageNo kLoneRoot{3};

struct LoneTable {
    std::string name;  ///< "db/t" or "db/t#P#p0", file-name encoded
    const space::SpaceHeader& header;
    std::span<const std::byte> root;  ///< page kLoneRoot, plain
    bool hidden_doc_id = false;       ///< FULLTEXT's column FTS_DOC_ID, which no .frm shows
};

/// With its clustered index only: which root is which other index's, only the dictionary says.
/// Errors: Corruption: not such a root, or a .frm that contradicts itself; Unsupported.
Result<std::unique_ptr<StoredTable>> build_lone_table(const Frm& frm, const LoneTable& table);
/// Whether FULLTEXT added a hidden column when the table was made with these keys.
bool has_hidden_doc_id(const Frm& frm);

}  // namespace redoubt::dict
