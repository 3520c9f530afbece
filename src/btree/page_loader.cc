#include "btree/page_loader.h"

#include "btree/page_records.h"

namespace redoubt::btree {

PageLoader::PageLoader(space::PageSource& source, const Tree& tree,
                       const record::RecordLayout& layout)
    : source_(source), tree_(tree), layout_(layout) {
    if (tree.row_compressed) {
        stored_.resize(tree.physical_size);
    }
}

Status PageLoader::load(PageNo number, LoadedPage& page) {
    const PageId id{tree_.root.space, number};
    page.bytes.resize(tree_.logical_size);
    if (tree_.row_compressed) {
        RETURN_IF_ERROR(source_.read(id, stored_));
        RETURN_IF_ERROR(expander_.expand(stored_, id, page.bytes));
    } else {
        RETURN_IF_ERROR(source_.read(id, page.bytes));
    }
    return list_records(page.bytes, id, tree_.index_id, layout_.compact, page.origins);
}

}  // namespace redoubt::btree
