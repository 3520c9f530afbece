#include "backup/prepare.h"

#include <algorithm>
#include <chrono>

#include "backup/manifest.h"
#include "backup/markers.h"
#include "recovery/analysis.h"

namespace redoubt::backup {
namespace {

/// V1 of recover: the log, seen whole, must be this backup's and reach as far as the backup needs.
Status check_log(const recovery::Analysis& analysis, Lsn needed) {
    const recovery::LogScan& scan = analysis.scan;
    if (scan.end < needed) {
        return make_error(ErrorCode::Incomplete, "redo ends at {}, the backup needs {}",
                          scan.end.value, needed.value)
            .with_file(analysis.log->path())
            .with_lsn(scan.end)
            .with_hint(
                "the end of the log is lost or damaged, or the log is another backup's; copy the "
                "backup anew from where it is kept, or take another one");
    }
    if (scan.checkpoint.lsn > needed) {
        return make_error(ErrorCode::Incomplete,
                          "the redo log begins at {}, after the backup's end ({})",
                          scan.checkpoint.lsn.value, needed.value)
            .with_file(analysis.log->path())
            .with_lsn(scan.checkpoint.lsn)
            .with_hint("the log is another backup's; copy the backup anew");
    }
    return {};
}

Error with_key_hint(Error error, io::Directory& directory) {
    if (error.code() != ErrorCode::Key) {
        return error;
    }
    constexpr std::size_t kOptionsSizeMax = 64 << 10;  // bytes
    constexpr std::string_view kName = "file_key_management_filename=";
    const auto text = directory.read_text(kOptionsFile, kOptionsSizeMax);
    const std::size_t at = text ? text->find(kName) : std::string::npos;
    if (at == std::string::npos) {
        return error;
    }
    const std::size_t begin = at + kName.size();
    return std::move(error).with_hint(
        fmt::format("the server's key file was {}; give a copy of it with --key-file",
                    text->substr(begin, text->find('\n', begin) - begin)));
}

Status require_log(io::Directory& directory, const space::Layout& layout) {
    if (directory.exists(layout.log_path)) {
        return {};
    }
    return make_error(ErrorCode::Incomplete, "the backup has no redo log")
        .with_file(io::join(directory.path(), layout.log_path))
        .with_hint("copy the backup anew from where it is kept, or take another one");
}

class Preparation {
public:
    Preparation(io::Directory& directory, const PrepareOptions& options, PrepareReport& report)
        : directory_(directory), options_(options), report_(report) {}

    Status run() {
        RETURN_IF_ERROR(Markers::finish_interrupted(directory_));
        ASSIGN_OR_RETURN(const Markers markers, Markers::read(directory_));
        MarkedDirectory marked(directory_, markers);
        report_.markers = markers.texts();

        recovery::RecoverOptions recover_options;
        static_cast<space::DirectoryOptions&>(recover_options) = options_;
        recover_options.partial = report_.metadata.partial();
        recover_options.expected_end = report_.metadata.redo_needed();
        recover_options.before_changes = [&](const recovery::Analysis& analysis) -> Status {
            RETURN_IF_ERROR(check_log(analysis, report_.metadata.redo_needed()));
            RETURN_IF_ERROR(begin_manifest(analysis, !markers.empty()));
            RETURN_IF_ERROR(markers.apply(directory_));
            marked.done();
            return {};
        };
        ASSIGN_OR_RETURN(report_.recovery, recovery::recover(marked, recover_options));
        return finish();
    }

private:
    Status finish() {
        ASSIGN_OR_RETURN(
            const space::Layout layout,
            space::find_fixed_layout(directory_, options_.layout, options_.layout_given));
        RETURN_IF_ERROR(check_tables());
        ASSIGN_OR_RETURN(report_.binlog, read_binlog_position(directory_, layout, options_.keys));
        if (report_.binlog) {
            RETURN_IF_ERROR(directory_.replace_text(
                kBinlogPositionFile,
                fmt::format("{}\t{}\n", report_.binlog->file, report_.binlog->offset)));
        }
        RETURN_IF_ERROR(finish_manifest());
        Checkpoints checkpoints = report_.metadata.checkpoints;
        checkpoints.state = BackupState::Prepared;
        return write_checkpoints(directory_, checkpoints);  // P2
    }

    /// Before the first change: the manifest is a prepared backup's, so it does not count until the
    /// checkpoints file says the same (P2), and tablespaces that the redo names have no hash.
    Status begin_manifest(const recovery::Analysis& analysis, bool renamed) {
        ASSIGN_OR_RETURN(auto manifest, read_manifest(directory_, report_.metadata.checkpoints));
        if (!manifest) {
            return {};
        }
        manifest->state = BackupState::Prepared;
        for (auto& [_, file] : manifest->files) {
            if (file.space && (renamed || analysis.map.spaces.contains(*file.space))) {
                file.hash.clear();
            }
        }
        return write_manifest(directory_, *manifest);
    }

    /// What the redo may have changed is listed without a hash; the rest keeps the one it was
    /// copied with.
    Status finish_manifest() {
        ASSIGN_OR_RETURN(auto manifest, read_manifest(directory_, report_.metadata.checkpoints));
        if (!manifest) {
            return {};
        }
        ASSIGN_OR_RETURN(const space::Layout layout,
                         space::find_layout(directory_, options_.layout, options_.layout_given));
        auto copied = std::move(manifest->files);
        manifest->files.clear();
        for (auto& [path, file] : copied) {
            if (!file.space && path != layout.log_path) {
                manifest->files.emplace(path, std::move(file));
            }
        }
        const auto add = [&](const std::string& path) -> Status {
            ASSIGN_OR_RETURN(const io::FileInfo info, directory_.info(path));
            const auto same = copied.find(path);
            if (same != copied.end() && same->second.space && !same->second.hash.empty()) {
                manifest->files.emplace(path, std::move(same->second));
            } else {
                manifest->files[path] = {.size = info.size};
            }
            return {};
        };
        for (const space::SystemFile& file : layout.system_files) {
            RETURN_IF_ERROR(add(file.path));
        }
        for (const std::string& path : layout.undo_files) {
            RETURN_IF_ERROR(add(path));
        }
        for (const space::TableFile& table : layout.tables) {
            RETURN_IF_ERROR(add(table.path));
        }
        return write_manifest(directory_, *manifest);
    }

    /// A table whose file is missing or another's is not seen by the redo when it was not changed
    /// during the backup. Pages that the backup found bad are looked at again: the redo may have
    /// made them anew.
    Status check_tables() {
        const bool corrupted = directory_.exists(kCorruptedPagesFile);
        verify::VerifyOptions verify_options;
        static_cast<space::DirectoryOptions&>(verify_options) = options_;
        verify_options.levels = {"files"};
        if (corrupted) {
            verify_options.levels.emplace_back("pages");
        }
        verify_options.partial = report_.metadata.partial();
        ASSIGN_OR_RETURN(verify::VerifyReport report,
                         verify::verify_directory(directory_, verify_options));
        report_.findings = std::move(report.findings);
        if (corrupted && !report_.damaged()) {
            RETURN_IF_ERROR(directory_.unlink(kCorruptedPagesFile));
        }
        return {};
    }

    io::Directory& directory_;
    const PrepareOptions& options_;
    PrepareReport& report_;
};

}  // namespace

bool PrepareReport::damaged() const {
    return std::any_of(findings.begin(), findings.end(), [](const verify::Finding& finding) {
        return finding.severity == verify::Severity::Damage;
    });
}

Result<PrepareReport> prepare(io::Directory& directory, const PrepareOptions& options) {
    const auto begin = std::chrono::steady_clock::now();
    PrepareReport report;
    ASSIGN_OR_RETURN(report.metadata, read_metadata(directory));
    ASSIGN_OR_RETURN(const space::Layout layout,
                     space::find_fixed_layout(directory, options.layout, options.layout_given));
    RETURN_IF_ERROR(require_log(directory, layout));
    switch (report.metadata.checkpoints.state) {
        case BackupState::Prepared:
            report.was_prepared = true;
            // Perhaps by a run that was killed before this was durable.
            RETURN_IF_ERROR(directory.sync_directory(""));
            return report;
        case BackupState::Increment:
            return make_error(ErrorCode::WrongChain,
                              "this is an incremental backup: it has only the pages that changed "
                              "since lsn {}",
                              report.metadata.checkpoints.from.value)
                .with_file(directory.path())
                .with_hint("prepare its full backup with mariadb-backup --incremental-dir");
        case BackupState::Copied:
            break;
    }
    if (auto status = Preparation(directory, options, report).run(); !status) {
        return with_key_hint(std::move(status.error()), directory);
    }
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
}

}  // namespace redoubt::backup
