/// The key of test vector 21 (a real encrypted log), for logs that LogBuilder encrypts.
#pragma once

#include <algorithm>
#include <string_view>

#include "crypt/keys.h"
#include "unit/redo/log_builder.h"

namespace redoubt::test {

inline crypt::Block block_of(std::string_view hex) {
    crypt::Block block{};
    std::ranges::copy(from_hex(hex), block.begin());
    return block;
}

inline const crypt::Block kMessage = block_of("1a66067b02ca1898e7d701fc991d7463");
inline const crypt::Block kDerived = block_of("080b87e626ec40cd1a6a93ae875d6abb");

/// Key 1 in one version; kDerived is what it makes of kMessage.
class OneKey final : public crypt::KeyRing {
public:
    explicit OneKey(crypt::CipherMode mode,
                    std::string_view key = "770A8A65DA156D24EE2A093277530142")
        : mode_(mode), key_(key) {}
    crypt::CipherMode mode() const override { return mode_; }
    Result<crypt::Key> key(std::uint32_t id, std::uint32_t version) const override {
        if (id != 1 || version != 1) {
            return make_error(ErrorCode::Key, "no key {} version {}", id, version);
        }
        return crypt::Key(from_hex(key_));
    }
    Result<std::uint32_t> latest_version(std::uint32_t) const override { return 1U; }

private:
    crypt::CipherMode mode_;
    std::string_view key_;
};

}  // namespace redoubt::test
