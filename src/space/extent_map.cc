#include "space/extent_map.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "page/extent_descriptor.h"
#include "page/header.h"
#include "page/list.h"
#include "page/segment_inode.h"
#include "page/tablespace_header.h"
#include "space/tablespace.h"

namespace redoubt::space {
namespace {

using page::ExtentDescriptorView;
using page::ExtentState;
using page::FileAddress;
using page::ListBaseView;
using page::ListNodeView;
using page::PageType;
using page::SegmentInodeView;
using page::TablespaceHeaderView;

/// A list node's links, kept when its page is not.
struct Links {
    FileAddress previous;
    FileAddress next;
    Links() = default;
    explicit Links(const ListNodeView& node) : previous(node.previous()), next(node.next()) {}
};

/// How full the extents of a list are.
enum class Filling : std::uint8_t { Empty, Partial, Full };

/// What the extents of one list have in common.
struct ExtentList {
    std::string_view name;
    std::uint64_t segment = 0;  // 0: a list of the space
    ExtentState state = ExtentState::Free;
    Filling filling = Filling::Empty;

    std::string to_string() const {
        return segment == 0 ? fmt::format("list {}", name)
                            : fmt::format("list {} of segment {}", name, segment);
    }
};

struct Extent {
    bool known = false;   ///< its descriptor page could be read
    bool listed = false;  ///< a list that was walked has it
    std::uint64_t segment = 0;
    Links node;
    ExtentState state = ExtentState::None;
    std::uint32_t used = 0;  ///< pages
};

/// Walks the structure once. Each extent and each inode page is entered at most once, so the work
/// is bounded by the file's size whatever the bytes say.
class Walker {
public:
    Walker(PageSource& source, SpaceId space, const page::TablespaceFlags& flags)
        : source_(source),
          space_(space),
          flags_(flags),
          page_size_(flags.physical_page_size),
          extent_pages_(flags.extent_pages()),
          first_page_(page_size_) {}

    Result<ExtentMap> walk() {
        ASSIGN_OR_RETURN(const bool readable,
                         read(PageNo{0}, first_page_, PageType::TablespaceHeader));
        if (!readable) {
            return std::move(map_);
        }
        RETURN_IF_ERROR(read_sizes());
        RETURN_IF_ERROR(read_descriptors());
        walk_space_lists();
        RETURN_IF_ERROR(walk_inode_pages(header().full_inode_pages(), "SEG_INODES_FULL", false));
        RETURN_IF_ERROR(
            walk_inode_pages(header().inode_pages_with_room(), "SEG_INODES_FREE", true));
        settle_pages();
        return std::move(map_);
    }

private:
    TablespaceHeaderView header() const { return TablespaceHeaderView(first_page_); }

    template <class... Args>
    void problem(PageNo page, fmt::format_string<Args...> format, Args&&... args) {
        map_.problems.push_back({page, fmt::format(format, std::forward<Args>(args)...)});
    }
    /// A problem behind which more of the structure lies unseen: what is missing from it proves
    /// nothing any more.
    template <class... Args>
    void broken(PageNo page, fmt::format_string<Args...> format, Args&&... args) {
        incomplete_ = true;
        problem(page, format, std::forward<Args>(args)...);
    }

    /// False, and a problem noted, when the page is damaged.
    Result<bool> read(PageNo page, std::span<std::byte> buffer, PageType type) {
        if (Status status = source_.read({space_, page}, buffer); !status) {
            const ErrorCode code = status.error().code();
            if (code == ErrorCode::Corruption || code == ErrorCode::NotFound) {
                broken(page, "{}", status.error().message());
                return false;
            }
            return std::move(status.error());
        }
        const std::uint16_t found = page::Header::Type::get(buffer);
        // Ancient servers left garbage in this field of old-format files.
        if (found != static_cast<std::uint16_t>(type) && flags_.full_crc32) {
            broken(page, "page is of type {}, expected {}", page::type_name(found),
                   page::type_name(static_cast<std::uint16_t>(type)));
            return false;
        }
        return true;
    }

    Status read_sizes() {
        map_.size = header().size();
        map_.free_limit = header().free_limit().value;
        Result<std::uint32_t> count = source_.page_count(space_);
        if (!count && count.error().code() != ErrorCode::NotFound) {
            return std::move(count.error());
        }
        const std::uint32_t pages = std::min(map_.size, count.value_or(0));
        if (!long_enough(pages, map_.size, page_size_)) {
            broken(PageNo{0}, "space has {} pages by its header, the file {}", map_.size, pages);
        }
        map_.use.assign(pages, PageUse::Unused);
        map_.owner.assign(pages, 0);
        // The first extent is described as a whole even in a file that is smaller.
        const std::uint32_t extents = (pages + extent_pages_ - 1) / extent_pages_;
        if (map_.free_limit % extent_pages_ != 0) {
            broken(PageNo{0}, "free limit {} is no multiple of an extent", map_.free_limit);
        } else if (map_.free_limit / extent_pages_ > extents) {
            broken(PageNo{0}, "free limit {} is beyond the {} pages of the space", map_.free_limit,
                   pages);
        }
        extents_.resize(std::min(map_.free_limit / extent_pages_, extents));
        used_.resize(extents_.size() * extent_pages_);
        return {};
    }

    PageNo first_page_of(std::size_t extent) const {
        return PageNo{static_cast<std::uint32_t>(extent * extent_pages_)};
    }
    bool is_descriptor_page(PageNo page) const { return page.value % page_size_ == 0; }
    bool is_bitmap_page(PageNo page) const { return page.value % page_size_ == 1; }

    Status read_descriptors() {
        std::vector<std::byte> buffer(page_size_);
        bool readable = false;
        for (std::size_t i = 0; i < extents_.size(); ++i) {
            const PageNo first = first_page_of(i);
            if (first.value == 0) {
                buffer = first_page_;
                readable = true;
            } else if (is_descriptor_page(first)) {
                ASSIGN_OR_RETURN(readable, read(first, buffer, PageType::ExtentDescriptors));
            }
            if (readable) {
                read_descriptor(i, ExtentDescriptorView::on_page(
                                       buffer, flags_, first.value % page_size_ / extent_pages_));
            }
        }
        return {};
    }

    void read_descriptor(std::size_t index, const ExtentDescriptorView& descriptor) {
        Extent& extent = extents_[index];
        extent.known = true;
        extent.segment = descriptor.segment();
        extent.node = Links(descriptor.node());
        extent.state = descriptor.state();
        const PageNo first = first_page_of(index);
        for (std::uint32_t i = 0; i < extent_pages_; ++i) {
            if (descriptor.is_free(i)) {
                continue;
            }
            ++extent.used;
            used_[first.value + i] = true;
            if (first.value + i >= map_.size) {
                problem(descriptor_page_of(first), "page {} is marked used beyond the end {}",
                        first.value + i, map_.size);
            }
        }
    }

    PageNo descriptor_page_of(PageNo page) const {
        return PageNo{page.value - page.value % page_size_};
    }

    /// The extent whose list node is at `address`; the number of extents if there is none.
    std::size_t extent_at(const FileAddress& address) const {
        constexpr std::size_t kFirstNode =
            ExtentDescriptorView::kArray + ExtentDescriptorView::kNode;
        const std::size_t size = flags_.descriptor_size();
        if (!is_descriptor_page(address.page) || address.offset < kFirstNode ||
            (address.offset - kFirstNode) % size != 0) {
            return extents_.size();
        }
        const std::size_t index = (address.offset - kFirstNode) / size;
        if (index >= page_size_ / extent_pages_) {
            return extents_.size();
        }
        return std::min(address.page.value / extent_pages_ + index, extents_.size());
    }

    /// Follows a list whose nodes `enter` looks up: given an address it returns the node, or
    /// nothing when it has said why the walk must end.
    template <class Enter>
    void follow(PageNo home, const ListBaseView& base, const std::string& name, Enter enter) {
        FileAddress previous;
        std::uint32_t length = 0;
        for (FileAddress at = base.first(); !at.is_null();) {
            const std::optional<Links> node = enter(at);
            if (!node) {
                return;
            }
            if (node->previous != previous) {
                problem(at.page, "{}: node at page {} offset {} does not link back", name,
                        at.page.value, at.offset);
            }
            ++length;
            previous = at;
            at = node->next;
        }
        if (length != base.length()) {
            problem(home, "{} has {} nodes, its base says {}", name, length, base.length());
        }
        if (base.last() != previous) {
            problem(home, "{} ends at page {}, its base says {}", name, previous.page.value,
                    base.last().page.value);
        }
    }

    /// Walks one list of extents; returns the number of used pages in them.
    std::uint64_t walk_extents(PageNo home, const ListBaseView& base, const ExtentList& list) {
        std::uint64_t used = 0;
        const std::string name = list.to_string();
        follow(home, base, name, [&](const FileAddress& at) -> std::optional<Links> {
            const std::size_t index = extent_at(at);
            if (index == extents_.size()) {
                broken(home, "{} leads to page {} offset {}, where no descriptor is", name,
                       at.page.value, at.offset);
                return std::nullopt;
            }
            Extent& extent = extents_[index];
            const PageNo first = first_page_of(index);
            if (!extent.known) {
                broken(home, "{} leads through the damaged descriptor of page {}", name,
                       first.value);
                return std::nullopt;
            }
            if (extent.listed) {
                broken(home, "{}: the extent of page {} is on a list for the second time", name,
                       first.value);
                return std::nullopt;
            }
            extent.listed = true;
            check_extent(index, list, name);
            used += extent.used;
            return extent.node;
        });
        return used;
    }

    void check_extent(std::size_t index, const ExtentList& list, const std::string& name) {
        const Extent& extent = extents_[index];
        const PageNo first = first_page_of(index);
        const PageNo home = descriptor_page_of(first);
        if (extent.state != list.state) {
            problem(home, "extent of page {} on {} has state {}", first.value, name,
                    static_cast<std::uint32_t>(extent.state));
        }
        if (list.segment != 0 && extent.segment != list.segment) {
            problem(home, "extent of page {} on {} says it belongs to segment {}", first.value,
                    name, extent.segment);
        }
        const Filling filling = extent.used == 0               ? Filling::Empty
                                : extent.used == extent_pages_ ? Filling::Full
                                                               : Filling::Partial;
        if (filling != list.filling) {
            problem(home, "extent of page {} on {} has {} used pages", first.value, name,
                    extent.used);
        }
        if (list.segment == 0) {
            return;
        }
        for (std::uint32_t i = 0; i < extent_pages_ && first.value + i < map_.use.size(); ++i) {
            map_.owner[first.value + i] = list.segment;
        }
    }

    void walk_space_lists() {
        const auto walk = [this](const ListBaseView& base, const ExtentList& list) {
            return walk_extents(PageNo{0}, base, list);
        };
        walk(header().free_extents(), {"FREE", 0, ExtentState::Free, Filling::Empty});
        const std::uint64_t used =
            walk(header().fragment_extents(),
                 {"FREE_FRAG", 0, ExtentState::FreeFragment, Filling::Partial});
        walk(header().full_fragment_extents(),
             {"FULL_FRAG", 0, ExtentState::FullFragment, Filling::Full});
        const std::uint32_t stated = header().fragment_pages_used();
        if (used != stated && !incomplete_) {
            problem(PageNo{0}, "{} pages of list FREE_FRAG are used, the header says {}", used,
                    stated);
        }
    }

    /// Takes a fragment page for `use`; says so when it cannot be that.
    void claim(PageNo home, PageNo page, PageUse use, std::uint64_t segment) {
        const std::string claimant =
            segment != 0 ? fmt::format("segment {}", segment) : std::string("the inode pages");
        if (page.value >= map_.use.size() || page.value >= used_.size()) {
            problem(home, "page {} of {} is beyond the described pages", page.value, claimant);
            return;
        }
        if (is_descriptor_page(page) || is_bitmap_page(page)) {
            problem(page, "page {} of {} belongs to the space itself", page.value, claimant);
            return;
        }
        if (map_.use[page.value] != PageUse::Unused) {
            problem(page, "page {} is owned twice: by {} and by {}", page.value,
                    map_.use[page.value] == PageUse::Inode
                        ? std::string("the inode pages")
                        : fmt::format("segment {}", map_.owner[page.value]),
                    claimant);
            return;
        }
        map_.use[page.value] = use;
        // Pages of an extent that a segment owns are settled with it.
        const Extent& extent = extents_[page.value / extent_pages_];
        if (extent.known && extent.state == ExtentState::Segment) {
            problem(page, "page {} is owned twice: by {} and by segment {} with its extent",
                    page.value, claimant, extent.segment);
            return;
        }
        map_.owner[page.value] = segment;
        if (extent.known && !used_[page.value]) {
            problem(page, "page {} of {} is marked free", page.value, claimant);
        }
    }

    Status walk_inode_pages(const ListBaseView& base, std::string_view list, bool with_free_slot) {
        std::vector<std::byte> buffer(page_size_);
        Status failure;
        const std::string name = fmt::format("list {}", list);
        follow(PageNo{0}, base, name, [&](const FileAddress& at) -> std::optional<Links> {
            if (at.offset != page::kHeaderSize || at.page.value >= map_.use.size()) {
                broken(PageNo{0}, "{} leads to page {} offset {}, where no inode page is", name,
                       at.page.value, at.offset);
                return std::nullopt;
            }
            if (map_.use[at.page.value] == PageUse::Inode) {
                broken(at.page, "{}: inode page {} is on a list for the second time", name,
                       at.page.value);
                return std::nullopt;
            }
            claim(PageNo{0}, at.page, PageUse::Inode, 0);
            map_.use[at.page.value] = PageUse::Inode;  // entered, whatever claim() found
            const Result<bool> readable = read(at.page, buffer, PageType::Inode);
            if (!readable) {
                failure = readable.error();
            }
            if (!readable || !*readable) {
                return std::nullopt;
            }
            read_inodes(at.page, buffer, name, with_free_slot);
            return Links(ListNodeView(std::span<const std::byte>(buffer)
                                          .subspan<page::kHeaderSize, ListNodeView::kSize>()));
        });
        return failure;
    }

    void read_inodes(PageNo page, std::span<const std::byte> bytes, const std::string& list,
                     bool with_free_slot) {
        const std::size_t slots = SegmentInodeView::count_per_page(flags_);
        std::size_t used = 0;
        for (std::size_t i = 0; i < slots; ++i) {
            const SegmentInodeView inode = SegmentInodeView::on_page(bytes, flags_, i);
            if (inode.segment() != 0) {
                ++used;
                read_inode(page, inode);
            }
        }
        if (used == 0 || (used < slots) != with_free_slot) {
            problem(page, "inode page on {} has {} of {} inodes in use", list, used, slots);
        }
    }

    void read_inode(PageNo page, const SegmentInodeView& inode) {
        const std::uint64_t segment = inode.segment();
        if (inode.magic() != SegmentInodeView::kMagic) {
            broken(page, "inode of segment {} has magic number {}, expected {}", segment,
                   inode.magic(), SegmentInodeView::kMagic);
            return;
        }
        if (!segments_.insert(segment).second) {
            problem(page, "segment {} has two inodes", segment);
        }
        if (segment >= header().next_segment()) {
            problem(page, "segment {} is not below the next segment id {}", segment,
                    header().next_segment());
        }
        const auto walk = [&](const ListBaseView& base, std::string_view name, Filling filling) {
            return walk_extents(page, base, {name, segment, ExtentState::Segment, filling});
        };
        walk(inode.free_extents(), "FREE", Filling::Empty);
        const std::uint64_t used = walk(inode.not_full_extents(), "NOT_FULL", Filling::Partial);
        walk(inode.full_extents(), "FULL", Filling::Full);
        if (const std::uint32_t stated = inode.not_full_pages_used();
            used != stated && !incomplete_) {
            problem(page, "{} pages of list NOT_FULL of segment {} are used, its inode says {}",
                    used, segment, stated);
        }
        for (std::size_t i = 0; i < SegmentInodeView::fragment_count(flags_); ++i) {
            const PageNo fragment = inode.fragment(i);
            if (fragment != kNoPage) {
                claim(page, fragment, PageUse::Fragment, segment);
            }
        }
    }

    /// Gives every described page its final use and finds those that nothing owns.
    void settle_pages() {
        for (std::size_t i = 0; i < extents_.size(); ++i) {
            const Extent& extent = extents_[i];
            const PageNo first = first_page_of(i);
            if (!extent.known) {
                settle_unknown(i);
                continue;
            }
            if (!extent.listed && !incomplete_) {
                problem(descriptor_page_of(first), "extent of page {}, state {}, is on no list",
                        first.value, static_cast<std::uint32_t>(extent.state));
            }
            settle_extent(i);
        }
    }

    /// One past the last page of an extent, as far as the space goes.
    std::uint32_t end_of(std::size_t index) const {
        return static_cast<std::uint32_t>(std::min<std::size_t>(
            first_page_of(index).value + std::size_t{extent_pages_}, map_.use.size()));
    }

    /// Nothing says that a page of an undescribed extent is free.
    void settle_unknown(std::size_t index) {
        for (std::uint32_t at = first_page_of(index).value; at < end_of(index); ++at) {
            if (map_.use[at] == PageUse::Unused) {
                map_.use[at] = is_descriptor_page(PageNo{at}) ? PageUse::Descriptor
                               : is_bitmap_page(PageNo{at})   ? PageUse::Bitmap
                                                              : PageUse::Unknown;
            }
        }
    }

    void settle_extent(std::size_t index) {
        const Extent& extent = extents_[index];
        const bool of_segment = extent.state == ExtentState::Segment;
        const std::uint32_t begin = first_page_of(index).value;
        const std::uint32_t end = end_of(index);
        std::uint32_t lost = 0;  // pages in a row, up to the one before `at`
        for (std::uint32_t at = begin; at <= end; ++at) {
            const bool is_lost = at < end && settle_page(PageNo{at}, of_segment);
            if (is_lost) {
                ++lost;
            } else if (lost != 0) {
                if (!incomplete_) {
                    problem(PageNo{at - lost},
                            "pages {} to {} are marked used, but nothing owns them", at - lost,
                            at - 1);
                }
                lost = 0;
            }
        }
    }

    /// True when the page is marked used and nothing owns it.
    bool settle_page(PageNo page, bool of_segment) {
        PageUse& use = map_.use[page.value];
        const bool used = used_[page.value];
        if (is_descriptor_page(page) || is_bitmap_page(page)) {
            use = is_descriptor_page(page) ? PageUse::Descriptor : PageUse::Bitmap;
            if (!used || of_segment) {
                problem(page, "page {} of the space itself is {}", page.value,
                        used ? "in the extent of a segment" : "marked free");
            }
            return false;
        }
        if (use != PageUse::Unused) {
            return false;  // claimed
        }
        if (!used) {
            use = PageUse::Free;
            return false;
        }
        use = of_segment ? PageUse::Extent : PageUse::Fragment;
        return !of_segment;
    }

    PageSource& source_;
    SpaceId space_;
    page::TablespaceFlags flags_;
    std::uint32_t page_size_;
    std::uint32_t extent_pages_;
    std::vector<std::byte> first_page_;
    ExtentMap map_;
    std::vector<Extent> extents_;
    std::vector<bool> used_;  ///< by the descriptors' bitmaps, one per described page
    std::unordered_set<std::uint64_t> segments_;
    bool incomplete_ = false;
};

}  // namespace

bool ExtentMap::is_free(PageNo page) const {
    if (page.value >= use.size()) {
        return !use.empty();  // without page 0 nothing is known
    }
    return use[page.value] == PageUse::Free || use[page.value] == PageUse::Unused;
}

Result<ExtentMap> build_extent_map(PageSource& source, SpaceId space,
                                   const page::TablespaceFlags& flags) {
    return Walker(source, space, flags).walk();
}

}  // namespace redoubt::space
