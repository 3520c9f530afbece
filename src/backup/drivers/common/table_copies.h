/// Copies tables that are files of their own (all engines but InnoDB), on all threads, and knows
/// which copies the server's DDL has overtaken.
///   T1  All files of a table are opened under BACKUP LOCK, so that they belong together; a table
///   with more files than may be open is copied under it. What is copied later comes from the open
///   files, whatever has their names by then.
///   T2  reconcile(), while DDL is blocked: what is copied afterwards is all that is missing.
/// Threading: one caller; what it passes in is called on several threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backup/ddl_log.h"
#include "backup/driver.h"
#include "backup/drivers/common/data_files.h"
#include "base/mutex.h"
#include "io/file.h"

namespace redoubt::backup {

struct OpenFile {
    std::string path;  ///< relative to the data directory, and to the target
    std::unique_ptr<io::File> file;
};
/// One table's files, open.
using OpenTable = std::vector<OpenFile>;

class TableCopies {
public:
    /// Of an open file, something that another file made in its place has otherwise; asked for
    /// copies that are Written, and again when DDL is blocked. The server notes no TRUNCATE, and no
    /// engine's log need bring it to the copy.
    using Incarnation =
        std::function<Result<std::uint64_t>(const std::string& path, io::File& file)>;
    /// `context` outlives this.
    explicit TableCopies(const DriverContext& context, Incarnation incarnation = {})
        : context_(context), incarnation_(std::move(incarnation)) {}

    /// At Start, before anything is copied: what ddl.log holds by now is of no interest.
    Status begin();

    enum class Readiness {
        NotNow,
        /// Nobody writes to it any more, so that a file with another size is another file. (The
        /// server notes no TRUNCATE of a MyISAM or CSV table, and allows it until DDL is blocked.)
        AtRest,
        Written,  ///< and redo will bring the copy to the end of the log
    };
    /// Whether a table can be copied now; may read.
    using IsReady = std::function<Result<Readiness>(const OpenTable& files)>;
    /// Copies one file to the same path in the target; returns the size of the copy.
    using CopyFile =
        std::function<Result<std::uint64_t>(const OpenTable& files, std::size_t index)>;

    /// Copies those of `tables` that were not copied and are not in `left_out`. A table that is
    /// gone, or not ready, is left. Errors: of the functions; Io (names the file), Cancelled.
    Status copy(const TableFiles& tables, Stage stage, const std::set<std::string>& left_out,
                const IsReady& is_ready, const CopyFile& copy_file);

    /// Gives each copy the name its table has now and removes those of dropped or changed tables
    /// (T2). `present`: all tables as they are. Errors: Corruption (ddl.log), Io.
    Status reconcile(const TableFiles& present);

    void note(std::string text);
    /// In the order they came; a table that was gone when it was to be copied, and that never came
    /// back, has one.
    std::vector<std::string> notes() const;

private:
    struct File {
        std::string path;
        std::uint64_t size = 0;
        std::uint64_t incarnation = 0;
    };
    struct Copy {
        DdlCopy ddl;
        bool at_rest = false;
        std::vector<File> files;
    };
    /// Keeps the files open until all are copied. Nothing when the table is gone or not ready.
    Result<std::optional<Copy>> copy_table(const std::string& table,
                                           const std::vector<std::string>& paths,
                                           const IsReady& is_ready, const CopyFile& copy_file);
    /// The same for a table with too many files: one part of it after the other.
    Result<bool> copy_parts(const std::vector<std::string>& paths, const IsReady& is_ready,
                            const CopyFile& copy_file, Copy& copy);
    /// False when one of them is gone.
    Result<bool> open_all(const std::vector<std::string>& paths, OpenTable& files);
    /// False when the table is not ready.
    Result<bool> copy_files(const OpenTable& files, const IsReady& is_ready,
                            const CopyFile& copy_file, Copy& copy);
    Status discard(const Copy& copy);

    Result<std::uint64_t> log_size() const;
    Result<std::vector<DdlEvent>> read_log(std::uint64_t size) const;
    /// Whether `copy`, of the table that is now `name`, is what is there.
    Result<bool> is_current(const Copy& copy, const std::string& name,
                            const TableFiles& present) const;
    Result<bool> is_same(const Copy& copy, const File& file, const std::string& path) const;
    Status rename_files(const std::vector<std::pair<std::string, std::string>>& renames);

    const DriverContext& context_;
    const Incarnation incarnation_;
    std::uint64_t log_begin_ = 0;  ///< what is before is of an earlier backup
    mutable base::Mutex mutex_;
    std::map<std::string, Copy> copies_ GUARDED_BY(mutex_);  ///< by the table's name
    std::set<std::string> gone_ GUARDED_BY(mutex_);
    std::vector<std::string> notes_ GUARDED_BY(mutex_);
};

}  // namespace redoubt::backup
