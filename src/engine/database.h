/// Reads the tables of a data directory or a backup, in whatever state it is: cleanly stopped,
/// crashed, copied, prepared. Nothing on disk changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "dict/table.h"
#include "io/file.h"
#include "record/value.h"
#include "space/directory_options.h"

namespace redoubt::engine {

/// One end of a range of an index: the first values.size() columns of its key compared with these.
struct KeyBound {
    std::vector<record::Value> values;
    bool inclusive = true;
};

struct Scan {
    const dict::Table* table = nullptr;
    std::size_t index = 0;  ///< of Table::indexes; 0 is the clustered one
    /// Positions in Table::columns of what value() will be asked for; the rest is not decoded.
    std::vector<std::size_t> columns = {};
    /// A hint: rows outside may come too (where a bound cannot be compared exactly), rows inside
    /// always come.
    std::optional<KeyBound> lower = {};
    std::optional<KeyBound> upper = {};
    bool descending = false;
    bool history = false;  ///< of a system-versioned table: rows that have ended, too
};

/// Rows in the index's order.
class Cursor {
public:
    virtual ~Cursor() = default;
    /// Moves to the next row, at first to the first one; false: there is none. Errors: Corruption
    /// with the page (what came before is right), Io, Key, Cancelled.
    virtual Result<bool> next() = 0;
    /// Of the current row, valid until next(). `position` is one of Scan::columns. Errors:
    /// Corruption of an off-page column, Io, Key.
    virtual Result<const record::Value*> value(std::size_t position) = 0;
    /// A change that was never committed (only under read_uncommitted).
    virtual bool uncommitted() const = 0;
};

struct DatabaseOptions : space::DirectoryOptions {
    bool read_uncommitted = false;
    bool skip_damaged = false;  ///< go on past damaged pages; lost() says what was left out
};

struct RefusedTable {
    std::string name;  ///< "db.t"
    Error reason;
};

class Database {
public:
    virtual ~Database() = default;
    /// In order of database and name. The pointers live as long as the database.
    virtual std::span<const dict::Table* const> tables() const = 0;
    /// Tables that cannot be served, and why; the others are.
    virtual std::span<const RefusedTable> refused() const = 0;
    /// What the user should know of the directory: "crashed; read as recovery would leave it", ...
    virtual std::span<const std::string> notes() const = 0;
    /// Errors: Corruption (a root that does not fit), Io, Key. Cursors are used by one thread each.
    virtual Result<std::unique_ptr<Cursor>> open(const Scan& scan) = 0;
    /// Rows of the table, without decoding them. Errors: as Cursor::next.
    virtual Result<std::uint64_t> count(const dict::Table& table) = 0;
    /// Under skip_damaged: what could not be read, in words, with file and page.
    virtual std::vector<std::string> lost() const = 0;
};

/// Of the tables at `directory`. Errors: NotFound, Io, Refused (in use), Key, Unsupported (redo log
/// of another format), Corruption where the dictionary itself cannot be read.
Result<std::unique_ptr<Database>> open_database(io::Directory& directory,
                                                const DatabaseOptions& options);

/// Of one table's file (`file` in `directory`, e.g. "t.ibd") with the .frm beside it. Rows are as
/// they are stored: what lies in redo and undo logs elsewhere is not known. Errors: as
/// open_lone_table.
Result<std::unique_ptr<Database>> open_lone_file(io::Directory& directory, const std::string& file,
                                                 const std::string& database,
                                                 const DatabaseOptions& options);

}  // namespace redoubt::engine
