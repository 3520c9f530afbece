#include "backup/drivers/aria/format.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>

#include "base/big_endian.h"
#include "base/integers.h"

namespace redoubt::backup::aria {
namespace {

// Stored little-endian, unlike the rest of the tables.
constexpr std::size_t kChecksumSize = 4;                 // bytes, at a page's end
constexpr std::uint32_t kNoChecksum = 0xffffffff;        // in place of a page's checksum
constexpr std::uint32_t kNoBitmapChecksum = 0xfffffffe;  // of a page of the allocation map
constexpr std::uint32_t kChecksumMax = 0xfffffffd;       // those two are not used as checksums

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t seed) {
    return static_cast<std::uint32_t>(
        crc32_z(seed, reinterpret_cast<const Bytef*>(bytes.data()),  // NOLINT: zlib's type
                bytes.size()));
}

// .MAI: 24 bytes that name what follows, then the state, and at `BasePosition` the base
// information, which never changes.
using Magic = BigEndian<std::uint32_t, 0>;
using Options = BigEndian<std::uint16_t, 4>;
using BasePosition = BigEndian<std::uint16_t, 12>;
using OpenCount = BigEndian<std::uint16_t, 24>;
constexpr std::size_t kRowFormatOffset = 22;  // 1 byte
constexpr std::size_t kStateBegin = 28;
constexpr std::size_t kCreateRenameLsnSize = 7;  // bytes, big-endian; where the state begins
constexpr std::uint32_t kMagicPrefix = 0xfefe09;
constexpr std::uint16_t kPageChecksumOption = 0x0800;
constexpr std::byte kPageRows{3};

// Within the base information.
using KeyStart = BigEndian<std::uint64_t, 16>;
using ExtraOptions = BigEndian<std::uint16_t, 92>;
using BlockSize = BigEndian<std::uint16_t, 100>;
constexpr std::size_t kBornTransactionalOffset = 106;  // 1 byte
constexpr std::size_t kBaseSize = 107;                 // bytes that we look at
constexpr std::uint16_t kEncryptedOption = 1;
constexpr std::uint16_t kBlockSizeMin = 1024;
constexpr std::uint16_t kBlockSizeMax = 32768;

// aria_log_control, little-endian.
constexpr std::uint32_t kControlMagic = 0x010cfefe;
constexpr std::size_t kFixedSizeOffset = 20;     // 2 bytes: of the part that never changes
constexpr std::size_t kChangingSizeOffset = 22;  // 2 bytes: of the rest
constexpr std::size_t kControlBlockSizeOffset = 24;
constexpr std::size_t kFixedSize = 30;     // ends with its CRC
constexpr std::size_t kChangingSize = 22;  // begins with its CRC
constexpr std::size_t kLastLogOffset = 41;
static_assert(kFixedSize + kChangingSize == LogControl::kSize);

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text));
}

Error bad_table(std::string message) { return Error(ErrorCode::Corruption, std::move(message)); }

constexpr std::string_view kLogPrefix = "aria_log.";
constexpr std::size_t kLogDigits = 8;

}  // namespace

Result<TableFormat> decode_table(std::span<const std::byte> header) {
    if (header.size() < kStateBegin || Magic::get(header) >> 8 != kMagicPrefix) {
        return bad_table("this is no Aria index");
    }
    const std::size_t base = BasePosition::get(header);
    if (base < kStateBegin + kCreateRenameLsnSize || base + kBaseSize > header.size()) {
        return bad_table(
            fmt::format("the index ends before its base information at byte {}", base));
    }
    const auto information = header.subspan(base, kBaseSize);
    const std::uint64_t create_rename_lsn =
        load_be(header.subspan(kStateBegin, kCreateRenameLsnSize));
    const TableFormat format{.block_size = BlockSize::get(information),
                             .key_start = KeyStart::get(information),
                             .page_rows = header[kRowFormatOffset] == kPageRows,
                             .page_checksum = (Options::get(header) & kPageChecksumOption) != 0,
                             .transactional = information[kBornTransactionalOffset] != std::byte{0},
                             .encrypted = (ExtraOptions::get(information) & kEncryptedOption) != 0,
                             .open_count = OpenCount::get(header),
                             .create_rename_lsn = create_rename_lsn};
    if (format.block_size < kBlockSizeMin || format.block_size > kBlockSizeMax ||
        (format.block_size & (format.block_size - 1)) != 0) {
        return bad_table(fmt::format("the index has a page size of {}", format.block_size));
    }
    if (format.key_start == 0 || format.key_start % format.block_size != 0 ||
        format.key_start > std::uint64_t{1} << 24) {
        return bad_table(fmt::format("the index has its first page at byte {}", format.key_start));
    }
    return format;
}

bool is_page_good(std::span<const std::byte> page, std::uint64_t number, PageKind kind,
                  const TableFormat& format) {
    const auto content = page.first(page.size() - kChecksumSize);
    const std::uint64_t stored = load_le(page.last(kChecksumSize));
    if (stored == kNoChecksum || stored == kNoBitmapChecksum) {
        return true;
    }
    std::size_t size = content.size();
    if (kind == PageKind::Index) {
        size = load_be<std::uint16_t>(page.data() + format.used_offset());
        if (size > content.size()) {
            return false;
        }
    }
    const std::uint32_t computed =
        crc32_of(content.first(size), static_cast<std::uint32_t>(number));
    if (stored == std::min(computed, kChecksumMax)) {
        return true;
    }
    // A page that the file was extended by and that nobody has written yet.
    return stored == 0 && std::all_of(content.begin(), content.end(),
                                      [](std::byte byte) { return byte == std::byte{0}; });
}

Result<LogControl> LogControl::decode(std::span<const std::byte> bytes) {
    const auto bad = [](std::string message) {
        return Error(ErrorCode::Corruption, std::move(message)).with_file(kFile);
    };
    if (bytes.size() < kSize || load_le(bytes.first(4)) != kControlMagic) {
        return bad("this is no Aria control file of a version known here");
    }
    const std::size_t fixed = load_le(bytes.subspan(kFixedSizeOffset, 2));
    const std::size_t changing = load_le(bytes.subspan(kChangingSizeOffset, 2));
    if (fixed != kFixedSize || changing != kChangingSize) {
        return bad(fmt::format("the control file has parts of {} and {} bytes", fixed, changing));
    }
    const auto fixed_part = bytes.first(kFixedSize - kChecksumSize);
    const auto changing_part =
        bytes.subspan(kFixedSize + kChecksumSize, kChangingSize - kChecksumSize);
    if (load_le(bytes.subspan(kFixedSize - kChecksumSize, kChecksumSize)) !=
            crc32_of(fixed_part, 0) ||
        load_le(bytes.subspan(kFixedSize, kChecksumSize)) != crc32_of(changing_part, 0)) {
        return bad("the control file has a wrong checksum");
    }
    LogControl control(std::string(bytes.size(), '\0'));
    std::ranges::copy(bytes, std::as_writable_bytes(std::span(control.bytes_)).begin());
    const std::size_t block = control.block_size();
    if (block < kBlockSizeMin || block > kBlockSizeMax || (block & (block - 1)) != 0) {
        return bad(fmt::format("the control file has a page size of {}", block));
    }
    return control;
}

std::uint32_t LogControl::last_log() const {
    return static_cast<std::uint32_t>(load_le(bytes_of(bytes_).subspan(kLastLogOffset, 4)));
}

std::size_t LogControl::block_size() const {
    return load_le(bytes_of(bytes_).subspan(kControlBlockSizeOffset, 2));
}

void LogControl::set_last_log(std::uint32_t number) {
    const auto writable = std::as_writable_bytes(std::span(bytes_));
    store_le(writable.data() + kLastLogOffset, number);
    const std::uint32_t checksum = crc32_of(
        bytes_of(bytes_).subspan(kFixedSize + kChecksumSize, kChangingSize - kChecksumSize), 0);
    store_le(writable.data() + kFixedSize, checksum);
}

std::string log_file_name(std::uint32_t number) {
    return fmt::format("{}{:08}", kLogPrefix, number);
}

std::optional<std::uint32_t> log_file_number(std::string_view name) {
    if (!name.starts_with(kLogPrefix) || name.size() != kLogPrefix.size() + kLogDigits) {
        return std::nullopt;
    }
    std::uint32_t number = 0;
    const char* const end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + kLogPrefix.size(), end, number);
    if (error != std::errc() || stop != end || number == 0) {
        return std::nullopt;
    }
    return number;
}

bool is_log_page(std::span<const std::byte> page, std::uint64_t number, std::uint32_t log) {
    return page.size() >= 6 && load_le(page.first(3)) == number &&
           load_le(page.subspan(3, 3)) == log;
}

}  // namespace redoubt::backup::aria
