/// Columns stored outside their records, as chains of pages. Format: docs/formats/blobs.md.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "space/page_source.h"

namespace redoubt::btree {

class BlobReader {
public:
    /// Of one tablespace. `physical_size`: bytes of its pages.
    BlobReader(space::PageSource& source, SpaceId space, std::uint32_t physical_size,
               bool row_compressed);
    /// Appends what `reference` (20 bytes) leads to, at most `limit` bytes of it. Nothing is
    /// appended for a reference of zeros (never written). Errors: Corruption: the chain is broken,
    /// or holds less than the reference says; Io; Key.
    Status append(std::span<const std::byte> reference, std::string& out,
                  std::uint64_t limit = UINT64_MAX);
    /// Reads the same, and keeps nothing; `on_page` gets each page of the chain and says
    /// whether to go on. Errors: as
    /// append(); also Corruption where the chain goes on behind the value's end.
    Status check(std::span<const std::byte> reference, const std::function<bool(PageNo)>& on_page);

private:
    struct Reference;
    struct Sink;
    Result<std::optional<Reference>> parse(std::span<const std::byte> bytes) const;
    Status read(const Reference& from, std::uint64_t wanted, const Sink& sink);
    Status read_plain(const Reference& from, std::uint64_t wanted, const Sink& sink);
    Status read_compressed(const Reference& from, std::uint64_t wanted, const Sink& sink);

    space::PageSource& source_;
    SpaceId space_;
    bool row_compressed_;
    std::vector<std::byte> page_;
};

}  // namespace redoubt::btree
