#include "backup/binlog_position.h"

#include <map>

#include "page/header.h"
#include "page/rollback_segment.h"
#include "page/trx_system.h"
#include "space/file_pages.h"
#include "space/tablespace.h"

namespace redoubt::backup {

Result<std::optional<BinlogPosition>> read_binlog_position(io::Directory& directory,
                                                           const space::Layout& layout,
                                                           const crypt::KeyRing* keys) {
    constexpr PageNo kTrxSystemPage{5};
    std::map<SpaceId, std::unique_ptr<space::Tablespace>> spaces;
    ASSIGN_OR_RETURN(spaces[kSystemSpace],
                     space::open_system_tablespace(directory, layout, io::OpenMode::ReadOnly));
    const std::uint32_t page_size = spaces.at(kSystemSpace)->header().flags.logical_page_size;
    for (const std::string& path : layout.undo_files) {
        ASSIGN_OR_RETURN(auto undo,
                         space::Tablespace::open(directory, {path}, io::OpenMode::ReadOnly, path,
                                                 page_size, std::nullopt));
        const SpaceId id = undo->header().id;
        spaces.insert_or_assign(id, std::move(undo));
    }
    std::vector<std::byte> trx_system_page(page_size);
    RETURN_IF_ERROR(space::FilePages(*spaces.at(kSystemSpace), keys)
                        .read({kSystemSpace, kTrxSystemPage}, trx_system_page));
    const page::TrxSystemView trx_system(trx_system_page);

    // Each segment notes the last transaction that ended in it; the page written last has the last
    // of all.
    std::optional<BinlogPosition> newest;
    Lsn newest_lsn;
    std::vector<std::byte> page(page_size);
    for (std::size_t i = 0; i < page::TrxSystemView::kSlotCount; ++i) {
        const PageId id = trx_system.slot(i);
        const auto space = spaces.find(id.space);
        if (id.page == kNoPage || space == spaces.end()) {
            continue;
        }
        RETURN_IF_ERROR(space::FilePages(*space->second, keys).read(id, page));
        const page::RollbackSegmentView segment(page);
        const Lsn lsn = page::HeaderView(page).lsn();
        if (segment.current_format() && !segment.binlog_name().empty() && lsn >= newest_lsn) {
            newest = BinlogPosition{std::string(segment.binlog_name()), segment.binlog_offset()};
            newest_lsn = lsn;
        }
    }
    return newest;
}

}  // namespace redoubt::backup
