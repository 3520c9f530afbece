// Keys of the test plugin debug_key_management: docs/formats/encryption.md#debug-keys.
#include "base/big_endian.h"
#include "crypt/keys.h"

namespace redoubt::crypt {
namespace {

constexpr std::uint32_t kOnlyKey = 1;

Error unknown_key(std::uint32_t id, std::uint32_t version) {
    return make_error(ErrorCode::Key, "the debug key plugin has no key {} version {}", id, version);
}

class DebugKeyRing final : public KeyRing {
public:
    explicit DebugKeyRing(std::uint32_t latest) : latest_(latest) {}
    CipherMode mode() const override { return CipherMode::Cbc; }
    Result<Key> key(std::uint32_t id, std::uint32_t version) const override {
        if (id != kOnlyKey || version == 0 || version > latest_) {
            return unknown_key(id, version);
        }
        std::array<std::byte, 16> bytes{};
        store_be(bytes.data(), version);
        return Key(bytes);
    }
    Result<std::uint32_t> latest_version(std::uint32_t id) const override {
        if (id != kOnlyKey || latest_ == 0) {
            return unknown_key(id, latest_);
        }
        return latest_;
    }

private:
    std::uint32_t latest_;
};

}  // namespace

std::unique_ptr<KeyRing> debug_key_ring(std::uint32_t latest) {
    return std::make_unique<DebugKeyRing>(latest);
}

}  // namespace redoubt::crypt
