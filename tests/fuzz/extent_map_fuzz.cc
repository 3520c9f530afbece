// Page accounting over any bytes. Input: u32 flags, then the pages of the space, which are read
// as they are, round and round.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/big_endian.h"
#include "fuzz/input_pages.h"
#include "space/extent_map.h"

namespace {

using namespace redoubt;

constexpr std::uint32_t kPages = 3000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::byte> input = std::as_bytes(std::span(data, size));
    if (input.size() < 4) {
        return 0;
    }
    const auto flags = page::TablespaceFlags::decode(load_be<std::uint32_t>(input.data()));
    if (!flags) {
        return 0;
    }
    fuzz::InputPages pages(input.subspan(4), flags->physical_page_size, kPages);
    const auto map = space::build_extent_map(pages, SpaceId{1}, *flags);
    if (!map || map->use.size() != map->owner.size() || map->use.size() > kPages) {
        std::abort();
    }
    return 0;
}
