#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/thread.h"

namespace redoubt::base {

Status parallel_for(std::size_t item_count, unsigned thread_count,
                    const std::function<Status(std::size_t, unsigned)>& work) {
    thread_count = static_cast<unsigned>(
        std::min<std::size_t>(std::max(thread_count, 1U), std::max<std::size_t>(item_count, 1)));
    if (thread_count == 1) {
        for (std::size_t item = 0; item < item_count; ++item) {
            RETURN_IF_ERROR(work(item, 0));
        }
        return {};
    }
    struct Failure {
        std::size_t item;
        Error error;
    };
    Mutex mutex;
    std::optional<Failure> failure;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    const auto run = [&](unsigned thread_index) {
        while (!stop.load(std::memory_order_relaxed)) {
            const std::size_t item = next.fetch_add(1, std::memory_order_relaxed);
            if (item >= item_count) {
                return;
            }
            if (auto status = work(item, thread_index); !status) {
                stop.store(true, std::memory_order_relaxed);
                const MutexLock lock(mutex);
                if (!failure || item < failure->item) {
                    failure.emplace(Failure{item, std::move(status.error())});
                }
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        threads.reserve(thread_count - 1);
        for (unsigned i = 1; i < thread_count; ++i) {
            auto thread = start_thread([&run, i]() { run(i); });
            if (!thread) {
                break;  // those that there are do the work
            }
            threads.push_back(std::move(*thread));
        }
        run(0);
    }
    if (failure) {
        return std::move(failure->error);
    }
    return {};
}

}  // namespace redoubt::base
