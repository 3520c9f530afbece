// The reader, whose buffer holds the log in LSN order, so that a mini-transaction lies in one piece
// even where the file wraps.
#include <algorithm>
#include <cstring>
#include <limits>

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "redo/log_file_state.h"
#include "redo/trails.h"

namespace redoubt::redo {
namespace {

constexpr std::size_t kNonceSize = 8;
constexpr std::size_t kCrcSize = 4;
/// Recovery needs this much of the buffer to hold any mini-transaction.
constexpr std::size_t kBufferSizeMin = std::size_t{2} << 20;

/// lsn + distance, or the last LSN there is.
std::uint64_t advance(std::uint64_t lsn, std::uint64_t distance) {
    return lsn + std::min(distance, std::numeric_limits<std::uint64_t>::max() - lsn);
}

}  // namespace

std::string_view name_of(LogEnd end) {
    switch (end) {
        case LogEnd::EmptyByte:
            return "empty byte";
        case LogEnd::TooLong:
            return "too long";
        case LogEnd::SequenceBit:
            return "sequence bit";
        case LogEnd::Checksum:
            return "checksum";
    }
    return "unknown";
}

/// Invariants:
///   R1  window[0..filled) holds the bytes of LSNs [begin, begin + filled); at <= filled.
///   R2  begin + filled <= limit: one seek never leads to more than `capacity` bytes, so a walk
///       over hostile bytes ends.
struct LogReader::State {
    State(const LogFile::State& log_state, std::size_t buffer_size)
        : log(log_state),
          // Not touched before it is read into: a short log takes little of it.
          storage(std::make_unique_for_overwrite<std::byte[]>(  // NOLINT(*-avoid-c-arrays)
              std::max(buffer_size, kBufferSizeMin))),
          buffer(storage.get(), std::max(buffer_size, kBufferSizeMin)) {
        if (log.header.encryption != LogEncryption::None) {
            cipher.emplace(log.key, log.mode);
            nonce_size = kNonceSize;
        }
        seek(log.header.first_lsn.value, ~std::uint64_t{0});
    }

    const LogFile::State& log;
    std::unique_ptr<std::byte[]> storage;  // NOLINT(*-avoid-c-arrays)
    std::span<std::byte> buffer;
    std::span<const std::byte> window;  ///< the buffer, or the mapped file from `begin` on
    std::uint64_t begin = 0;            // LSN
    std::size_t filled = 0;             // bytes
    std::size_t at = 0;
    std::uint64_t limit = 0;      // LSN
    std::size_t chunk = 0;        // bytes the next read asks for
    std::uint64_t lap_begin = 0;  // LSNs [lap_begin, lap_end) have `lap_bit`
    std::uint64_t lap_end = 0;
    std::byte lap_bit{};
    bool live = false;  // a server is writing the log, past the system's cache as a rule
    LogEnd end_reason = LogEnd::EmptyByte;
    std::size_t nonce_size = 0;
    std::optional<crypt::Cipher> cipher;
    std::vector<std::byte> plain;    // records of the current mini-transaction, decrypted
    std::vector<std::byte> scratch;  // their payloads in one piece

    std::uint64_t position() const { return begin + at; }
    void seek(std::uint64_t lsn, std::uint64_t limit_lsn);
    void refresh(std::uint64_t limit_lsn);
    Result<bool> find_boundary(std::uint64_t until);
    /// Reads one more piece of the file; false at the limit. Moves `at` to the buffer's start.
    Result<bool> fill();
    std::byte sequence_bit(std::uint64_t lsn);

    enum class Walk : std::uint8_t { Complete, CutShort, End };
    /// Finds the records' size at `at`. CutShort: the buffer ends before they do.
    Walk walk(std::size_t& records_size);
    /// walk() with as much of the file as it takes; false: no mini-transaction begins here.
    Result<bool> complete(std::size_t& records_size);
    /// complete() for a search.
    Result<bool> complete_by(Trails& trails, std::size_t& records_size);
    bool checksum_matches(std::size_t records_size) const;
    /// checksum_matches() for a search.
    bool checksum_matches_by(Trails& trails, std::size_t records_size) const;
    std::vector<std::uint64_t> begins_before(std::size_t records_size) const;
    /// Errors: none but those of fill().
    Result<std::optional<Mtr>> next(bool check);

    std::span<const std::byte> decrypt(std::span<const std::byte> records,
                                       std::span<const std::byte> nonce);
    void decrypt_as_one(std::span<const std::byte> nonce);
    void decrypt_each(std::span<const std::byte> nonce);
};

void LogReader::State::seek(std::uint64_t lsn, std::uint64_t limit_lsn) {
    constexpr std::size_t kFirstChunk = std::size_t{16} << 10;
    limit = std::max(lsn, std::min(limit_lsn, advance(lsn, log.capacity())));
    if (lsn >= begin && lsn - begin <= filled) {
        at = lsn - begin;
        filled = std::min<std::uint64_t>(filled, limit - begin);
        return;
    }
    begin = lsn;
    filled = 0;
    at = 0;
    chunk = kFirstChunk;
    window = buffer;
    if (log.mapping != nullptr && lsn >= log.header.first_lsn.value) {
        window = log.mapping->bytes().subspan(log.offset_of(lsn));
        filled = std::min<std::uint64_t>(window.size(), limit - begin);
    }
}

void LogReader::State::refresh(std::uint64_t limit_lsn) {
    live = true;
    const std::uint64_t lsn = position();
    filled = 0;
    at = 0;
    begin = ~std::uint64_t{0};  // nothing is read
    seek(lsn, limit_lsn);
}

Result<bool> LogReader::State::fill() {
    constexpr std::uint64_t kAlignment = 4096;
    constexpr std::size_t kChunkMax = std::size_t{256} << 10;
    if (begin < log.header.first_lsn.value) {
        return make_error(ErrorCode::Corruption, "LSN {} lies before the redo log's first, {}",
                          begin, log.header.first_lsn.value)
            .with_file(log.path);
    }
    if (window.data() != buffer.data()) {  // the mapped file ends within a mini-transaction
        if (filled - at > buffer.size()) {
            return false;
        }
        chunk = kMtrSizeMax;
    }
    std::memmove(buffer.data(), window.data() + at, filled - at);
    window = buffer;
    begin += at;
    filled -= at;
    at = 0;
    const std::uint64_t offset = log.offset_of(begin + filled);
    std::uint64_t size = std::min<std::uint64_t>(chunk, buffer.size() - filled);
    if (size > kAlignment) {
        size -= (offset + size) % kAlignment;  // so that the next read begins at a block
    }
    size = std::min({size, limit - begin - filled, log.size - offset});
    if (size == 0) {
        return false;
    }
    chunk = std::min(chunk * 2, kChunkMax);
    const std::span<std::byte> into = std::span(buffer).subspan(filled, size);
    RETURN_IF_ERROR(live ? log.file->read_newest_exactly(offset, into)
                         : log.file->read_exactly(offset, into));
    filled += size;
    return true;
}

std::byte LogReader::State::sequence_bit(std::uint64_t lsn) {
    if (lsn < lap_begin || lsn >= lap_end) {
        const std::uint64_t lap = log.lap_of(lsn);
        lap_begin = log.header.first_lsn.value + lap * log.capacity();
        lap_end = advance(lap_begin, log.capacity());
        lap_bit = std::byte{static_cast<std::uint8_t>(1 - (lap & 1))};
    }
    return lap_bit;
}

LogReader::State::Walk LogReader::State::walk(std::size_t& records_size) {
    const std::span<const std::byte> bytes = window.subspan(at, filled - at);
    std::size_t p = 0;
    while (p < kMtrSizeMax) {
        if (p >= bytes.size()) {
            return Walk::CutShort;
        }
        if (std::to_integer<unsigned>(bytes[p]) <= 1) {
            records_size = p;
            if (p == 0) {
                end_reason = LogEnd::EmptyByte;
                return Walk::End;
            }
            if (bytes[p] != sequence_bit(position() + p)) {
                end_reason = LogEnd::SequenceBit;
                return Walk::End;
            }
            return p + 1 + nonce_size + kCrcSize <= bytes.size() ? Walk::Complete : Walk::CutShort;
        }
        const RecordFrame frame = read_frame(bytes.subspan(p));
        if (frame.length == 0) {
            return Walk::CutShort;
        }
        p += frame.length;
    }
    end_reason = LogEnd::TooLong;
    return Walk::End;
}

Result<bool> LogReader::State::complete(std::size_t& records_size) {
    for (;;) {
        const Walk outcome = walk(records_size);
        if (outcome != Walk::CutShort) {
            return outcome == Walk::Complete;
        }
        ASSIGN_OR_RETURN(const bool more, fill());
        if (!more) {
            // R2: what would follow was read already, as the bytes of the lap before.
            end_reason = LogEnd::SequenceBit;
            return false;
        }
    }
}

bool LogReader::State::checksum_matches(std::size_t records_size) const {
    const auto bytes = window.subspan(at);
    const std::size_t crc_at = records_size + 1 + nonce_size;
    const std::uint32_t crc = crc32c(bytes.first(records_size));
    const auto nonce = bytes.subspan(records_size + 1, nonce_size);
    return (cipher ? crc32c(nonce, crc) : crc) == load_be<std::uint32_t>(&bytes[crc_at]);
}

Result<bool> LogReader::State::complete_by(Trails& trails, std::size_t& records_size) {
    const std::uint64_t start = position();
    std::uint64_t lsn = start;
    bool ended = false;
    while (lsn - start < kMtrSizeMax) {
        if (const std::uint64_t beyond = trails.beyond(lsn); beyond != lsn) {
            trails.pass(lsn);
            lsn = beyond;
            continue;
        }
        RecordFrame frame;
        if (lsn - begin < filled) {
            const auto rest = window.subspan(lsn - begin, filled - (lsn - begin));
            ended = std::to_integer<unsigned>(rest[0]) <= 1;
            if (ended) {
                break;
            }
            frame = read_frame(rest);
        }
        if (frame.length == 0) {
            ASSIGN_OR_RETURN(const bool more, fill());
            if (!more) {
                break;  // the limit
            }
            continue;
        }
        trails.pass(lsn);
        lsn += frame.length;
    }
    trails.end_at(lsn);
    records_size = lsn - start;
    if (!ended || records_size == 0 || window[lsn - begin] != sequence_bit(lsn)) {
        return false;
    }
    const std::uint64_t end = lsn + 1 + nonce_size + kCrcSize;
    while (end - begin > filled) {
        ASSIGN_OR_RETURN(const bool more, fill());
        if (!more) {
            return false;
        }
    }
    return true;
}

/// Where, from the position on, records begin that have the checksum behind the end which is
/// `records_size` bytes away.
std::vector<std::uint64_t> LogReader::State::begins_before(std::size_t records_size) const {
    const auto bytes = window.subspan(at);
    const auto nonce = bytes.subspan(records_size + 1, nonce_size);
    auto crc = load_be<std::uint32_t>(&bytes[records_size + 1 + nonce_size]);
    for (std::size_t i = nonce.size(); i-- > 0;) {
        crc = crc32c_without(nonce[i], crc);
    }
    std::vector<std::uint64_t> begins;
    for (std::size_t i = records_size; i-- > 0;) {
        crc = crc32c_without(bytes[i], crc);
        if (crc == 0) {
            begins.push_back(position() + i);
        }
    }
    return begins;
}

bool LogReader::State::checksum_matches_by(Trails& trails, std::size_t records_size) const {
    constexpr unsigned kChecksMax = 16;  // these take about as long as to go back once
    Trails::End& end = trails.end(position() + records_size);
    if (end.checks < kChecksMax) {
        ++end.checks;
        return checksum_matches(records_size);
    }
    if (end.checks == kChecksMax) {
        ++end.checks;
        end.begins = begins_before(records_size);
    }
    return std::ranges::find(end.begins, position()) != end.begins.end();
}

Result<bool> LogReader::State::find_boundary(std::uint64_t until) {
    Trails trails;
    for (; position() < until; ++at) {
        std::size_t records_size = 0;
        ASSIGN_OR_RETURN(const bool whole, complete_by(trails, records_size));
        if (whole && checksum_matches_by(trails, records_size)) {
            return true;
        }
        if (at == filled) {
            return false;  // the limit
        }
    }
    return false;
}

Result<std::optional<Mtr>> LogReader::State::next(bool check) {
    std::size_t records_size = 0;
    ASSIGN_OR_RETURN(const bool whole, complete(records_size));
    if (!whole) {
        return std::optional<Mtr>();
    }
    if (check && !checksum_matches(records_size)) {
        end_reason = LogEnd::Checksum;
        return std::optional<Mtr>();
    }
    const auto bytes = window.subspan(at);
    std::span<const std::byte> records = bytes.first(records_size);
    const auto nonce = bytes.subspan(records_size + 1, nonce_size);
    const std::size_t crc_at = records_size + 1 + nonce_size;
    if (cipher) {
        records = decrypt(records, nonce);
    }
    const Lsn start{position()};
    at += crc_at + kCrcSize;
    return Mtr{.start = start,
               .end = Lsn{position()},
               .records = records,
               .raw = bytes.first(crc_at + kCrcSize),
               .sequence_at = records_size};
}

std::span<const std::byte> LogReader::State::decrypt(std::span<const std::byte> records,
                                                     std::span<const std::byte> nonce) {
    plain.assign(records.begin(), records.end());
    if (log.header.encryption == LogEncryption::Current) {
        decrypt_as_one(nonce);
    } else {
        decrypt_each(nonce);
    }
    return plain;
}

// ENC_11: the payloads of all records are one message; type and length of each stay in clear.
void LogReader::State::decrypt_as_one(std::span<const std::byte> nonce) {
    crypt::Block iv{};
    std::copy(nonce.begin(), nonce.end(), iv.begin());
    const RecordFrame first = read_frame(plain);
    std::copy_n(plain.begin(), first.prefix, iv.begin() + kNonceSize);

    scratch.clear();
    for (std::size_t p = 0; p < plain.size();) {
        const RecordFrame frame = read_frame(std::span(plain).subspan(p));
        const auto payload =
            std::span(plain).subspan(p).subspan(frame.prefix, frame.length - frame.prefix);
        scratch.insert(scratch.end(), payload.begin(), payload.end());
        p += frame.length;
    }
    cipher->decrypt(iv, scratch, scratch);
    std::size_t from = 0;
    for (std::size_t p = 0; p < plain.size();) {
        const RecordFrame frame = read_frame(std::span(plain).subspan(p));
        const std::size_t size = frame.length - frame.prefix;
        std::memcpy(&plain[p] + frame.prefix, scratch.data() + from, size);
        from += size;
        p += frame.length;
    }
}

// ENC_10_8: each page record by itself, behind its page id; file-level records stay in clear.
void LogReader::State::decrypt_each(std::span<const std::byte> nonce) {
    crypt::Block iv{};
    std::copy(nonce.begin(), nonce.end(), iv.begin());
    bool page_records_began = false;
    for (std::size_t p = 0; p < plain.size();) {
        const auto rest = std::span(plain).subspan(p);
        const RecordFrame frame = read_frame(rest);
        auto payload = rest.subspan(frame.prefix, frame.length - frame.prefix);
        p += frame.length;
        if ((rest[0] & std::byte{0x80}) == std::byte{0}) {
            const Varint space = read_varint(payload);
            const Varint page = read_varint(payload.subspan(space.length));
            if (space.length == 0 || page.length == 0) {
                return;  // RecordReader reports it
            }
            page_records_began = true;
            store_be(&iv[kNonceSize], space.value);
            store_be(&iv[kNonceSize + sizeof space.value], page.value);
            payload = payload.subspan(space.length + page.length);
        }
        if (page_records_began && !payload.empty()) {
            cipher->decrypt(iv, payload, payload);
        }
    }
}

LogReader LogFile::reader(std::size_t buffer_size) const {
    return LogReader(std::make_unique<LogReader::State>(*state_, buffer_size));
}

LogReader::LogReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;
void LogReader::seek(Lsn lsn, Lsn limit) { state_->seek(lsn.value, limit.value); }
Result<bool> LogReader::find_boundary(Lsn until) { return state_->find_boundary(until.value); }
void LogReader::will_read(Lsn lsn) const {
    constexpr std::size_t kLine = 64;  // bytes
    constexpr std::size_t kLines = 2;  // of a mini-transaction of usual size
    const std::uint64_t offset = lsn.value - state_->begin;
    if (state_->log.mapping != nullptr && lsn.value >= state_->begin &&
        offset + kLine * kLines <= state_->filled) {
        for (std::size_t i = 0; i < kLines; ++i) {
            __builtin_prefetch(state_->window.data() + offset + i * kLine);
        }
    }
}
std::span<const std::byte> LogReader::plain_bytes() const {
    const State& state = *state_;
    return state.cipher ? std::span<const std::byte>()
                        : state.window.subspan(state.at, state.filled - state.at);
}
bool LogReader::pass(std::size_t records_size, bool check) {
    State& state = *state_;
    const std::size_t end = state.at + records_size;  // the sequence byte's place
    if (end + 1 + kCrcSize > state.filled ||
        state.window[end] != state.sequence_bit(state.begin + end) ||
        (check && !state.checksum_matches(records_size))) {
        return false;
    }
    state.at = end + 1 + kCrcSize;
    return true;
}
std::span<const std::byte> LogReader::view(Lsn lsn) {
    constexpr std::uint64_t kSize = std::uint64_t{2} * kMtrSizeMax;
    State& state = *state_;
    if (state.log.mapping == nullptr || state.cipher) {
        return {};
    }
    const auto at = [&]() { return lsn.value - state.begin; };
    if (lsn.value < state.begin || at() + kSize > state.filled ||
        state.window.data() == state.buffer.data()) {
        state.begin = ~std::uint64_t{0};  // what is at hand will not do
        state.filled = 0;
        state.seek(lsn.value, ~std::uint64_t{0});
        if (kSize > state.filled || state.window.data() == state.buffer.data()) {
            return {};
        }
    }
    return state.window.subspan(at(), state.filled - at());
}
Lsn LogReader::end_of_plain(Lsn start, std::size_t records_size) {
    return Lsn{start.value + records_size + 1 + kCrcSize};
}
void LogReader::refresh(Lsn limit) { state_->refresh(limit.value); }
Lsn LogReader::position() const { return Lsn{state_->position()}; }
Result<std::optional<Mtr>> LogReader::next(bool check) { return state_->next(check); }
LogEnd LogReader::end_reason() const { return state_->end_reason; }

}  // namespace redoubt::redo
