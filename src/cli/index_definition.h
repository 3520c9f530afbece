/// What a page's index is: made of the dictionary's row and the .frm file, or of the latter alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/index_text.h"
#include "dict/dictionary.h"
#include "dict/frm.h"
#include "space/page_source.h"
#include "space/tablespace.h"
#include "undo/transactions.h"

namespace redoubt::cli {

struct DefinitionParts {
    const dict::SystemTableRow& row;
    const dict::Frm* frm;  ///< null: there is none
    std::uint64_t index_id;
    const space::SpaceHeader& header;
    space::PageSource& source;               ///< of the table's tablespace, for instant changes
    const undo::Transactions* transactions;  ///< null: not known
};
/// null: the table has no such index. What hinders, but not altogether, is added to `notes`.
/// Errors: Corruption: the parts contradict each other.
Result<std::shared_ptr<const IndexDefinition>> make_definition(const DefinitionParts& parts,
                                                               std::vector<std::string>& notes);

/// A row of the dictionary as it must be for a table of its own file, made of its .frm alone: of
/// its clustered index only, with the root at page 3. `compact`: as its pages are. `name`: "db/t".
/// Errors: Unsupported: of such a table the .frm does not say all.
Result<dict::SystemTableRow> row_of_frm(const dict::Frm& frm, const std::string& name,
                                        SpaceId space, std::uint64_t index_id, bool compact);

/// Of InnoDB's own first tables, which no dictionary describes: SYS_TABLES (index id 1), its ID_IND
/// (5), SYS_COLUMNS (2), SYS_INDEXES (3), SYS_FIELDS (4). null: none of these.
/// Format: docs/formats/dictionary.md.
std::shared_ptr<const IndexDefinition> system_index(std::uint64_t index_id);

}  // namespace redoubt::cli
