#include "backup/binlog_position.h"

#include <map>
#include <tuple>

#include "page/header.h"
#include "page/rollback_segment.h"
#include "page/trx_system.h"
#include "recovery/recovered_pages.h"
#include "space/file_pages.h"
#include "space/tablespace.h"

namespace redoubt::backup {
namespace {

/// Each segment notes the last transaction that ended in it.
struct Candidate {
    BinlogPosition position;
    Lsn lsn;  ///< of the segment's page; it changes for other reasons, too
};

std::string_view base_of(std::string_view file) { return file.substr(0, file.rfind('.')); }

/// Which of two series is the later one, only the pages' LSNs tell.
bool is_later(const Candidate& a, const Candidate& b) {
    return base_of(a.position.file) != base_of(b.position.file)
               ? a.lsn > b.lsn
               : backup::is_later(a.position, b.position);
}

}  // namespace

bool is_later(const BinlogPosition& a, const BinlogPosition& b) {
    if (base_of(a.file) != base_of(b.file)) {
        return false;
    }
    if (a.file.size() != b.file.size()) {  // "b.999999" comes before "b.1000000"
        return a.file.size() > b.file.size();
    }
    return std::tie(a.file, a.offset) > std::tie(b.file, b.offset);
}

Result<std::optional<BinlogPosition>> read_binlog_position(io::Directory& directory,
                                                           const space::Layout& layout,
                                                           const crypt::KeyRing* keys,
                                                           recovery::Analysis* analysis) {
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
    std::optional<recovery::RecoveredPages> recovered;
    if (analysis != nullptr) {
        recovered.emplace(*analysis, keys, page::Strictness::AnyKnown);
    }
    const auto read = [&](PageId id, std::span<std::byte> page) -> Status {
        if (recovered) {
            auto status = recovered->read(id, page);
            if (status || status.error().code() != ErrorCode::NotFound) {
                return status;
            }
        }
        return space::FilePages(*spaces.at(id.space), keys).read(id, page);
    };
    std::vector<std::byte> trx_system_page(page_size);
    RETURN_IF_ERROR(read({kSystemSpace, page::TrxSystemView::kPage}, trx_system_page));
    const page::TrxSystemView trx_system(trx_system_page);

    std::optional<Candidate> newest;
    std::vector<std::byte> page(page_size);
    for (std::size_t i = 0; i < page::TrxSystemView::kSlotCount; ++i) {
        const PageId id = trx_system.slot(i);
        if (id.page == kNoPage || id.page == PageNo{0} || !spaces.contains(id.space)) {
            continue;
        }
        RETURN_IF_ERROR(read(id, page));
        const page::RollbackSegmentView segment(page);
        if (!segment.current_format() || segment.binlog_name().empty()) {
            continue;
        }
        Candidate candidate{{std::string(segment.binlog_name()), segment.binlog_offset()},
                            page::HeaderView(page).lsn()};
        if (!newest || is_later(candidate, *newest)) {
            newest = std::move(candidate);
        }
    }
    return newest ? std::optional(std::move(newest->position)) : std::nullopt;
}

}  // namespace redoubt::backup
