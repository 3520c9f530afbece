#include "recovery/redo_index.h"

#include <algorithm>

namespace redoubt::recovery {

RedoIndex::RedoIndex(std::size_t entry_count_max)
    : entry_count_max_(std::max<std::size_t>(entry_count_max, 1024)) {
    entries_.reserve(entry_count_max_);
}

void RedoIndex::begin(std::uint64_t lower) {
    lower_ = lower;
    upper_ = kEnd;
    entries_.clear();
}

void RedoIndex::make_room() {
    // Halve the range: keep the lower half of the entries, cut at a page boundary (R2).
    const auto middle = entries_.begin() + static_cast<std::ptrdiff_t>(entries_.size() / 2);
    std::nth_element(entries_.begin(), middle, entries_.end());
    std::uint64_t cut = middle->page;
    const std::uint64_t lowest = std::min_element(entries_.begin(), entries_.end())->page;
    if (cut == lowest) {
        cut = lowest + 1;  // one page alone fills half the index; it stays, however much it has
    }
    std::erase_if(entries_, [cut](const IndexEntry& entry) { return entry.page >= cut; });
    upper_ = cut;
    if (entries_.size() >= entry_count_max_) {
        entry_count_max_ = entries_.size() * 2;
    }
}

void RedoIndex::merge_duplicates() {
    // A mini-transaction may come back to a page; its one entry carries all its flags.
    std::size_t kept = 0;
    for (const IndexEntry& entry : entries_) {
        if (kept > 0 && entries_[kept - 1].page == entry.page &&
            entries_[kept - 1].start() == entry.start()) {
            entries_[kept - 1].lsn_and_flags |= entry.lsn_and_flags;
        } else {
            entries_[kept++] = entry;
        }
    }
    entries_.resize(kept);
}

void RedoIndex::finish(const std::map<SpaceId, Lsn>& trims) {
    std::sort(entries_.begin(), entries_.end());
    merge_duplicates();
    std::size_t kept = 0;
    for (std::size_t begin = 0; begin < entries_.size();) {
        std::size_t end = begin;
        std::size_t first_needed = begin;
        const auto trim = trims.find(entries_[begin].id().space);
        for (; end < entries_.size() && entries_[end].page == entries_[begin].page; ++end) {
            const IndexEntry& entry = entries_[end];
            if (entry.initialises() || entry.frees()) {
                first_needed = end;
            }
            if (trim != trims.end() && entry.start() < trim->second) {
                first_needed = end + 1;
            }
        }
        for (std::size_t i = first_needed; i < end; ++i) {
            entries_[kept++] = entries_[i];
        }
        begin = end;
    }
    entries_.resize(kept);
}

std::span<const IndexEntry> RedoIndex::find(PageId id) const {
    const IndexEntry low{id.packed(), 0};
    const auto first = std::lower_bound(entries_.begin(), entries_.end(), low);
    auto last = first;
    while (last != entries_.end() && last->page == low.page) {
        ++last;
    }
    return std::span(entries_).subspan(static_cast<std::size_t>(first - entries_.begin()),
                                       static_cast<std::size_t>(last - first));
}

std::vector<PageEntries> RedoIndex::pages() const {
    std::vector<PageEntries> result;
    for (std::size_t begin = 0; begin < entries_.size();) {
        std::size_t end = begin + 1;
        while (end < entries_.size() && entries_[end].page == entries_[begin].page) {
            ++end;
        }
        result.push_back({entries_[begin].id(), std::span(entries_).subspan(begin, end - begin)});
        begin = end;
    }
    return result;
}

}  // namespace redoubt::recovery
