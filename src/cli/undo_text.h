/// Undo pages in words: the undo logs that begin on a page, and its records.
/// Format: docs/formats/undo.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/index_text.h"
#include "cli/output.h"
#include "undo/transactions.h"

namespace redoubt::cli {

/// The header of an undo log.
struct ShownLog {
    std::size_t offset = 0;
    std::uint64_t trx_id = 0;
    std::uint64_t trx_no = 0;  ///< 0 until the transaction commits
    bool needs_purge = false;  ///< InnoDB: has delete marks
    bool dictionary = false;
    std::uint16_t first_record = 0;
    std::uint16_t next_log = 0;
    std::uint16_t previous_log = 0;
    bool xid_exists = false;
    std::optional<undo::Xid> xid = std::nullopt;
    std::string history;  ///< neighbours in the history list
};

struct ShownUndoRecord {
    std::size_t offset = 0;
    std::size_t next = 0;
    std::string type;
    std::uint64_t number = 0;
    std::uint64_t table_id = 0;
    std::string table = {};        ///< where it is known
    std::vector<Fact> facts = {};  ///< transaction, pointer to the version before
    std::vector<ShownField> key = {};
    std::vector<ShownField> changed = {};  ///< the values before the change
    std::vector<ShownField> indexed = {};  ///< values that secondary indexes have of it
    std::string rest = {};                 ///< hex of what could not be told apart
    std::string problem = {};
};

/// Definitions of clustered indexes by table id; null: not known.
using TableLookup = std::function<std::shared_ptr<const IndexDefinition>(std::uint64_t)>;

struct ShownUndo {
    std::vector<ShownLog> logs;
    std::vector<ShownUndoRecord> records;
    std::vector<std::string> problems;
};

/// `page`: of type UndoLog, at least 4096 bytes. Any bytes are safe. Without `with_records` the
/// logs only.
ShownUndo show_undo(std::span<const std::byte> page, bool with_records, const TableLookup& lookup);

std::string undo_text(const ShownUndo& shown, bool with_records);
Json undo_json(const ShownUndo& shown, bool with_records);

}  // namespace redoubt::cli
