/// Writes redo logs for tests: whole files in memory, mini-transactions at any LSN, wrapping where
/// the file ends. Independent of the reader under test but for the ciphers.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "base/ids.h"
#include "crypt/cipher.h"

namespace redoubt::test {

using Bytes = std::vector<std::byte>;

inline Bytes from_hex(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
    }
    return bytes;
}

inline void append_bytes(Bytes& to, std::span<const std::byte> bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
}

inline void append_varint(Bytes& to, std::uint32_t value) {
    const auto put = [&](std::uint32_t byte) { to.push_back(static_cast<std::byte>(byte)); };
    if (value < 0x80) {
        put(value);
    } else if (value < 0x4080) {
        put(0x80 | (value - 0x80) >> 8);
        put((value - 0x80) & 0xFF);
    } else if (value < 0x204080) {
        put(0xC0 | (value - 0x4080) >> 16);
        put((value - 0x4080) >> 8 & 0xFF);
        put((value - 0x4080) & 0xFF);
    } else {
        std::array<std::byte, 4> rest{};
        store_be(rest.data(),
                 value < 0x10204080 ? (value - 0x204080) | 0xE0000000 : value - 0x10204080);
        if (value >= 0x10204080) {
            put(0xF0);
        }
        append_bytes(to, rest);
    }
}

/// One record: `type` is the first byte without its length nibble.
inline Bytes record(unsigned type, std::span<const std::byte> payload) {
    Bytes bytes;
    if (!payload.empty() && payload.size() <= 15) {
        bytes.push_back(static_cast<std::byte>(type | payload.size()));
    } else {
        for (std::uint32_t n = 1; n <= 3; ++n) {
            Bytes length;
            append_varint(length, static_cast<std::uint32_t>(payload.size()) + n - 15);
            if (length.size() == n) {
                bytes.push_back(static_cast<std::byte>(type));
                append_bytes(bytes, length);
                break;
            }
        }
    }
    append_bytes(bytes, payload);
    return bytes;
}

/// A page record with its page id.
inline Bytes page_record(unsigned type, PageId page, std::span<const std::byte> body) {
    Bytes payload;
    append_varint(payload, page.space.value);
    append_varint(payload, page.page.value);
    append_bytes(payload, body);
    return record(type, payload);
}

inline Bytes file_checkpoint(Lsn lsn) {
    Bytes bytes = from_hex("fa0000");
    bytes.resize(bytes.size() + sizeof lsn.value);
    store_be(&bytes[3], lsn.value);
    return bytes;
}

class LogBuilder {
public:
    static constexpr std::size_t kStart = 12288;
    static constexpr std::uint32_t kPlain = 0x50687973;
    static constexpr std::uint32_t kEncrypted = 0xF09F979D;

    LogBuilder(Lsn first_lsn, std::size_t file_size, std::uint32_t format = kPlain)
        : bytes(file_size), first_lsn_(first_lsn.value), next(first_lsn), format_(format) {
        store_be(&bytes[0], format);
        store_be(&bytes[8], first_lsn_);
        constexpr std::string_view kCreator = "MariaDB 10.11.19";
        std::memcpy(&bytes[16], kCreator.data(), kCreator.size());
        seal_header();
    }

    void seal_header() { store_be(&bytes[508], crc32c(std::span(bytes).first(508))); }

    /// Key id 1, version 1; `derived` is what the master key makes of `message`.
    void encrypt(const crypt::Block& message, const crypt::Block& derived, crypt::CipherMode mode) {
        store_be(&bytes[48], std::uint32_t{1});
        store_be(&bytes[52], std::uint32_t{1});
        std::memcpy(&bytes[56], message.data(), message.size());
        seal_header();
        cipher_.emplace(derived, mode);
    }

    void checkpoint(unsigned block, Lsn lsn, Lsn end_lsn) {
        std::byte* at = &bytes[4096 * (block + 1)];
        store_be(at, lsn.value);
        store_be(at + 8, end_lsn.value);
        store_be(at + 60, crc32c({at, 60}));
    }

    /// Writes one mini-transaction of these (plain) records at `next`; returns its start.
    Lsn append(std::span<const Bytes> records) {
        Bytes mtr;
        for (const Bytes& one : records) {
            append_bytes(mtr, one);
        }
        std::array<std::byte, 8> nonce{};
        store_be(nonce.data(), next.value);
        if (cipher_) {
            mtr = format_ == kEncrypted ? as_one(records, nonce) : one_by_one(records, nonce);
        }
        std::uint32_t crc = crc32c(mtr);
        mtr.push_back(sequence_bit(next.value + mtr.size()));
        if (cipher_) {
            append_bytes(mtr, nonce);
            crc = crc32c(nonce, crc);
        }
        std::array<std::byte, 4> trailer{};
        store_be(trailer.data(), crc);
        append_bytes(mtr, trailer);
        const Lsn start = next;
        for (const std::byte b : mtr) {
            byte(next) = b;
            ++next.value;
        }
        return start;
    }
    Lsn append(const Bytes& record) { return append(std::span(&record, 1)); }

    std::byte& byte(Lsn lsn) {
        return bytes[kStart + (lsn.value - first_lsn_) % (bytes.size() - kStart)];
    }
    std::byte sequence_bit(std::uint64_t lsn) const {
        return std::byte{((lsn - first_lsn_) / (bytes.size() - kStart)) % 2 == 0};
    }

    Bytes bytes;

private:
    static std::size_t prefix_size(const Bytes& one) {
        if ((one[0] & std::byte{15}) != std::byte{0}) {
            return 1;
        }
        return one[1] < std::byte{0x80} ? 2U : one[1] < std::byte{0xC0} ? 3U : 4U;
    }

    Bytes as_one(std::span<const Bytes> records, std::span<const std::byte> nonce) {
        crypt::Block iv{};
        std::copy(nonce.begin(), nonce.end(), iv.begin());
        std::copy_n(records[0].begin(), prefix_size(records[0]), iv.begin() + 8);
        Bytes message;
        for (const Bytes& one : records) {
            append_bytes(message, std::span(one).subspan(prefix_size(one)));
        }
        cipher_->encrypt(iv, message, message);
        Bytes mtr;
        auto from = message.begin();
        for (const Bytes& one : records) {
            append_bytes(mtr, std::span(one).first(prefix_size(one)));
            const auto size = static_cast<std::ptrdiff_t>(one.size() - prefix_size(one));
            mtr.insert(mtr.end(), from, from + size);
            from += size;
        }
        return mtr;
    }

    /// Page ids are taken to be one byte each.
    Bytes one_by_one(std::span<const Bytes> records, std::span<const std::byte> nonce) {
        crypt::Block iv{};
        std::copy(nonce.begin(), nonce.end(), iv.begin());
        Bytes mtr;
        bool page_records = false;
        for (Bytes one : records) {
            std::size_t clear = prefix_size(one);
            if ((one[0] & std::byte{0x80}) == std::byte{0}) {
                page_records = true;
                iv[11] = one[clear];
                iv[15] = one[clear + 1];
                clear += 2;
            }
            const auto secret = std::span(one).subspan(clear);
            if (page_records && !secret.empty()) {
                cipher_->encrypt(iv, secret, secret);
            }
            append_bytes(mtr, one);
        }
        return mtr;
    }

    std::uint64_t first_lsn_;

public:
    Lsn next;

private:
    std::uint32_t format_;
    std::optional<crypt::Cipher> cipher_;
};

}  // namespace redoubt::test
