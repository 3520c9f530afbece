/// Which mini-transactions touch which page: the index that the sort-merge apply works from. It
/// holds no payloads: a hash table of pages, and for each page a list of two or three bytes for
/// each mini-transaction (how far its LSN is from the one before). It keeps to a cap by covering
/// only a range of page ids at a time (the lowest that fit); the caller comes back for the next
/// range.
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
    /// Hints that `id` will be added soon: its place in the table, then, called again a little
    /// later, what that leads to.
    void will_add(PageId id) const {
        __builtin_prefetch(&table_[hash(id.packed()) & (table_.size() - 1)]);
    }
    void will_add_next(PageId id) const {
        const std::uint32_t page = table_[hash(id.packed()) & (table_.size() - 1)];
        if (page != kNone) {
            __builtin_prefetch(&pages_[page]);
        }
    }
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
        static constexpr std::uint32_t kCapacity = 59;
        std::uint32_t next;
        std::uint8_t used;  ///< of `bytes`
        /// Numbers of 7 bits a byte, the lowest first, bit 7 set but in the last: distance from the
        /// entry before << kEffectBits | PageEffect. None goes over the chunk's end.
        std::uint8_t bytes[kCapacity];
    };
    static_assert(sizeof(Chunk) == 64);
    /// An entry: start LSN << kEffectBits | PageEffect.
    struct Page {
        std::uint64_t id;     ///< PageId::packed()
        std::uint64_t first;  ///< entry; 0 = the list is empty (there is no LSN 0)
        std::uint64_t last;   ///< entry
        std::uint32_t head;   ///< chunks of the entries after the first
        std::uint32_t tail;
    };
    static constexpr std::size_t kBytesPerPage =
        sizeof(Page) + 4 * sizeof(std::uint32_t);  ///< with its share of the tables

    static std::uint64_t hash(std::uint64_t id) {
        id *= 0x9E3779B97F4A7C15;  // neighbours spread over the table
        return id ^ (id >> 32);
    }
    Page& page_of(std::uint64_t id);
    void push(Page& page, std::uint64_t entry);
    void clear(Page& page);
    std::uint32_t new_chunk();
    void rebuild_table(std::size_t size);
    std::size_t used() const;  ///< bytes
    bool full() const;
    void make_room();

    std::size_t memory_max_;
    std::uint64_t lower_ = 0;
    std::uint64_t upper_ = kEnd;
    std::vector<Page> pages_;
    std::vector<std::uint32_t> table_;  ///< open addressing: positions in pages_, kNone = free
    std::vector<Chunk, base::HugePageAllocator<Chunk>> chunks_;
    std::uint32_t free_chunks_ = kNone;  ///< list through Chunk::next
    std::size_t free_count_ = 0;
    std::uint32_t last_page_ = kNone;    ///< most records name the page before
    std::vector<std::uint32_t> sorted_;  ///< positions in pages_ by id
};

/// The entries of one page; a view that lasts until the index changes.
class PageEntries {
public:
    PageEntries() = default;
    PageEntries(const RedoIndex& index, const RedoIndex::Page& page)
        : index_(&index), page_(&page) {}

    bool empty() const { return page_ == nullptr || page_->first == 0; }
    PageId id() const { return PageId::unpack(page_->id); }
    Lsn first_start() const { return start(page_->first); }
    Lsn last_start() const { return start(page_->last); }
    /// The log makes the page from nothing: what the file holds does not matter.
    bool initialised() const { return !empty() && effect(page_->first) != PageEffect::Change; }
    /// The page is free at the end of the log: neither read nor written.
    bool freed() const { return !empty() && effect(page_->last) == PageEffect::Free; }
    /// Walks in LSN order through the mini-transactions but those that only free the page.
    class Cursor {
    public:
        explicit Cursor(const PageEntries& entries) : index_(entries.index_) {
            if (!entries.empty()) {
                entry_ = entries.page_->first;
                chunk_ = entries.page_->head;
                skip_free();
            }
        }
        bool done() const { return entry_ == 0; }
        Lsn start() const { return PageEntries::start(entry_); }
        void next() {
            advance();
            skip_free();
        }

    private:
        void skip_free() {
            while (entry_ != 0 && effect(entry_) == PageEffect::Free) {
                advance();
            }
        }
        void advance() {
            if (chunk_ == RedoIndex::kNone) {
                entry_ = 0;
                return;
            }
            const RedoIndex::Chunk& chunk = index_->chunks_[chunk_];
            if (at_ == 0 && chunk.next != RedoIndex::kNone) {
                __builtin_prefetch(&index_->chunks_[chunk.next]);
            }
            std::uint64_t number = 0;
            for (unsigned shift = 0;; shift += 7) {
                const std::uint8_t byte = chunk.bytes[at_++];
                number |= std::uint64_t{byte & 0x7FU} << shift;
                if (byte < 0x80) {
                    break;
                }
            }
            constexpr std::uint64_t kEffectMask = (1U << RedoIndex::kEffectBits) - 1;
            entry_ = ((entry_ & ~kEffectMask) + (number & ~kEffectMask)) | (number & kEffectMask);
            if (at_ == chunk.used) {
                chunk_ = chunk.next;
                at_ = 0;
            }
        }

        const RedoIndex* index_;
        std::uint64_t entry_ = 0;
        std::uint32_t chunk_ = RedoIndex::kNone;  ///< of the entry after this one
        std::uint32_t at_ = 0;
    };
    Cursor cursor() const { return Cursor(*this); }

private:
    static Lsn start(std::uint64_t entry) { return Lsn{entry >> RedoIndex::kEffectBits}; }
    static PageEffect effect(std::uint64_t entry) { return static_cast<PageEffect>(entry & 3); }

    const RedoIndex* index_ = nullptr;
    const RedoIndex::Page* page_ = nullptr;
};

inline PageEntries RedoIndex::page(std::size_t index) const {
    return {*this, pages_[sorted_[index]]};
}

}  // namespace redoubt::recovery
