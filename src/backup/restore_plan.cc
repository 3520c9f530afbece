#include "backup/restore_plan.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "backup/markers.h"
#include "recovery/journal.h"

namespace redoubt::backup {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLinkSizeMax = 4096;  // bytes of an .isl
constexpr std::string_view kRocksDb = "#rocksdb";

std::string file_name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

/// Of the backup itself, no part of a data directory. (xtrabackup_info and the positions go along,
/// as with mariadb-backup.)
bool is_metadata(std::string_view name) {
    // (Moved backups keep their checkpoints file under another name.)
    static const std::set<std::string_view> kNames = {
        kOptionsFile,    kCheckpointsFile,   "xtrabackup_binary",
        kBinlogInfoFile, Markers::kPlanFile, recovery::Journal::kFileName,
        kManifestFile,   "lost+found"};
    return kNames.contains(name) || name.starts_with(kCheckpointsFile) || name.ends_with(".tmp") ||
           name.ends_with(".qp") || name.ends_with(".pmap");
}

bool is_undo(std::string_view name) {
    return name.size() == 7 && name.starts_with("undo") &&
           name.find_first_not_of("0123456789", 4) == std::string_view::npos;
}

class Planner {
public:
    Planner(io::Directory& backup, const RestoreOptions& options)
        : backup_(backup), options_(options) {}

    Result<RestorePlan> run() {
        RETURN_IF_ERROR(place_system_files());
        RETURN_IF_ERROR(add_directory("", 0));
        std::sort(plan_.files.begin(), plan_.files.end(),
                  [](const RestoreFile& a, const RestoreFile& b) { return a.from < b.from; });
        // A server that is started too early finds the system tablespace without a log, and
        // refuses; without either it would make new ones.
        std::stable_partition(plan_.files.begin(), plan_.files.end(),
                              [&](const RestoreFile& file) { return system_.contains(file.from); });
        std::sort(plan_.directories.begin(), plan_.directories.end());
        plan_.directories.erase(std::unique(plan_.directories.begin(), plan_.directories.end()),
                                plan_.directories.end());
        return std::move(plan_);
    }

private:
    /// The backup has all files of the system tablespace side by side; the server may want them
    /// elsewhere, but under the same names.
    Status place_system_files() {
        ASSIGN_OR_RETURN(const space::Layout layout,
                         space::find_fixed_layout(backup_, {}, /*options_given=*/false));
        log_name_ = layout.log_path;
        std::vector<space::SystemFile> wanted;
        if (options_.layout_given) {
            ASSIGN_OR_RETURN(wanted, space::parse_data_file_path(options_.layout.data_file_path,
                                                                 options_.layout.data_home));
        } else {
            ASSIGN_OR_RETURN(wanted,
                             space::parse_data_file_path(layout.options.data_file_path, ""));
            for (space::SystemFile& file : wanted) {
                const std::string name = file_name_of(file.path);
                if (file.path.starts_with('/')) {
                    plan_.notes.push_back(fmt::format(
                        "the server that was backed up had {} in {}; it is restored into the data "
                        "directory (give the target server's --defaults-file to place it)",
                        name, io::parent_of(file.path)));
                    file.path = name;
                }
            }
        }
        std::vector<std::string> have;
        std::vector<std::string> want;
        for (const space::SystemFile& file : layout.system_files) {
            have.push_back(file.path);
        }
        for (const space::SystemFile& file : wanted) {
            want.push_back(file_name_of(file.path));
            system_[want.back()] = file.path;
        }
        if (have != want) {
            return make_error(ErrorCode::Usage,
                              "the target server's innodb_data_file_path names {}, the backup has "
                              "{}",
                              fmt::join(want, ", "), fmt::join(have, ", "))
                .with_file(backup_.path())
                .with_hint("set innodb_data_file_path of the target as backup-my.cnf has it");
        }
        return {};
    }

    Status add_directory(const std::string& path, unsigned depth) {
        constexpr unsigned kDepthMax = 16;
        if (depth > kDepthMax) {
            return make_error(ErrorCode::Unsupported, "directories are nested too deeply")
                .with_file(path);
        }
        ASSIGN_OR_RETURN(const std::vector<std::string> names, backup_.list(path));
        for (const std::string& name : names) {
            if (path.empty() && is_metadata(name)) {
                continue;
            }
            const std::string from = io::join(path, name);
            ASSIGN_OR_RETURN(const io::FileInfo info, backup_.info(from));
            if (info.is_directory) {
                add_target_directory(target_of_directory(from));
                RETURN_IF_ERROR(add_directory(from, depth + 1));
            } else if (info.is_regular) {
                RETURN_IF_ERROR(add_file(from, name, info));
            } else {
                plan_.notes.push_back(from + " is neither a file nor a directory; left out");
            }
        }
        return {};
    }

    /// Of a directory below the backup's root.
    std::string target_of_directory(const std::string& path) const {
        const bool rocksdb = path == kRocksDb || path.starts_with(std::string(kRocksDb) + "/");
        const std::string directory = directory_option(options_.layout.rocksdb_directory);
        if (rocksdb && !directory.empty()) {
            return io::join(directory, path.substr(std::min(path.size(), kRocksDb.size() + 1)));
        }
        return path;
    }

    void add_target_directory(const std::string& path) {
        if (!path.empty() && path != "/") {
            add_target_directory(io::parent_of(path));
            plan_.directories.push_back(path);
        }
    }

    Status add_file(const std::string& from, const std::string& name, const io::FileInfo& info) {
        RestoreFile file{
            .from = from, .to = {}, .size = info.size, .sparse = info.allocated_size < info.size};
        const bool at_root = from == name;
        if (from == log_name_) {
            file.to = io::join(directory_option(options_.layout.log_directory), name);
            plan_.log = file;
            add_target_directory(io::parent_of(file.to));
            return {};
        }
        if (at_root && system_.contains(name)) {
            file.to = system_.at(name);
        } else if (at_root && is_undo(name)) {
            file.to = io::join(directory_option(options_.layout.undo_directory), name);
        } else if (at_root && (name == "aria_log_control" || name.starts_with("aria_log."))) {
            file.to = io::join(directory_option(options_.layout.aria_log_directory), name);
        } else if (!at_root && name.ends_with(".ibd")) {
            ASSIGN_OR_RETURN(file.to, target_of_table(from));
        } else {
            file.to = io::join(target_of_directory(io::parent_of(from)), name);
        }
        add_target_directory(io::parent_of(file.to));
        plan_.files.push_back(std::move(file));
        return {};
    }

    std::string directory_option(const std::string& value) const {
        return options_.layout_given && value != "." && value != "./" ? value : std::string();
    }

    /// A table with DATA DIRECTORY goes where its link points.
    Result<std::string> target_of_table(const std::string& path) {
        const std::string link = path.substr(0, path.size() - 4) + ".isl";
        if (!backup_.exists(link)) {
            return path;
        }
        ASSIGN_OR_RETURN(const std::string text, backup_.read_text(link, kLinkSizeMax));
        auto target = space::parse_isl(text);
        if (!target) {
            plan_.notes.push_back(link + " holds no path: " + path +
                                  " goes where it would be without a link, as the server sees it");
            return path;
        }
        return target;
    }

    io::Directory& backup_;
    const RestoreOptions& options_;
    RestorePlan plan_;
    std::string log_name_;
    std::map<std::string, std::string> system_;  ///< file name -> place in the target
};

Json to_json(const RestoreFile& file) {
    return Json::array({file.from, file.to, file.size, file.sparse});
}

/// Whether a part of the path is "..".
bool climbs(std::string_view path) {
    return ("/" + std::string(path) + "/").find("/../") != std::string::npos;
}

bool from_json(const Json& value, RestoreFile& file) {
    if (!value.is_array() || value.size() != 4 || !value[0].is_string() || !value[1].is_string() ||
        !value[2].is_number_unsigned() || !value[3].is_boolean()) {
        return false;
    }
    file = {.from = value[0].get<std::string>(),
            .to = value[1].get<std::string>(),
            .size = value[2].get<std::uint64_t>(),
            .sparse = value[3].get<bool>()};
    // Our own file, yet a file: what it says stays within the backup and the target.
    return !file.from.empty() && !file.from.starts_with('/') && !climbs(file.from) &&
           !file.to.empty() && !climbs(file.to);
}

}  // namespace

Result<RestorePlan> make_restore_plan(io::Directory& backup, const RestoreOptions& options) {
    return Planner(backup, options).run();
}

std::string plan_to_text(const RestorePlan& plan, std::string_view backup_path, Lsn last_lsn,
                         bool move) {
    Json json = {{"about", "a restore that is not finished: run the same redoubt restore again"},
                 {"backup", backup_path},
                 {"last_lsn", last_lsn.value},
                 {"move", move},
                 {"log", to_json(plan.log)},
                 {"directories", plan.directories}};
    json["files"] = Json::array();
    for (const RestoreFile& file : plan.files) {
        json["files"].push_back(to_json(file));
    }
    return json.dump(1, '\t', false, Json::error_handler_t::replace) + "\n";
}

Result<UnfinishedRestore> parse_unfinished(std::string_view text) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto damaged = [] {
        return make_error(ErrorCode::Corruption, "the plan of an interrupted restore is damaged")
            .with_hint("empty the target directory and restore again");
    };
    if (!json.is_object() || !json.contains("backup") || !json["backup"].is_string() ||
        !json.contains("last_lsn") || !json["last_lsn"].is_number_unsigned() ||
        !json.contains("move") || !json["move"].is_boolean() || !json.contains("log") ||
        !json.contains("directories") || !json["directories"].is_array() ||
        !json.contains("files") || !json["files"].is_array()) {
        return damaged();
    }
    UnfinishedRestore result{.backup_path = json["backup"].get<std::string>(),
                             .last_lsn = Lsn{json["last_lsn"].get<std::uint64_t>()},
                             .move = json["move"].get<bool>(),
                             .plan = {}};
    if (!from_json(json["log"], result.plan.log)) {
        return damaged();
    }
    for (const Json& directory : json["directories"]) {
        if (!directory.is_string()) {
            return damaged();
        }
        result.plan.directories.push_back(directory.get<std::string>());
    }
    for (const Json& entry : json["files"]) {
        RestoreFile file;
        if (!from_json(entry, file)) {
            return damaged();
        }
        result.plan.files.push_back(std::move(file));
    }
    return result;
}

}  // namespace redoubt::backup
