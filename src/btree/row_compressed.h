/// Index pages of ROW_FORMAT=COMPRESSED tables, made as long as their records need them.
/// Format: docs/formats/row-compressed.md.
#pragma once

#include <span>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace redoubt::btree {

/// Expands pages one after the other; keeps what it needs between them.
class PageExpander {
public:
    /// `stored`: a page as the page source gives it; `page`: the logical page size. Nothing outside
    /// both is touched. Errors: Corruption.
    Status expand(std::span<const std::byte> stored, PageId id, std::span<std::byte> page);

private:
    struct Field {
        std::uint32_t fixed_size = 0;  // 0 = it varies
        bool nullable = false;
        bool big = false;
    };
    struct Work;
    std::vector<Field> fields_;
    std::vector<std::uint16_t> by_address_;  // origins; index = heap number - 2
    std::vector<std::byte> scratch_;
};

}  // namespace redoubt::btree
