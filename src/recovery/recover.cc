// Map of this file: Recovery::run() is the order of things: checks that change nothing (check_*),
// what was found made durable, torn pages healed, files made and extended, redo applied batch by
// batch (apply_*, read_bases, write), renames, then everything synced and a clean log (finish_log).
#include "recovery/recover.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <set>

#include "base/huge_pages.h"
#include "base/mutex.h"
#include "base/parallel.h"
#include "io/background_sync.h"
#include "page/header.h"
#include "recovery/analysis.h"
#include "redo/log_writer.h"

namespace redoubt::recovery {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Pages of one batch, bytes: the log order jumps from page to page, so they should fit the cache.
/// Bigger batches read less of the log twice, yet are slower.
constexpr std::uint64_t kBatchSizeMax = std::uint64_t{8} << 20;
constexpr std::uint64_t kJournalSizeMax = std::uint64_t{256} << 20;
constexpr std::size_t kChecksumSizeMax = 8;  // at a page's end
constexpr const char* kNewLogName =
    "ib_logfile101";  // the server's own name for a log being made; deleted at its start

/// Buffers and readers of one thread.
struct Worker {
    Worker(const Analysis& analysis, const RecoverOptions& options)
        : reader(analysis.log->reader()),
          base(analysis.doublewrite, analysis.scan, options.keys, options.strictness) {}
    redo::LogReader reader;
    BaseReader base;
    std::vector<std::byte, base::HugePageAllocator<std::byte>>
        pages;  // plain, then as they are stored
    std::vector<PageFrame> frames;
};

/// A page ready to be written.
struct Outgoing {
    PageId id;
    RecoveredSpace* space;
    std::span<const std::byte> stored;  ///< the physical page
    std::uint32_t image_size;           ///< of which so many bytes count
    bool overwrites_good_page;          ///< needs the journal (J1)
};

Status sync_log(io::Directory& directory, const space::Layout& layout) {
    ASSIGN_OR_RETURN(const auto log, directory.open(layout.log_path, io::OpenMode::ReadWrite));
    return log->sync();
}

Status allow_changes(const RecoverOptions& options, const Analysis& analysis) {
    return options.before_changes ? options.before_changes(analysis) : ok_status();
}

class Recovery {
public:
    Recovery(const space::Layout& layout, const RecoverOptions& options,
             std::unique_ptr<Analysis> analysis, RecoverReport& report)
        : analysis_(std::move(analysis)),
          directory_(*analysis_->directory),
          layout_(layout),
          options_(options),
          report_(report) {}

    Status run() {
        const auto begin = Clock::now();
        RETURN_IF_ERROR(check_renames());
        RETURN_IF_ERROR(check_keys());
        RETURN_IF_ERROR(allow_changes(options_, *analysis_));
        RETURN_IF_ERROR(make_found_state_durable());
        RETURN_IF_ERROR(heal_torn_pages());
        ASSIGN_OR_RETURN(journal_, Journal::create(directory_, {analysis_->scan.checkpoint.lsn,
                                                                analysis_->scan.end}));
        analysis_->journal.reset();
        analysis_->doublewrite.add(nullptr);
        RETURN_IF_ERROR(restore_lost_writes());
        RETURN_IF_ERROR(create_files());
        RETURN_IF_ERROR(set_sizes());
        RETURN_IF_ERROR(apply_all());
        RETURN_IF_ERROR(rename_files());
        report_.apply_seconds = seconds_since(begin);
        const auto sync_begin = Clock::now();
        RETURN_IF_ERROR(sync_files());
        RETURN_IF_ERROR(finish_log());
        RETURN_IF_ERROR(Journal::remove(directory_));
        report_.sync_seconds += seconds_since(sync_begin);
        return {};
    }

private:
    /// The server, or an earlier recovery, may have been killed between a write and its sync: what
    /// was found is then in the system's cache alone. V3: the log is durable before pages are
    /// changed by it; files that already have what the log gives them, and the names of files, are
    /// durable before the log is done with.
    Status make_found_state_durable() {
        RETURN_IF_ERROR(sync_log(directory_, layout_));
        for (const auto& [id, space] : analysis_->map.spaces) {
            if (!space.ignored && space.file && analysis_->scan.touched_spaces.contains(id)) {
                found_.insert(id);
                if (space.kind == SpaceKind::Table) {  // others are never made or renamed here
                    directories_.insert(io::parent_of(space.path));
                }
            }
        }
        if (analysis_->journal) {  // J2: before it is given up
            touched_.insert(found_.begin(), found_.end());
        }
        return {};
    }

    /// V1: that a key is the wrong one shows only when pages are decrypted, so a few of each
    /// encrypted tablespace are. What else is wrong with them comes up when they are needed.
    Status check_keys() {
        constexpr unsigned kPagesEnough = 4;
        if (options_.keys == nullptr) {
            return {};
        }
        BaseReader base(analysis_->doublewrite, analysis_->scan, options_.keys,
                        options_.strictness);
        std::vector<std::byte> page(analysis_->page_size);
        SpaceId current = kReservedSpaces;
        unsigned checked = 0;
        for (std::size_t i = 0; i < analysis_->index.page_count(); ++i) {
            const PageEntries entries = analysis_->index.page(i);
            if (entries.id().space != current) {
                current = entries.id().space;
                checked = 0;
            }
            RecoveredSpace& space = space_of(entries.id());
            const auto& header = space.disk_header;
            if (checked == kPagesEnough || entries.initialised() || space.ignored || !space.file ||
                !header || !header->crypt || !header->crypt->encrypts()) {
                continue;
            }
            ++checked;
            PageFrame frame{.id = entries.id(),
                            .entries = entries,
                            .plain = std::span(page).first(header->flags.physical_page_size),
                            .row_compressed = header->flags.row_compressed,
                            .lsn = {}};
            if (auto status = base.read(space, std::span(&frame, 1));
                !status && status.error().code() == ErrorCode::Key) {
                return status;
            }
        }
        return {};
    }

    /// Copies of the doublewrite buffer and of an interrupted run's journal go home where home is
    /// torn.
    Status heal_torn_pages() {
        std::set<PageId> candidates =
            analysis_->doublewrite.pages(analysis_->scan.checkpoint.lsn, analysis_->scan.end);
        if (analysis_->journal) {
            const std::vector<PageId> pages = analysis_->journal->pages();
            candidates.insert(pages.begin(), pages.end());
            report_.notes.push_back(fmt::format(
                "an earlier recovery was interrupted; its journal covers {} pages", pages.size()));
        }
        BaseReader base(analysis_->doublewrite, analysis_->scan, options_.keys,
                        options_.strictness);
        std::vector<std::byte> page(analysis_->page_size);
        for (const PageId id : candidates) {
            const auto found = analysis_->map.spaces.find(id.space);
            if (found == analysis_->map.spaces.end() || found->second.ignored ||
                !found->second.file) {
                continue;
            }
            RecoveredSpace& space = found->second;
            if (space.deferred && !space.disk_header) {
                continue;  // nothing of the file counts: redo makes it anew
            }
            ASSIGN_OR_RETURN(const std::uint32_t page_count, space.file->page_count());
            if (id.page.value >= page_count ||
                (space.kind == SpaceKind::System && analysis_->doublewrite.owns(id.page))) {
                continue;
            }
            RETURN_IF_ERROR(heal(space, id, base, page));
        }
        return sync_touched();
    }

    /// Pages that are whole, yet older than a copy from before the checkpoint: the disk lost their
    /// last write, and the redo that it held is gone. The copies go home.
    Status restore_lost_writes() {
        BaseReader base(analysis_->doublewrite, analysis_->scan, options_.keys,
                        options_.strictness);
        std::vector<std::byte> page(analysis_->page_size);
        for (const PageId id : analysis_->doublewrite.pages(Lsn{1}, before_checkpoint())) {
            const auto found = analysis_->map.spaces.find(id.space);
            if (found == analysis_->map.spaces.end() || found->second.ignored ||
                !found->second.file || (found->second.deferred && !found->second.disk_header)) {
                continue;
            }
            RecoveredSpace& space = found->second;
            ASSIGN_OR_RETURN(const std::uint32_t page_count, space.file->page_count());
            if (id.page.value >= page_count ||
                (space.kind == SpaceKind::System && analysis_->doublewrite.owns(id.page))) {
                continue;
            }
            RETURN_IF_ERROR(restore_lost_write(space, id, base, page));
        }
        return sync_touched();
    }

    Status restore_lost_write(RecoveredSpace& space, PageId id, BaseReader& base,
                              std::span<std::byte> page) {
        const auto stored = page.first(space.header.flags.physical_page_size);
        ASSIGN_OR_RETURN(const std::uint32_t got, space.file->read_raw(id.page, 1, stored));
        std::vector<std::byte> plain(stored.size());
        space::PageCodec& codec = base.disk_codec_of(space);
        const auto state = codec.decode(id.page, stored, plain);
        if (got == 0 || !state || *state == space::PageState::AllZero) {
            return {};  // torn, and healed or not; or never written
        }
        const Lsn lsn = page::HeaderView(plain).lsn();
        ASSIGN_OR_RETURN(const bool copy, analysis_->doublewrite.find_newer(
                                              id, codec, lsn, before_checkpoint(), plain));
        if (!copy) {
            return {};
        }
        ASSIGN_OR_RETURN(const std::uint32_t image_size, codec.encode(id.page, plain, stored));
        static_cast<void>(image_size);  // the rest is zero: written whole
        const JournalEntry entry{id, stored};
        RETURN_IF_ERROR(journal_->append(std::span(&entry, 1)));  // J1
        RETURN_IF_ERROR(space.file->write_raw(id.page, stored));
        touched_.insert(id.space);
        note_lost_write(space, id);
        return {};
    }

    Lsn before_checkpoint() const { return Lsn{analysis_->scan.checkpoint.lsn.value - 1}; }

    void note_lost_write(const RecoveredSpace& space, PageId id) {
        const base::MutexLock lock(mutex_);
        ++report_.doublewrite_restored;
        if (++lost_writes_ <= 10) {
            report_.notes.push_back(fmt::format(
                "{} page {} was older than its copy in the doublewrite buffer: the disk has lost a "
                "write. It is restored from the copy; check the disk",
                space.path, id.page.value));
        }
    }

    Status heal(RecoveredSpace& space, PageId id, BaseReader& base, std::span<std::byte> page) {
        const auto stored = page.first(space.header.flags.physical_page_size);
        ASSIGN_OR_RETURN(const std::uint32_t got, space.file->read_raw(id.page, 1, stored));
        space::PageCodec& codec = base.disk_codec_of(space);
        const auto state = codec.check(id.page, stored);
        if (got == 1 && state && *state != space::PageState::AllZero) {
            return {};
        }
        std::vector<std::byte> plain(stored.size());
        ASSIGN_OR_RETURN(const bool copy,
                         analysis_->doublewrite.find(id, codec, analysis_->scan.checkpoint.lsn,
                                                     analysis_->scan.end, plain));
        if (!copy) {
            return {};  // perhaps redo initialises it; if not, reading the base will say so
        }
        ASSIGN_OR_RETURN(const std::uint32_t image_size, codec.encode(id.page, plain, stored));
        static_cast<void>(image_size);  // the rest is zero: written whole
        RETURN_IF_ERROR(space.file->write_raw(id.page, stored));
        touched_.insert(id.space);
        note_healed(space, id);
        return {};
    }

    void note_healed(const RecoveredSpace& space, PageId id) {
        const base::MutexLock lock(mutex_);
        ++report_.doublewrite_restored;
        if (report_.doublewrite_restored <= 10) {
            report_.notes.push_back(
                fmt::format("{} page {} was torn and is restored from the doublewrite buffer",
                            space.path, id.page.value));
        }
    }

    Status create_files() {
        for (auto& [id, space] : analysis_->map.spaces) {
            if (space.ignored || !space.create) {
                continue;
            }
            if (space.moved_aside) {
                RETURN_IF_ERROR(directory_.rename(space.path, *space.moved_aside));
                report_.notes.push_back(fmt::format("{} held a dropped tablespace and is now {}",
                                                    space.path, *space.moved_aside));
            }
            const std::string parent = io::parent_of(space.path);
            if (!parent.empty() && !directory_.exists(parent)) {
                RETURN_IF_ERROR(directory_.make_directory(parent));
                directories_.insert(io::parent_of(parent));
            }
            {
                ASSIGN_OR_RETURN(const auto file,
                                 directory_.open(space.path, io::OpenMode::CreateExclusive));
            }
            ASSIGN_OR_RETURN(space.file,
                             space::Tablespace::open_files(directory_, {space.path},
                                                           io::OpenMode::ReadWrite, space.name));
            space.file->set_header(space.header);
            directories_.insert(parent);
            touched_.insert(id);
            report_.created_files.push_back(space.path);
        }
        return {};
    }

    /// Files reach the size that redo gives them before any page beyond their old end is written.
    Status set_sizes() {
        for (auto& [id, space] : analysis_->map.spaces) {
            if (space.ignored || !analysis_->scan.touched_spaces.contains(id)) {
                continue;
            }
            ++report_.tablespaces;
            space.file->set_header(space.header);
            ASSIGN_OR_RETURN(const std::uint32_t page_count, space.file->page_count());
            if (analysis_->scan.trims.contains(id) && page_count != space.header.size) {
                RETURN_IF_ERROR(space.file->truncate(space.header.size));
                touched_.insert(id);
            } else if (page_count < space.header.size) {
                RETURN_IF_ERROR(space.file->extend(space.header.size));
                touched_.insert(id);
            }
            if (space.create || space.deferred) {
                // The server makes a file of at least four logical pages.
                const std::uint32_t least =
                    4 * (analysis_->page_size / space.header.flags.physical_page_size);
                ASSIGN_OR_RETURN(const std::uint32_t now, space.file->page_count());
                if (now < least) {
                    RETURN_IF_ERROR(space.file->extend(least));
                }
            }
        }
        return {};
    }

    Status apply_all() {
        if (options_.threads > 1) {  // one thread alone does all in exact order
            early_sync_.emplace();
        }
        std::vector<std::unique_ptr<Worker>> workers;
        for (unsigned i = 0; i < std::max(options_.threads, 1U); ++i) {
            workers.push_back(std::make_unique<Worker>(*analysis_, options_));
        }
        for (;;) {
            ++report_.batches;
            if (options_.progress != nullptr) {
                options_.progress->begin(report_.batches == 1
                                             ? "apply redo"
                                             : fmt::format("apply redo, part {}", report_.batches),
                                         analysis_->index.page_count(), "pages");
            }
            RETURN_IF_ERROR(apply_index(workers));
            if (options_.progress != nullptr) {
                options_.progress->end();
            }
            const std::uint64_t next = analysis_->index.upper();
            if (next == RedoIndex::kEnd) {
                break;
            }
            RETURN_IF_ERROR(
                index_again(*analysis_->log, analysis_->scan, next, analysis_->index,
                            {.threads = scan_threads(options_.threads, options_.memory / 2),
                             .progress = nullptr,
                             .cancel = options_.cancel}));
        }
        report_.pages_applied = pages_applied_;
        report_.pages_initialised = pages_initialised_;
        report_.pages_freed = pages_freed_;
        report_.pages_written = pages_written_;
        report_.bytes_written = bytes_written_;
        return {};
    }

    /// All pages of the index as it stands, in groups that keep the journal small.
    Status apply_index(std::vector<std::unique_ptr<Worker>>& workers) {
        const std::size_t page_count = analysis_->index.page_count();
        if (page_count == 0) {
            return {};  // a log of file-level records only
        }
        const std::uint64_t batch_size =
            std::min<std::uint64_t>(options_.memory / 2 / workers.size(), kBatchSizeMax);
        const std::size_t frames_max = std::max<std::size_t>(16, batch_size / analysis_->page_size);
        // As many batches as all workers have work with to the end.
        const std::size_t round = frames_max * workers.size();
        const std::size_t batches_wanted = (page_count + round - 1) / round * workers.size();
        const std::size_t frame_count = (page_count + batches_wanted - 1) / batches_wanted;
        const std::size_t batch_count = (page_count + frame_count - 1) / frame_count;
        for (const auto& worker : workers) {
            worker->pages.resize(frame_count * analysis_->page_size);
        }
        const std::size_t batch_bytes = frame_count * analysis_->page_size;
        const std::size_t group_size =
            std::max<std::size_t>(workers.size(), kJournalSizeMax / batch_bytes);
        for (std::size_t first = 0; first < batch_count; first += group_size) {
            const std::size_t count = std::min(group_size, batch_count - first);
            const auto work = [&](std::size_t item, unsigned thread) -> Status {
                RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
                const std::size_t begin = (first + item) * frame_count;
                return apply_batch(*workers[thread], begin,
                                   std::min(begin + frame_count, page_count));
            };
            RETURN_IF_ERROR(base::parallel_for(count, static_cast<unsigned>(workers.size()), work));
            if (first + count < batch_count || analysis_->index.upper() != RedoIndex::kEnd) {
                const auto sync_begin = Clock::now();
                RETURN_IF_ERROR(sync_touched());
                RETURN_IF_ERROR(journal_->reset());  // J2
                report_.sync_seconds += seconds_since(sync_begin);
            }
        }
        return {};
    }

    /// Pages [begin, end) of the index.
    Status apply_batch(Worker& worker, std::size_t begin, std::size_t end) {
        RETURN_IF_ERROR(make_frames(worker, begin, end));
        RETURN_IF_ERROR(read_bases(worker));
        if (auto status = sweep(worker.reader, worker.frames); !status) {
            Error& error = status.error();
            if (error.space()) {
                const std::string& path = analysis_->map.spaces.at(*error.space()).path;
                return std::move(error).with_file(path).with_hint(
                    "page and redo log contradict each other; restore this table from a "
                    "backup");
            }
            return std::move(error).with_file(analysis_->log->path());
        }
        std::vector<Outgoing> outgoing;
        std::vector<JournalEntry> journal;
        for (PageFrame& frame : worker.frames) {
            if (frame.healed) {
                note_healed(space_of(frame.id), frame.id);
            }
            if (!frame.changed && !frame.healed && !frame.was_stale) {
                continue;  // the file already has it (A1)
            }
            RecoveredSpace& space = space_of(frame.id);
            const auto stored = frame.plain;
            auto image_size =
                worker.base.codec_of(space).encode(frame.id.page, frame.plain, stored);
            if (!image_size) {
                return std::move(image_size.error()).with_file(space.path).with_page(frame.id);
            }
            const bool from_nothing = frame.entries.initialised();
            outgoing.push_back(
                {frame.id, &space, stored, *image_size, !from_nothing && !frame.healed});
            if (outgoing.back().overwrites_good_page) {
                journal.push_back({frame.id, stored});
            }
            pages_applied_ += frame.changed ? 1 : 0;
            pages_initialised_ += from_nothing ? 1 : 0;
        }
        RETURN_IF_ERROR(journal_->append(journal));  // J1
        RETURN_IF_ERROR(write(outgoing));
        if (options_.progress != nullptr) {
            options_.progress->advance(end - begin);
        }
        return {};
    }

    RecoveredSpace& space_of(PageId id) { return analysis_->map.spaces.at(id.space); }

    Status make_frames(Worker& worker, std::size_t begin, std::size_t end) {
        worker.frames.clear();
        for (std::size_t i = begin; i < end; ++i) {
            const PageEntries page = analysis_->index.page(i);
            RecoveredSpace& space = space_of(page.id());
            if (space.ignored) {
                continue;
            }
            if (page.freed()) {
                ++pages_freed_;
                continue;
            }
            if (page.id().page.value >= space.header.size && space.kind != SpaceKind::System) {
                return make_error(
                           ErrorCode::Corruption,
                           "the redo log changes a page beyond the tablespace's end ({} pages)",
                           space.header.size)
                    .with_file(space.path)
                    .with_page(page.id())
                    .with_lsn(page.first_start());
            }
            const page::TablespaceFlags& flags = space.header.flags;
            const auto plain =
                std::span(worker.pages)
                    .subspan(worker.frames.size() * analysis_->page_size, flags.physical_page_size);
            // What the log does not make is read, but for what a checksum takes the place of.
            const std::size_t kept = page.initialised() ? 0 : plain.size() - kChecksumSizeMax;
            std::fill(plain.begin() + static_cast<std::ptrdiff_t>(kept), plain.end(), std::byte{0});
            worker.frames.push_back({.id = page.id(),
                                     .entries = page,
                                     .plain = plain,
                                     .row_compressed = flags.row_compressed,
                                     .lsn = {}});
        }
        return {};
    }

    /// Base pages of all frames that the log does not make from nothing, neighbours in one read.
    Status read_bases(Worker& worker) {
        constexpr std::size_t kRunBytesMax = std::size_t{1} << 20;
        const std::size_t run_max = std::max<std::size_t>(1, kRunBytesMax / analysis_->page_size);
        std::vector<PageFrame>& frames = worker.frames;
        const auto from_nothing = [](const PageFrame& frame) {
            return frame.entries.initialised();
        };
        for (std::size_t begin = 0; begin < frames.size();) {
            if (from_nothing(frames[begin])) {  // A3
                ++begin;
                continue;
            }
            std::size_t end = begin + 1;
            while (end < frames.size() && end - begin < run_max &&
                   frames[end].id.space == frames[begin].id.space &&
                   frames[end].id.page.value == frames[end - 1].id.page.value + 1 &&
                   !from_nothing(frames[end])) {
                ++end;
            }
            RETURN_IF_ERROR(worker.base.read(space_of(frames[begin].id),
                                             std::span(frames).subspan(begin, end - begin)));
            begin = end;
        }
        return {};
    }

    Status write(std::span<const Outgoing> pages) {
        for (std::size_t begin = 0; begin < pages.size();) {
            const Outgoing& first = pages[begin];
            std::size_t end = begin + 1;
            std::span<const std::byte> run = first.stored;
            while (end < pages.size() && pages[end].space == first.space &&
                   pages[end].id.page.value == pages[end - 1].id.page.value + 1 &&
                   pages[end].stored.data() == run.data() + run.size()) {
                run = {run.data(), run.size() + pages[end].stored.size()};
                ++end;
            }
            RETURN_IF_ERROR(first.space->file->write_raw(first.id.page, run));
            for (std::size_t i = begin; i < end; ++i) {
                RETURN_IF_ERROR(punch_tail(pages[i]));
            }
            pages_written_ += end - begin;
            {
                const base::MutexLock lock(mutex_);
                touched_.insert(first.id.space);
            }
            note_written(*first.space->file, run.size());
            begin = end;
        }
        return {};
    }

    /// Has `bytes` more, just written, on their way to the disk. What a sync waits for is mostly
    /// the disk's own cache, or that of a virtual machine's host, and those begin to empty it when
    /// told.
    void note_written(space::Tablespace& file, std::uint64_t bytes) {
        constexpr std::uint64_t kStep = std::uint64_t{16} << 20;
        const std::uint64_t before = bytes_written_.fetch_add(bytes);
        if (early_sync_ && before / kStep != (before + bytes) / kStep) {
            early_sync_->request([&file]() { return file.sync(); });
        }
    }

    /// Gives back what a compressed page does not need, as the server does.
    static Status punch_tail(const Outgoing& page) {
        if (page.image_size >= page.stored.size()) {
            return {};
        }
        constexpr std::uint32_t kBlock = 4096;
        const std::uint32_t from = (page.image_size + kBlock - 1) / kBlock * kBlock;
        if (from >= page.stored.size()) {
            return {};
        }
        auto status = page.space->file->punch_hole(
            page.id.page, from, static_cast<std::uint32_t>(page.stored.size()) - from);
        if (!status && status.error().code() != ErrorCode::Unsupported) {
            return status;
        }
        return {};
    }

    /// Renames that were logged but not done, in the order of the log.
    std::vector<RecoveredSpace*> pending_renames() {
        std::vector<RecoveredSpace*> renames;
        for (auto& [id, space] : analysis_->map.spaces) {
            if (!space.ignored && space.rename_to) {
                renames.push_back(&space);
            }
        }
        std::sort(renames.begin(), renames.end(),
                  [](const RecoveredSpace* a, const RecoveredSpace* b) {
                      return a->rename_lsn < b->rename_lsn;
                  });
        return renames;
    }

    /// V1: a rename that cannot be done ends the run before it begins.
    Status check_renames() {
        std::set<std::string> moved;  // paths that an earlier rename frees
        for (const RecoveredSpace* space : pending_renames()) {
            if (directory_.exists(*space->rename_to) && !moved.contains(*space->rename_to)) {
                return make_error(ErrorCode::Refused,
                                  "cannot replay the rename to {}: that file exists",
                                  *space->rename_to)
                    .with_file(space->path)
                    .with_space(space->id)
                    .with_lsn(space->rename_lsn)
                    .with_hint(
                        "find out which of the two files belongs there, move the other out of the "
                        "data directory, and run the command again");
            }
            moved.insert(space->path);
        }
        return {};
    }

    Status rename_files() {
        for (const RecoveredSpace* space : pending_renames()) {
            RETURN_IF_ERROR(directory_.rename(space->path, *space->rename_to));
            directories_.insert(io::parent_of(space->path));
            directories_.insert(io::parent_of(*space->rename_to));
            report_.renamed_files.push_back(
                fmt::format("{} -> {}", space->path, *space->rename_to));
        }
        return {};
    }

    Status sync_touched() {
        std::set<SpaceId> touched;
        {
            const base::MutexLock lock(mutex_);
            touched.swap(touched_);
        }
        if (early_sync_) {
            RETURN_IF_ERROR(early_sync_->finish());
        }
        for (const SpaceId id : touched) {
            RETURN_IF_ERROR(analysis_->map.spaces.at(id).file->sync());
        }
        return {};
    }

    Status sync_files() {
        {
            const base::MutexLock lock(mutex_);
            touched_.insert(found_.begin(), found_.end());
        }
        RETURN_IF_ERROR(sync_touched());
        for (const std::string& directory : directories_) {
            RETURN_IF_ERROR(directory_.sync_directory(directory));
        }
        return {};
    }

    /// Tablespaces that DDL made or renamed since the checkpoint, under their names of now. The
    /// server may yet roll that DDL back: it finds their files only if the log names them, as the
    /// crashed log did; otherwise it reports the table as missing.
    std::vector<redo::NamedFile> files_of_recent_ddl() const {
        std::vector<redo::NamedFile> names;
        for (const auto& [id, events] : analysis_->scan.file_events) {
            const RecoveredSpace& space = analysis_->map.spaces.at(id);
            const bool recent = std::any_of(
                events.begin(), events.end(),
                [](const FileEvent& event) { return event.type != redo::RecordType::FileModify; });
            if (recent && !space.ignored) {
                const std::string& path = space.rename_to ? *space.rename_to : space.path;
                names.push_back({id, path.starts_with('/') ? path : "./" + path});
            }
        }
        return names;
    }

    /// V2: a checkpoint at the log's end, after everything else is durable. The log keeps its size
    /// and its file where that can be: to delete gigabytes takes time, too.
    Status finish_log() {
        if (layout_.is_backup) {
            // Its log is only as long as what was copied; and no DDL was left in the middle, since
            // a backup waits for it.
            return replace_log({});
        }
        const std::vector<redo::NamedFile> names = files_of_recent_ddl();
        const auto writes = redo::checkpoint_in_place(*analysis_->log, analysis_->scan.checkpoint,
                                                      analysis_->scan.end, names);
        if (!writes) {
            return replace_log(names);
        }
        ASSIGN_OR_RETURN(const auto file,
                         directory_.open(layout_.log_path, io::OpenMode::ReadWrite));
        for (const redo::LogWrite& write : writes->records) {
            RETURN_IF_ERROR(file->write_at(write.offset, write.bytes));
        }
        RETURN_IF_ERROR(file->sync());
        RETURN_IF_ERROR(file->write_at(writes->block.offset, writes->block.bytes));
        return file->sync();
    }

    Status replace_log(std::span<const redo::NamedFile> names) {
        constexpr std::uint64_t kFileCheckpointSize =
            16;  // of the mini-transaction that fills up to the recovered LSN
        const Lsn lsn{analysis_->scan.end.value - kFileCheckpointSize};
        const std::string parent = io::parent_of(layout_.log_path);
        const std::string new_path = io::join(parent, kNewLogName);
        RETURN_IF_ERROR(directory_.unlink_if_exists(new_path));
        {
            ASSIGN_OR_RETURN(const auto file,
                             directory_.open(new_path, io::OpenMode::CreateExclusive));
            RETURN_IF_ERROR(file->write_at(0, redo::make_clean_log(lsn, "Redoubt 0.1.0", names)));
            RETURN_IF_ERROR(file->sync());
        }
        RETURN_IF_ERROR(directory_.rename(new_path, layout_.log_path));
        return directory_.sync_directory(parent);
    }

    std::unique_ptr<Analysis> analysis_;
    io::Directory& directory_;
    const space::Layout& layout_;
    const RecoverOptions& options_;
    RecoverReport& report_;
    std::unique_ptr<Journal> journal_;
    std::set<std::string> directories_;
    std::set<SpaceId> found_;  ///< files there before this run that the log changes
    std::uint64_t lost_writes_ = 0;
    base::Mutex mutex_;  // also guards report_.notes and the healed and lost counts
    std::set<SpaceId>
        touched_;  // files written since their last sync; under mutex_ while workers run
    std::atomic<std::uint64_t> pages_applied_{
        0};  // counters: relaxed would do, nothing is published by them
    std::atomic<std::uint64_t> pages_initialised_{0};
    std::atomic<std::uint64_t> pages_freed_{0};
    std::atomic<std::uint64_t> pages_written_{0};
    std::atomic<std::uint64_t> bytes_written_{0};
    std::optional<io::BackgroundSync> early_sync_;  ///< last: uses the files
};

}  // namespace

Result<RecoverReport> recover(io::Directory& directory, const RecoverOptions& options) {
    RecoverReport report;
    const auto begin = Clock::now();
    ASSIGN_OR_RETURN(const space::Layout layout,
                     space::find_fixed_layout(directory, options.layout, options.layout_given));
    AnalysisOptions analysis_options{
        .mode = io::OpenMode::ReadWrite, .keys = options.keys, .strictness = options.strictness};
    analysis_options.index_memory = options.memory / 2;
    analysis_options.threads = options.threads;
    analysis_options.partial = options.partial;
    analysis_options.expected_end = options.expected_end;
    analysis_options.open_files_max = options.open_files_max;
    analysis_options.progress = options.progress;
    analysis_options.cancel = options.cancel;
    ASSIGN_OR_RETURN(auto analysis, analyse(directory, layout, analysis_options));
    report.scan_seconds = seconds_since(begin);
    report.was_clean = analysis->scan.clean;
    report.checkpoint = analysis->scan.checkpoint.lsn;
    report.end = analysis->scan.end;
    report.redo_bytes = analysis->scan.redo_bytes();
    report.mtr_count = analysis->scan.mtr_count;
    report.record_count = analysis->scan.record_count();
    report.notes = analysis->map.notes;
    if (report.was_clean) {
        RETURN_IF_ERROR(allow_changes(options, *analysis));
        RETURN_IF_ERROR(sync_log(directory, layout));  // V3: perhaps of a run that was killed
        RETURN_IF_ERROR(directory.sync_directory(""));
        RETURN_IF_ERROR(Journal::remove(directory));
        return report;
    }
    RETURN_IF_ERROR(Recovery(layout, options, std::move(analysis), report).run());
    return report;
}

}  // namespace redoubt::recovery
