#include "verify/page_ages.h"

#include <algorithm>

namespace redoubt::verify {

void LsnRange::add(Lsn lsn) {
    merge({.min = lsn, .max = lsn, .pages = 1, .sum = static_cast<double>(lsn.value)});
}

void LsnRange::merge(const LsnRange& other) {
    if (other.pages == 0) {
        return;
    }
    min = pages == 0 ? other.min : std::min(min, other.min);
    max = pages == 0 ? other.max : std::max(max, other.max);
    pages += other.pages;
    sum += other.sum;
}

Lsn LsnRange::mean() const {
    const double mean = sum / static_cast<double>(pages);
    // Rounding may lead out of the range; beyond 2^64 the conversion would be undefined.
    if (mean <= static_cast<double>(min.value)) {
        return min;
    }
    return mean >= static_cast<double>(max.value) ? max : Lsn{static_cast<std::uint64_t>(mean)};
}

AgeSlices::AgeSlices(std::uint32_t file_pages, std::uint32_t first, std::uint32_t count)
    : slice_pages_(
          std::max(1U, file_pages / kSlicesMax + (file_pages % kSlicesMax != 0 ? 1U : 0U))),
      first_(first / slice_pages_),
      slices_(count == 0 ? 0 : (first + (count - 1)) / slice_pages_ - first_ + 1) {}

void AgeSlices::add(PageNo page, Lsn lsn) {
    const std::uint32_t slice = page.value / slice_pages_;
    if (slice >= first_ && slice - first_ < slices_.size()) {
        slices_[slice - first_].add(lsn);
    }
}

void AgeSlices::merge(const AgeSlices& part) {
    for (std::size_t i = 0; i < part.slices_.size(); ++i) {
        const std::size_t slice = part.first_ + i - first_;
        if (slice < slices_.size()) {
            slices_[slice].merge(part.slices_[i]);
        }
    }
}

void LsnHistogram::add(Lsn lsn, std::uint64_t pages) {
    if (counts_.empty()) {
        first_ = lsn.value >> shift_;
        counts_.push_back(pages);
        return;
    }
    const auto steps = [&] {
        const std::uint64_t at = lsn.value >> shift_;
        return std::max(at, first_ + counts_.size() - 1) - std::min(at, first_);  // less one
    };
    while (steps() >= kStepsMax) {
        double_steps();
    }
    const std::uint64_t at = lsn.value >> shift_;
    if (at < first_) {
        counts_.insert(counts_.begin(), first_ - at, 0);
        first_ = at;
    }
    if (at - first_ >= counts_.size()) {
        counts_.resize(at - first_ + 1);
    }
    counts_[at - first_] += pages;
}

void LsnHistogram::merge(const LsnHistogram& other) {
    while (shift_ < other.shift_) {
        double_steps();
    }
    for (std::size_t i = 0; i < other.counts_.size(); ++i) {
        if (other.counts_[i] != 0) {
            add(Lsn{(other.first_ + i) << other.shift_}, other.counts_[i]);
        }
    }
}

void LsnHistogram::double_steps() {
    std::vector<std::uint64_t> doubled;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        const std::uint64_t at = (first_ + i) / 2 - first_ / 2;
        doubled.resize(at + 1);
        doubled[at] += counts_[i];
    }
    counts_ = std::move(doubled);
    first_ /= 2;
    ++shift_;
}

}  // namespace redoubt::verify
