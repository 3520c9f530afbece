// Key files, plain and encrypted. Input: one byte (bit 0: give a password), the file.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypt/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace redoubt;
    if (size == 0) {
        return 0;
    }
    const std::string content(data + 1, data + size);
    const auto ring = crypt::parse_key_file(
        content, (data[0] & 1) != 0 ? std::optional<std::string>("horse") : std::nullopt,
        crypt::CipherMode::Cbc, "keys.txt");
    if (!ring) {
        if (ring.error().code() != ErrorCode::Key) {
            std::abort();
        }
        return 0;
    }
    const auto key = (*ring)->key(1, 1);  // without it a file is refused
    if (!key ||
        (key->bytes().size() != 16 && key->bytes().size() != 24 && key->bytes().size() != 32)) {
        std::abort();
    }
    return 0;
}
