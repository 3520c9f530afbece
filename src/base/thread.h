/// Threads that may not be had: a limit of the user, of a control group, of memory.
#pragma once

#include <functional>
#include <thread>

#include "base/error.h"

namespace redoubt::base {

/// A thread that runs `run`. Errors: Failure: the system starts no more of them.
Result<std::jthread> start_thread(std::function<void()> run);

}  // namespace redoubt::base
