/// How old pages are, by their LSNs, in memory that does not grow with their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace redoubt::verify {

/// LSNs of some pages.
struct LsnRange {
    Lsn min;
    Lsn max;
    std::uint64_t pages = 0;
    double sum = 0;

    void add(Lsn lsn);
    void merge(const LsnRange& other);
    /// Only with pages.
    Lsn mean() const;
};

/// The file in slices of equal length, in order; how old the pages of each are.
class AgeSlices {
public:
    static constexpr std::uint32_t kSlicesMax = 160;
    /// Of pages [first, first + count) of a file with `file_pages`.
    AgeSlices(std::uint32_t file_pages, std::uint32_t first, std::uint32_t count);

    void add(PageNo page, Lsn lsn);
    /// `part`: of a part of the same file, which lies in this one.
    void merge(const AgeSlices& part);
    /// Pages; the last slice may have fewer.
    std::uint32_t slice_pages() const { return slice_pages_; }
    const std::vector<LsnRange>& slices() const { return slices_; }

private:
    std::uint32_t slice_pages_;
    std::uint32_t first_;  // slice
    std::vector<LsnRange> slices_;
};

/// Pages by LSN in equal steps. Whenever LSNs do not fit, steps are doubled, so that there are
/// never more than `kStepsMax`, and no more than half of them lie out of what was seen.
class LsnHistogram {
public:
    static constexpr std::size_t kStepsMax = 256;
    void add(Lsn lsn, std::uint64_t pages = 1);
    void merge(const LsnHistogram& other);

    bool empty() const { return counts_.empty(); }
    /// LSNs a step: a power of two.
    std::uint64_t step() const { return std::uint64_t{1} << shift_; }
    /// Where the first step begins.
    Lsn begin() const { return Lsn{first_ << shift_}; }
    const std::vector<std::uint64_t>& counts() const { return counts_; }

private:
    void double_steps();

    unsigned shift_ = 0;
    std::uint64_t first_ = 0;  // begin() in steps
    std::vector<std::uint64_t> counts_;
};

}  // namespace redoubt::verify
