// Page accounting over any bytes. Input: u32 flags, then the pages of the space, which are read
// as they are, round and round.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/big_endian.h"
#include "space/extent_map.h"

namespace {

using namespace redoubt;

class InputPages final : public space::PageSource {
public:
    InputPages(std::span<const std::byte> bytes, std::uint32_t page_size)
        : bytes_(bytes), pages_(std::max<std::size_t>(bytes.size() / page_size, 1)) {}
    Status read(PageId id, std::span<std::byte> plain) override {
        std::fill(plain.begin(), plain.end(), std::byte{0});
        const std::size_t at = id.page.value % pages_ * plain.size();
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                    std::min(plain.size(), bytes_.size() - at), plain.begin());
        return {};
    }
    Result<std::uint32_t> page_count(SpaceId) override { return 3000; }

private:
    std::span<const std::byte> bytes_;
    std::size_t pages_;
};

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
    InputPages pages(input.subspan(4), flags->physical_page_size);
    const auto map = space::build_extent_map(pages, SpaceId{1}, *flags);
    if (!map || map->use.size() != map->owner.size() || map->use.size() > 3000) {
        std::abort();
    }
    return 0;
}
