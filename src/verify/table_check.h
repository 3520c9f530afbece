/// Levels trees and rows of verification: every B-tree of every table (tree_check.h), as recovery
/// would leave it, and the pages of each tablespace against the trees that use them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"
#include "verify/verify.h"

namespace redoubt::verify {

struct TableChecks {
    std::uint64_t tables = 0;  ///< partitions count each
    std::uint64_t trees = 0;
    std::uint64_t records = 0;                 ///< in leaves
    std::vector<TableContents> contents = {};  ///< by name, if VerifyOptions ask for them
    std::optional<Error> ended_early = {};     ///< as VerifyReport's
};

struct TableFindings {
    std::function<void(Finding)> find;  ///< called by one thread at a time
    /// What could not be looked at for want of a key, and the file.
    std::function<void(const std::string&, const std::string&)> miss_key;
    /// A page in use that is all zero, and that no tree leads to: taken for an index or a load that
    /// did not come to its end.
    std::function<void(SpaceId, PageNo)> spare_zero_page;
};

/// Damage is found; Errors: Io, Cancelled, and what keeps the dictionary from being read at all
/// (Corruption, Key, Refused, Unsupported, NotFound).
Result<TableChecks> check_tables(io::Directory& directory, const VerifyOptions& options,
                                 const TableFindings& findings);

/// The same of one table's file (`file` in `directory`) with the .frm beside it: its clustered tree
/// only, as it is stored. Errors: as engine::open_lone_table.
Result<TableChecks> check_lone_file(io::Directory& directory, const std::string& file,
                                    const VerifyOptions& options, const TableFindings& findings);

}  // namespace redoubt::verify
