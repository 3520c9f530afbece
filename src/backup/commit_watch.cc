#include "backup/commit_watch.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "client/connection.h"

namespace redoubt::backup {
namespace {

using Clock = CommitTimes::Clock;

constexpr std::chrono::milliseconds kPause{5};
constexpr int kPausePerQuery = 10;  // times what the last look took

std::uint64_t number(const std::optional<std::string>& text) {
    std::uint64_t value = 0;
    if (text) {
        std::from_chars(text->data(), text->data() + text->size(), value);
    }
    return value;
}

Result<std::vector<CommitTimes::Seen>> sessions_at_commit(client::Connection& connection) {
    ASSIGN_OR_RETURN(const client::ResultSet result,
                     connection.query("SELECT ID, QUERY_ID, STATE = 'Commit' "
                                      "FROM information_schema.PROCESSLIST "
                                      "WHERE STATE IN ('Commit', 'Waiting for backup lock')"));
    std::vector<CommitTimes::Seen> seen;
    for (const client::Row& row : result.rows) {
        seen.push_back({number(row.at(0)), number(row.at(1)), number(row.at(2)) == 1});
    }
    return seen;
}

}  // namespace

void CommitTimes::look(Clock::time_point now, const std::vector<Seen>& seen) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> shown;
    for (const Seen& session : seen) {
        const std::pair key{session.session, session.statement};
        shown.insert(key);
        const Clock::time_point before = last_look_.value_or(now);
        Wait& wait = waits_.try_emplace(key, Wait{before, now, now, false}).first->second;
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
            // It began and ended somewhere between two looks: half of each is the best guess.
            const Clock::duration around = (wait.first - wait.before) + (now - wait.last);
            longest_ = std::max(longest_, wait.last - wait.first + around / 2);
        }
        it = waits_.erase(it);
    }
    last_look_ = now;
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
            const auto pause = std::max<Clock::duration>(kPause, (now - begin) * kPausePerQuery);
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
    state->thread = std::jthread([running]() { running->run(); });
    return std::unique_ptr<CommitWatch>(new CommitWatch(std::move(state)));
}

double CommitWatch::stop() {
    state_->end();
    state_->times.look(Clock::now(), {});
    return std::chrono::duration<double, std::milli>(state_->times.longest()).count();
}

}  // namespace redoubt::backup
