// Map of this file: Verifier opens what there is (open_*), holds it against the dictionary
// (dictionary_check), has every page checked (page_scan), then judges each file (judge): extents,
// what is wrong with which page, and whether recovery will heal it; pages that are too old
// (check_stale); last the trees (check_trees, check_lone_trees: table_check). What was found goes
// to a FindingSink.
#include "verify/verify.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <tuple>

#include "base/parallel.h"
#include "io/bounded_directory.h"
#include "io/posix_directory.h"
#include "page/header.h"
#include "recovery/analysis.h"
#include "recovery/recovered_pages.h"
#include "space/extent_map.h"
#include "space/file_pages.h"
#include "undo/transactions.h"
#include "verify/dictionary_check.h"
#include "verify/finding_sink.h"
#include "verify/page_scan.h"
#include "verify/stale_check.h"
#include "verify/table_check.h"

namespace redoubt::verify {
namespace {

using recovery::RecoveredPages;
using recovery::RecoveredSpace;

constexpr std::size_t kIndexShare =
    4;  // a quarter of the memory is for the redo index; the rest is extent maps and buffers

const std::string kSystemName = "innodb_system";

class Verifier {
public:
    Verifier(io::Directory& directory, const VerifyOptions& options)
        : directory_(directory, io::open_files_share()),
          options_(options),
          findings_(directory.path()) {}

    Result<VerifyReport> run_directory() {
        ASSIGN_OR_RETURN(layout_,
                         space::find_layout(directory_, options_.layout, options_.layout_given));
        RETURN_IF_ERROR(refuse_when_in_use());
        RETURN_IF_ERROR(analyse());
        RETURN_IF_ERROR(open_fixed_files());
        for (const space::TableFile& table : layout_.tables) {
            RETURN_IF_ERROR(open_table(table));
        }
        RETURN_IF_ERROR(report_unseen_spaces());
        RETURN_IF_ERROR(check_against_dictionary());
        RETURN_IF_ERROR(check_jobs());
        RETURN_IF_ERROR(check_stale());
        RETURN_IF_ERROR(check_trees());
        if (findings_.damaged()) {
            spare_zero_pages();
            judge_leftovers(opened(), findings_);
        }
        return finish();
    }

    Result<VerifyReport> run_file(const std::string& path) {
        RETURN_IF_ERROR(open_file(path, {path}, std::nullopt));
        RETURN_IF_ERROR(check_jobs());
        if (looks_at_trees()) {
            RETURN_IF_ERROR(check_lone_trees(path));
        }
        return finish();
    }

private:
    bool has_level(std::string_view level) const {
        return std::find(options_.levels.begin(), options_.levels.end(), level) !=
               options_.levels.end();
    }

    void find(Finding finding) { findings_.add(std::move(finding)); }

    Status refuse_when_in_use() {
        for (const space::SystemFile& file : layout_.system_files) {
            auto opened = directory_.open(file.path, io::OpenMode::ReadOnly);
            if (!opened) {
                continue;  // reported when it is opened for checking
            }
            ASSIGN_OR_RETURN(const bool in_use, (*opened)->locked_by_other());
            if (in_use) {
                return make_error(ErrorCode::Refused,
                                  "the directory is in use: a server runs on it")
                    .with_file(file.path)
                    .with_hint("stop the server, or verify a backup of it");
            }
        }
        return {};
    }

    /// Reads the redo log as recovery would, so that what it heals can be told from damage.
    Status analyse() {
        recovery::AnalysisOptions options{.mode = io::OpenMode::ReadOnly,
                                          .keys = options_.keys,
                                          .strictness = options_.strictness};
        options.index_memory = options_.memory / kIndexShare;
        options.threads = options_.threads;
        options.partial = options_.partial;
        options.progress = options_.progress;
        options.cancel = options_.cancel;
        auto analysis = recovery::analyse(directory_, layout_, options);
        if (!analysis) {
            const Error& error = analysis.error();
            switch (error.code()) {
                case ErrorCode::Corruption:
                case ErrorCode::NotFound:
                    findings_.add_error("unrecoverable", Severity::Damage, error, layout_.log_path);
                    return {};
                case ErrorCode::Key:
                    findings_.set_redo_unseen();
                    note_missing_key(error.message(), findings_.relative(error.file()));
                    return {};
                default:
                    return std::move(analysis.error());
            }
        }
        analysis_ = std::move(*analysis);
        if (analysis_->scan.end < options_.redo_needed) {
            find({.kind = "redo-short",
                  .severity = Severity::Damage,
                  .file = layout_.log_path,
                  .lsn = analysis_->scan.end,
                  .message = fmt::format("redo ends at {}, the backup needs {}",
                                         analysis_->scan.end.value, options_.redo_needed.value)});
        }
        report_.checkpoint = analysis_->scan.checkpoint.lsn;
        report_.end = analysis_->scan.end;
        report_.needs_recovery = !analysis_->scan.clean;
        if (report_.needs_recovery) {
            recovered_ =
                std::make_unique<RecoveredPages>(*analysis_, options_.keys, options_.strictness);
            find({.kind = "needs-recovery",
                  .severity = Severity::Note,
                  .file = layout_.log_path,
                  .lsn = analysis_->scan.end,
                  .message = recovery_needed()});
        }
        for (const std::string& note : analysis_->map.notes) {
            find({.kind = "recovery-note",
                  .severity = Severity::Note,
                  .file = layout_.log_path,
                  .message = note});
        }
        return {};
    }

    std::string recovery_needed() const {
        const recovery::RedoIndex& index = analysis_->index;
        return fmt::format(
            "the server did not shut down cleanly: {} bytes of redo from lsn {} are to be applied; "
            "{}{} pages of {} tablespaces are stale or missing",
            analysis_->scan.redo_bytes(), analysis_->scan.checkpoint.lsn.value,
            index.upper() == recovery::RedoIndex::kEnd ? "up to " : "more than ",
            index.page_count(), analysis_->scan.touched_spaces.size());
    }

    void note_missing_key(const std::string& message, const std::string& file) {
        report_.missing_keys.push_back(file.empty() ? message
                                                    : fmt::format("{} ({})", message, file));
    }

    /// The space that the redo log touches under this path, if any.
    RecoveredSpace* recovered_space(std::string_view path) {
        if (!analysis_) {
            return nullptr;
        }
        for (auto& [id, space] : analysis_->map.spaces) {
            if (space.path == path ||
                (id == kSystemSpace && path == layout_.system_files.front().path)) {
                return &space;
            }
        }
        return nullptr;
    }

    Status open_fixed_files() {
        std::vector<std::string> paths;
        for (const space::SystemFile& file : layout_.system_files) {
            paths.push_back(file.path);
        }
        RETURN_IF_ERROR(open_file(kSystemName, paths, std::nullopt));
        if (!jobs_.empty()) {
            page_size_ = jobs_.back().disk_header.flags.logical_page_size;
        }
        for (const std::string& path : layout_.undo_files) {
            RETURN_IF_ERROR(open_file(path, {path}, std::nullopt));
        }
        return {};
    }

    Status open_table(const space::TableFile& table) {
        return open_file(table.name, {table.path}, table);
    }

    /// Makes a job of one tablespace, or a finding of why it cannot be.
    Status open_file(const std::string& name, const std::vector<std::string>& paths,
                     const std::optional<space::TableFile>& table) {
        const std::string& path = paths.front();
        RecoveredSpace* recovered = recovered_space(path);
        if (recovered != nullptr && recovered->ignored && !recovered->deleted) {
            recovered = nullptr;  // recovery leaves the file alone, so it must be whole as it is
        }
        if (recovered != nullptr && recovered->deleted) {
            find({.kind = "dropped-file",
                  .severity = Severity::Note,
                  .file = path,
                  .space = recovered->id,
                  .message =
                      "the redo log drops this tablespace: nobody uses the file any more, and "
                      "the server may leave it behind"});
            return {};
        }
        if (recovered != nullptr && recovered->deferred) {
            find({.kind = "first-page",
                  .severity = Severity::Note,
                  .file = path,
                  .table = name_of(table),
                  .space = recovered->id,
                  .page = PageNo{0},
                  .message = "page 0 is unusable on disk; recovery makes it anew"});
            if (!recovered->file || !recovered->disk_header) {
                return {};  // the redo log makes the whole file; nothing in it counts
            }
        }
        FileJob job;
        job.name = table ? table->name : name;
        job.paths = paths;
        if (recovered != nullptr && recovered->file && recovered->disk_header) {
            job.file = recovered->file.get();
            job.disk_header = *recovered->disk_header;
        } else {
            auto opened = space::Tablespace::open(directory_, paths, io::OpenMode::ReadOnly, name,
                                                  page_size_, std::nullopt);
            if (!opened) {
                const ErrorCode code = opened.error().code();
                if (code == ErrorCode::NotFound || code == ErrorCode::Corruption ||
                    code == ErrorCode::Io || code == ErrorCode::Unsupported ||
                    code == ErrorCode::Refused) {
                    findings_.add_error(code == ErrorCode::NotFound         ? "file-missing"
                                        : code == ErrorCode::Io             ? "file-unreadable"
                                        : opened.error().page().has_value() ? "first-page"
                                                                            : "file-unusable",
                                        Severity::Damage, opened.error(), path, name_of(table));
                    return {};
                }
                return std::move(opened.error());
            }
            job.owned = std::move(*opened);
            job.file = job.owned.get();
            job.disk_header = job.file->header();
        }
        ASSIGN_OR_RETURN(job.page_count, job.file->page_count());
        if (analysis_) {
            job.newest_lsn = analysis_->scan.end;
        }
        if (job.disk_header.id == kSystemSpace) {
            RETURN_IF_ERROR(skip_doublewrite(job));
        }
        const auto [other, is_new] = names_.try_emplace(job.disk_header.id, path);
        if (!is_new) {
            find({.kind = "duplicate-space-id",
                  .severity = Severity::Damage,
                  .file = path,
                  .table = name_of(table),
                  .space = job.disk_header.id,
                  .message = fmt::format("{} carries the same space id", other->second)});
        }
        report_.files += paths.size();
        jobs_.push_back(std::move(job));
        return {};
    }

    static std::string name_of(const std::optional<space::TableFile>& table) {
        return table ? space::sql_name(table->name) : std::string();
    }

    Status skip_doublewrite(FileJob& job) const {
        if (analysis_) {
            std::tie(job.skip_first, job.skip_end) = analysis_->doublewrite.range();
            return {};
        }
        ASSIGN_OR_RETURN(const auto doublewrite, recovery::Doublewrite::load(*job.file));
        std::tie(job.skip_first, job.skip_end) = doublewrite.range();
        return {};
    }

    /// Files that the redo log needs and that are not there yet.
    Status report_unseen_spaces() {
        if (!analysis_) {
            return {};
        }
        for (const auto& [id, space] : analysis_->map.spaces) {
            if (space.create) {
                find({.kind = "file-to-be-created",
                      .severity = Severity::Note,
                      .file = space.path,
                      .space = id,
                      .message =
                          "the file does not exist yet; recovery creates it from the redo log"});
            }
            if (space.rename_to) {
                find({.kind = "rename-pending",
                      .severity = Severity::Note,
                      .file = space.path,
                      .space = id,
                      .lsn = space.rename_lsn,
                      .message =
                          fmt::format("a rename to {} was logged but not done; recovery does it",
                                      *space.rename_to)});
            }
        }
        return {};
    }

    OpenedDirectory opened() {
        return {.directory = directory_,
                .options = options_,
                .layout = layout_,
                .jobs = jobs_,
                .names = names_,
                .analysis = analysis_.get(),
                .recovered = recovered_.get(),
                .miss_key = [this](const std::string& message, const std::string& file) {
                    note_missing_key(message, file);
                }};
    }

    Status check_against_dictionary() {
        if (jobs_.empty() || jobs_.front().name != kSystemName) {
            return {};  // reported already
        }
        return check_dictionary(opened(), findings_);
    }

    /// Whether the redo log changes pages of this tablespace.
    bool touched(const FileJob& job) const {
        return recovered_ != nullptr && analysis_->scan.touched_spaces.contains(job.disk_header.id);
    }

    Status check_jobs() {
        if (!has_level("pages")) {
            return {};
        }
        ASSIGN_OR_RETURN(totals_, scan_pages(jobs_, options_));
        // In the order of ids, so that the redo index is walked once however small it is.
        std::sort(jobs_.begin(), jobs_.end(), [](const FileJob& a, const FileJob& b) {
            return a.disk_header.id < b.disk_header.id;
        });
        if (options_.progress != nullptr) {
            options_.progress->begin("check extents", jobs_.size(), "files");
        }
        for (FileJob& job : jobs_) {
            RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
            RETURN_IF_ERROR(judge(job));
            if (options_.progress != nullptr) {
                options_.progress->advance(1);
            }
        }
        if (options_.progress != nullptr) {
            options_.progress->end();
        }
        return {};
    }

    Status judge(FileJob& job) {
        report_.pages += job.page_count;
        report_.bytes += std::uint64_t{job.page_count} * job.disk_header.flags.physical_page_size;
        report_.not_checked_pages += job.not_checked;
        for (const ZeroRun& run : job.zero_runs) {
            report_.zero_pages += run.count;
        }
        if (job.not_checked > 0) {
            note_missing_key(
                job.key_problem.value_or(fmt::format(
                    "key {} missing", job.disk_header.crypt ? job.disk_header.crypt->key_id : 0)),
                job.paths.front());
        }
        const bool touched = this->touched(job);
        std::optional<space::ExtentMap> extents;
        RETURN_IF_ERROR(map_extents(job, touched, extents));
        RETURN_IF_ERROR(judge_tail(job));
        const std::uint32_t header_size =
            touched ? analysis_->map.spaces.at(job.disk_header.id).header.size
                    : job.disk_header.size;
        if (!space::long_enough(job.page_count, header_size,
                                job.disk_header.flags.physical_page_size)) {
            find({.kind = touched ? "file-to-be-extended" : "file-short",
                  .severity = touched ? Severity::Note : Severity::Damage,
                  .file = job.paths.front(),
                  .space = job.disk_header.id,
                  .message =
                      fmt::format("the file has {} pages, its header says {}{}", job.page_count,
                                  header_size, touched ? "; recovery extends it" : "")});
        }
        for (const PageProblem& problem : job.problems) {
            RETURN_IF_ERROR(judge_page(job, problem, touched, extents));
        }
        if (job.problem_count > job.problems.size()) {
            find({.kind = "more-pages",
                  .severity = Severity::Damage,
                  .file = job.paths.front(),
                  .space = job.disk_header.id,
                  .message = fmt::format("{} more pages of this file did not pass",
                                         job.problem_count - job.problems.size())});
        }
        if (extents) {
            judge_zero_pages(job, touched, *extents);
            report_.free_pages += static_cast<std::uint64_t>(
                std::count(extents->use.begin(), extents->use.end(), space::PageUse::Free));
            if (options_.contents) {
                count_free_pages(job, *extents);
            }
        }
        return {};
    }

    /// Of the file, where report_.free_pages are those below what was ever allocated.
    static void count_free_pages(FileJob& job, const space::ExtentMap& extents) {
        std::uint64_t free = 0;
        for (std::uint32_t page = 0; page < job.page_count; ++page) {
            free += extents.is_free(PageNo{page}) ? 1 : 0;
        }
        job.free_pages = free;
    }

    /// Pages that are whole and older than the log says they must be.
    Status check_stale() {
        if (!looks_at_trees() || analysis_ == nullptr) {
            return {};
        }
        ASSIGN_OR_RETURN(const auto pages, find_stale_pages(*analysis_, jobs_, options_));
        for (const StalePage& stale : pages) {
            Finding finding{.kind = "page-stale",
                            .file = stale.job->paths.front(),
                            .table = space::sql_name(stale.job->name),
                            .space = stale.job->disk_header.id,
                            .page = stale.page,
                            .lsn = stale.lsn,
                            .message = fmt::format("an older image of the page: its change at lsn "
                                                   "{} lies before the checkpoint, so a "
                                                   "newer one was written",
                                                   stale.changed.value)};
            if (stale.copied && report_.needs_recovery) {
                heal(finding, "recovery takes the newer one from the doublewrite buffer");
            } else if (touched(*stale.job)) {
                RETURN_IF_ERROR(try_to_heal(finding));
            }
            if (finding.severity == Severity::Damage) {
                finding.message += "; restore the table from the last backup";
            }
            find(std::move(finding));
        }
        return {};
    }

    bool looks_at_trees() const { return has_level("trees") || has_level("rows"); }

    Status check_trees() {
        if (!looks_at_trees() || analysis_ == nullptr) {
            return {};  // without the log (which is said) it is not known what the trees are
        }
        return take(check_tables(directory_, options_, table_findings()),
                    findings_.damaged() ? Severity::Note : Severity::Damage,
                    layout_.system_files.front().path);
    }

    /// Of a file alone, with the .frm beside it.
    Status check_lone_trees(const std::string& path) {
        if (!path.ends_with(".ibd")) {
            find({.kind = "trees-not-checked",
                  .severity = Severity::Note,
                  .file = path,
                  .message = "not a table's file: its trees are checked with its directory"});
            return {};
        }
        if (jobs_.empty()) {
            return {};  // why it cannot be used is said
        }
        auto checked = check_lone_file(directory_, path, options_, table_findings());
        if (!checked && checked.error().code() == ErrorCode::Refused) {  // a server runs on it
            findings_.add_error("trees-not-checked", Severity::Note, checked.error(), path);
            return {};
        }
        return take(std::move(checked), Severity::Note, path);
    }

    TableFindings table_findings() {
        return {.find =
                    [this](Finding finding) {
                        if (const auto name = names_.find(finding.space.value_or(undo::kNoSpace));
                            finding.file.empty() && name != names_.end()) {
                            finding.file = name->second;
                        }
                        if (!is_known(finding)) {
                            find(std::move(finding));
                        }
                    },
                .miss_key = [this](const std::string& message,
                                   const std::string& file) { note_missing_key(message, file); },
                .spare_zero_page =
                    [this](SpaceId space, PageNo page) {
                        spared_.insert({space, page});
                    }};
    }

    /// Of trees. `severity`: of what keeps all of them from being checked.
    Status take(Result<TableChecks> checked, Severity severity, const std::string& file) {
        if (!checked) {
            switch (checked.error().code()) {
                case ErrorCode::Corruption:
                case ErrorCode::NotFound:
                    // A file that is missing was said to be.
                    findings_.add_error("trees-not-checked", severity, checked.error(), file);
                    return {};
                case ErrorCode::Key:
                    note_missing_key(checked.error().message(),
                                     findings_.relative(checked.error().file()));
                    return {};
                default:
                    return std::move(checked.error());
            }
        }
        report_.tables = checked->tables;
        report_.trees = checked->trees;
        report_.records = checked->records;
        tables_ = std::move(checked->contents);
        report_.ended_early = std::move(checked->ended_early);
        return {};
    }

    /// That the page cannot be read was said of it already.
    bool is_known(const Finding& finding) const {
        return (finding.kind == "tree-unreadable" || finding.kind == "table-unreadable") &&
               std::ranges::any_of(findings_.findings(), [&](const Finding& other) {
                   return other.severity == Severity::Damage &&
                          ((other.space == finding.space && other.page == finding.page) ||
                           (!other.page && other.file == finding.file));
               });
    }

    /// Bytes behind the last whole page, which the server ignores too.
    Status judge_tail(const FileJob& job) {
        if (job.paths.size() > 1 || job.disk_header.id == kSystemSpace) {
            return {};  // such files count in whole MiB
        }
        ASSIGN_OR_RETURN(const io::FileInfo info, job.file->files().front()->info());
        const std::uint64_t tail = info.size % job.disk_header.flags.physical_page_size;
        if (tail != 0) {
            find({.kind = "file-tail",
                  .severity = Severity::Note,
                  .file = job.paths.front(),
                  .space = job.disk_header.id,
                  .message =
                      fmt::format("{} bytes follow the last whole page; nothing uses them", tail)});
        }
        return {};
    }

    Status map_extents(FileJob& job, bool touched, std::optional<space::ExtentMap>& extents) {
        if (job.not_checked > 0) {
            return {};  // inode pages are encrypted too
        }
        space::FilePages pages(*job.file, options_.keys, options_.strictness);
        space::PageSource& source = touched ? static_cast<space::PageSource&>(*recovered_) : pages;
        auto built = space::build_extent_map(source, job.disk_header.id, job.disk_header.flags);
        if (!built) {
            if (built.error().code() == ErrorCode::Corruption ||
                built.error().code() == ErrorCode::NotFound) {
                findings_.add_error("extents", Severity::Damage, built.error(), job.paths.front());
                return {};
            }
            return std::move(built.error());
        }
        extents = std::move(*built);
        for (const space::ExtentProblem& problem : extents->problems) {
            find({.kind = "extents",
                  .severity = Severity::Damage,
                  .file = job.paths.front(),
                  .space = job.disk_header.id,
                  .page = problem.page,
                  .message = problem.message});
        }
        return {};
    }

    Status judge_page(const FileJob& job, const PageProblem& problem, bool touched,
                      const std::optional<space::ExtentMap>& extents) {
        Finding finding{
            .kind = problem.kind == PageProblem::Corrupt ? "page-corrupt" : "page-in-the-future",
            .severity = Severity::Damage,
            .file = job.paths.front(),
            .space = job.disk_header.id,
            .page = problem.page,
            .lsn = problem.lsn,
            .message = problem.message};
        if (extents && extents->is_free(problem.page)) {
            finding.severity = Severity::Note;
            finding.kind = "free-page";
            finding.message += "; the page is free, its content does not matter";
        } else if (touched) {
            RETURN_IF_ERROR(try_to_heal(finding));
        }
        find(std::move(finding));
        return {};
    }

    /// Makes a note of a finding about a page of a space that the redo log touches, if recovery
    /// heals it.
    Status try_to_heal(Finding& finding) {
        ASSIGN_OR_RETURN(const auto healing,
                         recovered_->healing_of({*finding.space, *finding.page}));
        switch (healing) {
            case RecoveredPages::Healing::None:
                break;
            case RecoveredPages::Healing::Initialised:
                heal(finding, "the redo log makes the page anew");
                break;
            case RecoveredPages::Healing::Freed:
                heal(finding, "the redo log frees the page");
                break;
            case RecoveredPages::Healing::Doublewrite:
                heal(finding, "torn; the doublewrite buffer has a whole copy");
                break;
        }
        return {};
    }

    static void heal(Finding& finding, std::string_view how) {
        finding.severity = Severity::Note;
        finding.kind = "torn-page";
        finding.message += fmt::format("; {}", how);
    }

    /// Pages in use that were never written. (The doublewrite segment has some by design.)
    void judge_zero_pages(const FileJob& job, bool touched, const space::ExtentMap& extents) {
        if (touched) {
            return;
        }
        const std::uint64_t doublewrite =
            job.skip_first.value < extents.owner.size() ? extents.owner[job.skip_first.value] : 0;
        for (const ZeroRun& run : job.zero_runs) {
            for (std::uint32_t page = run.first;
                 page < run.first + run.count && page < extents.use.size(); ++page) {
                if (!extents.is_free(PageNo{page}) &&
                    extents.use[page] != space::PageUse::Unknown &&
                    (doublewrite == 0 || extents.owner[page] != doublewrite)) {
                    find({.kind = "page-zero",
                          .severity = Severity::Damage,
                          .file = job.paths.front(),
                          .space = job.disk_header.id,
                          .page = PageNo{page},
                          .message = "the page is in use but all zero"});
                }
            }
        }
    }

    void spare_zero_pages() {
        for (Finding& finding : findings_.judge_again()) {
            if (finding.kind == "page-zero" && spared_.contains({*finding.space, *finding.page})) {
                finding.severity = Severity::Note;
                finding.message +=
                    "; no tree leads to it: an index or a load that did not come "
                    "to its end had taken it";
            }
        }
    }

    Status collect_contents() {
        Contents& contents = report_.contents.emplace();
        contents.tables = std::move(tables_);
        contents.ages = std::move(totals_.ages);
        contents.unstamped_pages = totals_.unstamped_pages;
        for (const FileJob& job : jobs_) {
            ASSIGN_OR_RETURN(SpaceContents space, contents_of(job));
            contents.spaces.push_back(std::move(space));
        }
        std::ranges::stable_sort(contents.spaces, {}, &SpaceContents::space);
        return {};
    }

    static Result<SpaceContents> contents_of(const FileJob& job) {
        SpaceContents space{.table = job.name.find('/') == std::string::npos
                                         ? std::string()
                                         : space::sql_name(job.name),
                            .files = job.paths,
                            .space = job.disk_header.id,
                            .flags = job.disk_header.flags,
                            .crypt = job.disk_header.crypt,
                            .pages = job.page_count,
                            .free_pages = job.free_pages};
        for (io::File* const file : job.file->files()) {
            ASSIGN_OR_RETURN(const io::FileInfo info, file->info());
            space.bytes += info.size;
            space.allocated += info.allocated_size;
        }
        if (job.statistics) {
            space.kinds = job.statistics->kinds;
            space.ages = job.statistics->ages;
            space.slices = job.statistics->slices;
        }
        return space;
    }

    Result<VerifyReport> finish() {
        if (options_.contents) {
            RETURN_IF_ERROR(collect_contents());
        }
        std::sort(report_.missing_keys.begin(), report_.missing_keys.end());
        report_.missing_keys.erase(
            std::unique(report_.missing_keys.begin(), report_.missing_keys.end()),
            report_.missing_keys.end());
        report_.findings = findings_.take();
        report_.page_size = page_size_;
        return std::move(report_);
    }

    io::BoundedDirectory directory_;
    const VerifyOptions& options_;
    VerifyReport report_;
    FindingSink findings_;
    space::Layout layout_;
    std::unique_ptr<recovery::Analysis> analysis_;
    std::unique_ptr<RecoveredPages> recovered_;
    std::uint32_t page_size_ = 0;  ///< of the instance; 0 = not known
    std::vector<FileJob> jobs_;
    ScanTotals totals_;
    std::vector<TableContents> tables_;  ///< of levels trees and rows
    std::map<SpaceId, std::string> names_;
    std::set<PageId> spared_;  ///< in use, all zero, and no tree leads to them
};

/// "dir/" names the same as "dir"; "/" stays.
std::string without_trailing_slashes(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

}  // namespace

std::string_view name_of(Severity severity) {
    switch (severity) {
        case Severity::Note:
            return "note";
        case Severity::Warning:
            return "warning";
        case Severity::Damage:
            break;
    }
    return "damage";
}

bool VerifyReport::damaged() const {
    return std::any_of(findings.begin(), findings.end(),
                       [](const Finding& finding) { return finding.severity == Severity::Damage; });
}

namespace {

Status check_levels(const VerifyOptions& options) {
    for (const std::string& level : options.levels) {
        if (level != "files" && level != "pages" && level != "trees" && level != "rows") {
            return make_error(ErrorCode::Usage, "unknown level '{}'", level)
                .with_hint("levels are files, pages, trees and rows");
        }
    }
    return {};
}

}  // namespace

Result<VerifyReport> verify_directory(io::Directory& directory, const VerifyOptions& options) {
    RETURN_IF_ERROR(check_levels(options));
    const auto begin = std::chrono::steady_clock::now();
    auto report = Verifier(directory, options).run_directory();
    if (report) {
        report->seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    return report;
}

Result<VerifyReport> verify_path(const std::string& operand, const VerifyOptions& options) {
    RETURN_IF_ERROR(check_levels(options));
    const auto begin = std::chrono::steady_clock::now();
    const std::string path = without_trailing_slashes(operand);
    const std::size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "."
                               : slash == 0               ? "/"
                                                          : path.substr(0, slash);
    const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
    ASSIGN_OR_RETURN(auto outer, io::open_posix_directory(parent));
    ASSIGN_OR_RETURN(const io::FileInfo info, outer->info(name));
    if (info.is_directory) {
        ASSIGN_OR_RETURN(auto directory, io::open_posix_directory(path));
        return verify_directory(*directory, options);
    }
    auto report = Verifier(*outer, options).run_file(name);
    if (report) {
        report->seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    }
    return report;
}

}  // namespace redoubt::verify
