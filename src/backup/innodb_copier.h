/// Copies InnoDB's data files while a server writes them: each page checked, none locked. What a
/// page lacks when it is copied, the redo that is copied beside has.
///   I1  A page is written to the copy only as it was read when it passed its checks, or, with
///       `continue_on_damage`, is listed as damaged.
///   I2  Tablespaces are known by the id in their page 0, never by path: what DDL during the copy
///       did to names is done to the copies in settle(), when DDL is blocked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backup/redo_copier.h"
#include "backup/target.h"
#include "base/cancel.h"
#include "base/error.h"
#include "io/file.h"
#include "space/layout.h"

namespace redoubt::backup {

/// A page that did not pass its checks however often it was read.
struct DamagedPage {
    std::string file;  ///< in the backup
    SpaceId space;
    PageNo page;
    std::string message;
};

struct InnodbCopierOptions {
    unsigned threads = 1;
    bool continue_on_damage = false;
    /// "db/t" of a tablespace, as the server's dictionary has it, or nothing; called by any thread
    /// when two files carry one id. Absent: both are copied.
    std::function<Result<std::string>(SpaceId)> table_of = {};
    const base::CancelToken* cancel = nullptr;
    /// Asked once per block: an error ends the copy (the redo copier has failed, say).
    std::function<Status()> check = {};
};

class InnodbCopier {
public:
    /// All of them outlive the copier. `layout`: of the server's directory, as found when the redo
    /// copier had begun.
    InnodbCopier(io::Directory& datadir, const space::Layout& layout, Target& target,
                 InnodbCopierOptions options);
    ~InnodbCopier();

    /// The system tablespace, undo tablespaces and all tables of the layout. Errors: Io, NoSpace,
    /// Cancelled; Corruption (a page that stays bad, with its table).
    Status copy_all();
    /// Tablespaces that the redo tells of and that are not copied yet. Returns how many were. While
    /// DDL goes on, files may vanish in front of it.
    Result<std::size_t> copy_new(const FileEvents& events);
    /// With DDL blocked and `events` complete: copies what is new, gives every copy its name and
    /// deletes those of dropped tables (I2).
    Status settle(const FileEvents& events);
    /// Of `tables`, as the server's dictionary named them since copying began: those, under their
    /// names by now, that are neither copied nor dropped. After settle().
    std::vector<std::pair<SpaceId, std::string>> missing(
        const std::map<SpaceId, std::string>& tables, const FileEvents& events) const;

    std::uint64_t pages() const;
    std::uint64_t pages_read_again() const;  ///< caught half written
    std::size_t tablespaces() const;
    const std::vector<DamagedPage>& damaged() const;
    std::vector<std::string> notes() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// "./db/t.ibd", "/elsewhere/db/t.ibd" -> "db/t"; empty for what is no table ("./undo001").
std::string table_of_logged_name(std::string_view name);

}  // namespace redoubt::backup
