#include "btree/page_records.h"

#include "page/header.h"
#include "page/index_page.h"
#include "record/parse.h"

namespace redoubt::btree {
namespace {

bool is_tree_page(std::uint16_t type, bool spatial) {
    if (spatial) {
        return type == static_cast<std::uint16_t>(page::PageType::RTree);
    }
    return type == static_cast<std::uint16_t>(page::PageType::Index) ||
           type == static_cast<std::uint16_t>(page::PageType::Instant);
}

}  // namespace

Status list_records(std::span<const std::byte> page, PageId id, std::uint64_t index_id,
                    bool compact, std::vector<std::uint16_t>& origins, bool spatial) {
    origins.clear();
    const page::HeaderView header(page);
    const page::IndexHeaderView index(page);
    if (!is_tree_page(header.type(), spatial)) {
        return corruption(id, "not an index page: {}", page::type_name(header.type()));
    }
    if (index.index_id() != index_id) {
        return corruption(id, "a page of index {}, not of index {}", index.index_id(), index_id);
    }
    if (index.compact() != compact) {
        return corruption(id, "the page's record format is not its table's");
    }
    const std::size_t heap = compact ? record::kCompactHeap : record::kRedundantHeap;
    const std::size_t extra = compact ? record::kCompactHeader : record::kRedundantHeader;
    const std::size_t supremum = compact ? record::kCompactSupremum : record::kRedundantSupremum;
    const std::size_t heap_end = index.heap_top();
    if (heap_end < heap || heap_end > page.size() - page::kTrailerSize) {
        return corruption(id, "the heap ends at offset {}", heap_end);
    }
    const std::size_t count = index.record_count();
    std::size_t origin = compact ? record::kCompactInfimum : record::kRedundantInfimum;
    for (;;) {
        const std::uint16_t link = load_be<std::uint16_t>(page.data() + origin - 2);
        origin = compact ? (origin + link) & (page.size() - 1) & 0xFFFF : link;
        if (origin == supremum) {
            break;
        }
        if (origin < heap + extra || origin > heap_end) {
            return corruption(id, "a record link leads to offset {}, out of the heap", origin);
        }
        if (origins.size() >= count) {
            return corruption(id, "the record list is longer than the page's {} records", count);
        }
        origins.push_back(static_cast<std::uint16_t>(origin));
    }
    if (origins.size() != count) {
        return corruption(id, "the record list has {} records, the page says {}", origins.size(),
                          count);
    }
    return {};
}

}  // namespace redoubt::btree
