/// The redo log file ib_logfile0 (10.8+ format): header, checkpoints, and its mini-transactions in
/// order. Format: docs/formats/redo-log.md#file.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "crypt/keys.h"
#include "io/file.h"
#include "redo/framing.h"

namespace redoubt::redo {

inline constexpr std::uint64_t kLogStart = 12288;  // byte offset of the circular area

enum class LogEncryption : std::uint8_t { None, Legacy /* ENC_10_8 */, Current /* ENC_11 */ };

struct LogHeader {
    Lsn first_lsn;
    std::string creator;
    LogEncryption encryption = LogEncryption::None;
    std::uint32_t key_version = 0;
    std::array<std::byte, 16> crypt_message{};
};
struct Checkpoint {
    Lsn lsn;             ///< start of the oldest mini-transaction recovery needs
    Lsn end_lsn;         ///< where the FILE_MODIFY list and FILE_CHECKPOINT begin
    unsigned block = 0;  ///< 0 or 1: which block it came from
};

/// Why a position holds no mini-transaction. All are the normal end of a log.
enum class LogEnd : std::uint8_t { EmptyByte, TooLong, SequenceBit, Checksum };
std::string_view name_of(LogEnd end);

/// One mini-transaction. The spans are valid until the reader's next call.
struct Mtr {
    Lsn start;
    Lsn end;  ///< start of the next one; becomes the LSN of the pages it changes
    std::span<const std::byte> records;  ///< decrypted, in LSN order even where the log wraps
    std::span<const std::byte> raw;      ///< all of it as stored: records, sequence byte, checksum
    std::size_t sequence_at = 0;         ///< which byte of `raw` is the sequence byte
};

class LogFile;
/// Sequential reading with its own buffer (about 4 MiB); one per thread. Not thread-safe.
class LogReader {
public:
    LogReader(LogReader&&) noexcept;
    LogReader& operator=(LogReader&&) noexcept;
    ~LogReader();
    /// Moves to a known mini-transaction boundary; cheap when `lsn` lies in the buffer. From there
    /// at most `capacity` bytes are read, and nothing from `limit` on: the log ends before it.
    void seek(Lsn lsn, Lsn limit = Lsn{~std::uint64_t{0}});
    /// Moves from a position that may lie within a mini-transaction to the first, before `until`,
    /// where one with a right checksum begins; false when there is none. Bytes that look like one
    /// by chance: once in four thousand million. Errors: as next().
    Result<bool> find_boundary(Lsn until);
    Lsn position() const;
    /// Forgets what was read from the position on, so that the next call sees what a running server
    /// has written since; `capacity` counts from the position again. Nothing from `limit` on is
    /// read: behind what a server says is durable may be bytes that look like more of the log.
    void refresh(Lsn limit = Lsn{~std::uint64_t{0}});
    /// Hints that the mini-transaction at `lsn` is to be read soon. Does nothing but where the log
    /// is mapped: there it hides the memory's latency.
    void will_read(Lsn lsn) const;
    /// What is at hand from the position on, for who takes a mini-transaction's records while
    /// looking for its end. Empty of an encrypted log.
    std::span<const std::byte> plain_bytes() const;
    /// The mini-transaction at the position has `records_size` bytes of records (not 0), and the
    /// byte that ends it lies in plain_bytes(): moves behind it, as next() does. False, and no
    /// move: that byte or, if `check`, the checksum is not right, or not all of it is at hand.
    bool pass(std::size_t records_size, bool check);
    /// The log from `lsn` on as it lies in the mapped file, at least `kMtrSizeMax` bytes twice
    /// over: for who applies a mini-transaction that was read and checked before, without looking
    /// for its end first. Empty where there is no such view: the log is encrypted or not mapped, or
    /// its file ends too soon.
    std::span<const std::byte> view(Lsn lsn);
    /// Where a mini-transaction of a log that is not encrypted ends.
    static Lsn end_of_plain(Lsn start, std::size_t records_size);
    /// The mini-transaction at the position, which then moves behind it; nullopt: the log ends here
    /// (end_reason() says why). `check` = false leaves the CRC out (bytes already checked in this
    /// run). At most `capacity` bytes are read after a seek. Errors: Io; Corruption when the file
    /// has shrunk or the position lies before the first LSN.
    Result<std::optional<Mtr>> next(bool check = true);
    LogEnd end_reason() const;

private:
    friend class LogFile;
    struct State;
    explicit LogReader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

class LogFile {
public:
    /// Reads header and both checkpoint blocks. Errors: Unsupported (names the format, the creator
    /// and what to do), Corruption, NotFound, Key. `keys` may be null for a plain log; outlives the
    /// result. Other ib_logfile1.. beside a 10.8+ log: Corruption.
    static Result<std::unique_ptr<LogFile>> open(io::Directory& directory, std::string_view path,
                                                 const crypt::KeyRing* keys);
    ~LogFile();

    const LogHeader& header() const;
    /// The valid block with the larger LSN. Errors: Corruption ("no valid checkpoint").
    Result<Checkpoint> checkpoint() const;
    /// Both blocks as found; nullopt = invalid.
    const std::array<std::optional<Checkpoint>, 2>& checkpoints() const;
    /// Reads the blocks anew, for a log that a server is writing: a block caught half written keeps
    /// its old content. Errors: Io.
    Status refresh_checkpoints();
    std::uint64_t file_size() const;
    std::uint64_t capacity() const { return file_size() - kLogStart; }
    std::uint64_t offset_of(Lsn lsn) const;  ///< byte offset in the file
    std::uint8_t sequence_bit(Lsn lsn) const;
    const std::string& path() const;
    /// `buffer_size` in bytes, at least 2 MiB. The log outlives its readers.
    LogReader reader(std::size_t buffer_size = std::size_t{4} << 20) const;
    /// Has readers made from now on look at the file where it is instead of copying it, where that
    /// can be (io::File::map): for a log that nobody writes. Errors: Io.
    Status map();

private:
    friend class LogReader;
    LogFile();
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace redoubt::redo
