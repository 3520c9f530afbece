/// The copies in the doublewrite buffer, each beside the page it is of.
/// Format: docs/formats/tablespace.md#doublewrite.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "crypt/keys.h"
#include "io/file.h"
#include "recovery/doublewrite.h"
#include "space/layout.h"

namespace redoubt::cli {

struct DoublewriteCopy {
    std::size_t slot = 0;
    PageNo at;                     ///< page of the system tablespace
    std::optional<SpaceId> space;  ///< nullopt: encrypted, and no key tells whose it is
    PageNo page;
    Lsn lsn;
    std::string file = {};      ///< empty: no file carries the id
    std::string checksum = {};  ///< "good", or what is wrong
    std::string home = {};      ///< "same", "newer", "older", "damaged", ...: of the file's page
    std::optional<Lsn> home_lsn = std::nullopt;
    std::string home_problem = {};  ///< of a damaged one
};

struct DoublewriteShown {
    std::pair<PageNo, PageNo> range;  ///< of the blocks
    std::size_t slots = 0;
    std::vector<DoublewriteCopy> copies;
};

/// Reads both blocks and the pages they are of. Files of `layout` that cannot be opened count as
/// not there. `keys` may be null. Errors: of the system tablespace.
Result<DoublewriteShown> show_doublewrite(io::Directory& directory, const space::Layout& layout,
                                          const crypt::KeyRing* keys);

std::string doublewrite_text(const DoublewriteShown& shown);
Json doublewrite_json(const DoublewriteShown& shown);

}  // namespace redoubt::cli
