/// Pages of externally stored columns, not ROW_FORMAT=COMPRESSED (there the link is the page
/// header's, and all behind it is data). Format: docs/formats/page.md#blob.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/header.h"

namespace redoubt::page {

/// Read-only view of the header of one such page.
class BlobPageView {
public:
    static constexpr std::size_t kSize = 8;                    // bytes
    static constexpr std::size_t kData = kHeaderSize + kSize;  ///< where the value's bytes begin
    explicit BlobPageView(std::span<const std::byte> page)
        : bytes_(page.subspan<kHeaderSize, kSize>()) {}

    /// Bytes of the value on this page. May be more than fit on it: check.
    std::uint32_t data_size() const { return DataSize::get(bytes_); }
    /// kNoPage: the value ends here.
    PageNo next() const { return PageNo{Next::get(bytes_)}; }

private:
    using DataSize = BigEndian<std::uint32_t, 0>;
    using Next = BigEndian<std::uint32_t, 4>;
    static_assert(Next::kOffset == DataSize::kEnd && Next::kEnd == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
