/// The 38-byte header that begins every page (InnoDB: FIL header), and the page types.
/// Format: docs/formats/page.md#header.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/big_endian.h"
#include "base/ids.h"

namespace redoubt::page {

inline constexpr std::size_t kHeaderSize = 38;  // bytes
inline constexpr std::size_t kTrailerSize = 8;  // bytes; none in ROW_FORMAT=COMPRESSED
inline constexpr std::uint32_t kPageSizeMax = 65536;

/// Values of the type field. A full_crc32 compressed page has bit 15 set instead (on disk only).
enum class PageType : std::uint16_t {
    Allocated = 0,
    UndoLog = 2,
    Inode = 3,
    ChangeBufferFree = 4,
    ChangeBufferBitmap = 5,
    System = 6,
    TrxSystem = 7,
    TablespaceHeader = 8,
    ExtentDescriptors = 9,
    Blob = 10,
    ZBlob = 11,
    ZBlob2 = 12,
    Unknown = 13,
    Instant = 18,
    RTree = 17854,
    Index = 17855,
    PageCompressed = 34354,
    PageCompressedEncrypted = 37401,
};
/// "index", "undo log", ...; "type 4711" for a number that is none of ours.
std::string type_name(std::uint16_t type);
/// INDEX, RTREE or INSTANT.
bool is_index_type(std::uint16_t type);

/// Field positions, for code that works on whole pages. `bytes` is the page.
struct Header {
    using Checksum = BigEndian<std::uint32_t, 0>;    ///< old format; full_crc32: KeyVersion
    using KeyVersion = BigEndian<std::uint32_t, 0>;  ///< full_crc32 only, 0 = plain
    using Number = BigEndian<std::uint32_t, 4>;
    using Previous = BigEndian<std::uint32_t, 8>;
    using Next = BigEndian<std::uint32_t, 12>;
    using PageLsn = BigEndian<std::uint64_t, 16>;
    using Type = BigEndian<std::uint16_t, 24>;
    using OldKeyVersion = BigEndian<std::uint32_t, 26>;   ///< old format, encrypted pages
    using PostEncryption = BigEndian<std::uint32_t, 30>;  ///< old format, encrypted pages
    using Space = BigEndian<std::uint32_t, 34>;
};

/// Read-only view of a page header.
class HeaderView {
public:
    explicit HeaderView(std::span<const std::byte> page) : bytes_(page.first<kHeaderSize>()) {}
    PageNo number() const { return PageNo{Header::Number::get(bytes_)}; }
    PageNo previous() const { return PageNo{Header::Previous::get(bytes_)}; }
    PageNo next() const { return PageNo{Header::Next::get(bytes_)}; }
    Lsn lsn() const { return Lsn{Header::PageLsn::get(bytes_)}; }
    std::uint16_t type() const { return Header::Type::get(bytes_); }
    SpaceId space() const { return SpaceId{Header::Space::get(bytes_)}; }

private:
    std::span<const std::byte, kHeaderSize> bytes_;
};

/// What INIT_PAGE and a fresh allocation leave: zeros, number, null links, space id.
void initialise(std::span<std::byte> page, PageId id);

}  // namespace redoubt::page
