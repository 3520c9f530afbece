// The page codec over any stored page of any format. Input: u32 flags, u32 page number, one byte of
// choices (bits 0: keys, 1: CTR, 2: mend the full_crc32 checksum, so that what is behind it is
// reached), 33 bytes of crypt data, the page.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "space/codec.h"

namespace {

using namespace redoubt;

class FixedKeys final : public crypt::KeyRing {
public:
    explicit FixedKeys(crypt::CipherMode mode) : mode_(mode) {}
    crypt::CipherMode mode() const override { return mode_; }
    Result<crypt::Key> key(std::uint32_t, std::uint32_t version) const override {
        if (version > 2) {
            return make_error(ErrorCode::Key, "no such version");
        }
        return crypt::Key(std::vector<std::byte>(16, std::byte{7}));
    }
    Result<std::uint32_t> latest_version(std::uint32_t) const override { return 1; }

private:
    crypt::CipherMode mode_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::size_t kPrefix = 9 + crypt::CryptData::kSize;
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    if (input.size() < kPrefix) {
        return 0;
    }
    const auto flags = page::TablespaceFlags::decode(load_be<std::uint32_t>(input.data()));
    const PageNo number{load_be<std::uint32_t>(input.data() + 4)};
    const unsigned choices = data[8];
    const auto crypt = crypt::CryptData::decode(input.subspan(9, crypt::CryptData::kSize));
    if (!flags || !crypt) {
        return 0;
    }
    std::vector<std::byte> stored(flags->physical_page_size);
    const std::span<const std::byte> page = input.subspan(kPrefix);
    std::copy_n(page.begin(), std::min(page.size(), stored.size()), stored.begin());
    if ((choices & 4) != 0 && flags->full_crc32) {
        const std::uint32_t length = page::full_crc32_stored_size(stored);
        if (length >= 256 && length <= stored.size()) {
            store_be(stored.data() + length - 4, crc32c(std::span(stored).first(length - 4)));
        }
    }
    const FixedKeys keys((choices & 2) != 0 ? crypt::CipherMode::Ctr : crypt::CipherMode::Cbc);
    space::PageCodec codec({.space = SpaceId{1},
                            .flags = *flags,
                            .crypt = *crypt,
                            .keys = (choices & 1) != 0 ? &keys : nullptr});
    std::vector<std::byte> plain(stored.size());
    const auto checked = codec.check(number, stored);
    const auto decoded = codec.decode(number, stored, plain);
    // check() says what decode() does, but for pages whose key is not there.
    if (checked && *checked != space::PageState::NoKey && !decoded) {
        std::abort();
    }
    if (decoded && *decoded == space::PageState::Whole && (choices & 1) != 0) {
        std::vector<std::byte> again(stored.size());  // C1
        const auto length = codec.encode(number, plain, again);
        if (!length || !codec.check(number, again)) {
            std::abort();
        }
    }
    return 0;
}
