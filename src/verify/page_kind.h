/// What a page is, for statistics and pictures.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt::verify {

enum class PageKind : std::uint8_t {
    NeverWritten,
    Free,
    Allocated,
    SpaceHeader,
    Descriptors,
    Bitmap,
    Inode,
    IndexLeaf,
    IndexInner,
    SpatialIndex,
    Blob,
    Undo,
    System,
    Doublewrite,
    Other,
    Encrypted,  ///< the content could not be seen
    Damaged,
};
inline constexpr std::size_t kPageKindCount = 17;

using KindCounts = std::array<std::uint64_t, kPageKindCount>;

/// By the type that a plain, written page carries, whether or not it is free by now.
PageKind kind_of(std::span<const std::byte> plain);

}  // namespace redoubt::verify
