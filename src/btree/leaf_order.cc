#include "btree/leaf_order.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "btree/stray_leaves.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/parse.h"

namespace redoubt::btree {
namespace {

constexpr unsigned kLevelMax = 63;  // bounds the recursion

unsigned level_of(const LoadedPage& page) { return page::IndexHeaderView(page.bytes).level(); }

class LeafOrderer {
public:
    LeafOrderer(space::PageSource& source, PageLoader& loader, const Tree& tree,
                const record::RecordLayout& layout, std::uint32_t pages,
                const base::CancelToken* cancel)
        : source_(source),
          loader_(loader),
          tree_(tree),
          layout_(layout),
          cancel_(cancel),
          taken_(pages),
          fields_(std::max(layout.fields.size(), layout.key_fields + 1)) {}

    Result<LeafOrder> run() {
        take(tree_.root.page);
        RETURN_IF_ERROR(visit(tree_.root.page, std::nullopt));
        for (std::size_t i = 0, gap = 0; i <= named_.size(); ++i) {
            const PageNo behind = i < named_.size() ? named_[i] : kNoPage;
            for (; gap < gaps_.size() && gaps_[gap].at == i; ++gap) {
                ASSIGN_OR_RETURN(const bool filled, fill(behind));
                if (filled) {
                    gaps_[gap].passed.loss = PassedPage::Loss::None;
                }
                order_.passed.push_back(std::move(gaps_[gap].passed));
            }
            if (behind != kNoPage) {
                order_.leaves.push_back(behind);
            }
        }
        RETURN_IF_ERROR(add_strays());
        return std::move(order_);
    }

private:
    /// Leaves are missing before named_[at].
    struct Gap {
        std::size_t at;
        PassedPage passed;
    };

    void note_gap(PageNo page, Error why) {
        gaps_.push_back({named_.size(), {page, PassedPage::Loss::Below, std::move(why)}});
    }

    /// False where no page of the tree can be, or one that was taken before.
    bool take(PageNo page) {
        if (page.value >= taken_.size() || taken_[page.value]) {
            return false;
        }
        taken_[page.value] = true;
        return true;
    }

    PageId id(PageNo page) const { return {tree_.root.space, page}; }

    /// A page above the leaves, and all below it. `above`: the level of the page that leads here.
    Status visit(PageNo number, std::optional<unsigned> above) {
        RETURN_IF_ERROR(base::check_cancelled(cancel_));
        LoadedPage page;
        if (Status loaded = loader_.load(number, page); !loaded) {
            note_gap(number, std::move(loaded.error()));
            return {};
        }
        const unsigned level = level_of(page);
        if (level == 0 && !above) {
            named_.push_back(number);  // the root is the only leaf
            return {};
        }
        if (level == 0 || level > kLevelMax || (above && level + 1 != *above)) {
            note_gap(number, corruption(id(number), "a page on level {} where none can be", level));
            return {};
        }
        for (const std::size_t origin : page.origins) {
            auto child = record::parse_node_pointer(page.bytes, origin, layout_, fields_);
            if (!child) {
                note_gap(number, std::move(child.error()));
            } else if (!take(*child)) {
                note_gap(number, corruption(id(number), "it leads to page {}, where none can be",
                                            child->value));
            } else if (level == 1) {
                named_.push_back(*child);
            } else {
                RETURN_IF_ERROR(visit(*child, level));
            }
        }
        return {};
    }

    /// Appends the leaves between the last one and `behind` (kNoPage: the tree's end). False: some
    /// may be missing.
    Result<bool> fill(PageNo behind) {
        const PageNo before = order_.leaves.empty() ? kNoPage : order_.leaves.back();
        if (before == kNoPage && behind == kNoPage) {
            return false;
        }
        if (before != kNoPage) {
            ASSIGN_OR_RETURN(const bool met, follow(before, behind, true, order_.leaves));
            if (met) {
                return true;
            }
        }
        if (behind == kNoPage) {
            return false;
        }
        std::vector<PageNo> backwards;
        ASSIGN_OR_RETURN(const bool met,
                         follow(behind, order_.leaves.empty() ? kNoPage : order_.leaves.back(),
                                false, backwards));
        order_.leaves.insert(order_.leaves.end(), backwards.rbegin(), backwards.rend());
        return met;
    }

    /// From leaf to leaf as long as links lead both ways, up to `goal` (not included). False: a
    /// link leads elsewhere.
    Result<bool> follow(PageNo from, PageNo goal, bool forward, std::vector<PageNo>& found) {
        LoadedPage page;
        if (!loader_.load(from, page)) {
            return false;
        }
        for (;;) {
            RETURN_IF_ERROR(base::check_cancelled(cancel_));
            const page::HeaderView header(page.bytes);
            const PageNo to = forward ? header.next() : header.previous();
            if (to == goal || to == kNoPage) {
                return to == goal;
            }
            if (!loader_.load(to, page) || level_of(page) != 0) {
                return false;
            }
            const page::HeaderView loaded(page.bytes);
            if ((forward ? loaded.previous() : loaded.next()) != from || !take(to)) {
                return false;
            }
            found.push_back(to);
            from = to;
        }
    }

    /// What no link leads to is looked for in the whole file.
    Status add_strays() {
        const auto loses = [](const PassedPage& page) {
            return page.loss == PassedPage::Loss::Below;
        };
        if (std::none_of(order_.passed.begin(), order_.passed.end(), loses)) {
            return {};
        }
        ASSIGN_OR_RETURN(const bool all, add_stray_leaves(source_, loader_, tree_, layout_, taken_,
                                                          order_.leaves, cancel_));
        for (PassedPage& page : order_.passed) {
            page.loss = all ? PassedPage::Loss::None : page.loss;
        }
        return {};
    }

    space::PageSource& source_;
    PageLoader& loader_;
    const Tree& tree_;
    const record::RecordLayout& layout_;
    const base::CancelToken* cancel_;
    std::vector<bool> taken_;  // by page number
    std::vector<record::Field> fields_;
    std::vector<PageNo> named_;  // by the pages above
    std::vector<Gap> gaps_;
    LeafOrder order_;
};

}  // namespace

Result<LeafOrder> order_leaves(space::PageSource& source, PageLoader& loader, const Tree& tree,
                               const record::RecordLayout& layout, std::uint32_t pages,
                               const base::CancelToken* cancel) {
    return LeafOrderer(source, loader, tree, layout, pages, cancel).run();
}

}  // namespace redoubt::btree
