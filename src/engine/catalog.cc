#include "engine/catalog.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "dict/show_create.h"
#include "engine/ddl_recovery.h"
#include "page/checksum.h"
#include "page/header.h"
#include "page/index_page.h"
#include "space/layout.h"
#include "undo/versions.h"

namespace redoubt::engine {
namespace {

constexpr std::size_t kFrmMax = std::size_t{16} << 20;  // bytes; far beyond any real one
constexpr std::string_view kPartition = "#P#";

/// "db/t#P#p0" -> "db/t".
std::string whole_table(const std::string& name) {
    return name.substr(0, std::min(name.find(kPartition), name.size()));
}

/// Tables that users know: not InnoDB's own, not what an ALTER TABLE is making.
bool is_served(const dict::SystemTableRow& row) {
    const std::size_t slash = row.name.find('/');
    if (slash == std::string::npos || row.temporary()) {
        return false;
    }
    const std::string_view table = std::string_view(row.name).substr(slash + 1);
    return !table.starts_with("#sql") && table.find("#TMP#") == std::string_view::npos &&
           table.find("#REN#") == std::string_view::npos;
}

/// FULLTEXT's own tables, which have no .frm.
bool is_auxiliary(std::string_view name) {
    const std::size_t slash = name.find('/');
    return slash != std::string_view::npos && name.substr(slash + 1).starts_with("FTS_");
}

class CatalogReader {
public:
    CatalogReader(io::Directory& directory, Spaces& spaces, const undo::Transactions& transactions,
                  const DatabaseOptions& options, CatalogScope scope)
        : directory_(directory),
          spaces_(spaces),
          transactions_(transactions),
          options_(options),
          scope_(scope) {}

    Result<Catalog> run() {
        undo::Versions versions(spaces_, transactions_, spaces_.page_size());
        ASSIGN_OR_RETURN(dictionary_,
                         dict::read_dictionary(spaces_, spaces_.page_size(),
                                               options_.read_uncommitted ? nullptr : &versions,
                                               options_.cancel));
        RETURN_IF_ERROR(follow_ddl_log());
        std::map<std::string, std::vector<const dict::SystemTableRow*>> tables;
        for (const dict::SystemTableRow& row : dictionary_.tables) {
            if (is_served(row)) {
                tables[whole_table(row.name)].push_back(&row);
            }
        }
        for (const auto& [name, parts] : tables) {
            RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
            auto table = make_table(name, parts);
            if (!table) {
                catalog_.refused.push_back({space::sql_name(name), std::move(table.error())});
            } else if (*table != nullptr) {
                catalog_.tables.push_back(std::move(*table));
            }
        }
        RETURN_IF_ERROR(find_lone_frms(tables));
        std::sort(catalog_.tables.begin(), catalog_.tables.end(), [](const auto& a, const auto& b) {
            return std::tie(a->table.database, a->table.name) <
                   std::tie(b->table.database, b->table.name);
        });
        return std::move(catalog_);
    }

private:
    /// One that cannot be read is told of, and hinders nobody. Tables as they lie there: only which
    /// ones a statement was at.
    Status follow_ddl_log() {
        ddl_interrupted_ = ddl_log_exists(directory_);
        const auto ddl = read_ddl_recovery(directory_);
        if (scope_ == CatalogScope::All || options_.read_uncommitted) {
            if (ddl) {
                for (const DdlStep& step : ddl->steps) {
                    unfinished_.insert({step.name, step.to});
                }
            }
            return {};
        }
        if (!ddl) {
            catalog_.notes.push_back("tables are as InnoDB's dictionary has them, because " +
                                     ddl.error().to_string());
            return {};
        }
        ASSIGN_OR_RETURN(catalog_.notes,
                         make_steps(ddl->steps, directory_, dictionary_, frm_places_));
        if (ddl->binlog_missed) {
            catalog_.notes.emplace_back(
                "the binary log is not here, or cannot be read: what a statement of DDL that "
                "was being logged at the crash has made is shown as done");
        }
        return {};
    }

    /// InnoDB's dictionary decides what tables there are; a .frm of another one is told of.
    Status find_lone_frms(
        const std::map<std::string, std::vector<const dict::SystemTableRow*>>& tables) {
        constexpr std::string_view kEnding = ".frm";
        ASSIGN_OR_RETURN(const std::vector<std::string> folders, directory_.list(""));
        for (const std::string& folder : folders) {
            if (!space::can_be_database(folder)) {
                continue;
            }
            if (const auto info = directory_.info(folder); !info || !info->is_directory) {
                continue;
            }
            ASSIGN_OR_RETURN(const std::vector<std::string> files, directory_.list(folder));
            for (const std::string& file : files) {
                if (!file.ends_with(kEnding) || file.starts_with("#sql")) {
                    continue;
                }
                const std::string name =
                    io::join(folder, file.substr(0, file.size() - kEnding.size()));
                if (tables.contains(name) || frm_places_.contains(name)) {
                    continue;
                }
                auto frm = read_frm(directory_, name);
                if (unfinished_.contains(name)) {
                    catalog_.refused.push_back(
                        {space::sql_name(name),
                         make_error(ErrorCode::NotFound,
                                    "a statement that the crash cut short was at this table, which "
                                    "InnoDB's dictionary does not have")
                             .with_file(name + ".frm")});
                } else if (!frm) {
                    catalog_.refused.push_back({space::sql_name(name), std::move(frm.error())});
                } else if (*frm && (*frm)->engine == "InnoDB") {
                    catalog_.refused.push_back(
                        {space::sql_name(name),
                         make_error(ErrorCode::NotFound,
                                    "InnoDB's dictionary has no such table, only its .frm is there")
                             .with_file(name + ".frm")});
                }
            }
        }
        return {};
    }

    /// null: not a table to be shown.
    Result<std::unique_ptr<dict::StoredTable>> make_table(
        const std::string& name, const std::vector<const dict::SystemTableRow*>& parts) {
        std::optional<Error> misfit;  // why the .frm is not gone by
        std::optional<dict::Frm> frm;
        if (auto found = find_frm(name)) {
            frm = std::move(*found);
        } else if (found.error().code() == ErrorCode::Corruption) {
            misfit = std::move(found.error());
        } else {
            return std::move(found.error());
        }
        if (!frm && !misfit && is_auxiliary(name) && scope_ == CatalogScope::Served) {
            return std::unique_ptr<dict::StoredTable>();
        }
        for (const dict::SystemTableRow* const part : parts) {
            if (part->discarded()) {
                return make_error(ErrorCode::NotFound, "its tablespace was discarded");
            }
        }
        auto built = dict::build_table(parts, frm ? &*frm : nullptr);
        if (!built && frm && (spaces_.needs_recovery() || ddl_interrupted_)) {
            RETURN_IF_ERROR(find_altered_frm(name, parts, frm, built));
        }
        if (!built && frm) {  // the dictionary decides
            misfit = std::move(built.error()).with_file(name + ".frm");
            frm.reset();
            built = dict::build_table(parts, nullptr);
        }
        ASSIGN_OR_RETURN(auto table, std::move(built));
        for (dict::StoredPart& part : table->parts) {
            RETURN_IF_ERROR(check_part(part));
        }
        if (misfit && scope_ == CatalogScope::All) {
            catalog_.refused.push_back({space::sql_name(name), std::move(*misfit)});
        } else if (misfit) {
            catalog_.notes.push_back(
                fmt::format("table {} is read as InnoDB's dictionary describes it, because {}",
                            space::sql_name(name), misfit->to_string()));
        } else if (!frm && scope_ == CatalogScope::Served) {
            catalog_.notes.push_back(fmt::format(
                "table {} has no .frm: the server shows no such table; it is read as InnoDB's "
                "dictionary describes it",
                space::sql_name(name)));
        }
        table->table.file = table->parts.front().file;
        if (frm) {
            table->table.create_statement =
                dict::show_create(table->table.name, *frm, extras_of(name, *table, *frm));
        }
        return table;
    }

    Result<std::optional<dict::Frm>> find_frm(const std::string& name) {
        const auto place = frm_places_.find(name);
        if (place == frm_places_.end()) {
            return read_frm(directory_, name);
        }
        return place->second ? read_frm(directory_, *place->second) : std::optional<dict::Frm>();
    }

    /// An ALTER TABLE that was committed when the server died may not have put its .frm in place
    /// yet: the server's DDL log then does so at the next start. It lies beside, as #sql-... .
    Status find_altered_frm(const std::string& name,
                            const std::vector<const dict::SystemTableRow*>& parts,
                            std::optional<dict::Frm>& frm,
                            Result<std::unique_ptr<dict::StoredTable>>& built) {
        const std::string folder = name.substr(0, name.find('/'));
        ASSIGN_OR_RETURN(const auto names, directory_.list(folder));
        for (const std::string& file : names) {
            if (!file.starts_with("#sql") || !file.ends_with(".frm")) {
                continue;
            }
            const std::string stem = file.substr(0, file.size() - std::string_view(".frm").size());
            auto other = read_frm(directory_, io::join(folder, stem));
            if (!other || !*other) {
                continue;
            }
            if (auto fits = dict::build_table(parts, &**other)) {
                frm = std::move(*other);
                built = std::move(fits);
                return {};
            }
        }
        return {};
    }

    dict::CreateExtras extras_of(const std::string& name, const dict::StoredTable& table,
                                 const dict::Frm& frm) const {
        dict::CreateExtras extras;
        extras.next_auto_increment = dict::next_auto_increment(frm, auto_increment_);
        for (const dict::ForeignKey& key : dictionary_.foreign_keys) {
            if (key.child == name) {
                extras.foreign_keys.push_back(foreign_key_text(key, table.table.database));
            }
        }
        return extras;
    }

    static std::string foreign_key_text(const dict::ForeignKey& key, const std::string& database) {
        const std::size_t id_slash = key.id.find('/');
        const std::size_t slash = key.parent.find('/');
        const std::string parent_database = space::decode_file_name(key.parent.substr(0, slash));
        std::string child_columns;
        std::string parent_columns;
        for (const auto& [child, parent] : key.columns) {
            child_columns += (child_columns.empty() ? "" : ", ") + dict::quote_name(child);
            parent_columns += (parent_columns.empty() ? "" : ", ") + dict::quote_name(parent);
        }
        std::string text = "CONSTRAINT " + dict::quote_name(key.id.substr(id_slash + 1)) +
                           " FOREIGN KEY (" + child_columns + ") REFERENCES ";
        if (parent_database != database) {
            text += dict::quote_name(parent_database) + ".";
        }
        text += dict::quote_name(space::decode_file_name(key.parent.substr(slash + 1))) + " (" +
                parent_columns + ")";
        // Bits: docs/formats/dictionary.md#sys_foreign.
        text += (key.flags & 1) != 0    ? " ON DELETE CASCADE"
                : (key.flags & 2) != 0  ? " ON DELETE SET NULL"
                : (key.flags & 16) != 0 ? " ON DELETE NO ACTION"
                                        : "";
        text += (key.flags & 4) != 0    ? " ON UPDATE CASCADE"
                : (key.flags & 8) != 0  ? " ON UPDATE SET NULL"
                : (key.flags & 32) != 0 ? " ON UPDATE NO ACTION"
                                        : "";
        return text;
    }

    /// Whether file and clustered root are those that the dictionary speaks of.
    Status check_part(dict::StoredPart& part) {
        if (part.space != kSystemSpace) {
            ASSIGN_OR_RETURN(part.file, spaces_.find(part.space, part.name));
        }
        ASSIGN_OR_RETURN(const space::SpaceHeader header, spaces_.header(part.space));
        const page::TablespaceFlags& flags = header.flags;
        const bool compressed = part.row_format == dict::RowFormat::Compressed;
        if (compressed != flags.row_compressed) {
            return make_error(ErrorCode::Corruption,
                              "the dictionary gives it another row format than its file")
                .with_file(part.file);
        }
        const dict::StoredIndex& clustered = part.indexes.front();
        std::vector<std::byte> page(flags.physical_page_size);
        const PageId root{part.space, clustered.root};
        Status read = spaces_.read(root, page);
        if (read && page::all_zero(page)) {
            read = corruption(root, "a page of zeros");
        }
        if (!read) {
            if (options_.skip_damaged && read.error().code() == ErrorCode::Corruption) {
                auto_increment_ = 0;  // not known
                return {};            // a scan will say what is lost
            }
            return std::move(read.error()).with_file(part.file);
        }
        const page::IndexHeaderView index(page);
        auto_increment_ = index.max_trx_id();
        if (!page::is_index_type(page::HeaderView(page).type()) ||
            index.index_id() != clustered.id ||
            index.compact() != (part.row_format != dict::RowFormat::Redundant)) {
            return corruption(root, "not the root of the table's clustered index")
                .with_file(part.file);
        }
        return {};
    }

    io::Directory& directory_;
    Spaces& spaces_;
    const undo::Transactions& transactions_;
    const DatabaseOptions& options_;
    const CatalogScope scope_;
    dict::Dictionary dictionary_;
    FrmPlaces frm_places_;
    bool ddl_interrupted_ = false;      // the server did not end orderly
    std::set<std::string> unfinished_;  // "db/t" that statements of DDL were at
    std::uint64_t auto_increment_ = 0;  // last value of the table checked last
    Catalog catalog_;
};

}  // namespace

Result<std::optional<dict::Frm>> read_frm(io::Directory& directory, const std::string& name) {
    auto text = directory.read_text(name + ".frm", kFrmMax);
    if (!text) {
        if (text.error().code() == ErrorCode::NotFound) {
            return std::optional<dict::Frm>();
        }
        return std::move(text.error());
    }
    const auto bytes = std::as_bytes(std::span<const char>(*text));
    if (dict::is_view(bytes)) {
        return std::optional<dict::Frm>();
    }
    auto frm = dict::decode_frm(bytes);
    if (!frm) {
        return std::move(frm.error()).with_file(name + ".frm");
    }
    return std::optional<dict::Frm>(std::move(*frm));
}

Result<Catalog> read_catalog(io::Directory& directory, Spaces& spaces,
                             const undo::Transactions& transactions, const DatabaseOptions& options,
                             CatalogScope scope) {
    return CatalogReader(directory, spaces, transactions, options, scope).run();
}

}  // namespace redoubt::engine
