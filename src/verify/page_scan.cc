#include "verify/page_scan.h"

#include <algorithm>

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

void check_page(FileJob& job, space::PageCodec& codec, const crypt::KeyRing* keys, PageNo number,
                std::span<const std::byte> stored, RangeResult& result) {
    if (number >= job.skip_first && number < job.skip_end) {
        return;
    }
    const auto state = codec.check(number, stored);
    const Lsn lsn = page::HeaderView(stored).lsn();
    if (!state) {
        if (state.error().code() == ErrorCode::Key) {
            const std::uint32_t version = key_version_of(job, stored);
            if (keys != nullptr && keys->key(job.disk_header.crypt->key_id, version)) {
                result.undecryptable.push_back(
                    {PageProblem::Corrupt, number, lsn, state.error().message()});
                return;
            }
            ++result.not_checked;
            result.key_problem = state.error().message();
            return;
        }
        result.problems.push_back({PageProblem::Corrupt, number, lsn, state.error().message()});
        return;
    }
    switch (*state) {
        case space::PageState::AllZero:
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
    for (std::uint32_t at = range.first; at < range.first + range.count; at += step) {
        if (options.cancel != nullptr) {
            RETURN_IF_ERROR(options.cancel->check());
        }
        const std::uint32_t want = std::min(step, range.first + range.count - at);
        const auto bytes = std::span(buffer).first(std::size_t{want} * size);
        ASSIGN_OR_RETURN(const std::uint32_t got, job.file->read_raw(PageNo{at}, want, bytes));
        for (std::uint32_t i = 0; i < got; ++i) {
            check_page(job, codec, options.keys, PageNo{at + i},
                       bytes.subspan(std::size_t{i} * size, size), result);
        }
        if (options.progress != nullptr) {
            options.progress->advance(bytes.size());
        }
    }
    return {};
}

}  // namespace

Status scan_pages(std::vector<FileJob>& jobs, const VerifyOptions& options) {
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
    return {};
}

}  // namespace redoubt::verify
