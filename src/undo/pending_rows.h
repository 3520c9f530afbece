/// The rows whose change (no insertion) is in undo logs that purge has not done with: of the
/// history and of transactions that had not ended. A record marked as deleted is one of these, or
/// it stays for ever. Format: docs/formats/undo.md.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "record/layout.h"
#include "space/page_source.h"
#include "undo/record.h"

namespace redoubt::undo {

/// Thread-safe once read.
class PendingRows {
public:
    static constexpr std::size_t kRowsMax = std::size_t{2}
                                            << 20;  ///< 16 MiB, twice that while read

    /// Reads all undo logs. `key_fields`: how many fields tell rows of a table apart, by its id; 0:
    /// its rows are not wanted. Errors: Corruption, NotFound (an undo tablespace without file), Io,
    /// Key, Cancelled.
    static Result<PendingRows> read(space::PageSource& source, std::uint32_t page_size,
                                    const std::function<std::size_t(std::uint64_t)>& key_fields,
                                    const base::CancelToken* cancel);

    /// False: there are more than kRowsMax.
    bool complete() const { return complete_; }
    /// Whether a row of table `table_id` with this key, as it is stored, is among them. A hash
    /// decides: in one of 2^43 calls or fewer it says yes for a row that is none.
    bool contains(std::uint64_t table_id, std::span<const record::Field> key) const;

private:
    class Reader;
    static std::uint64_t hash(std::uint64_t seed, std::span<const std::byte> bytes);

    std::vector<std::uint64_t> rows_;  // hashes, in order
    bool complete_ = true;
};

}  // namespace redoubt::undo
