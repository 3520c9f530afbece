/// The records of one index page, in order. Format: docs/formats/index-page.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace redoubt::btree {

/// Checks that the page is one of the index (not `level`; `spatial`: of an R-tree) and follows its
/// record list. `origins` gets the place of every record, without the page's first and last.
/// Errors: Corruption: not a page of this index; a list that leaves the heap, or is longer or
/// shorter than the page says.
Status list_records(std::span<const std::byte> page, PageId id, std::uint64_t index_id,
                    bool compact, std::vector<std::uint16_t>& origins, bool spatial = false);

}  // namespace redoubt::btree
