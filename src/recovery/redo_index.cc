#include "recovery/redo_index.h"

#include <algorithm>

namespace redoubt::recovery {
namespace {

constexpr std::size_t kTableSizeMin = 1024;

std::uint64_t hash(std::uint64_t id) {
    id *= 0x9E3779B97F4A7C15;  // neighbours spread over the table
    return id ^ (id >> 32);
}

}  // namespace

RedoIndex::RedoIndex(std::size_t memory_max)
    : memory_max_(memory_max), table_(kTableSizeMin, kNone) {
    // Reserved, not touched: growing by copying would take twice the memory for a moment.
    chunks_.reserve(memory_max / sizeof(Chunk));
}

void RedoIndex::begin(std::uint64_t lower) {
    lower_ = lower;
    upper_ = kEnd;
    pages_.clear();
    chunks_.clear();
    sorted_.clear();
    free_chunks_ = kNone;
    last_page_ = kNone;
    table_.assign(kTableSizeMin, kNone);
}

bool RedoIndex::full() const {
    return chunks_.size() * sizeof(Chunk) + pages_.size() * sizeof(Page) +
               table_.size() * sizeof(std::uint32_t) >=
           memory_max_;
}

void RedoIndex::add(PageId page_id, Lsn start, PageEffect effect) {
    const std::uint64_t id = page_id.packed();
    if (id < lower_ || id >= upper_) {
        return;
    }
    if (free_chunks_ == kNone && full()) {
        make_room();
        if (id >= upper_) {
            return;
        }
    }
    Page& page = page_of(id);
    const std::uint64_t entry = (start.value << kEffectBits) | static_cast<std::uint64_t>(effect);
    if (page.tail != kNone) {
        const Chunk& tail = chunks_[page.tail];
        if (effect == PageEffect::Change &&
            tail.entries[tail.count - 1] >> kEffectBits == start.value) {
            return;  // the mini-transaction comes back to the page
        }
        if (effect != PageEffect::Change) {
            clear(page);  // R1; also what this mini-transaction did to the page before
        }
    }
    push(page, entry);
}

RedoIndex::Page& RedoIndex::page_of(std::uint64_t id) {
    if (last_page_ != kNone && pages_[last_page_].id == id) {
        return pages_[last_page_];
    }
    const std::size_t mask = table_.size() - 1;
    std::size_t at = hash(id) & mask;
    while (table_[at] != kNone && pages_[table_[at]].id != id) {
        at = (at + 1) & mask;
    }
    if (table_[at] == kNone) {
        table_[at] = static_cast<std::uint32_t>(pages_.size());
        pages_.push_back({id, kNone, kNone});
        last_page_ = table_[at];
        if (pages_.size() * 2 > table_.size()) {
            rebuild_table(table_.size() * 2);
        }
        return pages_.back();
    }
    last_page_ = table_[at];
    return pages_[last_page_];
}

void RedoIndex::rebuild_table(std::size_t size) {
    table_.assign(size, kNone);
    const std::size_t mask = size - 1;
    for (std::uint32_t page = 0; page < pages_.size(); ++page) {
        std::size_t at = hash(pages_[page].id) & mask;
        while (table_[at] != kNone) {
            at = (at + 1) & mask;
        }
        table_[at] = page;
    }
}

std::uint32_t RedoIndex::new_chunk() {
    if (free_chunks_ != kNone) {
        const std::uint32_t chunk = free_chunks_;
        free_chunks_ = chunks_[chunk].next;
        return chunk;
    }
    chunks_.emplace_back();
    return static_cast<std::uint32_t>(chunks_.size() - 1);
}

void RedoIndex::push(Page& page, std::uint64_t entry) {
    if (page.tail == kNone || chunks_[page.tail].count == Chunk::kCapacity) {
        const std::uint32_t chunk = new_chunk();
        chunks_[chunk].next = kNone;
        chunks_[chunk].count = 0;
        if (page.tail == kNone) {
            page.head = chunk;
        } else {
            chunks_[page.tail].next = chunk;
        }
        page.tail = chunk;
    }
    Chunk& tail = chunks_[page.tail];
    tail.entries[tail.count++] = entry;
}

void RedoIndex::clear(Page& page) {
    if (page.head != kNone) {
        chunks_[page.tail].next = free_chunks_;
        free_chunks_ = page.head;
        page.head = page.tail = kNone;
    }
}

void RedoIndex::truncate(SpaceId space) {
    for (Page& page : pages_) {
        if (PageId::unpack(page.id).space == space) {
            clear(page);
        }
    }
}

void RedoIndex::make_room() {
    // Halve the range: keep the lowest pages that have half of the entries (R2).
    finish();
    const auto chunk_count = [&](const Page& page) {
        std::size_t count = 0;
        for (std::uint32_t at = page.head; at != kNone; at = chunks_[at].next) {
            ++count;
        }
        return count;
    };
    std::size_t kept = 0;
    std::size_t chunks = 0;
    while (kept < sorted_.size() && (kept == 0 || chunks < chunks_.size() / 2)) {
        chunks += chunk_count(pages_[sorted_[kept++]]);
    }
    if (kept == sorted_.size()) {
        memory_max_ *=
            2;  // what is left is one page, or hardly more; it stays, however much it has
        sorted_.clear();
        return;
    }
    upper_ = pages_[sorted_[kept]].id;
    for (Page& page : pages_) {
        if (page.id >= upper_) {
            clear(page);
        }
    }
    std::erase_if(pages_, [&](const Page& page) { return page.id >= upper_; });
    sorted_.clear();
    last_page_ = kNone;
    rebuild_table(table_.size());
}

void RedoIndex::finish() {
    sorted_.clear();
    for (std::uint32_t page = 0; page < pages_.size(); ++page) {
        if (pages_[page].head != kNone) {
            sorted_.push_back(page);
        }
    }
    std::sort(sorted_.begin(), sorted_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return pages_[a].id < pages_[b].id; });
}

PageEntries RedoIndex::find(PageId id) const {
    const auto found = std::lower_bound(
        sorted_.begin(), sorted_.end(), id.packed(),
        [&](std::uint32_t page, std::uint64_t wanted) { return pages_[page].id < wanted; });
    if (found == sorted_.end() || pages_[*found].id != id.packed()) {
        return {};
    }
    return {*this, pages_[*found]};
}

}  // namespace redoubt::recovery
