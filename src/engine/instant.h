/// Instantly added, dropped and moved columns: the record of a clustered index that says how its
/// rows differ from what the dictionary says. Format: docs/formats/records.md#instant.
#pragma once

#include "btree/tree.h"
#include "dict/stored_table.h"
#include "undo/transactions.h"

namespace redoubt::engine {

/// Changes `layout` (the dictionary's, of the part's clustered index) to what the tree's rows have.
/// `reader` reads that tree with that layout; afterwards it stands anywhere. With `skip_damage`
/// pages above the first leaf may be damaged; without the root, which alone tells what such changes
/// were, that leaf must show that there were none. `transactions` null: the changes as they are,
/// committed or not. True: an ALTER TABLE that had not ended had begun one. Errors: Corruption, Io,
/// Key; Unsupported: the change was not committed, and what was before is not known.
Result<bool> apply_instant_changes(btree::TreeReader& reader, const dict::StoredPart& part,
                                   const undo::Transactions* transactions, bool skip_damage,
                                   record::RecordLayout& layout);

}  // namespace redoubt::engine
