/// Verifies a backup as prepare would see it: its metadata first, then its files under the names
/// that its markers give them, and, where it has a manifest, every file against that.
#pragma once

#include "base/error.h"
#include "io/file.h"
#include "verify/verify.h"

namespace redoubt::backup {

/// Errors: as read_metadata, read_manifest and verify_directory.
Result<verify::VerifyReport> verify_backup(io::Directory& directory,
                                           const verify::VerifyOptions& options);

}  // namespace redoubt::backup
