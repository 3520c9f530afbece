/// Proves one B-tree: every page of it in itself (page_check.h), links along each level, pointers
/// between levels, the order of keys (of an R-tree: that boxes lie within each other), and that its
/// pages belong to it and to nothing else.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "btree/blob.h"
#include "btree/tree.h"
#include "record/keys.h"
#include "record/layout.h"
#include "space/extent_map.h"
#include "space/page_source.h"
#include "verify/contents.h"
#include "verify/page_check.h"

namespace redoubt::verify {

/// The pages of one tablespace: who owns them, and which a tree or an off-page column was found to
/// use. Not thread-safe.
class SpaceUse {
public:
    /// `extents` null: it is not known who owns what.
    SpaceUse(const space::ExtentMap* extents, std::uint32_t page_count,
             const page::TablespaceFlags& flags)
        : extents_(extents), flags_(flags), used_(page_count, false) {}
    /// False: something else uses the page already.
    bool take(PageNo page);
    bool is_used(PageNo page) const { return page.value < used_.size() && used_[page.value]; }
    std::uint32_t page_count() const { return static_cast<std::uint32_t>(used_.size()); }
    /// Whether `page` is in use by segment `id`; true where that is not known.
    bool belongs_to(PageNo page, std::uint64_t id) const;
    const space::ExtentMap* extents() const { return extents_; }
    const page::TablespaceFlags& flags() const { return flags_; }

private:
    const space::ExtentMap* extents_;
    page::TablespaceFlags flags_;
    std::vector<bool> used_;
};

struct TreeProblem {
    std::string_view kind;  ///< as Finding::kind; lives for ever
    PageNo page;
    std::string message;
};

/// What an R-tree has for a geometry. Format: docs/formats/index-page.md#r-tree.
struct Box {
    std::array<double, 4> ends{};  ///< least and greatest x, least and greatest y
    /// nullopt: not a box.
    static std::optional<Box> read(std::span<const std::byte> bytes);
    bool covers(const Box& other) const;
};

class TreeChecker {
public:
    using Report = std::function<void(TreeProblem)>;
    /// All outlive this. `layout`: with instant changes applied.
    TreeChecker(space::PageSource& source, const btree::Tree& tree,
                const record::RecordLayout& layout, SpaceUse& use, Report report,
                const base::CancelToken* cancel);
    /// Damage is reported; Errors: Io, Key, Cancelled. Visits each page of the tree once.
    Status run();
    /// Before run(): all its pages come from this segment (0: not known), and its root leads to
    /// none (the change buffer's tree).
    void set_segment(std::uint64_t id) {
        leaf_segment_ = inner_segment_ = id;
        has_segments_ = false;
    }
    /// That its pages come from; 0: not known. Known after run().
    std::uint64_t leaf_segment() const { return leaf_segment_; }
    std::uint64_t inner_segment() const { return inner_segment_; }

    /// Every pointer was followed; else pages that no pointer leads to may still be of the tree.
    bool complete() const { return complete_; }
    const TreeSize& size() const { return size_; }
    /// Of an R-tree, after run(), in no order.
    std::vector<PageNo> leaves() const {
        std::vector<PageNo> found;
        for (const Neighbours& page : neighbours_) {
            found.push_back(page.number);
        }
        return found;
    }

private:
    /// The level above the one that is checked, child by child.
    struct Parents {
        std::vector<PageNo> pages;  // that can be used, in order
        bool broken = false;        // some cannot: children may be missing
        unsigned level = 0;
        std::size_t next_page = 0;
        std::vector<std::byte> page;
        std::vector<std::uint16_t> origins;
        std::size_t at = 0;  // of origins
        std::vector<record::Field> fields;
    };

    /// Of a page of an R-tree.
    struct Neighbours {
        PageNo number;
        PageNo previous;
        PageNo next;
    };

    /// False: there is no tree to check.
    Result<bool> read_root();
    Status read_segments(std::span<const std::byte> root);
    Result<std::uint64_t> segment_at(std::span<const std::byte> root, bool leaf);
    Status check_level(unsigned level);
    /// The next child of the level above; kNoPage: none is left.
    Result<PageNo> next_child(record::KeptKey& key);
    Result<bool> load(PageNo number, unsigned level, std::vector<std::byte>& page,
                      std::vector<std::uint16_t>& origins, bool report);
    void check_page(PageNo number, unsigned level, bool leftmost, const record::KeptKey& pointer);
    void count_page(unsigned level);
    void check_order(PageNo number, unsigned level, bool leftmost, const record::KeptKey& pointer);
    void check_boxes(PageNo number, unsigned level, const record::KeptKey& pointer);
    void check_neighbours(unsigned level);
    void check_owner(PageNo number, unsigned level);
    Status check_blobs(PageNo number);
    void report(std::string_view kind, PageNo page, std::string message);

    space::PageSource& source_;
    const btree::Tree tree_;
    const record::RecordLayout& layout_;
    SpaceUse& use_;
    const Report report_;
    const base::CancelToken* cancel_;
    PageChecker page_checker_;
    btree::PageExpander expander_;
    btree::BlobReader blobs_;
    const bool ordered_;  // keys can be compared

    std::vector<std::byte> stored_;
    std::vector<std::byte> page_;
    std::vector<std::uint16_t> origins_;
    std::vector<record::Field> fields_;
    std::vector<std::string> sentences_;
    Parents parents_;
    std::vector<Neighbours> neighbours_;  // of the level so far
    record::KeptKey last_;                // of the level so far
    unsigned root_level_ = 0;
    std::uint64_t leaf_segment_ = 0;   // 0 = not known
    std::uint64_t inner_segment_ = 0;  // 0 = not known
    bool has_segments_ = true;         // whose headers are in the root
    bool complete_ = false;
    std::size_t problems_ = 0;
    TreeSize size_;
};

}  // namespace redoubt::verify
