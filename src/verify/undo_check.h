/// Rollback segments, undo logs and the history of committed transactions: what purge, rollback and
/// readers of older versions walk through. Format: docs/formats/undo.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/cancel.h"
#include "base/ids.h"
#include "space/page_source.h"

namespace redoubt::verify {

struct UndoProblem {
    std::string_view kind;  ///< as Finding::kind; lives for ever
    PageId page;
    std::string message;
};

/// Checks all of them. `page_size`: of the system tablespace and undo tablespaces. Damage is
/// reported; Errors: Io, Key, Cancelled.
Status check_undo(space::PageSource& source, std::uint32_t page_size,
                  const std::function<void(UndoProblem)>& report, const base::CancelToken* cancel);

}  // namespace redoubt::verify
