// Compressed pages of each method. Input: algorithm (modulo 7), page size (4 KiB shifted left by
// the byte modulo 5), the compressed bytes.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "space/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace redoubt;
    if (size < 2) {
        return 0;
    }
    const auto algorithm = static_cast<page::CompressionAlgorithm>(data[0] % 7);
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size)).subspan(2);
    std::vector<std::byte> plain(std::size_t{4096} << (data[1] % 5));
    const Status status = space::decompress(algorithm, input, plain);
    if (!status) {
        const ErrorCode code = status.error().code();
        if (code != ErrorCode::Corruption && code != ErrorCode::Unsupported) {
            std::abort();
        }
        return 0;
    }
    std::vector<std::byte> packed(plain.size());
    const Result<std::size_t> length = space::compress(algorithm, plain, packed);
    if (length && *length != 0) {  // it may not fit
        std::vector<std::byte> again(plain.size());
        if (!space::decompress(algorithm, std::span(packed).first(*length), again) ||
            again != plain) {
            std::abort();
        }
    }
    return 0;
}
