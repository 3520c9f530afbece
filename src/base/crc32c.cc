#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <array>
#include <cstring>
#include <limits>

#include "base/big_endian.h"

namespace redoubt {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // reflected Castagnoli
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        }
        tables[0][i] = crc;
    }
    for (std::size_t slice = 1; slice < 8; ++slice) {
        for (std::size_t i = 0; i < 256; ++i) {
            const std::uint32_t before = tables[slice - 1][i];
            tables[slice][i] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}
constexpr Tables kTables = make_tables();

/// Which entry of kTables[0] has this highest byte: each has another.
constexpr std::array<std::uint8_t, 256> make_highest() {
    std::array<std::uint8_t, 256> highest{};
    for (std::size_t i = 0; i < 256; ++i) {
        highest[kTables[0][i] >> 24] = static_cast<std::uint8_t>(i);
    }
    return highest;
}
constexpr std::array<std::uint8_t, 256> kHighest = make_highest();

std::uint32_t crc32c_isal(std::span<const std::byte> data, std::uint32_t seed) {
    // crc32_iscsi works on the raw register, takes an int length and a pointer it does not write
    // to.
    std::uint32_t raw = ~seed;
    constexpr std::size_t kChunk = std::size_t{1} << 30;
    while (!data.empty()) {
        const std::size_t n = data.size() < kChunk ? data.size() : kChunk;
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): ISA-L takes unsigned char*
        const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
        raw = crc32_iscsi(const_cast<unsigned char*>(bytes), static_cast<int>(n), raw);
        data = data.subspan(n);
    }
    return ~raw;
}

#if defined(__x86_64__)
// Below this size the set-up of ISA-L's folding costs more than it saves; most
// mini-transactions are shorter.
constexpr std::size_t kShort = 256;

__attribute__((target("sse4.2"))) std::uint32_t crc32c_sse42(std::span<const std::byte> data,
                                                             std::uint32_t seed) {
    if (data.size() >= kShort) {
        return crc32c_isal(data, seed);
    }
    std::uint64_t crc = ~seed;
    const std::byte* at = data.data();
    std::size_t left = data.size();
    for (; left >= 8; at += 8, left -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        crc = __builtin_ia32_crc32di(crc, word);
    }
    auto narrow = static_cast<std::uint32_t>(crc);
    for (; left > 0; ++at, --left) {
        narrow = __builtin_ia32_crc32qi(narrow, std::to_integer<unsigned char>(*at));
    }
    return ~narrow;
}
#endif

using Function = std::uint32_t (*)(std::span<const std::byte>, std::uint32_t);
Function choose() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2") != 0 ? crc32c_sse42 : crc32c_portable;
#elif defined(__aarch64__)
    return crc32c_isal;
#else
    return crc32c_portable;
#endif
}

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> data, std::uint32_t seed) {
    std::uint32_t crc = ~seed;
    const std::byte* at = data.data();
    std::size_t left = data.size();
    for (; left >= 8; at += 8, left -= 8) {
        const std::uint64_t word = load_be<std::uint64_t>(at);
        const auto low = static_cast<std::uint32_t>(__builtin_bswap64(word)) ^ crc;
        const auto high = static_cast<std::uint32_t>(__builtin_bswap64(word) >> 32);
        crc = kTables[7][low & 0xFF] ^ kTables[6][(low >> 8) & 0xFF] ^
              kTables[5][(low >> 16) & 0xFF] ^ kTables[4][low >> 24] ^ kTables[3][high & 0xFF] ^
              kTables[2][(high >> 8) & 0xFF] ^ kTables[1][(high >> 16) & 0xFF] ^
              kTables[0][high >> 24];
    }
    for (; left > 0; ++at, --left) {
        crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xFF];
    }
    return ~crc;
}

std::uint32_t crc32c_without(std::byte last, std::uint32_t crc) {
    const std::uint32_t raw = ~crc;
    const std::uint32_t entry = kHighest[raw >> 24];
    return ~(((raw ^ kTables[0][entry]) << 8) | (entry ^ std::to_integer<std::uint32_t>(last)));
}

std::uint32_t crc32c(std::span<const std::byte> data, std::uint32_t seed) {
    static const Function kChosen = choose();
    return kChosen(data, seed);
}

}  // namespace redoubt
