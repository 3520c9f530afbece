// Map of this file: run() reads the root, then goes down level by level (check_level). A level is
// what the pointers of the level above lead to, in their order; links between its pages must agree.
#include "verify/tree_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cfloat>
#include <cstring>
#include <map>
#include <utility>

#include "btree/page_records.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/compare.h"
#include "record/parse.h"

namespace redoubt::verify {
namespace {

// Of the 20 bytes that lead to an off-page column: docs/formats/blobs.md.
constexpr std::size_t kFlagsOffset = 12;
constexpr unsigned kNotOwner = 0x80;
constexpr std::size_t kEmptyDirectory = 4;  // bytes: two slots
constexpr std::size_t kProblemsMax = 1000;  // that are told of one tree
constexpr std::array<double, 4> kNoPoints{DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX};
constexpr unsigned kLevelsMax = 64;  // of a tree; far beyond what a tablespace has room for

/// An error that is a finding, not the end of the check.
bool is_damage(const Error& error) {
    return error.code() == ErrorCode::Corruption || error.code() == ErrorCode::NotFound;
}

}  // namespace

std::optional<Box> Box::read(std::span<const std::byte> bytes) {
    Box box;
    if (bytes.size() != sizeof box.ends) {
        return std::nullopt;
    }
    std::memcpy(box.ends.data(), bytes.data(), bytes.size());
    // What has no points has the ends of none.
    const bool empty = box.ends == kNoPoints;
    return !empty && (box.ends[0] > box.ends[1] || box.ends[2] > box.ends[3])
               ? std::nullopt
               : std::optional<Box>(box);
}

bool Box::covers(const Box& other) const {
    // (Not less, so that what is no number is within all.)
    return !(other.ends[0] < ends[0]) && !(other.ends[1] > ends[1]) && !(other.ends[2] < ends[2]) &&
           !(other.ends[3] > ends[3]);
}

bool SpaceUse::take(PageNo page) {
    if (page.value >= used_.size()) {
        return true;  // said by who could not read it
    }
    if (used_[page.value]) {
        return false;
    }
    used_[page.value] = true;
    return true;
}

bool SpaceUse::belongs_to(PageNo page, std::uint64_t id) const {
    if (extents_ == nullptr || id == 0 || page.value >= extents_->use.size()) {
        return true;
    }
    const space::PageUse use = extents_->use[page.value];
    return use == space::PageUse::Unknown ||
           (!extents_->is_free(page) && extents_->owner[page.value] == id);
}

TreeChecker::TreeChecker(space::PageSource& source, const btree::Tree& tree,
                         const record::RecordLayout& layout, SpaceUse& use, Report report,
                         const base::CancelToken* cancel)
    : source_(source),
      tree_(tree),
      layout_(layout),
      use_(use),
      report_(std::move(report)),
      cancel_(cancel),
      page_checker_(layout),
      blobs_(source, tree.root.space, tree.physical_size, tree.row_compressed),
      ordered_(record::keys_are_ordered(layout)),
      stored_(tree.row_compressed ? tree.physical_size : 0),
      page_(tree.logical_size) {}

void TreeChecker::report(std::string_view kind, PageNo page, std::string message) {
    ++problems_;
    if (problems_ <= kProblemsMax) {
        report_({.kind = kind, .page = page, .message = std::move(message)});
    } else if (problems_ == kProblemsMax + 1) {
        report_({.kind = "more-pages", .page = page, .message = "more of this tree is damaged"});
    }
}

Status TreeChecker::run() {
    parents_.page.resize(tree_.logical_size);
    ASSIGN_OR_RETURN(const bool there, read_root());
    if (!there) {
        return {};
    }
    complete_ = true;
    for (unsigned level = root_level_ + 1; level-- > 0;) {
        RETURN_IF_ERROR(check_level(level));
    }
    return {};
}

Result<bool> TreeChecker::read_root() {
    const PageNo root = tree_.root.page;
    Status read = source_.read(tree_.root, tree_.row_compressed ? stored_ : page_);
    if (!read) {
        if (!is_damage(read.error())) {
            return std::move(read.error());
        }
        report("tree-unreadable", root, read.error().message());
        return false;
    }
    const std::span<const std::byte> raw = tree_.row_compressed ? stored_ : page_;
    const page::IndexHeaderView index(raw);
    root_level_ = index.level();
    const bool right_type = layout_.spatial ? page::HeaderView(raw).type() ==
                                                  static_cast<std::uint16_t>(page::PageType::RTree)
                                            : page::is_index_type(page::HeaderView(raw).type());
    if (!right_type || index.index_id() != tree_.index_id || root_level_ > kLevelsMax) {
        report("index-root", root,
               fmt::format("not the root of index {}: a page of type {}, index {}, level {}",
                           tree_.index_id, page::type_name(page::HeaderView(raw).type()),
                           index.index_id(), root_level_));
        return false;
    }
    if (has_segments_) {
        RETURN_IF_ERROR(read_segments(raw));
    }
    return true;
}

/// The two segments that the tree's pages come from.
Status TreeChecker::read_segments(std::span<const std::byte> root) {
    ASSIGN_OR_RETURN(leaf_segment_, segment_at(root, true));
    ASSIGN_OR_RETURN(inner_segment_, segment_at(root, false));
    return {};
}

/// 0: it cannot be told, which is reported.
Result<std::uint64_t> TreeChecker::segment_at(std::span<const std::byte> root, bool leaf) {
    const page::IndexHeaderView index(root);
    const page::SegmentHeaderView header = leaf ? index.leaf_segment() : index.inner_segment();
    const std::string_view name = leaf ? "leaf" : "inner";
    if (Status valid = header.validate(tree_.root, use_.flags(), PageNo{use_.page_count()});
        !valid) {
        report("index-root", tree_.root.page,
               fmt::format("its {} segment: {}", name, valid.error().message()));
        return std::uint64_t{0};
    }
    std::vector<std::byte> inode(tree_.physical_size);
    Status read = source_.read({tree_.root.space, header.inode_page()}, inode);
    if (!read && !is_damage(read.error())) {
        return std::move(read.error());
    }
    const bool is_inode =
        read && page::HeaderView(inode).type() == static_cast<std::uint16_t>(page::PageType::Inode);
    const std::uint64_t id =
        is_inode ? load_be<std::uint64_t>(inode.data() + header.inode_offset()) : 0;
    if (id == 0) {
        report("index-root", tree_.root.page,
               fmt::format("its {} segment leads to page {} offset {}, where there is none", name,
                           header.inode_page().value, header.inode_offset()));
    }
    return id;
}

/// Reads a page of the tree and lists its records. False: it cannot be used, which is reported.
Result<bool> TreeChecker::load(PageNo number, unsigned level, std::vector<std::byte>& page,
                               std::vector<std::uint16_t>& origins, bool report_it) {
    const PageId id{tree_.root.space, number};
    const auto refuse = [&](std::string_view kind, const Error& error) -> Result<bool> {
        if (!is_damage(error)) {
            return Error(error);
        }
        if (report_it) {
            report(kind, number, error.message());
        }
        return false;
    };
    Status read = source_.read(id, tree_.row_compressed ? stored_ : page);
    if (!read) {
        return refuse("tree-unreadable", read.error());
    }
    if (tree_.row_compressed) {
        if (Status expanded = expander_.expand(stored_, id, page); !expanded) {
            return refuse("index-page", expanded.error());
        }
    }
    if (Status listed = btree::list_records(page, id, tree_.index_id, layout_.compact, origins,
                                            layout_.spatial);
        !listed) {
        return refuse("index-page", listed.error());
    }
    if (page::IndexHeaderView(page).level() != level) {
        return refuse("index-page", corruption(id, "on level {}, the pointer to it is on level {}",
                                               page::IndexHeaderView(page).level(), level + 1));
    }
    return true;
}

Result<PageNo> TreeChecker::next_child(record::KeptKey& key) {
    key.known = false;
    for (;;) {
        while (parents_.at < parents_.origins.size()) {
            const std::uint16_t origin = parents_.origins[parents_.at++];
            parents_.fields.resize(layout_.key_fields + 1);
            auto child =
                record::parse_node_pointer(parents_.page, origin, layout_, parents_.fields);
            if (!child) {
                parents_.broken = true;  // said when its level was checked
                continue;
            }
            // The first key of a level stands for everything that is less.
            if (layout_.spatial || (record::info_bits(parents_.page, origin, layout_.compact) &
                                    record::kMinimumRecord) == 0) {
                key.assign(std::span(parents_.fields).first(layout_.key_fields));
            }
            return *child;
        }
        if (parents_.next_page == parents_.pages.size()) {
            return kNoPage;
        }
        const PageNo next = parents_.pages[parents_.next_page++];
        ASSIGN_OR_RETURN(const bool good,
                         load(next, parents_.level, parents_.page, parents_.origins, false));
        parents_.at = 0;
        if (!good) {
            parents_.origins.clear();
            parents_.broken = true;
        }
    }
}

Status TreeChecker::check_level(unsigned level) {
    const bool is_root = level == root_level_;
    last_.known = false;
    neighbours_.clear();
    record::KeptKey pointer;
    PageNo number = tree_.root.page;
    if (!is_root) {
        ASSIGN_OR_RETURN(number, next_child(pointer));
    }
    std::vector<PageNo> usable;
    bool broken = false;  // some page is not
    PageNo before = kNoPage;
    PageNo linked = number;  // where the page before leads to
    bool sure = true;        // `before` and `linked` are known
    for (bool leftmost = true; number != kNoPage; leftmost = false) {
        RETURN_IF_ERROR(base::check_cancelled(cancel_));
        if (!use_.take(number)) {
            report("page-shared", number,
                   fmt::format("index {} leads here, and so does something else", tree_.index_id));
            sure = false;  // also the end of pointers that go in a circle: each child is taken once
        } else {
            check_owner(number, level);
            ASSIGN_OR_RETURN(const bool good, load(number, level, page_, origins_, true));
            if (good) {
                const page::HeaderView header(page_);
                if (layout_.spatial) {
                    neighbours_.push_back({number, header.previous(), header.next()});
                    leftmost = header.previous() == kNoPage;  // pointers are in no order
                } else {
                    if (sure && number != linked) {
                        report("index-link", before,
                               fmt::format("leads to page {}, the level above has page {} next",
                                           linked.value, number.value));
                    }
                    if ((sure || leftmost) && header.previous() != before) {
                        report("index-link", number,
                               fmt::format("leads back to page {}, page {} is before it",
                                           header.previous().value, before.value));
                    }
                }
                check_page(number, level, leftmost, pointer);
                if (level == 0 && layout_.clustered) {
                    RETURN_IF_ERROR(check_blobs(number));
                }
                usable.push_back(number);
                sure = true;
                before = number;
                linked = header.next();
            } else {
                sure = false;
                last_.known = false;
                broken = true;
            }
        }
        if (is_root) {
            break;
        }
        ASSIGN_OR_RETURN(number, next_child(pointer));
    }
    if (layout_.spatial) {
        if (!broken && !parents_.broken) {
            check_neighbours(level);
        }
    } else if (sure && linked != kNoPage && !parents_.broken && before != kNoPage) {
        report("index-link", before,
               fmt::format("leads to page {}, but is the last of its level", linked.value));
    }
    complete_ = complete_ && !parents_.broken;
    parents_.pages = level == 0 ? std::vector<PageNo>() : std::move(usable);
    parents_.broken = broken;
    parents_.level = level;
    parents_.next_page = 0;
    parents_.origins.clear();
    parents_.at = 0;
    return {};
}

void TreeChecker::check_owner(PageNo number, unsigned level) {
    const bool leaf = level == 0 && number != tree_.root.page;
    const std::uint64_t id = leaf ? leaf_segment_ : inner_segment_;
    if (!use_.belongs_to(number, id)) {
        report("page-owner", number,
               fmt::format("a page of index {} that its {} segment does not own", tree_.index_id,
                           leaf ? "leaf" : "inner"));
    }
}

void TreeChecker::check_page(PageNo number, unsigned level, bool leftmost,
                             const record::KeptKey& pointer) {
    count_page(level);
    sentences_.clear();
    if (tree_.row_compressed) {
        page_checker_.check_expanded(page_, origins_, leftmost, sentences_);
    } else {
        page_checker_.check(page_, origins_, leftmost, sentences_);
    }
    for (std::string& sentence : sentences_) {
        report("index-page", number, std::move(sentence));
    }
    if (origins_.empty() && number != tree_.root.page) {
        report("index-page", number, "a page without records that is not the root");
    }
    if (layout_.spatial) {
        check_boxes(number, level, pointer);
    } else {
        check_order(number, level, leftmost, pointer);
    }
}

/// Of an R-tree: the boxes of a page lie within that of the pointer to it, and are boxes.
void TreeChecker::check_boxes(PageNo number, unsigned level, const record::KeptKey& pointer) {
    fields_.resize(std::max<std::size_t>(layout_.fields.size(), layout_.key_fields + 1));
    const std::optional<Box> outer =
        pointer.known ? Box::read(pointer.fields.front().bytes()) : std::nullopt;
    for (const std::uint16_t origin : origins_) {
        Status parsed;
        if (level == 0) {
            parsed = record::parse_record(page_, origin, layout_, 1, fields_);
        } else if (auto child = record::parse_node_pointer(page_, origin, layout_, fields_);
                   !child) {
            parsed = tl::unexpected(std::move(child.error()));
        }
        if (!parsed) {
            continue;  // said by the page's own check
        }
        const std::optional<Box> box = Box::read(fields_.front().bytes());
        if (!box) {
            report("spatial-box", number,
                   fmt::format("the record at offset {} has no box, but what ends before it begins",
                               origin));
        } else if (outer && !outer->covers(*box)) {
            report("spatial-box", number,
                   fmt::format("the box of the record at offset {} is not within that of the "
                               "pointer to the page",
                               origin));
        }
    }
}

/// Of an R-tree: the pages of a level are one chain, in whatever order.
void TreeChecker::check_neighbours(unsigned level) {
    std::map<PageNo, const Neighbours*> by_number;
    for (const Neighbours& page : neighbours_) {
        by_number.emplace(page.number, &page);
    }
    std::size_t firsts = 0;
    for (const Neighbours& page : neighbours_) {
        firsts += page.previous == kNoPage ? 1 : 0;
        if (page.next == kNoPage) {
            continue;
        }
        const auto next = by_number.find(page.next);
        if (next == by_number.end()) {
            report("index-link", page.number,
                   fmt::format("leads to page {}, which no pointer to level {} leads to",
                               page.next.value, level));
        } else if (next->second->previous != page.number) {
            report("index-link", page.next,
                   fmt::format("leads back to page {}, page {} leads here",
                               next->second->previous.value, page.number.value));
        }
    }
    if (firsts != 1 && !neighbours_.empty()) {
        report("index-link", neighbours_.front().number,
               fmt::format("level {} of the index has {} first pages", level, firsts));
        return;
    }
    std::size_t reached = 0;
    for (auto at = std::find_if(neighbours_.begin(), neighbours_.end(),
                                [](const Neighbours& page) { return page.previous == kNoPage; });
         at != neighbours_.end() && reached <= neighbours_.size();) {
        ++reached;
        const auto next = by_number.find(at->next);
        if (next == by_number.end()) {
            break;
        }
        at = neighbours_.begin() + (next->second - neighbours_.data());
    }
    if (reached != neighbours_.size()) {
        report("index-link", neighbours_.front().number,
               fmt::format("the chain of level {} has {} of its {} pages", level, reached,
                           neighbours_.size()));
    }
}

/// Fill as InnoDB counts it: without the directory, whose slots an empty page has two of.
void TreeChecker::count_page(unsigned level) {
    if (level != 0) {
        ++size_.inner_pages;
        return;
    }
    const page::IndexHeaderView index(page_);
    const std::size_t heap = layout_.compact ? record::kCompactHeap : record::kRedundantHeap;
    const std::size_t room = page_.size() - page::kTrailerSize - kEmptyDirectory - heap;
    const std::size_t freed = heap + index.freed_bytes();
    const std::size_t used = std::max<std::size_t>(index.heap_top(), freed) - freed;
    ++size_.leaf_pages;
    size_.records += origins_.size();
    size_.marked +=
        static_cast<std::uint64_t>(std::ranges::count_if(origins_, [this](std::uint16_t origin) {
            return (record::info_bits(page_, origin, layout_.compact) & record::kDeleteMark) != 0;
        }));
    size_.used_bytes += std::min(used, room);
    size_.room_bytes += room;
}

/// Keys ascend, on the page and from the page before; none is less than the pointer to the page.
void TreeChecker::check_order(PageNo number, unsigned level, bool leftmost,
                              const record::KeptKey& pointer) {
    if (!ordered_) {
        return;
    }
    const std::size_t count = layout_.key_fields;
    fields_.resize(count + 1);
    const std::span<record::Field> key = std::span(fields_).first(count);
    bool first = true;
    for (const std::uint16_t origin : origins_) {
        const bool minimum =
            (record::info_bits(page_, origin, layout_.compact) & record::kMinimumRecord) != 0;
        if (minimum && leftmost && first) {
            first = level == 0;  // the record of instant changes is no row
            continue;
        }
        Status parsed;
        if (level == 0) {
            parsed = record::parse_record(page_, origin, layout_, count, key);
        } else if (auto child = record::parse_node_pointer(page_, origin, layout_, fields_);
                   !child) {
            parsed = tl::unexpected(std::move(child.error()));
        }
        if (!parsed) {
            last_.known = false;  // said by the page's own check
            first = false;
            continue;
        }
        if (first && pointer.known &&
            record::compare_keys(layout_.fields, key, pointer.fields) < 0) {
            report("node-pointer", number,
                   "its first key is less than that of the pointer to the page");
        }
        first = false;
        // (In the change buffer, entries that old servers made have no counter and may be equal.)
        const int order =
            last_.known ? record::compare_keys(layout_.fields, last_.fields, key) : -1;
        if (order > 0 || (order == 0 && !layout_.universal)) {
            report("index-order", number,
                   fmt::format("the key of the record at offset {} is not greater than the one "
                               "before it",
                               origin));
            last_.known = false;
            return;
        }
        last_.assign(key);
    }
}

/// Every chain that the page's rows lead to, as long as the row says.
Status TreeChecker::check_blobs(PageNo number) {
    for (const std::uint16_t origin : origins_) {
        if ((record::info_bits(page_, origin, layout_.compact) & record::kMinimumRecord) != 0) {
            continue;
        }
        auto extent = record::parse_whole_record(page_, origin, layout_, false, fields_);
        if (!extent) {
            continue;
        }
        for (const record::Field& field : fields_) {
            if (!field.external) {
                continue;
            }
            const auto reference = field.bytes().last(record::kReferenceSize);
            if ((std::to_integer<unsigned>(reference[kFlagsOffset]) & kNotOwner) != 0) {
                continue;  // a newer version of the row owns it
            }
            PageNo shared = kNoPage;
            Status checked = blobs_.check(reference, [&](PageNo page) {
                if (!use_.take(page)) {
                    shared = page;
                    return false;
                }
                ++size_.blob_pages;
                if (!use_.belongs_to(page, leaf_segment_)) {
                    report("page-owner", page,
                           fmt::format("a page of an off-page column of page {} that the index's "
                                       "leaf segment does not own",
                                       number.value));
                }
                return true;
            });
            if (!checked && !is_damage(checked.error())) {
                return checked;
            }
            if (!checked) {
                const std::optional<PageNo> at = checked.error().page();
                report(
                    "blob-chain", number,
                    fmt::format("the record at offset {}: {}{}", origin, checked.error().message(),
                                at ? fmt::format(" (page {})", at->value) : ""));
            } else if (shared != kNoPage) {
                report(
                    "page-shared", shared,
                    fmt::format("an off-page column of page {} leads here, and so does something "
                                "else",
                                number.value));
            }
        }
    }
    return {};
}

}  // namespace redoubt::verify
