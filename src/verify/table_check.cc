#include "verify/table_check.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/parallel.h"
#include "btree/buffered_changes.h"
#include "dict/dictionary.h"
#include "engine/catalog.h"
#include "engine/instant.h"
#include "engine/lone_table.h"
#include "engine/spaces.h"
#include "page/dictionary_header.h"
#include "page/header.h"
#include "page/index_page.h"
#include "space/extent_map.h"
#include "undo/pending_rows.h"
#include "verify/row_check.h"
#include "verify/system_check.h"
#include "verify/tree_check.h"
#include "verify/undo_check.h"

namespace redoubt::verify {
namespace {

constexpr std::string_view kSysIndexes = "SYS_INDEXES";

/// One table, or one partition, of a tablespace.
struct Part {
    const dict::StoredTable* table;
    const dict::StoredPart* part;
};

class TableVerifier {
public:
    TableVerifier(const VerifyOptions& options, const TableFindings& findings,
                  engine::Spaces& spaces, const undo::Transactions& transactions,
                  bool changes_buffered)
        : options_(options),
          findings_(findings),
          spaces_(spaces),
          transactions_(transactions),
          rows_wanted_(std::ranges::count(options.levels, "rows") != 0),
          changes_buffered_(changes_buffered) {}

    /// The change buffer and the dictionary's own tables, which the rest depends on: before run(),
    /// and also where run() is not possible.
    Status check_system() {
        return judged(kSystemSpace, nullptr, [&]() -> Status {
            RETURN_IF_ERROR(open(kSystemSpace, system_));
            system_checker_.emplace(
                spaces_, spaces_.page_size(), *system_.use,
                [this](SpaceId space) -> Result<std::uint32_t> {
                    ASSIGN_OR_RETURN(const space::SpaceHeader header, spaces_.header(space));
                    return header.flags.physical_page_size;
                },
                [this](const TreeProblem& problem, Severity severity, std::string_view of) {
                    const base::MutexLock lock(mutex_);
                    findings_.find({.kind = std::string(problem.kind),
                                    .severity = severity,
                                    .table = std::string(of),
                                    .space = kSystemSpace,
                                    .page = problem.page,
                                    .message = problem.message});
                },
                options_.cancel);
            RETURN_IF_ERROR(system_checker_->check_change_buffer());
            {
                const base::MutexLock lock(mutex_);
                ++checks_.trees;
                checks_.records += system_checker_->records();
            }
            return check_dictionary();
        });
    }

    /// Before run(): what undo logs speak of, for level rows.
    Status read_undo(const engine::Catalog& catalog) {
        if (!rows_wanted_) {
            return {};
        }
        std::unordered_map<std::uint64_t, undo::PendingRows::Key> keys;
        for (const auto& table : catalog.tables) {
            for (const dict::StoredPart& part : table->parts) {
                keys.emplace(part.id, pending_key(part.indexes.front().layout));
            }
        }
        auto read = undo::PendingRows::read(
            spaces_, spaces_.page_size(),
            [&](std::uint64_t table) {
                const auto found = keys.find(table);
                return found == keys.end() ? undo::PendingRows::Key{} : found->second;
            },
            options_.cancel);
        if (!read && is_fatal(read.error())) {
            return std::move(read.error());
        }
        if (read && read->complete()) {
            pending_ = std::move(*read);
            return {};
        }
        findings_.find({.kind = "marks-not-checked",
                        .severity = Severity::Note,
                        .message = fmt::format(
                            "what is marked as deleted is not compared with the "
                            "undo logs: {}",
                            read ? "they speak of too many rows" : read.error().message())});
        return {};
    }

    Result<TableChecks> run(const engine::Catalog& catalog) {
        for (const engine::RefusedTable& refused : catalog.refused) {
            tell_refused(refused);
        }
        std::map<SpaceId, std::vector<Part>> by_space;
        by_space[kSystemSpace];  // always: its pages are accounted for
        for (const auto& table : catalog.tables) {
            for (const dict::StoredPart& part : table->parts) {
                by_space[part.space].push_back({table.get(), &part});
            }
        }
        std::vector<Work> work = in_order_of_name(by_space);
        if (options_.progress != nullptr) {
            options_.progress->begin("check trees", work.size(), "tablespaces");
        }
        const Status checked = base::parallel_for(
            work.size(), options_.threads, [&](std::size_t item, unsigned) -> Status {
                RETURN_IF_ERROR(check_space(work[item].space, work[item].parts));
                work[item].done = true;
                if (options_.progress != nullptr) {
                    options_.progress->advance(1);
                }
                return {};
            });
        if (!checked) {
            RETURN_IF_ERROR(stop(checked.error(), work));
        }
        if (options_.progress != nullptr) {
            options_.progress->end();
        }
        const base::MutexLock lock(mutex_);
        std::ranges::sort(checks_.contents, {}, [](const TableContents& table) {
            return std::tie(table.table, table.partition);
        });
        return std::move(checks_);
    }

private:
    /// One tablespace to be checked.
    struct Work {
        SpaceId space;
        std::vector<Part> parts;
        std::string name = {};  ///< of its first table; empty: the system tablespace
        bool done = false;
    };

    std::vector<Work> in_order_of_name(const std::map<SpaceId, std::vector<Part>>& by_space) const {
        std::vector<Work> work;
        for (const auto& [space, parts] : by_space) {
            std::string name =
                space == kSystemSpace ? std::string() : name_of(*parts.front().table);
            if (options_.from_table.empty() || name >= options_.from_table) {
                work.push_back({space, parts, std::move(name)});
            }
        }
        std::ranges::stable_sort(work, {}, &Work::name);
        return work;
    }

    /// A check that is cancelled can be taken up again; other errors stay errors.
    Status stop(const Error& error, const std::vector<Work>& work) {
        const auto next = std::ranges::find(work, false, &Work::done);
        if (error.code() != ErrorCode::Cancelled || next == work.end() || next->name.empty()) {
            return tl::unexpected(error);
        }
        const base::MutexLock lock(mutex_);
        checks_.ended_early = Error(error).with_hint("to go on, add --from-table '" + next->name +
                                                     "': the tables before it are checked");
        return {};
    }

    void tell_refused(const engine::RefusedTable& refused) {
        const Error& reason = refused.reason;
        if (reason.code() == ErrorCode::Key) {
            findings_.miss_key(reason.message(), reason.file());
            return;
        }
        // Files that are missing or foreign are found by level files.
        findings_.find(
            {.kind = "table-unreadable",
             .severity = reason.code() == ErrorCode::Corruption ? Severity::Damage : Severity::Note,
             .file = reason.file(),
             .table = refused.name,
             .space = reason.space(),
             .page = reason.page(),
             .message = reason.message()});
    }

    /// Errors that end the check; others become findings.
    static bool is_fatal(const Error& error) {
        return error.code() == ErrorCode::Io || error.code() == ErrorCode::Cancelled ||
               error.code() == ErrorCode::Internal;
    }

    /// One tablespace while its trees are checked.
    struct OpenSpace {
        space::SpaceHeader header = {};
        std::optional<space::ExtentMap> extents = {};
        std::optional<SpaceUse> use = {};
        std::map<std::uint64_t, Part> complete = {};  // by index id: trees that were walked whole
        bool all_walked = true;  // so that pages which no tree uses are nobody's
    };

    Status open(SpaceId space, OpenSpace& opened) {
        ASSIGN_OR_RETURN(opened.header, spaces_.header(space));
        ASSIGN_OR_RETURN(const std::uint32_t page_count, spaces_.page_count(space));
        auto built = space::build_extent_map(spaces_, space, opened.header.flags);
        if (built) {
            opened.extents = std::move(*built);
        } else if (is_fatal(built.error()) || built.error().code() == ErrorCode::Key) {
            return std::move(built.error());
        }
        opened.use.emplace(opened.extents ? &*opened.extents : nullptr, page_count,
                           opened.header.flags);
        return {};
    }

    /// Errors that do not end the check become findings, of the table if there is one.
    template <class Check>
    Status judged(SpaceId space, const Part* part, const Check& check) {
        Status checked = check();
        if (checked || is_fatal(checked.error())) {
            return checked;
        }
        const base::MutexLock lock(mutex_);
        const std::string file = part == nullptr ? std::string() : part->part->file;
        if (checked.error().code() == ErrorCode::Key) {
            findings_.miss_key(checked.error().message(), file);
            return {};
        }
        findings_.find({.kind = "table-unreadable",
                        .file = file,
                        .table = part == nullptr ? std::string() : name_of(*part->table),
                        .space = space,
                        .page = checked.error().page(),
                        .message = checked.error().message()});
        return {};
    }

    Status check_space(SpaceId space, const std::vector<Part>& parts) {
        return judged(space, parts.empty() ? nullptr : &parts.front(), [&]() -> Status {
            if (space == kSystemSpace) {
                return system_.use ? check_parts(space, parts, system_) : ok_status();
            }
            OpenSpace opened;
            RETURN_IF_ERROR(open(space, opened));
            return check_parts(space, parts, opened);
        });
    }

    Status check_parts(SpaceId space, const std::vector<Part>& parts, OpenSpace& opened) {
        for (const Part& part : parts) {
            RETURN_IF_ERROR(check_part(part, opened));
        }
        if (!opened.extents) {
            return {};
        }
        RETURN_IF_ERROR(find_unreached(space, opened));
        return space == kSystemSpace && dictionary_ ? system_checker_->find_unowned(*dictionary_)
                                                    : ok_status();
    }

    /// The dictionary's tables, as tables: those whose place the header has, then those that have
    /// rows themselves.
    Status check_dictionary() {
        std::vector<std::byte> page(spaces_.page_size());
        RETURN_IF_ERROR(spaces_.read({kSystemSpace, page::DictionaryHeaderView::kPage}, page));
        for (const dict::SystemTableRow& row :
             dict::core_tables(page::DictionaryHeaderView(page))) {
            RETURN_IF_ERROR(check_own_table(row));
        }
        auto read = dict::read_dictionary(spaces_, spaces_.page_size(), nullptr, options_.cancel);
        if (!read) {
            // Said above, or will be when the catalog is read.
            return is_fatal(read.error()) ? Status(std::move(read.error())) : ok_status();
        }
        dictionary_ = std::move(*read);
        for (const dict::SystemTableRow& row : dictionary_->tables) {
            if (row.name.find('/') == std::string::npos && row.space == kSystemSpace) {
                RETURN_IF_ERROR(check_own_table(row));
            }
        }
        return {};
    }

    Status check_own_table(const dict::SystemTableRow& row) {
        auto table = dict::build_table({&row}, nullptr);
        if (!table) {
            const base::MutexLock lock(mutex_);
            findings_.find({.kind = "table-unreadable",
                            .table = row.name,
                            .space = kSystemSpace,
                            .message = table.error().message()});
            return {};
        }
        if (row.name == kSysIndexes) {  // rows that old servers wrote lack MERGE_THRESHOLD
            record::RecordLayout& layout = (*table)->parts.front().indexes.front().layout;
            --layout.core_fields;
            layout.defaults.resize(1);
        }
        own_tables_.push_back(std::move(*table));
        const Part part{own_tables_.back().get(), &own_tables_.back()->parts.front()};
        return judged(kSystemSpace, &part, [&] { return check_part(part, system_); });
    }

    /// InnoDB's own, of the dictionary; never changed instantly.
    static bool is_own(const dict::StoredTable& table) { return table.table.database.empty(); }

    static std::string name_of(const dict::StoredTable& table) {
        return is_own(table) ? table.table.name : table.table.database + "." + table.table.name;
    }

    /// "p0" of "db/t#P#p0", "p0#sp1" of "db/t#P#p0#SP#sp1".
    static std::string partition_of(const std::string& name) {
        constexpr std::string_view kPartition = "#P#";
        constexpr std::string_view kSubpartition = "#SP#";
        const std::size_t at = name.find(kPartition);
        if (at == std::string::npos) {
            return {};
        }
        const std::string_view partition = std::string_view(name).substr(at + kPartition.size());
        const std::size_t sub = partition.find(kSubpartition);
        if (sub == std::string_view::npos) {
            return space::decode_file_name(partition);
        }
        return space::decode_file_name(partition.substr(0, sub)) + "#" +
               space::decode_file_name(partition.substr(sub + kSubpartition.size()));
    }

    static TableContents contents_of(const Part& of) {
        return {.table = name_of(*of.table),
                .partition = partition_of(of.part->name),
                .file = of.part->file,
                .space = of.part->space,
                .row_format = of.part->row_format};
    }

    Status check_part(const Part& of, OpenSpace& space) {
        const dict::StoredPart& part = *of.part;
        TableChecks checks{.tables = 1};
        TableContents contents = contents_of(of);
        std::vector<record::RecordLayout> layouts(part.indexes.size() +
                                                  part.spatial_indexes.size());
        std::vector<std::string> names;    // of the indexes, in that order
        std::vector<RowTree> rows;         // trees that are whole, the clustered one first
        std::vector<std::size_t> numbers;  // of their indexes
        bool clustered_whole = true;
        for (const dict::Index& index : of.table->table.indexes) {
            names.push_back(index.name);
        }
        for (std::size_t i = 0; i < part.indexes.size(); ++i) {
            RowTree tree;
            tree.layout = &layouts[i];
            ASSIGN_OR_RETURN(const bool whole, check_tree(of, space, part.indexes[i], names[i],
                                                          layouts[i], tree, checks, contents));
            if (whole) {
                rows.push_back(std::move(tree));
                numbers.push_back(i);
            } else if (i == 0) {
                clustered_whole = false;
            }
        }
        for (const dict::StoredSpatial& spatial : part.spatial_indexes) {
            RowTree tree;
            tree.layout = &layouts[names.size()];
            ASSIGN_OR_RETURN(const bool whole,
                             check_tree(of, space, spatial.index, spatial.name,
                                        layouts[names.size()], tree, checks, contents));
            if (whole) {
                rows.push_back(std::move(tree));
                numbers.push_back(names.size());
            }
            names.push_back(spatial.name);
        }
        const bool marked = pending_ && contents.indexes.front().size.marked != 0;
        if (rows_wanted_ && clustered_whole && (rows.size() > 1 || marked)) {
            RETURN_IF_ERROR(check_rows(of, rows, numbers, names));
        }
        const base::MutexLock lock(mutex_);
        checks_.tables += checks.tables;
        checks_.trees += checks.trees;
        checks_.records += checks.records;
        if (options_.contents) {
            checks_.contents.push_back(std::move(contents));
        }
        return {};
    }

    static undo::PendingRows::Key pending_key(const record::RecordLayout& clustered) {
        undo::PendingRows::Key key{.fields = clustered.key_fields};
        for (std::size_t i = 0; i < clustered.key_fields && i < 64; ++i) {
            const record::ColumnType* const type = clustered.fields[i].type;
            if (type != nullptr && type->collation != nullptr) {
                key.exact &= ~(std::uint64_t{1} << i);
            }
        }
        return key;
    }

    /// An instant ALTER TABLE of it had not ended. `unknown`: why what was before cannot be told.
    void note_cut_off(const Part& of, const std::string& index, const Error* unknown) {
        Finding note{.kind = "alter-cut-off",
                     .severity = Severity::Note,
                     .file = of.part->file,
                     .table = name_of(*of.table),
                     .index = index,
                     .space = of.part->space,
                     .message =
                         "an instant ALTER TABLE had not ended: a server may refuse the "
                         "table, or not start"};
        if (unknown == nullptr) {
            note.message += "; 'redoubt sql' shows its rows as they were before";
        }
        const base::MutexLock lock(mutex_);
        findings_.find(note);
        if (unknown != nullptr) {
            note.kind = "table-not-checked";
            note.message = unknown->message();
            findings_.find(std::move(note));
        }
    }

    /// One index of the part. `layout` and `tree` get what they say; false: it is damaged.
    Result<bool> check_tree(const Part& of, OpenSpace& space, const dict::StoredIndex& index,
                            const std::string& name, record::RecordLayout& layout,
                            RowTree& row_tree, TableChecks& checks, TableContents& contents) {
        const dict::StoredPart& part = *of.part;
        btree::Tree& tree = row_tree.tree;
        tree = btree::Tree::at({part.space, index.root}, index.id, space.header.flags);
        bool whole = true;
        const auto report = [&](const TreeProblem& problem) {
            whole = false;
            const base::MutexLock lock(mutex_);
            findings_.find({.kind = std::string(problem.kind),
                            .file = part.file,
                            .table = name_of(*of.table),
                            .index = name,
                            .space = part.space,
                            .page = problem.page,
                            .message = problem.message});
        };
        contents.indexes.push_back({.name = name, .whole = false});
        layout = index.layout;
        if (layout.clustered && !is_own(*of.table)) {
            btree::TreeReader reader(spaces_, tree, layout, options_.cancel);
            const auto changing =
                engine::apply_instant_changes(reader, part, &transactions_, false, layout);
            if (!changing &&
                (is_fatal(changing.error()) || changing.error().code() == ErrorCode::Key)) {
                return changing.error();
            }
            if (!changing && changing.error().code() != ErrorCode::Unsupported) {
                report({"index-root", changing.error().page().value_or(index.root),
                        changing.error().message()});
                space.all_walked = false;
                return false;
            }
            if (!changing || *changing) {
                note_cut_off(of, name, changing ? nullptr : &changing.error());
            }
            if (!changing) {
                space.all_walked = false;
                return false;
            }
        }
        TreeChecker checker(spaces_, tree, layout, *space.use, report, options_.cancel);
        RETURN_IF_ERROR(checker.run());
        if (part.space == kSystemSpace) {
            system_checker_->add_segment(checker.leaf_segment());
            system_checker_->add_segment(checker.inner_segment());
        }
        // A bulk load makes leaves first, and the way to them last.
        if (!checker.complete()) {
            space.all_walked = false;
        } else if (!transactions_.emptied_tables().contains(part.id)) {
            space.complete.emplace(index.id, of);
        }
        if (layout.spatial) {
            row_tree.leaves = checker.leaves();
        }
        ++checks.trees;
        checks.records += checker.size().records;
        contents.indexes.back().size = checker.size();
        contents.indexes.back().whole = whole;
        return whole;
    }

    /// Secondary indexes against the clustered one. Where an ordinary state of things may make them
    /// differ, they are not compared, which is said.
    Status check_rows(const Part& of, const std::vector<RowTree>& trees,
                      const std::vector<std::size_t>& numbers,
                      const std::vector<std::string>& names) {
        const dict::StoredPart& part = *of.part;
        const auto finding = [&](std::optional<std::size_t> number, std::string kind,
                                 Severity severity) {
            return Finding{.kind = std::move(kind),
                           .severity = severity,
                           .file = part.file,
                           .table = name_of(*of.table),
                           .index = names[numbers[number ? *number + 1 : 0]],
                           .space = part.space};
        };
        const auto report = [&](const RowProblem& problem) {
            const base::MutexLock lock(mutex_);
            Finding found = finding(problem.index, std::string(problem.kind), problem.severity);
            found.page = problem.page;
            found.message = problem.message;
            findings_.find(std::move(found));
        };
        const auto leave = [&](std::size_t number, std::string_view why) {
            const base::MutexLock lock(mutex_);
            Finding found = finding(number, "rows-not-compared", Severity::Note);
            found.message = fmt::format("its entries are not compared with the rows: {}", why);
            findings_.find(std::move(found));
        };
        const bool changes_lost =
            changes_buffered_ && (!system_checker_ || !system_checker_->change_buffer_whole());
        if (transactions_.emptied_tables().contains(part.id) || changes_lost) {
            for (std::size_t i = 0; i + 1 < trees.size(); ++i) {
                leave(i, changes_lost
                             ? "the change buffer, which holds changes of indexes, is damaged"
                             : "a transaction that filled the table had not ended");
            }
            return {};
        }
        RowChecker checker(spaces_, trees.front(), {trees.begin() + 1, trees.end()}, transactions_,
                           report, options_.cancel);
        btree::BufferedChanges changes(spaces_, spaces_.page_size(), options_.cancel);
        if (changes_buffered_) {
            checker.add_changes(&changes);
        }
        if (pending_ && !is_own(*of.table)) {
            checker.add_pending(&*pending_, part.id, pending_key(part.indexes.front().layout));
        }
        RETURN_IF_ERROR(checker.run());
        for (const RowGap& gap : checker.gaps()) {
            leave(gap.index, gap.why);
        }
        return {};
    }

    /// Pages in use that say they are of a tree which has no way to them.
    Status find_unreached(SpaceId space, const OpenSpace& opened) {
        const SpaceUse& use = *opened.use;
        const std::map<std::uint64_t, Part>& complete = opened.complete;
        std::vector<std::byte> page(opened.header.flags.physical_page_size);
        const space::ExtentMap& extents = *opened.extents;
        for (std::uint32_t number = 0; number < use.page_count() && number < extents.use.size();
             ++number) {
            const space::PageUse kind = extents.use[number];
            if ((kind != space::PageUse::Fragment && kind != space::PageUse::Extent) ||
                use.is_used(PageNo{number}) || extents.is_free(PageNo{number})) {
                continue;
            }
            RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
            if (Status read = spaces_.read({space, PageNo{number}}, page); !read) {
                if (is_fatal(read.error())) {
                    return read;
                }
                continue;  // level pages says so
            }
            if (space != kSystemSpace && opened.all_walked &&
                std::ranges::all_of(page, [](std::byte b) { return b == std::byte{0}; })) {
                const base::MutexLock lock(mutex_);
                findings_.spare_zero_page(space, PageNo{number});
                continue;
            }
            const auto part = complete.find(page::IndexHeaderView(page).index_id());
            if (!page::is_index_type(page::HeaderView(page).type()) || part == complete.end()) {
                continue;
            }
            const base::MutexLock lock(mutex_);
            findings_.find({.kind = "page-unreachable",
                            .file = part->second.part->file,
                            .table = name_of(*part->second.table),
                            .space = space,
                            .page = PageNo{number},
                            .message = fmt::format("a page in use of index {}, which does not lead "
                                                   "to it",
                                                   part->first)});
        }
        return {};
    }

    const VerifyOptions& options_;
    const TableFindings& findings_;
    engine::Spaces& spaces_;
    const undo::Transactions& transactions_;
    const bool rows_wanted_;
    const bool changes_buffered_;  // the change buffer is not empty
    std::optional<undo::PendingRows> pending_;
    // Of the system tablespace; used by one thread at a time: check_system(), then run()'s item
    // for that space.
    OpenSpace system_;
    std::optional<SystemSpaceChecker> system_checker_;
    std::optional<dict::Dictionary> dictionary_;  // rows as they are, committed or not
    std::vector<std::unique_ptr<dict::StoredTable>> own_tables_;
    base::Mutex mutex_;
    TableChecks checks_ GUARDED_BY(mutex_);
};

}  // namespace

Result<TableChecks> check_tables(io::Directory& directory, const VerifyOptions& options,
                                 const TableFindings& findings) {
    ASSIGN_OR_RETURN(const auto spaces, engine::Spaces::open(directory, options));
    // Before what depends on it.
    RETURN_IF_ERROR(check_undo(
        *spaces, spaces->page_size(),
        [&](const UndoProblem& problem) {
            findings.find({.kind = std::string(problem.kind),
                           .space = problem.page.space,
                           .page = problem.page.page,
                           .message = problem.message});
        },
        options.cancel));
    ASSIGN_OR_RETURN(const auto transactions,
                     undo::Transactions::read(*spaces, spaces->page_size()));
    // Where that cannot be seen, it is said when the change buffer is checked.
    const auto buffered = btree::has_buffered_changes(*spaces, spaces->page_size());
    TableVerifier verifier(options, findings, *spaces, transactions, !buffered || *buffered);
    RETURN_IF_ERROR(verifier.check_system());
    const space::DirectoryOptions& of_directory = options;
    engine::DatabaseOptions database{of_directory};
    database.skip_damaged = true;
    ASSIGN_OR_RETURN(const engine::Catalog catalog,
                     engine::read_catalog(directory, *spaces, transactions, database,
                                          engine::CatalogScope::All));
    RETURN_IF_ERROR(verifier.read_undo(catalog));
    return verifier.run(catalog);
}

Result<TableChecks> check_lone_file(io::Directory& directory, const std::string& file,
                                    const VerifyOptions& options, const TableFindings& findings) {
    ASSIGN_OR_RETURN(const engine::LoneTable lone,
                     engine::open_lone_table(directory, file, "lone", options));
    const undo::Transactions none;
    return TableVerifier(options, findings, *lone.spaces, none, false).run(lone.catalog);
}

}  // namespace redoubt::verify
