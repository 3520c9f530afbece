#include "backup/redo_copier.h"

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/thread.h"
#include "redo/log_file.h"
#include "redo/log_header.h"
#include "redo/record.h"

namespace redoubt::backup {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kCreator = "Backup 10.11.19";  // known to all tools by "Backup "
constexpr std::size_t kFlushSize = std::size_t{1} << 20;  // bytes of redo written at a time
constexpr auto kPause = std::chrono::milliseconds(50);    // while nobody waits
constexpr auto kLookAtFile = std::chrono::milliseconds(500);
/// How often redo that the server says is there may be unreadable in turn, a millisecond each.
constexpr unsigned kUnreadableMax = 1000;

Error redo_lost(Lsn copied, Lsn server, std::uint64_t capacity) {
    return make_error(ErrorCode::RedoLost,
                      "the server has overwritten redo that was not copied yet: copied to {}, the "
                      "server is at {} and its log holds {} bytes",
                      copied.value, server.value, capacity)
        .with_lsn(copied)
        .with_hint(
            "give the server a larger log (SET GLOBAL innodb_log_file_size), write the backup to a "
            "faster disk, or take it at a quieter time");
}

}  // namespace

struct RedoCopier::State {
    State(io::Directory& source, RedoCopierOptions given)
        : datadir(source), options(std::move(given)) {}

    io::Directory& datadir;
    const RedoCopierOptions options;

    // Of the copying thread (start()'s caller until it runs, that of stop() when it is joined).
    std::unique_ptr<redo::LogFile> log;
    std::optional<redo::LogReader> reader;
    std::unique_ptr<TargetFile> copy;
    std::vector<std::byte> buffer;
    std::uint64_t written = 0;  ///< bytes of the copy
    Lsn begin;
    Clock::time_point looked{};  ///< for another file in the log's place
    unsigned unreadable = 0;

    mutable base::Mutex mutex;
    base::ConditionVariable changed;
    Lsn copied GUARDED_BY(mutex);
    Lsn wanted GUARDED_BY(mutex);
    Lsn server GUARDED_BY(mutex);
    Lsn checkpoint GUARDED_BY(mutex);
    std::uint64_t capacity GUARDED_BY(mutex) = 0;
    std::uint64_t headroom_min GUARDED_BY(mutex) = ~std::uint64_t{0};
    FileEvents events GUARDED_BY(mutex);
    std::optional<Error> failure GUARDED_BY(mutex);
    bool stop GUARDED_BY(mutex) = false;

    std::jthread thread;  ///< last: joined before the rest goes

    Status open_log();
    Status begin_copy(Target& target);
    Status catch_up();
    /// Copies what lies before `limit`, but no mini-transaction that begins at `until` or later.
    Status copy_up_to(Lsn limit, Lsn until = Lsn{~std::uint64_t{0}});
    Status take(const redo::Mtr& mtr);
    Status flush();
    Status check_overwritten(Lsn from);
    Status follow_replaced_log();
    std::uint64_t headroom() const REQUIRES(mutex) {
        const std::uint64_t behind = server > copied ? server.value - copied.value : 0;
        return behind < capacity ? capacity - behind : 0;
    }
    void run();
    Status check_failure() const REQUIRES(mutex) {
        return failure ? Status(*failure) : ok_status();
    }
};

Status RedoCopier::State::open_log() {
    ASSIGN_OR_RETURN(log, redo::LogFile::open(datadir, options.log_path, options.keys));
    reader.emplace(log->reader());
    const base::MutexLock lock(mutex);
    capacity = log->capacity();
    return {};
}

Status RedoCopier::State::begin_copy(Target& target) {
    ASSIGN_OR_RETURN(const redo::Checkpoint newest, log->checkpoint());
    begin = newest.lsn;
    {
        const base::MutexLock lock(mutex);
        copied = wanted = server = checkpoint = begin;
    }
    reader->seek(begin);
    ASSIGN_OR_RETURN(copy, target.create(options.copy_name, {.counted = false}));
    buffer.assign(redo::kLogStart, std::byte{0});
    const std::span<std::byte> head(buffer);
    redo::encode_header(begin, kCreator, log->header(), head.first<redo::kHeaderSize>());
    redo::encode_checkpoint(newest.lsn, newest.end_lsn,
                            head.subspan(redo::kCheckpointOffset).first<redo::kCheckpointSize>());
    return {};
}

/// Copies what the server says is durable (L4), or all there is where no server can be asked.
Status RedoCopier::State::catch_up() {
    if (!options.durable_lsn) {
        return copy_up_to(Lsn{~std::uint64_t{0}});
    }
    if (unreadable > 0 || Clock::now() - looked >= kLookAtFile) {
        looked = Clock::now();
        RETURN_IF_ERROR(follow_replaced_log());
    }
    Lsn durable;
    {
        const base::MutexLock lock(mutex);
        durable = wanted > copied ? wanted : Lsn{};
    }
    if (durable == Lsn{}) {
        ASSIGN_OR_RETURN(durable, options.durable_lsn());
    }
    {
        const base::MutexLock lock(mutex);
        server = durable = std::max(server, durable);
    }
    RETURN_IF_ERROR(copy_up_to(durable));
    const base::MutexLock lock(mutex);
    if (copied >= durable) {
        return {};
    }
    if (durable.value - copied.value >= capacity) {
        return redo_lost(copied, durable, capacity);
    }
    if (++unreadable < kUnreadableMax) {
        return {};  // the log is just being replaced by another
    }
    return make_error(ErrorCode::Corruption,
                      "the server's redo log cannot be read on, though the server has written up "
                      "to {} ({})",
                      durable.value, redo::name_of(reader->end_reason()))
        .with_file(options.log_path)
        .with_lsn(copied)
        .with_hint("see that this is the log of the server that the connection leads to");
}

Status RedoCopier::State::copy_up_to(Lsn limit, Lsn until) {
    reader->refresh(limit);
    for (;;) {
        RETURN_IF_ERROR(base::check_cancelled(options.cancel));
        if (reader->position() >= until) {
            return flush();
        }
        ASSIGN_OR_RETURN(const std::optional<redo::Mtr> mtr, reader->next());
        if (!mtr) {
            return flush();
        }
        RETURN_IF_ERROR(take(*mtr));
        if (buffer.size() >= kFlushSize) {
            RETURN_IF_ERROR(flush());
            // L2: `refresh` bounds what one look at a circular file may mean.
            reader->refresh(limit);
        }
    }
}

Status RedoCopier::State::take(const redo::Mtr& mtr) {
    const std::size_t at = buffer.size();
    buffer.insert(buffer.end(), mtr.raw.begin(), mtr.raw.end());
    buffer[at + mtr.sequence_at] = std::byte{1};  // the copy has one lap only
    // FILE_ records come before all others in a mini-transaction.
    if (mtr.records.empty() || (mtr.records.front() & std::byte{0x80}) == std::byte{0}) {
        return {};
    }
    redo::RecordReader records(mtr.records);
    for (;;) {
        auto record = records.next();
        if (!record) {
            return std::move(record.error()).with_lsn(mtr.start).with_file(options.log_path);
        }
        if (!*record || !(*record)->is_file_record()) {
            return {};
        }
        const redo::Record& file = **record;
        if (file.type == redo::RecordType::FileCheckpoint ||
            file.type == redo::RecordType::Padding) {
            continue;
        }
        const base::MutexLock lock(mutex);
        events[file.page.space].push_back({.type = file.type,
                                           .lsn = mtr.start,
                                           .name = std::string(file.name),
                                           .new_name = std::string(file.new_name)});
    }
}

Status RedoCopier::State::flush() {
    const Lsn end = reader->position();
    Lsn from;
    {
        const base::MutexLock lock(mutex);
        from = copied;
    }
    if (buffer.empty()) {
        return {};
    }
    RETURN_IF_ERROR(check_overwritten(from));
    RETURN_IF_ERROR(copy->write(written, buffer));
    written += buffer.size();
    buffer.clear();
    const base::MutexLock lock(mutex);
    server = std::max(server, end);
    headroom_min = std::min(headroom_min, headroom());  // as it was before this was written
    copied = end;
    unreadable = 0;
    changed.notify_all();
    return {};
}

// L2: a server that is a whole lap ahead of `from` has written a checkpoint that says so before it
// could make the same sequence bits again, and bits of the lap between are refused by the reader.
Status RedoCopier::State::check_overwritten(Lsn from) {
    RETURN_IF_ERROR(log->refresh_checkpoints());
    ASSIGN_OR_RETURN(const redo::Checkpoint newest, log->checkpoint());
    const base::MutexLock lock(mutex);
    checkpoint = std::max(checkpoint, newest.lsn);
    if (newest.lsn.value >= from.value + capacity) {
        return redo_lost(from, newest.lsn, capacity);
    }
    return {};
}

// SET GLOBAL innodb_log_file_size puts another file in the log's place.
Status RedoCopier::State::follow_replaced_log() {
    auto now = redo::LogFile::open(datadir, options.log_path, options.keys);
    if (!now) {
        if (now.error().code() == ErrorCode::NotFound ||
            now.error().code() == ErrorCode::Corruption) {
            return {};  // between two renames, or a header half written; asked again soon
        }
        return std::move(now.error());
    }
    if ((*now)->file_size() == log->file_size() &&
        (*now)->header().first_lsn == log->header().first_lsn) {
        return {};
    }
    // What only the old file has, with the mini-transaction in whose midst the new one may begin.
    if ((*now)->header().first_lsn > reader->position()) {
        Lsn durable{~std::uint64_t{0}};
        if (options.durable_lsn) {
            ASSIGN_OR_RETURN(durable, options.durable_lsn());
        }
        RETURN_IF_ERROR(copy_up_to(durable, (*now)->header().first_lsn));
    }
    const Lsn position = reader->position();
    if ((*now)->header().encryption != log->header().encryption ||
        (*now)->header().crypt_message != log->header().crypt_message) {
        return make_error(ErrorCode::RedoLost,
                          "the server's redo log was replaced by one encrypted otherwise")
            .with_file(options.log_path)
            .with_lsn(position)
            .with_hint("run the backup again");
    }
    if ((*now)->header().first_lsn > position) {
        return redo_lost(position, (*now)->header().first_lsn, log->capacity());
    }
    log = std::move(*now);
    reader.emplace(log->reader());
    reader->seek(position);
    const base::MutexLock lock(mutex);
    capacity = log->capacity();
    return {};
}

void RedoCopier::State::run() {
    for (;;) {
        Status status = catch_up();
        const base::MutexLock lock(mutex);
        if (!status) {
            failure = std::move(status.error());
            changed.notify_all();
            return;
        }
        if (stop) {
            return;
        }
        if (std::max(wanted, server) > copied) {
            // L3: it is in the file.
            changed.wait_for(mutex, std::chrono::milliseconds(1),
                             [this]() NO_THREAD_SAFETY_ANALYSIS { return stop; });
        } else {
            const Lsn known = wanted;
            changed.wait_for(mutex, kPause, [this, known]() NO_THREAD_SAFETY_ANALYSIS {
                return stop || wanted != known;
            });
        }
        if (stop) {
            return;
        }
    }
}

RedoCopier::RedoCopier(std::unique_ptr<State> state) : state_(std::move(state)) {}

RedoCopier::~RedoCopier() {
    const base::MutexLock lock(state_->mutex);
    state_->stop = true;
    state_->changed.notify_all();
}

Result<std::unique_ptr<RedoCopier>> RedoCopier::start(io::Directory& datadir, Target& target,
                                                      RedoCopierOptions options) {
    auto state = std::make_unique<State>(datadir, std::move(options));
    RETURN_IF_ERROR(state->open_log());
    RETURN_IF_ERROR(state->begin_copy(target));
    RETURN_IF_ERROR(state->catch_up());
    State* running = state.get();
    ASSIGN_OR_RETURN(state->thread, base::start_thread([running]() { running->run(); }));
    return std::unique_ptr<RedoCopier>(new RedoCopier(std::move(state)));
}

RedoStanding RedoCopier::standing() const {
    const base::MutexLock lock(state_->mutex);
    return {.begin = state_->begin,
            .copied = state_->copied,
            .server = state_->server,
            .headroom = state_->headroom(),
            .capacity = state_->capacity};
}

Status RedoCopier::check() const {
    const base::MutexLock lock(state_->mutex);
    return state_->check_failure();
}

FileEvents RedoCopier::file_events() const {
    const base::MutexLock lock(state_->mutex);
    return state_->events;
}

Status RedoCopier::wait_for(Lsn lsn) {
    const base::MutexLock lock(state_->mutex);
    state_->wanted = std::max(state_->wanted, lsn);
    state_->changed.notify_all();
    const State& state = *state_;
    const auto done = [&state, lsn]() NO_THREAD_SAFETY_ANALYSIS {
        return state.copied >= lsn || state.failure.has_value();
    };
    // The copier's own look at the token ends this wait too.
    state_->changed.wait(state_->mutex, done);
    return state_->check_failure();
}

Result<RedoCopier::End> RedoCopier::stop(Lsn lsn) {
    RETURN_IF_ERROR(wait_for(lsn));
    {
        const base::MutexLock lock(state_->mutex);
        state_->stop = true;
        state_->changed.notify_all();
    }
    state_->thread.join();
    RETURN_IF_ERROR(state_->log->refresh_checkpoints());
    ASSIGN_OR_RETURN(const redo::Checkpoint newest, state_->log->checkpoint());
    const base::MutexLock lock(state_->mutex);
    RETURN_IF_ERROR(state_->check_failure());
    return End{.last = state_->copied,
               .checkpoint = std::min(newest.lsn, state_->copied),
               .bytes = state_->copied.value - state_->begin.value,
               .headroom_min = std::min(state_->headroom_min, state_->headroom())};
}

Status RedoCopier::close() { return state_->copy->close(state_->written); }

}  // namespace redoubt::backup
