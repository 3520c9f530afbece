/// Reads the redo log once from the checkpoint to its end: checks every mini-transaction, finds
/// what the log says of files, and indexes which page is touched where. Format:
/// docs/formats/redo-log.md; the steps: docs/architecture.md#recovery.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"
#include "recovery/redo_index.h"
#include "redo/log_file.h"
#include "redo/record.h"

namespace redoubt::recovery {

/// One FILE_ record.
struct FileEvent {
    redo::RecordType type;  ///< FileCreate, FileDelete, FileRename or FileModify
    Lsn lsn;                ///< start of its mini-transaction
    std::string name;       ///< as logged; the old name of a rename
    std::string new_name;   ///< rename only
};

struct LogScan {
    redo::Checkpoint checkpoint;
    Lsn file_checkpoint;  ///< end of the FILE_CHECKPOINT(checkpoint) mini-transaction
    Lsn end;              ///< where the log ends: the LSN recovery reaches
    redo::LogEnd end_reason = redo::LogEnd::EmptyByte;
    /// True when nothing was logged after the checkpoint of a clean shutdown.
    bool clean = false;
    std::uint64_t mtr_count = 0;
    std::array<std::uint64_t, redo::kRecordKindCount> record_counts{};
    /// FILE_ records by space, in log order.
    std::map<SpaceId, std::vector<FileEvent>> file_events;
    /// Start LSN of the last TRIM_PAGES of an undo tablespace.
    std::map<SpaceId, Lsn> trims;
    /// First LSN at which a page of the space is named, for every space with page records.
    std::map<SpaceId, Lsn> touched_spaces;
    /// Every page 0, outside the cap of the index: they decide sizes, flags and encryption of whole
    /// files.
    RedoIndex first_pages{kFirstPagesMemory};
    static constexpr std::size_t kFirstPagesMemory = std::size_t{1}
                                                     << 20;  ///< reserved; grows as needed
    std::uint64_t record_count() const;
    std::uint64_t redo_bytes() const { return end.value - checkpoint.lsn.value; }
};

struct ScanOptions {
    Lsn expected_end = Lsn{0};  ///< where the log is known to end, for the progress; 0 = not known
    unsigned threads = 1;       ///< 1 = on the caller's
    base::Progress* progress = nullptr;
    const base::CancelToken* cancel = nullptr;
};

/// The whole scan; `index` is begun at 0, filled and finished. Errors: Corruption when there is no
/// valid checkpoint, no FILE_CHECKPOINT for it, a malformed record, or the log ends before what the
/// checkpoint promises; Io; Key; Cancelled.
Result<LogScan> scan_log(const redo::LogFile& log, RedoIndex& index, const ScanOptions& options);

/// How many threads a scan takes so that their buffers (some 4 MiB each, beside the index) keep to
/// a small memory cap; two always.
unsigned scan_threads(unsigned threads, std::size_t index_memory);

/// Fills `index` again with pages >= `lower` of a log that was scanned before.
Status index_again(const redo::LogFile& log, const LogScan& scan, std::uint64_t lower,
                   RedoIndex& index, const ScanOptions& options);

/// Fills `index` with what the log still holds of before the checkpoint: the lap that the server
/// has not overwritten yet. When a checkpoint is made, every page changed before it was written, so
/// a stored page that its last entry's mini-transaction changed is newer than that one's start.
/// Returns from where on it is; the checkpoint and an empty index: none is left, or what is does
/// not lead to the checkpoint. Errors: Io, Cancelled.
Result<Lsn> index_history(const redo::LogFile& log, const LogScan& scan, RedoIndex& index,
                          const ScanOptions& options);

}  // namespace redoubt::recovery
