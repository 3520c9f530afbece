#include "recovery/redo_index.h"

#include <algorithm>
#include <array>

namespace redoubt::recovery {
namespace {

constexpr std::size_t kTableSizeMin = 1024;

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
    free_count_ = 0;
    last_page_ = kNone;
    table_.assign(kTableSizeMin, kNone);
}

std::size_t RedoIndex::used() const {
    return (chunks_.size() - free_count_) * sizeof(Chunk) + pages_.size() * kBytesPerPage;
}

bool RedoIndex::full() const { return used() >= memory_max_; }

void RedoIndex::add(PageId page_id, Lsn start, PageEffect effect) {
    const std::uint64_t id = page_id.packed();
    if (id < lower_ || id >= upper_) {
        return;
    }
    if (full()) {
        make_room();
        if (id >= upper_) {
            return;
        }
    }
    Page& page = page_of(id);
    const std::uint64_t entry = (start.value << kEffectBits) | static_cast<std::uint64_t>(effect);
    if (page.first != 0) {
        if (effect == PageEffect::Change && page.last >> kEffectBits == start.value) {
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
        pages_.push_back({id, 0, 0, kNone, kNone});
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
        --free_count_;
        return chunk;
    }
    chunks_.emplace_back();
    return static_cast<std::uint32_t>(chunks_.size() - 1);
}

void RedoIndex::push(Page& page, std::uint64_t entry) {
    if (page.first == 0) {
        page.first = page.last = entry;
        return;
    }
    constexpr std::uint64_t kEffectMask = (1U << kEffectBits) - 1;
    constexpr std::size_t kNumberSizeMax = 10;
    std::uint64_t number =
        ((entry & ~kEffectMask) - (page.last & ~kEffectMask)) | (entry & kEffectMask);
    page.last = entry;
    std::array<std::uint8_t, kNumberSizeMax> bytes;  // NOLINT(*-member-init): filled as needed
    std::uint32_t size = 0;
    for (; number >= 0x80; number >>= 7) {
        bytes[size++] = static_cast<std::uint8_t>(number | 0x80);
    }
    bytes[size++] = static_cast<std::uint8_t>(number);
    if (page.tail == kNone || chunks_[page.tail].used + size > Chunk::kCapacity) {
        const std::uint32_t chunk = new_chunk();
        chunks_[chunk].next = kNone;
        chunks_[chunk].used = 0;
        if (page.tail == kNone) {
            page.head = chunk;
        } else {
            chunks_[page.tail].next = chunk;
        }
        page.tail = chunk;
    }
    Chunk& tail = chunks_[page.tail];
    std::copy_n(bytes.begin(), size, &tail.bytes[tail.used]);
    tail.used = static_cast<std::uint8_t>(tail.used + size);
}

void RedoIndex::clear(Page& page) {
    if (page.head != kNone) {
        for (std::uint32_t at = page.head; at != kNone; at = chunks_[at].next) {
            ++free_count_;
        }
        chunks_[page.tail].next = free_chunks_;
        free_chunks_ = page.head;
        page.head = page.tail = kNone;
    }
    page.first = page.last = 0;
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
    const auto size_of = [&](const Page& page) {
        std::size_t size = kBytesPerPage;
        for (std::uint32_t at = page.head; at != kNone; at = chunks_[at].next) {
            size += sizeof(Chunk);
        }
        return size;
    };
    const std::size_t half = used() / 2;
    std::size_t kept = 0;
    std::size_t size = 0;
    while (kept < sorted_.size() && (kept == 0 || size < half)) {
        size += size_of(pages_[sorted_[kept++]]);
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
    std::size_t table_size = table_.size();
    while (table_size > kTableSizeMin && table_size / 2 >= pages_.size() * 2) {
        table_size /= 2;
    }
    rebuild_table(table_size);
}

void RedoIndex::finish() {
    sorted_.clear();
    for (std::uint32_t page = 0; page < pages_.size(); ++page) {
        if (pages_[page].first != 0) {
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
