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

namespace {

/// Appends records and mini-transactions of a new log's first lap.
class RecordWriter {
public:
    explicit RecordWriter(std::vector<std::byte>& log) : log_(log), mtr_begin_(log.size()) {}

    /// FILE_MODIFY of a path that is no longer than a path can be.
    void file_modify(const NamedFile& file) {
        std::vector<std::byte> payload;
        put_varint(payload, file.space.value);
        put_varint(payload, 0);
        for (const char c : file.path) {
            payload.push_back(static_cast<std::byte>(c));
        }
        constexpr std::uint32_t kShortMax = 15;
        const auto size = static_cast<std::uint32_t>(payload.size());
        if (size <= kShortMax) {
            log_.push_back(static_cast<std::byte>(kFileModify | size));
        } else {
            // The stored length counts its own bytes and leaves out 15: one byte, or two from 0x80
            // on.
            const std::uint32_t own = size + 1 - kShortMax < 0x80 ? 1 : 2;
            log_.push_back(std::byte{kFileModify});
            put_varint(log_, size + own - kShortMax);
        }
        log_.insert(log_.end(), payload.begin(), payload.end());
    }
    void file_checkpoint(Lsn lsn) {
        log_.insert(log_.end(), {std::byte{0xFA}, std::byte{0}, std::byte{0}});
        log_.resize(log_.size() + sizeof lsn.value);
        store_be(&log_[log_.size() - sizeof lsn.value], lsn.value);
    }
    std::size_t mtr_size() const { return log_.size() - mtr_begin_; }
    void end_mtr() {
        const std::uint32_t crc = crc32c(std::span(log_).subspan(mtr_begin_));
        log_.push_back(std::byte{1});
        log_.resize(log_.size() + sizeof crc);
        store_be(&log_[log_.size() - sizeof crc], crc);
        mtr_begin_ = log_.size();
    }

private:
    static constexpr std::uint8_t kFileModify = 0xB0;

    /// Values below 0x204080 (docs/formats/redo-log.md#varint) and any 32-bit value.
    static void put_varint(std::vector<std::byte>& out, std::uint32_t value) {
        constexpr std::uint32_t kTwo = 0x80;
        constexpr std::uint32_t kThree = 0x4080;
        constexpr std::uint32_t kFour = 0x204080;
        constexpr std::uint32_t kFive = 0x10204080;
        const auto put = [&](std::uint32_t first, std::uint32_t rest, int bytes) {
            out.push_back(static_cast<std::byte>(first | (bytes < 4 ? rest >> (8 * bytes) : 0)));
            for (int i = bytes - 1; i >= 0; --i) {
                out.push_back(static_cast<std::byte>(rest >> (8 * i)));
            }
        };
        if (value < kTwo) {
            put(0, value, 0);
        } else if (value < kThree) {
            put(0x80, value - kTwo, 1);
        } else if (value < kFour) {
            put(0xC0, value - kThree, 2);
        } else if (value < kFive) {
            put(0xE0, value - kFour, 3);
        } else {
            put(0xF0, value - kFive, 4);
        }
    }

    std::vector<std::byte>& log_;
    std::size_t mtr_begin_;
};

}  // namespace

std::vector<std::byte> make_clean_log(Lsn lsn, std::string_view creator,
                                      std::span<const NamedFile> names) {
    REDOUBT_ASSERT(lsn.value >= kLogStart);
    REDOUBT_ASSERT(creator.size() < header::kCreatorSize);
    std::vector<std::byte> log(kLogStart);

    const auto head = std::span(log).first<kHeaderSize>();
    header::Format::set(head, kFormatPhys);
    header::FirstLsn::set(head, lsn.value);
    std::memcpy(&head[header::kCreator], creator.data(), creator.size());
    header::Crc::set(head, crc32c(head.first<header::Crc::kOffset>()));

    const auto block = std::span(log).subspan<kCheckpointOffset, kCheckpointSize>();
    checkpoint_block::CheckpointLsn::set(block, lsn.value);
    checkpoint_block::EndLsn::set(block, lsn.value);
    checkpoint_block::Crc::set(block, crc32c(block.first<checkpoint_block::Crc::kOffset>()));

    constexpr std::size_t kMtrSizeWanted = std::size_t{64}
                                           << 10;  // far below the limit of a mini-transaction
    RecordWriter writer(log);
    for (const NamedFile& file : names) {
        writer.file_modify(file);
        if (writer.mtr_size() >= kMtrSizeWanted) {
            writer.end_mtr();
        }
    }
    writer.file_checkpoint(lsn);
    writer.end_mtr();
    if (!names.empty()) {
        constexpr std::size_t kBlock = 4096;
        log.resize((log.size() / kBlock + 1) *
                   kBlock);  // always at least one byte that says "the log ends here"
    }
    return log;
}

}  // namespace redoubt::redo
