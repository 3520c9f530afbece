#include "io/posix_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>

#include "io/aligned_bytes.h"
#include "io/mapped_files.h"

namespace redoubt::io {
namespace {

/// An error from errno, before anything can change it.
Error system_error(std::string_view operation, const std::string& path) {
    const int number = errno;
    ErrorCode code = ErrorCode::Io;
    if (number == ENOENT || number == ENOTDIR) {
        code = ErrorCode::NotFound;
    } else if (number == ENOSPC || number == EDQUOT) {
        code = ErrorCode::NoSpace;
    } else if (number == EEXIST) {
        code = ErrorCode::Refused;
    } else if (number == EXDEV) {
        code = ErrorCode::Unsupported;
    }
    Error error =
        make_error(code, "cannot {}: {} (errno {})", operation, std::strerror(number), number);
    if (code == ErrorCode::NoSpace) {
        return std::move(error).with_file(path).with_hint(
            "free space on this file system and run the command again");
    }
    if (number == EACCES || number == EPERM) {
        return std::move(error).with_file(path).with_hint(
            "run the command as a user who may: the server's user, or root");
    }
    return std::move(error).with_file(path);
}

class FileDescriptor {
public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor& operator=(FileDescriptor&&) = delete;
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    int get() const { return fd_; }

private:
    int fd_;
};

class PosixMapping final : public Mapping {
public:
    PosixMapping(void* address, std::size_t length, std::string path)
        : address_(address),
          length_(length),
          path_(std::move(path)),
          known_({static_cast<const std::byte*>(address), length}, path_.c_str()) {}
    PosixMapping(const PosixMapping&) = delete;
    PosixMapping& operator=(const PosixMapping&) = delete;
    ~PosixMapping() override { ::munmap(address_, length_); }
    std::span<const std::byte> bytes() const override {
        return {static_cast<const std::byte*>(address_), length_};
    }

private:
    void* address_;
    std::size_t length_;
    std::string path_;
    MappedFile known_;
};

class PosixFile final : public File {
public:
    PosixFile(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

    const std::string& path() const override { return path_; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        return read(fd_.get(), offset, buffer);
    }

    Result<std::size_t> read_newest_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        std::call_once(direct_once_, [this]() {
            direct_.emplace(::open(fmt::format("/proc/self/fd/{}", fd_.get()).c_str(),
                                   O_RDONLY | O_DIRECT | O_CLOEXEC));
        });
        if (direct_->get() < 0) {
            return read_at(offset, buffer);  // a file system without: nobody writes past its cache
        }
        const std::uint64_t begin = offset / kDirectAlignment * kDirectAlignment;
        const std::uint64_t end =
            (offset + buffer.size() + kDirectAlignment - 1) / kDirectAlignment * kDirectAlignment;
        const bool aligned = begin == offset && end == offset + buffer.size() &&
                             std::bit_cast<std::uintptr_t>(buffer.data()) % kDirectAlignment == 0;
        if (aligned) {
            return read(direct_->get(), begin, buffer);
        }
        const AlignedBytes bounce(end - begin);
        ASSIGN_OR_RETURN(const std::size_t length, read(direct_->get(), begin, bounce.bytes()));
        const std::size_t skipped = std::min<std::size_t>(offset - begin, length);
        const std::size_t wanted = std::min(buffer.size(), length - skipped);
        std::memcpy(buffer.data(), bounce.bytes().data() + skipped, wanted);
        return wanted;
    }

    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        std::size_t done = 0;
        while (done < data.size()) {
            const ssize_t n = ::pwrite(fd_.get(), data.data() + done, data.size() - done,
                                       static_cast<off_t>(offset + done));
            if (n < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return system_error(
                    fmt::format("write {} bytes at {}", data.size() - done, offset + done), path_);
            }
            done += static_cast<std::size_t>(n);
        }
        return {};
    }

    Status sync() override {
        if (::fsync(fd_.get()) != 0) {
            return system_error("sync", path_);
        }
        return {};
    }

    Status truncate(std::uint64_t size) override {
        if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
            return system_error(fmt::format("set the size to {}", size), path_);
        }
        return {};
    }

    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        if (::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                        static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
            if (errno == EOPNOTSUPP || errno == ENOSYS) {
                return make_error(ErrorCode::Unsupported, "the file system cannot punch holes")
                    .with_file(path_);
            }
            return system_error("punch a hole", path_);
        }
        return {};
    }

    Result<FileInfo> info() override {
        struct stat st {};
        if (::fstat(fd_.get(), &st) != 0) {
            return system_error("stat", path_);
        }
        return info_of(st);
    }

    Status lock_exclusive() override {
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        if (::fcntl(fd_.get(), F_SETLK, &lock) == 0) {
            return {};
        }
        if (errno == EACCES || errno == EAGAIN) {
            return make_error(ErrorCode::Refused,
                              "the directory is in use: another process holds the lock")
                .with_file(path_)
                .with_hint(
                    "stop the server that runs on this directory, then run the command again");
        }
        return system_error("lock", path_);
    }

    Result<bool> locked_by_other() override {
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        if (::fcntl(fd_.get(), F_GETLK, &lock) != 0) {
            return system_error("ask for the lock", path_);
        }
        return lock.l_type != F_UNLCK;
    }

    void will_sync(std::uint64_t offset, std::uint64_t length) override {
        // A write that fails here is reported by the fsync that follows on the same descriptor.
        ::sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                          SYNC_FILE_RANGE_WRITE);
    }
    Status wait_written(std::uint64_t offset, std::uint64_t length) override {
        if (::sync_file_range(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                              SYNC_FILE_RANGE_WAIT_BEFORE) != 0 &&
            errno != ENOSYS && errno != EINVAL) {
            return system_error("write", path_);
        }
        return {};
    }
    void will_not_need(std::uint64_t offset, std::uint64_t length) override {
        ::posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                        POSIX_FADV_DONTNEED);
    }

    Result<std::unique_ptr<Mapping>> map(std::uint64_t length) override {
        void* address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd_.get(), 0);
        if (address == MAP_FAILED) {  // NOLINT(cppcoreguidelines-pro-type-cstyle-cast): its macro
            return system_error("map", path_);
        }
        return std::unique_ptr<Mapping>(std::make_unique<PosixMapping>(address, length, path_));
    }

    static FileInfo info_of(const struct stat& st) {
        return {.size = static_cast<std::uint64_t>(st.st_size),
                .allocated_size = static_cast<std::uint64_t>(st.st_blocks) * 512,
                .block_size = static_cast<std::uint32_t>(st.st_blksize),
                .is_directory = S_ISDIR(st.st_mode),
                .is_regular = S_ISREG(st.st_mode)};
    }

private:
    Result<std::size_t> read(int fd, std::uint64_t offset, std::span<std::byte> buffer) const {
        const bool direct = fd != fd_.get();
        std::size_t done = 0;
        while (done < buffer.size()) {
            const ssize_t n = ::pread(fd, buffer.data() + done, buffer.size() - done,
                                      static_cast<off_t>(offset + done));
            if (n < 0) {
                if (errno == EINTR) {
                    continue;
                }
                return system_error(
                    fmt::format("read {} bytes at {}", buffer.size() - done, offset + done), path_);
            }
            done += static_cast<std::size_t>(n);
            if (n == 0 || (direct && done % kDirectAlignment != 0)) {
                break;  // the file's end
            }
        }
        return done;
    }

    FileDescriptor fd_;
    std::string path_;
    std::once_flag direct_once_;
    std::optional<FileDescriptor> direct_;  // the file once more, past the cache; at first use
};

class PosixDirectory final : public Directory {
public:
    explicit PosixDirectory(std::string root) : root_(std::move(root)) {}

    const std::string& path() const override { return root_; }

    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override {
        int flags = O_CLOEXEC;
        switch (mode) {
            case OpenMode::ReadOnly:
                flags |= O_RDONLY;
                break;
            case OpenMode::ReadWrite:
                flags |= O_RDWR;
                break;
            case OpenMode::CreateExclusive:
                flags |= O_RDWR | O_CREAT | O_EXCL;
                break;
        }
        const std::string full = join(root_, path);
        FileDescriptor fd(::open(full.c_str(), flags, 0660));
        if (fd.get() < 0) {
            return system_error(mode == OpenMode::CreateExclusive ? "create" : "open", full);
        }
        if (mode == OpenMode::CreateExclusive) {
            RETURN_IF_ERROR(give_to_owner(full));
        }
        return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), full));
    }

    Status rename(std::string_view from, std::string_view to) override {
        if (::rename(join(root_, from).c_str(), join(root_, to).c_str()) != 0) {
            return system_error(fmt::format("rename to {}", to), join(root_, from));
        }
        return {};
    }

    Status unlink(std::string_view path) override {
        if (::unlink(join(root_, path).c_str()) != 0) {
            return system_error("delete", join(root_, path));
        }
        return {};
    }

    Status make_directory(std::string_view path) override {
        const std::string full = join(root_, path);
        if (::mkdir(full.c_str(), 0770) == 0) {
            return give_to_owner(full);
        }
        if (errno == EEXIST) {
            return {};
        }
        const std::string parent = parent_of(path);
        if (errno == ENOENT && !parent.empty() && parent != path) {
            RETURN_IF_ERROR(make_directory(parent));
            if (::mkdir(full.c_str(), 0770) == 0) {
                return give_to_owner(full);
            }
        }
        return system_error("make directory", full);
    }

    Result<std::vector<std::string>> list(std::string_view path) override {
        const std::string full = join(root_, path);
        DIR* stream = ::opendir(full.c_str());
        if (stream == nullptr) {
            return system_error("list", full);
        }
        std::vector<std::string> names;
        for (;;) {
            errno = 0;
            const dirent* entry = ::readdir(stream);
            if (entry == nullptr) {
                break;
            }
            const std::string_view name(entry->d_name);
            if (name != "." && name != "..") {
                names.emplace_back(name);
            }
        }
        const int number = errno;
        ::closedir(stream);
        if (number != 0) {
            errno = number;
            return system_error("list", full);
        }
        std::sort(names.begin(), names.end());
        return names;
    }

    Result<FileInfo> info(std::string_view path) override {
        struct stat st {};
        const std::string full = join(root_, path);
        if (::stat(full.c_str(), &st) != 0) {
            return system_error("stat", full);
        }
        return PosixFile::info_of(st);
    }

    Status sync_directory(std::string_view path) override {
        const std::string full = join(root_, path);
        const FileDescriptor fd(::open(full.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (fd.get() < 0) {
            return system_error("open directory", full);
        }
        if (::fsync(fd.get()) != 0) {
            return system_error("sync directory", full);
        }
        return {};
    }

    Result<std::uint64_t> free_space(std::string_view path) override {
        struct statvfs st {};
        const std::string full = join(root_, path);
        if (::statvfs(full.c_str(), &st) != 0) {
            return system_error("ask for free space", full);
        }
        return static_cast<std::uint64_t>(st.f_bavail) * st.f_frsize;
    }

private:
    /// What root makes belongs to the owner of the directory around it: the server, which runs as
    /// its own user, must be able to open it.
    static Status give_to_owner(const std::string& full) {
        if (::geteuid() != 0) {
            return {};
        }
        struct stat st {};
        const std::string parent = parent_of(full);
        if (::stat(parent.empty() ? "." : parent.c_str(), &st) != 0 ||
            ::chown(full.c_str(), st.st_uid, st.st_gid) != 0) {
            return system_error("set the owner", full);
        }
        return {};
    }

    std::string root_;
};

}  // namespace

std::size_t open_files_share() {
    struct rlimit limit {};
    constexpr std::size_t kUsual = 1024;
    return (::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : kUsual) / 4;
}

Result<std::unique_ptr<Directory>> open_posix_directory(const std::string& root) {
    auto directory = std::make_unique<PosixDirectory>(root);
    ASSIGN_OR_RETURN(const FileInfo info, directory->info(""));
    if (!info.is_directory) {
        return make_error(ErrorCode::NotFound, "not a directory").with_file(root);
    }
    return std::unique_ptr<Directory>(std::move(directory));
}

}  // namespace redoubt::io
