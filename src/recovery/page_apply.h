/// Applies redo records to one page in memory: pure functions over bytes.
/// Format: docs/formats/redo-applying.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "base/ids.h"
#include "redo/record.h"

namespace redoubt::recovery {

/// The records of one mini-transaction for one page, in order. `page` has the physical page size;
/// nothing outside it is touched whatever the record says (C2). The caller compares LSNs before and
/// stamps the page LSN after.
class PageApplier {
public:
    /// `page`: 1024..65536 bytes. `row_compressed`: a ROW_FORMAT=COMPRESSED page, on which EXTENDED
    /// records are malformed.
    PageApplier(PageId id, std::span<std::byte> page, bool row_compressed);
    /// Errors: Corruption, naming record and page: either a malformed record or a page that
    /// contradicts it. FREE_PAGE changes nothing. FILE_ records and TRIM_PAGES are not for this
    /// call: Internal.
    Status apply(const redo::Record& record);

private:
    Status dispatch(const redo::Record& record);
    Status apply_whole_page(const redo::Record& record);
    Status apply_range(const redo::Record& record);
    Status apply_extended(std::span<const std::byte> body);

    PageId id_;
    std::span<std::byte> page_;
    bool row_compressed_;
    std::uint32_t last_ = 0;  ///< running byte offset of WRITE, MEMSET, MEMMOVE; 1 = none allowed
};

}  // namespace redoubt::recovery
