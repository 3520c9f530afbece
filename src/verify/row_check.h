/// Level rows: every entry of every secondary index belongs to a row, and every row has its entry,
/// byte for byte; what is marked as deleted, an undo log speaks of. One pass over each tree, in
/// memory that does not grow with the table: entries are summed up by hash in buckets; only where
/// sums differ is a bucket looked at again.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/cancel.h"
#include "btree/blob.h"
#include "btree/buffered_changes.h"
#include "btree/tree.h"
#include "record/layout.h"
#include "space/page_source.h"
#include "undo/pending_rows.h"
#include "undo/transactions.h"
#include "verify/verify.h"

namespace redoubt::verify {

/// A tree of the table, whole in itself.
struct RowTree {
    btree::Tree tree;
    const record::RecordLayout* layout = nullptr;
    std::vector<PageNo> leaves = {};  ///< of an R-tree: all of them
};

struct RowProblem {
    std::string_view kind;             ///< as Finding::kind; lives for ever
    std::optional<std::size_t> index;  ///< of the secondary trees; none: the clustered one
    PageNo page;                       ///< of the entry, or of the row that has none
    std::string message;
    Severity severity = Severity::Damage;
};

/// Why an index was not compared.
struct RowGap {
    std::size_t index = 0;
    std::string_view why;
};

class RowChecker {
public:
    using Report = std::function<void(RowProblem)>;
    /// All outlive this.
    RowChecker(space::PageSource& source, const RowTree& clustered,
               const std::vector<RowTree>& secondaries, const undo::Transactions& transactions,
               Report report, const base::CancelToken* cancel);
    /// Errors: Corruption and others of reading a tree; Cancelled.
    Status run();
    /// Before run(): indexes are seen with the changes that wait for them. Outlives this.
    void add_changes(btree::BufferedChanges* changes) { changes_ = changes; }
    /// Before run(): what is marked as deleted must be in `pending`, of table `table_id`. Outlives
    /// this.
    void add_pending(const undo::PendingRows* pending, std::uint64_t table_id,
                     const undo::PendingRows::Key& key) {
        pending_ = pending;
        pending_key_ = key;
        table_id_ = table_id;
    }
    const std::vector<RowGap>& gaps() const { return gaps_; }

private:
    static constexpr std::size_t kBuckets = 4096;
    /// Where the entries' fields come from, and what was summed up.
    struct Index {
        RowTree tree;
        std::vector<std::size_t> from;  // field of the clustered index, by field of this one
        std::vector<std::size_t> key;   // field of this index, by key field of the clustered one
        bool compared = true;
        std::vector<std::uint64_t> sums = {};   // entries less rows, by bucket
        std::vector<std::int64_t> counts = {};  // entries less rows, by bucket
    };
    struct Entry {
        PageNo page;
        std::size_t origin;
    };
    /// Records of one tree that are marked as deleted, and that no undo log speaks of.
    struct Orphans {
        std::uint64_t count = 0;
        Entry first{};
    };

    bool plan(Index& index);
    using EachEntry =
        std::function<void(std::uint64_t key, std::uint64_t entry, const Entry& where)>;
    /// `orphans` null: not looked for.
    Status read_rows(const std::function<Status(std::uint64_t key, btree::TreeReader&)>& each,
                     Orphans* orphans);
    Status read_entries(const Index& index, const EachEntry& each, Orphans* orphans);
    void take_entry(const Index& index, std::span<const record::Field> fields, const Entry& where,
                    const EachEntry& each);
    void take_mark(std::span<const record::Field> key, const Entry& where, Orphans& orphans) const;
    void take_mark(const Index& index, std::span<const record::Field> fields, const Entry& where,
                   Orphans* orphans);
    void tell_orphans(std::optional<std::size_t> index, const Orphans& orphans) const;
    Status read_spatial(const Index& index, const EachEntry& each, Orphans* orphans);
    Status append_box(std::size_t from, std::string& out);
    Result<std::uint64_t> entry_of_row(const Index& index);
    Status name_differences(std::size_t number);
    Status append_field(const record::FieldLayout& to, std::size_t from, std::string& out);
    std::uint64_t key_of_row() const;

    space::PageSource& source_;
    RowTree clustered_;
    std::vector<Index> indexes_;
    const undo::Transactions& transactions_;
    Report report_;
    const base::CancelToken* cancel_;
    btree::BlobReader blobs_;
    btree::BufferedChanges* changes_ = nullptr;
    const undo::PendingRows* pending_ = nullptr;
    undo::PendingRows::Key pending_key_;
    std::uint64_t table_id_ = 0;
    std::unordered_set<std::uint64_t> doubtful_;  // rows of transactions that had not ended
    bool too_many_doubtful_ = false;
    std::vector<record::Field> row_;
    std::vector<record::Field> key_;
    mutable std::string scratch_;
    std::string blob_;
    std::vector<RowGap> gaps_;
};

}  // namespace redoubt::verify
