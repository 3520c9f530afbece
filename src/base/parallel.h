/// Runs a numbered set of work items on a few threads.
#pragma once

#include <cstddef>
#include <functional>

#include "base/error.h"

namespace redoubt::base {

/// Calls `work(item, thread_index)` once for each item in 0..item_count-1, in ascending order of
/// hand-out, on at most `thread_count` threads (1 = on the caller's, in exact order; needed by the
/// simulator). After the first error no further item is handed out; that error, of the lowest
/// failed item, is returned.
Status parallel_for(std::size_t item_count, unsigned thread_count,
                    const std::function<Status(std::size_t item, unsigned thread_index)>& work);

}  // namespace redoubt::base
