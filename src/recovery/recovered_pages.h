/// Pages of a directory as recovery would leave them, made in memory: redo is applied page by page
/// as pages are asked for; nothing on disk changes.
#pragma once

#include <memory>
#include <set>

#include "base/mutex.h"
#include "recovery/analysis.h"
#include "space/page_source.h"

namespace redoubt::recovery {

class RecoveredPages final : public space::PageSource {
public:
    /// `analysis` outlives this. Ask space by space in ascending order: under a small memory cap
    /// going back costs a pass over the log.
    RecoveredPages(Analysis& analysis, const crypt::KeyRing* keys, page::Strictness strictness);

    /// Of spaces that the redo touches; NotFound for others (their files are as they should be).
    Status read(PageId id, std::span<std::byte> plain) override;
    Result<std::uint32_t> page_count(SpaceId space) override;

    /// What the redo makes of a page whose stored bytes are bad.
    enum class Healing : std::uint8_t { None, Initialised, Freed, Doublewrite };
    Result<Healing> healing_of(PageId id);

private:
    Result<RecoveredSpace*> space_of(SpaceId id);
    Result<PageEntries> entries_of(PageId id) REQUIRES(mutex_);

    Analysis& analysis_;
    base::Mutex mutex_;  // over I/O too: structural pages only, read one by one
    std::uint64_t lower_ GUARDED_BY(mutex_) = 0;
    BaseReader base_ GUARDED_BY(mutex_);
    redo::LogReader reader_ GUARDED_BY(mutex_);
};

}  // namespace redoubt::recovery
