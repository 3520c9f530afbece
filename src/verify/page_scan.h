/// Checks every stored page of a set of files in parallel.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "space/tablespace.h"
#include "verify/verify.h"

namespace redoubt::verify {

/// A page that did not pass, or is all zero, or newer than the log.
struct PageProblem {
    enum Kind : std::uint8_t { Corrupt, InTheFuture } kind;
    PageNo page;
    Lsn lsn;
    std::string message;
};

/// Consecutive all-zero pages.
struct ZeroRun {
    std::uint32_t first;
    std::uint32_t count;
};

/// Statistics of pages, if VerifyOptions ask for contents.
struct PageStatistics {
    KindCounts kinds{};
    LsnRange ages;
    std::optional<AgeSlices> slices;  ///< of the largest files only
    LsnHistogram histogram;           ///< of a range; those of jobs are in ScanTotals
    std::uint64_t unstamped = 0;      ///< likewise
};

/// One tablespace to check.
struct FileJob {
    std::string name;  ///< "db/t"
    std::vector<std::string> paths;
    std::unique_ptr<space::Tablespace> owned;
    space::Tablespace* file = nullptr;  ///< owned, or the analysis's
    space::SpaceHeader disk_header;     ///< decides how stored pages are read
    PageNo skip_first{0};  ///< pages not looked at: [skip_first, skip_end) (the doublewrite blocks)
    PageNo skip_end{0};
    std::optional<Lsn> newest_lsn;  ///< the log's end; pages beyond it are findings

    std::uint32_t page_count = 0;
    std::vector<PageProblem> problems;  ///< sorted by page; at most kProblemsMax
    std::uint64_t problem_count = 0;
    std::vector<ZeroRun> zero_runs;  ///< sorted
    std::uint64_t not_checked = 0;
    /// Pages that do not decrypt although their key is there: with another key, or damaged.
    std::vector<PageProblem> undecryptable;
    std::uint64_t undecryptable_count = 0;
    bool decrypted_any = false;  ///< some page did decrypt, so the key is right
    std::optional<std::string> key_problem;
    std::optional<PageStatistics> statistics;
    std::optional<std::uint64_t> free_pages;  ///< set by who knows the extents
    static constexpr std::size_t kProblemsMax = 1000;
};

/// Statistics of all jobs, if VerifyOptions ask for contents.
struct ScanTotals {
    LsnHistogram ages;
    std::uint64_t unstamped_pages = 0;
};

/// Fills the result members of every job. Errors: Io, Cancelled.
Result<ScanTotals> scan_pages(std::vector<FileJob>& jobs, const VerifyOptions& options);

}  // namespace redoubt::verify
