#include "verify/page_kind.h"

#include "page/header.h"
#include "page/index_page.h"

namespace redoubt::verify {

PageKind kind_of(std::span<const std::byte> plain) {
    const std::uint16_t type = page::HeaderView(plain).type();
    if (page::is_index_type(type)) {
        if (type == static_cast<std::uint16_t>(page::PageType::RTree)) {
            return PageKind::SpatialIndex;
        }
        return page::IndexHeaderView(plain).level() == 0 ? PageKind::IndexLeaf
                                                         : PageKind::IndexInner;
    }
    switch (static_cast<page::PageType>(type)) {
        case page::PageType::Allocated:
            return PageKind::Allocated;
        case page::PageType::UndoLog:
            return PageKind::Undo;
        case page::PageType::Inode:
            return PageKind::Inode;
        case page::PageType::ChangeBufferBitmap:
            return PageKind::Bitmap;
        case page::PageType::ChangeBufferFree:
        case page::PageType::System:
        case page::PageType::TrxSystem:
            return PageKind::System;
        case page::PageType::TablespaceHeader:
            return PageKind::SpaceHeader;
        case page::PageType::ExtentDescriptors:
            return PageKind::Descriptors;
        case page::PageType::Blob:
        case page::PageType::ZBlob:
        case page::PageType::ZBlob2:
            return PageKind::Blob;
        default:
            return PageKind::Other;
    }
}

}  // namespace redoubt::verify
