/// The leaves of a tree of which some pages are damaged, for readers that go on past damage.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "btree/page_loader.h"
#include "record/layout.h"

namespace redoubt::btree {

/// A damaged page that reading went past.
struct PassedPage {
    enum class Loss : std::uint8_t {
        None,  ///< it was found by other pages what it leads to
        Rows,  ///< the records on it
        Below  ///< those of leaves that nothing else leads to
    };
    PageNo page;
    Loss loss;
    Error why;
};

struct LeafOrder {
    std::vector<PageNo> leaves;      ///< none twice; some may turn out to be damaged
    std::vector<PassedPage> passed;  ///< pages above them
};

/// The leaves as the pages above name them; where one of those is damaged, by the links of the
/// leaves, as far as these lead both ways; where that is not all, by add_stray_leaves(). `pages`:
/// of the tablespace. Reads all pages above the leaves, and others only in place of damaged ones.
/// `layout`: that of the rows. Errors: Cancelled.
Result<LeafOrder> order_leaves(space::PageSource& source, PageLoader& loader, const Tree& tree,
                               const record::RecordLayout& layout, std::uint32_t pages,
                               const base::CancelToken* cancel);

}  // namespace redoubt::btree
