#include "space/file_pages.h"

namespace redoubt::space {

FilePages::FilePages(Tablespace& file, const crypt::KeyRing* keys, page::Strictness strictness)
    : file_(file), codec_(file.make_codec(keys, strictness)), stored_(file.physical_size()) {}

Status FilePages::read(PageId id, std::span<std::byte> plain) {
    if (id.space != file_.header().id) {
        return make_error(ErrorCode::NotFound, "not a page of this tablespace")
            .with_file(file_.path())
            .with_page(id);
    }
    const base::MutexLock lock(mutex_);
    ASSIGN_OR_RETURN(const std::uint32_t got, file_.read_raw(id.page, 1, stored_));
    if (got != 1) {
        return make_error(ErrorCode::NotFound, "the page lies beyond the end of the file")
            .with_file(file_.path())
            .with_page(id);
    }
    if (auto state = codec_.decode(id.page, stored_, plain); !state) {
        return std::move(state.error()).with_file(file_.path()).with_page(id);
    }
    return {};
}

Result<std::uint32_t> FilePages::page_count(SpaceId space) {
    if (space != file_.header().id) {
        return make_error(ErrorCode::NotFound, "not this tablespace")
            .with_file(file_.path())
            .with_space(space);
    }
    return file_.page_count();
}

}  // namespace redoubt::space
