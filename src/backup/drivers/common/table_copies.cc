#include "backup/drivers/common/table_copies.h"

#include <algorithm>
#include <utility>

#include "base/parallel.h"

namespace redoubt::backup {
namespace {

/// Open files that one table may have: with a few threads, and InnoDB's and the target's own files,
/// that keeps below the usual limit of 1024.
constexpr std::ptrdiff_t kOpenFilesMax = 32;
/// A name that no server gives, for files on their way from one name to another.
constexpr const char* kStagedSuffix = ".redoubt";

}  // namespace

Status TableCopies::begin() {
    ASSIGN_OR_RETURN(log_begin_, log_size());
    return {};
}

Status TableCopies::copy(const TableFiles& tables, Stage stage,
                         const std::set<std::string>& left_out, const IsReady& is_ready,
                         const CopyFile& copy_file) {
    std::vector<TableFiles::const_iterator> work;
    {
        const base::MutexLock lock(mutex_);
        for (auto it = tables.begin(); it != tables.end(); ++it) {
            if (!copies_.contains(it->first) && !left_out.contains(it->first)) {
                work.push_back(it);
            }
        }
    }
    return base::parallel_for(
        work.size(), context_.threads, [&](std::size_t item, unsigned) -> Status {
            RETURN_IF_ERROR(base::check_cancelled(context_.cancel));
            const auto& [table, paths] = *work[item];
            ASSIGN_OR_RETURN(auto copied, copy_table(table, paths, is_ready, copy_file));
            if (copied) {
                copied->ddl.ddl_blocked = stage >= Stage::BlockDdl;
                const base::MutexLock lock(mutex_);
                copies_.emplace(table, std::move(*copied));
            }
            return {};
        });
}

Result<std::optional<TableCopies::Copy>> TableCopies::copy_table(
    const std::string& table, const std::vector<std::string>& paths, const IsReady& is_ready,
    const CopyFile& copy_file) {
    Copy copy{.ddl = {.table = table}, .at_rest = false, .files = {}};
    OpenTable files;
    bool done = false;
    const bool in_parts = std::ssize(paths) > kOpenFilesMax;
    RETURN_IF_ERROR(context_.locks.while_locked(table, [&]() -> Status {
        ASSIGN_OR_RETURN(copy.ddl.log_offset, log_size());  // R1
        if (in_parts) {
            ASSIGN_OR_RETURN(done, copy_parts(paths, is_ready, copy_file, copy));
        } else {
            ASSIGN_OR_RETURN(done, open_all(paths, files));
        }
        return {};
    }));
    if (done && !in_parts) {
        ASSIGN_OR_RETURN(done, copy_files(files, is_ready, copy_file, copy));
    }
    if (!done) {
        RETURN_IF_ERROR(discard(copy));
        return std::optional<Copy>();
    }
    return std::optional<Copy>(std::move(copy));
}

Result<bool> TableCopies::copy_parts(const std::vector<std::string>& paths, const IsReady& is_ready,
                                     const CopyFile& copy_file, Copy& copy) {
    const auto stem = [](std::string_view path) { return path.substr(0, path.rfind('.')); };
    for (auto begin = paths.begin(); begin != paths.end();) {
        // A data file and its index have one stem and stay together.
        auto end = begin;
        do {
            ++end;
        } while (end != paths.end() &&
                 (end - begin < kOpenFilesMax || stem(*end) == stem(*(end - 1))));
        OpenTable files;
        ASSIGN_OR_RETURN(const bool there, open_all({begin, end}, files));
        if (!there) {
            return false;
        }
        ASSIGN_OR_RETURN(const bool copied, copy_files(files, is_ready, copy_file, copy));
        if (!copied) {
            return false;
        }
        begin = end;
    }
    return true;
}

Result<bool> TableCopies::open_all(const std::vector<std::string>& paths, OpenTable& files) {
    for (const std::string& path : paths) {
        auto file = context_.datadir.open(path, io::OpenMode::ReadOnly);
        if (!file && file.error().code() == ErrorCode::NotFound) {
            const base::MutexLock lock(mutex_);
            gone_.insert(io::join(io::parent_of(path), table_of(path.substr(path.find('/') + 1))));
            return false;
        }
        if (!file) {
            return std::move(file.error());
        }
        files.push_back({.path = path, .file = std::move(*file)});
    }
    return true;
}

Result<bool> TableCopies::copy_files(const OpenTable& files, const IsReady& is_ready,
                                     const CopyFile& copy_file, Copy& copy) {
    ASSIGN_OR_RETURN(const Readiness readiness, is_ready(files));
    if (readiness == Readiness::NotNow) {
        return false;
    }
    copy.at_rest = readiness == Readiness::AtRest;
    // An index before its data file ("t.MAI" after "t.MAD"): its header says from where on Aria's
    // log counts for the table. Newer than the data file, it would hide a DELETE of all rows
    // between the two.
    const auto old_size = std::ssize(copy.files);
    for (std::size_t i = files.size(); i-- > 0;) {
        File copied{.path = files[i].path};
        if (incarnation_) {
            ASSIGN_OR_RETURN(copied.incarnation, incarnation_(copied.path, *files[i].file));
        }
        ASSIGN_OR_RETURN(copied.size, copy_file(files, i));
        copy.files.push_back(std::move(copied));
    }
    std::reverse(copy.files.begin() + old_size, copy.files.end());
    return true;
}

Status TableCopies::discard(const Copy& copy) {
    for (const File& file : copy.files) {
        RETURN_IF_ERROR(context_.target.remove(file.path));
    }
    return {};
}

Status TableCopies::reconcile(const TableFiles& present) {
    ASSIGN_OR_RETURN(const std::uint64_t size, log_size());
    ASSIGN_OR_RETURN(const std::vector<DdlEvent> events, read_log(size));
    std::vector<DdlCopy> made;
    std::vector<Copy> copies;
    {
        const base::MutexLock lock(mutex_);
        for (auto& [name, copy] : std::exchange(copies_, {})) {
            made.push_back(copy.ddl);
            copies.push_back(std::move(copy));
        }
    }
    std::map<std::string, Copy> kept;
    const std::vector<std::string> names = names_after(made, events);
    std::vector<std::pair<std::string, std::string>> renames;
    for (std::size_t i = 0; i < copies.size(); ++i) {
        Copy& copy = copies[i];
        ASSIGN_OR_RETURN(const bool current, is_current(copy, names[i], present));
        if (!current) {
            RETURN_IF_ERROR(discard(copy));
            continue;
        }
        if (names[i] != copy.ddl.table) {
            // Both sorted, and alike but for the table's name (is_current).
            const std::vector<std::string>& paths = present.at(names[i]);
            for (std::size_t f = 0; f < paths.size(); ++f) {
                renames.emplace_back(copy.files[f].path, paths[f]);
                copy.files[f].path = paths[f];
            }
            copy.ddl.table = names[i];
        }
        // The log up to here is dealt with.
        copy.ddl.log_offset = std::max(copy.ddl.log_offset, size);
        copy.ddl.ddl_blocked = true;
        kept.emplace(names[i], std::move(copy));
    }
    RETURN_IF_ERROR(rename_files(renames));
    const base::MutexLock lock(mutex_);
    copies_ = std::move(kept);
    return {};
}

Result<bool> TableCopies::is_current(const Copy& copy, const std::string& name,
                                     const TableFiles& present) const {
    const auto found = present.find(name);
    if (found == present.end() || found->second.size() != copy.files.size()) {
        return false;
    }
    for (std::size_t i = 0; i < copy.files.size(); ++i) {
        const File& file = copy.files[i];
        const std::string& path = found->second[i];
        // What follows the table's name: "#P#p0.MYD".
        if (std::string_view(file.path).substr(copy.ddl.table.size()) !=
            std::string_view(path).substr(name.size())) {
            return false;
        }
        ASSIGN_OR_RETURN(const bool same, is_same(copy, file, path));
        if (!same) {
            return false;
        }
    }
    return true;
}

Result<bool> TableCopies::is_same(const Copy& copy, const File& file,
                                  const std::string& path) const {
    if (copy.at_rest) {
        const auto info = context_.datadir.info(path);
        if (!info && info.error().code() != ErrorCode::NotFound) {
            return Error(info.error());
        }
        return info && info->size == file.size;
    }
    if (!incarnation_ || copy.ddl.ddl_blocked) {
        return true;
    }
    const auto now = context_.datadir.open(path, io::OpenMode::ReadOnly);
    if (!now && now.error().code() != ErrorCode::NotFound) {
        return Error(now.error());
    }
    if (!now) {
        return false;
    }
    ASSIGN_OR_RETURN(const std::uint64_t incarnation, incarnation_(path, **now));
    return incarnation == file.incarnation;
}

/// All at once: a chain or a cycle of renames needs no order.
Status TableCopies::rename_files(const std::vector<std::pair<std::string, std::string>>& renames) {
    for (const auto& [from, to] : renames) {
        RETURN_IF_ERROR(context_.target.rename(from, to + kStagedSuffix));
    }
    for (const auto& [from, to] : renames) {
        RETURN_IF_ERROR(context_.target.rename(to + kStagedSuffix, to));
    }
    return {};
}

Result<std::uint64_t> TableCopies::log_size() const {
    const auto info = context_.datadir.info(kDdlLogFile);
    if (!info && info.error().code() == ErrorCode::NotFound) {
        return std::uint64_t{0};
    }
    if (!info) {
        return Error(info.error());
    }
    return info->size;
}

Result<std::vector<DdlEvent>> TableCopies::read_log(std::uint64_t size) const {
    if (size < log_begin_) {
        return make_error(ErrorCode::Refused, "the server has begun this file anew")
            .with_file(kDdlLogFile)
            .with_hint("another backup was started meanwhile, or the server; take another backup");
    }
    if (size == log_begin_) {
        return std::vector<DdlEvent>();
    }
    std::string text(size - log_begin_, '\0');
    ASSIGN_OR_RETURN(const auto file, context_.datadir.open(kDdlLogFile, io::OpenMode::ReadOnly));
    RETURN_IF_ERROR(file->read_exactly(log_begin_, std::as_writable_bytes(std::span(text))));
    return parse_ddl_log(text, log_begin_);
}

void TableCopies::note(std::string text) {
    const base::MutexLock lock(mutex_);
    notes_.push_back(std::move(text));
}

std::vector<std::string> TableCopies::notes() const {
    const base::MutexLock lock(mutex_);
    std::vector<std::string> notes = notes_;
    for (const std::string& table : gone_) {
        if (!copies_.contains(table)) {
            notes.push_back(table + ": dropped during the backup");
        }
    }
    return notes;
}

}  // namespace redoubt::backup
