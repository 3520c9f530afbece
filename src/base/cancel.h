/// Cancellation of long work. ^C sets the process-wide token; loops ask it once per block of work.
#pragma once

#include <atomic>

#include "base/error.h"

namespace redoubt::base {

class CancelToken {
public:
    /// Safe in a signal handler.
    void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
    /// For a shell, which goes on after ^C.
    void reset() { cancelled_.store(false, std::memory_order_relaxed); }
    bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
    /// Error: Cancelled, once `cancel()` was called.
    Status check() const {
        if (cancelled()) {
            return make_error(ErrorCode::Cancelled, "interrupted");
        }
        return {};
    }

private:
    std::atomic<bool> cancelled_{false};  // relaxed: only says "stop soon", publishes nothing
};

/// Of work that somebody may cancel; null: nobody.
inline Status check_cancelled(const CancelToken* token) {
    return token == nullptr ? ok_status() : token->check();
}

}  // namespace redoubt::base
