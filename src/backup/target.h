/// Where a backup's files go: writes, hashes and syncs them, and knows at the end what the manifest
/// must list.
///   G1  A file is listed only when it is whole, and durable once sync() returns.
///   G2  Each byte that is hashed is one that was given to write(), not one read back from the
///   disk's cache, unless a chunk was written out of order: then the chunk is read again.
/// Threading: all calls from any thread; write()s of one file to different chunks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backup/manifest.h"
#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"
#include "io/file.h"

namespace redoubt::backup {

class Target;

class TargetFile {
public:
    ~TargetFile();  ///< without close(): the file is deleted
    const std::string& path() const;
    /// Bytes that lie between two writes, or before finish()'s size, are zeros (a hole).
    Status write(std::uint64_t offset, std::span<const std::byte> data);
    /// Bytes written so far, holes included.
    std::uint64_t size() const;
    /// Gives the file its final size and lists it; it is durable after Target::sync(). `facts`:
    /// space, pages, LSN of a tablespace; size and hash are filled in.
    Status close(std::uint64_t size, ManifestFile facts = {});

private:
    friend class Target;
    struct State;
    explicit TargetFile(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

class Target {
public:
    /// `directory`: empty, and outlives this; so do `progress` and `cancel`, which may be null.
    Target(io::Directory& directory, base::Progress* progress, const base::CancelToken* cancel);
    ~Target();

    io::Directory& directory();
    struct CreateOptions {
        bool sparse = false;  ///< blocks of zeros become holes
        bool counted = true;  ///< what is written to it moves the progress on
    };
    /// Makes directories as needed. Errors: Refused when the file was made before, NoSpace, Io.
    Result<std::unique_ptr<TargetFile>> create(std::string_view path, CreateOptions options);
    Result<std::unique_ptr<TargetFile>> create(std::string_view path) { return create(path, {}); }
    /// A whole small file, closed.
    Status write_text(std::string_view path, std::string_view text);
    /// Copies `source` whole as it is now, holes kept, page cache not flooded; returns its size.
    Result<std::uint64_t> copy(io::File& source, std::string_view path);
    /// For what DDL during the backup undoes: the files must be closed. A file that is not there is
    /// no error for remove().
    Status remove(std::string_view path);
    Status rename(std::string_view from, std::string_view to);
    bool has(std::string_view path) const;
    /// Closed files, sorted.
    std::map<std::string, ManifestFile> files() const;
    std::uint64_t bytes() const;  ///< written so far
    /// Makes all closed files and every directory made or changed durable (G1: nothing is listed
    /// in a manifest before).
    Status sync();

private:
    friend class TargetFile;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::backup
