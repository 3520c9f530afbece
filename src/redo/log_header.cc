#include "redo/log_header.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/big_endian.h"
#include "base/crc32c.h"

namespace redoubt::redo {
namespace {

namespace header {
using Format = BigEndian<std::uint32_t, 0>;
using Zero = BigEndian<std::uint32_t, 4>;
using FirstLsn = BigEndian<std::uint64_t, 8>;
constexpr std::size_t kCreator = 16;
constexpr std::size_t kCreatorSize = 32;
using KeyId = BigEndian<std::uint32_t, 48>;
using KeyVersion = BigEndian<std::uint32_t, 52>;
constexpr std::size_t kCryptMessage = 56;
using Crc = BigEndian<std::uint32_t, 508>;
static_assert(Zero::kOffset == Format::kEnd && FirstLsn::kOffset == Zero::kEnd);
static_assert(kCreator == FirstLsn::kEnd && KeyId::kOffset == kCreator + kCreatorSize);
static_assert(KeyVersion::kOffset == KeyId::kEnd && kCryptMessage == KeyVersion::kEnd);
static_assert(Crc::kEnd == kHeaderSize);
}  // namespace header

namespace checkpoint_block {
using CheckpointLsn = BigEndian<std::uint64_t, 0>;
using EndLsn = BigEndian<std::uint64_t, 8>;
using Crc = BigEndian<std::uint32_t, 60>;
static_assert(EndLsn::kOffset == CheckpointLsn::kEnd && Crc::kEnd == kCheckpointSize);
}  // namespace checkpoint_block

constexpr std::uint32_t kFormatPhys = 0x50687973;       // "Phys", since 10.8
constexpr std::uint32_t kFormatEncrypted = 0xF09F979D;  // ENC_11
constexpr std::uint32_t kEncryptedBit = 0x80000000;     // in formats before 10.8
constexpr std::uint32_t kLogKeyId = 1;

/// A format that is recognised but not read. `hint` is the way to a log that is.
struct OldFormat {
    std::uint32_t first;
    std::uint32_t last;
    std::string_view name;
    std::string_view hint;
};
constexpr std::string_view kOldMariaDb =
    "start and cleanly stop that server once, then start and stop MariaDB 10.11 on the directory: "
    "it replaces the log by one of its own format";
constexpr std::string_view kOldMySql =
    "dump the data with that MySQL server and load it into MariaDB: MariaDB cannot take over a "
    "MySQL 8.0 directory";
constexpr std::array kOldFormats = {
    OldFormat{0, 0, "MySQL 5.6 or MariaDB 10.1 or older", kOldMariaDb},
    OldFormat{1, 1, "MariaDB 10.2 or MySQL 5.7", kOldMariaDb},
    OldFormat{2, 6, "MySQL 8.0", kOldMySql},
    OldFormat{103, 103, "MariaDB 10.3", kOldMariaDb},
    OldFormat{104, 104, "MariaDB 10.4", kOldMariaDb},
    OldFormat{0x50485953, 0x50485953, "MariaDB 10.5 to 10.7", kOldMariaDb},
};

/// The creator string up to its NUL; bytes that a terminal could take amiss become '?'.
std::string creator_of(std::span<const std::byte, kHeaderSize> bytes) {
    std::string creator;
    for (const std::byte b : bytes.subspan(header::kCreator, header::kCreatorSize)) {
        const char c = static_cast<char>(b);
        if (c == '\0') {
            break;
        }
        creator += c >= ' ' && c <= '~' ? c : '?';
    }
    return creator;
}

Error refuse_format(std::uint32_t format, const std::string& creator) {
    const std::uint32_t plain = format & ~kEncryptedBit;
    for (const OldFormat& old : kOldFormats) {
        if (plain < old.first || plain > old.last) {
            continue;
        }
        // Formats without a checksum have no creator either.
        return make_error(ErrorCode::Unsupported, "{}redo log of {}{}",
                          plain == format ? "" : "encrypted ", old.name,
                          format == 0 ? "" : fmt::format(" (written by \"{}\")", creator))
            .with_hint(old.hint);
    }
    return make_error(ErrorCode::Unsupported,
                      "redo log of an unknown format 0x{:08x} (written by \"{}\")", format, creator)
        .with_hint("use the server that wrote it, or a newer version of this program");
}

}  // namespace

Result<LogHeader> decode_header(std::span<const std::byte, kHeaderSize> bytes) {
    if (std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; })) {
        return make_error(ErrorCode::Corruption, "the redo log's header block is all zeros");
    }
    const std::uint32_t format = header::Format::get(bytes);
    const std::uint32_t crc = crc32c(bytes.first<header::Crc::kOffset>());
    if (format != 0 && crc != header::Crc::get(bytes)) {
        return make_error(ErrorCode::Corruption,
                          "the redo log's header has checksum {:08x}, computed {:08x}",
                          header::Crc::get(bytes), crc);
    }
    LogHeader decoded;
    decoded.creator = creator_of(bytes);
    const std::uint32_t key_id = header::KeyId::get(bytes);
    if (format == kFormatEncrypted) {
        decoded.encryption = LogEncryption::Current;
    } else if (format != kFormatPhys) {
        return refuse_format(format, decoded.creator);
    } else if (key_id != 0) {
        decoded.encryption = LogEncryption::Legacy;
    }
    if (decoded.encryption != LogEncryption::None && key_id != kLogKeyId) {
        return make_error(ErrorCode::Corruption,
                          "the redo log's header names encryption key {}, which is always {}",
                          key_id, kLogKeyId);
    }
    decoded.first_lsn = Lsn{header::FirstLsn::get(bytes)};
    if (header::Zero::get(bytes) != 0 || decoded.first_lsn.value < kLogStart) {
        return make_error(ErrorCode::Corruption,
                          "the redo log's header is not valid: reserved field {}, first LSN {}",
                          header::Zero::get(bytes), decoded.first_lsn.value);
    }
    decoded.key_version = header::KeyVersion::get(bytes);
    const auto message = bytes.subspan<header::kCryptMessage, 16>();
    std::copy(message.begin(), message.end(), decoded.crypt_message.begin());
    return decoded;
}

std::optional<Checkpoint> decode_checkpoint(std::span<const std::byte, kCheckpointSize> bytes,
                                            Lsn first_lsn, unsigned block) {
    namespace field = checkpoint_block;
    const Checkpoint checkpoint{.lsn = Lsn{field::CheckpointLsn::get(bytes)},
                                .end_lsn = Lsn{field::EndLsn::get(bytes)},
                                .block = block};
    const auto reserved =
        bytes.subspan(field::EndLsn::kEnd, field::Crc::kOffset - field::EndLsn::kEnd);
    const bool valid = checkpoint.lsn >= first_lsn && checkpoint.end_lsn >= checkpoint.lsn &&
                       std::all_of(reserved.begin(), reserved.end(),
                                   [](std::byte b) { return b == std::byte{0}; }) &&
                       crc32c(bytes.first<field::Crc::kOffset>()) == field::Crc::get(bytes);
    return valid ? std::optional(checkpoint) : std::nullopt;
}

void encode_header(Lsn first_lsn, std::string_view creator,
                   std::span<std::byte, kHeaderSize> bytes) {
    REDOUBT_ASSERT(creator.size() < header::kCreatorSize);
    std::fill(bytes.begin(), bytes.end(), std::byte{0});
    header::Format::set(bytes, kFormatPhys);
    header::FirstLsn::set(bytes, first_lsn.value);
    std::memcpy(&bytes[header::kCreator], creator.data(), creator.size());
    header::Crc::set(bytes, crc32c(bytes.first<header::Crc::kOffset>()));
}

void encode_header(Lsn first_lsn, std::string_view creator, const LogHeader& source,
                   std::span<std::byte, kHeaderSize> bytes) {
    encode_header(first_lsn, creator, bytes);
    if (source.encryption == LogEncryption::None) {
        return;
    }
    if (source.encryption == LogEncryption::Current) {
        header::Format::set(bytes, kFormatEncrypted);
    }
    header::KeyId::set(bytes, kLogKeyId);
    header::KeyVersion::set(bytes, source.key_version);
    std::copy(source.crypt_message.begin(), source.crypt_message.end(),
              bytes.begin() + header::kCryptMessage);
    const std::span<const std::byte, kHeaderSize> written = bytes;
    header::Crc::set(bytes, crc32c(written.first<header::Crc::kOffset>()));
}

void encode_checkpoint(Lsn lsn, Lsn end_lsn, std::span<std::byte, kCheckpointSize> bytes) {
    std::fill(bytes.begin(), bytes.end(), std::byte{0});
    checkpoint_block::CheckpointLsn::set(bytes, lsn.value);
    checkpoint_block::EndLsn::set(bytes, end_lsn.value);
    checkpoint_block::Crc::set(bytes, crc32c(bytes.first<checkpoint_block::Crc::kOffset>()));
}

}  // namespace redoubt::redo
