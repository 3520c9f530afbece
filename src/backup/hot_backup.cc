// Map of this file: HotBackup::run() is the whole of it in order; each stage of the server's BACKUP
// STAGE protocol is a function. Why in this order: docs/backup.md.
#include "backup/hot_backup.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>

#include "backup/backup_parts.h"
#include "backup/commit_watch.h"
#include "backup/drivers/drivers.h"
#include "backup/innodb_copier.h"
#include "backup/metadata.h"
#include "backup/redo_copier.h"
#include "backup/server.h"
#include "backup/target.h"
#include "backup/target_directory.h"
#include "base/log.h"
#include "base/mutex.h"
#include "io/sub_directory.h"

namespace redoubt::backup {
namespace {

/// Passes over what DDL makes while files are copied, before DDL is blocked: each finds less.
constexpr unsigned kRoundsMax = 5;
/// A checkpoint is asked for when the redo since the last one is at least this part of the log: it
/// saves copying that redo, and the server cannot overtake the copy for as much longer.
constexpr std::uint64_t kCheckpointPart = 4;

class HotBackup {
public:
    HotBackup(io::Directory& root, const std::string& target, const BackupOptions& options,
              BackupReport& report)
        : root_(root),
          target_path_(target),
          options_(options),
          directory_(root, target),
          target_(directory_, options.progress, options.cancel),
          report_(report) {}

    Status run() {
        RETURN_IF_ERROR(require_empty_directory(directory_, target_path_));
        RETURN_IF_ERROR(connect());
        RETURN_IF_ERROR(require_space());
        RETURN_IF_ERROR(make_target_directory(root_, target_path_));
        ASSIGN_OR_RETURN(commits_, CommitWatch::start(options_.server, options_.cancel));
        RETURN_IF_ERROR(start_redo());
        RETURN_IF_ERROR(copy_unlocked());
        RETURN_IF_ERROR(flush_tables());
        RETURN_IF_ERROR(block_ddl());
        RETURN_IF_ERROR(block_commits());
        return finish();
    }

private:
    Status connect() {
        report_.manifest.uuid = make_uuid();
        report_.manifest.begin_time = utc_time();
        description_.start_time = local_time();
        ASSIGN_OR_RETURN(main_, client::Connection::open(options_.server, options_.cancel));
        ASSIGN_OR_RETURN(facts_, read_server_facts(*main_));
        RETURN_IF_ERROR(check_privileges(
            *main_, {.binlog = facts_.log_bin, .replica = options_.replica_position}));
        ASSIGN_OR_RETURN(redo_connection_,
                         client::Connection::open(options_.server, options_.cancel));
        datadir_.emplace(root_, facts_.datadir);
        if (!datadir_->exists("")) {
            return make_error(ErrorCode::NotFound,
                              "the server's data directory is not on this machine, or this user "
                              "cannot enter it")
                .with_file(facts_.datadir)
                .with_hint(
                    "run the backup on the server's own machine, as the server's user or as "
                    "root");
        }
        RETURN_IF_ERROR(require_local_server());
        if (options_.keys == nullptr) {
            ASSIGN_OR_RETURN(server_keys_, load_server_keys(root_, facts_));
            options_.keys = server_keys_.get();
        }
        space::LayoutOptions layout;
        layout.data_file_path = facts_.data_file_path;
        layout.data_home = facts_.data_home;
        layout.undo_directory = facts_.undo_directory;
        layout.log_directory = facts_.log_directory;
        layout.aria_log_directory = facts_.aria_log_directory;
        layout.page_size = facts_.page_size;
        layout_options_ = layout;
        log::info(
            "backup",
            {{"server", main_->where()}, {"version", facts_.version}, {"datadir", facts_.datadir}});
        return {};
    }

    /// The files at the server's paths are its own, not those of a like server on another machine.
    Status require_local_server() {
        if (facts_.read_only) {
            return {};  // such a server locks nothing
        }
        const std::string system_file = io::join(facts_.data_home, first_system_file());
        ASSIGN_OR_RETURN(const auto file, datadir_->open(system_file, io::OpenMode::ReadOnly));
        ASSIGN_OR_RETURN(const bool in_use, file->locked_by_other());
        if (in_use) {
            return {};
        }
        return make_error(ErrorCode::Connection,
                          "the server at {} is not the one these files belong to: no server has "
                          "them open",
                          main_->where())
            .with_file(io::join(facts_.datadir, system_file))
            .with_hint("run the backup on the server's own machine");
    }
    std::string first_system_file() const {
        return facts_.data_file_path.substr(0, facts_.data_file_path.find(':'));
    }

    /// What the files take now; the redo comes on top, as much as the server's log holds.
    Status require_space() {
        ASSIGN_OR_RETURN(const space::Layout layout,
                         space::find_layout(*datadir_, layout_options_, true));
        std::uint64_t bytes = 0;
        const auto add = [&](const std::string& path) {
            if (const auto info = datadir_->info(path)) {  // else dropped meanwhile
                bytes += std::min(info->size, info->allocated_size);
            }
        };
        for (const space::SystemFile& file : layout.system_files) {
            add(file.path);
        }
        for (const std::string& path : layout.undo_files) {
            add(path);
        }
        for (const space::TableFile& table : layout.tables) {
            add(table.path);
        }
        total_bytes_ = bytes;
        return require_free_space(root_, target_path_, bytes, "the backup",
                                  "free space, or name a directory on another disk");
    }

    /// Everything that is changed from here on is in the copied redo.
    Status start_redo() {
        ASSIGN_OR_RETURN(const space::Layout layout,
                         space::find_fixed_layout(*datadir_, layout_options_, true));
        RETURN_IF_ERROR(checkpoint_if_worth_it(layout.log_path));
        ASSIGN_OR_RETURN(redo_, RedoCopier::start(*datadir_, target_,
                                                  {.log_path = layout.log_path,
                                                   .copy_name = kUnfinishedLog,
                                                   .keys = options_.keys,
                                                   .cancel = options_.cancel,
                                                   .durable_lsn = [this]() {
                                                       return flushed_lsn(*redo_connection_);
                                                   }}));
        report_.manifest.from = redo_->standing().begin;
        return {};
    }

    Status checkpoint_if_worth_it(const std::string& log_path) {
        ASSIGN_OR_RETURN(const auto log, redo::LogFile::open(*datadir_, log_path, options_.keys));
        ASSIGN_OR_RETURN(const redo::Checkpoint newest, log->checkpoint());
        ASSIGN_OR_RETURN(const Lsn now, flushed_lsn(*main_));
        if (now.value - newest.lsn.value < log->capacity() / kCheckpointPart) {
            return {};
        }
        // Not everybody may ask for it; then the redo is copied.
        auto asked = request_checkpoint(*main_);
        if (!asked && asked.error().code() != ErrorCode::Privilege) {
            return asked;
        }
        return {};
    }

    /// BACKUP STAGE START. No table is locked, no statement waits.
    Status copy_unlocked() {
        stages_.emplace(options_.server, options_.cancel);
        RETURN_IF_ERROR(stages_->start(options_.lock_wait_seconds));
        ASSIGN_OR_RETURN(locks_, ServerTableLocks::open(options_.server, options_.cancel));
        // Listed after the redo copy began: what is made later is in its records.
        ASSIGN_OR_RETURN(layout_, space::find_layout(*datadir_, layout_options_, true));
        innodb_.emplace(*datadir_, layout_, target_,
                        InnodbCopierOptions{.threads = options_.threads,
                                            .continue_on_damage = options_.continue_on_damage,
                                            .table_of = [this](SpaceId id) -> Result<std::string> {
                                                const base::MutexLock lock(main_mutex_);
                                                return table_of_space(*main_, id);
                                            },
                                            .cancel = options_.cancel,
                                            .check = [this]() { return look_at_redo(); }});
        driver_context_.emplace(DriverContext{.datadir = *datadir_,
                                              .aria_log_dir = facts_.aria_log_directory,
                                              .target = target_,
                                              .locks = *locks_,
                                              .threads = options_.threads,
                                              .ignored_databases = facts_.ignored_databases,
                                              .cancel = options_.cancel});
        drivers_ = make_drivers(*driver_context_);
        begin_phase("copy", total_bytes_);
        RETURN_IF_ERROR(innodb_->copy_all());
        RETURN_IF_ERROR(run_drivers(Stage::Start));
        RETURN_IF_ERROR(copy_new_tables());
        end_phase();
        return {};
    }

    /// On every thread, once a block. Errors: the redo copier's.
    Status look_at_redo() {
        constexpr std::int64_t kInterval = 500;  // milliseconds
        const std::int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count();
        std::int64_t shown = headroom_shown_.load(std::memory_order_relaxed);
        if (options_.progress != nullptr && now - shown >= kInterval &&
            headroom_shown_.compare_exchange_strong(shown, now)) {
            constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
            const RedoStanding standing = redo_->standing();
            options_.progress->remark(fmt::format("redo headroom {} of {} MiB",
                                                  standing.headroom / kMebibyte,
                                                  standing.capacity / kMebibyte));
        }
        return redo_->check();
    }

    Status copy_new_tables() {
        for (unsigned round = 0; round < kRoundsMax; ++round) {
            ASSIGN_OR_RETURN(const std::size_t copied, innodb_->copy_new(redo_->file_events()));
            if (copied == 0) {
                break;
            }
        }
        return {};
    }

    /// BACKUP STAGE FLUSH: tables of engines without redo are complete on disk where nobody uses
    /// them.
    Status flush_tables() {
        RETURN_IF_ERROR(stages_->flush());
        ASSIGN_OR_RETURN(in_use_, tables_in_use(*main_));
        RETURN_IF_ERROR(run_drivers(Stage::Flush));
        RETURN_IF_ERROR(copy_new_tables());
        ASSIGN_OR_RETURN(server_tables_, tables_with_files(*main_));
        return target_.sync();  // so that little is left to do under locks
    }

    /// BACKUP STAGE BLOCK_DDL: names stand still.
    Status block_ddl() {
        RETURN_IF_ERROR(stages_->block_ddl());
        RETURN_IF_ERROR(wait_for_redo());
        const FileEvents events = redo_->file_events();
        RETURN_IF_ERROR(innodb_->settle(events));
        RETURN_IF_ERROR(require_all_tables(events));
        return run_drivers(Stage::BlockDdl);
    }

    /// What the server's dictionary names is copied, or was dropped since it was asked. A file that
    /// something else removed is in no list and in no redo record.
    Status require_all_tables(const FileEvents& events) {
        for (const auto& [id, table] : innodb_->missing(server_tables_, events)) {
            const std::string file = table + ".ibd";
            ASSIGN_OR_RETURN(const bool discarded, is_discarded(*main_, id, table));
            if (discarded) {
                report_.notes.push_back(file +
                                        " is not in the backup: its tablespace is discarded");
                continue;
            }
            const std::string message = "the server's dictionary has this table, its file is gone";
            if (!options_.continue_on_damage) {
                return make_error(ErrorCode::Corruption, "{}", message)
                    .with_context("table " + space::decode_file_name(table))
                    .with_file(io::join(facts_.datadir, file))
                    .with_space(id)
                    .with_hint(
                        "restore or drop the table on the server; --continue-on-damage backs up "
                        "the rest");
            }
            lost_.push_back({.file = file, .space = id, .page = PageNo{0}, .message = message});
        }
        return {};
    }

    /// The redo of everything that happened before this call is copied when it returns.
    Status wait_for_redo() {
        ASSIGN_OR_RETURN(const Lsn now, current_lsn(*main_));
        RETURN_IF_ERROR(flush_engine_logs(*main_));
        return redo_->wait_for(now);
    }

    /// BACKUP STAGE BLOCK_COMMIT: the point in time that the backup is of. Writers wait: nothing is
    /// done here that could be done before or after.
    Status block_commits() {
        RETURN_IF_ERROR(wait_for_redo());  // what is left is what the lock's own wait leaves
        RETURN_IF_ERROR(stages_->block_commit());
        RETURN_IF_ERROR(run_drivers(Stage::BlockCommit));
        ASSIGN_OR_RETURN(const Lsn now, current_lsn(*main_));
        RETURN_IF_ERROR(flush_engine_logs(*main_));
        if (facts_.log_bin) {
            ASSIGN_OR_RETURN(position_, binlog_position(*main_));
        }
        if (options_.replica_position) {
            ASSIGN_OR_RETURN(replica_, replica_position(*main_));
        }
        ASSIGN_OR_RETURN(end_, redo_->stop(now));
        RETURN_IF_ERROR(stages_->end());
        report_.ddl_blocked_ms = stages_->ddl_blocked_ms();
        report_.commits_blocked_ms = stages_->commits_blocked_ms();
        return {};
    }

    Status finish() {
        RETURN_IF_ERROR(require_same_server(*main_, facts_));
        RETURN_IF_ERROR(redo_->close());
        RETURN_IF_ERROR(run_drivers(Stage::Unlocked));
        fill_in_report();
        RETURN_IF_ERROR(prove());
        if (position_) {
            RETURN_IF_ERROR(target_.write_text(kBinlogInfoFile, position_->text()));
        }
        if (!replica_.empty()) {
            RETURN_IF_ERROR(target_.write_text(kReplicaInfoFile, replica_));
        }
        RETURN_IF_ERROR(list_damaged_pages());
        report_.manifest.end_time = utc_time();
        description_.uuid = report_.manifest.uuid;
        description_.tool_command = "backup";
        description_.server_version = facts_.version;
        description_.end_time = local_time();
        description_.lock_seconds = static_cast<std::uint64_t>(report_.ddl_blocked_ms / 1000);
        description_.from = Lsn{0};
        description_.to = report_.manifest.to;
        if (position_) {
            description_.binlog_position =
                fmt::format("filename '{}', position '{}', GTID of the last change '{}'",
                            position_->file, position_->offset, position_->gtid);
        }
        RETURN_IF_ERROR(finish_backup(target_, server_layout(), description_, report_));
        report_.longest_commit_ms = std::max(commits_->stop(), report_.commits_blocked_ms);
        return {};
    }

    void fill_in_report() {
        Manifest& manifest = report_.manifest;
        manifest.server_uuid = facts_.server_uid;
        manifest.server_version = facts_.version;
        manifest.host = facts_.hostname;
        manifest.to = end_.checkpoint;
        manifest.last = end_.last;
        if (position_) {
            manifest.binlog_file = position_->file;
            manifest.binlog_offset = position_->offset;
            manifest.gtid = position_->gtid;
        }
        report_.pages = innodb_->pages();
        report_.pages_read_again = innodb_->pages_read_again();
        report_.tablespaces = innodb_->tablespaces();
        report_.redo_bytes = end_.bytes;
        report_.headroom_min = end_.headroom_min;
        report_.log_capacity = redo_->standing().capacity;
        report_.damaged = innodb_->damaged();
        report_.damaged.insert(report_.damaged.end(), lost_.begin(), lost_.end());
        manifest.damaged = report_.has_damage();
        for (std::string& text : innodb_->notes()) {
            report_.notes.push_back(std::move(text));
        }
        for (const auto& driver : drivers_) {
            std::vector<std::string> notes = driver->notes();
            std::move(notes.begin(), notes.end(), std::back_inserter(report_.notes));
        }
    }

    /// The copy is read as prepare will read it, and InnoDB's own account of the binary log held
    /// against the server's.
    Status prove() {
        RETURN_IF_ERROR(target_.sync());
        ASSIGN_OR_RETURN(const LogProof proof, prove_log(directory_, options_));
        if (proof.end < end_.last) {
            return make_error(ErrorCode::Io,
                              "the copied redo log reads back only up to {}, {} was "
                              "written",
                              proof.end.value, end_.last.value)
                .with_file(io::join(target_path_, kUnfinishedLog))
                .with_hint("the target's disk does not keep what is written to it; check it");
        }
        if (proof.binlog && position_ &&
            is_later(*proof.binlog, {position_->file, position_->offset})) {
            return make_error(ErrorCode::Failure,
                              "InnoDB has a transaction of binary log {} position {}, the server "
                              "said that its log ended at {} position {}",
                              proof.binlog->file, proof.binlog->offset, position_->file,
                              position_->offset)
                .with_hint(
                    "the backup is consistent in itself, but its position is not; run it "
                    "again");
        }
        return {};
    }

    /// As mariadb-backup lists them, for its --prepare.
    Status list_damaged_pages() {
        if (innodb_->damaged().empty()) {
            return {};
        }
        std::map<std::pair<std::string, SpaceId>, std::vector<PageNo>> pages;
        for (const DamagedPage& damaged : innodb_->damaged()) {
            std::string name = damaged.file;
            if (name.ends_with(".ibd")) {
                name.resize(name.size() - 4);
            }
            pages[{name, damaged.space}].push_back(damaged.page);
        }
        std::string text;
        for (const auto& [space, numbers] : pages) {
            text += fmt::format("{} {}\n", space.first, space.second.value);
            for (const PageNo number : numbers) {
                text += fmt::format("{} ", number.value);
            }
            text += "\n";
        }
        return target_.write_text(kCorruptedPagesFile, text);
    }

    ServerLayout server_layout() const {
        ServerLayout layout;
        layout.checksum_algorithm = facts_.checksum_algorithm;
        layout.data_file_path = facts_.data_file_path;
        layout.log_file_size = facts_.log_file_size;
        layout.page_size = facts_.page_size;
        layout.undo_tablespaces = facts_.undo_tablespaces;
        layout.compression_level = facts_.compression_level;
        layout.buffer_pool_filename = facts_.buffer_pool_filename == "ib_buffer_pool"
                                          ? std::string()
                                          : facts_.buffer_pool_filename;
        layout.encryption_lines = facts_.encryption_lines;
        return layout;
    }

    Status run_drivers(Stage stage) {
        for (const auto& driver : drivers_) {
            RETURN_IF_ERROR(driver->run(stage, in_use_));
        }
        return redo_->check();
    }

    void begin_phase(std::string_view phase, std::uint64_t bytes) {
        if (options_.progress != nullptr) {
            options_.progress->begin(phase, bytes, "bytes");
        }
    }
    void end_phase() {
        if (options_.progress != nullptr) {
            options_.progress->end();
        }
    }

    io::Directory& root_;
    const std::string target_path_;
    BackupOptions options_;
    io::SubDirectory directory_;
    Target target_;
    BackupReport& report_;

    // Connections outlive what uses them; the stages' connection closes first (B2).
    std::unique_ptr<client::Connection> main_;
    base::Mutex main_mutex_;  // where the copier's threads use main_; nobody else does then
    std::unique_ptr<client::Connection> redo_connection_;
    std::unique_ptr<CommitWatch> commits_;
    ServerFacts facts_;
    space::LayoutOptions layout_options_;
    space::Layout layout_;
    std::optional<io::SubDirectory> datadir_;
    std::unique_ptr<crypt::KeyRing> server_keys_;  // where the caller gave none
    std::uint64_t total_bytes_ = 0;
    std::atomic<std::int64_t> headroom_shown_ = 0;  // relaxed: when, for display
    std::unique_ptr<RedoCopier> redo_;
    std::optional<InnodbCopier> innodb_;
    std::unique_ptr<ServerTableLocks> locks_;
    std::optional<DriverContext> driver_context_;
    std::vector<std::unique_ptr<Driver>> drivers_;
    std::set<std::string> in_use_;
    std::map<SpaceId, std::string> server_tables_;
    std::vector<DamagedPage> lost_;  // tables without a file
    std::optional<ServerPosition> position_;
    std::string replica_;
    RedoCopier::End end_;
    BackupDescription description_;
    std::optional<BackupStages> stages_;
};

}  // namespace

Result<BackupReport> take_hot_backup(io::Directory& root, const std::string& target,
                                     const BackupOptions& options) {
    BackupReport report;
    RETURN_IF_ERROR(HotBackup(root, target, options, report).run());
    return report;
}

}  // namespace redoubt::backup
