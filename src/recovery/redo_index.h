/// Which mini-transactions touch which page: the index that the sort-merge apply works from. It
/// holds no payloads, 16 bytes an entry, and keeps to a cap by covering only a range of
/// page ids at a time (the lowest that fit); the caller comes back for the next range.
///   R1  Sorted, an index lists for each page of its range every mini-transaction of the scanned
///       log that names it, in LSN order, and none before the last one that initialises or frees
///       it.
///   R2  Ranges of successive builds meet without gap or overlap, whatever the cap.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/ids.h"

namespace redoubt::recovery {

/// One page in one mini-transaction.
struct IndexEntry {
    enum Flag : std::uint64_t { kInit = 1, kFree = 2 };
    std::uint64_t page = 0;           ///< PageId::packed()
    std::uint64_t lsn_and_flags = 0;  ///< start LSN of the mini-transaction << 2 | flags

    static IndexEntry make(PageId id, Lsn start, std::uint64_t flags) {
        return {id.packed(), (start.value << 2) | flags};
    }
    PageId id() const { return PageId::unpack(page); }
    Lsn start() const { return Lsn{lsn_and_flags >> 2}; }
    bool initialises() const { return (lsn_and_flags & kInit) != 0; }
    bool frees() const { return (lsn_and_flags & kFree) != 0; }
    friend auto operator<=>(const IndexEntry&, const IndexEntry&) = default;
};

/// A page and its entries in the index.
struct PageEntries {
    PageId id;
    std::span<const IndexEntry> entries;  ///< at least one, LSN order
    /// The log makes the page from nothing: what the file holds does not matter.
    bool initialised() const { return entries.front().initialises() || entries.front().frees(); }
    /// The page is free at the end of the log: neither read nor written.
    bool freed() const { return entries.back().frees(); }
};

class RedoIndex {
public:
    /// `entry_count_max`: the cap; a single page may exceed it. Memory is touched only as it fills.
    explicit RedoIndex(std::size_t entry_count_max);

    /// Begins a build of pages >= `lower`.
    void begin(std::uint64_t lower);
    void add(const IndexEntry& entry) {
        if (entry.page >= lower_ && entry.page < upper_) {
            if (entries_.size() >= entry_count_max_) {
                make_room();
                if (entry.page >= upper_) {
                    return;
                }
            }
            entries_.push_back(entry);
        }
    }
    /// Sorts, drops duplicates, what came before the last initialisation, and entries
    /// of a space from before its truncation (`trims`: space -> start LSN of its TRIM_PAGES).
    void finish(const std::map<SpaceId, Lsn>& trims);

    /// First page id (packed) that this build does not cover; kEnd = all covered.
    std::uint64_t upper() const { return upper_; }
    static constexpr std::uint64_t kEnd = ~std::uint64_t{0};

    std::span<const IndexEntry> entries() const { return entries_; }
    /// The entries of one page, empty if it has none. After finish().
    std::span<const IndexEntry> find(PageId id) const;
    /// Pages with entries in order, after finish().
    std::vector<PageEntries> pages() const;

private:
    void make_room();
    void merge_duplicates();
    std::size_t entry_count_max_;
    std::uint64_t lower_ = 0;
    std::uint64_t upper_ = kEnd;
    std::vector<IndexEntry> entries_;
};

}  // namespace redoubt::recovery
