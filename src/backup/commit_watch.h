/// How long the server's commits take while a backup runs: not only the lock makes them wait, the
/// disk that both write to does so too. Seen from outside, in the list of sessions, where a session
/// that commits is in the state "Commit" (and "Waiting for backup lock" before it, as long as a
/// backup's last stage lasts). Not exact: a commit that takes less than the time between two looks
/// may go unseen.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "client/connect_options.h"

namespace redoubt::backup {

/// Makes durations of what was seen at single moments.
class CommitTimes {
public:
    using Clock = std::chrono::steady_clock;
    struct Seen {
        std::uint64_t session;
        std::uint64_t statement;
        bool committing;                  ///< else it waits for a lock, perhaps not of a commit
        Clock::duration since_statement;  ///< the statement's age, as the server has it
    };
    /// Looks come in order of time. A wait counts if a commit follows it at once.
    void look(Clock::time_point now, const std::vector<Seen>& seen);
    Clock::duration longest() const { return longest_; }
    /// Whether a commit of the last look will be the longest if it is still there `later`.
    bool may_be_longest(Clock::time_point later) const;

private:
    struct Wait {
        Clock::time_point begin;  ///< not before the look that did not show it yet
        Clock::time_point last;
        bool committing;
    };
    std::map<std::pair<std::uint64_t, std::uint64_t>, Wait> waits_;
    std::optional<Clock::time_point> last_look_;
    Clock::duration longest_{};
};

class CommitWatch {
public:
    /// Looks on a thread and a connection of its own, so seldom that the server spends at most a
    /// twentieth of one processor on it. Errors: as Connection::open.
    static Result<std::unique_ptr<CommitWatch>> start(const client::ConnectOptions& server,
                                                      const base::CancelToken* cancel);
    ~CommitWatch();
    /// Ends it. Milliseconds of the longest commit seen; what the server answered no more (it is
    /// gone, say) is not in it.
    double stop();

private:
    struct State;
    explicit CommitWatch(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::backup
