#include "redo/log_writer.h"

#include <algorithm>

#include "base/assert.h"
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "redo/log_header.h"

namespace redoubt::redo {
namespace {

/// Appends records and mini-transactions. `sequence_bit` of a byte's position, as counted by the
/// vector, is the one of its lap.
template <class SequenceBit>
class RecordWriter {
public:
    RecordWriter(std::vector<std::byte>& log, SequenceBit sequence_bit)
        : log_(log), sequence_bit_(sequence_bit), mtr_begin_(log.size()) {}

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
        log_.push_back(static_cast<std::byte>(sequence_bit_(log_.size())));
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
    SequenceBit sequence_bit_;
    std::size_t mtr_begin_;
};

/// FILE_MODIFY for each name, then FILE_CHECKPOINT(lsn).
template <class SequenceBit>
void append_checkpoint(std::vector<std::byte>& log, SequenceBit sequence_bit, Lsn lsn,
                       std::span<const NamedFile> names) {
    constexpr std::size_t kMtrSizeWanted = std::size_t{64}
                                           << 10;  // far below the limit of a mini-transaction
    RecordWriter writer(log, sequence_bit);
    for (const NamedFile& file : names) {
        writer.file_modify(file);
        if (writer.mtr_size() >= kMtrSizeWanted) {
            writer.end_mtr();
        }
    }
    writer.file_checkpoint(lsn);
    writer.end_mtr();
}

}  // namespace

std::vector<std::byte> make_clean_log(Lsn lsn, std::string_view creator,
                                      std::span<const NamedFile> names) {
    REDOUBT_ASSERT(lsn.value >= kLogStart);
    std::vector<std::byte> log(kLogStart);
    encode_header(lsn, creator, std::span(log).first<kHeaderSize>());
    encode_checkpoint(lsn, lsn, std::span(log).subspan<kCheckpointOffset, kCheckpointSize>());
    constexpr auto kFirstLap = [](std::size_t) { return std::uint8_t{1}; };
    append_checkpoint(log, kFirstLap, lsn, names);
    if (!names.empty()) {
        constexpr std::size_t kBlock = 4096;
        log.resize((log.size() / kBlock + 1) *
                   kBlock);  // always at least one byte that says "the log ends here"
    }
    return log;
}

std::optional<CheckpointWrites> checkpoint_in_place(const LogFile& log, const Checkpoint& old,
                                                    Lsn end, std::span<const NamedFile> names) {
    if (log.header().encryption != LogEncryption::None) {
        return std::nullopt;
    }
    std::vector<std::byte> bytes;
    append_checkpoint(
        bytes, [&](std::size_t at) { return log.sequence_bit(Lsn{end.value + at}); }, end, names);
    // Behind a torn end of the log, later mini-transactions of this lap may lie whole.
    bytes.push_back(std::byte{0});
    const std::uint64_t used = end.value - old.lsn.value;
    if (used > log.capacity() || bytes.size() > log.capacity() - used) {
        return std::nullopt;
    }
    CheckpointWrites writes;
    const std::uint64_t offset = log.offset_of(end);
    const auto to_file_end = static_cast<std::ptrdiff_t>(
        std::min<std::uint64_t>(bytes.size(), log.file_size() - offset));
    writes.records.push_back({offset, {bytes.begin(), bytes.begin() + to_file_end}});
    if (bytes.begin() + to_file_end != bytes.end()) {
        writes.records.push_back({kLogStart, {bytes.begin() + to_file_end, bytes.end()}});
    }
    writes.block = {kCheckpointOffset * (2 - old.block), std::vector<std::byte>(kCheckpointSize)};
    encode_checkpoint(end, end, std::span(writes.block.bytes).first<kCheckpointSize>());
    return writes;
}

}  // namespace redoubt::redo
