/// A tablespace's encryption metadata on page 0 (InnoDB: crypt data), 33 bytes.
/// Format: docs/formats/encryption.md#crypt-data.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"

namespace redoubt::crypt {

struct CryptData {
    static constexpr std::size_t kSize = 33;  // bytes, magic included
    enum class Scheme : std::uint8_t { Plain = 0, One = 1 };
    enum class Option : std::uint8_t { Default = 0, On = 1, Off = 2 };
    Scheme scheme = Scheme::Plain;
    std::array<std::byte, 16> iv{};
    std::uint32_t min_key_version = 0;
    std::uint32_t key_id = 1;
    Option option = Option::Default;

    /// `bytes` begin at the metadata's place on page 0. nullopt: no magic. Errors: Corruption.
    static Result<std::optional<CryptData>> decode(std::span<const std::byte> bytes);
    void encode(std::span<std::byte, kSize> bytes) const;
    /// True when pages of the space may be encrypted.
    bool encrypts() const { return scheme == Scheme::One; }
    friend bool operator==(const CryptData&, const CryptData&) = default;
};

}  // namespace redoubt::crypt
