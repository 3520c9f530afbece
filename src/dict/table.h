/// A table as its two dictionaries describe it together: InnoDB's own (tables, columns, indexes in
/// the system tablespace), which decides, and the .frm file, which knows types, labels, defaults
/// and character sets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace redoubt::dict {

struct Column {
    std::string name;       ///< UTF-8
    std::string type_text;  ///< as SHOW CREATE TABLE prints it: "int(11) unsigned", "enum('a','b')"
    std::string collation;  ///< "utf8mb4_general_ci"; "binary" or empty where there is none
    bool nullable = true;
    bool virtual_column = false;  ///< no record holds it
};

struct Index {
    std::string name;                       ///< "PRIMARY", "GEN_CLUST_INDEX", ...
    std::vector<std::size_t> columns = {};  ///< positions in Table::columns, in key order
    bool clustered = false;
    bool unique = false;
    /// Entries can be looked up by ranges of the first columns: comparison is known exactly.
    bool searchable = false;
    /// A scan gives its rows in the key's order. False of partitioned tables: there it gives one
    /// partition after the other, each in order.
    bool ordered = true;
    /// So many of the first columns are whole and ascending, and compared as bytes or numbers: the
    /// key's order is theirs. Behind them come prefixes, descending columns and collations.
    std::size_t whole_columns = SIZE_MAX;
};

struct Table {
    std::string database;  ///< UTF-8
    std::string name;      ///< UTF-8
    std::string
        file;  ///< relative to the data directory: "db/t.ibd"; empty: in the system tablespace
    SpaceId space;
    std::vector<Column> columns;   ///< in SQL order, invisible ones included
    std::vector<Index> indexes;    ///< the clustered one first
    std::string create_statement;  ///< as SHOW CREATE TABLE; empty where there is no .frm
    /// Of a system-versioned table: the column with the end of a row's life. Rows that have ended
    /// are its history, which the server shows only when asked (engine::Scan::history).
    std::optional<std::size_t> row_end = std::nullopt;
};

}  // namespace redoubt::dict
