/// A directory tree in memory, for tests and fuzzers. Everything written is at once "durable";
/// crashes, torn writes and failing syncs are the business of the simulated disk.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "io/file.h"

namespace redoubt::io {

/// Paths are keys: "a/b" and "/a/b" are different files. Files stay readable through an open
/// `File` after they were unlinked. Thread-safety: concurrent reads only.
class MemoryDirectory final : public Directory {
public:
    using Bytes = std::vector<std::byte>;

    /// Creates or replaces a file with `bytes`, and makes its parents.
    void put(std::string_view path, Bytes bytes);
    /// The bytes of a file now, to look at or to change; nullptr when there is none. Valid while
    /// the file exists.
    Bytes* find(std::string_view path);
    /// From now on a file that would grow beyond this finds no space.
    void limit_file_size(std::uint64_t bytes) { *file_size_max_ = bytes; }

    const std::string& path() const override { return root_; }
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Status rename(std::string_view from, std::string_view to) override;
    Status unlink(std::string_view path) override;
    Status make_directory(std::string_view path) override;
    Result<std::vector<std::string>> list(std::string_view path) override;
    Result<FileInfo> info(std::string_view path) override;
    Status sync_directory(std::string_view path) override;
    Result<std::uint64_t> free_space(std::string_view path) override;

private:
    bool is_directory(std::string_view path) const;
    /// NotFound unless the parent of `path` is a directory.
    Status require_parent(std::string_view path) const;

    std::string root_ = "memory";
    std::shared_ptr<std::uint64_t> file_size_max_ =
        std::make_shared<std::uint64_t>(~std::uint64_t{0});  ///< shared with the open `File`s
    /// Shared with the open `File`s, which may outlive an unlink.
    std::map<std::string, std::shared_ptr<Bytes>, std::less<>> files_;
    std::set<std::string, std::less<>> directories_;
};

}  // namespace redoubt::io
