/// Stale pages: a stored page that is whole, and older than the redo log says it must be, because
/// somebody put an earlier image back or the disk lost a write.
#pragma once

#include <vector>

#include "base/error.h"
#include "recovery/analysis.h"
#include "verify/page_scan.h"
#include "verify/verify.h"

namespace redoubt::verify {

struct StalePage {
    const FileJob* job;
    PageNo page;
    Lsn lsn;      ///< stored
    Lsn changed;  ///< start of the last mini-transaction before the checkpoint that changed it
    bool copied = false;  ///< the doublewrite buffer has a newer image
};

/// Compares the stored LSN of every page that the log names before its checkpoint. Wants page
/// headers that pass, which level pages looks at. Errors: Io, Cancelled.
Result<std::vector<StalePage>> find_stale_pages(const recovery::Analysis& analysis,
                                                const std::vector<FileJob>& jobs,
                                                const VerifyOptions& options);

}  // namespace redoubt::verify
