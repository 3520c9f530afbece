/// What the binary log says is committed: of the transactions that its two-phase commit left
/// prepared in InnoDB, recovery commits just these; and statements of DDL. Format:
/// docs/formats/binlog.md.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::engine {

/// Numbers as XIDs have them.
struct BinlogCommits {
    std::set<std::uint64_t> transactions;
    std::set<std::uint64_t> statements;  ///< of DDL that can be taken up again
};

/// What the binary logs have from the last checkpoint on. nullopt: there is no binary log in the
/// data directory. A log that ends within an event ends before it, as the server sees it. Errors:
/// Io, Corruption: not a binary log; Unsupported: it is encrypted.
Result<std::optional<BinlogCommits>> read_binlog_commits(io::Directory& directory);

}  // namespace redoubt::engine
