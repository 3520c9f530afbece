/// Where InnoDB's committed transactions end in the binary log, as the rollback segments say.
/// Format: docs/formats/undo.md#rollback-segment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "crypt/keys.h"
#include "io/file.h"
#include "recovery/analysis.h"
#include "space/layout.h"

namespace redoubt::backup {

struct BinlogPosition {
    std::string file;  ///< as the server names it
    std::uint64_t offset = 0;
};

/// Of a directory whose redo is applied, or, with its `analysis`, as it would be. Absent: the
/// server kept no binary log. Errors: Io, Corruption, Key.
Result<std::optional<BinlogPosition>> read_binlog_position(io::Directory& directory,
                                                           const space::Layout& layout,
                                                           const crypt::KeyRing* keys,
                                                           recovery::Analysis* analysis = nullptr);

/// Whether `a` lies further on than `b`; false where they are of two series of files, which only
/// time could tell apart.
bool is_later(const BinlogPosition& a, const BinlogPosition& b);

}  // namespace redoubt::backup
