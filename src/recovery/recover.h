/// Crash recovery in place: brings a data directory to the state the server itself would reach, as
/// `mariadb-backup --prepare` leaves one (redo applied, the log clean; incomplete transactions
/// still in the undo logs).
///   V1  Until everything that can be checked beforehand is checked, nothing is changed.
///   V2  The old checkpoint counts until all recovered pages, sizes and names are durable; then one
///   write of a block (or one rename, of a new log) makes the new one count. So a recovery that was
///   interrupted anywhere can be run again, and ends in the same pages.
///   V3  What was found counts as durable only once this run has synced it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"
#include "space/directory_options.h"

namespace redoubt::recovery {

struct Analysis;

struct RecoverOptions : space::DirectoryOptions {
    /// A backup of chosen tables: the log names others, whose files are not missed.
    bool partial = false;
    /// Where the log is known to end (a backup says so), for the progress; 0 = not known.
    Lsn expected_end = Lsn{0};
    std::size_t open_files_max = 0;  ///< of tablespaces; 0 = io::open_files_share()
    /// Called once all that can be checked is checked (V1) and before the first change; an error
    /// ends the run.
    std::function<Status(const Analysis&)> before_changes;
    base::Progress* progress = nullptr;
    const base::CancelToken* cancel = nullptr;
};

struct RecoverReport {
    bool was_clean = false;
    Lsn checkpoint;
    Lsn end;
    std::uint64_t redo_bytes = 0;
    std::uint64_t mtr_count = 0;
    std::uint64_t record_count = 0;
    std::uint64_t pages_applied = 0;      ///< changed by redo
    std::uint64_t pages_initialised = 0;  ///< of these, made by the log alone
    std::uint64_t pages_freed = 0;        ///< free at the end: left alone
    std::uint64_t pages_written = 0;
    std::uint64_t bytes_written = 0;  ///< to tablespaces; the journal not counted
    std::uint32_t tablespaces = 0;    ///< with redo
    std::uint64_t doublewrite_restored = 0;
    std::uint32_t batches = 0;  ///< passes over the log that the memory cap forced
    std::vector<std::string> notes;
    std::vector<std::string> created_files;
    std::vector<std::string> renamed_files;  ///< "old -> new"
    double scan_seconds = 0;
    double apply_seconds = 0;
    double sync_seconds = 0;
};

/// Errors: as analyse(); Corruption for a page that neither redo nor doublewrite can make whole;
/// Io, NoSpace (run again after freeing space), Cancelled (run again).
Result<RecoverReport> recover(io::Directory& directory, const RecoverOptions& options);

}  // namespace redoubt::recovery
