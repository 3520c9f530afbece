#include "backup/target.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>
#include <vector>

#include "backup/hash.h"
#include "backup/metadata.h"
#include "base/mutex.h"

namespace redoubt::backup {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes a read or write
/// Bytes that one thread writes between two looks at the disk.
constexpr std::uint64_t kWriteAhead = std::uint64_t{1} << 20;
/// Files from this size on are synced by the thread that closes them; smaller ones many at a time,
/// since after the first of them the file system's journal has most of the others' too.
constexpr std::uint64_t kSyncAlone = std::uint64_t{4} << 20;
/// Open files that wait for it; as many again may be on their way to the disk.
constexpr std::size_t kPendingMax = 200;

/// The hash of a file whose bytes come chunk by chunk, in any order of chunks.
class FileHash {
public:
    /// Bytes of one chunk from `at` (in the chunk) on. Not for one chunk from two threads.
    void add(std::uint64_t chunk, std::uint64_t at, std::span<const std::byte> bytes) {
        Chunk& state = chunk_state(chunk);
        if (at < state.next) {
            state.out_of_order = true;
        }
        if (state.out_of_order) {
            return;
        }
        state.hash.update_zeros(at - state.next);
        state.hash.update(bytes);
        state.next = at + bytes.size();
    }

    Result<std::string> finish(io::File& file, std::uint64_t size) {
        const base::MutexLock lock(mutex_);
        const std::uint64_t count =
            std::max<std::uint64_t>(1, (size + kChunkSize - 1) / kChunkSize);
        Hash of_all;
        for (std::uint64_t i = 0; i < count; ++i) {
            ASSIGN_OR_RETURN(const std::string hex,
                             finish_chunk(file, i, std::min(kChunkSize, size - i * kChunkSize)));
            if (count == 1) {
                return hex;
            }
            of_all.update(std::as_bytes(std::span(hex)));
        }
        return of_all.hex();
    }

private:
    struct Chunk {
        Hash hash;
        std::uint64_t next = 0;
        bool out_of_order = false;
    };

    Chunk& chunk_state(std::uint64_t chunk) {
        const base::MutexLock lock(mutex_);
        return chunks_[chunk];
    }

    Result<std::string> finish_chunk(io::File& file, std::uint64_t index, std::uint64_t size)
        REQUIRES(mutex_) {
        Chunk& chunk = chunks_[index];
        if (chunk.next > size || chunk.out_of_order) {  // G2
            chunk = {};
            std::vector<std::byte> buffer(std::min<std::uint64_t>(size, kBlock));
            while (chunk.next < size) {
                const auto part =
                    std::span(buffer).first(std::min<std::uint64_t>(kBlock, size - chunk.next));
                RETURN_IF_ERROR(file.read_exactly(index * kChunkSize + chunk.next, part));
                chunk.hash.update(part);
                chunk.next += part.size();
            }
        }
        chunk.hash.update_zeros(size - chunk.next);
        return chunk.hash.hex();
    }

    base::Mutex mutex_;
    std::map<std::uint64_t, Chunk> chunks_ GUARDED_BY(mutex_);
};

}  // namespace

struct Target::State {
    State(io::Directory& where, base::Progress* shown, const base::CancelToken* token)
        : directory(where), progress(shown), cancel(token) {}

    io::Directory& directory;
    base::Progress* progress;
    const base::CancelToken* cancel;
    std::atomic<std::uint64_t> bytes = 0;  // relaxed: for display

    /// Held, before `mutex`, while files that waited are synced: one batch at a time, or each
    /// thread would have one open. Whoever waits for it would wait for the disk anyway.
    base::Mutex syncing;
    mutable base::Mutex mutex;
    std::map<std::string, ManifestFile, std::less<>> files GUARDED_BY(mutex);
    std::set<std::string> directories GUARDED_BY(mutex);               ///< to be synced
    std::vector<std::unique_ptr<io::File>> pending GUARDED_BY(mutex);  ///< closed, to be synced

    void changed(const std::string& path) REQUIRES(mutex) {
        for (std::string parent = io::parent_of(path);; parent = io::parent_of(parent)) {
            directories.insert(parent);
            if (parent.empty()) {
                break;
            }
        }
    }
};

struct TargetFile::State {
    Target::State* target;
    std::string path;
    std::unique_ptr<io::File> file;
    Target::CreateOptions options = {};
    FileHash hash;
    std::atomic<std::uint64_t> size = 0;  // relaxed: only close() relies on it, when writers joined

    Status add(std::uint64_t offset, std::span<const std::byte> data) {
        for (std::size_t at = 0; at < data.size();) {
            const std::uint64_t chunk = (offset + at) / kChunkSize;
            const std::uint64_t in_chunk = (offset + at) % kChunkSize;
            const std::size_t part =
                std::min<std::uint64_t>(data.size() - at, kChunkSize - in_chunk);
            hash.add(chunk, in_chunk, data.subspan(at, part));
            at += part;
        }
        return {};
    }

    /// [begin, end) was written. The disk begins at once, and little is under way at a time: each
    /// commit of the server waits for what the disk has been given before it.
    Status hand_to_disk(std::uint64_t begin, std::uint64_t end) const {
        if (end / kWriteAhead == begin / kWriteAhead) {
            return {};
        }
        begin = begin / kWriteAhead * kWriteAhead;
        file->will_sync(begin, end - begin);
        return begin == 0 ? ok_status() : file->wait_written(begin - kWriteAhead, kWriteAhead);
    }
};

TargetFile::TargetFile(std::unique_ptr<State> state) : state_(std::move(state)) {}

TargetFile::~TargetFile() {
    if (state_ == nullptr || state_->file == nullptr) {
        return;
    }
    state_->file.reset();
    if (state_->path == kUnfinishedLog) {
        return;  // it stays, and says what the directory is
    }
    Target::State& target = *state_->target;
    const base::MutexLock lock(target.mutex);
    // Best effort: the whole directory is given up with it, and has no manifest.
    (void)target.directory.unlink_if_exists(state_->path);
}

const std::string& TargetFile::path() const { return state_->path; }
std::uint64_t TargetFile::size() const { return state_->size; }

Status TargetFile::write(std::uint64_t offset, std::span<const std::byte> data) {
    RETURN_IF_ERROR(base::check_cancelled(state_->target->cancel));
    RETURN_IF_ERROR(state_->options.sparse ? state_->file->write_sparse(offset, data)
                                           : state_->file->write_at(offset, data));
    RETURN_IF_ERROR(state_->add(offset, data));
    std::uint64_t size = state_->size.load(std::memory_order_relaxed);
    while (size < offset + data.size() &&
           !state_->size.compare_exchange_weak(size, offset + data.size())) {
    }
    state_->target->bytes.fetch_add(data.size(), std::memory_order_relaxed);
    if (state_->options.counted && state_->target->progress != nullptr) {
        state_->target->progress->advance(data.size());
    }
    return state_->hand_to_disk(offset, offset + data.size());
}

Status TargetFile::close(std::uint64_t size, ManifestFile facts) {
    RETURN_IF_ERROR(state_->file->truncate(size));
    ASSIGN_OR_RETURN(facts.hash, state_->hash.finish(*state_->file, size));
    facts.size = size;
    const bool alone = size >= kSyncAlone;
    if (alone) {
        RETURN_IF_ERROR(state_->file->sync());
        state_->file->will_not_need(0, size);
    } else {
        state_->file->will_sync(0, size);
    }
    Target::State& target = *state_->target;
    bool full = false;
    {
        const base::MutexLock lock(target.mutex);
        target.files.insert_or_assign(state_->path, std::move(facts));
        if (!alone) {
            target.pending.push_back(std::move(state_->file));
        }
        full = target.pending.size() >= kPendingMax;
    }
    state_->file.reset();
    if (!full) {
        return {};
    }
    const base::MutexLock one_batch(target.syncing);
    std::vector<std::unique_ptr<io::File>> to_sync;
    {
        const base::MutexLock lock(target.mutex);
        to_sync.swap(target.pending);
    }
    for (const auto& file : to_sync) {
        RETURN_IF_ERROR(file->sync());
    }
    return {};
}

Target::Target(io::Directory& directory, base::Progress* progress, const base::CancelToken* cancel)
    : state_(std::make_unique<State>(directory, progress, cancel)) {}
Target::~Target() = default;

io::Directory& Target::directory() { return state_->directory; }
std::uint64_t Target::bytes() const { return state_->bytes.load(std::memory_order_relaxed); }

Result<std::unique_ptr<TargetFile>> Target::create(std::string_view path, CreateOptions options) {
    const base::MutexLock lock(state_->mutex);
    const std::string parent = io::parent_of(path);
    if (!parent.empty() && !state_->directories.contains(parent)) {
        RETURN_IF_ERROR(state_->directory.make_directory(parent));
    }
    auto file = std::make_unique<TargetFile::State>();
    file->target = state_.get();
    file->path = path;
    file->options = options;
    ASSIGN_OR_RETURN(file->file, state_->directory.open(path, io::OpenMode::CreateExclusive));
    state_->changed(file->path);
    return std::unique_ptr<TargetFile>(new TargetFile(std::move(file)));
}

Status Target::write_text(std::string_view path, std::string_view text) {
    ASSIGN_OR_RETURN(const auto file, create(path));
    RETURN_IF_ERROR(file->write(0, std::as_bytes(std::span(text))));
    return file->close(text.size());
}

Result<std::uint64_t> Target::copy(io::File& source, std::string_view path) {
    ASSIGN_OR_RETURN(const io::FileInfo info, source.info());
    ASSIGN_OR_RETURN(const auto file, create(path, {.sparse = info.allocated_size < info.size}));
    std::vector<std::byte> buffer(std::clamp<std::uint64_t>(info.size, 1, kBlock));
    std::uint64_t at = 0;
    for (;;) {
        ASSIGN_OR_RETURN(const std::size_t n, source.read_at(at, buffer));
        RETURN_IF_ERROR(file->write(at, std::span(buffer).first(n)));
        at += n;
        if (n < buffer.size() || at >= info.size) {
            break;
        }
    }
    source.will_not_need(0, at);
    RETURN_IF_ERROR(file->close(at));
    return at;
}

Status Target::remove(std::string_view path) {
    const base::MutexLock lock(state_->mutex);
    if (const auto found = state_->files.find(path); found != state_->files.end()) {
        state_->files.erase(found);
    }
    state_->changed(std::string(path));
    return state_->directory.unlink_if_exists(path);
}

Status Target::rename(std::string_view from, std::string_view to) {
    const base::MutexLock lock(state_->mutex);
    const std::string parent = io::parent_of(to);
    if (!parent.empty() && !state_->directories.contains(parent)) {
        RETURN_IF_ERROR(state_->directory.make_directory(parent));
    }
    RETURN_IF_ERROR(state_->directory.rename(from, to));
    state_->changed(std::string(from));
    state_->changed(std::string(to));
    if (const auto found = state_->files.find(from); found != state_->files.end()) {
        ManifestFile facts = std::move(found->second);
        state_->files.erase(found);
        state_->files.insert_or_assign(std::string(to), std::move(facts));
    }
    return {};
}

bool Target::has(std::string_view path) const {
    const base::MutexLock lock(state_->mutex);
    return state_->files.contains(path);
}

std::map<std::string, ManifestFile> Target::files() const {
    const base::MutexLock lock(state_->mutex);
    return {state_->files.begin(), state_->files.end()};
}

Status Target::sync() {
    std::vector<std::unique_ptr<io::File>> to_sync;
    std::set<std::string> directories;
    {
        const base::MutexLock lock(state_->mutex);
        to_sync.swap(state_->pending);
        directories = state_->directories;
    }
    for (const auto& file : to_sync) {
        RETURN_IF_ERROR(file->sync());
    }
    for (const std::string& path : directories) {
        if (state_->directory.exists(path)) {  // not when a dropped database's
            RETURN_IF_ERROR(state_->directory.sync_directory(path));
        }
    }
    return {};
}

}  // namespace redoubt::backup
