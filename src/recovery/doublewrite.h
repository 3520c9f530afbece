/// The doublewrite buffer as recovery uses it: copies of pages that may have been torn at home.
/// Format: docs/formats/tablespace.md#doublewrite.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "base/error.h"
#include "recovery/journal.h"
#include "space/codec.h"
#include "space/tablespace.h"

namespace redoubt::recovery {

class Doublewrite {
public:
    /// Reads both blocks of the system tablespace (a few MiB). Where TRX_SYS itself is torn, the
    /// places that a bootstrap gives the blocks are tried: only copies that validate are ever used.
    /// Errors: Io.
    static Result<Doublewrite> load(space::Tablespace& system);

    /// The page numbers of both blocks within the system tablespace: no pages of its own.
    bool owns(PageNo page) const;
    /// First and past-the-end page of the two blocks, which lie side by side in every server's
    /// files; where they do not, the range of the first.
    std::pair<PageNo, PageNo> range() const;

    /// Slots of both blocks; what was never written is zero.
    std::size_t slot_count() const { return std::size_t{2} * block_pages_; }
    /// A copy as it is stored, of the system tablespace's page size.
    std::span<const std::byte> slot(std::size_t index) const;
    /// Where in the system tablespace a slot is.
    PageNo slot_page(std::size_t index) const;

    /// Adds the copies that an interrupted recovery of ours left; they obey the same rules.
    void add(const Journal* journal) { journal_ = journal; }

    /// Of a page that is torn: the newest copy that passes every check of `codec` and whose LSN
    /// lies in [from, to], decoded into `plain`; of the journal, one of any LSN up to `to`. False:
    /// none. Errors: Io.
    Result<bool> find(PageId id, space::PageCodec& codec, Lsn from, Lsn to,
                      std::span<std::byte> plain) const {
        return search(id, codec, {.journal = Lsn{0}, .slots = from}, to, plain);
    }
    /// Of a page that is whole: the newest copy that is newer. `plain` is spoilt where there is
    /// none.
    Result<bool> find_newer(PageId id, space::PageCodec& codec, Lsn than, Lsn to,
                            std::span<std::byte> plain) const {
        const Lsn from{than.value + 1};
        return search(id, codec, {.journal = from, .slots = from}, to, plain);
    }
    /// The newest valid page 0 of a space, which is checked without knowing its flags. Errors: Io.
    Result<std::optional<std::vector<std::byte>>> find_first_page(SpaceId space,
                                                                  std::uint32_t page_size, Lsn from,
                                                                  Lsn to) const;
    /// Pages that have a copy in the range, by the ids in the slots (those of encrypted full_crc32
    /// pages say nothing: for them every page number in `encrypted_slot_pages()` is a candidate of
    /// every encrypted space).
    std::set<PageId> pages(Lsn from, Lsn to) const;
    std::set<PageNo> encrypted_slot_pages(Lsn from, Lsn to) const;

private:
    struct From {
        Lsn journal;
        Lsn slots;
    };
    Result<bool> search(PageId id, space::PageCodec& codec, From from, Lsn to,
                        std::span<std::byte> plain) const;
    std::uint32_t page_size_ = 0;
    std::uint32_t block_pages_ = 0;
    PageNo block1_{0};
    PageNo block2_{0};
    std::vector<std::byte> slots_;
    const Journal* journal_ = nullptr;
    std::vector<std::size_t> used_;  ///< slots with an LSN, newest first
};

}  // namespace redoubt::recovery
