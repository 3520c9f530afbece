/// What the system tablespace holds beside tables: the change buffer (its tree, the pages that it
/// keeps, its entries), fixed pages, and segments that nothing leads to.
/// Format: docs/formats/tablespace.md.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "base/cancel.h"
#include "dict/dictionary.h"
#include "space/page_source.h"
#include "verify/tree_check.h"
#include "verify/verify.h"

namespace redoubt::verify {

/// Not thread-safe.
class SystemSpaceChecker {
public:
    /// `of`: "change buffer", or empty.
    using Report = std::function<void(const TreeProblem&, Severity severity, std::string_view of)>;
    /// Physical page size of a tablespace; an Error: it is not there.
    using PageSizeOf = std::function<Result<std::uint32_t>(SpaceId)>;
    /// All outlive this. `use`: of the system tablespace.
    SystemSpaceChecker(space::PageSource& source, std::uint32_t page_size, SpaceUse& use,
                       PageSizeOf page_size_of, Report report, const base::CancelToken* cancel)
        : source_(source),
          page_size_(page_size),
          use_(use),
          page_size_of_(std::move(page_size_of)),
          report_(std::move(report)),
          cancel_(cancel) {}

    /// Before any tree of a table: the pages that are no trees' own, and the change buffer. Errors:
    /// Io, Key, Cancelled.
    Status check_change_buffer();
    /// Not damaged, so that its entries can be used. Before check_change_buffer(): true.
    bool change_buffer_whole() const { return whole_; }
    std::uint64_t records() const { return records_; }

    /// Segments that trees were found to use.
    void add_segment(std::uint64_t id) { segments_.insert(id); }
    /// After all trees: what is in use and of no known segment. `dictionary`: for trees that were
    /// not checked. Errors: as above.
    Status find_unowned(const dict::Dictionary& dictionary);

private:
    void find(std::string_view kind, PageNo page, std::string message);
    void find_of_change_buffer(std::string_view kind, PageNo page, std::string message,
                               Severity severity = Severity::Damage);
    /// False: it cannot be read, which level pages says.
    Result<bool> load(PageNo number, std::vector<std::byte>& page);
    Result<std::uint64_t> segment_of(const page::SegmentHeaderView& header, PageNo owner);
    Status take_fixed_pages();
    Status check_free_list();
    Status check_entries();
    Status check_flags(const std::map<PageId, PageNo>& places);
    Status name_segments(const std::map<std::uint64_t, std::vector<PageNo>>& unknown);
    Result<bool> is_undo(const std::vector<PageNo>& pages);
    Status add_trees(const dict::Dictionary& dictionary);

    space::PageSource& source_;
    const std::uint32_t page_size_;
    SpaceUse& use_;
    const PageSizeOf page_size_of_;
    const Report report_;
    const base::CancelToken* cancel_;
    std::uint64_t segment_ = 0;  // the change buffer's; 0 = not known
    std::set<std::uint64_t> segments_;
    std::uint64_t records_ = 0;
    bool whole_ = true;
    bool tree_complete_ = false;
};

}  // namespace redoubt::verify
