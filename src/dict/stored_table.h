/// A table ready to be read: what SQL sees of it, and for each of its parts (partitions; else one)
/// where its trees are and how their records lie. Made of both dictionaries.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "dict/dictionary.h"
#include "dict/frm.h"
#include "dict/table.h"
#include "record/layout.h"

namespace redoubt::dict {

struct StoredIndex {
    std::uint64_t id = 0;
    PageNo root;
    record::RecordLayout layout = {};
};

/// An R-tree: each row's box, then the key of the clustered index.
struct StoredSpatial {
    std::string name;
    StoredIndex index;
};

/// One InnoDB table: the whole, or one partition.
struct StoredPart {
    std::string name;  ///< "db/t#P#p0", file-name encoded
    std::uint64_t id = 0;
    SpaceId space;
    std::string file = {};  ///< as Table::file
    RowFormat row_format = RowFormat::Dynamic;
    std::vector<StoredIndex> indexes = {};            ///< as Table::indexes
    std::vector<StoredSpatial> spatial_indexes = {};  ///< not served to readers
    /// Stored columns in the dictionary's order, for the record of instant changes: what a field
    /// that holds the whole column looks like.
    std::vector<record::FieldLayout> columns = {};
};

struct StoredTable {
    Table table;
    std::vector<record::ColumnType> types;  ///< by column of `table`
    std::vector<StoredPart> parts;
};

/// Joins the parts' rows with the .frm (null: there is none; then columns are as InnoDB knows
/// them). `create_statement` and files are left empty. All parts are of one table. Errors:
/// Corruption, naming what does not fit.
Result<std::unique_ptr<StoredTable>> build_table(std::vector<const SystemTableRow*> parts,
                                                 const Frm* frm);

}  // namespace redoubt::dict
