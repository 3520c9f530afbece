/// Page 7 of the system tablespace (InnoDB: DICT_HDR): where the data dictionary begins.
/// Format: docs/formats/tablespace.md#dictionary-header.
#pragma once

#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "base/ids.h"
#include "page/header.h"
#include "page/segment_inode.h"

namespace redoubt::page {

/// Read-only view.
class DictionaryHeaderView {
public:
    static constexpr PageNo kPage{7};
    static constexpr std::size_t kSize = 66;  // bytes
    explicit DictionaryHeaderView(std::span<const std::byte> page)
        : bytes_(page.subspan<kHeaderSize, kSize>()) {}

    /// The last DB_ROW_ID, written once in 256 ids.
    std::uint64_t last_row_id() const { return RowId::get(bytes_); }
    std::uint64_t last_table_id() const { return TableId::get(bytes_); }
    std::uint64_t last_index_id() const { return IndexId::get(bytes_); }
    SpaceId max_space_id() const { return SpaceId{MaxSpace::get(bytes_)}; }
    PageNo tables_root() const { return PageNo{Tables::get(bytes_)}; }
    PageNo table_ids_root() const { return PageNo{TableIds::get(bytes_)}; }
    PageNo columns_root() const { return PageNo{Columns::get(bytes_)}; }
    PageNo indexes_root() const { return PageNo{Indexes::get(bytes_)}; }
    PageNo fields_root() const { return PageNo{Fields::get(bytes_)}; }
    SegmentHeaderView segment() const {
        return SegmentHeaderView(bytes_.last<SegmentHeaderView::kSize>());
    }

private:
    using RowId = BigEndian<std::uint64_t, 0>;
    using TableId = BigEndian<std::uint64_t, 8>;
    using IndexId = BigEndian<std::uint64_t, 16>;
    using MaxSpace = BigEndian<std::uint32_t, 24>;  // an obsolete u32 follows
    using Tables = BigEndian<std::uint32_t, 32>;
    using TableIds = BigEndian<std::uint32_t, 36>;
    using Columns = BigEndian<std::uint32_t, 40>;
    using Indexes = BigEndian<std::uint32_t, 44>;
    using Fields = BigEndian<std::uint32_t, 48>;  // 4 unused bytes follow
    static_assert(MaxSpace::kOffset == IndexId::kEnd && TableIds::kOffset == Tables::kEnd &&
                  Columns::kOffset == TableIds::kEnd && Indexes::kOffset == Columns::kEnd &&
                  Fields::kOffset == Indexes::kEnd &&
                  Fields::kEnd + 4 + SegmentHeaderView::kSize == kSize);
    std::span<const std::byte, kSize> bytes_;
};

}  // namespace redoubt::page
