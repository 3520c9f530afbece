/// Leaves that no page leads to any more, found by reading the whole file.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "btree/page_loader.h"
#include "record/layout.h"
#include "space/page_source.h"

namespace redoubt::btree {

/// Adds to `leaves`, those of the tree that are known, in order, what others there are: pages that
/// are in use by page 0 and the extent descriptors, have the index's number, and hold keys that lie
/// between those of the leaves around them. Where the order of keys is not known here, all leaves
/// or none, by their links. `taken`: by page number, what has its place already or was found
/// damaged. True: `leaves` now has all, as links show. Reads all pages that are in use.
/// Errors: Cancelled.
Result<bool> add_stray_leaves(space::PageSource& source, PageLoader& loader, const Tree& tree,
                              const record::RecordLayout& layout, const std::vector<bool>& taken,
                              std::vector<PageNo>& leaves, const base::CancelToken* cancel);

}  // namespace redoubt::btree
