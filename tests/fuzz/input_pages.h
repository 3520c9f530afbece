/// A space whose pages are the bytes of an input, as they are, round and round.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "space/page_source.h"

namespace redoubt::fuzz {

class InputPages final : public space::PageSource {
public:
    /// `count`: pages that the space is said to have.
    InputPages(std::span<const std::byte> bytes, std::size_t page_size, std::uint32_t count)
        : bytes_(bytes),
          pages_(std::max<std::size_t>(bytes.size() / page_size, 1)),
          count_(count) {}
    Status read(PageId id, std::span<std::byte> plain) override {
        std::fill(plain.begin(), plain.end(), std::byte{0});
        const std::size_t at = id.page.value % pages_ * plain.size();
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                    std::min(plain.size(), bytes_.size() - at), plain.begin());
        return {};
    }
    Result<std::uint32_t> page_count(SpaceId) override { return count_; }

private:
    std::span<const std::byte> bytes_;
    std::size_t pages_;
    std::uint32_t count_;
};

}  // namespace redoubt::fuzz
