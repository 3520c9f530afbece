#include "io/file.h"

#include <algorithm>

namespace redoubt::io {
namespace {

constexpr std::size_t kHole = 4096;  // bytes; what file systems make holes of

bool all_zero(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

Status require_length(const File& file, std::size_t length, std::uint64_t offset,
                      std::size_t wanted) {
    if (length != wanted) {
        return make_error(ErrorCode::Corruption, "file ends at byte {}, {} bytes were wanted at {}",
                          offset + length, wanted, offset)
            .with_file(file.path());
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Mapping>> File::map(std::uint64_t) {
    return make_error(ErrorCode::Unsupported, "cannot be mapped").with_file(path());
}

Status File::read_exactly(std::uint64_t offset, std::span<std::byte> buffer) {
    ASSIGN_OR_RETURN(const std::size_t length, read_at(offset, buffer));
    return require_length(*this, length, offset, buffer.size());
}

Status File::read_newest_exactly(std::uint64_t offset, std::span<std::byte> buffer) {
    ASSIGN_OR_RETURN(const std::size_t length, read_newest_at(offset, buffer));
    return require_length(*this, length, offset, buffer.size());
}

Status File::write_sparse(std::uint64_t offset, std::span<const std::byte> data) {
    const auto is_hole = [&](std::size_t at) {
        return all_zero(data.subspan(at, std::min(kHole, data.size() - at)));
    };
    for (std::size_t at = 0; at < data.size();) {
        if (is_hole(at)) {
            at += kHole;
            continue;
        }
        std::size_t end = at;
        while (end < data.size() && !is_hole(end)) {
            end += kHole;
        }
        end = std::min(end, data.size());
        RETURN_IF_ERROR(write_at(offset + at, data.subspan(at, end - at)));
        at = end;
    }
    return {};
}

Result<std::string> Directory::read_text(std::string_view path, std::size_t size_max) {
    ASSIGN_OR_RETURN(auto file, open(path, OpenMode::ReadOnly));
    ASSIGN_OR_RETURN(const FileInfo info, file->info());
    if (info.size > size_max) {
        return make_error(ErrorCode::Corruption, "file has {} bytes, at most {} were expected",
                          info.size, size_max)
            .with_file(file->path());
    }
    std::string text(info.size, '\0');
    RETURN_IF_ERROR(file->read_exactly(0, std::as_writable_bytes(std::span(text))));
    return text;
}

Status Directory::replace_text(std::string_view path, std::string_view text) {
    const std::string temporary = std::string(path) + ".tmp";
    RETURN_IF_ERROR(unlink_if_exists(temporary));
    {
        ASSIGN_OR_RETURN(const auto file, open(temporary, OpenMode::CreateExclusive));
        RETURN_IF_ERROR(file->write_at(0, std::as_bytes(std::span(text))));
        RETURN_IF_ERROR(file->sync());
    }
    RETURN_IF_ERROR(rename(temporary, path));
    return sync_directory(parent_of(path));
}

Status Directory::unlink_if_exists(std::string_view path) {
    auto status = unlink(path);
    if (!status && status.error().code() == ErrorCode::NotFound) {
        return {};
    }
    return status;
}

std::string parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return "";
    }
    return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string join(std::string_view base, std::string_view path) {
    if (base.empty() || (!path.empty() && path.front() == '/')) {
        return std::string(path);
    }
    if (path.empty()) {
        return std::string(base);
    }
    std::string joined(base);
    if (joined.back() != '/') {
        joined += '/';
    }
    joined += path;
    return joined;
}

}  // namespace redoubt::io
