/// Pages of tablespaces, made by hand for tests.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "base/big_endian.h"
#include "page/header.h"
#include "record/parse.h"
#include "space/page_source.h"

namespace redoubt::test {

using Bytes = std::vector<std::byte>;

/// Those that were not made cannot be read.
class MadePages : public space::PageSource {
public:
    /// `space`: of the pages that are named by a number alone. `page_count`: what the space is said
    /// to have.
    explicit MadePages(SpaceId space, std::size_t page_size = 4096, std::uint32_t page_count = 20)
        : space_(space), page_size_(page_size), page_count_(page_count) {}

    Status read(PageId id, std::span<std::byte> plain) override {
        ++std::atomic_ref(reads_);
        const auto found = pages_.find(id);
        if (found == pages_.end()) {
            return corruption(id, "unreadable");
        }
        std::copy(found->second.begin(), found->second.end(), plain.begin());
        return {};
    }
    Result<std::uint32_t> page_count(SpaceId) override { return page_count_; }
    std::size_t reads() const { return reads_; }

    /// Made of zeros where it was not there.
    Bytes& page(PageId id) { return pages_.try_emplace(id, page_size_).first->second; }
    Bytes& page(std::uint32_t number) { return page({space_, PageNo{number}}); }
    bool has(std::uint32_t number) const { return pages_.contains({space_, PageNo{number}}); }
    void lose(std::uint32_t number) { pages_.erase({space_, PageNo{number}}); }

    void put16(std::uint32_t number, std::size_t at, std::size_t value) {
        store_be<std::uint16_t>(page(number).data() + at, static_cast<std::uint16_t>(value));
    }
    void put32(std::uint32_t number, std::size_t at, std::size_t value) {
        store_be<std::uint32_t>(page(number).data() + at, static_cast<std::uint32_t>(value));
    }
    void put64(std::uint32_t number, std::size_t at, std::uint64_t value) {
        store_be<std::uint64_t>(page(number).data() + at, value);
    }

private:
    SpaceId space_;
    std::size_t page_size_;
    std::uint32_t page_count_;
    std::map<PageId, Bytes> pages_;
    std::size_t reads_ = 0;
};

/// A COMPACT index page. Offsets: docs/formats/index-page.md.
struct IndexPage {
    static constexpr std::uint16_t kBTree = 17855;
    static constexpr std::uint16_t kRTree = 17854;

    std::uint16_t type = kBTree;
    std::uint64_t index_id = 0;
    std::uint16_t level = 0;
    PageNo previous = kNoPage;
    PageNo next = kNoPage;

    /// Of the record with that number, where each has `size` bytes behind its header.
    static constexpr std::size_t origin_of(std::size_t record, std::size_t size) {
        return record::kCompactHeap + record::kCompactHeader +
               record * (record::kCompactHeader + size);
    }

    /// `records`: what is behind the headers, of one size; at most seven where the directory
    /// counts.
    void make(MadePages& pages, std::uint32_t number, const std::vector<Bytes>& records) const {
        Bytes& page = pages.page(number);
        std::ranges::fill(page, std::byte{0});
        pages.put32(number, 4, number);
        pages.put32(number, 8, previous.value);
        pages.put32(number, 12, next.value);
        pages.put16(number, 24, type);
        pages.put16(number, 38, 2);
        pages.put16(number, 42, 0x8000 | (records.size() + 2));
        pages.put16(number, 54, records.size());
        pages.put16(number, 64, level);
        pages.put64(number, 66, index_id);
        std::size_t before = record::kCompactInfimum;
        std::size_t end = record::kCompactHeap;
        for (std::size_t i = 0; i < records.size(); ++i) {
            const std::size_t origin = origin_of(i, records[i].size());
            pages.put16(number, before - 2, origin - before);
            const bool first = i == 0 && level > 0 && previous == kNoPage;
            page[origin - 5] = first ? std::byte{0x10} : std::byte{0};
            pages.put16(number, origin - 4, ((i + 2) << 3) | (level > 0 ? 1 : 0));
            std::ranges::copy(records[i], page.begin() + static_cast<std::ptrdiff_t>(origin));
            end = origin + records[i].size();
            before = origin;
        }
        pages.put16(number, before - 2, record::kCompactSupremum - before);
        pages.put16(number, 40, end);
        page[record::kCompactInfimum - 5] = std::byte{1};
        page[record::kCompactSupremum - 5] = static_cast<std::byte>(records.size() + 1);
        pages.put16(number, page.size() - 10, record::kCompactInfimum);
        pages.put16(number, page.size() - 12, record::kCompactSupremum);
    }
};

/// INTs as records hold them (unsigned, one behind the other).
inline Bytes integers(std::initializer_list<std::uint32_t> values) {
    Bytes made(4 * values.size());
    std::byte* at = made.data();
    for (const std::uint32_t value : values) {
        store_be<std::uint32_t>(at, value);
        at += 4;
    }
    return made;
}

/// A page of a B-tree of one INT: these keys, above the leaves each with a child.
inline void make_keys(MadePages& pages, const IndexPage& page, std::uint32_t number,
                      const std::vector<std::uint32_t>& keys,
                      const std::vector<std::uint32_t>& children) {
    std::vector<Bytes> records;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        records.push_back(page.level > 0 ? integers({keys[i], children[i]}) : integers({keys[i]}));
    }
    page.make(pages, number, records);
}

}  // namespace redoubt::test
