/// What a MyISAM index file says about its table. Format: docs/formats/myisam.md#index-file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/error.h"

namespace redoubt::backup::plain {

/// Read-only view of the first bytes of a .MYI (MyISAM: the state header).
class IndexHeaderView {
public:
    static constexpr std::size_t kSize = 26;  // bytes
    /// `bytes` stays owned by the caller and must outlive the view.
    explicit IndexHeaderView(std::span<const std::byte, kSize> bytes) : bytes_(bytes) {}

    /// Errors: Corruption when it is no MyISAM index.
    Status validate() const;
    /// Who opened the table, wrote to it and has not closed it; after a crash it stays.
    std::uint16_t open_count() const { return OpenCount::get(bytes_); }

private:
    using Magic = BigEndian<std::uint32_t, 0>;
    using OpenCount = BigEndian<std::uint16_t, 24>;
    static_assert(OpenCount::kEnd == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::backup::plain
