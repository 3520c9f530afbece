/// AES as the server's plugins use it: one key, messages of any length, no padding.
/// Format: docs/formats/encryption.md#cipher.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/error.h"
#include "crypt/keys.h"

namespace redoubt::crypt {

using Block = std::array<std::byte, 16>;

/// One block, ECB: derives page and log keys. `key` has 16, 24 or 32 bytes.
Block encrypt_block(const Key& key, const Block& block);

/// AES-128 with one derived 16-byte key (L of a tablespace, or the redo log's key). Keeps its
/// OpenSSL contexts, so making one is the costly part; not thread-safe: one per thread.
class Cipher {
public:
    Cipher(const Block& key, CipherMode mode);
    Cipher(Cipher&&) noexcept;
    Cipher& operator=(Cipher&&) noexcept;
    ~Cipher();
    /// In place is allowed (`in` and `out` the same bytes); sizes are equal.
    /// CBC: whole blocks by CBC, the rest XORed with ECB(key, iv). CTR: plain CTR from iv.
    void encrypt(const Block& iv, std::span<const std::byte> in, std::span<std::byte> out);
    void decrypt(const Block& iv, std::span<const std::byte> in, std::span<std::byte> out);

private:
    void process(bool encrypting, const Block& iv, std::span<const std::byte> in,
                 std::span<std::byte> out);
    struct State;
    std::unique_ptr<State> state_;
};

/// IV of a page: space id, page number, LSN, all little-endian.
Block page_iv(std::uint32_t space, std::uint32_t page, std::uint64_t lsn);

}  // namespace redoubt::crypt
