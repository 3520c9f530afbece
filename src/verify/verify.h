/// Proves files whole: read-only checks of a file, a data directory or a backup, with every finding
/// named. What doublewrite or redo will heal is a note; what they can't is damage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"
#include "space/directory_options.h"
#include "verify/contents.h"

namespace redoubt::verify {

enum class Severity : std::uint8_t { Note, Warning, Damage };
std::string_view name_of(Severity severity);

/// (The braces let designated initialisers leave members out.)
struct Finding {
    /// One word with dashes, e.g. "page-corrupt", "torn-page", "wrong-space-id".
    std::string kind = {};
    Severity severity = Severity::Damage;
    std::string file = {};   ///< relative to the directory: "db/t.ibd"
    std::string table = {};  ///< SQL name, where known
    std::string index = {};
    std::optional<SpaceId> space = {};
    std::optional<PageNo> page = {};
    std::optional<Lsn> lsn = {};
    std::string message = {};
};

struct VerifyOptions : space::DirectoryOptions {
    std::vector<std::string> levels{"files", "pages"};
    Lsn redo_needed;        ///< of a backup: where its log must reach; 0 = not known
    bool partial = false;   ///< a backup of chosen tables: others are not missed
    bool contents = false;  ///< fill VerifyReport::contents
    /// "db.t": levels trees and rows leave out the tables before it, in order of name, and the
    /// system tablespace: to go on where an earlier run was interrupted.
    std::string from_table = {};
};

struct VerifyReport {
    std::vector<Finding> findings;
    std::uint64_t files = 0;
    std::uint64_t pages = 0;
    std::uint64_t bytes = 0;
    std::uint64_t tables = 0;  ///< whose trees were checked; partitions count each
    std::uint64_t trees = 0;
    std::uint64_t records = 0;  ///< in their leaves
    std::uint64_t zero_pages = 0;
    std::uint64_t free_pages = 0;
    std::uint64_t not_checked_pages =
        0;  ///< content unseen for want of a key (the stored checksum was checked)
    std::vector<std::string> missing_keys;  ///< "key 3 (db/t.ibd, ...)"
    bool needs_recovery = false;
    std::uint32_t page_size = 0;  ///< bytes, of the instance; 0 = not known
    Lsn checkpoint;
    Lsn end;
    double seconds = 0;
    /// Cancelled while tables were checked: the rest of this is what was found until then, and the
    /// hint says which table to go on with.
    std::optional<Error> ended_early;
    std::optional<Contents> contents = {};  ///< if VerifyOptions ask for it
    bool damaged() const;
};

/// A data directory or a backup. Errors: as verify_path.
Result<VerifyReport> verify_directory(io::Directory& directory, const VerifyOptions& options);
/// `operand`: a tablespace file, a data directory or a backup. Errors: NotFound, Io, Refused (in
/// use), Usage (unknown level), Unsupported, Cancelled. Damage is not an error: it is in the
/// report.
Result<VerifyReport> verify_path(const std::string& operand, const VerifyOptions& options);

}  // namespace redoubt::verify
