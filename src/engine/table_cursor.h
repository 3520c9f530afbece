/// Rows of one table through one of its indexes, as their newest committed versions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "btree/blob.h"
#include "btree/buffered_changes.h"
#include "btree/tree.h"
#include "dict/stored_table.h"
#include "engine/database.h"
#include "engine/spaces.h"
#include "record/decode.h"
#include "undo/versions.h"

namespace redoubt::engine {

/// What was left out of an answer because it could not be read.
struct LostPages {
    virtual ~LostPages() = default;
    virtual void lose(const dict::StoredTable& table, const dict::StoredPart& part,
                      const btree::PassedPage& page) = 0;
    /// One row, whose record begins at byte `origin` of the page.
    virtual void lose_row(const dict::StoredTable& table, PageId page, std::size_t origin,
                          const Error& why) = 0;
};

struct CursorContext {
    Spaces& spaces;
    const undo::Transactions& transactions;
    bool read_uncommitted = false;
    bool changes_buffered = false;  ///< the change buffer is not empty
    bool read_ahead = false;        ///< scans may use another thread
    LostPages* lost = nullptr;      ///< null: damage ends a scan
    const base::CancelToken* cancel = nullptr;
};

class TableCursor final : public Cursor {
public:
    TableCursor(const CursorContext& context, const dict::StoredTable& table, const Scan& scan);
    /// Before the first next(). Errors: Unsupported, Corruption, Io, Key.
    Status start();
    Result<bool> next() override;
    Result<const record::Value*> value(std::size_t position) override;
    bool uncommitted() const override { return uncommitted_; }

private:
    /// One column that is asked for.
    struct Column {
        std::size_t field = record::kNoField;  // in the clustered index
        std::unique_ptr<record::ValueDecoder> decoder;
        std::string whole;  // of a value with an off-page part
    };
    struct Bound {
        bool given = false;
        bool inclusive = true;
        std::vector<std::string> bytes;
        std::vector<record::Field> key;
    };

    void make_bound(const std::optional<KeyBound>& from, Bound& bound) const;
    Status open_part();
    bool has_virtual_column() const;  // the index that is read
    Result<btree::Tree> tree_of(const dict::StoredIndex& index) const;
    Status find_fields();
    Status position();
    Result<bool> step();
    bool may_lose(const Error& why) const;
    Status skip_damage(Error why);
    Status start_part();
    /// The current record of the scanned index as a row; false: it is none.
    Result<bool> settle();
    Result<bool> settle_whole();
    Result<bool> settle_clustered(btree::TreeReader& reader);
    Result<bool> settle_secondary();
    Result<bool> find_clustered();
    Result<bool> same_key();
    Result<record::Field> beginning_of(const record::Field& field, std::size_t size);
    Result<bool> has_ended();
    const Bound& end() const { return scan_.descending ? lower_ : upper_; }
    Result<bool> beyond_end();
    Result<bool> before_start();
    Result<std::optional<int>> order_to(const Bound& bound);
    Result<std::span<const std::byte>> whole_value(const record::Field& field, Column& column);
    btree::TreeReader& clustered() { return lookup_ != nullptr ? *lookup_ : *reader_; }
    const dict::StoredPart& part() const { return table_.parts[part_]; }

    CursorContext context_;
    const dict::StoredTable& table_;
    Scan scan_;
    Bound lower_;
    Bound upper_;
    undo::Versions versions_;
    std::vector<std::size_t> slot_of_;  // by column of the table; kNoField: not asked for
    std::vector<Column> columns_;
    std::size_t end_field_ = record::kNoField;  // of the clustered index: when the row ended
    std::size_t field_count_ = 0;               // of the clustered index that must be parsed

    std::size_t part_ = 0;
    bool done_ = false;
    bool passes_to_start_ = false;  // what lies before the first bound is read and passed over
    record::RecordLayout clustered_layout_;
    record::RecordLayout index_layout_;
    std::unique_ptr<btree::BufferedChanges> changes_;
    std::unique_ptr<btree::TreeReader> reader_;  // of the scanned index
    std::unique_ptr<btree::TreeReader> lookup_;  // of the clustered one, if that is another
    std::unique_ptr<btree::BlobReader> blobs_;
    std::vector<record::Field> fields_;      // of the clustered record
    std::vector<record::Field> key_fields_;  // of the secondary entry
    bool parsed_ = false;
    std::string beginning_;   // of an off-page column, to compare
    bool whole_row_ = false;  // fields_ has all fields of the version that counts
    bool uncommitted_ = false;
};

}  // namespace redoubt::engine
