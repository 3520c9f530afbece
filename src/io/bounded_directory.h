/// Many files as good as open, with few descriptors: a process may have some thousand open, or only
/// 1,024, while a redo log can name any number of tablespaces.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "io/file.h"

namespace redoubt::io {

/// Passes everything on to another directory, with at most `open_max` of its files open in the one
/// below: the one not used for longest is closed when another is needed, and opened again, by its
/// path, when it is used.
///   D1  What was written through it is synced before a file is closed: the system tells of a
///       failed write only those who have the file open. One that failed is told of by
///       every later use of that file.
///   D2  Files follow renames made through this directory; those that it deletes or replaces stay
///       open, and so does a file with a lock. They are known by the path they were opened by;
///       nobody else may rename them meanwhile.
class BoundedDirectory final : public Directory {
public:
    /// `inner` outlives this and the files opened through it.
    BoundedDirectory(Directory& inner, std::size_t open_max);
    ~BoundedDirectory() override;

    const std::string& path() const override { return inner_.path(); }
    /// Errors: as `inner`; Io when the file closed for it cannot be synced.
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Status rename(std::string_view from, std::string_view to) override;
    Status unlink(std::string_view path) override;
    Status make_directory(std::string_view path) override { return inner_.make_directory(path); }
    Result<std::vector<std::string>> list(std::string_view path) override {
        return inner_.list(path);
    }
    Result<FileInfo> info(std::string_view path) override { return inner_.info(path); }
    Status sync_directory(std::string_view path) override { return inner_.sync_directory(path); }
    Result<std::uint64_t> free_space(std::string_view path) override {
        return inner_.free_space(path);
    }

private:
    class BoundedFile;
    class Pool;

    Directory& inner_;
    std::shared_ptr<Pool> pool_;  ///< shared with the files
};

}  // namespace redoubt::io
