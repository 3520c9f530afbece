/// ddl.log: what the server notes of DDL, on tables of any engine, while it holds a backup stage;
/// and what that makes of copies taken meanwhile. Format: docs/formats/backup.md#ddllog.
///   R1  A line that begins at or after the size that the log had when a table's files were opened
///   (under BACKUP LOCK) tells of something later than the copy; the lines before it, of something
///   earlier. So every copy is judged by the lines that concern it, in whatever stage it was made.
///   R2  The log only says which copies are no longer good. What is to be in the backup is what is
///   in the data directory when DDL is blocked: a database made and dropped meanwhile, a line that
///   the server did not write or a table twice renamed change nothing in that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace redoubt::backup {

inline constexpr const char* kDdlLogFile = "ddl.log";

struct DdlTable {
    std::string engine;  ///< "Aria"; "DATABASE", "VIEW", "TRIGGER" for what is no table
    bool partitioned = false;
    std::string name;  ///< "db/t", or "db" of a database; encoded as in file names
    std::string id;    ///< the uuid in its .frm
};

struct DdlEvent {
    std::uint64_t offset = 0;  ///< of its line in the file
    std::string type;          ///< "CREATE", "RENAME", "optimize", ...
    DdlTable before;
    DdlTable after;  ///< all empty where the statement has only one table
};

/// `text` begins at byte `offset` of the file. A last line without a newline is being written and
/// is left out. Errors: Corruption (a line that has not the fields of one).
Result<std::vector<DdlEvent>> parse_ddl_log(std::string_view text, std::uint64_t offset);

/// A table as it was copied.
struct DdlCopy {
    std::string table;             ///< "db/t"
    std::uint64_t log_offset = 0;  ///< size of the log when its files were opened
    /// Made while DDL was blocked: a bulk load whose line was there by then is in it. An earlier
    /// copy of a bulk loaded table is of no use, since such a load writes no redo and BACKUP LOCK
    /// does not exclude it.
    bool ddl_blocked = false;
};

/// The name that each of `copies` has now; empty where the table was dropped or changed since, so
/// that the copy is of no use. `events`: in the log's order.
std::vector<std::string> names_after(const std::vector<DdlCopy>& copies,
                                     const std::vector<DdlEvent>& events);

}  // namespace redoubt::backup
