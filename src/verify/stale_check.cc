#include "verify/stale_check.h"

#include <algorithm>
#include <map>

#include "page/header.h"

namespace redoubt::verify {
namespace {

constexpr std::size_t kIndexShare = 4;     // of the memory, for the index of older redo
constexpr std::size_t kStaleMax = 10'000;  // more are not told one by one by anybody

/// Whether the page is older than its last change; in `lsn` what it has.
Result<bool> is_stale(const FileJob& job, PageNo page, Lsn changed, std::span<std::byte> buffer,
                      Lsn& lsn) {
    const bool problem = std::ranges::binary_search(job.problems, page, {}, &PageProblem::page);
    if (problem || page.value >= job.page_count ||
        (page >= job.skip_first && page < job.skip_end)) {
        return false;
    }
    ASSIGN_OR_RETURN(const std::uint32_t got, job.file->read_raw(page, 1, buffer));
    lsn = page::HeaderView(buffer).lsn();
    return got == 1 && lsn != Lsn{0} && lsn <= changed;  // without an LSN it was never written
}

/// Whether the doublewrite buffer has an image with that change.
Result<bool> has_copy(const recovery::Analysis& analysis, const StalePage& stale,
                      const VerifyOptions& options, std::span<std::byte> buffer) {
    const space::SpaceHeader& header = stale.job->disk_header;
    space::PageCodec codec({.space = header.id,
                            .flags = header.flags,
                            .crypt = header.crypt,
                            .keys = options.keys,
                            .strictness = options.strictness});
    return analysis.doublewrite.find_newer({header.id, stale.page}, codec, stale.changed,
                                           analysis.scan.end, buffer);
}

}  // namespace

Result<std::vector<StalePage>> find_stale_pages(const recovery::Analysis& analysis,
                                                const std::vector<FileJob>& jobs,
                                                const VerifyOptions& options) {
    recovery::RedoIndex history(options.memory / kIndexShare);
    RETURN_IF_ERROR(recovery::index_history(
        *analysis.log, analysis.scan, history,
        {.threads = recovery::scan_threads(options.threads, options.memory / kIndexShare),
         .progress = options.progress,
         .cancel = options.cancel}));
    std::map<SpaceId, const FileJob*> by_space;
    for (const FileJob& job : jobs) {
        by_space.emplace(job.disk_header.id, &job);
    }
    std::vector<StalePage> stale;
    std::vector<std::byte> buffer;
    for (std::size_t i = 0; i < history.page_count() && stale.size() < kStaleMax; ++i) {
        RETURN_IF_ERROR(base::check_cancelled(options.cancel));
        const recovery::PageEntries entries = history.page(i);
        const auto job = by_space.find(entries.id().space);
        if (entries.empty() || entries.freed() || job == by_space.end()) {
            continue;
        }
        StalePage found{job->second, entries.id().page, {}, entries.last_start()};
        buffer.resize(job->second->disk_header.flags.physical_page_size);
        ASSIGN_OR_RETURN(const bool is,
                         is_stale(*found.job, found.page, found.changed, buffer, found.lsn));
        if (is) {
            ASSIGN_OR_RETURN(found.copied, has_copy(analysis, found, options, buffer));
            stale.push_back(found);
        }
    }
    return stale;
}

}  // namespace redoubt::verify
