#include "page/header.h"

#include <fmt/format.h>

#include <algorithm>

namespace redoubt::page {

std::string type_name(std::uint16_t type) {
    switch (static_cast<PageType>(type)) {
        case PageType::Allocated:
            return "allocated";
        case PageType::UndoLog:
            return "undo log";
        case PageType::Inode:
            return "inode";
        case PageType::ChangeBufferFree:
            return "change buffer free list";
        case PageType::ChangeBufferBitmap:
            return "change buffer bitmap";
        case PageType::System:
            return "system";
        case PageType::TrxSystem:
            return "transaction system";
        case PageType::TablespaceHeader:
            return "tablespace header";
        case PageType::ExtentDescriptors:
            return "extent descriptors";
        case PageType::Blob:
            return "blob";
        case PageType::ZBlob:
            return "compressed blob, first";
        case PageType::ZBlob2:
            return "compressed blob";
        case PageType::Unknown:
            return "unknown";
        case PageType::Instant:
            return "index, instantly altered";
        case PageType::RTree:
            return "r-tree index";
        case PageType::Index:
            return "index";
        case PageType::PageCompressed:
            return "page compressed";
        case PageType::PageCompressedEncrypted:
            return "page compressed, encrypted";
    }
    return fmt::format("type {}", type);
}

bool is_index_type(std::uint16_t type) {
    const auto page_type = static_cast<PageType>(type);
    return page_type == PageType::Index || page_type == PageType::RTree ||
           page_type == PageType::Instant;
}

void initialise(std::span<std::byte> page, PageId id) {
    std::fill(page.begin(), page.end(), std::byte{0});
    Header::Number::set(page, id.page.value);
    Header::Previous::set(page, kNoPage.value);
    Header::Next::set(page, kNoPage.value);
    Header::Space::set(page, id.space.value);
}

}  // namespace redoubt::page
