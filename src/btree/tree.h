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
#include "btree/leaf_order.h"
#include "btree/page_loader.h"
#include "btree/read_ahead.h"
#include "record/layout.h"
#include "record/parse.h"
#include "space/page_source.h"

namespace redoubt::btree {

class BufferedChanges;

/// Stands between two records of the leaf level. Not thread-safe.
class TreeReader {
public:
    /// `layout` may be changed until the first record is read; all outlive this.
    TreeReader(space::PageSource& source, const Tree& tree, const record::RecordLayout& layout,
               const base::CancelToken* cancel = nullptr);

    /// Has the leaves of long walks read ahead, in a thread of its own.
    void allow_read_ahead() { may_read_ahead_ = true; }
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
    Result<bool> next() {
        if (at_ < page_.origins.size() && failed_page_ == kNoPage) {
            origin_ = page_.origins[at_++];
            return true;
        }
        return step(true);
    }
    Result<bool> previous() { return step(false); }
    /// After an error `why` of next() or previous(): they go on behind it, from then on as
    /// order_leaves() has the leaves and in this direction only. After an error of to_first(),
    /// to_last() or to_key(): from that end of the tree. `passed`: pages that something is to be
    /// told of. Errors: `why` where it is not known how to go on, Cancelled.
    Status skip_damage(bool forward, Error why, std::vector<PassedPage>& passed);

    std::span<const std::byte> page() const { return page_.bytes; }
    PageId page_id() const { return {tree_.root.space, current_page_}; }
    std::size_t origin() const { return origin_; }
    unsigned info() const { return record::info_bits(page_.bytes, origin_, layout_.compact); }
    /// Records on the current page.
    std::size_t page_record_count() const { return page_.origins.size(); }
    /// The first `count` fields of the current record.
    Status parse(std::size_t count, std::span<record::Field> out) const;

    const Tree& tree() const { return tree_; }
    const record::RecordLayout& layout() const { return layout_; }
    space::PageSource& source() { return source_; }

private:
    Status load(PageNo page);
    void note_walk(PageNo to, bool forward);
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
    Status find_order(bool forward, Error why, std::vector<PassedPage>& passed);
    Status count_page();

    space::PageSource& source_;
    Tree tree_;
    const record::RecordLayout& layout_;
    const base::CancelToken* cancel_;
    BufferedChanges* changes_ = nullptr;
    PageLoader loader_;
    LoadedPage page_;
    bool may_read_ahead_ = false;
    unsigned leaves_walked_ = 0;  // one after the other, the same way
    bool walks_forward_ = true;
    std::unique_ptr<ReadAhead> ahead_;  // once a walk is long
    std::vector<record::Field> fields_;
    PageNo current_page_ = kNoPage;
    PageNo failed_page_ = kNoPage;    // that could not be loaded, for skip_damage()
    PageNo from_page_ = kNoPage;      // the leaf that led there; none after to_...()
    std::optional<LeafOrder> order_;  // once damage was skipped
    bool in_order_ = false;           // steps follow it
    std::size_t order_at_ = 0;        // of the next leaf; beyond either end: none
    std::size_t at_ = 0;              // between the records at_ - 1 and at_
    std::size_t origin_ = 0;
    std::uint32_t pages_walked_ = 0;
    std::uint32_t pages_max_ = 0;
};

}  // namespace redoubt::btree
