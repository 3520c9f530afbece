/// Applies the EXTENDED redo records of index pages: INIT_ROW_FORMAT_*, INSERT_*, DELETE_*.
/// Format: docs/formats/redo-applying.md#index-pages.
#pragma once

#include <cstddef>
#include <span>

#include "base/error.h"
#include "base/ids.h"
#include "redo/record.h"

namespace redoubt::recovery {

/// An empty index page: infimum, supremum, two directory slots. Of the page header only the type
/// changes; level, index id and segment headers (bytes 64..93) stay.
void initialise_index(std::span<std::byte> page, bool compact);

/// `operands`: what follows the subtype byte. `page` has 1024..65536 bytes; nothing outside it is
/// touched. After an error the page may be half changed.
/// Errors: Corruption (malformed, or a contradiction); Internal for a `type` that is no INSERT_* or
/// DELETE_*.
Status apply_index_record(redo::ExtendedType type, PageNo number, std::span<std::byte> page,
                          std::span<const std::byte> operands);

}  // namespace redoubt::recovery
