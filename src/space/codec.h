/// The one page codec: stored bytes to a plain page and back. Every reader and writer goes through
/// it, so all have the same strictness and the same errors.
///   C1  decode(encode(p)) == p for every page p, but for checksum fields and stored LSN words.
///   C2  No input makes it read or write outside its buffers.
/// Format: docs/formats/page.md, checksums.md, encryption.md, page-compression.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/ids.h"
#include "crypt/crypt_data.h"
#include "crypt/keys.h"
#include "page/checksum.h"
#include "page/flags.h"

namespace redoubt::space {

enum class PageState : std::uint8_t {
    Whole,    ///< checked as far as the format allows
    AllZero,  ///< never written: valid where nothing says it must be initialised
    NoKey,    ///< check() only: the stored bytes pass, the content could not be seen (no key given)
};

/// Immutable description of one tablespace's page format plus scratch space of one thread.
/// Not thread-safe: make one per thread (clone()).
class PageCodec {
public:
    struct Parameters {
        SpaceId space;
        page::TablespaceFlags flags;
        std::optional<crypt::CryptData> crypt;
        const crypt::KeyRing* keys = nullptr;  ///< outlives the codec; null = no keys
        page::Strictness strictness = page::Strictness::AnyKnown;
        /// Algorithm for writing page_compressed pages of old-format files.
        page::CompressionAlgorithm old_algorithm = page::CompressionAlgorithm::Zlib;
    };
    explicit PageCodec(const Parameters& parameters);
    PageCodec(PageCodec&&) noexcept;
    PageCodec& operator=(PageCodec&&) noexcept;
    ~PageCodec();
    PageCodec clone() const;

    const Parameters& parameters() const;
    std::uint32_t physical_size() const;

    /// Everything that can be said of one stored page: checksum, then (where keys allow)
    /// decryption, decompression, inner checksum, page number, space id. `stored` has
    /// physical_size() bytes. Errors: Corruption (what was expected and found); Key when a key is
    /// named but wrong or missing in the ring. With keys == null an encrypted page gives NoKey.
    /// Page 0 of the system tablespace's old files etc. need no special case.
    Result<PageState> check(PageNo number, std::span<const std::byte> stored);

    /// As check(), leaving the plain page in `plain` (physical_size() bytes; may not overlap
    /// `stored`). Of a full_crc32 page, the last 4 bytes are unspecified and the first 4 are zero.
    /// Errors also: Key for an encrypted page without keys.
    Result<PageState> decode(PageNo number, std::span<const std::byte> stored,
                             std::span<std::byte> plain);

    /// Makes the bytes to store of a plain page whose LSN (at 16) is set. `stored` gets
    /// physical_size() bytes, zero behind the image; it may be `plain` itself. Returns the length
    /// of the image that must be written (a multiple of 256 or the physical size); bytes after it
    /// may be punched. Encrypts with the latest key version if the space's crypt data encrypts (and
    /// the page is of a kind that is ever encrypted), compresses if the flags say so and the page
    /// shrinks. An all-zero page stays one. Errors: Key; Internal, also for a page that carries
    /// another number or space id.
    Result<std::uint32_t> encode(PageNo number, std::span<const std::byte> plain,
                                 std::span<std::byte> stored);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::space
