// The directory is copied as it is, all of it, and the copy verified as a data directory: what its
// redo and doublewrite buffer heal is no damage, and only they can tell.
#include "backup/cold_backup.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "backup/backup_parts.h"
#include "backup/metadata.h"
#include "backup/target.h"
#include "backup/target_directory.h"
#include "base/parallel.h"
#include "io/sub_directory.h"

namespace redoubt::backup {
namespace {

struct Item {
    std::string from;
    std::string to;
    std::uint64_t size = 0;
};

std::string file_name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

/// Of a server that ran, or what it makes anew at each start.
bool left_out(std::string_view name) {
    return name.starts_with("ibtmp") || name.ends_with(".pid") || name.ends_with(".sock") ||
           name == "lost+found" || name == "ib_logfile101" || name.starts_with("core.") ||
           name == "core";
}

class ColdBackup {
public:
    ColdBackup(io::Directory& root, const std::string& target, const BackupOptions& options,
               BackupReport& report)
        : options_(options),
          source_(root, options.datadir_copy),
          root_(root),
          target_path_(target),
          directory_(root, target),
          target_(directory_, options.progress, options.cancel),
          report_(report) {}

    Status run() {
        RETURN_IF_ERROR(require_data_directory());
        RETURN_IF_ERROR(require_empty_directory(directory_, target_path_));
        ASSIGN_OR_RETURN(layout_,
                         space::find_layout(source_, options_.layout, options_.layout_given));
        ASSIGN_OR_RETURN(const auto locked, lock());
        RETURN_IF_ERROR(list());
        RETURN_IF_ERROR(require_space());
        report_.manifest.uuid = make_uuid();
        report_.manifest.begin_time = utc_time();
        description_.start_time = local_time();
        RETURN_IF_ERROR(make_target_directory(root_, target_path_));
        RETURN_IF_ERROR(copy());
        return finish();
    }

private:
    Status require_data_directory() {
        if (!source_.exists("")) {
            return make_error(ErrorCode::NotFound, "there is no such data directory")
                .with_file(options_.datadir_copy);
        }
        if (is_backup(source_)) {
            return make_error(ErrorCode::Refused, "this is a backup, not a data directory")
                .with_file(options_.datadir_copy)
                .with_hint("copy a backup as it is, with cp -a or rsync");
        }
        return {};
    }

    /// Keeps servers from starting on it while it is copied, where the file system lets us.
    Result<std::vector<std::unique_ptr<io::File>>> lock() {
        std::vector<std::unique_ptr<io::File>> files;
        for (const space::SystemFile& file : layout_.system_files) {
            auto opened = source_.open(file.path, io::OpenMode::ReadWrite);
            if (opened) {
                RETURN_IF_ERROR((*opened)->lock_exclusive());
                files.push_back(std::move(*opened));
                continue;
            }
            if (opened.error().code() == ErrorCode::NotFound) {
                return std::move(opened.error());
            }
            ASSIGN_OR_RETURN(const auto readable, source_.open(file.path, io::OpenMode::ReadOnly));
            ASSIGN_OR_RETURN(const bool in_use, readable->locked_by_other());
            if (in_use) {
                return make_error(ErrorCode::Refused,
                                  "the directory is in use: a server runs on it")
                    .with_file(file.path)
                    .with_hint("leave out --datadir-copy and connect to the server, or stop it");
            }
        }
        return files;
    }

    Status list() {
        std::map<std::string, std::string> placed;  // path -> name in the backup
        for (const space::SystemFile& file : layout_.system_files) {
            placed[file.path] = file_name_of(file.path);
        }
        for (const std::string& path : layout_.undo_files) {
            placed[path] = file_name_of(path);
        }
        for (const space::TableFile& table : layout_.tables) {
            if (table.linked) {
                placed[table.path] = table.name + ".ibd";
            }
        }
        placed[layout_.log_path] = kUnfinishedLog;
        for (const auto& [path, name] : placed) {
            auto info = source_.info(path);
            if (!info) {
                if (info.error().code() == ErrorCode::NotFound && path != layout_.log_path) {
                    report_.notes.push_back(path + " is missing");
                    continue;
                }
                return std::move(info.error());
            }
            items_.push_back({path, name, info->size});
            named_.insert(name);
        }
        RETURN_IF_ERROR(list_directory("", 0, placed));
        if (const std::string& aria = options_.layout.aria_log_directory;
            options_.layout_given && !aria.empty()) {
            RETURN_IF_ERROR(list_aria_logs(aria));
        }
        // The biggest first: the threads end together.
        std::sort(items_.begin(), items_.end(),
                  [](const Item& a, const Item& b) { return a.size > b.size; });
        return {};
    }

    Status list_directory(const std::string& path, unsigned depth,
                          const std::map<std::string, std::string>& placed) {
        constexpr unsigned kDepthMax = 16;
        if (depth > kDepthMax) {
            return make_error(ErrorCode::Unsupported, "directories are nested too deeply")
                .with_file(path);
        }
        ASSIGN_OR_RETURN(const std::vector<std::string> names, source_.list(path));
        for (const std::string& name : names) {
            const std::string from = io::join(path, name);
            if (left_out(name) || placed.contains(from)) {
                continue;
            }
            ASSIGN_OR_RETURN(const io::FileInfo info, source_.info(from));
            if (info.is_directory) {
                directories_.push_back(from);
                RETURN_IF_ERROR(list_directory(from, depth + 1, placed));
            } else if (info.is_regular && named_.insert(from).second) {
                items_.push_back({from, from, info.size});
            }
        }
        return {};
    }

    Status list_aria_logs(const std::string& directory) {
        ASSIGN_OR_RETURN(const std::vector<std::string> names, source_.list(directory));
        for (const std::string& name : names) {
            const std::string from = io::join(directory, name);
            if (name.starts_with("aria_log") && named_.insert(name).second) {
                ASSIGN_OR_RETURN(const io::FileInfo info, source_.info(from));
                items_.push_back({from, name, info.size});
            }
        }
        return {};
    }

    Status require_space() {
        std::uint64_t needed = 0;
        for (const Item& item : items_) {
            ASSIGN_OR_RETURN(const io::FileInfo info, source_.info(item.from));
            needed += std::min(info.size, info.allocated_size);
        }
        return require_free_space(root_, target_path_, needed, "the backup",
                                  "free space, or name a directory on another disk");
    }

    Status copy() {
        std::uint64_t bytes = 0;
        for (const Item& item : items_) {
            bytes += item.size;
        }
        if (options_.progress != nullptr) {
            options_.progress->begin("copy", bytes, "bytes");
        }
        for (const std::string& path : directories_) {
            RETURN_IF_ERROR(directory_.make_directory(path));
        }
        RETURN_IF_ERROR(base::parallel_for(
            items_.size(), std::max(1U, options_.threads),
            [&](std::size_t index, unsigned) -> Status {
                const Item& item = items_[index];
                ASSIGN_OR_RETURN(const auto file, source_.open(item.from, io::OpenMode::ReadOnly));
                ASSIGN_OR_RETURN(const std::uint64_t copied, target_.copy(*file, item.to));
                if (copied != item.size) {
                    return make_error(ErrorCode::Io, "the file changed while it was copied")
                        .with_file(item.from)
                        .with_hint("something writes to this directory; stop it");
                }
                return {};
            }));
        if (options_.progress != nullptr) {
            options_.progress->end();
        }
        return {};
    }

    Status finish() {
        RETURN_IF_ERROR(target_.sync());
        RETURN_IF_ERROR(target_.rename(kUnfinishedLog, kLogName));  // for verify_copy()
        if (auto status = verify_copy(); !status) {
            RETURN_IF_ERROR(target_.rename(kLogName, kUnfinishedLog));
            RETURN_IF_ERROR(target_.sync());
            return status;
        }
        Manifest& manifest = report_.manifest;
        manifest.end_time = utc_time();
        description_.uuid = manifest.uuid;
        description_.end_time = local_time();
        description_.tool_command = "backup --datadir-copy";
        description_.from = manifest.from;
        description_.to = manifest.to;
        ServerLayout layout;
        layout.data_file_path = layout_.options.data_file_path;
        layout.page_size = page_size_;
        layout.undo_tablespaces = static_cast<std::uint32_t>(layout_.undo_files.size());
        ASSIGN_OR_RETURN(const io::FileInfo log, source_.info(layout_.log_path));
        layout.log_file_size = log.size;
        return finish_backup(target_, layout, description_, report_);
    }

    Status verify_copy() {
        verify::VerifyOptions verify_options;
        const space::DirectoryOptions& shared = options_;
        static_cast<space::DirectoryOptions&>(verify_options) = shared;
        verify_options.layout = {};
        verify_options.layout.data_file_path = file_names_only(layout_.options.data_file_path);
        verify_options.layout.page_size = layout_.options.page_size;
        verify_options.layout_given = true;
        ASSIGN_OR_RETURN(verify::VerifyReport verified,
                         verify::verify_directory(directory_, verify_options));
        page_size_ = verified.page_size;
        report_.pages = verified.pages;
        report_.tablespaces = verified.files;
        report_.manifest.from = report_.manifest.to = verified.checkpoint;
        report_.manifest.last = verified.end;
        report_.redo_bytes = verified.end.value - verified.checkpoint.value;
        report_.findings = std::move(verified.findings);
        for (const std::string& key : verified.missing_keys) {
            report_.notes.push_back("not checked: " + key);
        }
        report_.manifest.damaged = report_.has_damage();
        return report_.manifest.damaged && !options_.continue_on_damage ? Status(damage_found())
                                                                        : ok_status();
    }

    Error damage_found() const {
        const auto first = std::find_if(report_.findings.begin(), report_.findings.end(),
                                        [](const verify::Finding& finding) {
                                            return finding.severity == verify::Severity::Damage;
                                        });
        Error error =
            make_error(ErrorCode::Corruption, "the data directory is damaged: {}", first->message)
                .with_file(io::join(options_.datadir_copy, first->file));
        if (first->space) {
            error = std::move(error).with_space(*first->space);
        }
        if (first->page) {
            error = std::move(error).with_page(*first->page);
        }
        return std::move(error).with_hint(
            "redoubt verify lists all damage; --continue-on-damage backs it up as it is. What was "
            "copied is no backup: remove it");
    }

    const BackupOptions& options_;
    io::SubDirectory source_;
    io::Directory& root_;
    std::string target_path_;
    io::SubDirectory directory_;
    Target target_;
    BackupReport& report_;
    space::Layout layout_;
    BackupDescription description_;
    std::uint32_t page_size_ = 0;
    std::vector<Item> items_;
    std::set<std::string> named_;  ///< files of the backup
    std::vector<std::string> directories_;
};

}  // namespace

Result<BackupReport> take_cold_backup(io::Directory& root, const std::string& target,
                                      const BackupOptions& options) {
    BackupReport report;
    RETURN_IF_ERROR(ColdBackup(root, target, options, report).run());
    return report;
}

}  // namespace redoubt::backup
