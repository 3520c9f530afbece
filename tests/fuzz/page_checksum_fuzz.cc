// Checksums of any stored page under any flags. Input: u32 flags, the page's first bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/big_endian.h"
#include "page/checksum.h"
#include "page/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace redoubt;
    using page::ChecksumResult;
    using page::Strictness;
    if (size < 4) {
        return 0;
    }
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    const auto flags = page::TablespaceFlags::decode(load_be<std::uint32_t>(input.data()));
    if (!flags) {
        return 0;
    }
    std::vector<std::byte> bytes(flags->physical_page_size);
    std::copy_n(input.begin() + 4, std::min(size - 4, bytes.size()), bytes.begin());
    const ChecksumResult any = page::check_stored(bytes, *flags, Strictness::AnyKnown);
    if (page::check_stored(bytes, *flags, Strictness::Crc32Only) == ChecksumResult::Ok &&
        any != ChecksumResult::Ok) {
        std::abort();  // strict accepts no more than lenient
    }
    static_cast<void>(page::check_post_encryption(bytes, *flags));

    // A page that we seal is whole to the strictest reader.
    page::Header::Type::set(std::span(bytes), std::uint16_t{17855});
    page::Header::KeyVersion::set(std::span(bytes), std::uint32_t{0});
    page::seal(bytes, *flags);
    if (page::check_stored(bytes, *flags, Strictness::Crc32Only) != ChecksumResult::Ok) {
        std::abort();
    }
    return 0;
}
