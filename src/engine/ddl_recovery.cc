#include "engine/ddl_recovery.h"

#include <algorithm>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "base/integers.h"
#include "engine/binlog.h"
#include "space/layout.h"

namespace redoubt::engine {
namespace {

constexpr std::string_view kFile = "ddl_recovery.log";
constexpr std::size_t kFileMax = std::size_t{64} << 20;  // bytes; a block for each open statement
constexpr std::string_view kMagic{"\xFE\xFE\x0B\x02", 4};
constexpr std::size_t kHeaderSize = 9;
constexpr std::size_t kEntryHeadSize = 42;
constexpr std::uint8_t kExecute = 1;  // the begin of a chain; others: an entry of one, or nothing
constexpr std::uint8_t kEntry = 2;
constexpr std::uint8_t kFinalPhase = 0xFF;
constexpr unsigned kTriesMax = 3;  // of the server with one chain

enum class Action : std::uint8_t {
    FileDelete = 1,
    FileRename = 2,
    FileReplace = 3,
    Exchange = 4,
    RenameTable = 5,
    DropTable = 8,
    DropDatabase = 11,
    CreateTable = 12,
    AlterTable = 16,
};

// Flags of an entry; the bits mean something else from action to action.
constexpr unsigned kAlterRenames = 1;
constexpr unsigned kAlterChangesEngine = 2;
// How far an ALTER TABLE had come.
constexpr unsigned kAlterRenameFailed = 1;
constexpr unsigned kAlterInPlaceDone = 2;
constexpr unsigned kAlterCopied = 6;
constexpr unsigned kAlterOldRenamed = 7;

struct Entry {
    std::uint8_t type = 0;
    std::uint8_t action = 0;
    std::uint8_t phase = 0;
    std::uint32_t next = 0;
    unsigned flags = 0;
    std::uint64_t xid = 0;
    // Of the begin of a chain:
    unsigned tries = 0;
    std::uint64_t unless = 0;  // the entry that must not be open
    std::string_view handler = {};
    std::string_view database = {};
    std::string_view name = {};
    std::string_view from_handler = {};
    std::string_view from_database = {};
    std::string_view from_name = {};
    std::string_view path = {};
    std::string_view extra_name = {};
};

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
    return load_le(std::as_bytes(std::span(bytes).subspan(at, size)));
}

/// "./db/t" -> "db/t".
std::string name_of_path(std::string_view path) {
    const std::size_t table = path.rfind('/');
    if (table == std::string_view::npos || table == 0) {
        return std::string(path);
    }
    const std::size_t database = path.rfind('/', table - 1);
    return std::string(path.substr(database == std::string_view::npos ? 0 : database + 1));
}

/// What `table` in `database` is called on disk. The server's own intermediate names stand there as
/// they are.
std::string file_name(std::string_view database, std::string_view table) {
    const bool plain = table.starts_with("#sql");
    return io::join(space::encode_file_name(database),
                    plain ? std::string(table) : space::encode_file_name(table));
}

class StepReader {
public:
    StepReader(io::Directory& directory, std::string_view bytes)
        : directory_(directory), bytes_(bytes) {}

    Result<DdlRecovery> run() {
        if (bytes_.size() < kHeaderSize || !bytes_.starts_with(kMagic)) {
            return std::move(found_);
        }
        block_ = number(bytes_, 4, 2);
        names_ = number(bytes_, 6, 2);
        if (block_ < kEntryHeadSize || names_ < kEntryHeadSize || names_ > block_) {
            return make_error(ErrorCode::Corruption,
                              "the server's DDL log gives blocks of {} bytes", block_);
        }
        count_ = bytes_.size() / block_;
        for (std::size_t which = 1; which < count_; ++which) {
            const Entry chain = entry(which);
            if (is_open(chain) && chain.tries < kTriesMax &&
                !(chain.unless != 0 && chain.unless < count_ && is_open(entry(chain.unless)))) {
                RETURN_IF_ERROR(take_chain(chain.next));
            }
        }
        return std::move(found_);
    }

private:
    bool is_open(const Entry& chain) {
        return chain.type == kExecute && !(chain.xid != 0 && is_binlogged(chain.xid));
    }

    /// Whether the binary log has a statement as done.
    bool is_binlogged(std::uint64_t xid) {
        if (!binlog_) {
            binlog_ = read_binlog_commits(directory_);
        }
        if (!*binlog_ || !**binlog_) {
            found_.binlog_missed = true;
            return true;
        }
        return (**binlog_)->statements.contains(xid);
    }

    Entry entry(std::size_t which) const {
        const std::string_view block = bytes_.substr(which * block_, block_);
        Entry entry{.type = static_cast<std::uint8_t>(block[0]),
                    .action = static_cast<std::uint8_t>(block[1]),
                    .phase = static_cast<std::uint8_t>(block[2]),
                    .next = static_cast<std::uint32_t>(number(block, 4, 4)),
                    .flags = static_cast<unsigned>(number(block, 8, 2)),
                    .xid = number(block, 10, 8),
                    .tries = static_cast<unsigned>(number(block, 34, 1)),
                    .unless = number(block, 35, 7)};
        std::string_view rest = block.substr(names_);
        for (std::string_view* const text :
             {&entry.handler, &entry.database, &entry.name, &entry.from_handler,
              &entry.from_database, &entry.from_name, &entry.path, &entry.extra_name}) {
            if (rest.size() < 3) {
                break;
            }
            const std::size_t size = number(rest, 0, 2);
            if (size + 3 > rest.size()) {
                break;
            }
            *text = rest.substr(2, size);
            rest.remove_prefix(size + 3);
        }
        return entry;
    }

    Status take_chain(std::uint32_t first) {
        std::size_t taken = 0;
        for (std::uint32_t which = first; which != 0;) {
            if (which >= count_ || ++taken > count_) {
                return make_error(ErrorCode::Corruption,
                                  "entry {} of {} of the server's DDL log: the chain leads nowhere "
                                  "or in a circle",
                                  which, count_ - 1);
            }
            const Entry found = entry(which);
            if (found.type == kEntry && found.phase != kFinalPhase) {
                take(found);
            }
            which = found.next;
        }
        return {};
    }

    void add(DdlStep::Kind kind, std::string name, std::string to = {}) {
        found_.steps.push_back({kind, std::move(name), std::move(to)});
    }

    void take(const Entry& entry) {
        using Kind = DdlStep::Kind;
        const bool frm = entry.handler == ".frm";
        switch (Action{entry.action}) {
            case Action::FileDelete:
            case Action::FileReplace:
                if (entry.phase == 0) {
                    add(frm ? Kind::DropFrm : Kind::DropTable, name_of_path(entry.name));
                }
                if (Action{entry.action} == Action::FileDelete) {
                    break;
                }
                [[fallthrough]];
            case Action::FileRename:
                add(frm ? Kind::RenameFrm : Kind::RenameTable, name_of_path(entry.from_name),
                    name_of_path(entry.name));
                break;
            case Action::Exchange:
                take_exchange(entry);
                break;
            case Action::RenameTable:
                add(Kind::Rename, file_name(entry.database, entry.name),
                    file_name(entry.from_database, entry.from_name));
                break;
            case Action::DropTable:
                if (entry.phase == 0) {
                    add(Kind::Drop, name_of_path(entry.path));
                }
                break;
            case Action::DropDatabase:
                if (entry.phase == 0) {
                    add(Kind::DropAll, space::encode_file_name(entry.database));
                }
                break;
            case Action::CreateTable:
                add(entry.flags == 0 ? Kind::Drop : Kind::DropFrm, name_of_path(entry.path));
                break;
            case Action::AlterTable:
                take_alter(entry);
                break;
            default:
                break;  // views, triggers, what is to be written to the binary log
        }
    }

    /// Of a partition with a table: three renames, taken back from the last that may have happened.
    void take_exchange(const Entry& entry) {
        using Kind = DdlStep::Kind;
        const std::string table = name_of_path(entry.name);
        const std::string from = name_of_path(entry.from_name);
        const std::string between = name_of_path(entry.path);
        if (entry.phase >= 2) {
            add(Kind::RenameTable, from, between);
        }
        if (entry.phase >= 1) {
            add(Kind::RenameTable, table, from);
        }
        add(Kind::RenameTable, between, table);
    }

    void take_alter(const Entry& entry) {
        using Kind = DdlStep::Kind;
        const bool renames = (entry.flags & kAlterRenames) != 0;
        const std::string made = file_name(entry.database, entry.name);  // #sql-alter-...
        const std::string old = file_name(entry.from_database, entry.from_name);
        const std::string renamed = file_name(entry.database, entry.extra_name);
        const std::string kept = file_name(entry.from_database, entry.extra_name);  // #sql-backup-
        switch (entry.phase) {
            case kAlterRenameFailed:
                add(Kind::Drop, made);
                if (!renames) {
                    add(Kind::Rename, kept, old);
                }
                break;
            case kAlterInPlaceDone:
                add(Kind::RenameFrm, made, old);
                if (renames) {
                    add(Kind::Rename, old, renamed);
                }
                break;
            case kAlterCopied:
                add(Kind::Drop, old);
                [[fallthrough]];
            case kAlterOldRenamed:
                if (renames) {
                    add(Kind::Rename, made, renamed);
                    break;
                }
                if ((entry.flags & kAlterChangesEngine) != 0 && entry.handler != "InnoDB") {
                    add(Kind::DropTable, old);
                }
                add(Kind::Rename, made, old);
                add(Kind::Drop, kept);
                break;
            default:
                break;  // what it made is not a table yet, or all is done
        }
    }

    io::Directory& directory_;
    std::string_view bytes_;
    std::optional<Result<std::optional<BinlogCommits>>> binlog_;  // once it was needed
    std::size_t block_ = 0;                                       // bytes
    std::size_t names_ = 0;                                       // where in a block they begin
    std::size_t count_ = 0;  // of blocks, the header among them
    DdlRecovery found_;
};

/// "db/t" also of "db/t#P#p0".
bool is_of(std::string_view row, std::string_view table) {
    return row.starts_with(table) &&
           (row.size() == table.size() || row.substr(table.size()).starts_with("#P#"));
}

class Steps {
public:
    Steps(io::Directory& directory, dict::Dictionary& dictionary, FrmPlaces& frms)
        : directory_(directory), dictionary_(dictionary), frms_(frms) {}

    Status make(const DdlStep& step) {
        using Kind = DdlStep::Kind;
        if (step.kind == Kind::DropAll) {
            const std::string prefix = step.name + "/";
            std::erase_if(dictionary_.tables, [&](const dict::SystemTableRow& row) {
                return row.name.starts_with(prefix);
            });
        }
        if (step.kind == Kind::Drop || step.kind == Kind::DropTable) {
            std::erase_if(dictionary_.tables, [&](const dict::SystemTableRow& row) {
                return is_of(row.name, step.name);
            });
        }
        if (step.kind == Kind::Drop || step.kind == Kind::DropFrm) {
            frms_[step.name] = std::nullopt;
        }
        if (step.kind == Kind::Rename || step.kind == Kind::RenameTable) {
            rename_table(step.name, step.to);
        }
        if (step.kind == Kind::Rename || step.kind == Kind::RenameFrm) {
            RETURN_IF_ERROR(rename_frm(step.name, step.to));
        }
        return {};
    }

private:
    void rename_table(const std::string& from, const std::string& to) {
        auto& rows = dictionary_.tables;
        if (std::ranges::any_of(rows, [&](const auto& row) { return is_of(row.name, to); })) {
            return;
        }
        const auto rename = [&](std::string& name) {
            if (is_of(name, from)) {
                name = to + name.substr(from.size());
            }
        };
        for (dict::SystemTableRow& row : rows) {
            rename(row.name);
        }
        std::ranges::sort(rows, {}, &dict::SystemTableRow::name);
        for (dict::ForeignKey& key : dictionary_.foreign_keys) {
            rename(key.child);
            rename(key.parent);
        }
    }

    Status rename_frm(const std::string& from, const std::string& to) {
        ASSIGN_OR_RETURN(auto place, place_of(from));
        if (place) {
            frms_[to] = std::move(place);
            frms_[from] = std::nullopt;
        }
        return {};
    }

    Result<std::optional<std::string>> place_of(const std::string& name) {
        if (const auto known = frms_.find(name); known != frms_.end()) {
            return known->second;
        }
        if (const auto info = directory_.info(name + ".frm"); !info) {
            if (info.error().code() == ErrorCode::NotFound) {
                return std::optional<std::string>();
            }
            return info.error();
        }
        return std::optional(name);
    }

    io::Directory& directory_;
    dict::Dictionary& dictionary_;
    FrmPlaces& frms_;
};

using Names = std::map<std::uint64_t, std::string>;  // by table id

Names names_of(const dict::Dictionary& dictionary) {
    Names names;
    for (const dict::SystemTableRow& row : dictionary.tables) {
        names.emplace(row.id, row.name.substr(0, row.name.find("#P#")));
    }
    return names;
}

bool is_intermediate(const std::string& name) { return name.find("/#sql") != std::string::npos; }

std::vector<std::string> changes(const Names& before, const Names& after) {
    std::set<std::string> still_there;
    for (const auto& [_, name] : after) {
        still_there.insert(name);
    }
    std::set<std::string> notes;  // one for all partitions
    for (const auto& [id, name] : before) {
        const auto now = after.find(id);
        if (now == after.end() && !is_intermediate(name) && !still_there.contains(name)) {
            notes.insert(fmt::format(
                "table {} is left out: the crash cut its CREATE or DROP short, and the server's "
                "next start would drop it (ddl_recovery.log)",
                space::sql_name(name)));
        } else if (now != after.end() && now->second != name && !is_intermediate(now->second)) {
            notes.insert(fmt::format(
                "table {} is still {} in InnoDB: the crash cut its RENAME or ALTER short, and the "
                "server's next start would give it its name (ddl_recovery.log)",
                space::sql_name(now->second), space::sql_name(name)));
        }
    }
    return {notes.begin(), notes.end()};
}

}  // namespace

bool ddl_log_exists(io::Directory& directory) { return directory.exists(kFile); }

Result<DdlRecovery> read_ddl_recovery(io::Directory& directory) {
    const auto bytes = directory.read_text(kFile, kFileMax);
    if (!bytes) {
        if (bytes.error().code() == ErrorCode::NotFound) {
            return DdlRecovery();
        }
        return bytes.error();
    }
    auto found = StepReader(directory, *bytes).run();
    if (!found) {
        return std::move(found.error()).with_file(kFile);
    }
    return found;
}

Result<std::vector<std::string>> make_steps(const std::vector<DdlStep>& steps,
                                            io::Directory& directory, dict::Dictionary& dictionary,
                                            FrmPlaces& frms) {
    const Names before = names_of(dictionary);
    Steps maker(directory, dictionary, frms);
    for (const DdlStep& step : steps) {
        RETURN_IF_ERROR(maker.make(step));
    }
    return changes(before, names_of(dictionary));
}

}  // namespace redoubt::engine
