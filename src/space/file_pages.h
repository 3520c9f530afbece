/// The pages of one tablespace file as they are.
#pragma once

#include "base/mutex.h"
#include "space/page_source.h"
#include "space/tablespace.h"

namespace redoubt::space {

class FilePages final : public PageSource {
public:
    /// `file` has its header and outlives this; so do `keys`.
    FilePages(Tablespace& file, const crypt::KeyRing* keys,
              page::Strictness strictness = page::Strictness::AnyKnown);
    Status read(PageId id, std::span<std::byte> plain) override;
    Result<std::uint32_t> page_count(SpaceId space) override;

private:
    Tablespace& file_;
    base::Mutex mutex_;  // over the read too: the codec's scratch is shared
    PageCodec codec_ GUARDED_BY(mutex_);
    std::vector<std::byte> stored_ GUARDED_BY(mutex_);
};

}  // namespace redoubt::space
