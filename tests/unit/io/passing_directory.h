/// A directory and a file that pass everything on: what a test bends is what a subclass overrides.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file.h"

namespace redoubt::test {

class PassingFile : public io::File {
public:
    explicit PassingFile(std::unique_ptr<io::File> base) : base_(std::move(base)) {}
    const std::string& path() const override { return base_->path(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        return base_->read_at(offset, buffer);
    }
    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        return base_->write_at(offset, data);
    }
    Status sync() override { return base_->sync(); }
    Status truncate(std::uint64_t size) override { return base_->truncate(size); }
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        return base_->punch_hole(offset, length);
    }
    Result<io::FileInfo> info() override { return base_->info(); }
    Status lock_exclusive() override { return base_->lock_exclusive(); }
    Result<bool> locked_by_other() override { return base_->locked_by_other(); }
    void will_sync(std::uint64_t offset, std::uint64_t length) override {
        base_->will_sync(offset, length);
    }

private:
    std::unique_ptr<io::File> base_;
};

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

}  // namespace redoubt::test
