/// SHA-256, for the manifest of a backup.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace redoubt::crypt {

class Sha256 {
public:
    Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    ~Sha256();
    void update(std::span<const std::byte> bytes);
    /// As if `count` zero bytes were given to update().
    void update_zeros(std::uint64_t count);
    /// The digest in lower-case hex; the object can only be destroyed or assigned to afterwards.
    std::string finish_hex();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::crypt
