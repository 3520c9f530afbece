#include "cli/report_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

namespace redoubt::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBeginning = "<!DOCTYPE html";  // of every report
constexpr std::string_view kTemporary = ".tmp";            // as Directory::replace_text has it

/// Absolute, links resolved; parts at the end need not exist.
Result<fs::path> resolved(const std::string& path) {
    std::error_code problem;
    fs::path absolute = fs::absolute(path, problem);
    if (!problem) {
        absolute = fs::weakly_canonical(absolute, problem);
    }
    if (problem) {
        return make_error(ErrorCode::Io, "cannot be resolved: {}", problem.message())
            .with_file(path);
    }
    return absolute;
}

/// Whether `path` is `root` or in it.
bool lies_in(const fs::path& path, const fs::path& root) {
    const auto [end, rest] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
    // "a/" ends with an empty part.
    return end == root.end() || (std::next(end) == root.end() && end->empty());
}

/// A report may be replaced; anything else is not ours.
Status check_existing(io::Directory& directory, const std::string& path) {
    const auto info = directory.info(path);
    if (!info) {
        return info.error().code() == ErrorCode::NotFound ? ok_status()
                                                          : Status(tl::unexpected(info.error()));
    }
    std::array<char, kBeginning.size()> beginning{};
    if (info->is_regular && info->size != 0) {
        ASSIGN_OR_RETURN(const auto file, directory.open(path, io::OpenMode::ReadOnly));
        RETURN_IF_ERROR(file->read_at(0, std::as_writable_bytes(std::span(beginning))));
    }
    if (!info->is_regular ||
        (info->size != 0 && std::string_view(beginning.data(), beginning.size()) != kBeginning)) {
        return make_error(ErrorCode::Refused, "is there and is no HTML report: it is not replaced")
            .with_file(path)
            .with_hint("--html wants the name of a new file, or of an earlier report");
    }
    return {};
}

}  // namespace

Result<std::string> check_report_file(io::Directory& working_directory, const std::string& file,
                                      const std::vector<std::string>& verified) {
    ASSIGN_OR_RETURN(const fs::path target, resolved(file));
    for (const std::string& path : verified) {
        ASSIGN_OR_RETURN(const fs::path root, resolved(path));
        if (lies_in(target, root)) {
            return make_error(ErrorCode::Refused, "the report would be in what is verified")
                .with_file(file)
                .with_hint("verify changes nothing there: give --html a file elsewhere");
        }
    }
    std::string path = target.string();
    RETURN_IF_ERROR(check_existing(working_directory, path));
    const std::string temporary = path + std::string(kTemporary);
    RETURN_IF_ERROR(working_directory.unlink_if_exists(temporary));
    RETURN_IF_ERROR(working_directory.open(temporary, io::OpenMode::CreateExclusive));
    RETURN_IF_ERROR(working_directory.unlink(temporary));
    return path;
}

Status write_report(io::Directory& working_directory, const std::string& path,
                    std::string_view html) {
    Status written = working_directory.replace_text(path, html);
    if (!written) {
        // What is told is why the report was not written.
        static_cast<void>(working_directory.unlink_if_exists(path + std::string(kTemporary)));
    }
    return written;
}

}  // namespace redoubt::cli
