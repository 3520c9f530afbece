#include "backup/target_directory.h"

namespace redoubt::backup {

Status require_empty_directory(io::Directory& directory, const std::string& path,
                               std::string_view allowed) {
    if (!directory.exists("")) {
        return {};
    }
    ASSIGN_OR_RETURN(const io::FileInfo info, directory.info(""));
    if (!info.is_directory) {
        return make_error(ErrorCode::Refused, "the target is not a directory").with_file(path);
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(""));
    for (const std::string& name : names) {
        if (name != "lost+found" && name != allowed) {
            return make_error(ErrorCode::Refused, "the target directory is not empty: it has {}",
                              name)
                .with_file(path)
                .with_hint("move what is there out of the way, or name another directory");
        }
    }
    return {};
}

Status require_free_space(io::Directory& root, const std::string& path, std::uint64_t bytes,
                          std::string_view what, std::string_view hint) {
    std::string at = path;
    while (!at.empty() && at != "/" && !root.exists(at)) {
        at = io::parent_of(at);
    }
    ASSIGN_OR_RETURN(const std::uint64_t free, root.free_space(at));
    if (free < bytes) {
        return make_error(ErrorCode::NoSpace, "{} needs {} bytes, {} are free there", what, bytes,
                          free)
            .with_file(at.empty() ? "." : at)
            .with_hint(hint);
    }
    return {};
}

Status make_target_directory(io::Directory& root, const std::string& path) {
    RETURN_IF_ERROR(root.make_directory(path));
    for (std::string at = path; !at.empty() && at != "/"; at = io::parent_of(at)) {
        RETURN_IF_ERROR(root.sync_directory(io::parent_of(at)));
    }
    return {};
}

}  // namespace redoubt::backup
