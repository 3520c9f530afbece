/// Reads one B-tree: from either end, or from a key on. Bounded whatever the pages say.
///   T1  A page is used only if it is of this index, on the level where a link led, and its left
///       (right) neighbour is the page the walk came from.
///   T2  A walk along a level visits at most as many pages as the tablespace has.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "btree/row_compressed.h"
#include "page/flags.h"
#include "record/layout.h"
#include "space/page_source.h"

namespace redoubt::btree {

/// Where a tree is and how its pages look.
struct Tree {
    PageId root;
    std::uint64_t index_id = 0;
    std::uint32_t physical_size = 0;  ///< bytes of a page in the file
    std::uint32_t logical_size = 0;   ///< greater only where row_compressed
    bool row_compressed = false;

    /// `flags`: of the tablespace that `root` is in.
    static Tree at(PageId root, std::uint64_t index_id, const page::TablespaceFlags& flags) {
        return {.root = root,
                .index_id = index_id,
                .physical_size = flags.physical_page_size,
                .logical_size =
                    flags.row_compressed ? flags.logical_page_size : flags.physical_page_size,
                .row_compressed = flags.row_compressed};
    }
};

class BufferedChanges;

/// Stands between two records of the leaf level. Not thread-safe.
class TreeReader {
public:
    /// `layout` may be changed until the first record is read; all outlive this.
    TreeReader(space::PageSource& source, const Tree& tree, const record::RecordLayout& layout,
               const base::CancelToken* cancel = nullptr);

    /// Of a secondary index: its leaves are to be seen with the changes that wait for them.
    /// `changes` outlives this; null: there are none.
    void add_changes(BufferedChanges* changes) { changes_ = changes; }

    /// Before the first, or behind the last record.
    Status to_first();
    Status to_last();
    /// Before the first record whose first fields are not less than `key`; with `behind`, before
    /// the first whose are greater.
    Status to_key(std::span<const record::Field> key, bool behind);

    /// Steps over a record, which becomes the current one; false: there is none. After an error,
    /// skip_damage() may be called. Errors: Corruption with the page, Io, Key, NotFound.
    Result<bool> next();
    Result<bool> previous();
    /// After an error of next() or previous(): goes on with the next leaf that can be found through
    /// the pages above; false: there is none, or they cannot be read either. `lost`: the page that
    /// is left out.
    Result<bool> skip_damage(bool forward, PageId& lost);

    std::span<const std::byte> page() const { return page_; }
    PageId page_id() const { return {tree_.root.space, current_page_}; }
    std::size_t origin() const { return origin_; }
    unsigned info() const;
    /// Records on the current page.
    std::size_t page_record_count() const { return origins_.size(); }
    /// The first `count` fields of the current record.
    Status parse(std::size_t count, std::span<record::Field> out) const;

    const Tree& tree() const { return tree_; }
    const record::RecordLayout& layout() const { return layout_; }
    space::PageSource& source() { return source_; }

private:
    Status load(PageNo page);
    Status make_changes(PageId id);
    Status load_root();
    Status load_leaf(PageNo page);
    Status load_below(PageNo page, unsigned level);
    unsigned level() const;
    Status descend(std::size_t child);
    Result<PageNo> child(std::size_t index);
    Result<bool> before(std::size_t index, std::size_t count, std::span<const record::Field> key,
                        bool behind);
    Result<std::size_t> count_before(std::span<const record::Field> key, bool behind, bool leaf);
    Result<bool> on_this_leaf(std::span<const record::Field> key, bool behind);
    Result<bool> step(bool forward);
    Status count_page();

    space::PageSource& source_;
    Tree tree_;
    const record::RecordLayout& layout_;
    const base::CancelToken* cancel_;
    BufferedChanges* changes_ = nullptr;
    PageExpander expander_;
    std::vector<std::byte> page_;
    std::vector<std::byte> stored_;  // of a row_compressed page
    std::vector<std::uint16_t> origins_;
    std::vector<record::Field> fields_;
    PageNo current_page_ = kNoPage;
    PageNo failed_page_ = kNoPage;  // that could not be loaded, for skip_damage()
    std::size_t at_ = 0;            // between origins_[at_ - 1] and origins_[at_]
    std::size_t origin_ = 0;
    std::uint32_t pages_walked_ = 0;
    std::uint32_t pages_max_ = 0;
};

}  // namespace redoubt::btree
