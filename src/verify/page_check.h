/// What an index page must fulfil in itself: its record list, heap, list of freed records and
/// directory agree, and records lie side by side. Format: docs/formats/index-page.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "record/layout.h"

namespace redoubt::verify {

/// Of one index; keeps what it needs between pages. Not thread-safe.
class PageChecker {
public:
    explicit PageChecker(const record::RecordLayout& layout) : layout_(layout) {}

    /// `page`: plain, and `origins` the records that btree::list_records() found on it, in order.
    /// `leftmost`: no page of its level is before it. Appends one sentence for each thing that is
    /// wrong. Nothing outside the page is touched, whatever it says.
    void check(std::span<const std::byte> page, std::span<const std::uint16_t> origins,
               bool leftmost, std::vector<std::string>& problems);
    /// The same for pages of ROW_FORMAT=COMPRESSED, once they are expanded: their directory and
    /// heap are not stored.
    void check_expanded(std::span<const std::byte> page, std::span<const std::uint16_t> origins,
                        bool leftmost, std::vector<std::string>& problems);

private:
    struct Extent {
        std::size_t begin;
        std::size_t end;
        std::uint16_t origin;
    };
    void check_directory(std::span<const std::byte> page, std::span<const std::uint16_t> origins,
                         std::vector<std::string>& problems) const;
    void check_heap_numbers(std::span<const std::byte> page, std::span<const std::uint16_t> origins,
                            std::vector<std::string>& problems);
    void check_records(std::span<const std::byte> page, std::span<const std::uint16_t> origins,
                       bool leftmost, std::vector<std::string>& problems);
    void check_space(std::span<const std::byte> page, std::vector<std::string>& problems);

    const record::RecordLayout& layout_;
    std::vector<record::Field> fields_;
    std::vector<Extent> extents_;
    std::vector<bool> seen_;
    bool all_parsed_ = false;  // extents_ has every record
};

}  // namespace redoubt::verify
