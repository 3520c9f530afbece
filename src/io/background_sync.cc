#include "io/background_sync.h"

#include <utility>

#include "base/mutex.h"
#include "base/thread.h"

namespace redoubt::io {

struct BackgroundSync::State {
    base::Mutex mutex;
    base::ConditionVariable changed;
    std::function<Status()> wanted GUARDED_BY(mutex);
    bool busy GUARDED_BY(mutex) = false;  ///< something is wanted or under way
    bool ends GUARDED_BY(mutex) = false;
    Status status GUARDED_BY(mutex);
    std::jthread thread;  ///< last: joined before the rest goes

    void run() {
        for (;;) {
            std::function<Status()> sync;
            {
                const base::MutexLock lock(mutex);
                changed.wait(mutex, [this]() NO_THREAD_SAFETY_ANALYSIS { return wanted || ends; });
                if (!wanted) {
                    return;
                }
                sync = std::exchange(wanted, nullptr);
            }
            Status result = sync();
            const base::MutexLock lock(mutex);
            if (status && !result) {
                status = std::move(result);
            }
            busy = false;
            changed.notify_all();
        }
    }
};

BackgroundSync::BackgroundSync() : state_(std::make_unique<State>()) {
    if (auto thread = base::start_thread([state = state_.get()]() { state->run(); })) {
        state_->thread = std::move(*thread);
    }
}

BackgroundSync::~BackgroundSync() {
    const base::MutexLock lock(state_->mutex);
    state_->ends = true;
    state_->changed.notify_all();
}

void BackgroundSync::request(std::function<Status()> sync) {
    const base::MutexLock lock(state_->mutex);
    if (state_->thread.joinable() && !state_->busy && state_->status) {
        state_->wanted = std::move(sync);
        state_->busy = true;
        state_->changed.notify_all();
    }
}

Status BackgroundSync::finish() {
    State& state = *state_;
    const base::MutexLock lock(state.mutex);
    state.changed.wait(state.mutex, [&state]() NO_THREAD_SAFETY_ANALYSIS { return !state.busy; });
    return state.status;
}

}  // namespace redoubt::io
