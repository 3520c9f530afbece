#include "verify/page_scan.h"

#include <algorithm>
#include <functional>

#include "base/mutex.h"
#include "base/parallel.h"
#include "page/header.h"

namespace redoubt::verify {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr std::uint64_t kRangeBytes = std::uint64_t{32} << 20;  // one work item

struct Range {
    FileJob* job;
    std::uint32_t first;
    std::uint32_t count;
};

/// What one range found; merged into the job at its end.
struct RangeResult {
    std::vector<PageProblem> problems;
    std::vector<ZeroRun> zero_runs;
    std::uint64_t not_checked = 0;
    std::vector<PageProblem> undecryptable;
    bool decrypted_any = false;
    std::optional<std::string> key_problem;
    std::optional<PageStatistics> statistics;
};

/// Version of the key that a stored page of an encrypted file says it needs; 0 = none.
std::uint32_t key_version_of(const FileJob& job, std::span<const std::byte> stored) {
    if (!job.disk_header.crypt || !job.disk_header.crypt->encrypts()) {
        return 0;
    }
    return job.disk_header.flags.full_crc32 ? page::Header::KeyVersion::get(stored)
                                            : page::Header::OldKeyVersion::get(stored);
}

void add_zero_page(std::vector<ZeroRun>& runs, std::uint32_t page) {
    if (!runs.empty() && runs.back().first + runs.back().count == page) {
        ++runs.back().count;
    } else {
        runs.push_back({page, 1});
    }
}

void count_kind(std::optional<PageStatistics>& statistics, PageKind kind) {
    if (statistics) {
        ++statistics->kinds[static_cast<std::size_t>(kind)];
    }
}

/// `plain`: the page's content; empty where it could not be seen.
void count_page(const FileJob& job, PageNo number, Lsn lsn, std::span<const std::byte> plain,
                std::optional<PageStatistics>& statistics) {
    if (!statistics) {
        return;
    }
    count_kind(statistics, plain.empty() ? PageKind::Encrypted : kind_of(plain));
    if (lsn.value == 0 || (job.newest_lsn && lsn > *job.newest_lsn)) {
        ++statistics->unstamped;
        return;
    }
    statistics->ages.add(lsn);
    statistics->histogram.add(lsn);
    if (statistics->slices) {
        statistics->slices->add(number, lsn);
    }
}

/// As PageCodec::check(); `content` becomes the plain page, in `plain` or `stored`, if statistics
/// are wanted and it can be seen.
Result<space::PageState> check_content(const FileJob& job, space::PageCodec& codec, PageNo number,
                                       std::span<const std::byte> stored,
                                       std::span<std::byte> plain,
                                       std::span<const std::byte>& content) {
    const bool as_it_is = !job.disk_header.crypt && !job.disk_header.flags.page_compressed;
    if (plain.empty() || as_it_is) {
        content = stored;
        return codec.check(number, stored);
    }
    auto state = codec.decode(number, stored, plain);
    if (!state && state.error().code() == ErrorCode::Key) {
        return codec.check(number, stored);
    }
    content = plain;
    return state;
}

/// `plain`: room for a page if statistics are wanted, else empty.
void check_page(FileJob& job, space::PageCodec& codec, const crypt::KeyRing* keys, PageNo number,
                std::span<const std::byte> stored, std::span<std::byte> plain,
                RangeResult& result) {
    if (number >= job.skip_first && number < job.skip_end) {
        count_kind(result.statistics, PageKind::Doublewrite);
        return;
    }
    std::span<const std::byte> content;
    const auto state = check_content(job, codec, number, stored, plain, content);
    const Lsn lsn = page::HeaderView(stored).lsn();
    if (!state) {
        if (state.error().code() == ErrorCode::Key) {
            const std::uint32_t version = key_version_of(job, stored);
            count_kind(result.statistics, PageKind::Encrypted);
            if (keys != nullptr && keys->key(job.disk_header.crypt->key_id, version)) {
                result.undecryptable.push_back(
                    {PageProblem::Corrupt, number, lsn, state.error().message()});
                return;
            }
            ++result.not_checked;
            result.key_problem = state.error().message();
            return;
        }
        count_kind(result.statistics, PageKind::Damaged);
        result.problems.push_back({PageProblem::Corrupt, number, lsn, state.error().message()});
        return;
    }
    switch (*state) {
        case space::PageState::AllZero:
            count_kind(result.statistics,
                       number == PageNo{0} ? PageKind::Damaged : PageKind::NeverWritten);
            if (number == PageNo{0}) {
                result.problems.push_back(
                    {PageProblem::Corrupt, number, lsn, "the first page was never written"});
                return;
            }
            add_zero_page(result.zero_runs, number.value);
            return;
        case space::PageState::NoKey:
            ++result.not_checked;
            break;
        case space::PageState::Whole:
            result.decrypted_any |= key_version_of(job, stored) != 0;
            break;
    }
    count_page(job, number, lsn,
               *state == space::PageState::NoKey ? std::span<const std::byte>() : content,
               result.statistics);
    if (job.newest_lsn && lsn > *job.newest_lsn) {
        result.problems.push_back(
            {PageProblem::InTheFuture, number, lsn,
             fmt::format("the page's lsn is beyond the end of the redo log ({})",
                         job.newest_lsn->value)});
    }
}

/// Where the key is right for other pages, a page that does not decrypt is damaged (or of another
/// file); where it is right for none, the key is wrong and says nothing about the pages.
void settle_undecryptable(FileJob& job) {
    if (job.undecryptable.empty()) {
        return;
    }
    if (!job.decrypted_any) {
        job.not_checked += job.undecryptable_count;
        job.key_problem = job.undecryptable.front().message;
        return;
    }
    for (PageProblem& problem : job.undecryptable) {
        problem.message = "page does not decrypt with the key of the file's other pages";
        job.problems.push_back(std::move(problem));
    }
    job.problem_count += job.undecryptable_count;
    if (job.statistics) {
        KindCounts& kinds = job.statistics->kinds;
        kinds[static_cast<std::size_t>(PageKind::Encrypted)] -= job.undecryptable_count;
        kinds[static_cast<std::size_t>(PageKind::Damaged)] += job.undecryptable_count;
    }
}

Status scan_range(const Range& range, const VerifyOptions& options, std::vector<std::byte>& buffer,
                  RangeResult& result) {
    FileJob& job = *range.job;
    const std::uint32_t size = job.disk_header.flags.physical_page_size;
    space::PageCodec codec({.space = job.disk_header.id,
                            .flags = job.disk_header.flags,
                            .crypt = job.disk_header.crypt,
                            .keys = options.keys,
                            .strictness = options.strictness});
    const std::uint32_t step = static_cast<std::uint32_t>(kReadBytes / size);
    std::vector<std::byte> plain;
    if (job.statistics) {
        plain.resize(size);
        result.statistics.emplace();
        if (job.statistics->slices) {
            result.statistics->slices.emplace(job.page_count, range.first, range.count);
        }
    }
    for (std::uint32_t at = range.first; at < range.first + range.count; at += step) {
        RETURN_IF_ERROR(base::check_cancelled(options.cancel));
        const std::uint32_t want = std::min(step, range.first + range.count - at);
        const auto bytes = std::span(buffer).first(std::size_t{want} * size);
        ASSIGN_OR_RETURN(const std::uint32_t got, job.file->read_raw(PageNo{at}, want, bytes));
        for (std::uint32_t i = 0; i < got; ++i) {
            check_page(job, codec, options.keys, PageNo{at + i},
                       bytes.subspan(std::size_t{i} * size, size), plain, result);
        }
        if (options.progress != nullptr) {
            options.progress->advance(bytes.size());
        }
    }
    return {};
}

/// Those of the largest files have slices.
void prepare_statistics(std::vector<FileJob>& jobs) {
    std::vector<FileJob*> by_size;
    for (FileJob& job : jobs) {
        job.statistics.emplace();
        by_size.push_back(&job);
    }
    std::ranges::stable_sort(by_size, std::greater{}, [](const FileJob* job) {
        return std::uint64_t{job->page_count} * job->disk_header.flags.physical_page_size;
    });
    for (std::size_t i = 0; i < std::min(by_size.size(), Contents::kDrawnMax); ++i) {
        by_size[i]->statistics->slices.emplace(by_size[i]->page_count, 0, by_size[i]->page_count);
    }
}

void merge_statistics(const PageStatistics& range, PageStatistics& job, ScanTotals& totals) {
    for (std::size_t kind = 0; kind < kPageKindCount; ++kind) {
        job.kinds[kind] += range.kinds[kind];
    }
    job.ages.merge(range.ages);
    if (range.slices) {
        job.slices->merge(*range.slices);
    }
    totals.ages.merge(range.histogram);
    totals.unstamped_pages += range.unstamped;
}

}  // namespace

Result<ScanTotals> scan_pages(std::vector<FileJob>& jobs, const VerifyOptions& options) {
    ScanTotals totals;
    if (options.contents) {
        prepare_statistics(jobs);
    }
    std::vector<Range> ranges;
    std::uint64_t total = 0;
    for (FileJob& job : jobs) {
        const std::uint32_t size = job.disk_header.flags.physical_page_size;
        const auto step = static_cast<std::uint32_t>(kRangeBytes / size);
        for (std::uint32_t first = 0; first < job.page_count; first += step) {
            ranges.push_back({&job, first, std::min(step, job.page_count - first)});
        }
        total += std::uint64_t{job.page_count} * size;
    }
    if (options.progress != nullptr) {
        options.progress->begin("check pages", total, "bytes");
    }
    base::Mutex mutex;
    std::vector<std::vector<std::byte>> buffers(std::max(options.threads, 1U));
    const Status status = base::parallel_for(
        ranges.size(), options.threads, [&](std::size_t item, unsigned thread) -> Status {
            buffers[thread].resize(kReadBytes);
            RangeResult result;
            RETURN_IF_ERROR(scan_range(ranges[item], options, buffers[thread], result));
            FileJob& job = *ranges[item].job;
            const base::MutexLock lock(mutex);
            if (result.statistics) {
                merge_statistics(*result.statistics, *job.statistics, totals);
            }
            job.problem_count += result.problems.size();
            std::move(result.problems.begin(), result.problems.end(),
                      std::back_inserter(job.problems));
            job.zero_runs.insert(job.zero_runs.end(), result.zero_runs.begin(),
                                 result.zero_runs.end());
            job.not_checked += result.not_checked;
            job.undecryptable_count += result.undecryptable.size();
            result.undecryptable.resize(std::min(
                result.undecryptable.size(),
                FileJob::kProblemsMax - std::min(job.undecryptable.size(), FileJob::kProblemsMax)));
            std::move(result.undecryptable.begin(), result.undecryptable.end(),
                      std::back_inserter(job.undecryptable));
            job.decrypted_any |= result.decrypted_any;
            if (result.key_problem) {
                job.key_problem = std::move(result.key_problem);
            }
            return {};
        });
    if (options.progress != nullptr) {
        options.progress->end();
    }
    RETURN_IF_ERROR(status);
    for (FileJob& job : jobs) {
        settle_undecryptable(job);
        std::sort(job.problems.begin(), job.problems.end(),
                  [](const PageProblem& a, const PageProblem& b) { return a.page < b.page; });
        std::sort(job.zero_runs.begin(), job.zero_runs.end(),
                  [](const ZeroRun& a, const ZeroRun& b) { return a.first < b.first; });
        if (job.problems.size() > FileJob::kProblemsMax) {
            job.problems.resize(FileJob::kProblemsMax);
        }
    }
    return totals;
}

}  // namespace redoubt::verify
