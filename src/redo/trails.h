/// What a search for a mini-transaction's begin remembers.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace redoubt::redo {

/// Where the walks of one search have led. A search begins a walk at every byte; walks meet, and
/// from there the later one goes at once where the earlier came to. So a search takes about as many
/// steps as it passes bytes, also in long runs of one byte.
class Trails {
public:
    /// Where a walk from `lsn` is known to come to; `lsn` itself if none has passed there.
    std::uint64_t beyond(std::uint64_t lsn) const {
        const auto found = leads_to_.find(lsn);
        return found == leads_to_.end() ? lsn : found->second;
    }
    /// The current walk goes on from `lsn`, where no byte ends it.
    void pass(std::uint64_t lsn) { passed_.push_back(lsn); }
    /// The current walk has come to `lsn`.
    void end_at(std::uint64_t lsn) {
        for (const std::uint64_t passed : passed_) {
            leads_to_[passed] = lsn;
        }
        passed_.clear();
    }

    /// Of an end that walks have come to.
    struct End {
        unsigned checks = 0;                ///< sums made of what leads there
        std::vector<std::uint64_t> begins;  ///< once they are known: where the sum is right
    };
    End& end(std::uint64_t lsn) { return ends_[lsn]; }

private:
    std::unordered_map<std::uint64_t, std::uint64_t> leads_to_;  // by LSN
    std::vector<std::uint64_t> passed_;                          // by the current walk
    std::unordered_map<std::uint64_t, End> ends_;                // by LSN
};

}  // namespace redoubt::redo
