/// Strong types for the numbers that name things in a MariaDB data directory. A space id with a
/// page number travels as `PageId`; bare integers get swapped.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace redoubt {

/// A number that is not interchangeable with other numbers. `Tag` only makes the type distinct.
template <class Tag, class T>
struct StrongId {
    using Value = T;
    T value{};
    constexpr StrongId() = default;
    constexpr explicit StrongId(T v) : value(v) {}
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a null pointer in "< 0"
    friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

/// Tablespace id. 0 is the system tablespace.
using SpaceId = StrongId<struct SpaceIdTag, std::uint32_t>;
/// Page number within a tablespace (not within a file of it).
using PageNo = StrongId<struct PageNoTag, std::uint32_t>;
/// Log sequence number: a byte position in the redo log since the database was created.
using Lsn = StrongId<struct LsnTag, std::uint64_t>;

inline constexpr SpaceId kSystemSpace{0};
/// ibtmp1; never recovered, never backed up.
inline constexpr SpaceId kTemporarySpace{0xFFFFFFFE};
/// Ids from here on are reserved and never belong to a persistent tablespace.
inline constexpr SpaceId kReservedSpaces{0xFFFFFFF0};
/// "No page" in links (InnoDB: FIL_NULL).
inline constexpr PageNo kNoPage{0xFFFFFFFF};

struct PageId {
    SpaceId space;
    PageNo page;
    // NOLINTNEXTLINE(modernize-use-nullptr): as above
    friend constexpr auto operator<=>(const PageId&, const PageId&) = default;
    /// Orders as (space, page); handy as a key.
    constexpr std::uint64_t packed() const {
        return (std::uint64_t{space.value} << 32) | page.value;
    }
    static constexpr PageId unpack(std::uint64_t packed) {
        return {SpaceId{static_cast<std::uint32_t>(packed >> 32)},
                PageNo{static_cast<std::uint32_t>(packed)}};
    }
};

}  // namespace redoubt

template <class Tag, class T>
struct std::hash<redoubt::StrongId<Tag, T>> {
    std::size_t operator()(redoubt::StrongId<Tag, T> id) const noexcept {
        return std::hash<T>{}(id.value);
    }
};
template <>
struct std::hash<redoubt::PageId> {
    std::size_t operator()(redoubt::PageId id) const noexcept {
        return std::hash<std::uint64_t>{}(id.packed());
    }
};
