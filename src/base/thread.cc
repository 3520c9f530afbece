#include "base/thread.h"

#include <system_error>
#include <utility>

namespace redoubt::base {

Result<std::jthread> start_thread(std::function<void()> run) {
    try {
        return std::jthread(std::move(run));
    } catch (const std::system_error& error) {
        return make_error(ErrorCode::Failure, "the system starts no more threads: {}",
                          error.code().message())
            .with_hint("raise the limit of processes or of memory (ulimit, TasksMax)");
    }
}

}  // namespace redoubt::base
