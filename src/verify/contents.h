/// What is in a directory: collected while verify reads it anyway. Memory: O(files + indexes).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "crypt/crypt_data.h"
#include "dict/dictionary.h"
#include "page/flags.h"
#include "verify/page_ages.h"
#include "verify/page_kind.h"

namespace redoubt::verify {

/// One tablespace.
struct SpaceContents {
    std::string table = {};  ///< SQL name, with "#P#p0" of a partition; empty: not a table's
    std::vector<std::string> files = {};
    SpaceId space;
    page::TablespaceFlags flags = {};
    std::optional<crypt::CryptData> crypt = {};
    std::uint64_t bytes = 0;      ///< of its files
    std::uint64_t allocated = 0;  ///< bytes on disk: holes are not counted
    std::uint32_t pages = 0;
    // Below: of level pages only.
    std::optional<std::uint64_t> free_pages = {};  ///< of `pages`; empty: not known
    KindCounts kinds{};                            ///< as stored: a free page keeps what it was
    LsnRange ages = {};  ///< of whole pages that were ever stamped with an LSN of this log
    std::optional<AgeSlices> slices = {};  ///< of the largest files only
};

/// What a walk of one tree counted. Pages that cannot be used are not in it.
struct TreeSize {
    std::uint64_t leaf_pages = 0;
    std::uint64_t inner_pages = 0;
    std::uint64_t blob_pages = 0;  ///< of its off-page columns
    std::uint64_t records = 0;     ///< in leaves; delete-marked ones too
    std::uint64_t marked = 0;      ///< of these: delete-marked
    std::uint64_t used_bytes = 0;  ///< of records in leaves
    std::uint64_t room_bytes = 0;  ///< for records, of leaves if they were empty
};

struct IndexContents {
    std::string name = {};
    TreeSize size = {};
    bool whole = true;  ///< nothing was found wrong
};

/// One table, or one partition, whose trees were walked.
struct TableContents {
    std::string table = {};      ///< SQL name
    std::string partition = {};  ///< "p0", "p0#sp1"; empty: not partitioned
    std::string file = {};       ///< empty: in the system tablespace
    SpaceId space;
    dict::RowFormat row_format = dict::RowFormat::Dynamic;
    std::vector<IndexContents> indexes = {};  ///< the clustered one first
};

struct Contents {
    /// Files drawn slice by slice.
    static constexpr std::size_t kDrawnMax = 32;
    std::vector<SpaceContents> spaces;  ///< by id
    std::vector<TableContents> tables;  ///< by name
    LsnHistogram ages;                  ///< of all files
    std::uint64_t unstamped_pages = 0;  ///< whole pages that no LSN of this log is on
};

}  // namespace redoubt::verify
