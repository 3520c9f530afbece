/// Extent descriptors (InnoDB: XDES): who owns an extent, and which of its pages are used.
/// Format: docs/formats/tablespace.md#extent-descriptor.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "page/flags.h"
#include "page/list.h"

namespace redoubt::page {

enum class ExtentState : std::uint32_t {
    None = 0,  ///< at or above the free limit
    Free = 1,
    FreeFragment = 2,  ///< its pages are given out one by one, some are free
    FullFragment = 3,
    Segment = 4  ///< owned as a whole
};

/// Read-only view of one descriptor.
class ExtentDescriptorView {
public:
    /// Byte offset of the array of them on page 0 and every descriptor page.
    static constexpr std::size_t kArray = 150;
    static constexpr std::size_t kNode = 8;  ///< where list addresses point

    /// `bytes`: TablespaceFlags::descriptor_size() of them.
    explicit ExtentDescriptorView(std::span<const std::byte> bytes) : bytes_(bytes) {}
    /// Descriptor `index` of a descriptor page; `index` is below physical_page_size/extent_pages().
    static ExtentDescriptorView on_page(std::span<const std::byte> page,
                                        const TablespaceFlags& flags, std::size_t index) {
        return ExtentDescriptorView(
            page.subspan(kArray + index * flags.descriptor_size(), flags.descriptor_size()));
    }

    /// Left over from an earlier owner unless state() is Segment.
    std::uint64_t segment() const { return Segment::get(bytes_); }
    ListNodeView node() const { return ListNodeView(bytes_.subspan<kNode, ListNodeView::kSize>()); }
    /// May be none of the enumerators.
    ExtentState state() const { return static_cast<ExtentState>(State::get(bytes_)); }
    /// Whether page `index` of the extent is free. Two bits a page; the second is always set.
    bool is_free(std::size_t index) const {
        return (std::to_integer<unsigned>(bytes_[kBitmap + index / 4]) >> (2 * (index % 4)) & 1) !=
               0;
    }

private:
    using Segment = BigEndian<std::uint64_t, 0>;
    using State = BigEndian<std::uint32_t, 20>;
    static constexpr std::size_t kBitmap = State::kEnd;
    static_assert(kNode == Segment::kEnd && State::kOffset == kNode + ListNodeView::kSize);
    std::span<const std::byte> bytes_;
};

}  // namespace redoubt::page
