#include "verify/system_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "btree/buffered_changes.h"
#include "page/change_buffer.h"
#include "page/dictionary_header.h"
#include "page/header.h"
#include "page/index_page.h"
#include "page/rollback_segment.h"
#include "page/trx_system.h"
#include "record/parse.h"
#include "undo/transactions.h"

namespace redoubt::verify {
namespace {

constexpr std::size_t kPagesNamed = 10;    // of a segment
constexpr std::size_t kProblemsMax = 100;  // entries of the change buffer that are told of

bool is_damage(const Error& error) {
    return error.code() == ErrorCode::Corruption || error.code() == ErrorCode::NotFound;
}

}  // namespace

void SystemSpaceChecker::find(std::string_view kind, PageNo page, std::string message) {
    report_({.kind = kind, .page = page, .message = std::move(message)}, Severity::Damage, "");
}

void SystemSpaceChecker::find_of_change_buffer(std::string_view kind, PageNo page,
                                               std::string message, Severity severity) {
    report_({.kind = kind, .page = page, .message = std::move(message)}, severity, "change buffer");
}

Result<bool> SystemSpaceChecker::load(PageNo number, std::vector<std::byte>& page) {
    RETURN_IF_ERROR(base::check_cancelled(cancel_));
    page.resize(page_size_);
    Status read = source_.read({kSystemSpace, number}, page);
    if (!read && !is_damage(read.error())) {
        return std::move(read.error());
    }
    return read.has_value();
}

/// The id of the segment; 0: the header leads to none.
Result<std::uint64_t> SystemSpaceChecker::segment_of(const page::SegmentHeaderView& header,
                                                     PageNo owner) {
    if (!header.validate({kSystemSpace, owner}, use_.flags(), PageNo{use_.page_count()})) {
        return std::uint64_t{0};
    }
    std::vector<std::byte> inode;
    ASSIGN_OR_RETURN(const bool good, load(header.inode_page(), inode));
    if (!good ||
        page::HeaderView(inode).type() != static_cast<std::uint16_t>(page::PageType::Inode)) {
        return std::uint64_t{0};
    }
    return load_be<std::uint64_t>(inode.data() + header.inode_offset());
}

Status SystemSpaceChecker::check_change_buffer() {
    RETURN_IF_ERROR(take_fixed_pages());
    bool whole = true;
    TreeChecker checker(
        source_, btree::change_buffer_tree(page_size_), btree::change_buffer_layout(), use_,
        [&](const TreeProblem& problem) {
            whole = false;
            report_(problem, Severity::Damage, "change buffer");
        },
        cancel_);
    checker.set_segment(segment_);
    RETURN_IF_ERROR(checker.run());
    records_ = checker.size().records;
    tree_complete_ = checker.complete();
    whole_ = whole;
    RETURN_IF_ERROR(check_free_list());
    return whole_ ? check_entries() : ok_status();
}

/// Pages whose numbers never change, and the rollback segments'; and who owns them.
Status SystemSpaceChecker::take_fixed_pages() {
    std::vector<std::byte> page;
    const auto own = [&](const page::SegmentHeaderView& header,
                         PageNo owner) -> Result<std::uint64_t> {
        ASSIGN_OR_RETURN(const std::uint64_t id, segment_of(header, owner));
        if (id == 0) {
            find("segment-header", owner, "its segment header leads to no segment");
        } else if (!segments_.insert(id).second) {
            find("segment-header", owner, fmt::format("segment {} is another's too", id));
        } else if (!use_.belongs_to(owner, id)) {
            find("page-owner", owner, "its own segment does not own it");
        }
        return id;
    };
    use_.take(page::ChangeBufferHeaderView::kPage);
    ASSIGN_OR_RETURN(bool good, load(page::ChangeBufferHeaderView::kPage, page));
    if (good) {
        ASSIGN_OR_RETURN(segment_, own(page::ChangeBufferHeaderView(page).segment(),
                                       page::ChangeBufferHeaderView::kPage));
    }
    use_.take(page::DictionaryHeaderView::kPage);
    ASSIGN_OR_RETURN(good, load(page::DictionaryHeaderView::kPage, page));
    if (good) {
        RETURN_IF_ERROR(
            own(page::DictionaryHeaderView(page).segment(), page::DictionaryHeaderView::kPage));
    }
    use_.take(page::TrxSystemView::kPage);
    std::vector<std::byte> trx_system;
    ASSIGN_OR_RETURN(good, load(page::TrxSystemView::kPage, trx_system));
    if (!good) {
        return {};
    }
    RETURN_IF_ERROR(own(page::TrxSystemView(trx_system).segment(), page::TrxSystemView::kPage));
    if (const page::DoublewriteHeaderView doublewrite(trx_system); doublewrite.present()) {
        ASSIGN_OR_RETURN(const std::uint64_t id,
                         segment_of(doublewrite.segment(), page::TrxSystemView::kPage));
        segments_.insert(id);
    }
    for (std::size_t i = 0; i < undo::kRollbackSegments; ++i) {
        const PageId at = page::TrxSystemView(trx_system).slot(i);
        if (at.space != kSystemSpace || at.page == kNoPage || use_.is_used(at.page)) {
            continue;  // two on one page: level trees says so of the undo logs
        }
        use_.take(at.page);
        ASSIGN_OR_RETURN(good, load(at.page, page));
        if (good &&
            page::HeaderView(page).type() == static_cast<std::uint16_t>(page::PageType::System)) {
            RETURN_IF_ERROR(own(page::RollbackSegmentView(page).segment(), at.page));
        }
    }
    return {};
}

/// Pages that the change buffer keeps for its tree.
Status SystemSpaceChecker::check_free_list() {
    std::vector<std::byte> root;
    ASSIGN_OR_RETURN(bool good, load(page::kChangeBufferRoot, root));
    if (!good) {
        return {};
    }
    const page::ListBaseView list(
        std::span<const std::byte>(root)
            .subspan<page::kChangeBufferFreeList, page::ListBaseView::kSize>());
    const auto broken = [&](PageNo page, std::string message,
                            std::string_view kind = "change-buffer") {
        tree_complete_ = false;  // which pages it keeps is not known
        find_of_change_buffer(kind, page, std::move(message));
        return ok_status();
    };
    std::vector<std::byte> page;
    page::FileAddress at = list.first();
    page::FileAddress before;
    std::uint32_t count = 0;
    for (; !at.is_null(); ++count) {
        if (at.offset != page::kChangeBufferFreeList || at.page.value >= use_.page_count()) {
            return broken(before.is_null() ? page::kChangeBufferRoot : before.page,
                          fmt::format("its list of free pages leads to page {} offset {}",
                                      at.page.value, at.offset));
        }
        if (!use_.take(at.page)) {
            return broken(at.page,
                          "the change buffer's list of free pages leads here, and so does "
                          "something else",
                          "page-shared");
        }
        if (!use_.belongs_to(at.page, segment_)) {
            find_of_change_buffer("page-owner", at.page,
                                  "a free page of the change buffer that its segment does not own");
        }
        ASSIGN_OR_RETURN(good, load(at.page, page));
        if (!good) {
            tree_complete_ = false;
            return {};
        }
        const std::uint16_t type = page::HeaderView(page).type();
        // One that was of the tree keeps its type.
        if (type != static_cast<std::uint16_t>(page::PageType::ChangeBufferFree) &&
            type != static_cast<std::uint16_t>(page::PageType::Index)) {
            return broken(at.page, fmt::format("on its list of free pages, but of type {}",
                                               page::type_name(type)));
        }
        const page::ListNodeView node(
            std::span<const std::byte>(page)
                .subspan<page::kChangeBufferFreeList, page::ListNodeView::kSize>());
        if (node.previous() != before) {
            return broken(at.page,
                          fmt::format("leads back to page {}, page {} is before it on the list of "
                                      "free pages",
                                      node.previous().page.value, before.page.value));
        }
        before = at;
        at = node.next();
    }
    if (count != list.length() || list.last() != before) {
        return broken(page::kChangeBufferRoot,
                      fmt::format("its list of free pages has {} and ends with page {}, it says {} "
                                  "and page {}",
                                  count, before.page.value, list.length(), list.last().page.value));
    }
    return {};
}

/// Every entry is a change of some page's index entry.
Status SystemSpaceChecker::check_entries() {
    btree::TreeReader reader(source_, btree::change_buffer_tree(page_size_),
                             btree::change_buffer_layout(), cancel_);
    RETURN_IF_ERROR(reader.to_first());
    std::vector<record::Field> fields;
    std::map<PageId, PageNo> places;  // the pages that changes wait for, by where one is
    std::size_t told = 0;
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, reader.next());
        if (!more) {
            return check_flags(places);
        }
        const PageNo page = reader.page_id().page;
        auto whole = record::parse_whole_record(reader.page(), reader.origin(), reader.layout(),
                                                false, fields);
        auto change = whole ? btree::decode_change(fields)
                            : Result<btree::BufferedChange>(std::move(whole.error()));
        if (change) {
            places.try_emplace(change->page, page);
            continue;
        }
        whole_ = false;
        if (++told <= kProblemsMax) {
            find_of_change_buffer("change-buffer", page,
                                  fmt::format("the entry at offset {}: {}", reader.origin(),
                                              change.error().message()));
        }
    }
}

/// Changes that wait for a page whose bitmap does not say so are never made. That may be right: of
/// a page that was freed since, the server forgets the bit first.
Status SystemSpaceChecker::check_flags(const std::map<PageId, PageNo>& places) {
    btree::BufferedChanges changes(source_, page_size_, cancel_);
    std::size_t told = 0;
    for (const auto& [page, place] : places) {
        const auto size = page_size_of_(page.space);
        if (!size) {
            continue;  // it was dropped; or its file is missing, which level files says
        }
        auto waits = changes.wait_for(page, *size);
        if (!waits && !is_damage(waits.error()) && waits.error().code() != ErrorCode::Key) {
            return std::move(waits.error());
        }
        if (waits && !*waits && ++told <= kProblemsMax) {
            find_of_change_buffer(
                "change-not-flagged", place,
                fmt::format("changes wait for page {} of space {}, whose bitmap does not say so: "
                            "the server will not make them",
                            page.page.value, page.space.value),
                Severity::Note);
        }
    }
    return {};
}

/// The segments of every tree that the dictionary has here, checked or not.
Status SystemSpaceChecker::add_trees(const dict::Dictionary& dictionary) {
    std::vector<std::byte> page;
    for (const dict::SystemTableRow& table : dictionary.tables) {
        for (const dict::SystemIndex& index : table.indexes) {
            if (index.space != kSystemSpace || index.root.value >= use_.page_count()) {
                continue;
            }
            ASSIGN_OR_RETURN(const bool good, load(index.root, page));
            if (!good || !page::is_index_type(page::HeaderView(page).type())) {
                continue;
            }
            const page::IndexHeaderView header(page);
            for (const page::SegmentHeaderView& segment :
                 {header.leaf_segment(), header.inner_segment()}) {
                ASSIGN_OR_RETURN(const std::uint64_t id, segment_of(segment, index.root));
                segments_.insert(id);
            }
        }
    }
    return {};
}

Status SystemSpaceChecker::find_unowned(const dict::Dictionary& dictionary) {
    if (use_.extents() == nullptr) {
        return {};
    }
    RETURN_IF_ERROR(add_trees(dictionary));
    const space::ExtentMap& extents = *use_.extents();
    std::map<std::uint64_t, std::vector<PageNo>> unknown;
    for (std::uint32_t i = 0; i < use_.page_count() && i < extents.use.size(); ++i) {
        const PageNo page{i};
        const space::PageUse kind = extents.use[i];
        if ((kind != space::PageUse::Fragment && kind != space::PageUse::Extent) ||
            extents.is_free(page) || extents.owner[i] == 0) {
            continue;
        }
        if (!segments_.contains(extents.owner[i])) {
            unknown[extents.owner[i]].push_back(page);
        } else if (extents.owner[i] == segment_ && tree_complete_ && !use_.is_used(page)) {
            find_of_change_buffer("page-unreachable", page,
                                  "a page in use of the change buffer, which does not lead to it");
        }
    }
    return name_segments(unknown);
}

Status SystemSpaceChecker::name_segments(
    const std::map<std::uint64_t, std::vector<PageNo>>& unknown) {
    for (const auto& [id, pages] : unknown) {
        ASSIGN_OR_RETURN(const bool undo, is_undo(pages));
        if (undo) {
            continue;
        }
        std::string named;
        for (std::size_t i = 0; i < pages.size() && i < kPagesNamed; ++i) {
            named += fmt::format("{}{}", i == 0 ? "" : ", ", pages[i].value);
        }
        report_({.kind = "segment-unowned",
                 .page = pages.front(),
                 .message = fmt::format(
                     "segment {} has {} pages in use ({}{}), and nothing known leads to it", id,
                     pages.size(), named, pages.size() > kPagesNamed ? ", ..." : "")},
                Severity::Note, "");
    }
    return {};
}

/// Undo logs have a segment each, and are checked as what they are.
Result<bool> SystemSpaceChecker::is_undo(const std::vector<PageNo>& pages) {
    std::vector<std::byte> page;
    for (const PageNo number : pages) {
        ASSIGN_OR_RETURN(const bool good, load(number, page));
        if (good &&
            page::HeaderView(page).type() == static_cast<std::uint16_t>(page::PageType::UndoLog)) {
            return true;
        }
    }
    return false;
}

}  // namespace redoubt::verify
