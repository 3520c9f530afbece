#include "io/bounded_directory.h"

#include <algorithm>
#include <atomic>
#include <list>
#include <optional>
#include <set>
#include <utility>

#include "base/mutex.h"

namespace redoubt::io {
/// Which files are open, in the order in which they were opened.
class BoundedDirectory::Pool {
public:
    Pool(Directory& inner, std::size_t open_max) : inner_(inner), open_max_(open_max) {}

    Result<std::unique_ptr<File>> open(std::shared_ptr<Pool> self, std::string_view path,
                                       OpenMode mode);
    /// The file below, opened again if need be.
    Result<std::shared_ptr<File>> reopen(BoundedFile& file);
    Status keep_open(BoundedFile& file);
    void remove(BoundedFile& file);
    Status rename(std::string_view from, std::string_view to);
    Status unlink(std::string_view path);

private:
    Status make_room() REQUIRES(mutex_);
    Status close(BoundedFile& file) REQUIRES(mutex_);
    Result<std::shared_ptr<File>> reopen_locked(BoundedFile& file) REQUIRES(mutex_);
    /// Has the files of that path open for as long as they are used.
    Status keep_open(std::string_view path) REQUIRES(mutex_);

    Directory& inner_;
    const std::size_t open_max_;
    base::Mutex mutex_;
    std::list<BoundedFile*> open_ GUARDED_BY(mutex_);
    std::set<BoundedFile*> files_ GUARDED_BY(mutex_);
};

class BoundedDirectory::BoundedFile final : public File {
public:
    BoundedFile(std::shared_ptr<Pool> pool, std::string path, OpenMode mode,
                std::shared_ptr<File> file)
        : pool_(std::move(pool)),
          shown_path_(file->path()),
          path_(std::move(path)),
          mode_(mode),
          file_(std::move(file)) {}
    BoundedFile(const BoundedFile&) = delete;
    BoundedFile& operator=(const BoundedFile&) = delete;
    ~BoundedFile() override { pool_->remove(*this); }

    const std::string& path() const override { return shown_path_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->read_at(offset, buffer);
    }
    Result<std::size_t> read_newest_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->read_newest_at(offset, buffer);
    }
    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return changed(file->write_at(offset, data));
    }
    Status sync() override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->sync();
    }
    Status truncate(std::uint64_t size) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return changed(file->truncate(size));
    }
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return changed(file->punch_hole(offset, length));
    }
    Result<FileInfo> info() override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->info();
    }
    Status lock_exclusive() override {
        RETURN_IF_ERROR(pool_->keep_open(*this));
        ASSIGN_OR_RETURN(const auto file, use());
        return file->lock_exclusive();
    }
    Result<bool> locked_by_other() override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->locked_by_other();
    }
    void will_sync(std::uint64_t offset, std::uint64_t length) override {
        if (const auto file = file_.load()) {  // else what was written is synced
            file->will_sync(offset, length);
        }
    }
    Status wait_written(std::uint64_t offset, std::uint64_t length) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->wait_written(offset, length);
    }
    void will_not_need(std::uint64_t offset, std::uint64_t length) override {
        if (const auto file = file_.load()) {
            file->will_not_need(offset, length);
        }
    }
    Result<std::unique_ptr<Mapping>> map(std::uint64_t length) override {
        ASSIGN_OR_RETURN(const auto file, use());
        return file->map(length);
    }

private:
    friend class Pool;

    /// The file below; it stays open as long as the caller holds it.
    Result<std::shared_ptr<File>> use() {
        used_.store(true, std::memory_order_relaxed);
        if (auto file = file_.load()) {
            return file;
        }
        return pool_->reopen(*this);
    }
    Status changed(Status status) {
        unsynced_ = true;
        return status;
    }

    const std::shared_ptr<Pool> pool_;
    const std::string shown_path_;
    std::string path_;  // in the directory below, as it is by now; of the pool's mutex
    const OpenMode mode_;
    bool kept_open_ = false;                   // of the pool's mutex
    std::list<BoundedFile*>::iterator place_;  // among the open ones, if it is; likewise
    std::optional<Error> failure_;             // of a sync; of the pool's mutex
    std::atomic<std::shared_ptr<File>> file_;
    std::atomic<bool> used_ = true;       // since it was last looked at for being closed
    std::atomic<bool> unsynced_ = false;  // set when a change is made, not before: one that is
                                          // under way while the file is closed is synced later
};

Result<std::unique_ptr<File>> BoundedDirectory::Pool::open(std::shared_ptr<Pool> self,
                                                           std::string_view path, OpenMode mode) {
    const base::MutexLock lock(mutex_);
    RETURN_IF_ERROR(make_room());
    ASSIGN_OR_RETURN(std::shared_ptr<File> opened, inner_.open(path, mode));
    auto file = std::make_unique<BoundedFile>(
        std::move(self), std::string(path),
        mode == OpenMode::CreateExclusive ? OpenMode::ReadWrite : mode, std::move(opened));
    file->place_ = open_.insert(open_.end(), file.get());
    files_.insert(file.get());
    return std::unique_ptr<File>(std::move(file));
}

Status BoundedDirectory::Pool::make_room() {
    // Each is passed over once if it was used since it was last looked at.
    for (std::size_t looks = 2 * open_.size(); looks > 0 && open_.size() >= open_max_; --looks) {
        BoundedFile& oldest = *open_.front();
        if (oldest.kept_open_ || oldest.used_.exchange(false)) {
            open_.splice(open_.end(), open_, open_.begin());
            continue;
        }
        RETURN_IF_ERROR(close(oldest));
    }
    return {};
}

Status BoundedDirectory::Pool::close(BoundedFile& file) {
    const std::shared_ptr<File> closing = file.file_.exchange(nullptr);
    open_.erase(file.place_);
    if (file.unsynced_.exchange(false)) {  // D1
        if (auto status = closing->sync(); !status) {
            file.failure_ = status.error();
            return status;
        }
    }
    return {};
}

Result<std::shared_ptr<File>> BoundedDirectory::Pool::reopen(BoundedFile& file) {
    const base::MutexLock lock(mutex_);
    return reopen_locked(file);
}

Result<std::shared_ptr<File>> BoundedDirectory::Pool::reopen_locked(BoundedFile& file) {
    if (file.failure_) {
        return Error(*file.failure_);
    }
    if (auto opened = file.file_.load()) {
        return opened;
    }
    RETURN_IF_ERROR(make_room());
    ASSIGN_OR_RETURN(std::shared_ptr<File> opened, inner_.open(file.path_, file.mode_));
    file.file_.store(opened);
    file.place_ = open_.insert(open_.end(), &file);
    return opened;
}

Status BoundedDirectory::Pool::keep_open(BoundedFile& file) {
    const base::MutexLock lock(mutex_);
    file.kept_open_ = true;
    ASSIGN_OR_RETURN(const auto opened, reopen_locked(file));
    return {};
}

void BoundedDirectory::Pool::remove(BoundedFile& file) {
    const base::MutexLock lock(mutex_);
    files_.erase(&file);
    if (file.file_.load()) {
        open_.erase(file.place_);
    }
}

Status BoundedDirectory::Pool::keep_open(std::string_view path) {
    for (BoundedFile* const file : files_) {
        if (file->path_ == path) {
            file->kept_open_ = true;
            ASSIGN_OR_RETURN(const auto opened, reopen_locked(*file));
        }
    }
    return {};
}

Status BoundedDirectory::Pool::rename(std::string_view from, std::string_view to) {
    const base::MutexLock lock(mutex_);
    RETURN_IF_ERROR(keep_open(to));
    RETURN_IF_ERROR(inner_.rename(from, to));
    for (BoundedFile* const file : files_) {
        if (file->path_ == from) {
            file->path_ = to;
        }
    }
    return {};
}

Status BoundedDirectory::Pool::unlink(std::string_view path) {
    const base::MutexLock lock(mutex_);
    RETURN_IF_ERROR(keep_open(path));
    return inner_.unlink(path);
}

BoundedDirectory::BoundedDirectory(Directory& inner, std::size_t open_max)
    : inner_(inner), pool_(std::make_shared<Pool>(inner, std::max<std::size_t>(open_max, 1))) {}
BoundedDirectory::~BoundedDirectory() = default;

Result<std::unique_ptr<File>> BoundedDirectory::open(std::string_view path, OpenMode mode) {
    return pool_->open(pool_, path, mode);
}
Status BoundedDirectory::rename(std::string_view from, std::string_view to) {
    return pool_->rename(from, to);
}
Status BoundedDirectory::unlink(std::string_view path) { return pool_->unlink(path); }

}  // namespace redoubt::io
