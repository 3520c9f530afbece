// Any value of the flags word. Input: u32.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/big_endian.h"
#include "page/flags.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using redoubt::page::TablespaceFlags;
    if (size < 4) {
        return 0;
    }
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    const auto flags = TablespaceFlags::decode(redoubt::load_be<std::uint32_t>(input.data()));
    if (!flags) {
        return 0;
    }
    // What we would write says the same, less what is never written.
    TablespaceFlags expected = *flags;
    expected.data_directory = false;
    expected.converted_from_10_1 = false;
    const auto again = TablespaceFlags::decode(flags->encode());
    if (!again || *again != expected || flags->to_string().empty() ||
        flags->crypt_data_offset() + 33 > flags->physical_page_size) {
        std::abort();
    }
    return 0;
}
