// A whole recovery. The input is a redo log by its meaning: which records, for which of a few pages
// and files; lengths, checksums and sequence bits are made right, so that what decides is what the
// records say of each other and of the files. Checked is what recovery promises:
//   - a result does not depend on the memory cap or the threads (A2),
//   - it is final: the next run finds a clean directory and changes nothing (V2).
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "recovery/recover.h"
#include "unit/recovery/tiny_directory.h"

namespace {

using namespace redoubt;  // NOLINT(google-build-using-namespace): a fuzzer's one file
using test::Bytes;

constexpr std::array kNames = {"./d/a.ibd", "./d/b.ibd", "./d/c.ibd", "./d/d.ibd"};

/// Takes the input apart; zeros when it is used up.
class Input {
public:
    explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    std::uint32_t byte() { return take(1).empty() ? 0 : std::to_integer<std::uint32_t>(last_[0]); }
    std::span<const std::byte> take(std::size_t size) {
        last_ = bytes_.first(std::min(size, bytes_.size()));
        bytes_ = bytes_.subspan(last_.size());
        return last_;
    }

private:
    std::span<const std::byte> bytes_;
    std::span<const std::byte> last_;
};

/// Mostly of a space and the name it has in the beginning.
Bytes file_record(Input& input, unsigned type) {
    constexpr std::uint32_t kOdd = 0xE0;
    const std::uint32_t which = input.byte();
    const SpaceId space{static_cast<std::uint32_t>(1 + which % kNames.size())};
    const std::string_view name = kNames[(which >= kOdd ? which >> 2 : which) % kNames.size()];
    return type == test::kFileRename
               ? test::file_record(type, space, name, kNames[input.byte() % kNames.size()])
               : test::file_record(type, space, name);
}

Bytes page_record(Input& input, unsigned type) {
    constexpr unsigned kExtended = 0x20;  // below: FREE_PAGE, INIT_PAGE
    constexpr std::uint32_t kSubtypes = 11;
    const std::uint32_t place = input.byte();
    const PageId page{SpaceId{place % 3}, PageNo{(place >> 2) % (test::kTinyPages + 2)}};
    Bytes body;
    if (type >= kExtended) {
        body.push_back(static_cast<std::byte>(input.byte()));
        test::append_bytes(body, input.take(1 + input.byte() % 64));
    }
    if (type == kExtended) {
        body[0] = static_cast<std::byte>(std::to_integer<std::uint32_t>(body[0]) % kSubtypes);
    }
    return test::page_record(type, page, body);
}

/// What page 0 of a created file gets: header and sizes as a server logs them.
void append_first_page(std::vector<Bytes>& records, SpaceId space) {
    const PageId page{space, PageNo{0}};
    constexpr unsigned kInit = 0x10;
    constexpr unsigned kWrite = 0x30;
    records.push_back(test::page_record(kInit, page, {}));
    const Bytes image = test::tiny_page(page, Lsn{});
    const auto write = [&](std::uint32_t offset, std::size_t size) {
        Bytes body;
        test::append_varint(body, offset);
        test::append_bytes(body, std::span(image).subspan(offset, size));
        records.push_back(test::page_record(kWrite, page, body));
    };
    write(24, 2);
    write(38, 20);
}

Bytes make_log(Input& input) {
    constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 17;
    constexpr std::array kFileTypes = {0x80U, 0x90U, 0xA0U, 0xB0U};
    test::LogBuilder log = test::tiny_log();
    const Lsn begin = log.next;
    log.append(test::file_record(test::kFileModify, SpaceId{1}, kNames[0]));
    log.append(test::file_record(test::kFileModify, SpaceId{2}, kNames[1]));
    while (!input.empty() && log.next.value < begin.value + kBytesMax) {
        std::vector<Bytes> records;
        const std::uint32_t shape = input.byte();
        if (shape % 8 == 0) {
            append_first_page(records, SpaceId{1 + shape / 8 % 4});
        }
        if (shape % 4 == 1) {
            records.push_back(file_record(input, kFileTypes[shape / 4 % 4]));
        }
        for (std::uint32_t i = 0; i < shape % 5; ++i) {
            const std::uint32_t kind = input.byte();
            if (kind >= 0xC0 && !records.empty() &&
                (records.back()[0] & std::byte{0x80}) == std::byte{0}) {
                const auto body = input.take(1 + kind % 32);
                records.push_back(test::record(0xA0, Bytes(body.begin(), body.end())));
            } else {
                records.push_back(page_record(input, (kind % 6) << 4));
            }
        }
        if (!records.empty()) {
            log.append(records);
        }
    }
    return std::move(log.bytes);
}

using test::Files;

Files starting_files(std::uint32_t shape, const Bytes& log) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    Files files;
    files["ibdata1"] = test::tiny_tablespace(kSystemSpace, kMebibyte);
    files["ib_logfile0"] = log;
    files["d/a.ibd"] = test::tiny_tablespace(SpaceId{1}, test::kTinyTableSize);
    switch (shape % 4) {
        case 0:
            files["d/b.ibd"] = test::tiny_tablespace(SpaceId{2}, test::kTinyTableSize);
            break;
        case 1:
            files["d/b.ibd"] = Bytes(4 * std::size_t{test::kTinyPageSize});
            break;
        case 2:
            files["d/b.ibd"] = Bytes(100, std::byte{0x5A});
            break;
        default:
            break;  // missing
    }
    return files;
}

struct Outcome {
    bool ok = false;
    bool clean = false;
    std::string message;
    Files files;
};

Outcome recover(const Files& start, std::uint64_t memory, unsigned threads) {
    io::MemoryDirectory directory;
    test::put_files(directory, start);
    directory.limit_file_size(std::uint64_t{4} << 20);
    recovery::RecoverOptions options = test::tiny_options();
    options.memory = memory;
    options.threads = threads;
    const auto report = recovery::recover(directory, options);
    Outcome outcome;
    outcome.ok = report.has_value();
    outcome.clean = report && report->was_clean;
    outcome.message = report ? "" : report.error().to_string();
    outcome.files = test::files_of(directory);
    return outcome;
}

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(std::as_bytes(std::span(data, size)));
    const std::uint32_t shape = input.byte();
    const Files start = starting_files(shape, make_log(input));
    const Outcome first = recover(start, test::tiny_options().memory, 1);
    const Outcome small = recover(start, 4096, 1 + shape / 4 % 2);
    require(first.ok == small.ok);
    if (first.ok) {
        require(first.files == small.files);
        const Outcome again = recover(first.files, test::tiny_options().memory, 1);
        require(again.ok && again.clean && again.files == first.files);
    }
    return 0;
}
