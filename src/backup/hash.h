/// XXH3, 128 bits, for the manifest: finds what chance changed, not what an attacker did, at the
/// speed of memory. What it says is what `xxh128sum` prints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace redoubt::backup {

class Hash {
public:
    Hash();
    Hash(Hash&&) noexcept;
    Hash& operator=(Hash&&) noexcept;
    ~Hash();
    void update(std::span<const std::byte> bytes);
    /// As if `count` zero bytes were given to update().
    void update_zeros(std::uint64_t count);
    /// Of what was given so far, in lower-case hex.
    std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::backup
