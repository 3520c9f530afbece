#include "io/memory_directory.h"

#include <algorithm>
#include <utility>

namespace redoubt::io {
namespace {

using Bytes = MemoryDirectory::Bytes;

constexpr std::uint32_t kBlockSize = 4096;

class MemoryFile final : public File {
public:
    MemoryFile(std::shared_ptr<Bytes> bytes, std::string path, bool writable,
               std::shared_ptr<const std::uint64_t> size_max)
        : bytes_(std::move(bytes)),
          path_(std::move(path)),
          writable_(writable),
          size_max_(std::move(size_max)) {}

    const std::string& path() const override { return path_; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        if (offset >= bytes_->size()) {
            return std::size_t{0};
        }
        const std::size_t n =
            std::min(buffer.size(), bytes_->size() - static_cast<std::size_t>(offset));
        std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(offset), n, buffer.begin());
        return n;
    }

    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        if (offset + data.size() > bytes_->size()) {
            RETURN_IF_ERROR(truncate(offset + data.size()));
        }
        RETURN_IF_ERROR(require_writable());
        std::copy(data.begin(), data.end(), bytes_->begin() + static_cast<std::ptrdiff_t>(offset));
        return {};
    }

    Status sync() override { return {}; }

    Status truncate(std::uint64_t size) override {
        RETURN_IF_ERROR(require_writable());
        if (size > *size_max_) {
            return make_error(ErrorCode::NoSpace, "cannot grow to {} bytes", size).with_file(path_);
        }
        bytes_->resize(size);
        return {};
    }

    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        RETURN_IF_ERROR(require_writable());
        const std::uint64_t begin = std::min<std::uint64_t>(offset, bytes_->size());
        const std::uint64_t count = std::min<std::uint64_t>(length, bytes_->size() - begin);
        std::fill_n(bytes_->begin() + static_cast<std::ptrdiff_t>(begin), count, std::byte{0});
        return {};
    }

    Result<FileInfo> info() override {
        return FileInfo{.size = bytes_->size(),
                        .allocated_size = bytes_->size(),
                        .block_size = kBlockSize,
                        .is_directory = false,
                        .is_regular = true};
    }

    Status lock_exclusive() override { return {}; }
    Result<bool> locked_by_other() override { return false; }
    void will_sync(std::uint64_t, std::uint64_t) override {}

private:
    Status require_writable() const {
        if (!writable_) {
            return make_error(ErrorCode::Io, "cannot write: the file is open for reading only")
                .with_file(path_);
        }
        return {};
    }

    std::shared_ptr<Bytes> bytes_;
    std::string path_;
    bool writable_;
    std::shared_ptr<const std::uint64_t> size_max_;
};

Error not_found(std::string_view operation, std::string_view path) {
    return make_error(ErrorCode::NotFound, "cannot {}: no such file or directory", operation)
        .with_file(path);
}

}  // namespace

void MemoryDirectory::put(std::string_view path, Bytes bytes) {
    for (std::string parent = parent_of(path); !parent.empty() && parent != "/";
         parent = parent_of(parent)) {
        directories_.insert(parent);
    }
    files_.insert_or_assign(std::string(path), std::make_shared<Bytes>(std::move(bytes)));
}

Bytes* MemoryDirectory::find(std::string_view path) {
    const auto it = files_.find(path);
    return it == files_.end() ? nullptr : it->second.get();
}

bool MemoryDirectory::is_directory(std::string_view path) const {
    return path.empty() || path == "/" || directories_.contains(path);
}

Status MemoryDirectory::require_parent(std::string_view path) const {
    const std::string parent = parent_of(path);
    if (!is_directory(parent)) {
        return not_found("use directory", parent);
    }
    return {};
}

Result<std::unique_ptr<File>> MemoryDirectory::open(std::string_view path, OpenMode mode) {
    auto it = files_.find(path);
    if (mode == OpenMode::CreateExclusive) {
        if (it != files_.end() || is_directory(path)) {
            return make_error(ErrorCode::Refused, "cannot create: the file exists").with_file(path);
        }
        RETURN_IF_ERROR(require_parent(path));
        it = files_.emplace(std::string(path), std::make_shared<Bytes>()).first;
    } else if (it == files_.end()) {
        return not_found("open", path);
    }
    return std::unique_ptr<File>(std::make_unique<MemoryFile>(
        it->second, it->first, mode != OpenMode::ReadOnly, file_size_max_));
}

Status MemoryDirectory::rename(std::string_view from, std::string_view to) {
    const auto it = files_.find(from);
    if (it == files_.end()) {
        return not_found("rename", from);
    }
    RETURN_IF_ERROR(require_parent(to));
    std::shared_ptr<Bytes> bytes = it->second;
    files_.erase(it);
    files_.insert_or_assign(std::string(to), std::move(bytes));
    return {};
}

Status MemoryDirectory::unlink(std::string_view path) {
    const auto it = files_.find(path);
    if (it == files_.end()) {
        return not_found("delete", path);
    }
    files_.erase(it);
    return {};
}

Status MemoryDirectory::make_directory(std::string_view path) {
    for (std::string part(path); !part.empty() && part != "/"; part = parent_of(part)) {
        if (files_.contains(part)) {
            return make_error(ErrorCode::Io, "cannot make directory: a file has its name")
                .with_file(part);
        }
        directories_.insert(part);
    }
    return {};
}

Result<std::vector<std::string>> MemoryDirectory::list(std::string_view path) {
    if (!is_directory(path)) {
        return not_found("list", path);
    }
    std::vector<std::string> names;
    const auto add = [&](const std::string& entry) {
        if (parent_of(entry) == path) {
            names.push_back(entry.substr(entry.rfind('/') + 1));
        }
    };
    for (const auto& [name, bytes] : files_) {
        add(name);
    }
    for (const std::string& name : directories_) {
        add(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<FileInfo> MemoryDirectory::info(std::string_view path) {
    if (const auto it = files_.find(path); it != files_.end()) {
        return MemoryFile(it->second, it->first, false, file_size_max_).info();
    }
    if (is_directory(path)) {
        return FileInfo{.size = 0,
                        .allocated_size = 0,
                        .block_size = kBlockSize,
                        .is_directory = true,
                        .is_regular = false};
    }
    return not_found("stat", path);
}

Status MemoryDirectory::sync_directory(std::string_view path) {
    return is_directory(path) ? ok_status() : Status(not_found("sync directory", path));
}

Result<std::uint64_t> MemoryDirectory::free_space(std::string_view path) {
    RETURN_IF_ERROR(info(path));
    return std::uint64_t{1} << 40;
}

}  // namespace redoubt::io
