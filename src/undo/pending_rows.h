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

    /// What tells a table's rows apart.
    struct Key {
        std::size_t fields = 0;  ///< 0: its rows are not wanted
        /// By field, the first lowest: equal values have the same bytes. The others are not looked
        /// at: undo may speak of a row by an equal key of other bytes ('a', 'A').
        std::uint64_t exact = ~std::uint64_t{0};
        bool is_exact(std::size_t field) const { return field < 64 && ((exact >> field) & 1) != 0; }
    };

    /// Reads all undo logs. `key_of`: of a table, by its id. Errors: Corruption, NotFound (an undo
    /// tablespace without file), Io, Key, Cancelled.
    static Result<PendingRows> read(space::PageSource& source, std::uint32_t page_size,
                                    const std::function<Key(std::uint64_t)>& key_of,
                                    const base::CancelToken* cancel);

    /// False: there are more than kRowsMax.
    bool complete() const { return complete_; }
    /// Whether a row of table `table_id` with these values of its key's fields, as they are stored,
    /// is among them, as far as exact fields tell. A hash decides: in one of 2^43 calls or fewer it
    /// says yes for a row that is none.
    bool contains(std::uint64_t table_id, const Key& key,
                  std::span<const record::Field> values) const;

private:
    class Reader;
    static std::uint64_t hash(std::uint64_t seed, std::span<const std::byte> bytes);

    std::vector<std::uint64_t> rows_;  // hashes, in order
    bool complete_ = true;
};

}  // namespace redoubt::undo
