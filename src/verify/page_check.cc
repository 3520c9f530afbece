#include "verify/page_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/big_endian.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/parse.h"

namespace redoubt::verify {
namespace {

constexpr std::size_t kSlotSize = 2;  // bytes
constexpr unsigned kOwnedMin = 4;     // records of a slot that is neither first nor last
constexpr unsigned kOwnedMax = 8;     // records of a slot
constexpr std::uint16_t kDirectionMax = 5;

/// Positions and fields of record headers, which the two formats have in different places.
struct Format {
    explicit Format(bool is_compact) : compact(is_compact) {}
    bool compact;

    std::size_t infimum() const {
        return compact ? record::kCompactInfimum : record::kRedundantInfimum;
    }
    std::size_t supremum() const {
        return compact ? record::kCompactSupremum : record::kRedundantSupremum;
    }
    std::size_t heap() const { return compact ? record::kCompactHeap : record::kRedundantHeap; }
    std::size_t header() const {
        return compact ? record::kCompactHeader : record::kRedundantHeader;
    }
    unsigned owned(std::span<const std::byte> page, std::size_t origin) const {
        return std::to_integer<unsigned>(page[origin - header()]) & 0x0F;
    }
    unsigned heap_number(std::span<const std::byte> page, std::size_t origin) const {
        return load_be<std::uint16_t>(page.data() + origin - (compact ? 4 : 5)) >> 3;
    }
    /// 0: the list ends.
    std::size_t next(std::span<const std::byte> page, std::size_t origin) const {
        const std::uint16_t link = load_be<std::uint16_t>(page.data() + origin - 2);
        if (!compact || link == 0) {
            return link;
        }
        return (origin + link) & (page.size() - 1) & 0xFFFF;
    }
};

}  // namespace

void PageChecker::check(std::span<const std::byte> page, std::span<const std::uint16_t> origins,
                        bool leftmost, std::vector<std::string>& problems) {
    check_directory(page, origins, problems);
    check_heap_numbers(page, origins, problems);
    check_records(page, origins, leftmost, problems);
    check_space(page, problems);
    const page::IndexHeaderView index(page);
    if (index.direction() > kDirectionMax) {
        problems.push_back(fmt::format("the direction of its inserts is {}", index.direction()));
    }
    const std::size_t last = index.last_insert();
    if (last != 0 && (last < Format(layout_.compact).heap() || last > index.heap_top())) {
        problems.push_back(fmt::format("its last insert is at offset {}, out of the heap", last));
    }
}

void PageChecker::check_expanded(std::span<const std::byte> page,
                                 std::span<const std::uint16_t> origins, bool leftmost,
                                 std::vector<std::string>& problems) {
    check_records(page, origins, leftmost, problems);
}

/// Slot by slot from the page's end: each leads to a record that says how many it owns, itself and
/// those before it.
void PageChecker::check_directory(std::span<const std::byte> page,
                                  std::span<const std::uint16_t> origins,
                                  std::vector<std::string>& problems) const {
    const Format format(layout_.compact);
    const page::IndexHeaderView index(page);
    const std::size_t slots = index.directory_slots();
    const std::size_t room = page.size() - page::kTrailerSize - index.heap_top();
    if (slots < 2 || slots * kSlotSize > room) {
        problems.push_back(
            fmt::format("its directory of {} slots does not fit behind the heap", slots));
        return;
    }
    const auto slot = [&](std::size_t number) -> std::size_t {
        return load_be<std::uint16_t>(page.data() + page.size() - page::kTrailerSize -
                                      kSlotSize * (number + 1));
    };
    std::size_t number = 0;
    unsigned since = 0;
    for (std::size_t i = 0; i < origins.size() + 2; ++i) {
        const std::size_t origin = i == 0               ? format.infimum()
                                   : i > origins.size() ? format.supremum()
                                                        : origins[i - 1];
        ++since;
        const unsigned owned = format.owned(page, origin);
        if (owned == 0) {
            continue;
        }
        if (number >= slots || slot(number) != origin) {
            problems.push_back(
                fmt::format("the record at offset {} owns {} records, but directory slot {} leads "
                            "to offset {}",
                            origin, owned, number, number < slots ? slot(number) : 0));
            return;
        }
        if (owned != since) {
            problems.push_back(
                fmt::format("directory slot {} owns {} records, but has {}", number, owned, since));
            return;
        }
        const bool ends = number == 0 || number + 1 == slots;
        if (owned > kOwnedMax || (!ends && owned < kOwnedMin) || (number == 0 && owned != 1)) {
            problems.push_back(fmt::format("directory slot {} owns {} records", number, owned));
            return;
        }
        ++number;
        since = 0;
    }
    if (number != slots) {
        problems.push_back(
            fmt::format("its directory has {} slots, its records are owned by {}", slots, number));
    }
}

/// Every record that was ever made has its own number; it is in the list of records or in that of
/// freed ones.
void PageChecker::check_heap_numbers(std::span<const std::byte> page,
                                     std::span<const std::uint16_t> origins,
                                     std::vector<std::string>& problems) {
    const Format format(layout_.compact);
    const page::IndexHeaderView index(page);
    const std::size_t count = index.heap_count();
    seen_.assign(count, false);
    const auto take = [&](std::size_t origin) {
        const unsigned number = format.heap_number(page, origin);
        if (number < 2 || number >= count || seen_[number]) {
            problems.push_back(number >= 2 && number < count
                                   ? fmt::format("two records have heap number {}", number)
                                   : fmt::format("the record at offset {} has heap number {} of {}",
                                                 origin, number, count));
            return false;
        }
        seen_[number] = true;
        return true;
    };
    for (const std::uint16_t origin : origins) {
        if (!take(origin)) {
            return;
        }
    }
    std::size_t freed = 0;
    for (std::size_t origin = index.first_freed(); origin != 0;
         origin = format.next(page, origin)) {
        if (origin < format.heap() + format.header() || origin > index.heap_top()) {
            problems.push_back(fmt::format(
                "the list of freed records leads to offset {}, out of the heap", origin));
            return;
        }
        ++freed;
        if (!take(origin)) {  // also the end of a list that goes in a circle
            return;
        }
    }
    if (origins.size() + freed + 2 != count) {
        problems.push_back(
            fmt::format("the heap has {} records, {} of them in the list and {} freed",
                        count - std::min<std::size_t>(count, 2), origins.size(), freed));
    }
}

void PageChecker::check_records(std::span<const std::byte> page,
                                std::span<const std::uint16_t> origins, bool leftmost,
                                std::vector<std::string>& problems) {
    const bool node_pointers = page::IndexHeaderView(page).level() > 0;
    extents_.clear();
    all_parsed_ = true;
    bool first = true;
    for (const std::uint16_t origin : origins) {
        const bool minimum =
            (record::info_bits(page, origin, layout_.compact) & record::kMinimumRecord) != 0;
        // The first record of a level; on the leaves, the record of instant changes.
        if (minimum != (first && leftmost && node_pointers) &&
            !(minimum && first && leftmost && layout_.clustered)) {
            problems.push_back(
                fmt::format("the record at offset {} is {}marked as the first of its level", origin,
                            minimum ? "wrongly " : "not "));
        }
        const bool metadata = minimum && !node_pointers;
        first = false;
        if (metadata) {
            all_parsed_ = false;  // engine::apply_instant_changes() read it
            continue;
        }
        auto extent = record::parse_whole_record(page, origin, layout_, node_pointers, fields_);
        if (!extent) {
            problems.push_back(extent.error().message());
            all_parsed_ = false;
            continue;
        }
        for (std::size_t i = 0; i < fields_.size() && i < layout_.fields.size(); ++i) {
            const std::size_t size = layout_.fields[i].fixed_size;
            if (size != 0 && !fields_[i].null && fields_[i].size != size) {
                problems.push_back(
                    fmt::format("field {} of the record at offset {} has {} bytes, not {}", i + 1,
                                origin, fields_[i].size, size));
            }
        }
        extents_.push_back({extent->begin, extent->end, origin});
    }
    std::sort(extents_.begin(), extents_.end(),
              [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < extents_.size(); ++i) {
        if (extents_[i].begin < extents_[i - 1].end) {
            problems.push_back(fmt::format("the records at offsets {} and {} overlap",
                                           extents_[i - 1].origin, extents_[i].origin));
            return;
        }
    }
}

/// The heap consists of records and of what freed ones have left.
void PageChecker::check_space(std::span<const std::byte> page, std::vector<std::string>& problems) {
    const page::IndexHeaderView index(page);
    const std::size_t heap = Format(layout_.compact).heap();
    if (!extents_.empty() && extents_.back().end > index.heap_top()) {
        problems.push_back(
            fmt::format("the record at offset {} reaches beyond the heap's end at {}",
                        extents_.back().origin, index.heap_top()));
        return;
    }
    if (!all_parsed_) {
        return;
    }
    std::size_t used = 0;
    for (const Extent& extent : extents_) {
        used += extent.end - extent.begin;
    }
    if (used + index.freed_bytes() != index.heap_top() - heap) {
        problems.push_back(fmt::format("the heap has {} bytes, {} of them in records and {} freed",
                                       index.heap_top() - heap, used, index.freed_bytes()));
    }
}

}  // namespace redoubt::verify
