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

/// `page`: a plain page of `space`, or its stored bytes where it could not be decoded; then
/// `readable` says whether its fields mean something (false: they are ciphertext).
PageText describe_page(std::span<const std::byte> page, PageNo number,
                       const space::SpaceHeader& space, bool readable);

}  // namespace redoubt::cli
