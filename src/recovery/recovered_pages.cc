#include "recovery/recovered_pages.h"

#include <algorithm>

namespace redoubt::recovery {

RecoveredPages::RecoveredPages(Analysis& analysis, const crypt::KeyRing* keys,
                               page::Strictness strictness)
    : analysis_(analysis),
      base_(analysis.doublewrite, analysis.scan, keys, strictness),
      reader_(analysis.log->reader()) {}

Result<RecoveredSpace*> RecoveredPages::space_of(SpaceId id) {
    const auto found = analysis_.map.spaces.find(id);
    if (found == analysis_.map.spaces.end() || found->second.ignored) {
        return make_error(ErrorCode::NotFound, "the redo log does not touch this tablespace")
            .with_space(id);
    }
    return &found->second;
}

Result<PageEntries> RecoveredPages::entries_of(PageId id) {
    RedoIndex& index = analysis_.index;
    if (id.packed() < lower_ || id.packed() >= index.upper()) {
        lower_ = PageId{id.space, PageNo{0}}.packed();
        RETURN_IF_ERROR(index_again(*analysis_.log, analysis_.scan, lower_, index, {}));
        if (id.packed() >= index.upper()) {
            lower_ = id.packed();
            RETURN_IF_ERROR(index_again(*analysis_.log, analysis_.scan, lower_, index, {}));
        }
    }
    return index.find(id);
}

Status RecoveredPages::read(PageId id, std::span<std::byte> plain) {
    ASSIGN_OR_RETURN(RecoveredSpace * space, space_of(id.space));
    const page::TablespaceFlags& flags = space->header.flags;
    if (plain.size() != flags.physical_page_size) {
        return make_error(ErrorCode::Internal, "page buffer of {} bytes for pages of {}",
                          plain.size(), flags.physical_page_size);
    }
    const base::MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(const auto entries, entries_of(id));
    PageFrame frame{.id = id,
                    .entries = entries,
                    .plain = plain,
                    .row_compressed = flags.row_compressed,
                    .lsn = {}};
    std::fill(plain.begin(), plain.end(), std::byte{0});
    if (!entries.initialised()) {
        if (!space->file) {
            return make_error(ErrorCode::Corruption,
                              "the redo log does not build this page, and the file does not exist")
                .with_file(space->path)
                .with_page(id);
        }
        RETURN_IF_ERROR(base_.read(*space, std::span(&frame, 1)));
    }
    return sweep(reader_, std::span(&frame, 1));
}

Result<std::uint32_t> RecoveredPages::page_count(SpaceId id) {
    ASSIGN_OR_RETURN(RecoveredSpace * space, space_of(id));
    std::uint32_t count = space->header.size;
    if (space->file) {
        ASSIGN_OR_RETURN(const std::uint32_t in_file, space->file->page_count());
        count = std::max(count, in_file);
    }
    return count;
}

Result<RecoveredPages::Healing> RecoveredPages::healing_of(PageId id) {
    ASSIGN_OR_RETURN(RecoveredSpace * space, space_of(id.space));
    const base::MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(const auto entries, entries_of(id));
    if (entries.freed()) {
        return Healing::Freed;
    }
    if (entries.initialised()) {
        return Healing::Initialised;
    }
    std::vector<std::byte> plain(space->header.flags.physical_page_size);
    ASSIGN_OR_RETURN(const bool copy, analysis_.doublewrite.find(id, base_.disk_codec_of(*space),
                                                                 analysis_.scan.checkpoint.lsn,
                                                                 analysis_.scan.end, plain));
    return copy ? Healing::Doublewrite : Healing::None;
}

}  // namespace redoubt::recovery
