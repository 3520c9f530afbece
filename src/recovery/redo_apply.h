/// Brings pages to the state the redo log gives them: one page after another, each with all that
/// the log has for it, as the index lists it.
///   A1  A mini-transaction [S,E) is applied to a page iff S >= the page's LSN; then the page's LSN
///   is E. A2  The result depends on the page and the log only: not on batch size, threads, or an
///   earlier, interrupted run. A3  What the log initialises is never read from the file.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "recovery/doublewrite.h"
#include "recovery/log_scan.h"
#include "recovery/redo_index.h"
#include "recovery/space_map.h"
#include "redo/log_file.h"
#include "space/codec.h"

namespace redoubt::recovery {

/// One page of a batch.
struct PageFrame {
    PageId id;
    PageEntries entries;         ///< may be empty: healed from the doublewrite buffer only
    std::span<std::byte> plain;  ///< the physical page size
    bool row_compressed = false;
    Lsn lsn;               ///< of `plain`; kept up by sweep()
    bool changed = false;  ///< redo was applied
    bool healed = false;   ///< the file's page was bad and came from the doublewrite buffer
    bool was_stale =
        false;  ///< the file's page was whole, but older than its copy, which was taken
};

/// Applies the redo of all frames' entries. Frames are sorted by id; `plain` and `lsn` hold the
/// base. Errors: Corruption naming page and LSN; Io; Key.
Status sweep(redo::LogReader& reader, std::span<PageFrame> frames);

/// Reads base pages: from the file, else the doublewrite buffer. One per thread.
class BaseReader {
public:
    BaseReader(const Doublewrite& doublewrite, const LogScan& scan, const crypt::KeyRing* keys,
               page::Strictness strictness);

    /// Fills `plain` and `lsn` of frames that are consecutive pages of one space and not
    /// initialised by the log. Errors: Corruption when a page is bad and has no copy, or is newer
    /// than the log's end; Io; Key.
    Status read(RecoveredSpace& space, std::span<PageFrame> frames);
    /// Codec of the space as the redo leaves it.
    space::PageCodec& codec_of(const RecoveredSpace& space);
    /// Codec for pages as they are on disk (crypt data may have been rewritten since).
    space::PageCodec& disk_codec_of(const RecoveredSpace& space);

private:
    Status take(RecoveredSpace& space, PageFrame& frame, std::span<const std::byte> stored);
    Status prefer_newer_copy(space::PageCodec& codec, PageFrame& frame);
    space::PageCodec make(const RecoveredSpace& space, const space::SpaceHeader& header) const;

    const Doublewrite& doublewrite_;
    const LogScan& scan_;
    const crypt::KeyRing* keys_;
    page::Strictness strictness_;
    struct Codecs {
        space::PageCodec disk;
        space::PageCodec final;
    };
    Codecs& codecs_of(const RecoveredSpace& space);
    std::map<SpaceId, Codecs> codecs_;
    std::vector<std::byte> stored_;
    std::vector<std::byte> copy_;
};

/// Sets `header` of every space to what the redo leaves on page 0. Errors: Corruption when a
/// rebuilt page 0 makes no sense; Key when a space that will be read or written needs a key that is
/// not there.
Status finish_headers(const redo::LogFile& log, const LogScan& scan, const Doublewrite& doublewrite,
                      std::uint32_t page_size, const crypt::KeyRing* keys,
                      page::Strictness strictness, SpaceMap& map);

}  // namespace redoubt::recovery
