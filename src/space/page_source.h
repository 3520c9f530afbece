/// Where readers take pages from: a file as it is, a directory with its redo applied in memory, a
/// backup chain, or the buffer pool. Readers don't know which.
#pragma once

#include <span>

#include "base/error.h"
#include "base/ids.h"

namespace redoubt::space {

class PageSource {
public:
    virtual ~PageSource() = default;
    /// The plain page, checked, into `plain` (the space's physical page size). An all-zero page is
    /// given as it is. Errors: Corruption, Io, Key, NotFound (no such space, or page past the end).
    /// Thread-safe.
    virtual Status read(PageId id, std::span<std::byte> plain) = 0;
    /// Pages in the space. Errors: NotFound.
    virtual Result<std::uint32_t> page_count(SpaceId space) = 0;
};

}  // namespace redoubt::space
