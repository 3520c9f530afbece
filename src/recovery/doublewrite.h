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

    /// Adds the copies that an interrupted recovery of ours left; they obey the same rules.
    void add(const Journal* journal) { journal_ = journal; }

    /// The newest copy of a page that passes every check of `codec` and whose LSN lies in [from,
    /// to], decoded into `plain`. False: none. Errors: Io.
    Result<bool> find(PageId id, space::PageCodec& codec, Lsn from, Lsn to,
                      std::span<std::byte> plain) const;
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
    std::span<const std::byte> slot(std::size_t index) const;
    std::uint32_t page_size_ = 0;
    std::uint32_t block_pages_ = 0;
    PageNo block1_{0};
    PageNo block2_{0};
    std::vector<std::byte> slots_;
    const Journal* journal_ = nullptr;
    std::vector<std::size_t> used_;  ///< slots with an LSN, newest first
};

}  // namespace redoubt::recovery
