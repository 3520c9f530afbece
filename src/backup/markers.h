/// Renames and removals that a backup leaves to be done: mariadb-backup copies files while tables
/// are created, renamed and dropped, and notes in marker files what the copies are to be called
/// (`t.new`, `t.ren`, `t.del`). Format: docs/formats/backup.md#markers.
///   K1  Nothing is renamed before the whole plan is known to work.
///   K2  The plan is durable before the first file is renamed, so that an interrupted run is
///   finished by the next: by then the directory alone would not tell what was what.
///   K3  Each file first goes to a name of its own ("X.ibd.redoubt"), then, when all have, to its
///   own name: chains and cycles of renames need no order.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::backup {

class Markers {
public:
    static constexpr const char* kPlanFile = "redoubt.markers";

    /// Reads the marker files; changes nothing. Errors: Incomplete (markers that contradict the
    /// files), Io.
    static Result<Markers> read(io::Directory& directory);
    /// Completes what an interrupted run began; nothing when there is none. Errors: Corruption (the
    /// plan file), Io.
    static Status finish_interrupted(io::Directory& directory);

    bool empty() const { return markers_.empty(); }
    /// Does what read() found, durably (K2, K3). Run finish_interrupted() after an error.
    Status apply(io::Directory& directory) const;

    /// "db/t.new -> db/t.ibd", "db/t.ibd removed", for the report.
    std::vector<std::string> texts() const;

private:
    friend class MarkedDirectory;
    struct Move {
        std::string from;
        std::string to;
    };
    Status collect(io::Directory& directory, const std::string& database);
    Status plan_renames();
    void plan_new_files();
    Status run(io::Directory& directory, int stage) const;
    Status write_plan(io::Directory& directory, int stage) const;

    std::vector<Move> moves_;
    std::set<std::string> removed_;  ///< files that go
    std::vector<std::string> markers_;
    // Of read(): what the directory has.
    std::set<std::string> tables_;                ///< "db/t.ibd"
    std::vector<std::string> new_files_;          ///< "db/t.new"
    std::map<std::string, std::string> renames_;  ///< "db/t.ibd" -> "db/u.ibd"
};

/// A backup as it looks once its markers are done: the same files under the names they will have.
/// Reading only, until `markers` are applied and done() is called.
class MarkedDirectory final : public io::Directory {
public:
    /// Both outlive this.
    MarkedDirectory(io::Directory& base, const Markers& markers);

    /// The markers are applied: names are real from now on. No other thread may be using this.
    void done();

    const std::string& path() const override { return base_.path(); }
    Result<std::unique_ptr<io::File>> open(std::string_view path, io::OpenMode mode) override;
    Status rename(std::string_view from, std::string_view to) override;
    Status unlink(std::string_view path) override;
    Status make_directory(std::string_view path) override { return base_.make_directory(path); }
    Result<std::vector<std::string>> list(std::string_view path) override;
    Result<io::FileInfo> info(std::string_view path) override;
    Status sync_directory(std::string_view path) override { return base_.sync_directory(path); }
    Result<std::uint64_t> free_space(std::string_view path) override {
        return base_.free_space(path);
    }

private:
    /// Errors: NotFound for what will be gone.
    Result<std::string> real_path(std::string_view path) const;

    io::Directory& base_;
    std::map<std::string, std::string, std::less<>> real_;  ///< future path -> path of now
    std::set<std::string, std::less<>> hidden_;
};

}  // namespace redoubt::backup
