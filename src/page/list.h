/// Doubly linked lists that lead from page to page (InnoDB: flst): extents, inode pages, undo
/// pages, history. Format: docs/formats/tablespace.md#lists.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"

namespace redoubt::page {

/// Where a list node is (InnoDB: fil_addr_t): the node itself, not the structure around it.
struct FileAddress {
    static constexpr std::size_t kSize = 6;  // bytes
    PageNo page = kNoPage;
    std::uint16_t offset = 0;  ///< bytes from the page's start; 0 in a null address

    static FileAddress get(std::span<const std::byte, kSize> bytes) {
        const PageNo page{Page::get(bytes)};
        // What a null address has for an offset means nothing.
        return page == kNoPage ? FileAddress() : FileAddress{page, Offset::get(bytes)};
    }
    bool is_null() const { return page == kNoPage; }
    friend bool operator==(const FileAddress&, const FileAddress&) = default;

private:
    using Page = BigEndian<std::uint32_t, 0>;
    using Offset = BigEndian<std::uint16_t, 4>;
    static_assert(Offset::kOffset == Page::kEnd && Offset::kEnd == kSize);
};

/// Read-only view of the anchor of a list (InnoDB: flst base node).
class ListBaseView {
public:
    static constexpr std::size_t kSize = 16;  // bytes
    /// `bytes` stays owned by the caller and must outlive the view; so for every view here.
    explicit ListBaseView(std::span<const std::byte, kSize> bytes) : bytes_(bytes) {}
    std::uint32_t length() const { return Length::get(bytes_); }
    FileAddress first() const {
        return FileAddress::get(bytes_.subspan<kFirst, FileAddress::kSize>());
    }
    FileAddress last() const {
        return FileAddress::get(bytes_.subspan<kLast, FileAddress::kSize>());
    }

private:
    using Length = BigEndian<std::uint32_t, 0>;
    static constexpr std::size_t kFirst = Length::kEnd;
    static constexpr std::size_t kLast = kFirst + FileAddress::kSize;
    static_assert(kLast + FileAddress::kSize == kSize);
    std::span<const std::byte, kSize> bytes_;
};

/// Read-only view of a list node (InnoDB: flst node).
class ListNodeView {
public:
    static constexpr std::size_t kSize = 2 * FileAddress::kSize;  // bytes
    explicit ListNodeView(std::span<const std::byte, kSize> bytes) : bytes_(bytes) {}
    FileAddress previous() const { return FileAddress::get(bytes_.first<FileAddress::kSize>()); }
    FileAddress next() const { return FileAddress::get(bytes_.last<FileAddress::kSize>()); }

private:
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
