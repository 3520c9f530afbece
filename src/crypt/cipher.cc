#include "crypt/cipher.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/big_endian.h"

namespace redoubt::crypt {
namespace {

// Nothing below can fail but for want of memory or a mistake of ours: keys and sizes are fixed.
// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL takes unsigned char*
const unsigned char* in_bytes(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* out_bytes(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

struct ContextDeleter {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextDeleter>;

Context make_context(const EVP_CIPHER* cipher, std::span<const std::byte> key, bool encrypt) {
    Context context(EVP_CIPHER_CTX_new());
    REDOUBT_ASSERT(context != nullptr);
    REDOUBT_ASSERT(EVP_CipherInit_ex(context.get(), cipher, nullptr, in_bytes(key), nullptr,
                                     encrypt ? 1 : 0) == 1);
    EVP_CIPHER_CTX_set_padding(context.get(), 0);
    return context;
}

/// Starts the context anew with an IV (null: none) and runs whole input through it.
void run(EVP_CIPHER_CTX* context, const Block* iv, std::span<const std::byte> in,
         std::span<std::byte> out) {
    int written = 0;
    REDOUBT_ASSERT(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr,
                                     iv != nullptr ? in_bytes(*iv) : nullptr, -1) == 1);
    REDOUBT_ASSERT(EVP_CipherUpdate(context, out_bytes(out), &written, in_bytes(in),
                                    static_cast<int>(in.size())) == 1);
    REDOUBT_ASSERT(written == static_cast<int>(in.size()));
}

}  // namespace

Block encrypt_block(const Key& key, const Block& block) {
    const std::size_t size = key.bytes().size();
    REDOUBT_ASSERT(size == 16 || size == 24 || size == 32);
    const EVP_CIPHER* cipher = size == 16   ? EVP_aes_128_ecb()
                               : size == 24 ? EVP_aes_192_ecb()
                                            : EVP_aes_256_ecb();
    const Context context = make_context(cipher, key.bytes(), true);
    Block result{};
    run(context.get(), nullptr, block, result);
    return result;
}

struct Cipher::State {
    CipherMode mode;
    Context encrypt;
    Context decrypt;  // CTR: unused, it is its own inverse
    Context tail;     // ECB, for the part of CBC messages that fills no block
};

Cipher::Cipher(const Block& key, CipherMode mode) : state_(std::make_unique<State>()) {
    state_->mode = mode;
    if (mode == CipherMode::Ctr) {
        state_->encrypt = make_context(EVP_aes_128_ctr(), key, true);
        return;
    }
    state_->encrypt = make_context(EVP_aes_128_cbc(), key, true);
    state_->decrypt = make_context(EVP_aes_128_cbc(), key, false);
    state_->tail = make_context(EVP_aes_128_ecb(), key, true);
}
Cipher::Cipher(Cipher&&) noexcept = default;
Cipher& Cipher::operator=(Cipher&&) noexcept = default;
Cipher::~Cipher() = default;

void Cipher::encrypt(const Block& iv, std::span<const std::byte> in, std::span<std::byte> out) {
    process(true, iv, in, out);
}
void Cipher::decrypt(const Block& iv, std::span<const std::byte> in, std::span<std::byte> out) {
    process(false, iv, in, out);
}

void Cipher::process(bool encrypting, const Block& iv, std::span<const std::byte> in,
                     std::span<std::byte> out) {
    REDOUBT_ASSERT(in.size() == out.size());
    if (in.empty()) {
        return;
    }
    if (state_->mode == CipherMode::Ctr) {
        run(state_->encrypt.get(), &iv, in, out);
        return;
    }
    const std::size_t whole = in.size() / iv.size() * iv.size();
    if (whole > 0) {
        run((encrypting ? state_->encrypt : state_->decrypt).get(), &iv, in.first(whole),
            out.first(whole));
    }
    if (whole < in.size()) {
        Block mask{};
        run(state_->tail.get(), nullptr, iv, mask);
        std::transform(in.begin() + static_cast<std::ptrdiff_t>(whole), in.end(), mask.begin(),
                       out.begin() + static_cast<std::ptrdiff_t>(whole),
                       [](std::byte a, std::byte b) { return a ^ b; });
    }
}

Block page_iv(std::uint32_t space, std::uint32_t page, std::uint64_t lsn) {
    Block iv{};
    store_le(iv.data(), space);
    store_le(iv.data() + 4, page);
    store_le(iv.data() + 8, lsn);
    return iv;
}

}  // namespace redoubt::crypt
