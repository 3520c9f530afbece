/// Files and directories behind one interface: the only way Redoubt touches storage.
/// `PosixDirectory` is the real thing, `RecordingDirectory` notes every operation, and the
/// simulated disk of the crash tests implements the same two classes. Everything a crash can tell
/// apart (written, synced, entry durable) is an operation here of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace redoubt::io {

enum class OpenMode {
    ReadOnly,
    ReadWrite,        ///< must exist
    CreateExclusive,  ///< must not exist; its directory entry is durable only after
                      ///< sync_directory()
};

struct FileInfo {
    std::uint64_t size = 0;            ///< bytes
    std::uint64_t allocated_size = 0;  ///< bytes on disk (holes not counted)
    std::uint32_t block_size = 4096;   ///< of the file system; unit of punch_hole
    bool is_directory = false;
    bool is_regular = false;
};

/// A file's bytes, as they are now, in the address space of the process; read-only.
class Mapping {
public:
    virtual ~Mapping() = default;
    virtual std::span<const std::byte> bytes() const = 0;
};

/// An open file. Thread-safe for concurrent reads and for writes to disjoint ranges. Errors carry
/// the file's path.
class File {
public:
    virtual ~File() = default;
    /// Path as it was given to the directory; for messages.
    virtual const std::string& path() const = 0;
    /// Reads up to `buffer.size()` bytes; fewer only at the end of the file. Errors: Io.
    virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) = 0;
    /// As read_at(), of a file that another process writes past the system's cache (O_DIRECT): what
    /// it has written is seen for certain, whatever the cache holds. Quickest into AlignedBytes.
    virtual Result<std::size_t> read_newest_at(std::uint64_t offset, std::span<std::byte> buffer) {
        return read_at(offset, buffer);
    }
    /// Writes all of it, extending the file if need be. Errors: Io, NoSpace.
    virtual Status write_at(std::uint64_t offset, std::span<const std::byte> data) = 0;
    /// Makes data and size durable. A failed sync must end all work on the file: do not retry.
    virtual Status sync() = 0;
    /// Sets the size; grows with zeros (a hole).
    virtual Status truncate(std::uint64_t size) = 0;
    /// Makes a range read as zeros and gives its blocks back. Where the file system cannot punch
    /// holes, returns Unsupported and the range keeps its old bytes.
    virtual Status punch_hole(std::uint64_t offset, std::uint64_t length) = 0;
    virtual Result<FileInfo> info() = 0;
    /// Takes the exclusive whole-file lock that mariadbd takes on its ibdata files (fcntl write
    /// lock). Errors: Refused when another process holds it. Held until the file is closed.
    virtual Status lock_exclusive() = 0;
    /// Whether another process holds that lock; works on files opened for reading.
    virtual Result<bool> locked_by_other() = 0;
    /// Hints that the range is written and sync() will follow: the disk may begin. Promises
    /// nothing.
    virtual void will_sync(std::uint64_t offset, std::uint64_t length) = 0;
    /// Waits until the disk has taken what will_sync() had it begin with; durable it is only after
    /// sync(). For a writer that must not have much under way. Errors: Io, NoSpace: then a later
    /// sync() may no longer say so.
    virtual Status wait_written(std::uint64_t /*offset*/, std::uint64_t /*length*/) { return {}; }
    /// Hints that nobody here will read the range again, so that a copy of much data does not push
    /// out what others keep in the page cache. Promises nothing; a cache without such a notion need
    /// do nothing.
    virtual void will_not_need(std::uint64_t /*offset*/, std::uint64_t /*length*/) {}
    /// Maps the first `length` bytes, for much data that is read more than once. Unlike read_at(),
    /// what goes wrong later (an I/O error, a file cut short by another process) ends the process
    /// (SIGBUS; `cli` says which file and where). Errors: Io; Unsupported where files cannot be
    /// mapped, which is no failure.
    virtual Result<std::unique_ptr<Mapping>> map(std::uint64_t length);

    /// Reads exactly `buffer.size()` bytes. Errors: Io; Corruption ("file ends at ...") at a short
    /// file.
    Status read_exactly(std::uint64_t offset, std::span<std::byte> buffer);
    /// The same with read_newest_at().
    Status read_newest_exactly(std::uint64_t offset, std::span<std::byte> buffer);
    /// As write_at(), leaving out blocks of zeros: in a file just made they become holes. The size
    /// is not extended by zeros at the end; set it with truncate().
    Status write_sparse(std::uint64_t offset, std::span<const std::byte> data);
};

/// A directory tree. Paths are relative to its root with '/' between parts; absolute paths
/// are taken as they are (DATA DIRECTORY tables, undo or log directories elsewhere).
class Directory {
public:
    virtual ~Directory() = default;
    /// The root, for messages.
    virtual const std::string& path() const = 0;
    /// Errors: NotFound, Io, NoSpace; Refused when CreateExclusive finds the file there.
    virtual Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) = 0;
    /// Replaces an existing target. Durable after sync_directory() of both parents. Errors:
    /// Unsupported between two file systems.
    virtual Status rename(std::string_view from, std::string_view to) = 0;
    virtual Status unlink(std::string_view path) = 0;
    /// Makes parents as needed; not an error if it exists.
    virtual Status make_directory(std::string_view path) = 0;
    /// Names in a directory ("" = the root), sorted, without "." and "..". Errors: NotFound, Io.
    virtual Result<std::vector<std::string>> list(std::string_view path) = 0;
    /// Errors: NotFound.
    virtual Result<FileInfo> info(std::string_view path) = 0;
    /// Makes the entries of a directory durable ("" = the root).
    virtual Status sync_directory(std::string_view path) = 0;
    /// Bytes free to this process on the file system of `path`.
    virtual Result<std::uint64_t> free_space(std::string_view path) = 0;

    bool exists(std::string_view path) { return info(path).has_value(); }
    /// Reads a whole small file. Errors: as open; Corruption when larger than `size_max` bytes.
    Result<std::string> read_text(std::string_view path, std::size_t size_max);
    /// Makes or replaces a small file, durably, and whole or not at all: through "PATH.tmp", which
    /// an interrupted call may leave behind. Errors: as open, rename, sync.
    Status replace_text(std::string_view path, std::string_view text);
    /// Like unlink, but a file that is not there is none to be deleted.
    Status unlink_if_exists(std::string_view path);
};

/// "a/b/c.ibd" -> "a/b"; "c.ibd" -> "".
std::string parent_of(std::string_view path);
/// Joins with one '/'; an absolute `path` or empty `base` gives `path`.
std::string join(std::string_view base, std::string_view path);

}  // namespace redoubt::io
