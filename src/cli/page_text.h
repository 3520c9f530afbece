/// One page in words: its header, and the header that its type has.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "cli/output.h"
#include "space/tablespace.h"

namespace redoubt::cli {

struct PageSection {
    std::string name;
    std::vector<Fact> facts;
};
using PageText = std::vector<PageSection>;

/// `page`: a plain page of `space` (or, where it could not be decoded, its stored bytes), of at
/// least 4096 bytes, or 1024 if the space is ROW_FORMAT=COMPRESSED. Any bytes are safe.
PageText describe_page(std::span<const std::byte> page, PageNo number,
                       const space::SpaceHeader& space);

}  // namespace redoubt::cli
