// Page 0 of any file.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "space/tablespace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace redoubt;
    const std::span<const std::byte> image = std::as_bytes(std::span(data, size));
    for (const std::uint32_t page_size : {0U, 4096U, 16384U}) {
        const auto header = space::parse_first_page(image, page_size, page::Strictness::AnyKnown);
        if (header && header->flags.physical_page_size > size) {
            std::abort();
        }
    }
    return 0;
}
