/// A directory that passes everything on: what the harness bends is what a subclass overrides.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace redoubt::crash {

class PassingDirectory : public io::Directory {
public:
    /// `base` outlives this.
    explicit PassingDirectory(io::Directory& base) : base_(base) {}
    const std::string& path() const override { return base_.path(); }
    Result<std::unique_ptr<io::File>> open(std::string_view path, io::OpenMode mode) override {
        return base_.open(path, mode);
    }
    Status rename(std::string_view from, std::string_view to) override {
        return base_.rename(from, to);
    }
    Status unlink(std::string_view path) override { return base_.unlink(path); }
    Status make_directory(std::string_view path) override { return base_.make_directory(path); }
    Result<std::vector<std::string>> list(std::string_view path) override {
        return base_.list(path);
    }
    Result<io::FileInfo> info(std::string_view path) override { return base_.info(path); }
    Status sync_directory(std::string_view path) override { return base_.sync_directory(path); }
    Result<std::uint64_t> free_space(std::string_view path) override {
        return base_.free_space(path);
    }

private:
    io::Directory& base_;
};

/// What lies below one directory is on another file system: no rename leads into or out of it.
class TwoFileSystems final : public PassingDirectory {
public:
    TwoFileSystems(io::Directory& base, std::string other)
        : PassingDirectory(base), other_(std::move(other) + "/") {}
    Status rename(std::string_view from, std::string_view to) override {
        if (from.starts_with(other_) != to.starts_with(other_)) {
            return make_error(ErrorCode::Unsupported, "cannot rename: another file system")
                .with_file(from);
        }
        return PassingDirectory::rename(from, to);
    }

private:
    std::string other_;
};

}  // namespace redoubt::crash
