#include "page/segment_inode.h"

namespace redoubt::page {

Status SegmentHeaderView::validate(PageId owner, const TablespaceFlags& flags,
                                   PageNo end_of_space) const {
    if (space() != owner.space) {
        return corruption(owner, "segment header leads to space {}", space().value);
    }
    if (inode_page() >= end_of_space) {
        return corruption(owner, "segment inode page {} is past the tablespace's end",
                          inode_page().value);
    }
    const std::size_t offset = inode_offset();
    const std::size_t size = SegmentInodeView::size(flags);
    if (offset < SegmentInodeView::kArray || (offset - SegmentInodeView::kArray) % size != 0 ||
        (offset - SegmentInodeView::kArray) / size >= SegmentInodeView::count_per_page(flags)) {
        return corruption(owner, "segment inode offset {} on page {} is where none begins", offset,
                          inode_page().value);
    }
    return {};
}

}  // namespace redoubt::page
