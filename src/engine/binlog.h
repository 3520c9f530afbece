/// Which transactions the binary log says are committed: of those that its two-phase commit left
/// prepared in InnoDB, recovery commits just these. Format: docs/formats/binlog.md.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::engine {

/// Numbers of the transactions in the binary logs from the last checkpoint on, as their XIDs have
/// them. nullopt: there is no binary log in the data directory. A log that ends within an event
/// ends before it, as the server sees it. Errors: Io, Corruption: not a binary log; Unsupported: it
/// is encrypted.
Result<std::optional<std::set<std::uint64_t>>> read_binlog_commits(io::Directory& directory);

}  // namespace redoubt::engine
