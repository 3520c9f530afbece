// Encryption metadata of any bytes. Input: the bytes at its place on page 0.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "crypt/crypt_data.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using redoubt::crypt::CryptData;
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    const auto metadata = CryptData::decode(input);
    if (metadata && metadata->has_value()) {
        std::array<std::byte, CryptData::kSize> again{};
        (*metadata)->encode(again);
        if (!std::ranges::equal(again, input.first(CryptData::kSize))) {
            std::abort();
        }
    }
    return 0;
}
