/// Fields of on-disk structures. Everything InnoDB stores is big-endian; page IVs, some MyISAM
/// fields and the like use `LittleEndian`, so that they stand out.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace redoubt {

/// Loads an unsigned big-endian integer. The caller has checked that `sizeof(T)` bytes are there.
template <std::unsigned_integral T>
inline T load_be(const std::byte* at) {
    T raw;
    std::memcpy(&raw, at, sizeof raw);
    if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) {
        return raw;
    } else if constexpr (sizeof(T) == 2) {
        return __builtin_bswap16(raw);
    } else if constexpr (sizeof(T) == 4) {
        return __builtin_bswap32(raw);
    } else {
        return __builtin_bswap64(raw);
    }
}

template <std::unsigned_integral T>
inline void store_be(std::byte* at, T value) {
    if constexpr (std::endian::native != std::endian::big && sizeof(T) == 2) {
        value = __builtin_bswap16(value);
    } else if constexpr (std::endian::native != std::endian::big && sizeof(T) == 4) {
        value = __builtin_bswap32(value);
    } else if constexpr (std::endian::native != std::endian::big && sizeof(T) == 8) {
        value = __builtin_bswap64(value);
    }
    std::memcpy(at, &value, sizeof value);
}

template <std::unsigned_integral T>
inline void store_le(std::byte* at, T value) {
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(at, &value, sizeof value);
}

/// One field at a fixed byte offset of a structure. `get` and `set` take the structure's bytes,
/// which must reach at least to `kEnd`.
template <std::unsigned_integral T, std::size_t Offset>
struct BigEndian {
    using Value = T;
    static constexpr std::size_t kOffset = Offset;
    static constexpr std::size_t kEnd = Offset + sizeof(T);

    template <std::size_t Extent>
    static T get(std::span<const std::byte, Extent> bytes) {
        static_assert(Extent == std::dynamic_extent || Extent >= kEnd);
        return load_be<T>(bytes.data() + Offset);
    }
    template <std::size_t Extent>
    static T get(std::span<std::byte, Extent> bytes) {
        return get(std::span<const std::byte, Extent>(bytes));
    }
    template <std::size_t Extent>
    static void set(std::span<std::byte, Extent> bytes, T value) {
        static_assert(Extent == std::dynamic_extent || Extent >= kEnd);
        store_be<T>(bytes.data() + Offset, value);
    }
};

}  // namespace redoubt
