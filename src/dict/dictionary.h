/// InnoDB's own dictionary, as its newest committed state: tables, columns, indexes and their
/// fields. Format: docs/formats/dictionary.md.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "page/dictionary_header.h"
#include "record/layout.h"
#include "space/page_source.h"
#include "undo/versions.h"

namespace redoubt::dict {

/// Column of SYS_COLUMNS. MTYPE and PRTYPE: docs/formats/dictionary.md#types.
struct SystemColumn {
    std::uint32_t position = 0;
    std::string name;
    std::uint32_t main_type = 0;
    std::uint32_t precise_type = 0;
    std::uint32_t length = 0;
    bool virtual_column() const { return (precise_type & 0x2000) != 0; }
    bool nullable() const { return (precise_type & 0x100) == 0; }
};

struct SystemIndexField {
    std::string column;
    std::uint16_t prefix = 0;  ///< bytes; 0 = whole
    bool descending = false;
};

struct SystemIndex {
    std::uint64_t id = 0;
    std::string name;  ///< begins with 0xFF while ALTER TABLE makes it
    std::uint32_t type = 0;
    SpaceId space;
    PageNo root;
    std::vector<SystemIndexField> fields;
    bool clustered() const { return (type & 1) != 0; }
    bool unique() const { return (type & 2) != 0; }
    /// FULLTEXT, SPATIAL, or one that the server marked as corrupt: no tree of rows in order.
    bool is_tree() const { return (type & (32 | 64)) == 0; }
    /// And not marked as corrupt.
    bool spatial() const { return (type & (16 | 32 | 64)) == 64; }
};

/// SYS_VIRTUAL: a stored column that a virtual column is computed from.
struct VirtualBase {
    std::uint32_t position = 0;  ///< of the virtual column, as SystemColumn::position
    std::uint32_t base = 0;      ///< of the stored one
};

enum class RowFormat : std::uint8_t { Redundant, Compact, Dynamic, Compressed };

struct SystemTableRow {
    std::string name;  ///< "db/t", file-name encoded
    std::uint64_t id = 0;
    std::uint32_t column_counts = 0;  ///< N_COLS as stored
    std::uint32_t type = 0;
    std::uint32_t mix_length = 0;
    SpaceId space;
    std::vector<SystemColumn> columns;
    std::vector<SystemIndex> indexes;  ///< in order of id: the clustered one first
    std::vector<VirtualBase> virtual_bases = {};

    RowFormat row_format() const;
    bool temporary() const { return (mix_length & 1) != 0; }
    bool discarded() const { return (mix_length & 32) != 0; }
};

/// A foreign key. Names as stored: "db/child", file-name encoded.
struct ForeignKey {
    std::string id;  ///< "db/constraint"
    std::string child;
    std::string parent;
    std::uint32_t flags = 0;  ///< what is done on DELETE and UPDATE: the high byte of N_COLS
    std::vector<std::pair<std::string, std::string>> columns;  ///< child's, parent's
};

struct Dictionary {
    std::vector<SystemTableRow> tables;    ///< in order of name
    std::vector<ForeignKey> foreign_keys;  ///< in order of id
};

/// The four tables whose places are in the dictionary header, as rows of SYS_TABLES would have them
/// (which have none of them).
std::vector<SystemTableRow> core_tables(const page::DictionaryHeaderView& header);

/// `versions` null: rows as they are, committed or not. Errors: Corruption with the page; Io; Key.
Result<Dictionary> read_dictionary(space::PageSource& source, std::uint32_t page_size,
                                   undo::Versions* versions,
                                   const base::CancelToken* cancel = nullptr);

}  // namespace redoubt::dict
