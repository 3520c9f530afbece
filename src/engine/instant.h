/// Instantly added, dropped and moved columns: the record of a clustered index that says how its
/// rows differ from what the dictionary says. Format: docs/formats/records.md#instant.
#pragma once

#include "btree/tree.h"
#include "dict/stored_table.h"
#include "undo/transactions.h"

namespace redoubt::engine {

/// Changes `layout` (the dictionary's, of the part's clustered index) to what the tree's rows have.
/// `reader` reads that tree with that layout; afterwards it stands anywhere. Errors: Corruption,
/// Io, Key; Unsupported: the change was not committed, and what was before is not known.
Status apply_instant_changes(btree::TreeReader& reader, const dict::StoredPart& part,
                             const undo::Transactions* transactions, record::RecordLayout& layout);

/// For who goes on past damage, of a tree whose root cannot be read (`why`): ok where its first
/// leaf shows that it has no such changes. Which ones it has only the root tells. Errors: `why`,
/// and those of TreeReader.
Status check_unchanged(btree::TreeReader& reader, Error why);

}  // namespace redoubt::engine
