#include "space/codec.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "crypt/cipher.h"
#include "page/header.h"
#include "page/trx_system.h"
#include "space/compression.h"

namespace redoubt::space {
namespace {

using page::CompressionAlgorithm;
using page::Header;
using page::PageType;

/// docs/formats/page-compression.md#old-format: what the header's unused fields hold.
struct OldCompressed {
    using Algorithm = BigEndian<std::uint64_t, 26>;           ///< plain pages
    using Length = BigEndian<std::uint16_t, 38>;              ///< bytes of compressed data
    using EncryptedAlgorithm = BigEndian<std::uint16_t, 40>;  ///< encrypted pages
    static constexpr std::size_t kData = 40;
    static constexpr std::size_t kEncryptedData = 42;
};
constexpr std::uint32_t kNoChecksum = 0xDEADBEEF;
constexpr std::uint32_t kInvalidKeyVersion = 0xFFFFFFFF;
/// Stored old-format pages end at a multiple of this, the smallest block of a file system.
constexpr std::size_t kOldUnit = 512;
/// docs/formats/page-compression.md#full_crc32: data begins behind the type; sizes count in 256s.
constexpr std::size_t kFullData = 26;
constexpr std::size_t kFullUnit = 256;
constexpr std::size_t kCrcSize = 4;
constexpr std::uint16_t kFullCompressedBit = 0x8000;

bool is_type(std::uint16_t value, PageType type) {
    return value == static_cast<std::uint16_t>(type);
}

std::size_t round_up(std::size_t value, std::size_t unit) {
    return (value + unit - 1) / unit * unit;
}

/// lz4, lzo and snappy need the exact length of their input, so the page ends with its low byte.
bool has_length_byte(CompressionAlgorithm algorithm) {
    return algorithm == CompressionAlgorithm::Lz4 || algorithm == CompressionAlgorithm::Lzo ||
           algorithm == CompressionAlgorithm::Snappy;
}

}  // namespace

struct PageCodec::State {
    explicit State(const Parameters& given) : parameters(given) {
        const std::uint32_t size = parameters.flags.physical_page_size;
        REDOUBT_ASSERT(size >= 1024 && size <= page::kPageSizeMax && (size & (size - 1)) == 0);
    }

    Parameters parameters;
    /// Few versions are in use at a time, most often one.
    std::vector<std::pair<std::uint32_t, crypt::Cipher>> ciphers;
    std::vector<std::byte> decrypted;  ///< image between decryption and decompression
    std::vector<std::byte> inner;      ///< the plain page, where check() has no place for it

    const page::TablespaceFlags& flags() const { return parameters.flags; }
    std::size_t size() const { return flags().physical_page_size; }
    bool encrypts() const { return parameters.crypt && parameters.crypt->encrypts(); }
    PageId id(PageNo number) const { return {parameters.space, number}; }

    std::span<std::byte> scratch(std::vector<std::byte>& buffer) {
        buffer.resize(size());
        return buffer;
    }

    /// Errors: Key.
    Result<crypt::Cipher*> cipher(PageNo number, std::uint32_t version);

    /// `plain` empty: check() only, which then copies no more than it must.
    Result<PageState> read(PageNo number, std::span<const std::byte> stored,
                           std::span<std::byte> plain);
    Result<PageState> read_full(PageNo number, std::span<const std::byte> stored,
                                std::span<std::byte> plain);
    Result<PageState> read_old(PageNo number, std::span<const std::byte> stored,
                               std::span<std::byte> plain);
    Result<PageState> read_old_compressed(PageNo number, std::span<const std::byte> stored,
                                          std::span<std::byte> plain);

    Status check_number(PageNo number, std::span<const std::byte> page) const;
    Status check_identity(PageNo number, std::span<const std::byte> page) const;
    Result<PageState> check_plain(PageNo number, std::span<const std::byte> page) const;
    Status check_inner(PageNo number, std::span<const std::byte> page) const;
    /// The cipher of a page that says it is encrypted; nullptr: no keys were given, and `plain` is
    /// empty, so that none is needed. Errors: Corruption, Key.
    Result<crypt::Cipher*> decryptor_of(PageNo number, std::uint32_t version,
                                        std::span<const std::byte> plain);
    Error garbage(PageNo number, std::uint32_t version) const;
    Error mislabelled(PageNo number, std::uint32_t version) const;
    /// Decompresses a full_crc32 page, `image` being what is stored of it, decrypted.
    Status inflate_full(std::span<const std::byte> image, std::span<std::byte> plain) const;

    bool ever_encrypted(PageNo number, std::uint16_t type) const;
    bool ever_compressed(PageNo number, std::uint16_t type) const;
    Result<std::uint32_t> write_full(PageNo number, std::span<std::byte> page);
    Result<std::uint32_t> write_old(PageNo number, std::span<std::byte> page);
    Result<std::size_t> write_old_compressed(PageNo number, std::span<std::byte> page,
                                             crypt::Cipher* encryptor, std::uint32_t version);
    static Result<std::size_t> try_compress(CompressionAlgorithm algorithm,
                                            std::span<const std::byte> in,
                                            std::span<std::byte> out);
    Result<std::uint32_t> latest_key_version() const;
    crypt::Block iv(PageNo number, std::span<const std::byte> page) const {
        return crypt::page_iv(parameters.space.value, number.value, Header::PageLsn::get(page));
    }
};

Result<crypt::Cipher*> PageCodec::State::cipher(PageNo number, std::uint32_t version) {
    for (auto& [known, made] : ciphers) {
        if (known == version) {
            return &made;
        }
    }
    const Result<crypt::Key> key = parameters.keys->key(parameters.crypt->key_id, version);
    if (!key) {
        return Error(key.error()).with_page(id(number));
    }
    crypt::Block iv;
    std::copy(parameters.crypt->iv.begin(), parameters.crypt->iv.end(), iv.begin());
    ciphers.emplace_back(version,
                         crypt::Cipher(crypt::encrypt_block(*key, iv), parameters.keys->mode()));
    return &ciphers.back().second;
}

// Reading.

Status PageCodec::State::check_number(PageNo number, std::span<const std::byte> page) const {
    if (const std::uint32_t found = Header::Number::get(page); found != number.value) {
        return corruption(id(number), "page carries number {}, expected {}", found, number.value);
    }
    return {};
}

Status PageCodec::State::check_identity(PageNo number, std::span<const std::byte> page) const {
    RETURN_IF_ERROR(check_number(number, page));
    if (const std::uint32_t found = Header::Space::get(page); found != parameters.space.value) {
        return corruption(id(number), "page belongs to space {}, expected {}", found,
                          parameters.space.value);
    }
    return {};
}

/// Checksum and LSN words of a page that is neither compressed nor encrypted, then whose it is.
Result<PageState> PageCodec::State::check_plain(PageNo number,
                                                std::span<const std::byte> page) const {
    std::uint32_t expected = 0;
    std::uint32_t found = 0;
    switch (page::check_stored(page, flags(), parameters.strictness, &expected, &found)) {
        case page::ChecksumResult::AllZero:
            return PageState::AllZero;
        case page::ChecksumResult::Mismatch:
            if (expected == found) {
                return corruption(id(number), "the two LSN fields of the page differ");
            }
            return corruption(id(number), "page checksum mismatch: expected {:08x}, found {:08x}",
                              expected, found);
        case page::ChecksumResult::Ok:
            break;
    }
    RETURN_IF_ERROR(check_identity(number, page));
    return PageState::Whole;
}

Result<crypt::Cipher*> PageCodec::State::decryptor_of(PageNo number, std::uint32_t version,
                                                      std::span<const std::byte> plain) {
    if (!encrypts() || version == 0 || version == kInvalidKeyVersion) {
        return corruption(id(number),
                          "page says that key version {} encrypts it, its file does not", version);
    }
    if (parameters.keys == nullptr) {
        if (plain.empty()) {
            return nullptr;
        }
        return make_error(ErrorCode::Key,
                          "page is encrypted with key {} version {}, no keys were given",
                          parameters.crypt->key_id, version)
            .with_page(id(number))
            .with_hint("give the server's key file with --key-file");
    }
    return cipher(number, version);
}

/// For a page whose bytes are as they were written, yet make no sense decrypted.
Error PageCodec::State::garbage(PageNo number, std::uint32_t version) const {
    return make_error(ErrorCode::Key,
                      "page does not decrypt with key {} version {}: another key or cipher mode",
                      parameters.crypt->key_id, version)
        .with_page(id(number))
        .with_hint("check --key-file and --key-algorithm against the server's settings");
}

/// docs/formats/page-compression.md#mislabelled
Error PageCodec::State::mislabelled(PageNo number, std::uint32_t version) const {
    return corruption(id(number),
                      "page says that key version {} encrypts it, but it is stored unencrypted",
                      version)
        .with_hint(
            "MariaDB writes such pages, and cannot read them, when a page_compressed table that "
            "was encrypted is no longer (mariadb-backup --prepare does); restore the table from "
            "before that");
}

Status PageCodec::State::inflate_full(std::span<const std::byte> image,
                                      std::span<std::byte> plain) const {
    std::size_t behind = 0;  // bytes between the data and the image's end
    if (has_length_byte(flags().algorithm)) {
        const auto low = std::to_integer<std::size_t>(image[image.size() - kCrcSize - 1]);
        behind = kCrcSize + 1 + (low != 0 ? kFullUnit - low : 0);
    }
    if (image.size() <= kFullData + behind) {
        return make_error(ErrorCode::Corruption, "compressed page has no data");
    }
    return decompress(flags().algorithm, image.first(image.size() - behind).subspan(kFullData),
                      plain);
}

Result<PageState> PageCodec::State::read(PageNo number, std::span<const std::byte> stored,
                                         std::span<std::byte> plain) {
    if (page::all_zero(stored)) {
        std::fill(plain.begin(), plain.end(), std::byte{0});
        return PageState::AllZero;
    }
    return flags().full_crc32 ? read_full(number, stored, plain) : read_old(number, stored, plain);
}

Result<PageState> PageCodec::State::read_full(PageNo number, std::span<const std::byte> stored,
                                              std::span<std::byte> plain) {
    const std::size_t length = page::full_crc32_stored_size(stored);
    if (length < kFullUnit) {
        return corruption(id(number), "stored size of the compressed page is off: type {:04x}",
                          Header::Type::get(stored));
    }
    const bool compressed = (Header::Type::get(stored) & kFullCompressedBit) != 0;
    const std::uint32_t version = Header::KeyVersion::get(stored);
    if (!compressed && version == 0) {
        RETURN_IF_ERROR(check_plain(number, stored));
        if (!plain.empty()) {
            std::memcpy(plain.data(), stored.data(), stored.size());
        }
        return PageState::Whole;
    }

    std::uint32_t expected = 0;
    std::uint32_t found = 0;
    if (page::check_stored(stored, flags(), parameters.strictness, &expected, &found) !=
        page::ChecksumResult::Ok) {
        return corruption(id(number), "page checksum mismatch: expected {:08x}, found {:08x}",
                          expected, found);
    }
    RETURN_IF_ERROR(check_number(number, stored));
    if (compressed && flags().algorithm == CompressionAlgorithm::None) {
        return corruption(id(number), "compressed page in a file that is not page_compressed");
    }
    // Where the plain page goes; without compression the decrypted image is the plain page.
    const std::span<std::byte> out = plain.empty() ? scratch(inner) : plain;
    std::span<const std::byte> image = stored;
    if (version != 0) {
        ASSIGN_OR_RETURN(crypt::Cipher* const decryptor, decryptor_of(number, version, plain));
        if (decryptor == nullptr) {
            return PageState::NoKey;
        }
        const std::span<std::byte> target = compressed ? scratch(decrypted) : out;
        std::memcpy(target.data(), stored.data(), kFullData);
        Header::KeyVersion::set(target, 0);
        std::memcpy(target.data() + length - kCrcSize, stored.data() + length - kCrcSize, kCrcSize);
        const std::size_t payload = length - kCrcSize - kFullData;
        decryptor->decrypt(iv(number, stored), stored.subspan(kFullData, payload),
                           target.subspan(kFullData, payload));
        image = target;
    }
    if (compressed) {
        if (Status status = inflate_full(image.first(length), out); !status) {
            if (version == 0 || status.error().code() != ErrorCode::Corruption) {
                return Error(status.error()).with_page(id(number));
            }
            return inflate_full(stored.first(length), out) ? mislabelled(number, version)
                                                           : garbage(number, version);
        }
        image = out;
    }
    constexpr std::size_t kLsnLow = Header::PageLsn::kOffset + 4;
    if (std::memcmp(image.data() + kLsnLow, image.data() + size() - page::kTrailerSize, 4) != 0) {
        if (version != 0) {
            return garbage(number, version);
        }
        return corruption(id(number), "the two LSN fields of the page differ");
    }
    RETURN_IF_ERROR(check_identity(number, image));
    return PageState::Whole;
}

Result<PageState> PageCodec::State::read_old(PageNo number, std::span<const std::byte> stored,
                                             std::span<std::byte> plain) {
    const std::uint16_t type = Header::Type::get(stored);
    if (flags().page_compressed && (is_type(type, PageType::PageCompressed) ||
                                    is_type(type, PageType::PageCompressedEncrypted))) {
        return read_old_compressed(number, stored, plain);
    }
    const std::uint32_t version = Header::OldKeyVersion::get(stored);
    if (version == 0 || !encrypts() || number.value == 0 || is_type(type, PageType::RTree)) {
        ASSIGN_OR_RETURN(const PageState state, check_plain(number, stored));
        if (state == PageState::AllZero) {  // but for bytes 26..33, which nothing checks
            std::fill(plain.begin(), plain.end(), std::byte{0});
            return state;
        }
        if (!plain.empty()) {
            std::memcpy(plain.data(), stored.data(), stored.size());
        }
        return PageState::Whole;
    }

    if (version == kInvalidKeyVersion ||
        page::check_post_encryption(stored, flags()) != page::ChecksumResult::Ok) {
        return corruption(id(number),
                          "checksum mismatch of the encrypted page: expected {:08x}, found {:08x}",
                          flags().row_compressed ? page::zip_crc32_checksum(stored)
                                                 : page::crc32_checksum(stored),
                          Header::PostEncryption::get(stored));
    }
    RETURN_IF_ERROR(check_identity(number, stored));  // both fields are stored plain
    ASSIGN_OR_RETURN(crypt::Cipher* const decryptor, decryptor_of(number, version, plain));
    if (decryptor == nullptr) {
        return PageState::NoKey;
    }
    const std::span<std::byte> out = plain.empty() ? scratch(inner) : plain;
    const std::size_t end = size() - page::kTrailerSize;
    std::memcpy(out.data(), stored.data(), page::kHeaderSize);
    std::memcpy(out.data() + end, stored.data() + end, page::kTrailerSize);
    Header::OldKeyVersion::set(out, 0);
    Header::PostEncryption::set(out, 0);
    const std::size_t payload = end - page::kHeaderSize;
    decryptor->decrypt(iv(number, stored), stored.subspan(page::kHeaderSize, payload),
                       out.subspan(page::kHeaderSize, payload));
    if (page::check_stored(out, flags(), parameters.strictness) != page::ChecksumResult::Ok) {
        return garbage(number, version);
    }
    return PageState::Whole;
}

/// A page that came out of old-format decompression.
Status PageCodec::State::check_inner(PageNo number, std::span<const std::byte> page) const {
    const std::uint16_t type = Header::Type::get(page);
    if (is_type(type, PageType::PageCompressed) ||
        is_type(type, PageType::PageCompressedEncrypted)) {
        return corruption(id(number), "compressed page within a compressed page");
    }
    ASSIGN_OR_RETURN(const PageState state, check_plain(number, page));
    if (state != PageState::Whole) {
        return corruption(id(number), "compressed page holds only zeros");
    }
    return {};
}

Result<PageState> PageCodec::State::read_old_compressed(PageNo number,
                                                        std::span<const std::byte> stored,
                                                        std::span<std::byte> plain) {
    const bool encrypted = is_type(Header::Type::get(stored), PageType::PageCompressedEncrypted);
    const std::size_t begin = encrypted ? OldCompressed::kEncryptedData : OldCompressed::kData;
    const std::size_t length = OldCompressed::Length::get(stored);
    const std::uint64_t algorithm = encrypted ? OldCompressed::EncryptedAlgorithm::get(stored)
                                              : OldCompressed::Algorithm::get(stored);
    const std::uint32_t version = encrypted ? Header::OldKeyVersion::get(stored) : 0;
    if (Header::Checksum::get(stored) != kNoChecksum) {
        return corruption(id(number), "compressed page begins with {:08x}, expected {:08x}",
                          Header::Checksum::get(stored), kNoChecksum);
    }
    if (length == 0 || length > stored.size() - begin) {
        return corruption(id(number), "compressed length {} does not fit the page", length);
    }
    if (algorithm == 0 || algorithm > static_cast<std::uint64_t>(CompressionAlgorithm::Snappy)) {
        return corruption(id(number), "unknown compression algorithm {}", algorithm);
    }
    RETURN_IF_ERROR(check_identity(number, stored));

    std::span<const std::byte> data = stored.subspan(begin, length);
    if (encrypted) {
        ASSIGN_OR_RETURN(crypt::Cipher* const decryptor, decryptor_of(number, version, plain));
        if (decryptor == nullptr) {
            return PageState::NoKey;
        }
        const std::span<std::byte> target = scratch(decrypted).first(length);
        decryptor->decrypt(iv(number, stored), data, target);
        data = target;
    }
    const std::span<std::byte> out = plain.empty() ? scratch(inner) : plain;
    Status status = decompress(static_cast<CompressionAlgorithm>(algorithm), data, out);
    if (status) {
        status = check_inner(number, out);
    }
    if (status) {
        return PageState::Whole;
    }
    if (encrypted && status.error().code() == ErrorCode::Corruption) {
        // Readers do not check the stored checksum, as stale bytes may follow the data; but with
        // zeros there it tells damage from a wrong key.
        const std::span<std::byte> image = scratch(decrypted);
        std::copy_n(stored.begin(), begin + length, image.begin());
        std::fill(image.begin() + static_cast<std::ptrdiff_t>(begin + length), image.end(),
                  std::byte{0});
        if (page::check_post_encryption(image, flags()) == page::ChecksumResult::Ok) {
            return garbage(number, version);
        }
    }
    return std::move(status.error()).with_page(id(number));
}

// Writing.

bool PageCodec::State::ever_encrypted(PageNo number, std::uint16_t type) const {
    if (number.value == 0 || is_type(type, PageType::TablespaceHeader) ||
        is_type(type, PageType::ExtentDescriptors)) {
        return false;
    }
    if (parameters.space == kSystemSpace && number == page::TrxSystemView::kPage) {
        return false;
    }
    return flags().full_crc32 || !is_type(type, PageType::RTree);
}

bool PageCodec::State::ever_compressed(PageNo number, std::uint16_t type) const {
    return flags().page_compressed && number.value != 0 && !is_type(type, PageType::Allocated) &&
           !is_type(type, PageType::TablespaceHeader) &&
           !is_type(type, PageType::ExtentDescriptors);
}

/// As compress(); 0 too where the library is missing, since a plain page is always allowed.
Result<std::size_t> PageCodec::State::try_compress(CompressionAlgorithm algorithm,
                                                   std::span<const std::byte> in,
                                                   std::span<std::byte> out) {
    Result<std::size_t> length = compress(algorithm, in, out);
    if (!length && length.error().code() == ErrorCode::Unsupported) {
        return 0;
    }
    return length;
}

Result<std::uint32_t> PageCodec::State::latest_key_version() const {
    if (parameters.keys == nullptr) {
        return make_error(ErrorCode::Key, "writing needs encryption key {}, no keys were given",
                          parameters.crypt->key_id)
            .with_hint("give the server's key file with --key-file");
    }
    return parameters.keys->latest_version(parameters.crypt->key_id);
}

Result<std::uint32_t> PageCodec::State::write_full(PageNo number, std::span<std::byte> page) {
    const std::uint16_t type = Header::Type::get(page);
    page::seal(page, flags());
    Header::KeyVersion::set(page, 0);
    std::size_t length = size();
    bool changed = false;
    if (ever_compressed(number, type)) {
        store_be<std::uint32_t>(page.data() + size() - kCrcSize, 0);  // the server leaves zeros too
        const std::size_t length_byte = has_length_byte(flags().algorithm) ? 1 : 0;
        const std::size_t around = kFullData + length_byte + kCrcSize;
        const std::span<std::byte> image = scratch(decrypted);
        ASSIGN_OR_RETURN(const std::size_t data,
                         try_compress(flags().algorithm, page,
                                      image.subspan(kFullData, size() - kFullUnit - around)));
        if (data != 0) {
            length = round_up(data + around, kFullUnit);
            std::copy_n(image.begin() + kFullData, data, page.begin() + kFullData);
            std::fill(page.begin() + static_cast<std::ptrdiff_t>(kFullData + data), page.end(),
                      std::byte{0});
            Header::Type::set(
                page, static_cast<std::uint16_t>(kFullCompressedBit | (length / kFullUnit)));
            if (length_byte != 0) {
                page[length - kCrcSize - 1] =
                    static_cast<std::byte>(kFullData + data + 1 + kCrcSize);
            }
        }
        changed = true;
    }
    if (encrypts() && ever_encrypted(number, type)) {
        ASSIGN_OR_RETURN(const std::uint32_t version, latest_key_version());
        ASSIGN_OR_RETURN(crypt::Cipher* const encryptor, cipher(number, version));
        const std::span<std::byte> payload = page.subspan(kFullData, length - kCrcSize - kFullData);
        encryptor->encrypt(iv(number, page), payload, payload);
        Header::KeyVersion::set(page, version);
        changed = true;
    }
    if (changed) {
        store_be(page.data() + length - kCrcSize, crc32c(page.first(length - kCrcSize)));
    }
    return static_cast<std::uint32_t>(length);
}

Result<std::size_t> PageCodec::State::write_old_compressed(PageNo number, std::span<std::byte> page,
                                                           crypt::Cipher* encryptor,
                                                           std::uint32_t version) {
    const std::size_t begin =
        encryptor != nullptr ? OldCompressed::kEncryptedData : OldCompressed::kData;
    const CompressionAlgorithm algorithm = parameters.old_algorithm;
    const std::span<std::byte> image = scratch(decrypted);
    ASSIGN_OR_RETURN(
        const std::size_t length,
        try_compress(algorithm, page, image.subspan(begin, size() - kOldUnit - begin)));
    if (length == 0) {
        return 0;
    }
    std::copy_n(image.begin() + static_cast<std::ptrdiff_t>(begin), length,
                page.begin() + static_cast<std::ptrdiff_t>(begin));
    std::fill(page.begin() + static_cast<std::ptrdiff_t>(begin + length), page.end(), std::byte{0});
    Header::Checksum::set(page, kNoChecksum);
    OldCompressed::Length::set(page, static_cast<std::uint16_t>(length));
    if (encryptor == nullptr) {
        Header::Type::set(page, static_cast<std::uint16_t>(PageType::PageCompressed));
        OldCompressed::Algorithm::set(page, static_cast<std::uint64_t>(algorithm));
    } else {
        Header::Type::set(page, static_cast<std::uint16_t>(PageType::PageCompressedEncrypted));
        Header::OldKeyVersion::set(page, version);
        OldCompressed::EncryptedAlgorithm::set(page, static_cast<std::uint16_t>(algorithm));
        const std::span<std::byte> payload = page.subspan(begin, length);
        encryptor->encrypt(iv(number, page), payload, payload);
        Header::PostEncryption::set(page, page::crc32_checksum(page));
    }
    return round_up(begin + length, kOldUnit);
}

Result<std::uint32_t> PageCodec::State::write_old(PageNo number, std::span<std::byte> page) {
    const std::uint16_t type = Header::Type::get(page);
    if (encrypts() && number.value != 0 && !is_type(type, PageType::RTree)) {
        // In such a file these bytes say whether and how a page is encrypted.
        Header::OldKeyVersion::set(page, 0);
        Header::PostEncryption::set(page, 0);
    }
    page::seal(page, flags());
    crypt::Cipher* encryptor = nullptr;
    std::uint32_t version = 0;
    if (encrypts() && ever_encrypted(number, type)) {
        ASSIGN_OR_RETURN(version, latest_key_version());
        ASSIGN_OR_RETURN(encryptor, cipher(number, version));
    }
    if (ever_compressed(number, type)) {
        ASSIGN_OR_RETURN(const std::size_t length,
                         write_old_compressed(number, page, encryptor, version));
        if (length != 0) {
            return static_cast<std::uint32_t>(length);
        }
    }
    if (encryptor != nullptr) {
        const std::span<std::byte> payload =
            page.subspan(page::kHeaderSize, size() - page::kTrailerSize - page::kHeaderSize);
        encryptor->encrypt(iv(number, page), payload, payload);
        Header::OldKeyVersion::set(page, version);
        const std::uint32_t checksum =
            flags().row_compressed ? page::zip_crc32_checksum(page) : page::crc32_checksum(page);
        Header::PostEncryption::set(page, checksum);
    } else {
        // A page stored plain says "not encrypted" here. So does the server's, even where an R-tree
        // page had its split sequence number in these bytes (docs/formats/page.md#bytes-26-to-33).
        Header::OldKeyVersion::set(page, 0);
        Header::PostEncryption::set(page, 0);
    }
    return static_cast<std::uint32_t>(size());
}

PageCodec::PageCodec(const Parameters& parameters) : state_(std::make_unique<State>(parameters)) {}
PageCodec::PageCodec(PageCodec&&) noexcept = default;
PageCodec& PageCodec::operator=(PageCodec&&) noexcept = default;
PageCodec::~PageCodec() = default;
PageCodec PageCodec::clone() const { return PageCodec(state_->parameters); }

const PageCodec::Parameters& PageCodec::parameters() const { return state_->parameters; }
std::uint32_t PageCodec::physical_size() const {
    return state_->parameters.flags.physical_page_size;
}

Result<PageState> PageCodec::check(PageNo number, std::span<const std::byte> stored) {
    REDOUBT_ASSERT(stored.size() == physical_size());
    return state_->read(number, stored, {});
}

Result<PageState> PageCodec::decode(PageNo number, std::span<const std::byte> stored,
                                    std::span<std::byte> plain) {
    REDOUBT_ASSERT(stored.size() == physical_size() && plain.size() == physical_size());
    return state_->read(number, stored, plain);
}

Result<std::uint32_t> PageCodec::encode(PageNo number, std::span<const std::byte> plain,
                                        std::span<std::byte> stored) {
    REDOUBT_ASSERT(stored.size() == physical_size() && plain.size() == physical_size());
    if (stored.data() != plain.data()) {
        std::memcpy(stored.data(), plain.data(), plain.size());
    }
    if (page::all_zero(plain)) {
        return physical_size();  // never written: stays so, as a checksum would make it a page
    }
    if (Header::Number::get(plain) != number.value ||
        Header::Space::get(plain) != state_->parameters.space.value) {
        return make_error(ErrorCode::Internal, "page to write is page {} of space {}",
                          Header::Number::get(plain), Header::Space::get(plain))
            .with_page(state_->id(number));
    }
    return state_->flags().full_crc32 ? state_->write_full(number, stored)
                                      : state_->write_old(number, stored);
}

}  // namespace redoubt::space
