/// Which mini-transactions touch which page: the index that the sort-merge apply works from. It
/// holds no payloads: a hash table of pages, and for each page a list of 8 bytes for each
/// mini-transaction. It keeps to a cap by covering only a range of page ids at a time (the lowest
/// that fit); the caller comes back for the next range.
///   R1  A page lists every mini-transaction of the scanned log that names it, in LSN order, and
///       none before the last one that initialises or frees it or truncates its tablespace.
///   R2  Ranges of successive builds meet without gap or overlap, whatever the cap.
#pragma once

#include <cstdint>
#include <vector>

#include "base/huge_pages.h"
#include "base/ids.h"

namespace redoubt::recovery {

/// What a mini-transaction does to a page, beside changing it: the last of what it does, since one
/// that merges and splits pages may free a page and initialise it again.
enum class PageEffect : std::uint8_t { Change = 0, Initialise = 1, Free = 2 };

class PageEntries;

class RedoIndex {
public:
    /// `memory_max`: the cap, bytes; the entries of one single page may exceed it. Memory is
    /// touched only as it fills.
    explicit RedoIndex(std::size_t memory_max);

    /// Begins a build of pages >= `lower` (PageId::packed()).
    void begin(std::uint64_t lower);
    /// Mini-transactions come in LSN order.
    void add(PageId id, Lsn start, PageEffect effect);
    /// The tablespace was truncated by the mini-transaction about to be added: what it has is void.
    void truncate(SpaceId space);
    /// Sorts the pages; pages() and find() work from here to the next begin().
    void finish();

    /// First page id (packed) that this build does not cover; kEnd = all covered.
    std::uint64_t upper() const { return upper_; }
    static constexpr std::uint64_t kEnd = ~std::uint64_t{0};

    std::size_t page_count() const { return sorted_.size(); }
    /// Entries of the `index`-th page in id order.
    PageEntries page(std::size_t index) const;
    /// Entries of a page; empty if it has none.
    PageEntries find(PageId id) const;

private:
    friend class PageEntries;
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    static constexpr unsigned kEffectBits = 2;

    /// A piece of a page's list. 64 bytes: a cache line.
    struct Chunk {
        static constexpr std::uint32_t kCapacity = 7;
        std::uint64_t entries[kCapacity];  ///< start LSN << kEffectBits | PageEffect
        std::uint32_t next;
        std::uint32_t count;
    };
    struct Page {
        std::uint64_t id;  ///< PageId::packed()
        std::uint32_t head;
        std::uint32_t tail;
    };

    Page& page_of(std::uint64_t id);
    void push(Page& page, std::uint64_t entry);
    void clear(Page& page);
    std::uint32_t new_chunk();
    void rebuild_table(std::size_t size);
    bool full() const;
    void make_room();

    std::size_t memory_max_;
    std::uint64_t lower_ = 0;
    std::uint64_t upper_ = kEnd;
    std::vector<Page> pages_;
    std::vector<std::uint32_t> table_;  ///< open addressing: positions in pages_, kNone = free
    std::vector<Chunk, base::HugePageAllocator<Chunk>> chunks_;
    std::uint32_t free_chunks_ = kNone;  ///< list through Chunk::next
    std::uint32_t last_page_ = kNone;    ///< most records name the page before
    std::vector<std::uint32_t> sorted_;  ///< positions in pages_ by id
};

/// The entries of one page; a view that lasts until the index changes.
class PageEntries {
public:
    PageEntries() = default;
    PageEntries(const RedoIndex& index, const RedoIndex::Page& page)
        : index_(&index), page_(&page) {}

    bool empty() const { return page_ == nullptr || page_->head == RedoIndex::kNone; }
    PageId id() const { return PageId::unpack(page_->id); }
    Lsn first_start() const { return start(front()); }
    /// The log makes the page from nothing: what the file holds does not matter.
    bool initialised() const { return !empty() && effect(front()) != PageEffect::Change; }
    /// The page is free at the end of the log: neither read nor written.
    bool freed() const { return !empty() && effect(back()) == PageEffect::Free; }
    /// Walks in LSN order through the mini-transactions but those that only free the page.
    class Cursor {
    public:
        explicit Cursor(const PageEntries& entries)
            : index_(entries.index_),
              chunk_(entries.empty() ? RedoIndex::kNone : entries.page_->head) {
            skip();
        }
        bool done() const { return chunk_ == RedoIndex::kNone; }
        Lsn start() const { return PageEntries::start(entry()); }
        void next() {
            ++at_;
            skip();
        }

    private:
        std::uint64_t entry() const { return index_->chunks_[chunk_].entries[at_]; }
        void skip() {
            while (!done()) {
                const RedoIndex::Chunk& chunk = index_->chunks_[chunk_];
                if (at_ == chunk.count) {
                    chunk_ = chunk.next;
                    at_ = 0;
                } else if (effect(chunk.entries[at_]) == PageEffect::Free) {
                    ++at_;
                } else {
                    return;
                }
            }
        }

        const RedoIndex* index_;
        std::uint32_t chunk_;
        std::uint32_t at_ = 0;
    };
    Cursor cursor() const { return Cursor(*this); }

private:
    static Lsn start(std::uint64_t entry) { return Lsn{entry >> RedoIndex::kEffectBits}; }
    static PageEffect effect(std::uint64_t entry) { return static_cast<PageEffect>(entry & 3); }
    std::uint64_t front() const { return index_->chunks_[page_->head].entries[0]; }
    std::uint64_t back() const {
        const RedoIndex::Chunk& chunk = index_->chunks_[page_->tail];
        return chunk.entries[chunk.count - 1];
    }

    const RedoIndex* index_ = nullptr;
    const RedoIndex::Page* page_ = nullptr;
};

inline PageEntries RedoIndex::page(std::size_t index) const {
    return {*this, pages_[sorted_[index]]};
}

}  // namespace redoubt::recovery
