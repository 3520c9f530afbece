/// Makes a copied backup one that a server can start on: its redo applied, as `mariadb-backup
/// --prepare` would.
///   P1  Nothing is changed before everything that can be checked is: metadata, markers, redo up to
///   the LSN that the backup needs, tablespaces, keys.
///   P2  The backup calls itself prepared only when all of it is durable; until then it can be
///   prepared again, wherever an earlier run ended.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backup/binlog_position.h"
#include "backup/metadata.h"
#include "recovery/recover.h"
#include "verify/verify.h"

namespace redoubt::backup {

using PrepareOptions = space::DirectoryOptions;

struct PrepareReport {
    bool was_prepared = false;  ///< nothing was to be done; the rest is not filled in
    Metadata metadata;          ///< as found
    std::vector<std::string> markers;
    recovery::RecoverReport recovery;
    std::optional<BinlogPosition> binlog;
    /// Tables against files: what the redo does not tell. Damage here is no error: the rest of the
    /// backup is prepared.
    std::vector<verify::Finding> findings;
    double seconds = 0;

    bool damaged() const;
};

/// Errors: as read_metadata and recover; Incomplete (files missing, redo that ends too early),
/// WrongChain (an increment), Key.
Result<PrepareReport> prepare(io::Directory& directory, const PrepareOptions& options);

}  // namespace redoubt::backup
