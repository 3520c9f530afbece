#include "recovery/doublewrite.h"

#include <algorithm>

#include "page/header.h"
#include "page/trx_system.h"

namespace redoubt::recovery {

using page::HeaderView;

Result<Doublewrite> Doublewrite::load(space::Tablespace& system) {
    Doublewrite result;
    const page::TablespaceFlags& flags = system.header().flags;
    result.page_size_ = flags.logical_page_size;
    result.block_pages_ = flags.extent_pages();
    // Where a bootstrap puts the blocks: the second and third extent.
    result.block1_ = PageNo{result.block_pages_};
    result.block2_ = PageNo{2 * result.block_pages_};

    std::vector<std::byte> trx_system(result.page_size_);
    ASSIGN_OR_RETURN(const std::uint32_t read, system.read_raw(PageNo{5}, 1, trx_system));
    if (read == 1) {
        const page::DoublewriteHeaderView header(trx_system);
        if (header.present()) {
            result.block1_ = header.block1();
            result.block2_ = header.block2();
        }
    }
    result.slots_.resize(std::size_t{2} * result.block_pages_ * result.page_size_);
    const std::size_t block_bytes = result.slots_.size() / 2;
    ASSIGN_OR_RETURN(const std::uint32_t page_count, system.page_count());
    std::size_t offset = 0;
    for (const PageNo first : {result.block1_, result.block2_}) {
        if (first.value < page_count) {
            const std::uint32_t count = std::min(result.block_pages_, page_count - first.value);
            ASSIGN_OR_RETURN(
                const std::uint32_t got,
                system.read_raw(first, count,
                                std::span(result.slots_)
                                    .subspan(offset, std::size_t{count} * result.page_size_)));
            static_cast<void>(got);  // what is past the end stays zero: an unused slot
        }
        offset += block_bytes;
    }
    for (std::size_t i = 0; i < std::size_t{2} * result.block_pages_; ++i) {
        if (HeaderView(result.slot(i)).lsn() != Lsn{0}) {
            result.used_.push_back(i);
        }
    }
    std::stable_sort(result.used_.begin(), result.used_.end(), [&](std::size_t a, std::size_t b) {
        return HeaderView(result.slot(a)).lsn() > HeaderView(result.slot(b)).lsn();
    });
    return result;
}

std::span<const std::byte> Doublewrite::slot(std::size_t index) const {
    return std::span(slots_).subspan(index * page_size_, page_size_);
}

PageNo Doublewrite::slot_page(std::size_t index) const {
    const auto at = static_cast<std::uint32_t>(index);
    return at < block_pages_ ? PageNo{block1_.value + at}
                             : PageNo{block2_.value + at - block_pages_};
}

bool Doublewrite::owns(PageNo page) const {
    const auto in = [&](PageNo first) {
        return page >= first && page.value - first.value < block_pages_;
    };
    return in(block1_) || in(block2_);
}

std::pair<PageNo, PageNo> Doublewrite::range() const {
    const bool adjacent = block2_.value == block1_.value + block_pages_;
    return {block1_, PageNo{block1_.value + (adjacent ? 2 : 1) * block_pages_}};
}

Result<bool> Doublewrite::search(PageId id, space::PageCodec& codec, From from, Lsn to,
                                 std::span<std::byte> plain) const {
    const auto usable = [&](std::span<const std::byte> copy, Lsn lsn_begin) {
        const HeaderView header(copy);
        if (header.number() != id.page || header.lsn() < lsn_begin || header.lsn() > to) {
            return false;
        }
        const auto state = codec.decode(id.page, copy, plain);
        return state && *state == space::PageState::Whole;
    };
    if (journal_ != nullptr) {
        std::vector<std::byte> copy(codec.physical_size());
        ASSIGN_OR_RETURN(const bool found, journal_->read(id, copy));
        if (found && usable(copy, from.journal)) {
            return true;
        }
    }
    for (const std::size_t i : used_) {
        if (usable(slot(i).first(codec.physical_size()), from.slots)) {
            return true;
        }
    }
    return false;
}

Result<std::optional<std::vector<std::byte>>> Doublewrite::find_first_page(SpaceId space,
                                                                           std::uint32_t page_size,
                                                                           Lsn from, Lsn to) const {
    const auto usable = [&](std::span<const std::byte> copy, Lsn lsn_begin) {
        const HeaderView header(copy);
        return header.number() == PageNo{0} && header.space() == space &&
               header.lsn() >= lsn_begin && header.lsn() <= to &&
               space::parse_first_page(copy, page_size, page::Strictness::AnyKnown);
    };
    if (journal_ != nullptr) {
        ASSIGN_OR_RETURN(auto copy, journal_->read({space, PageNo{0}}));
        if (copy && copy->size() >= page::kHeaderSize && usable(*copy, Lsn{0})) {
            return copy;
        }
    }
    for (const std::size_t i : used_) {
        if (usable(slot(i), from)) {
            return std::optional(std::vector<std::byte>(slot(i).begin(), slot(i).end()));
        }
    }
    return std::optional<std::vector<std::byte>>();
}

std::set<PageId> Doublewrite::pages(Lsn from, Lsn to) const {
    std::set<PageId> result;
    for (const std::size_t i : used_) {
        const HeaderView header(slot(i));
        if (header.lsn() >= from && header.lsn() <= to) {
            result.insert({header.space(), header.number()});
        }
    }
    return result;
}

std::set<PageNo> Doublewrite::encrypted_slot_pages(Lsn from, Lsn to) const {
    std::set<PageNo> result;
    for (const std::size_t i : used_) {
        const HeaderView header(slot(i));
        // Word 0 is a key version in full_crc32 pages; in old pages a checksum, which does no harm
        // here.
        if (page::Header::KeyVersion::get(slot(i)) != 0 && header.lsn() >= from &&
            header.lsn() <= to) {
            result.insert(header.number());
        }
    }
    return result;
}

}  // namespace redoubt::recovery
