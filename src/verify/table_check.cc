#include "verify/table_check.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/mutex.h"
#include "base/parallel.h"
#include "engine/catalog.h"
#include "engine/instant.h"
#include "engine/lone_table.h"
#include "engine/spaces.h"
#include "page/header.h"
#include "page/index_page.h"
#include "space/extent_map.h"
#include "verify/row_check.h"
#include "verify/tree_check.h"
#include "verify/undo_check.h"

namespace redoubt::verify {
namespace {

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

    Result<TableChecks> run(const engine::Catalog& catalog) {
        for (const engine::RefusedTable& refused : catalog.refused) {
            tell_refused(refused);
        }
        std::map<SpaceId, std::vector<Part>> by_space;
        for (const auto& table : catalog.tables) {
            for (const dict::StoredPart& part : table->parts) {
                by_space[part.space].push_back({table.get(), &part});
            }
        }
        std::vector<std::pair<SpaceId, std::vector<Part>>> work(by_space.begin(), by_space.end());
        if (options_.progress != nullptr) {
            options_.progress->begin("check trees", work.size(), "tablespaces");
        }
        RETURN_IF_ERROR(base::parallel_for(
            work.size(), options_.threads, [&](std::size_t item, unsigned) -> Status {
                RETURN_IF_ERROR(check_space(work[item].first, work[item].second));
                if (options_.progress != nullptr) {
                    options_.progress->advance(1);
                }
                return {};
            }));
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

    Status check_space(SpaceId space, const std::vector<Part>& parts) {
        Status checked = check_parts(space, parts);
        if (checked || is_fatal(checked.error())) {
            return checked;
        }
        const base::MutexLock lock(mutex_);
        const Part& first = parts.front();
        if (checked.error().code() == ErrorCode::Key) {
            findings_.miss_key(checked.error().message(), first.part->file);
            return {};
        }
        findings_.find({.kind = "table-unreadable",
                        .file = first.part->file,
                        .table = name_of(*first.table),
                        .space = space,
                        .page = checked.error().page(),
                        .message = checked.error().message()});
        return {};
    }

    Status check_parts(SpaceId space, const std::vector<Part>& parts) {
        ASSIGN_OR_RETURN(const space::SpaceHeader header, spaces_.header(space));
        ASSIGN_OR_RETURN(const std::uint32_t page_count, spaces_.page_count(space));
        std::optional<space::ExtentMap> extents;
        auto built = space::build_extent_map(spaces_, space, header.flags);
        if (built) {
            extents = std::move(*built);
        } else if (is_fatal(built.error()) || built.error().code() == ErrorCode::Key) {
            return std::move(built.error());
        }
        SpaceUse use(extents ? &*extents : nullptr, page_count, header.flags);
        std::map<std::uint64_t, Part> complete;  // by index id
        for (const Part& part : parts) {
            RETURN_IF_ERROR(check_part(part, header, use, complete));
        }
        return space == kSystemSpace || !extents ? ok_status()
                                                 : find_unreached(space, header, use, complete);
    }

    static std::string name_of(const dict::StoredTable& table) {
        return table.table.database + "." + table.table.name;
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

    /// `complete` gets the indexes whose trees were walked whole.
    Status check_part(const Part& of, const space::SpaceHeader& header, SpaceUse& use,
                      std::map<std::uint64_t, Part>& complete) {
        const dict::StoredPart& part = *of.part;
        const page::TablespaceFlags& flags = header.flags;
        if (transactions_.altered_tables().contains(part.id)) {
            const base::MutexLock lock(mutex_);
            findings_.find({.kind = "table-not-checked",
                            .severity = Severity::Note,
                            .file = part.file,
                            .table = name_of(*of.table),
                            .space = part.space,
                            .message = "an ALTER TABLE of it was not committed: its trees are not "
                                       "checked before the server has undone it"});
            return {};
        }
        TableChecks checks{.tables = 1};
        TableContents contents = contents_of(of);
        std::vector<record::RecordLayout> layouts(part.indexes.size());
        std::vector<RowTree> rows;         // trees that are whole, the clustered one first
        std::vector<std::size_t> numbers;  // of their indexes
        bool clustered_whole = true;
        for (std::size_t i = 0; i < part.indexes.size(); ++i) {
            const dict::StoredIndex& index = part.indexes[i];
            contents.indexes.push_back({.name = of.table->table.indexes[i].name, .whole = false});
            const btree::Tree tree{.root = {part.space, index.root},
                                   .index_id = index.id,
                                   .physical_size = flags.physical_page_size,
                                   .logical_size = flags.row_compressed ? flags.logical_page_size
                                                                        : flags.physical_page_size,
                                   .row_compressed = flags.row_compressed};
            bool whole = true;
            const auto report = [&](const TreeProblem& problem) {
                whole = false;
                const base::MutexLock lock(mutex_);
                findings_.find({.kind = std::string(problem.kind),
                                .file = part.file,
                                .table = name_of(*of.table),
                                .index = of.table->table.indexes[i].name,
                                .space = part.space,
                                .page = problem.page,
                                .message = problem.message});
            };
            record::RecordLayout& layout = layouts[i];
            layout = index.layout;
            if (layout.clustered) {
                btree::TreeReader reader(spaces_, tree, layout, options_.cancel);
                Status changed = engine::apply_instant_changes(reader, part, nullptr, layout);
                if (!changed) {
                    if (is_fatal(changed.error()) || changed.error().code() == ErrorCode::Key) {
                        return changed;
                    }
                    report({"index-root", changed.error().page().value_or(index.root),
                            changed.error().message()});
                    clustered_whole = false;
                    continue;
                }
            }
            TreeChecker checker(spaces_, tree, layout, use, report, options_.cancel);
            RETURN_IF_ERROR(checker.run());
            // A bulk load makes leaves first, and the way to them last.
            if (checker.complete() && !transactions_.emptied_tables().contains(part.id)) {
                complete.emplace(index.id, of);
            }
            ++checks.trees;
            checks.records += checker.size().records;
            contents.indexes.back().size = checker.size();
            contents.indexes.back().whole = whole;
            if (whole) {
                rows.push_back({tree, &layout});
                numbers.push_back(i);
            } else if (i == 0) {
                clustered_whole = false;
            }
        }
        if (rows_wanted_ && clustered_whole && rows.size() > 1) {
            RETURN_IF_ERROR(check_rows(of, rows, numbers));
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

    /// Secondary indexes against the clustered one. Where an ordinary state of things may make them
    /// differ, they are not compared, which is said.
    Status check_rows(const Part& of, const std::vector<RowTree>& trees,
                      const std::vector<std::size_t>& numbers) {
        const dict::StoredPart& part = *of.part;
        const auto finding = [&](std::size_t number, std::string kind, Severity severity) {
            return Finding{.kind = std::move(kind),
                           .severity = severity,
                           .file = part.file,
                           .table = name_of(*of.table),
                           .index = of.table->table.indexes[numbers[number + 1]].name,
                           .space = part.space};
        };
        const auto report = [&](const RowProblem& problem) {
            const base::MutexLock lock(mutex_);
            Finding found = finding(problem.index, std::string(problem.kind), Severity::Damage);
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
        if (transactions_.emptied_tables().contains(part.id) || changes_buffered_) {
            for (std::size_t i = 0; i + 1 < trees.size(); ++i) {
                leave(i, changes_buffered_ ? "the change buffer holds changes of secondary indexes"
                                           : "a transaction that filled the table had not ended");
            }
            return {};
        }
        RowChecker checker(spaces_, trees.front(), {trees.begin() + 1, trees.end()}, transactions_,
                           report, options_.cancel);
        RETURN_IF_ERROR(checker.run());
        for (const RowGap& gap : checker.gaps()) {
            leave(gap.index, gap.why);
        }
        return {};
    }

    /// Pages in use that say they are of a tree which has no way to them.
    Status find_unreached(SpaceId space, const space::SpaceHeader& header, const SpaceUse& use,
                          const std::map<std::uint64_t, Part>& complete) {
        std::vector<std::byte> page(header.flags.physical_page_size);
        const space::ExtentMap& extents = *use.extents();
        for (std::uint32_t number = 0; number < use.page_count() && number < extents.use.size();
             ++number) {
            const space::PageUse kind = extents.use[number];
            if ((kind != space::PageUse::Fragment && kind != space::PageUse::Extent) ||
                use.is_used(PageNo{number}) || extents.is_free(PageNo{number})) {
                continue;
            }
            if (options_.cancel != nullptr) {
                RETURN_IF_ERROR(options_.cancel->check());
            }
            if (Status read = spaces_.read({space, PageNo{number}}, page); !read) {
                if (is_fatal(read.error())) {
                    return read;
                }
                continue;  // level pages says so
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
    base::Mutex mutex_;
    TableChecks checks_ GUARDED_BY(mutex_);
};

/// Whether secondary indexes lack changes that wait in the change buffer. Its root is always there.
Result<bool> has_buffered_changes(engine::Spaces& spaces) {
    constexpr PageNo kChangeBufferRoot{4};
    std::vector<std::byte> root(spaces.page_size());
    RETURN_IF_ERROR(spaces.read({kSystemSpace, kChangeBufferRoot}, root));
    const page::IndexHeaderView index(root);
    return index.level() > 0 || index.record_count() > 0;
}

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
    const space::DirectoryOptions& of_directory = options;
    engine::DatabaseOptions database{of_directory};
    database.skip_damaged = true;
    ASSIGN_OR_RETURN(const engine::Catalog catalog,
                     engine::read_catalog(directory, *spaces, transactions, database,
                                          engine::CatalogScope::All));
    ASSIGN_OR_RETURN(const bool buffered, has_buffered_changes(*spaces));
    return TableVerifier(options, findings, *spaces, transactions, buffered).run(catalog);
}

Result<TableChecks> check_lone_file(io::Directory& directory, const std::string& file,
                                    const VerifyOptions& options, const TableFindings& findings) {
    const std::string& folder = directory.path();
    ASSIGN_OR_RETURN(
        const engine::LoneTable lone,
        engine::open_lone_table(directory, file, folder.substr(folder.rfind('/') + 1), options));
    const undo::Transactions none;
    return TableVerifier(options, findings, *lone.spaces, none, false).run(lone.catalog);
}

}  // namespace redoubt::verify
