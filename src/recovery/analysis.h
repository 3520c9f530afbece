/// All that recovery must know before it changes anything: the log scanned and indexed, every
/// tablespace it names found and judged, page 0 of each as the redo leaves it. Read-only; `recover`
/// acts on it, `verify` and readers of crashed directories look through it.
#pragma once

#include <cstdint>
#include <memory>

#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"
#include "crypt/keys.h"
#include "io/file.h"
#include "page/checksum.h"
#include "recovery/doublewrite.h"
#include "recovery/journal.h"
#include "recovery/log_scan.h"
#include "recovery/redo_apply.h"
#include "recovery/redo_index.h"
#include "recovery/space_map.h"
#include "redo/log_file.h"
#include "space/layout.h"

namespace redoubt::recovery {

struct AnalysisOptions {
    io::OpenMode mode =
        io::OpenMode::ReadOnly;  ///< ReadWrite takes the server's lock on the system tablespace
    const crypt::KeyRing* keys = nullptr;
    page::Strictness strictness = page::Strictness::AnyKnown;
    bool partial = false;       ///< a backup of chosen tables
    Lsn expected_end = Lsn{0};  ///< where the log is known to end; 0 = not known
    std::size_t index_memory = std::size_t{64} << 20;  ///< bytes
    unsigned threads = 1;
    std::size_t open_files_max = 0;  ///< of tablespaces; 0 = io::open_files_share()
    base::Progress* progress = nullptr;
    const base::CancelToken* cancel = nullptr;
};

struct Analysis {
    /// Through which the tablespaces are opened, and renamed.
    std::unique_ptr<io::Directory> directory;
    std::unique_ptr<redo::LogFile> log;
    LogScan scan;
    RedoIndex index{0};
    std::uint32_t page_size = 0;
    Doublewrite doublewrite;
    std::unique_ptr<Journal>
        journal;  ///< of an interrupted recovery of this very state; null = none
    SpaceMap map;
    bool system_first_page_healed = false;
};

/// Errors: everything that makes recovery impossible, before a byte is changed: Unsupported (log
/// format), Corruption, Key, Refused (directory in use), Io, Cancelled.
Result<std::unique_ptr<Analysis>> analyse(io::Directory& directory, const space::Layout& layout,
                                          const AnalysisOptions& options);

}  // namespace redoubt::recovery
