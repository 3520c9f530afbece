/// Which file holds which tablespace, as the redo log and the files themselves say.
///   S1  Spaces are told apart by id alone; a path may have belonged to several over time.
///   S2  A file is taken for a space only if its page 0 carries that id, or is unusable and the log
///   (or the doublewrite
///       buffer) makes it anew.
///   S3  Only files that the log names are opened.
/// Rules: docs/architecture.md#recovery-files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"
#include "recovery/doublewrite.h"
#include "recovery/log_scan.h"
#include "space/layout.h"
#include "space/tablespace.h"

namespace redoubt::recovery {

enum class SpaceKind : std::uint8_t { System, Undo, Table };

/// One tablespace that the log touches.
struct RecoveredSpace {
    SpaceId id;
    SpaceKind kind = SpaceKind::Table;
    std::string name;  ///< "db/t", "innodb_system", "undo001"
    std::string path;  ///< of its (first) file; where it is to be created when `create`
    std::unique_ptr<space::Tablespace>
        file;              ///< null: deleted, missing without redo, or to be created
    bool deleted = false;  ///< FILE_DELETE was logged: its redo is void
    bool create = false;   ///< the file must be made
    bool deferred =
        false;  ///< page 0 on disk is unusable: the header comes from redo or doublewrite
    std::optional<std::string> moved_aside;  ///< a foreign file at `path` is moved here first
    std::optional<std::string> rename_to;    ///< a rename that was logged but not done
    Lsn rename_lsn;                          ///< of that rename: renames are done in this order
    std::optional<space::SpaceHeader>
        disk_header;            ///< page 0 as on disk (or its doublewrite copy), if usable
    space::SpaceHeader header;  ///< page 0 as the redo leaves it
    bool ignored = false;       ///< nothing to do: deleted, or named but never touched
};

struct SpaceMap {
    std::map<SpaceId, RecoveredSpace> spaces;
    std::vector<std::string> notes;  ///< what was unusual but is all right
};

struct SpaceMapInputs {
    io::Directory& directory;
    const space::Layout& layout;
    const LogScan& scan;
    const Doublewrite& doublewrite;
    std::uint32_t page_size;
    io::OpenMode mode;
    page::Strictness strictness;
    bool partial = false;  ///< of a backup: tables may have been left out on purpose
};

/// Opens what the log names and decides for every space what is to become of it; changes nothing on
/// disk. `system` becomes space 0 of the map. `header` of the spaces is not final yet:
/// `finish_headers` (redo_apply.h) applies the redo of page 0. Errors: Corruption naming the file
/// (a wrong space id; a tablespace with redo whose file is missing; found in two places), Io.
Result<SpaceMap> build_space_map(const SpaceMapInputs& inputs,
                                 std::unique_ptr<space::Tablespace> system);

}  // namespace redoubt::recovery
