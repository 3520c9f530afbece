/// Reads the pages of one B-tree and finds their records.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "btree/row_compressed.h"
#include "page/flags.h"
#include "record/layout.h"
#include "space/page_source.h"

namespace redoubt::btree {

/// Where a tree is and how its pages look.
struct Tree {
    PageId root;
    std::uint64_t index_id = 0;
    std::uint32_t physical_size = 0;  ///< bytes of a page in the file
    std::uint32_t logical_size = 0;   ///< greater only where row_compressed
    bool row_compressed = false;

    /// `flags`: of the tablespace that `root` is in.
    static Tree at(PageId root, std::uint64_t index_id, const page::TablespaceFlags& flags) {
        return {.root = root,
                .index_id = index_id,
                .physical_size = flags.physical_page_size,
                .logical_size =
                    flags.row_compressed ? flags.logical_page_size : flags.physical_page_size,
                .row_compressed = flags.row_compressed};
    }
};

struct LoadedPage {
    std::vector<std::byte> bytes;        ///< of the logical size
    std::vector<std::uint16_t> origins;  ///< of its records, in order
};

/// Not thread-safe: one per thread.
class PageLoader {
public:
    /// `source` and `layout`, of which only the record format counts, outlive this.
    PageLoader(space::PageSource& source, const Tree& tree, const record::RecordLayout& layout);
    /// Errors: Corruption with the page, also where it is none of this index; Io, Key, NotFound.
    /// `page` then holds nothing of use.
    Status load(PageNo number, LoadedPage& page);

private:
    space::PageSource& source_;
    Tree tree_;
    const record::RecordLayout& layout_;
    PageExpander expander_;
    std::vector<std::byte> stored_;  // of a row_compressed page
};

}  // namespace redoubt::btree
