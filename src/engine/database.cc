#include "engine/database.h"

#include <algorithm>
#include <map>

#include "base/mutex.h"
#include "btree/buffered_changes.h"
#include "engine/binlog.h"
#include "engine/catalog.h"
#include "engine/lone_table.h"
#include "engine/spaces.h"
#include "engine/table_cursor.h"

namespace redoubt::engine {
namespace {

constexpr std::size_t kLostMax = 1000;  // things left out that are told one by one

class OpenDatabase final : public Database, private LostPages {
public:
    OpenDatabase(io::Directory& directory, const DatabaseOptions& options)
        : directory_(directory), options_(options) {}

    Status open() {
        ASSIGN_OR_RETURN(spaces_, Spaces::open(directory_, options_));
        ASSIGN_OR_RETURN(transactions_, undo::Transactions::read(*spaces_, spaces_->page_size()));
        RETURN_IF_ERROR(resolve_prepared());
        add_notes();
        ASSIGN_OR_RETURN(changes_buffered_,
                         btree::has_buffered_changes(*spaces_, spaces_->page_size()));
        ASSIGN_OR_RETURN(catalog_, read_catalog(directory_, *spaces_, transactions_, options_));
        notes_.insert(notes_.end(), catalog_.notes.begin(), catalog_.notes.end());
        list_tables();
        return {};
    }

    Status open_alone(const std::string& file, const std::string& database) {
        ASSIGN_OR_RETURN(LoneTable lone, open_lone_table(directory_, file, database, options_));
        spaces_ = std::move(lone.spaces);
        catalog_ = std::move(lone.catalog);
        notes_.emplace_back(
            "a file alone: rows are as it holds them, changes of transactions that had not ended "
            "among them; what a redo log has for it is not applied");
        list_tables();
        return {};
    }

    std::span<const dict::Table* const> tables() const override { return tables_; }
    std::span<const RefusedTable> refused() const override { return catalog_.refused; }
    std::span<const std::string> notes() const override { return notes_; }

    Result<std::unique_ptr<Cursor>> open(const Scan& scan) override {
        const dict::StoredTable* const table = find(scan.table);
        if (table == nullptr) {
            return make_error(ErrorCode::Internal, "a scan of a table of another database");
        }
        auto cursor = std::make_unique<TableCursor>(context(), *table, scan);
        RETURN_IF_ERROR(cursor->start());
        return std::unique_ptr<Cursor>(std::move(cursor));
    }

    Result<std::uint64_t> count(const dict::Table& table) override {
        ASSIGN_OR_RETURN(const auto cursor, open(Scan{.table = &table}));
        std::uint64_t rows = 0;
        for (;;) {
            ASSIGN_OR_RETURN(const bool more, cursor->next());
            if (!more) {
                return rows;
            }
            ++rows;
        }
    }

    std::vector<std::string> lost() const override {
        const base::MutexLock lock(mutex_);
        return lost_;
    }

private:
    void list_tables() {
        for (const auto& table : catalog_.tables) {
            for (dict::Index& index : table->table.indexes) {
                // What is damaged in another index then loses no row of the table.
                index.searchable = index.searchable && (index.clustered || !options_.skip_damaged);
            }
            tables_.push_back(&table->table);
            by_table_.emplace(&table->table, table.get());
        }
    }

    CursorContext context() {
        return {.spaces = *spaces_,
                .transactions = transactions_,
                .read_uncommitted = options_.read_uncommitted,
                .changes_buffered = changes_buffered_,
                .read_ahead = options_.threads > 1,
                .lost = options_.skip_damaged ? this : nullptr,
                .cancel = options_.cancel};
    }

    const dict::StoredTable* find(const dict::Table* table) const {
        const auto found = by_table_.find(table);
        return found == by_table_.end() ? nullptr : found->second;
    }

    void lose(const dict::StoredTable& table, const dict::StoredPart& part,
              const btree::PassedPage& page) override {
        const std::string& file = part.file.empty() ? table.table.file : part.file;
        const std::string name = fmt::format("page {} of {}", page.page.value, file);
        const std::string what = page.loss == btree::PassedPage::Loss::Rows ? "rows of " + name
                                 : page.loss == btree::PassedPage::Loss::Below
                                     ? "rows that only " + name + " leads to"
                                     : "no rows, but " + name + " is damaged";
        note_lost(fmt::format("table {}.{}: {}: {}", table.table.database, table.table.name, what,
                              page.why.message()));
    }
    void lose_row(const dict::StoredTable& table, PageId page, std::size_t origin,
                  const Error& why) override {
        const std::string where =
            why.page() ? fmt::format(" (page {})", why.page()->value) : std::string();
        note_lost(fmt::format("table {}.{}: the row at byte {} of page {} of {}: {}{}",
                              table.table.database, table.table.name, origin, page.page.value,
                              table.table.file, why.message(), where));
    }
    void note_lost(std::string text) {
        const base::MutexLock lock(mutex_);
        if (std::find(lost_.begin(), lost_.end(), text) != lost_.end()) {
            return;
        }
        if (lost_.size() < kLostMax) {
            lost_.push_back(std::move(text));
        } else if (lost_.size() == kLostMax) {
            lost_.push_back(fmt::format("and more: only the first {} are told", kLostMax));
        }
    }

    /// Transactions that the two-phase commit with the binary log left prepared.
    Status resolve_prepared() {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> waiting;  // id, number in the log
        for (const auto& [id, transaction] : transactions_.open()) {
            if (const auto number = transaction.xid ? transaction.xid->binlog_number()
                                                    : std::optional<std::uint64_t>();
                transaction.prepared && number) {
                waiting.emplace_back(id, *number);
            }
        }
        if (waiting.empty()) {
            return {};
        }
        auto committed = read_binlog_commits(directory_);
        if (!committed) {
            notes_.push_back(
                "the binary log cannot be read, so it is not known whether some "
                "transactions were committed: " +
                committed.error().to_string());
            return {};
        }
        std::size_t count = 0;
        for (const auto& [id, number] : waiting) {
            if (*committed && (*committed)->transactions.contains(number)) {
                transactions_.commit(id);
                ++count;
            }
        }
        if (!*committed) {
            notes_.push_back(
                "there is no binary log here: transactions that only it could say "
                "were committed count as not committed");
        } else if (count > 0) {
            notes_.push_back(fmt::format(
                "{} prepared transactions are committed, as the binary log has them", count));
        }
        return {};
    }

    void add_notes() {
        if (spaces_->needs_recovery()) {
            notes_.push_back(
                fmt::format("the server did not shut down cleanly: read as recovery would leave "
                            "it, at lsn {}",
                            spaces_->end_lsn().value));
        }
        std::size_t prepared = 0;
        std::size_t active = 0;
        for (const auto& [_, transaction] : transactions_.open()) {
            ++(transaction.prepared ? prepared : active);
        }
        const std::string_view outcome =
            options_.read_uncommitted ? "their changes are shown" : "their changes are left out";
        if (active > 0) {
            notes_.push_back(
                fmt::format("{} transactions had not been committed: {}", active, outcome));
        }
        if (prepared > 0) {
            notes_.push_back(fmt::format("{} transactions were prepared and not committed: {}",
                                         prepared, outcome));
        }
    }

    io::Directory& directory_;
    DatabaseOptions options_;
    std::unique_ptr<Spaces> spaces_;
    undo::Transactions transactions_;
    bool changes_buffered_ = false;
    Catalog catalog_;
    std::vector<const dict::Table*> tables_;
    std::map<const dict::Table*, const dict::StoredTable*> by_table_;
    std::vector<std::string> notes_;
    mutable base::Mutex mutex_;
    std::vector<std::string> lost_ GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<Database>> open_database(io::Directory& directory,
                                                const DatabaseOptions& options) {
    auto database = std::make_unique<OpenDatabase>(directory, options);
    RETURN_IF_ERROR(database->open());
    return std::unique_ptr<Database>(std::move(database));
}

Result<std::unique_ptr<Database>> open_lone_file(io::Directory& directory, const std::string& file,
                                                 const std::string& database,
                                                 const DatabaseOptions& options) {
    auto opened = std::make_unique<OpenDatabase>(directory, options);
    RETURN_IF_ERROR(opened->open_alone(file, database));
    return std::unique_ptr<Database>(std::move(opened));
}

}  // namespace redoubt::engine
