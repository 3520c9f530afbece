/// Page accounting of one tablespace: every page free, or owned exactly once.
/// Format: docs/formats/tablespace.md#extents-and-segments.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "page/flags.h"
#include "space/page_source.h"

namespace redoubt::space {

enum class PageUse : std::uint8_t {
    Unused /* at or above FREE_LIMIT */,
    Free,
    Descriptor,
    Bitmap,
    Inode,
    Fragment,
    Extent,
    Unknown /* its descriptor cannot be read */
};

struct ExtentProblem {
    PageNo page;          ///< where it was seen
    std::string message;  ///< one sentence
};

struct ExtentMap {
    std::uint32_t size = 0;  ///< FSP_SIZE
    std::uint32_t free_limit = 0;
    std::vector<PageUse> use;             ///< one per page of the space
    std::vector<std::uint64_t> owner;     ///< segment id per page, 0 = none; also of pages that
                                          ///< are free in an extent of the segment
    std::vector<ExtentProblem> problems;  ///< empty = every invariant holds
    bool is_free(PageNo page) const;
};
/// Walks page 0, descriptor pages, inode pages and all lists through `source`; bounded by the
/// space's size whatever the bytes say. Damage goes to `problems` (a page of the structure that
/// cannot be read is one too); Errors only: Io, Cancelled, Key.
Result<ExtentMap> build_extent_map(PageSource& source, SpaceId space,
                                   const page::TablespaceFlags& flags);

}  // namespace redoubt::space
