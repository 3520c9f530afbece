#include "backup/hash.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace redoubt::backup {

// Nothing here can fail but for want of memory.
struct Hash::State {
    XXH3_state_t* xxh3 = XXH3_createState();
    State() {
        REDOUBT_ASSERT(xxh3 != nullptr);
        REDOUBT_ASSERT(XXH3_128bits_reset(xxh3) == XXH_OK);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { XXH3_freeState(xxh3); }
};

Hash::Hash() : state_(std::make_unique<State>()) {}
Hash::Hash(Hash&&) noexcept = default;
Hash& Hash::operator=(Hash&&) noexcept = default;
Hash::~Hash() = default;

void Hash::update(std::span<const std::byte> bytes) {
    REDOUBT_ASSERT(XXH3_128bits_update(state_->xxh3, bytes.data(), bytes.size()) == XXH_OK);
}

void Hash::update_zeros(std::uint64_t count) {
    static constexpr std::array<std::byte, 16384> kZeros{};
    while (count > 0) {
        const std::size_t part = std::min<std::uint64_t>(count, kZeros.size());
        update(std::span(kZeros).first(part));
        count -= part;
    }
}

std::string Hash::hex() const {
    XXH128_canonical_t digest{};
    XXH128_canonicalFromHash(&digest, XXH3_128bits_digest(state_->xxh3));
    return fmt::format("{:02x}", fmt::join(digest.digest, ""));
}

}  // namespace redoubt::backup
