#include "btree/stray_leaves.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "page/header.h"
#include "page/index_page.h"
#include "page/tablespace_header.h"
#include "record/compare.h"
#include "record/keys.h"
#include "record/parse.h"
#include "space/extent_map.h"

namespace redoubt::btree {
namespace {

/// Leaves whose links lead from one to the next and back.
struct Run {
    PageNo first;
    PageNo last;
    record::KeptKey least;
    record::KeptKey greatest;
};

class StrayFinder {
public:
    StrayFinder(space::PageSource& source, PageLoader& loader, const Tree& tree,
                const record::RecordLayout& layout, const std::vector<bool>& taken,
                const base::CancelToken* cancel)
        : source_(source),
          loader_(loader),
          tree_(tree),
          layout_(layout),
          taken_(taken),
          cancel_(cancel) {}

    Result<bool> add_to(std::vector<PageNo>& leaves) {
        ASSIGN_OR_RETURN(const bool known, find_leaves());
        if (!known) {
            return false;
        }
        std::vector<Run> runs = find_runs();
        if (record::keys_are_ordered(layout_)) {
            place(std::move(runs), leaves);
        } else if (leaves.empty() && runs.size() == 1) {
            append(runs.front(), leaves);
        }
        return is_whole(leaves);
    }

private:
    struct Leaf {
        bool there = false;
        PageNo previous = kNoPage;
        PageNo next = kNoPage;
    };

    /// Reads all leaves of the index. False: which pages are in use is not known.
    Result<bool> find_leaves() {
        std::vector<std::byte> first(tree_.physical_size);
        const SpaceId space = tree_.root.space;
        if (!source_.read({space, PageNo{0}}, first)) {
            return false;
        }
        const auto flags =
            page::TablespaceFlags::decode(page::TablespaceHeaderView(first).raw_flags());
        if (!flags || flags->physical_page_size != tree_.physical_size) {
            return false;
        }
        const auto extents = space::build_extent_map(source_, space, *flags);
        if (!extents) {
            RETURN_IF_ERROR(base::check_cancelled(cancel_));
            return false;
        }
        leaves_.resize(taken_.size());
        LoadedPage page;
        for (std::uint32_t i = 0; i < leaves_.size() && i < extents->use.size(); ++i) {
            RETURN_IF_ERROR(base::check_cancelled(cancel_));
            if ((extents->use[i] != space::PageUse::Fragment &&
                 extents->use[i] != space::PageUse::Extent) ||
                !loader_.load(PageNo{i}, page) || page::IndexHeaderView(page.bytes).level() != 0) {
                continue;
            }
            const page::HeaderView header(page.bytes);
            leaves_[i] = {header.number() == PageNo{i}, header.previous(), header.next()};
        }
        return true;
    }

    bool is_leaf(PageNo page) const {
        return page.value < leaves_.size() && leaves_[page.value].there;
    }
    bool is_stray(PageNo page) const { return is_leaf(page) && !taken_[page.value]; }
    const Leaf& leaf(PageNo page) const { return leaves_[page.value]; }
    bool follows(PageNo one, PageNo other) const {
        return leaf(one).next == other && leaf(other).previous == one;
    }

    /// (A circle of strays has no beginning, so it is none.)
    std::vector<Run> find_runs() const {
        std::vector<Run> runs;
        for (std::uint32_t i = 0; i < leaves_.size(); ++i) {
            const PageNo page{i};
            if (!is_stray(page)) {
                continue;
            }
            const PageNo before = leaf(page).previous;
            if (is_stray(before) && follows(before, page)) {
                continue;
            }
            Run run;
            run.first = run.last = page;
            while (is_stray(leaf(run.last).next) && follows(run.last, leaf(run.last).next)) {
                run.last = leaf(run.last).next;
            }
            runs.push_back(std::move(run));
        }
        return runs;
    }

    void append(const Run& run, std::vector<PageNo>& leaves) const {
        for (PageNo page = run.first; page != run.last; page = leaf(page).next) {
            leaves.push_back(page);
        }
        leaves.push_back(run.last);
    }

    int compare(const record::KeptKey& a, const record::KeptKey& b) const {
        return record::compare_keys(layout_.fields, a.fields, b.fields);
    }

    /// The first or last key on a leaf; not known where it has none.
    record::KeptKey key_of(PageNo number, bool last) {
        record::KeptKey key;
        LoadedPage page;
        if (!loader_.load(number, page)) {
            return key;
        }
        if (!page.origins.empty() &&
            (record::info_bits(page.bytes, page.origins.front(), layout_.compact) &
             record::kMinimumRecord) != 0) {
            page.origins.erase(page.origins.begin());  // of instant changes
        }
        std::vector<record::Field> fields(layout_.fields.size());
        if (!page.origins.empty() &&
            record::parse_record(page.bytes, last ? page.origins.back() : page.origins.front(),
                                 layout_, layout_.key_fields, fields)) {
            key.assign(std::span(fields).first(layout_.key_fields));
        }
        return key;
    }

    bool find_keys(Run& run) {
        run.least = key_of(run.first, false);
        run.greatest = key_of(run.last, true);
        return run.least.known && run.greatest.known && compare(run.least, run.greatest) <= 0;
    }

    /// How many of the leaves with these positions begin before `key`; nothing where that cannot be
    /// told.
    std::optional<std::size_t> count_before(const record::KeptKey& key,
                                            const std::vector<PageNo>& leaves,
                                            const std::vector<std::size_t>& readable) {
        std::size_t low = 0;
        std::size_t high = readable.size();
        while (low < high) {
            const std::size_t middle = (low + high) / 2;
            const record::KeptKey begins = key_of(leaves[readable[middle]], false);
            if (!begins.known) {
                return std::nullopt;
            }
            const bool before = compare(begins, key) < 0;
            (before ? low : high) = before ? middle + 1 : middle;
        }
        return low;
    }

    /// Puts runs between leaves, each where no other key is between its own.
    void place(std::vector<Run> runs, std::vector<PageNo>& leaves) {
        std::erase_if(runs, [this](Run& run) { return !find_keys(run); });
        std::sort(runs.begin(), runs.end(),
                  [this](const Run& a, const Run& b) { return compare(a.least, b.least) < 0; });
        std::vector<std::size_t> readable;  // positions
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            if (is_leaf(leaves[i])) {
                readable.push_back(i);
            }
        }
        std::vector<PageNo> placed;
        std::size_t moved = 0;  // of `leaves`
        record::KeptKey below;  // the greatest key of the run placed last
        for (Run& run : runs) {
            const auto count = count_before(run.least, leaves, readable);
            if (!count) {
                continue;
            }
            const std::size_t end = *count < readable.size() ? readable[*count] : leaves.size();
            if (*count > 0 && !is_before(key_of(leaves[readable[*count - 1]], true), run.least)) {
                continue;
            }
            if (*count < readable.size() && !is_before(run.greatest, key_of(leaves[end], false))) {
                continue;
            }
            if (below.known && !is_before(below, run.least)) {
                continue;
            }
            placed.insert(placed.end(), leaves.begin() + static_cast<std::ptrdiff_t>(moved),
                          leaves.begin() + static_cast<std::ptrdiff_t>(end));
            moved = end;
            append(run, placed);
            below = std::move(run.greatest);
        }
        placed.insert(placed.end(), leaves.begin() + static_cast<std::ptrdiff_t>(moved),
                      leaves.end());
        leaves = std::move(placed);
    }

    /// Whether one key is known to be before another.
    bool is_before(const record::KeptKey& one, const record::KeptKey& other) const {
        return one.known && other.known && compare(one, other) < 0;
    }

    /// Whether each leaf's links, of those that can be read, lead to its neighbours.
    bool is_whole(const std::vector<PageNo>& leaves) const {
        PageNo before = kNoPage;
        for (std::size_t i = 0; i <= leaves.size(); ++i) {
            const PageNo behind = i < leaves.size() ? leaves[i] : kNoPage;
            if (!is_leaf(before) && !is_leaf(behind)) {
                return false;
            }
            if ((is_leaf(before) && leaf(before).next != behind) ||
                (is_leaf(behind) && leaf(behind).previous != before)) {
                return false;
            }
            before = behind;
        }
        return true;
    }

    space::PageSource& source_;
    PageLoader& loader_;
    const Tree& tree_;
    const record::RecordLayout& layout_;
    const std::vector<bool>& taken_;
    const base::CancelToken* cancel_;
    std::vector<Leaf> leaves_;  // by page number
};

}  // namespace

Result<bool> add_stray_leaves(space::PageSource& source, PageLoader& loader, const Tree& tree,
                              const record::RecordLayout& layout, const std::vector<bool>& taken,
                              std::vector<PageNo>& leaves, const base::CancelToken* cancel) {
    return StrayFinder(source, loader, tree, layout, taken, cancel).add_to(leaves);
}

}  // namespace redoubt::btree
