#include "recovery/space_map.h"

#include <algorithm>
#include <set>

#include "page/trx_system.h"

namespace redoubt::recovery {
namespace {

using redo::RecordType;

/// "./db/t.ibd" or "/elsewhere/db/t.ibd" -> "db/t" (the last two parts, without the suffix).
std::string table_name_of(std::string_view logged) {
    if (logged.ends_with(".ibd")) {
        logged.remove_suffix(4);
    }
    const std::size_t last = logged.rfind('/');
    if (last == std::string_view::npos || last == 0) {
        return std::string(logged);
    }
    const std::size_t before = logged.rfind('/', last - 1);
    return std::string(before == std::string_view::npos ? logged : logged.substr(before + 1));
}

/// "./db/t.ibd" -> "db/t.ibd"; absolute paths stay.
std::string relative(std::string_view logged) {
    while (logged.starts_with("./")) {
        logged.remove_prefix(2);
    }
    return std::string(logged);
}

/// A backup has every table in its own directory, wherever the server had it.
std::string local_path(std::string_view logged) { return table_name_of(logged) + ".ibd"; }

/// A path whose parts stay below the data directory, or an absolute one without "..".
bool safe_path(std::string_view path) {
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        if (path.substr(0, slash) == "..") {
            return false;
        }
        path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return true;
}

/// "db/#sql-alter-1-2": made by ALTER TABLE until it takes the table's name.
bool is_intermediate(std::string_view name) { return name.find("/#sql") != std::string_view::npos; }

/// What one candidate file of a space turned out to be.
struct Candidate {
    enum State { Absent, Usable, Unusable, Foreign } state = Absent;
    std::string path;
    std::unique_ptr<space::Tablespace> file;
    std::optional<space::SpaceHeader> header;
    std::optional<Error> problem;  ///< Unusable: why
};

class Builder {
public:
    Builder(const SpaceMapInputs& inputs, SpaceMap& map) : in_(inputs), map_(map) {}

    Status add_system(std::unique_ptr<space::Tablespace> system) {
        RecoveredSpace space;
        space.id = kSystemSpace;
        space.kind = SpaceKind::System;
        space.name = system->name();
        space.path = system->path();
        space.header = system->header();
        space.disk_header = system->header();
        space.file = std::move(system);
        map_.spaces.emplace(kSystemSpace, std::move(space));
        return {};
    }

    Status add_undo() {
        // Ids are contiguous: one good page 0 tells them all; else TRX_SYS knows the lowest.
        std::vector<Candidate> files;
        std::optional<std::uint32_t> base;
        for (std::size_t i = 0; i < in_.layout.undo_files.size(); ++i) {
            ASSIGN_OR_RETURN(Candidate file,
                             look_at(in_.layout.undo_files[i], std::nullopt, undo_name(i)));
            const std::uint32_t number = undo_number(i);
            if (file.header && file.header->id.value >= number) {
                const std::uint32_t first = file.header->id.value - number + 1;
                if (base && *base != first) {
                    return make_error(ErrorCode::Corruption,
                                      "undo tablespace {} carries space id {}, {} was expected "
                                      "from its number",
                                      undo_name(i), file.header->id.value, *base + number - 1)
                        .with_file(file.path)
                        .with_space(file.header->id)
                        .with_hint(
                            "the undo files of this directory were swapped or come from another "
                            "server; put the right files back");
                }
                base = first;
            }
            files.push_back(std::move(file));
        }
        if (!base) {
            ASSIGN_OR_RETURN(base, lowest_undo_id_of_trx_system());
        }
        for (std::size_t i = 0; i < files.size() && base; ++i) {
            const SpaceId id{*base + undo_number(i) - 1};
            RecoveredSpace space;
            space.id = id;
            space.kind = SpaceKind::Undo;
            space.name = undo_name(i);
            RETURN_IF_ERROR(adopt(space, std::move(files[i])));
            map_.spaces.emplace(id, std::move(space));
        }
        return {};
    }

    Status add_tables() {
        claim_names();
        for (const auto& [id, events] : in_.scan.file_events) {
            RETURN_IF_ERROR(add_table(id, events));
        }
        for (const auto& [id, lsn] : in_.scan.touched_spaces) {
            if (!map_.spaces.contains(id)) {
                return unnamed_space(id, lsn);
            }
        }
        return {};
    }

private:
    std::string undo_name(std::size_t index) const {
        const std::string& path = in_.layout.undo_files[index];
        const std::size_t slash = path.rfind('/');
        return slash == std::string::npos ? path : path.substr(slash + 1);
    }
    /// "undo007" -> 7.
    std::uint32_t undo_number(std::size_t index) const {
        std::uint32_t number = 0;
        for (const char c : undo_name(index)) {
            if (c >= '0' && c <= '9') {
                number = number * 10 + static_cast<std::uint32_t>(c - '0');
            }
        }
        return number;
    }

    Result<std::optional<std::uint32_t>> lowest_undo_id_of_trx_system() {
        RecoveredSpace& system = map_.spaces.at(kSystemSpace);
        std::vector<std::byte> page(in_.page_size);
        ASSIGN_OR_RETURN(const std::uint32_t read,
                         system.file->read_raw(page::TrxSystemView::kPage, 1, page));
        std::optional<std::uint32_t> lowest;
        if (read == 1) {
            const page::TrxSystemView trx_system(page);
            for (std::size_t i = 0; i < page::TrxSystemView::kSlotCount; ++i) {
                const std::uint32_t space = trx_system.slot(i).space.value;
                if (space != 0 && space < kReservedSpaces.value && (!lowest || space < *lowest)) {
                    lowest = space;
                }
            }
        }
        return lowest;
    }

    /// For each path: the space that came to it last. A file without a usable page 0 belongs to
    /// that one. A rename tells of both its names: the old one was this space's until then.
    void claim_names() {
        std::map<std::string, Lsn> since;
        for (const auto& [id, events] : in_.scan.file_events) {
            // (clang 14 cannot capture a structured binding.)
            const auto claim = [&, owner = id](const std::string& name, Lsn lsn) {
                const auto [at, is_new] = since.try_emplace(relative(name), lsn);
                if (is_new || lsn >= at->second) {
                    at->second = lsn;
                    claimed_by_[at->first] = owner;
                }
            };
            for (const FileEvent& event : events) {
                if (event.type == RecordType::FileDelete) {
                    continue;
                }
                claim(event.name, event.lsn);
                if (event.type == RecordType::FileRename) {
                    claim(event.new_name, event.lsn);
                }
            }
        }
    }

    bool claims(SpaceId id, const std::string& path) const {
        const auto claim = claimed_by_.find(path);
        return claim != claimed_by_.end() && claim->second == id;
    }

    bool deleted(SpaceId id) const {
        const auto events = in_.scan.file_events.find(id);
        return events != in_.scan.file_events.end() &&
               std::any_of(
                   events->second.begin(), events->second.end(),
                   [](const FileEvent& event) { return event.type == RecordType::FileDelete; });
    }

    Error unnamed_space(SpaceId id, Lsn lsn) const {
        Error error = make_error(ErrorCode::Corruption,
                                 "the redo log changes pages of a tablespace that it never names")
                          .with_space(id)
                          .with_lsn(lsn);
        return std::move(error).with_hint(
            "an undo tablespace file may be missing, or the log is not the one of this directory");
    }

    /// Opens one file and judges its page 0. `expected`: the id it should carry.
    Result<Candidate> look_at(const std::string& path, std::optional<SpaceId> expected,
                              const std::string& name) {
        Candidate result;
        result.path = path;
        auto opened = space::Tablespace::open_files(in_.directory, {path}, in_.mode, name);
        if (!opened) {
            if (opened.error().code() == ErrorCode::NotFound) {
                return result;
            }
            return std::move(opened.error());
        }
        result.file = std::move(*opened);
        std::vector<std::byte> image(in_.page_size);
        const std::vector<io::File*> files = result.file->files();
        ASSIGN_OR_RETURN(const std::size_t got, files.front()->read_at(0, image));
        image.resize(got);
        auto header = space::parse_first_page(image, in_.page_size, in_.strictness);
        if (header) {
            result.header = *header;
            result.file->set_header(*result.header);
            result.state =
                expected && *expected != result.header->id ? Candidate::Foreign : Candidate::Usable;
        } else {
            result.state = Candidate::Unusable;
            result.problem = std::move(header.error().error);
        }
        return result;
    }

    bool has_init_of_first_page(SpaceId id) const {
        return in_.scan.first_pages.find({id, PageNo{0}}).initialised();
    }
    bool has_redo(SpaceId id) const { return in_.scan.touched_spaces.contains(id); }

    /// Takes a file that exists for a space; where page 0 is unusable, doublewrite or redo must
    /// give it.
    Status adopt(RecoveredSpace& space, Candidate file) {
        space.path = file.path;
        space.disk_header = file.header;
        if (file.state == Candidate::Unusable) {
            space.deferred = true;
            ASSIGN_OR_RETURN(const auto copy,
                             in_.doublewrite.find_first_page(
                                 space.id, in_.page_size, in_.scan.checkpoint.lsn, in_.scan.end));
            if (copy && !has_init_of_first_page(space.id)) {
                auto header = space::parse_first_page(*copy, in_.page_size, in_.strictness);
                space.disk_header = *header;  // find_first_page has checked it
            } else if (!has_init_of_first_page(space.id)) {
                if (!has_redo(space.id)) {
                    map_.notes.push_back(fmt::format(
                        "{}: page 0 is unusable and the redo log has nothing for it; left alone",
                        file.path));
                    space.ignored = true;
                    return {};
                }
                return std::move(*file.problem)
                    .with_context(
                        "page 0 can be rebuilt neither from redo nor from the doublewrite buffer")
                    .with_file(file.path)
                    .with_page({space.id, PageNo{0}})
                    .with_hint(
                        "restore this table's file from a backup, or remove it to have its redo "
                        "refused by name");
            }
        }
        if (space.disk_header) {
            space.header = *space.disk_header;
            file.file->set_header(*space.disk_header);
        }
        space.file = std::move(file.file);
        return {};
    }

    /// Distinct paths the log gives a space, oldest first.
    static std::vector<std::string> paths_of(const std::vector<FileEvent>& events) {
        std::vector<std::string> paths;
        const auto add = [&](const std::string& name) {
            std::string path = relative(name);
            std::erase(paths, path);
            paths.push_back(std::move(path));
        };
        for (const FileEvent& event : events) {
            add(event.name);
            if (event.type == RecordType::FileRename) {
                add(event.new_name);
            }
        }
        return paths;
    }

    /// The file of a logged path: in the data directory, where an .isl points, or the logged path
    /// itself.
    Result<Candidate> find_file(const std::string& path, SpaceId id) {
        const std::string name = table_name_of(path);
        if (!safe_path(path)) {
            return make_error(ErrorCode::Corruption,
                              "the redo log names a file outside the data directory")
                .with_file(path)
                .with_space(id);
        }
        ASSIGN_OR_RETURN(Candidate found, look_at(name + ".ibd", id, name));
        if (in_.layout.is_backup) {
            return found;  // a link leads to the server's own file
        }
        if (found.state == Candidate::Absent) {
            auto linked = space::find_table(in_.directory, name);
            if (linked) {
                ASSIGN_OR_RETURN(found, look_at(linked->path, id, name));
            } else if (linked.error().code() != ErrorCode::NotFound) {
                return std::move(linked.error());
            }
        }
        if (found.state == Candidate::Absent && path != name + ".ibd") {
            ASSIGN_OR_RETURN(found, look_at(path, id, name));
        }
        return found;
    }

    Status add_table(SpaceId id, const std::vector<FileEvent>& events) {
        if (map_.spaces.contains(id)) {
            return make_error(ErrorCode::Corruption,
                              "the redo log names a table file for a system or undo tablespace")
                .with_file(events.front().name)
                .with_space(id)
                .with_lsn(events.front().lsn);
        }
        RecoveredSpace space;
        space.id = id;
        const std::vector<std::string> paths = paths_of(events);
        space.name = table_name_of(paths.back());
        space.path = in_.layout.is_backup ? local_path(paths.back()) : paths.back();
        if (deleted(id)) {
            // The file, if it is still there, stays: the server drops it when it finishes the DDL.
            space.deleted = true;
            space.ignored = true;
            map_.spaces.emplace(id, std::move(space));
            return {};
        }
        std::optional<Candidate> usable;
        std::optional<Candidate> unusable;
        std::optional<Candidate> foreign;
        for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
            ASSIGN_OR_RETURN(Candidate file, find_file(*path, id));
            switch (file.state) {
                case Candidate::Absent:
                    break;
                case Candidate::Usable:
                    if (usable && usable->path != file.path) {
                        return make_error(ErrorCode::Corruption,
                                          "tablespace found in two places: {} and {}", usable->path,
                                          file.path)
                            .with_file(file.path)
                            .with_space(id)
                            .with_hint(
                                "move the file that does not belong here out of the data "
                                "directory");
                    }
                    usable = std::move(file);
                    break;
                case Candidate::Unusable:
                    if (!unusable && claims(id, *path)) {
                        unusable = std::move(file);
                    }
                    break;
                case Candidate::Foreign:
                    if (!foreign) {
                        foreign = std::move(file);
                    }
                    break;
            }
        }
        const bool was_unusable = !usable && unusable;
        if (usable || unusable) {
            RETURN_IF_ERROR(adopt(space, std::move(usable ? *usable : *unusable)));
        } else {
            RETURN_IF_ERROR(adopt_missing(space, events, std::move(foreign)));
        }
        if (space.file) {
            space.name = table_name_of(space.path);
        }
        // A deferred file keeps its name, as in the server: its log of the statement ends the DDL.
        if (space.file && !was_unusable) {
            plan_rename(space, events);
        }
        map_.spaces.emplace(id, std::move(space));
        return {};
    }

    /// No file carries the id.
    Status adopt_missing(RecoveredSpace& space, const std::vector<FileEvent>& events,
                         std::optional<Candidate> foreign) {
        const auto created = std::find_if(events.begin(), events.end(), [](const FileEvent& event) {
            return event.type == RecordType::FileCreate;
        });
        if (in_.layout.is_backup && is_intermediate(space.name)) {
            return leave_out(space, "is the copy that an ALTER TABLE was making; not backed up");
        }
        if (in_.partial && !foreign) {
            return leave_out(space, "was left out of this partial backup");
        }
        if (created != events.end() && has_init_of_first_page(space.id)) {
            space.path = relative(created->name);
            space.name = table_name_of(space.path);
            if (!claims(space.id, space.path)) {
                // Another space was created there later, so this one's file was renamed or dropped
                // first.
                space.path =
                    relative(events.back().type == RecordType::FileRename ? events.back().new_name
                                                                          : events.back().name);
                space.name = table_name_of(space.path);
            }
            space.create = true;
            space.deferred = true;
            if (in_.layout.is_backup) {
                space.path = local_path(space.path);
            }
            if (foreign && foreign->path == space.path) {
                if (!deleted(foreign->header->id)) {
                    return wrong_id(space, *foreign);
                }
                space.moved_aside =
                    fmt::format("{}.space-{}", space.path, foreign->header->id.value);
            }
            return {};
        }
        if (!has_redo(space.id)) {
            map_.notes.push_back(fmt::format(
                "{} (space {}) is named in the redo log but not there; nothing is to be done to it",
                space.path, space.id.value));
            space.ignored = true;
            return {};
        }
        if (foreign) {
            return wrong_id(space, *foreign);
        }
        return make_error(ErrorCode::Corruption,
                          "the redo log changes a tablespace whose file is missing")
            .with_file(space.path)
            .with_space(space.id)
            .with_lsn(in_.scan.touched_spaces.at(space.id))
            .with_hint(
                "put the file back where it was when the server stopped, or restore the table from "
                "a backup");
    }

    /// A backup that may lack this file.
    Status leave_out(RecoveredSpace& space, std::string_view why) {
        map_.notes.push_back(fmt::format("{} (space {}) {}", space.path, space.id.value, why));
        space.ignored = true;
        return {};
    }

    Error wrong_id(const RecoveredSpace& space, const Candidate& foreign) const {
        return make_error(ErrorCode::Corruption,
                          "the file carries space id {}, the redo log needs space {} here",
                          foreign.header->id.value, space.id.value)
            .with_file(foreign.path)
            .with_space(space.id)
            .with_page(PageNo{0})
            .with_hint(
                "the file was swapped with another or comes from elsewhere; put the right file "
                "back");
    }

    /// A rename that the log knows but the file system does not.
    void plan_rename(RecoveredSpace& space, const std::vector<FileEvent>& events) const {
        const FileEvent* last_rename = nullptr;
        for (const FileEvent& event : events) {
            if (event.type == RecordType::FileRename) {
                last_rename = &event;
            }
        }
        if (last_rename == nullptr) {
            return;
        }
        const std::string target = in_.layout.is_backup ? local_path(last_rename->new_name)
                                                        : relative(last_rename->new_name);
        if (table_name_of(target) == table_name_of(space.path)) {
            return;
        }
        space.rename_to = target;
        const std::string current_name = table_name_of(space.path) + ".ibd";
        if (space.path.starts_with('/') && !target.starts_with('/') &&
            space.path.ends_with(current_name)) {
            // A file elsewhere (DATA DIRECTORY) is renamed where it is.
            space.rename_to =
                space.path.substr(0, space.path.size() - current_name.size()) + target;
        }
        space.rename_lsn = last_rename->lsn;
    }

    const SpaceMapInputs& in_;
    SpaceMap& map_;
    std::map<std::string, SpaceId> claimed_by_;
};

}  // namespace

Result<SpaceMap> build_space_map(const SpaceMapInputs& inputs,
                                 std::unique_ptr<space::Tablespace> system) {
    SpaceMap map;
    Builder builder(inputs, map);
    RETURN_IF_ERROR(builder.add_system(std::move(system)));
    RETURN_IF_ERROR(builder.add_undo());
    RETURN_IF_ERROR(builder.add_tables());
    for (const auto& [id, lsn] : inputs.scan.trims) {
        const auto found = map.spaces.find(id);
        if (found != map.spaces.end() && found->second.kind != SpaceKind::Undo) {
            return make_error(ErrorCode::Corruption,
                              "the redo log truncates a tablespace that is no undo tablespace")
                .with_file(found->second.path)
                .with_space(id)
                .with_lsn(lsn)
                .with_hint("the redo log is damaged; restore it, or restore the last backup");
        }
    }
    return map;
}

}  // namespace redoubt::recovery
