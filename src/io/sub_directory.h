/// A directory of a directory, seen as a root of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/file.h"

namespace redoubt::io {

/// Absolute paths are taken as they are, as by every Directory.
class SubDirectory final : public Directory {
public:
    /// `base` outlives this. `path`: relative to it, or absolute; need not exist yet.
    SubDirectory(Directory& base, std::string path)
        : base_(base), prefix_(std::move(path)), root_(join(base.path(), prefix_)) {}

    const std::string& path() const override { return root_; }
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override {
        return base_.open(inside(path), mode);
    }
    Status rename(std::string_view from, std::string_view to) override {
        return base_.rename(inside(from), inside(to));
    }
    Status unlink(std::string_view path) override { return base_.unlink(inside(path)); }
    Status make_directory(std::string_view path) override {
        return base_.make_directory(inside(path));
    }
    Result<std::vector<std::string>> list(std::string_view path) override {
        return base_.list(inside(path));
    }
    Result<FileInfo> info(std::string_view path) override { return base_.info(inside(path)); }
    Status sync_directory(std::string_view path) override {
        return base_.sync_directory(inside(path));
    }
    Result<std::uint64_t> free_space(std::string_view path) override {
        return base_.free_space(inside(path));
    }

private:
    std::string inside(std::string_view path) const { return join(prefix_, path); }

    Directory& base_;
    std::string prefix_;
    std::string root_;
};

}  // namespace redoubt::io
