/// Annotated mutex and condition variable: clang's -Wthread-safety understands only these.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define REDOUBT_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define REDOUBT_THREAD_ATTRIBUTE(x)
#endif
#define CAPABILITY(x) REDOUBT_THREAD_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY REDOUBT_THREAD_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) REDOUBT_THREAD_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) REDOUBT_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) REDOUBT_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) REDOUBT_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS REDOUBT_THREAD_ATTRIBUTE(no_thread_safety_analysis)

namespace redoubt::base {

class CAPABILITY("mutex") Mutex {
public:
    void lock() ACQUIRE() { mutex_.lock(); }
    void unlock() RELEASE() { mutex_.unlock(); }

private:
    std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
public:
    explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
    ~MutexLock() RELEASE() { mutex_.unlock(); }
    MutexLock(const MutexLock&) = delete;
    MutexLock& operator=(const MutexLock&) = delete;

private:
    Mutex& mutex_;
};

/// Waits take the mutex that the caller holds and give it back held.
class ConditionVariable {
public:
    template <class Predicate>
    void wait(Mutex& mutex, Predicate predicate) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
        condition_.wait(mutex, predicate);
    }
    /// False when `timeout` passed and the predicate still does not hold.
    template <class Duration, class Predicate>
    bool wait_for(Mutex& mutex, Duration timeout, Predicate predicate)
        REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
        return condition_.wait_for(mutex, timeout, predicate);
    }
    void notify_one() { condition_.notify_one(); }
    void notify_all() { condition_.notify_all(); }

private:
    std::condition_variable_any condition_;
};

}  // namespace redoubt::base
