#include "btree/read_ahead.h"

#include <array>
#include <utility>

#include "base/mutex.h"
#include "base/thread.h"
#include "page/header.h"

namespace redoubt::btree {

struct ReadAhead::State {
    struct Slot {
        PageNo number = kNoPage;
        Status status;
        LoadedPage page;
    };
    struct Task {
        PageNo number = kNoPage;
        std::uint64_t walk = 0;
        bool forward = true;
    };

    explicit State(const PageLoader& from) : loader(from) {}

    PageLoader loader;  // the thread's
    base::Mutex mutex;
    base::ConditionVariable wanted;  ///< there is something to read, and room for enough of it
    base::ConditionVariable read;    ///< the first slot is filled
    std::array<Slot, kPages> slots GUARDED_BY(mutex);
    std::size_t first GUARDED_BY(mutex) = 0;
    std::size_t count GUARDED_BY(mutex) = 0;
    Task next GUARDED_BY(mutex);  ///< to be read or being read; kNoPage: the walk has ended
    bool ends GUARDED_BY(mutex) = false;
    std::jthread thread;  ///< last: joined before the rest goes

    /// nullopt: no more. Once all slots are full, half of them must be taken first, so that neither
    /// side is woken for each page.
    std::optional<Task> wait_for_task() {
        const base::MutexLock lock(mutex);
        const std::size_t most = count == kPages ? kPages / 2 : kPages - 1;
        wanted.wait(mutex, [this, most]() NO_THREAD_SAFETY_ANALYSIS {
            return ends || (next.number != kNoPage && count <= most);
        });
        return ends ? std::nullopt : std::optional<Task>(next);
    }

    void put(const Task& task, LoadedPage& page, Status status) {
        const base::MutexLock lock(mutex);
        if (task.walk != next.walk) {
            return;
        }
        next.number = kNoPage;
        if (status) {
            const page::HeaderView header(page.bytes);
            next.number = task.forward ? header.next() : header.previous();
        }
        Slot& slot = slots[(first + count) % kPages];
        slot.number = task.number;
        slot.status = std::move(status);
        std::swap(slot.page, page);
        if (++count == 1) {
            read.notify_one();
        }
    }

    void run() {
        LoadedPage page;
        for (auto task = wait_for_task(); task; task = wait_for_task()) {
            Status status = loader.load(task->number, page);
            put(*task, page, std::move(status));
        }
    }
};

ReadAhead::ReadAhead(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<ReadAhead> ReadAhead::start(const PageLoader& loader) {
    auto state = std::make_unique<State>(loader);
    auto thread = base::start_thread([running = state.get()]() { running->run(); });
    if (!thread) {
        return nullptr;
    }
    state->thread = std::move(*thread);
    return std::unique_ptr<ReadAhead>(new ReadAhead(std::move(state)));
}

ReadAhead::~ReadAhead() {
    const base::MutexLock lock(state_->mutex);
    state_->ends = true;
    state_->wanted.notify_one();
}

void ReadAhead::follow(PageNo first, bool forward) {
    State& state = *state_;
    const base::MutexLock lock(state.mutex);
    state.count = 0;
    state.next = {.number = first, .walk = state.next.walk + 1, .forward = forward};
    state.wanted.notify_one();
}

std::optional<Status> ReadAhead::take(PageNo number, LoadedPage& page) {
    State& state = *state_;
    const base::MutexLock lock(state.mutex);
    const PageNo comes = state.count > 0 ? state.slots[state.first].number : state.next.number;
    if (comes != number || number == kNoPage) {
        return std::nullopt;
    }
    state.read.wait(state.mutex, [&state]() NO_THREAD_SAFETY_ANALYSIS { return state.count > 0; });
    State::Slot& slot = state.slots[state.first];
    std::swap(slot.page, page);
    state.first = (state.first + 1) % kPages;
    if (--state.count == kPages / 2) {
        state.wanted.notify_one();
    }
    return std::move(slot.status);
}

}  // namespace redoubt::btree
