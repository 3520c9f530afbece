#include "backup/markers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/assert.h"

namespace redoubt::backup {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameSizeMax = 4096;                   // bytes of a .ren file
constexpr std::size_t kPlanSizeMax = std::size_t{64} << 20;  // bytes; 10,000 tables need one or two
constexpr std::string_view kTable = ".ibd";
constexpr const char* kStagedSuffix = ".redoubt";

std::string without(std::string_view path, std::string_view suffix) {
    return std::string(path.substr(0, path.size() - suffix.size()));
}

/// "db/t" and nothing else.
bool is_table_name(std::string_view name) {
    const std::size_t slash = name.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < name.size() &&
           name.find('/', slash + 1) == std::string_view::npos && !name.starts_with(".") &&
           name.find_first_of(std::string_view("\n\r\0", 3)) == std::string_view::npos &&
           name.substr(slash + 1) != "." && name.substr(slash + 1) != "..";
}

Error incomplete(std::string message, std::string_view file) {
    return Error(ErrorCode::Incomplete, std::move(message))
        .with_file(file)
        .with_hint(
            "files of the backup are missing or do not belong together; take another backup");
}

std::string staged(const std::string& path) { return path + kStagedSuffix; }

}  // namespace

Result<Markers> Markers::read(io::Directory& directory) {
    Markers result;
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(""));
    for (const std::string& name : names) {
        const auto info = directory.info(name);
        if (info && info->is_directory && name != "lost+found") {
            RETURN_IF_ERROR(result.collect(directory, name));
        }
    }
    RETURN_IF_ERROR(result.plan_renames());
    result.plan_new_files();
    return result;
}

Status Markers::collect(io::Directory& directory, const std::string& database) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(database));
    for (const std::string& name : names) {
        const std::string path = io::join(database, name);
        if (name.ends_with(kTable)) {
            tables_.insert(path);
        } else if (name.ends_with(".new")) {
            new_files_.push_back(path);
        } else if (name.ends_with(".del")) {
            removed_.insert(without(path, ".del").append(kTable));
            markers_.push_back(path);
        } else if (name.ends_with(".ren")) {
            ASSIGN_OR_RETURN(const std::string target, directory.read_text(path, kNameSizeMax));
            if (!is_table_name(target)) {
                return incomplete("this rename marker holds no table name", path);
            }
            renames_.emplace(without(path, ".ren").append(kTable), target + std::string(kTable));
            markers_.push_back(path);
        }
    }
    return {};
}

Status Markers::plan_renames() {
    std::erase_if(removed_, [&](const std::string& path) { return !tables_.contains(path); });
    std::set<std::string> targets;
    for (const auto& [from, to] : renames_) {
        if (removed_.contains(from) || !tables_.contains(from)) {
            return incomplete(
                fmt::format("a marker renames this file to {}, but it is not there", to), from);
        }
        if (!targets.insert(to).second) {
            return incomplete("two markers rename a file to this name", to);
        }
        if (tables_.contains(to) && !removed_.contains(to) && !renames_.contains(to)) {
            return incomplete(
                fmt::format("a marker renames {} to this name, but it is taken", from), to);
        }
        moves_.push_back({from, to});
    }
    return {};
}

/// A new file takes its name from whatever else would have it.
void Markers::plan_new_files() {
    for (const std::string& from : new_files_) {
        const std::string to = without(from, ".new").append(kTable);
        const auto other = std::find_if(moves_.begin(), moves_.end(),
                                        [&](const Move& move) { return move.to == to; });
        if (other != moves_.end()) {
            removed_.insert(other->from);
            moves_.erase(other);
        }
        moves_.push_back({from, to});
        markers_.push_back(from);
    }
}

std::vector<std::string> Markers::texts() const {
    std::vector<std::string> texts;
    for (const std::string& path : removed_) {
        texts.push_back(path + " removed");
    }
    for (const Move& move : moves_) {
        texts.push_back(fmt::format("{} -> {}", move.from, move.to));
    }
    return texts;
}

Status Markers::apply(io::Directory& directory) const {
    if (empty()) {
        return {};
    }
    RETURN_IF_ERROR(write_plan(directory, 1));  // K2
    return run(directory, 1);
}

/// Each step can be repeated: what is done already is seen by the names.
Status Markers::run(io::Directory& directory, int stage) const {
    std::set<std::string> parents;
    for (const std::string& path : removed_) {
        parents.insert(io::parent_of(path));
    }
    for (const Move& move : moves_) {
        parents.insert(io::parent_of(move.from));
        parents.insert(io::parent_of(move.to));
    }
    const auto sync_parents = [&]() -> Status {
        for (const std::string& parent : parents) {
            RETURN_IF_ERROR(directory.sync_directory(parent));
        }
        return {};
    };
    if (stage == 1) {
        for (const std::string& path : removed_) {
            RETURN_IF_ERROR(directory.unlink_if_exists(path));
        }
        for (const Move& move : moves_) {
            const std::string parent = io::parent_of(move.to);
            if (!directory.exists(parent)) {
                RETURN_IF_ERROR(directory.make_directory(parent));
                RETURN_IF_ERROR(directory.sync_directory(io::parent_of(parent)));
            }
            if (directory.exists(move.from)) {
                RETURN_IF_ERROR(directory.rename(move.from, staged(move.to)));
            } else if (!directory.exists(staged(move.to))) {
                return incomplete(fmt::format("the file that becomes {} is gone", move.to),
                                  move.from);
            }
        }
        RETURN_IF_ERROR(sync_parents());
        RETURN_IF_ERROR(write_plan(directory, 2));
    }
    for (const Move& move : moves_) {
        if (directory.exists(staged(move.to))) {
            RETURN_IF_ERROR(directory.rename(staged(move.to), move.to));
        }
    }
    for (const std::string& marker : markers_) {
        parents.insert(io::parent_of(marker));
        RETURN_IF_ERROR(directory.unlink_if_exists(marker));
    }
    RETURN_IF_ERROR(sync_parents());
    RETURN_IF_ERROR(directory.unlink(kPlanFile));
    return directory.sync_directory("");
}

Status Markers::write_plan(io::Directory& directory, int stage) const {
    Json plan = {{"stage", stage}, {"removed", removed_}, {"markers", markers_}};
    plan["moves"] = Json::array();
    for (const Move& move : moves_) {
        plan["moves"].push_back({move.from, move.to});
    }
    return directory.replace_text(kPlanFile,
                                  plan.dump(1, '\t', false, Json::error_handler_t::replace) + "\n");
}

Status Markers::finish_interrupted(io::Directory& directory) {
    if (!directory.exists(kPlanFile)) {
        return {};
    }
    ASSIGN_OR_RETURN(const std::string text, directory.read_text(kPlanFile, kPlanSizeMax));
    const Json plan = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    const auto damaged = [&] {
        return make_error(ErrorCode::Corruption, "the plan of an interrupted prepare is damaged")
            .with_file(io::join(directory.path(), kPlanFile))
            .with_hint("copy the backup anew and prepare it again");
    };
    const auto is_path = [](const Json& value) {
        // Our own file, yet a file: it must not make us touch anything outside the backup.
        if (!value.is_string()) {
            return false;
        }
        const std::string& path = value.get_ref<const std::string&>();
        return is_table_name(path);
    };
    const auto is_list = [&](const char* name) {
        return plan.contains(name) && plan[name].is_array();
    };
    if (!plan.is_object() || !plan.contains("stage") || !plan["stage"].is_number_integer() ||
        !is_list("removed") || !is_list("markers") || !is_list("moves")) {
        return damaged();
    }
    Markers markers;
    for (const char* name : {"removed", "markers"}) {
        for (const Json& path : plan[name]) {
            if (!is_path(path)) {
                return damaged();
            }
            if (name == std::string_view("removed")) {
                markers.removed_.insert(path.get<std::string>());
            } else {
                markers.markers_.push_back(path.get<std::string>());
            }
        }
    }
    for (const Json& move : plan["moves"]) {
        if (!move.is_array() || move.size() != 2 || !is_path(move[0]) || !is_path(move[1])) {
            return damaged();
        }
        markers.moves_.push_back({move[0].get<std::string>(), move[1].get<std::string>()});
    }
    // The interrupted run may have been killed before its plan, or this stage of it, was durable.
    RETURN_IF_ERROR(directory.sync_directory(""));
    return markers.run(directory, plan["stage"].get<int>());
}

MarkedDirectory::MarkedDirectory(io::Directory& base, const Markers& markers) : base_(base) {
    hidden_.insert(markers.removed_.begin(), markers.removed_.end());
    hidden_.insert(markers.markers_.begin(), markers.markers_.end());
    for (const Markers::Move& move : markers.moves_) {
        hidden_.insert(move.from);
        real_.emplace(move.to, move.from);
    }
    for (const Markers::Move& move : markers.moves_) {
        hidden_.erase(move.to);
    }
}

void MarkedDirectory::done() {
    real_.clear();
    hidden_.clear();
}

Result<std::string> MarkedDirectory::real_path(std::string_view path) const {
    if (const auto found = real_.find(path); found != real_.end()) {
        return found->second;
    }
    if (hidden_.contains(path)) {
        return make_error(ErrorCode::NotFound, "the backup's markers remove this file")
            .with_file(path);
    }
    return std::string(path);
}

Result<std::unique_ptr<io::File>> MarkedDirectory::open(std::string_view path, io::OpenMode mode) {
    REDOUBT_ASSERT(mode != io::OpenMode::CreateExclusive || real_.empty());
    ASSIGN_OR_RETURN(const std::string real, real_path(path));
    return base_.open(real, mode);
}

Status MarkedDirectory::rename(std::string_view from, std::string_view to) {
    REDOUBT_ASSERT(real_.empty() && hidden_.empty());
    return base_.rename(from, to);
}

Status MarkedDirectory::unlink(std::string_view path) {
    REDOUBT_ASSERT(real_.empty() && hidden_.empty());
    return base_.unlink(path);
}

Result<std::vector<std::string>> MarkedDirectory::list(std::string_view path) {
    ASSIGN_OR_RETURN(std::vector<std::string> names, base_.list(path));
    std::erase_if(names,
                  [&](const std::string& name) { return hidden_.contains(io::join(path, name)); });
    for (const auto& [future, now] : real_) {
        if (io::parent_of(future) == path) {
            names.push_back(future.substr(future.rfind('/') + 1));
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Result<io::FileInfo> MarkedDirectory::info(std::string_view path) {
    ASSIGN_OR_RETURN(const std::string real, real_path(path));
    return base_.info(real);
}

}  // namespace redoubt::backup
