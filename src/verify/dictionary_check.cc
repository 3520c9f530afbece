#include "verify/dictionary_check.h"

#include <algorithm>
#include <optional>
#include <set>

#include "dict/dictionary.h"
#include "dict/system_tables.h"
#include "engine/ddl_recovery.h"
#include "engine/spaces.h"
#include "page/trx_system.h"
#include "space/file_pages.h"
#include "undo/transactions.h"
#include "undo/versions.h"

namespace redoubt::verify {
namespace {

constexpr std::string_view kEnding = ".ibd";

class DictionaryCheck {
public:
    DictionaryCheck(const OpenedDirectory& of, FindingSink& findings)
        : of_(of), findings_(findings) {}

    Status run() {
        const FileJob* const system = &of_.jobs.front();
        space::FilePages pages(*system->file, of_.options.keys, of_.options.strictness);
        space::PageSource& source = of_.touched(*system)
                                        ? static_cast<space::PageSource&>(*of_.recovered)
                                        : static_cast<space::PageSource&>(pages);
        const std::uint32_t page_size = system->disk_header.flags.physical_page_size;
        judge_undo_spaces(source, page_size);
        auto tables = dict::read_system_tables(source, page_size);
        if (!tables) {
            if (tables.error().code() == ErrorCode::Key) {
                of_.miss_key(tables.error().message(), system->paths.front());
                return {};
            }
            if (tables.error().code() != ErrorCode::Corruption &&
                tables.error().code() != ErrorCode::NotFound) {
                return std::move(tables.error());
            }
            findings_.add_error("dictionary", Severity::Damage, tables.error(),
                                system->paths.front());
            return {};
        }
        std::map<std::string, SpaceId> files;
        for (const FileJob& job : of_.jobs) {
            files.emplace(job.name, job.disk_header.id);
        }
        std::map<SpaceId, std::string> known;
        for (const dict::SystemTable& table : *tables) {
            known.emplace(table.space, table.name);
            judge_table(table, files);
        }
        for (const FileJob& job : of_.jobs) {
            judge_foreign(job, known);
        }
        return {};
    }

    /// Damage of files that belong to no table: what a statement left of them that did not come to
    /// its end, such as pages that it had taken and not filled.
    void judge_leftovers() {
        for (Finding& finding : findings_.judge_again()) {
            if (finding.severity != Severity::Damage || !finding.file.ends_with(kEnding)) {
                continue;
            }
            const std::string name = table_of(finding.file);
            // (The copy that an ALTER TABLE makes is a committed table long before it counts.)
            if (is_intermediate(name) ? !will_be_kept(name)
                                      : is_unfinished(name) && committed() != nullptr &&
                                            !committed()->by_name.contains(name)) {
                finding.kind = "leftover-file";
                finding.severity = Severity::Note;
                finding.message +=
                    "; no table uses this file, a statement that the crash cut "
                    "short left it";
            }
        }
    }

private:
    /// ".../db/t.ibd" -> "db/t".
    static std::string table_of(const std::string& file) {
        const std::string path = file.substr(0, file.size() - kEnding.size());
        const std::size_t table = path.rfind('/');
        const std::size_t database =
            table == std::string::npos || table == 0 ? table : path.rfind('/', table - 1);
        return database == std::string::npos ? path : path.substr(database + 1);
    }

    /// Names and spaces without what transactions of DDL did that had not ended: read where they
    /// make a difference. Null: that cannot be read, for reasons that are said elsewhere.
    struct Committed {
        std::map<std::string, SpaceId> by_name;
        std::map<SpaceId, std::string> by_space;
    };
    const Committed* committed() {
        if (!committed_) {
            auto read = read_committed();
            committed_.emplace();
            if (read) {
                *committed_ = std::move(*read);
            }
        }
        return *committed_ ? &**committed_ : nullptr;
    }

    Result<Committed> read_committed() const {
        ASSIGN_OR_RETURN(const auto spaces, engine::Spaces::open(of_.directory, of_.options));
        ASSIGN_OR_RETURN(const auto transactions,
                         undo::Transactions::read(*spaces, spaces->page_size()));
        undo::Versions versions(*spaces, transactions, spaces->page_size());
        ASSIGN_OR_RETURN(
            const dict::Dictionary dictionary,
            dict::read_dictionary(*spaces, spaces->page_size(), &versions, of_.options.cancel));
        Committed found;
        for (const dict::SystemTableRow& row : dictionary.tables) {
            found.by_name.emplace(row.name, row.space);
            found.by_space.emplace(row.space, row.name);
        }
        return found;
    }

    /// A statement of DDL that the crash cut short was at this table ("db/t").
    bool is_unfinished(const std::string& name) {
        return std::ranges::any_of(ddl_steps(), [&](const engine::DdlStep& step) {
            return step.name == name || step.to == name;
        });
    }

    /// Such a statement had come so far that the server's next start gives this table its name.
    bool will_be_kept(const std::string& name) {
        return std::ranges::any_of(ddl_steps(), [&](const engine::DdlStep& step) {
            return step.name == name && !step.to.empty();
        });
    }

    const std::vector<engine::DdlStep>& ddl_steps() {
        if (!ddl_) {
            ddl_.emplace();
            if (auto ddl = engine::read_ddl_recovery(of_.directory)) {
                *ddl_ = std::move(ddl->steps);
            }
        }
        return *ddl_;
    }

    /// Whether nothing but a statement that had not been committed keeps the table from its file.
    bool will_be_taken_back(const dict::SystemTable& table,
                            const std::map<std::string, SpaceId>& files) {
        const Committed* const before = committed();
        if (before == nullptr) {
            return false;
        }
        const auto name = before->by_space.find(table.space);
        if (name == before->by_space.end()) {
            return true;  // it was being made
        }
        const auto file = files.find(name->second);
        return file != files.end() && file->second == table.space;
    }

    /// Undo tablespaces that rollback segments lie in and that have no file.
    void judge_undo_spaces(space::PageSource& source, std::uint32_t page_size) {
        std::vector<std::byte> page(page_size);
        if (!source.read({kSystemSpace, page::TrxSystemView::kPage}, page)) {
            return;  // found when all pages are checked
        }
        const page::TrxSystemView trx_system(page);
        std::set<SpaceId> missing;
        for (std::size_t i = 0; i < page::TrxSystemView::kSlotCount; ++i) {
            const PageId slot = trx_system.slot(i);
            if (slot.page != kNoPage && !of_.names.contains(slot.space)) {
                missing.insert(slot.space);
            }
        }
        for (const SpaceId space : missing) {
            const std::string file = undo_file_of(space);
            if (!file.empty() && findings_.has(file)) {
                continue;  // why it cannot be used is said already
            }
            findings_.add(
                {.kind = "file-missing",
                 .severity = Severity::Damage,
                 .file = file,
                 .space = space,
                 .message =
                     "rollback segments lie in this undo tablespace, its file is not there or "
                     "cannot be used"});
        }
    }

    /// Undo tablespaces have consecutive ids in the order of their numbers; empty when no other is
    /// there to count from.
    std::string undo_file_of(SpaceId space) const {
        for (const auto& [id, path] : of_.names) {
            if (std::find(of_.layout.undo_files.begin(), of_.layout.undo_files.end(), path) ==
                of_.layout.undo_files.end()) {
                continue;
            }
            const std::size_t digits = path.size() - 3;
            const std::int64_t number =
                std::stoi(path.substr(digits)) + std::int64_t{space.value} - std::int64_t{id.value};
            return number < 1 || number > 127
                       ? std::string()
                       : fmt::format("{}{:03}", path.substr(0, digits), number);
        }
        return {};
    }

    /// DDL that the crash interrupted: recovery, not we, decides about its files.
    bool in_redo(SpaceId space) const {
        return of_.recovered != nullptr && of_.analysis->scan.file_events.contains(space);
    }

    void judge_table(const dict::SystemTable& table, const std::map<std::string, SpaceId>& files) {
        if (table.space == kSystemSpace || table.temporary() || table.discarded()) {
            return;
        }
        const auto file = files.find(table.name);
        if (file != files.end() && file->second == table.space) {
            return;
        }
        if (in_redo(table.space) || (file != files.end() && in_redo(file->second))) {
            return;
        }
        if (of_.options.partial && file == files.end()) {
            return;
        }
        if (will_be_taken_back(table, files)) {
            findings_.add({.kind = "ddl-not-committed",
                           .severity = Severity::Note,
                           .file = table.name + ".ibd",
                           .table = space::sql_name(table.name),
                           .space = table.space,
                           .message = "a statement that made this table, or gave it this name, was "
                                      "not committed: the server's next start takes it back"});
            return;
        }
        Finding finding{
            .kind = "file-missing",
            .severity = is_intermediate(table.name) ? Severity::Note : Severity::Damage,
            .file = table.name + ".ibd",
            .table = space::sql_name(table.name),
            .space = table.space,
            .message = "the dictionary names this table, its file is not there or cannot be used"};
        if (file != files.end()) {
            finding.kind = "wrong-space-id";
            finding.page = PageNo{0};
            finding.message = fmt::format(
                "the file carries space id {}, the dictionary gives this table space {}: it was "
                "swapped with another or comes from elsewhere",
                file->second.value, table.space.value);
        } else if (findings_.has(finding.file) || findings_.has_table(finding.table)) {
            return;  // why it cannot be used is said already
        }
        findings_.add(std::move(finding));
    }

    /// Of an ALTER TABLE that did not come to its end: the server removes it.
    static bool is_intermediate(std::string_view name) {
        return name.find("/#sql") != std::string_view::npos;
    }

    /// `known`: the dictionary's tables by space id.
    void judge_foreign(const FileJob& job, const std::map<SpaceId, std::string>& known) {
        const SpaceId id = job.disk_header.id;
        const auto table = known.find(id);
        if (id == kSystemSpace || job.name.find('/') == std::string::npos || in_redo(id) ||
            (table != known.end() &&
             (table->second == job.name || findings_.has(job.paths.front())))) {
            return;
        }
        if (const Committed* const before = committed()) {
            const auto found = before->by_name.find(job.name);
            if (found != before->by_name.end() && found->second == id) {
                return;
            }
        }
        const bool temporary =
            is_intermediate(job.name) || (table == known.end() && is_unfinished(job.name));
        findings_.add(
            {.kind = temporary ? "leftover-file" : "foreign-file",
             .severity = temporary ? Severity::Note : Severity::Damage,
             .file = job.paths.front(),
             .table = space::sql_name(job.name),
             .space = id,
             .message =
                 table == known.end()
                     ? "the dictionary knows no table with this file's space id: it comes from "
                       "elsewhere, or a DROP that a crash cut short left it"
                     : fmt::format("the dictionary gives this file's space id to table {}",
                                   space::sql_name(table->second))});
    }

    const OpenedDirectory& of_;
    FindingSink& findings_;
    std::optional<std::optional<Committed>> committed_;  // once it was needed
    std::optional<std::vector<engine::DdlStep>> ddl_;    // once it was needed
};

}  // namespace

Status check_dictionary(const OpenedDirectory& directory, FindingSink& findings) {
    return DictionaryCheck(directory, findings).run();
}

void judge_leftovers(const OpenedDirectory& directory, FindingSink& findings) {
    DictionaryCheck(directory, findings).judge_leftovers();
}

}  // namespace redoubt::verify
