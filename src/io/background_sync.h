/// Syncs ahead of time: while much is being written, so that less is left for the sync at the end.
#pragma once

#include <functional>
#include <memory>

#include "base/error.h"

namespace redoubt::io {

/// A thread that syncs what it is asked to, one at a time. It promises nothing of what is durable:
/// who needs that syncs again, after finish(). Thread-safe.
class BackgroundSync {
public:
    BackgroundSync();
    BackgroundSync(const BackgroundSync&) = delete;
    BackgroundSync& operator=(const BackgroundSync&) = delete;
    /// Waits for the sync under way.
    ~BackgroundSync();
    /// Has `sync` called soon, unless an earlier one is still to be done or under way, or no thread
    /// is to be had. What it uses
    /// must be there until finish().
    void request(std::function<Status()> sync);
    /// Waits for the sync under way. Errors: the first one that a sync met since the beginning. It
    /// must end the work: the system reports a failed write to one sync only.
    Status finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::io
