#include "btree/tree.h"

#include <algorithm>
#include <iterator>

#include "btree/buffered_changes.h"
#include "btree/page_records.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/compare.h"

namespace redoubt::btree {
namespace {

constexpr unsigned kLevelMax = 63;  // far beyond what 2^32 pages can need

}  // namespace

TreeReader::TreeReader(space::PageSource& source, const Tree& tree,
                       const record::RecordLayout& layout, const base::CancelToken* cancel)
    : source_(source),
      tree_(tree),
      layout_(layout),
      cancel_(cancel),
      loader_(source, tree, layout) {}

unsigned TreeReader::level() const { return page::IndexHeaderView(page_.bytes).level(); }

Status TreeReader::parse(std::size_t count, std::span<record::Field> out) const {
    Status parsed = record::parse_record(page_.bytes, origin_, layout_, count, out);
    if (!parsed) {
        return std::move(parsed.error()).with_page(page_id());
    }
    return parsed;
}

Status TreeReader::count_page() {
    if (++pages_walked_ > pages_max_) {  // T2
        return corruption(page_id(), "the page links of index {} lead in a circle", tree_.index_id);
    }
    return base::check_cancelled(cancel_);
}

Status TreeReader::load(PageNo number) {
    failed_page_ = number;
    auto loaded = ahead_ != nullptr ? ahead_->take(number, page_) : std::nullopt;
    RETURN_IF_ERROR(loaded ? std::move(*loaded) : loader_.load(number, page_));
    if (changes_ != nullptr && level() == 0) {
        RETURN_IF_ERROR(make_changes({tree_.root.space, number}));
    }
    current_page_ = number;
    failed_page_ = kNoPage;
    RETURN_IF_ERROR(count_page());
    return {};
}

Status TreeReader::make_changes(PageId id) {
    ASSIGN_OR_RETURN(const bool wait, changes_->wait_for(id, tree_.physical_size));
    if (!wait) {
        return {};
    }
    RETURN_IF_ERROR(changes_->make(id, layout_, page_.bytes));
    return list_records(page_.bytes, id, tree_.index_id, layout_.compact, page_.origins);
}

Status TreeReader::load_root() {
    ASSIGN_OR_RETURN(pages_max_, source_.page_count(tree_.root.space));
    pages_walked_ = 0;
    leaves_walked_ = 0;
    from_page_ = kNoPage;
    in_order_ = false;
    fields_.resize(std::max(layout_.fields.size(), layout_.key_fields + 1));
    RETURN_IF_ERROR(load(tree_.root.page));
    const page::HeaderView header(page_.bytes);
    if (level() > kLevelMax || header.next() != kNoPage || header.previous() != kNoPage) {
        return corruption(page_id(), "not the root of a tree");
    }
    return {};
}

Status TreeReader::load_below(PageNo number, unsigned above) {
    RETURN_IF_ERROR(load(number));
    if (level() + 1 != above) {  // T1
        failed_page_ = number;
        return corruption(page_id(), "a page on level {} below one on level {}", level(), above);
    }
    if (page_.origins.empty()) {
        failed_page_ = number;
        return corruption(page_id(), "a page without records that is not the root");
    }
    return {};
}

Status TreeReader::load_leaf(PageNo number) {
    RETURN_IF_ERROR(load(number));
    if (level() != 0) {  // T1
        failed_page_ = number;
        return corruption(page_id(), "a page on level {} among the leaves", level());
    }
    return {};
}

Result<PageNo> TreeReader::child(std::size_t index) {
    auto found = record::parse_node_pointer(page_.bytes, page_.origins[index], layout_, fields_);
    if (!found) {
        return std::move(found.error()).with_page(page_id());
    }
    return *found;
}

Status TreeReader::descend(std::size_t index) {
    const unsigned above = level();
    if (page_.origins.empty()) {
        return corruption(page_id(), "a page above the leaves has no records");
    }
    ASSIGN_OR_RETURN(const PageNo below, child(index));
    return load_below(below, above);
}

Status TreeReader::to_first() {
    RETURN_IF_ERROR(load_root());
    while (level() != 0) {
        RETURN_IF_ERROR(descend(0));
    }
    if (page::HeaderView(page_.bytes).previous() != kNoPage) {
        return corruption(page_id(), "the first leaf has one before it");
    }
    at_ = 0;
    return {};
}

Status TreeReader::to_last() {
    RETURN_IF_ERROR(load_root());
    while (level() != 0) {
        RETURN_IF_ERROR(descend(page_.origins.empty() ? 0 : page_.origins.size() - 1));
    }
    if (page::HeaderView(page_.bytes).next() != kNoPage) {
        return corruption(page_id(), "the last leaf has one behind it");
    }
    at_ = page_.origins.size();
    return {};
}

Result<bool> TreeReader::before(std::size_t index, std::size_t count,
                                std::span<const record::Field> key, bool behind) {
    const std::size_t origin = page_.origins[index];
    if ((record::info_bits(page_.bytes, origin, layout_.compact) & record::kMinimumRecord) != 0) {
        return true;
    }
    if (count == key.size()) {
        Status parsed = record::parse_record(page_.bytes, origin, layout_, count, fields_);
        if (!parsed) {
            return std::move(parsed.error()).with_page(page_id());
        }
    } else {
        RETURN_IF_ERROR(child(index));
    }
    const int order = record::compare_keys(layout_.fields, fields_, key);
    return behind ? order <= 0 : order < 0;
}

Result<std::size_t> TreeReader::count_before(std::span<const record::Field> key, bool behind,
                                             bool leaf) {
    std::size_t low = 0;
    std::size_t high = page_.origins.size();
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        ASSIGN_OR_RETURN(const bool is_before,
                         before(middle, leaf ? key.size() : SIZE_MAX, key, behind));
        (is_before ? low : high) = is_before ? middle + 1 : middle;
    }
    return low;
}

Status TreeReader::to_key(std::span<const record::Field> key, bool behind) {
    if (key.size() > layout_.key_fields) {
        return make_error(ErrorCode::Internal, "a key of {} fields for an index of {}", key.size(),
                          layout_.key_fields);
    }
    ASSIGN_OR_RETURN(const bool here, on_this_leaf(key, behind));
    if (here) {
        ASSIGN_OR_RETURN(at_, count_before(key, behind, true));
        return {};
    }
    RETURN_IF_ERROR(load_root());
    while (level() != 0) {
        ASSIGN_OR_RETURN(const std::size_t count, count_before(key, behind, false));
        RETURN_IF_ERROR(descend(count == 0 ? 0 : count - 1));
    }
    ASSIGN_OR_RETURN(at_, count_before(key, behind, true));
    return {};
}

/// Whether the place for a key is between records of the leaf read last, so that no page need be
/// read.
Result<bool> TreeReader::on_this_leaf(std::span<const record::Field> key, bool behind) {
    // (An order of the leaves would go on the way that it was made for.)
    if (in_order_ || current_page_ == kNoPage || failed_page_ != kNoPage ||
        page_.origins.size() < 2 || level() != 0 || fields_.size() < layout_.fields.size()) {
        return false;
    }
    ASSIGN_OR_RETURN(const bool after_first, before(0, key.size(), key, behind));
    if (!after_first) {
        return false;
    }
    ASSIGN_OR_RETURN(const bool after_last,
                     before(page_.origins.size() - 1, key.size(), key, behind));
    pages_walked_ = 0;
    return !after_last;
}

/// A walk is about to go on to page `to`.
void TreeReader::note_walk(PageNo to, bool forward) {
    constexpr unsigned kLongWalk = 8;  // leaves: one that has come so far may go on
    leaves_walked_ = forward == walks_forward_ ? leaves_walked_ + 1 : 1;
    walks_forward_ = forward;
    if (leaves_walked_ == kLongWalk && may_read_ahead_) {
        if (ahead_ == nullptr) {
            ahead_ = ReadAhead::start(loader_);
        }
        if (ahead_ != nullptr) {
            ahead_->follow(to, forward);
        }
    }
}

Result<bool> TreeReader::step(bool forward) {
    if (failed_page_ != kNoPage) {
        return corruption({tree_.root.space, failed_page_}, "the page could not be read");
    }
    for (;;) {
        if (forward && at_ < page_.origins.size()) {
            origin_ = page_.origins[at_++];
            return true;
        }
        if (!forward && at_ > 0) {
            origin_ = page_.origins[--at_];
            return true;
        }
        if (in_order_) {
            if (order_at_ >= order_->leaves.size()) {  // also before the first, which is SIZE_MAX
                return false;
            }
            const PageNo to = order_->leaves[order_at_];
            order_at_ += forward ? 1 : std::size_t(-1);
            RETURN_IF_ERROR(load_leaf(to));
            at_ = forward ? 0 : page_.origins.size();
            continue;
        }
        const page::HeaderView header(page_.bytes);
        const PageNo from = current_page_;
        const PageNo to = forward ? header.next() : header.previous();
        if (to == kNoPage || current_page_ == kNoPage) {
            return false;
        }
        from_page_ = from;
        note_walk(to, forward);
        RETURN_IF_ERROR(load_leaf(to));
        const page::HeaderView loaded(page_.bytes);
        const PageNo back = forward ? loaded.previous() : loaded.next();
        if (back != from) {  // T1
            failed_page_ = to;
            return corruption(page_id(), "page {} leads here, but this page leads back to {}",
                              from.value, back.value);
        }
        at_ = forward ? 0 : page_.origins.size();
    }
}

Status TreeReader::skip_damage(bool forward, Error why, std::vector<PassedPage>& passed) {
    pages_walked_ = 0;
    if (!in_order_) {
        RETURN_IF_ERROR(find_order(forward, std::move(why), passed));
    } else if (failed_page_ != kNoPage) {
        passed.push_back({failed_page_, PassedPage::Loss::Rows, std::move(why)});
    } else {
        return why;
    }
    failed_page_ = kNoPage;
    current_page_ = kNoPage;
    page_.origins.clear();
    at_ = 0;
    return {};
}

Status TreeReader::find_order(bool forward, Error why, std::vector<PassedPage>& passed) {
    if (why.code() == ErrorCode::Cancelled) {
        return why;
    }
    const PageNo bad = failed_page_;
    if (!order_) {
        ASSIGN_OR_RETURN(const std::uint32_t pages, source_.page_count(tree_.root.space));
        ASSIGN_OR_RETURN(order_, order_leaves(source_, loader_, tree_, layout_, pages, cancel_));
    }
    const std::vector<PageNo>& leaves = order_->leaves;
    std::size_t next = forward ? 0 : leaves.size() - 1;
    if (from_page_ != kNoPage) {
        const auto from = std::find(leaves.begin(), leaves.end(), from_page_);
        if (from == leaves.end()) {
            return why;
        }
        next = static_cast<std::size_t>(from - leaves.begin()) + (forward ? 1 : std::size_t(-1));
    }
    const auto is_bad = [bad](const PassedPage& page) { return page.page == bad; };
    const auto loses = [](const PassedPage& page) { return page.loss != PassedPage::Loss::None; };
    const bool told = std::any_of(order_->passed.begin(), order_->passed.end(), is_bad);
    const bool leaf = std::find(leaves.begin(), leaves.end(), bad) != leaves.end();
    const bool readable = loader_.load(bad, page_).has_value();
    const bool will_fail_again = told || (leaf && !readable);
    if (!will_fail_again && !readable && from_page_ != kNoPage &&
        std::any_of(order_->passed.begin(), order_->passed.end(), loses)) {
        passed.push_back({bad, PassedPage::Loss::Rows, std::move(why)});
    } else if (!will_fail_again) {
        if (from_page_ != kNoPage) {
            why = corruption({tree_.root.space, from_page_}, "its link to page {}: {}", bad.value,
                             why.message());
        }
        passed.push_back({from_page_ != kNoPage ? from_page_
                          : bad != kNoPage      ? bad
                                                : tree_.root.page,
                          PassedPage::Loss::None, std::move(why)});
    }
    passed.insert(passed.end(), order_->passed.begin(), order_->passed.end());
    in_order_ = true;
    order_at_ = next;
    return {};
}

}  // namespace redoubt::btree
