#include "cli/page_text.h"

#include <fmt/format.h>

#include "page/header.h"

namespace redoubt::cli {

PageText describe_page(std::span<const std::byte> page, PageNo number,
                       const space::SpaceHeader& space, bool readable) {
    static_cast<void>(number);
    static_cast<void>(space);
    static_cast<void>(readable);
    static_cast<void>(page);
    return {};
}

}  // namespace redoubt::cli
