#include "backup/commit_watch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "base/thread.h"
#include "client/connection.h"

namespace redoubt::backup {
namespace {

using Clock = CommitTimes::Clock;

constexpr std::chrono::milliseconds kPause{5};
constexpr int kPausePerQuery = 20;  // times what the last look took
constexpr std::chrono::milliseconds kPauseAtLongest{1};

std::uint64_t number(const std::optional<std::string>& text) {
    std::uint64_t value = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), value);
    }
    return value;
}

Clock::duration milliseconds(const std::optional<std::string>& text) {
    double value = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), value);
    }
    return std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double, std::milli>(value));
}

Result<std::vector<CommitTimes::Seen>> sessions_at_commit(client::Connection& connection) {
    ASSIGN_OR_RETURN(const client::ResultSet result,
                     connection.query("SELECT ID, QUERY_ID, STATE = 'Commit', TIME_MS "
                                      "FROM information_schema.PROCESSLIST "
                                      "WHERE STATE IN ('Commit', 'Waiting for backup lock')"));
    std::vector<CommitTimes::Seen> seen;
    for (const client::Row& row : result.rows) {
        seen.push_back({number(row.at(0)), number(row.at(1)), number(row.at(2)) == 1,
                        milliseconds(row.at(3))});
    }
    return seen;
}

}  // namespace

void CommitTimes::look(Clock::time_point now, const std::vector<Seen>& seen) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> shown;
    for (const Seen& session : seen) {
        const std::pair key{session.session, session.statement};
        shown.insert(key);
        // A statement may have done much else before it came to its commit.
        const Clock::time_point begin =
            std::max(last_look_.value_or(now), now - session.since_statement);
        Wait& wait = waits_.try_emplace(key, Wait{begin, now, false}).first->second;
        wait.last = now;
        wait.committing = wait.committing || session.committing;
    }
    for (auto it = waits_.begin(); it != waits_.end();) {
        const Wait& wait = it->second;
        if (shown.contains(it->first)) {
            ++it;
            continue;
        }
        if (wait.committing) {
            // It ended somewhere between two looks, and its client has the answer a little later
            // still. But what is seen at one moment is more often than not past its half.
            const Clock::duration seen_for = wait.last - wait.begin;
            longest_ = std::max(longest_, seen_for + std::min(seen_for, now - wait.last));
        }
        it = waits_.erase(it);
    }
    last_look_ = now;
}

bool CommitTimes::may_be_longest(Clock::time_point later) const {
    return std::any_of(waits_.begin(), waits_.end(), [&](const auto& entry) {
        return entry.second.committing && later - entry.second.begin > longest_;
    });
}

struct CommitWatch::State {
    std::unique_ptr<client::Connection> connection;
    CommitTimes times;  // the thread's until it is joined
    base::Mutex mutex;
    base::ConditionVariable changed;
    bool stopped GUARDED_BY(mutex) = false;
    std::jthread thread;

    void run() {
        for (;;) {
            const Clock::time_point begin = Clock::now();
            const auto seen = sessions_at_commit(*connection);
            if (!seen) {
                return;  // whoever works with this server has the same error, and reports it
            }
            const Clock::time_point now = Clock::now();
            times.look(now, *seen);
            auto pause = std::max<Clock::duration>(kPause, (now - begin) * kPausePerQuery);
            if (times.may_be_longest(now + pause)) {  // seldom: its end is to be seen exactly
                pause = std::max<Clock::duration>(kPauseAtLongest, now - begin);
            }
            const base::MutexLock lock(mutex);
            if (changed.wait_for(mutex, pause,
                                 [this]() NO_THREAD_SAFETY_ANALYSIS { return stopped; })) {
                return;
            }
        }
    }
    void end() {
        {
            const base::MutexLock lock(mutex);
            stopped = true;
        }
        changed.notify_all();
        if (thread.joinable()) {
            thread.join();
        }
    }
};

CommitWatch::CommitWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
CommitWatch::~CommitWatch() { state_->end(); }

Result<std::unique_ptr<CommitWatch>> CommitWatch::start(const client::ConnectOptions& server,
                                                        const base::CancelToken* cancel) {
    auto state = std::make_unique<State>();
    ASSIGN_OR_RETURN(state->connection, client::Connection::open(server, cancel));
    State* running = state.get();
    ASSIGN_OR_RETURN(state->thread, base::start_thread([running]() { running->run(); }));
    return std::unique_ptr<CommitWatch>(new CommitWatch(std::move(state)));
}

double CommitWatch::stop() {
    state_->end();
    state_->times.look(Clock::now(), {});
    return std::chrono::duration<double, std::milli>(state_->times.longest()).count();
}

}  // namespace redoubt::backup
