#include "backup/restore.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "backup/restore_plan.h"
#include "backup/target_directory.h"
#include "base/parallel.h"
#include "io/sub_directory.h"

namespace redoubt::backup {
namespace {

constexpr const char* kUnfinishedFile = "redoubt.restore";
constexpr const char* kStagedSuffix = ".redoubt";
constexpr std::size_t kUnfinishedSizeMax = std::size_t{256} << 20;  // bytes
constexpr std::uint64_t kRange = std::uint64_t{32} << 20;           // bytes that one thread copies
constexpr std::size_t kBlock = std::size_t{1} << 20;                // bytes a read

/// Without "./" and a trailing slash: what the user typed for the same place.
std::string plain_path(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    while (path.starts_with("./") && path.size() > 2) {
        path.erase(0, 2);
    }
    return path;
}

Error damage_found(const verify::VerifyReport& report, const std::string& backup) {
    const auto first = std::find_if(report.findings.begin(), report.findings.end(),
                                    [](const verify::Finding& finding) {
                                        return finding.severity == verify::Severity::Damage;
                                    });
    Error error = make_error(ErrorCode::Corruption, "the backup is damaged: {}", first->message)
                      .with_file(io::join(backup, first->file));
    if (first->space) {
        error = std::move(error).with_space(*first->space);
    }
    if (first->page) {
        error = std::move(error).with_page(*first->page);
    }
    if (first->lsn) {
        error = std::move(error).with_lsn(*first->lsn);
    }
    return std::move(error).with_hint(
        "redoubt verify lists all damage; restore another backup, or all that is whole in this one "
        "with --continue-on-damage. Nothing was written");
}

class Restoration {
public:
    Restoration(io::Directory& root, std::string backup, std::string target,
                const RestoreOptions& options, RestoreReport& report)
        : root_(root),
          backup_path_(plain_path(std::move(backup))),
          target_path_(plain_path(std::move(target))),
          backup_(root, backup_path_),
          target_(root, target_path_),
          options_(options),
          of_backup_(static_cast<const space::DirectoryOptions&>(options)),
          report_(report) {
        // The target's layout is not the backup's, which has all in its own directory.
        of_backup_.layout = {};
        of_backup_.layout_given = false;
    }

    Status run() {
        ASSIGN_OR_RETURN(std::optional<UnfinishedRestore> unfinished, find_unfinished());
        if (unfinished) {
            RETURN_IF_ERROR(check_same(*unfinished));
            report_.resumed = true;
        }
        if (unfinished && target_.exists(unfinished->plan.log.to)) {
            // All was done but forgetting the plan (T2). A server may have run on it since: nothing
            // of it is touched.
            plan_ = std::move(unfinished->plan);
            RETURN_IF_ERROR(target_.sync_directory(io::parent_of(plan_.log.to)));
            if (options_.move) {
                RETURN_IF_ERROR(drop_moved_log());
            }
            return finish();
        }
        if (unfinished && options_.move) {
            plan_ = std::move(unfinished->plan);  // part of the backup is in the target already
        } else {
            RETURN_IF_ERROR(prepare_and_verify());
            ASSIGN_OR_RETURN(plan_, make_restore_plan(backup_, options_));
            if (!unfinished) {
                RETURN_IF_ERROR(require_empty_target());
            }
            RETURN_IF_ERROR(require_space());
        }
        report_.notes = plan_.notes;
        RETURN_IF_ERROR(begin(unfinished.has_value()));
        if (options_.move) {
            RETURN_IF_ERROR(move_files());
        } else {
            RETURN_IF_ERROR(copy_files());
        }
        RETURN_IF_ERROR(sync_directories());
        RETURN_IF_ERROR(put_log());
        return finish();
    }

private:
    Status finish() {
        RETURN_IF_ERROR(target_.unlink(kUnfinishedFile));
        RETURN_IF_ERROR(target_.sync_directory(""));
        report_.files = plan_.files.size() + 1;
        for (const RestoreFile& file : plan_.files) {
            report_.bytes += file.size;
        }
        report_.bytes += plan_.log.size;
        return {};
    }

    Result<std::optional<UnfinishedRestore>> find_unfinished() {
        if (!target_.exists(kUnfinishedFile)) {
            return std::optional<UnfinishedRestore>();
        }
        ASSIGN_OR_RETURN(const std::string text,
                         target_.read_text(kUnfinishedFile, kUnfinishedSizeMax));
        auto unfinished = parse_unfinished(text);
        if (!unfinished) {
            return std::move(unfinished.error()).with_file(io::join(target_path_, kUnfinishedFile));
        }
        return std::optional<UnfinishedRestore>(std::move(*unfinished));
    }

    /// T3
    Status check_same(const UnfinishedRestore& unfinished) {
        std::string differs;
        if (unfinished.backup_path != backup_path_) {
            differs = "of backup " + unfinished.backup_path;
        } else if (unfinished.move != options_.move) {
            differs = unfinished.move ? "that moves (--move)" : "that copies (without --move)";
        } else {
            ASSIGN_OR_RETURN(const Checkpoints checkpoints, backup_checkpoints());
            if (checkpoints.last == unfinished.last_lsn) {
                return {};
            }
            differs = fmt::format("of the backup that ends at lsn {}", unfinished.last_lsn.value);
        }
        return make_error(ErrorCode::Refused, "the target holds an unfinished restore {}", differs)
            .with_file(target_path_)
            .with_hint("finish that one with its own command, or empty the directory");
    }

    /// Also where an interrupted move has taken the file's name away.
    Result<Checkpoints> backup_checkpoints() {
        constexpr std::size_t kSizeMax = 64 << 10;  // bytes
        ASSIGN_OR_RETURN(
            const std::string text,
            backup_.read_text(
                backup_.exists(kMovedCheckpointsFile) ? kMovedCheckpointsFile : kCheckpointsFile,
                kSizeMax));
        return parse_checkpoints(text);
    }

    /// T1
    Status prepare_and_verify() {
        ASSIGN_OR_RETURN(const Metadata metadata, read_metadata(backup_));
        if (metadata.checkpoints.state != BackupState::Prepared) {
            if (!report_.resumed) {
                RETURN_IF_ERROR(require_free_target());  // before hours of preparing
            }
            ASSIGN_OR_RETURN(report_.prepared, prepare(backup_, of_backup_));
        }
        RETURN_IF_ERROR(backup_.sync_directory(""));  // perhaps prepared by a run that was killed
        verify::VerifyOptions verify_options;
        static_cast<space::DirectoryOptions&>(verify_options) = of_backup_;
        verify_options.partial = metadata.partial();
        ASSIGN_OR_RETURN(report_.verified, verify::verify_directory(backup_, verify_options));
        if (report_.verified->needs_recovery) {
            return make_error(ErrorCode::Incomplete,
                              "the backup calls itself prepared, yet its redo log has changes that "
                              "are not applied")
                .with_file(backup_path_)
                .with_lsn(report_.verified->end)
                .with_hint("its metadata or its log is another backup's; copy the backup anew");
        }
        if (report_.verified->damaged() && !options_.continue_on_damage) {
            return damage_found(*report_.verified, backup_path_);
        }
        last_lsn_ = metadata.checkpoints.last;
        return {};
    }

    /// Only what a file system puts into its root.
    Status require_free_target() {
        return require_empty_directory(target_, target_path_,
                                       std::string(kUnfinishedFile) + ".tmp");
    }

    Status require_empty_target() {
        RETURN_IF_ERROR(require_free_target());
        const auto require_absent = [&](const RestoreFile& file) -> Status {
            if (target_.exists(file.to)) {
                return make_error(ErrorCode::Refused, "a file of the backup is there already")
                    .with_file(io::join(target_path_, file.to))
                    .with_hint("move it out of the way");
            }
            return {};
        };
        for (const RestoreFile& file : plan_.files) {
            RETURN_IF_ERROR(require_absent(file));
        }
        return require_absent(plan_.log);
    }

    /// The nearest directory above that exists: it is on the same file system.
    std::string existing_parent(std::string path) {
        while (!path.empty() && path != "/" && !target_.exists(path)) {
            path = io::parent_of(path);
        }
        return path;
    }

    /// Before the first byte is written. Places outside the data directory may be on other disks.
    Status require_space() {
        if (options_.move) {
            return {};  // a rename takes none; across file systems the copy says so
        }
        std::map<std::string, std::uint64_t> needed;  // bytes by directory
        const auto add = [&](const RestoreFile& file) -> Status {
            ASSIGN_OR_RETURN(const io::FileInfo info, backup_.info(file.from));
            const bool outside = file.to.starts_with('/');
            needed[outside ? existing_parent(io::parent_of(file.to)) : std::string()] +=
                std::min(info.size, info.allocated_size);
            if (report_.resumed && target_.exists(file.to)) {
                ASSIGN_OR_RETURN(const io::FileInfo there, target_.info(file.to));
                resumed_bytes_ += there.allocated_size;
            }
            return {};
        };
        for (const RestoreFile& file : plan_.files) {
            RETURN_IF_ERROR(add(file));
        }
        RETURN_IF_ERROR(add(plan_.log));
        for (const auto& [place, bytes] : needed) {
            std::string at = place;
            if (place.empty()) {
                at = target_path_;
                while (!at.empty() && at != "/" && !root_.exists(at)) {
                    at = io::parent_of(at);
                }
            }
            ASSIGN_OR_RETURN(const std::uint64_t free, root_.free_space(at));
            if (free + resumed_bytes_ < bytes) {
                return make_error(ErrorCode::NoSpace,
                                  "the restore needs {} bytes, {} are free there", bytes, free)
                    .with_file(at.empty() ? "." : at)
                    .with_hint("free space, restore elsewhere, or use --move");
            }
        }
        return {};
    }

    /// T3
    Status begin(bool resumed) {
        RETURN_IF_ERROR(make_target_directory(root_, target_path_));
        if (!resumed || !options_.move) {
            RETURN_IF_ERROR(target_.replace_text(
                kUnfinishedFile, plan_to_text(plan_, backup_path_, last_lsn_, options_.move)));
        }
        for (const std::string& directory : plan_.directories) {
            if (!target_.exists(directory)) {
                RETURN_IF_ERROR(target_.make_directory(directory));
            }
        }
        // A moved file is nowhere else: the directory it goes to must not be lost.
        return options_.move ? sync_target_directories() : ok_status();
    }

    Status copy_files() {
        std::uint64_t bytes = plan_.log.size;
        struct Piece {
            const RestoreFile* file;
            std::uint64_t begin;
            std::uint64_t end;
        };
        std::vector<Piece> pieces;
        for (const RestoreFile& file : plan_.files) {
            RETURN_IF_ERROR(target_.unlink_if_exists(file.to));  // of an interrupted run
            ASSIGN_OR_RETURN(const auto created,
                             target_.open(file.to, io::OpenMode::CreateExclusive));
            if (file.size != 0) {
                RETURN_IF_ERROR(created->truncate(file.size));
            }
            for (std::uint64_t at = 0; at < file.size; at += kRange) {
                pieces.push_back({&file, at, std::min(at + kRange, file.size)});
            }
            bytes += file.size;
        }
        begin_phase("copy", bytes, "bytes");
        std::vector<std::vector<std::byte>> buffers(threads());
        RETURN_IF_ERROR(base::parallel_for(
            pieces.size(), threads(), [&](std::size_t item, unsigned thread) -> Status {
                buffers[thread].resize(kBlock);
                const Piece& piece = pieces[item];
                return copy_range(*piece.file, piece.begin, piece.end, buffers[thread]);
            }));
        RETURN_IF_ERROR(base::parallel_for(
            plan_.files.size(), threads(), [&](std::size_t item, unsigned) -> Status {
                RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
                return sync_file(plan_.files[item].to);
            }));
        end_phase();
        return {};
    }

    Status sync_file(const std::string& path) {
        ASSIGN_OR_RETURN(const auto file, target_.open(path, io::OpenMode::ReadWrite));
        return file->sync();
    }

    Status copy_range(const RestoreFile& file, std::uint64_t begin, std::uint64_t end,
                      std::span<std::byte> buffer) {
        ASSIGN_OR_RETURN(const auto from, backup_.open(file.from, io::OpenMode::ReadOnly));
        ASSIGN_OR_RETURN(const auto to, target_.open(file.to, io::OpenMode::ReadWrite));
        for (std::uint64_t at = begin; at < end;) {
            RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
            const auto block = buffer.first(std::min<std::uint64_t>(buffer.size(), end - at));
            RETURN_IF_ERROR(from->read_exactly(at, block));
            RETURN_IF_ERROR(file.sparse ? to->write_sparse(at, block) : to->write_at(at, block));
            at += block.size();
            if (options_.progress != nullptr && !options_.move) {  // a move counts files
                options_.progress->advance(block.size());
            }
        }
        to->will_sync(begin, end - begin);
        return {};
    }

    Status move_files() {
        if (backup_.exists(kCheckpointsFile)) {  // from here on it is no backup any more
            RETURN_IF_ERROR(backup_.rename(kCheckpointsFile, kMovedCheckpointsFile));
            RETURN_IF_ERROR(backup_.sync_directory(""));
        }
        begin_phase("move", plan_.files.size(), "files");
        for (const RestoreFile& file : plan_.files) {
            RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
            RETURN_IF_ERROR(move_file(file));
            if (options_.progress != nullptr) {
                options_.progress->advance(1);
            }
        }
        end_phase();
        return {};
    }

    Status move_file(const RestoreFile& file) {
        const std::string from = io::join(backup_path_, file.from);
        if (!root_.exists(from)) {
            if (target_.exists(file.to)) {
                return {};  // moved before the interruption
            }
            return make_error(ErrorCode::NotFound, "the file is neither in the backup nor moved")
                .with_file(from)
                .with_hint("something else changed the backup; restore from another copy of it");
        }
        auto status = root_.rename(from, io::join(target_path_, file.to));
        if (status || status.error().code() != ErrorCode::Unsupported) {
            return status;
        }
        RETURN_IF_ERROR(copy_whole(file));  // another file system
        return root_.unlink(from);
    }

    /// Durably, content and name; the name comes last, so that under it the file is whole (T2 of
    /// the log).
    Status copy_whole(const RestoreFile& file) {
        RestoreFile staged = file;
        staged.to += kStagedSuffix;
        RETURN_IF_ERROR(copy_content(staged));
        RETURN_IF_ERROR(target_.rename(staged.to, file.to));
        return target_.sync_directory(io::parent_of(file.to));
    }

    /// The log is in the target, durably: where it was copied there, it may be here still.
    Status drop_moved_log() {
        RETURN_IF_ERROR(backup_.unlink_if_exists(plan_.log.from));
        return backup_.sync_directory(io::parent_of(plan_.log.from));
    }

    Status copy_content(const RestoreFile& file) {
        RETURN_IF_ERROR(target_.unlink_if_exists(file.to));
        {
            ASSIGN_OR_RETURN(const auto created,
                             target_.open(file.to, io::OpenMode::CreateExclusive));
            RETURN_IF_ERROR(created->truncate(file.size));
        }
        std::vector<std::byte> buffer(kBlock);
        RETURN_IF_ERROR(copy_range(file, 0, file.size, buffer));
        return sync_file(file.to);
    }

    Status sync_target_directories() {
        std::set<std::string> directories(plan_.directories.begin(), plan_.directories.end());
        directories.insert("");
        for (const RestoreFile& file : plan_.files) {
            directories.insert(io::parent_of(file.to));
        }
        for (const std::string& directory : directories) {
            RETURN_IF_ERROR(target_.sync_directory(directory));
            if (directory.starts_with('/')) {  // it may be new itself
                for (std::string at = io::parent_of(directory); at.size() > 1;
                     at = io::parent_of(at)) {
                    RETURN_IF_ERROR(target_.sync_directory(at));
                }
            }
        }
        return {};
    }

    Status sync_directories() {
        RETURN_IF_ERROR(sync_target_directories());
        if (options_.move) {
            std::set<std::string> sources;
            for (const RestoreFile& file : plan_.files) {
                sources.insert(io::parent_of(file.from));
            }
            for (const std::string& directory : sources) {
                RETURN_IF_ERROR(backup_.sync_directory(directory));
            }
        }
        return {};
    }

    /// T2
    Status put_log() {
        const RestoreFile& log = plan_.log;
        if (options_.move) {
            RETURN_IF_ERROR(move_file(log));
            RETURN_IF_ERROR(target_.sync_directory(io::parent_of(log.to)));
            return drop_moved_log();
        }
        return copy_whole(log);
    }

    unsigned threads() const { return std::max(options_.threads, 1U); }
    void begin_phase(std::string_view phase, std::uint64_t total, std::string_view unit) {
        if (options_.progress != nullptr) {
            options_.progress->begin(phase, total, unit);
        }
    }
    void end_phase() {
        if (options_.progress != nullptr) {
            options_.progress->end();
        }
    }

    io::Directory& root_;
    const std::string backup_path_;
    const std::string target_path_;
    io::SubDirectory backup_;
    io::SubDirectory target_;
    const RestoreOptions& options_;
    space::DirectoryOptions of_backup_;
    RestoreReport& report_;
    RestorePlan plan_;
    Lsn last_lsn_;
    std::uint64_t resumed_bytes_ = 0;  ///< of an interrupted copy: they are given back first
};

}  // namespace

bool RestoreReport::damaged() const { return verified && verified->damaged(); }

Result<RestoreReport> restore(io::Directory& root, const std::string& backup,
                              const std::string& target, const RestoreOptions& options) {
    const auto begin = std::chrono::steady_clock::now();
    RestoreReport report;
    RETURN_IF_ERROR(Restoration(root, backup, target, options, report).run());
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
}

}  // namespace redoubt::backup
