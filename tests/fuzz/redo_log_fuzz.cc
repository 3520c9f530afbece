// A whole small redo log from any bytes. The checksums of header and checkpoint blocks are made
// right half of the time, so that what lies behind them is reached too.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "io/memory_directory.h"
#include "redo/log_file.h"
#include "redo/record.h"

namespace {

using redoubt::crc32c;

/// The same key for every id and version.
class AnyKey final : public redoubt::crypt::KeyRing {
public:
    redoubt::crypt::CipherMode mode() const override { return redoubt::crypt::CipherMode::Cbc; }
    redoubt::Result<redoubt::crypt::Key> key(std::uint32_t, std::uint32_t) const override {
        return redoubt::crypt::Key(std::vector<std::byte>(16));
    }
    redoubt::Result<std::uint32_t> latest_version(std::uint32_t) const override { return 1U; }
};

void seal(std::span<std::byte> bytes, std::size_t offset, std::size_t size) {
    if (offset + size <= bytes.size()) {
        redoubt::store_be(&bytes[offset + size - 4], crc32c(bytes.subspan(offset, size - 4)));
    }
}

void walk(const redoubt::redo::LogFile& log, redoubt::Lsn from, bool check) {
    auto reader = log.reader(std::size_t{2} << 20);
    reader.seek(from);
    for (std::uint64_t bytes = 0;;) {
        auto mtr = reader.next(check);
        if (!mtr || !*mtr) {
            return;
        }
        bytes += (*mtr)->end.value - (*mtr)->start.value;
        if (bytes > log.capacity()) {
            std::abort();
        }
        redoubt::redo::RecordReader records((*mtr)->records);
        for (auto record = records.next(); record && *record; record = records.next()) {
        }
    }
}

/// A search must come to the first place where a mini-transaction can be read.
void search(const redoubt::redo::LogFile& log, redoubt::Lsn from) {
    constexpr std::uint64_t kBytesMax = 300;
    // One seek leads to a lap's bytes at most.
    const redoubt::Lsn until{from.value + std::min(kBytesMax, log.capacity())};
    auto reader = log.reader(std::size_t{2} << 20);
    reader.seek(from, until);
    const auto found = reader.find_boundary(until);
    const bool has_found = found && *found;
    const redoubt::Lsn where = reader.position();
    for (redoubt::Lsn lsn = from; lsn < until; ++lsn.value) {
        reader.seek(lsn, until);
        const auto mtr = reader.next();
        if (!mtr) {
            return;
        }
        if (*mtr) {
            if (!has_found || where != lsn) {
                std::abort();
            }
            return;
        }
    }
    if (has_found) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    // First byte: options. The rest: the log without the unused parts of its first blocks.
    constexpr std::size_t kUsed[] = {128, 64, 64};
    constexpr std::size_t kBlock = 4096;
    auto input = std::as_bytes(std::span(data, size));
    const auto options = std::to_integer<unsigned>(input[0]);
    input = input.subspan(1);
    redoubt::io::MemoryDirectory::Bytes file;
    for (const std::size_t used : kUsed) {
        const auto part = input.first(std::min(used, input.size()));
        file.insert(file.end(), part.begin(), part.end());
        input = input.subspan(part.size());
        if (part.size() == used) {
            file.resize((file.size() + kBlock - 1) / kBlock * kBlock);
        }
    }
    file.insert(file.end(), input.begin(), input.end());
    if ((options & 1) != 0) {
        seal(file, 0, 512);
        seal(file, kBlock, 64);
        seal(file, 2 * kBlock, 64);
    }
    redoubt::io::MemoryDirectory directory;
    directory.put("ib_logfile0", std::move(file));
    const AnyKey keys;
    auto log = redoubt::redo::LogFile::open(directory, "ib_logfile0", &keys);
    if (!log) {
        return 0;
    }
    const bool check = (options & 2) != 0;
    walk(**log, (*log)->header().first_lsn, check);
    search(**log, (*log)->header().first_lsn);
    if (auto checkpoint = (*log)->checkpoint(); checkpoint) {
        walk(**log, checkpoint->lsn, check);
        walk(**log, checkpoint->end_lsn, check);
    }
    return 0;
}
