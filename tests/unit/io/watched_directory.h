/// A directory that counts the files open, notes which are synced, and lets a sync fail.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "unit/io/passing_directory.h"

namespace redoubt::test {

/// Thread-safe. Outlives the files opened through it.
class WatchedDirectory final : public PassingDirectory {
public:
    explicit WatchedDirectory(io::Directory& base) : PassingDirectory(base) {}
    Result<std::unique_ptr<io::File>> open(std::string_view path, io::OpenMode mode) override {
        ASSIGN_OR_RETURN(auto file, PassingDirectory::open(path, mode));
        return std::unique_ptr<io::File>(
            std::make_unique<WatchedFile>(std::move(file), *this, std::string(path)));
    }

    /// The next sync of that file fails, those after it do not: so the system has it.
    void fail_next_sync(std::string path) {
        const base::MutexLock lock(mutex_);
        failing_ = std::move(path);
    }
    std::size_t open_now() const {
        const base::MutexLock lock(mutex_);
        return now_;
    }
    std::size_t open_most() const {
        const base::MutexLock lock(mutex_);
        return most_;
    }
    /// Paths, in order.
    std::vector<std::string> synced() const {
        const base::MutexLock lock(mutex_);
        return synced_;
    }

private:
    class WatchedFile final : public PassingFile {
    public:
        WatchedFile(std::unique_ptr<io::File> base, WatchedDirectory& watch, std::string name)
            : PassingFile(std::move(base)), watch_(watch), name_(std::move(name)) {
            const base::MutexLock lock(watch_.mutex_);
            watch_.most_ = std::max(watch_.most_, ++watch_.now_);
        }
        WatchedFile(const WatchedFile&) = delete;
        WatchedFile& operator=(const WatchedFile&) = delete;
        ~WatchedFile() override {
            const base::MutexLock lock(watch_.mutex_);
            --watch_.now_;
        }
        Status sync() override {
            const base::MutexLock lock(watch_.mutex_);
            if (watch_.failing_ == name_) {
                watch_.failing_.clear();
                return make_error(ErrorCode::Io, "the disk refuses").with_file(name_);
            }
            watch_.synced_.push_back(name_);
            return PassingFile::sync();
        }

    private:
        WatchedDirectory& watch_;
        std::string name_;
    };

    mutable base::Mutex mutex_;
    std::size_t now_ GUARDED_BY(mutex_) = 0;
    std::size_t most_ GUARDED_BY(mutex_) = 0;
    std::vector<std::string> synced_ GUARDED_BY(mutex_);
    std::string failing_ GUARDED_BY(mutex_);
};

}  // namespace redoubt::test
