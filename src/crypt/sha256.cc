#include "crypt/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/assert.h"

namespace redoubt::crypt {

// Nothing here can fail but for want of memory or a mistake of ours.
struct Sha256::State {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    State() {
        REDOUBT_ASSERT(context != nullptr);
        REDOUBT_ASSERT(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
    REDOUBT_ASSERT(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
}

void Sha256::update_zeros(std::uint64_t count) {
    static constexpr std::array<std::byte, 16384> kZeros{};
    while (count > 0) {
        const std::size_t part = std::min<std::uint64_t>(count, kZeros.size());
        update(std::span(kZeros).first(part));
        count -= part;
    }
}

std::string Sha256::finish_hex() {
    std::array<unsigned char, 32> digest{};
    REDOUBT_ASSERT(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
    return fmt::format("{:02x}", fmt::join(digest, ""));
}

}  // namespace redoubt::crypt
