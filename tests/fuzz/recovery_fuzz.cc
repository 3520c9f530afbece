// A whole recovery. The input is a redo log by its meaning: which records, for which of a few pages
// and files; lengths, checksums and sequence bits are made right, so that what decides is what the
// records say of each other and of the files. Checked is what recovery promises:
//   - a result does not depend on the memory cap or the threads (A2),
//   - it is final: the next run finds a clean directory and changes nothing (V2).
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "io/memory_directory.h"
#include "page/flags.h"
#include "page/header.h"
#include "recovery/recover.h"
#include "unit/redo/log_builder.h"

namespace {

using namespace redoubt;  // NOLINT(google-build-using-namespace): a fuzzer's one file
using test::Bytes;

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint32_t kFlags = 0x13;                     // full_crc32, 4 KiB
constexpr std::uint64_t kMemory = std::uint64_t{2} << 20;  // bytes: all in one batch
constexpr std::uint32_t kPages = 16;                       // of each tablespace
constexpr std::array kNames = {"./d/a.ibd", "./d/b.ibd", "./d/c.ibd", "./d/d.ibd"};

Bytes page_of(PageId id, std::uint64_t lsn) {
    Bytes page(kPageSize);
    page::initialise(page, id);
    page::Header::PageLsn::set(std::span(page), lsn);
    if (id.page == PageNo{0}) {
        page::Header::Type::set(std::span(page), std::uint16_t{8});
        store_be<std::uint32_t>(&page[38], id.space.value);
        store_be<std::uint32_t>(&page[46], kPages);
        store_be<std::uint32_t>(&page[50], kPages);
        store_be<std::uint32_t>(&page[54], kFlags);
    }
    page::seal(page, *page::TablespaceFlags::decode(kFlags));
    return page;
}

/// Page 0 and one more; the others were never written.
Bytes tablespace(SpaceId space, std::size_t size) {
    Bytes file;
    test::append_bytes(file, page_of({space, PageNo{0}}, 20000));
    test::append_bytes(file, page_of({space, PageNo{1}}, 20000));
    file.resize(size);
    return file;
}

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

/// FILE_CREATE and so on; `new_name` for FILE_RENAME.
Bytes file_record(unsigned type, std::uint32_t space, std::string_view name,
                  std::string_view new_name = {}) {
    Bytes payload;
    test::append_varint(payload, space);
    payload.push_back(std::byte{0});
    test::append_bytes(payload, std::as_bytes(std::span(name)));
    if (!new_name.empty()) {
        payload.push_back(std::byte{0});
        test::append_bytes(payload, std::as_bytes(std::span(new_name)));
    }
    return test::record(type, payload);
}

/// Mostly of a space and the name it has in the beginning.
Bytes file_record(Input& input, unsigned type) {
    constexpr unsigned kRename = 0xA0;
    constexpr std::uint32_t kOdd = 0xE0;
    const std::uint32_t which = input.byte();
    const std::uint32_t space = 1 + which % kNames.size();
    const std::string_view name = kNames[(which >= kOdd ? which >> 2 : which) % kNames.size()];
    return type == kRename ? file_record(type, space, name, kNames[input.byte() % kNames.size()])
                           : file_record(type, space, name);
}

Bytes page_record(Input& input, unsigned type) {
    constexpr unsigned kExtended = 0x20;  // below: FREE_PAGE, INIT_PAGE
    constexpr std::uint32_t kSubtypes = 11;
    const std::uint32_t place = input.byte();
    const PageId page{SpaceId{place % 3}, PageNo{(place >> 2) % (kPages + 2)}};
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
    const Bytes image = page_of(page, 0);
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
    constexpr std::size_t kSize = 12288 + (std::size_t{1} << 18);
    constexpr std::array kFileTypes = {0x80U, 0x90U, 0xA0U, 0xB0U};
    test::LogBuilder log(Lsn{20480}, kSize);
    Bytes checkpoint = test::from_hex("fa0000");
    checkpoint.resize(11);
    store_be(&checkpoint[3], log.next.value);
    log.checkpoint(0, log.next, log.next);
    log.append(checkpoint);
    constexpr unsigned kModify = 0xB0;
    log.append(file_record(kModify, 1, kNames[0]));
    log.append(file_record(kModify, 2, kNames[1]));
    while (!input.empty() && log.next.value < 20480 + kSize / 2) {
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

using Files = std::map<std::string, Bytes>;

Files files_of(io::MemoryDirectory& directory) {
    Files files;
    for (const std::string folder : {"", "d"}) {
        const auto names = directory.list(folder);
        for (const std::string& name : names.value()) {
            const std::string path = io::join(folder, name);
            if (const Bytes* bytes = directory.find(path)) {
                files[path] = *bytes;
            }
        }
    }
    return files;
}

Files starting_files(std::uint32_t shape, const Bytes& log) {
    constexpr std::size_t kMebibyte = std::size_t{1} << 20;
    Files files;
    files["ibdata1"] = tablespace(kSystemSpace, kMebibyte);
    files["ib_logfile0"] = log;
    files["d/a.ibd"] = tablespace(SpaceId{1}, kPages * std::size_t{kPageSize});
    switch (shape % 4) {
        case 0:
            files["d/b.ibd"] = tablespace(SpaceId{2}, kPages * std::size_t{kPageSize});
            break;
        case 1:
            files["d/b.ibd"] = Bytes(4 * std::size_t{kPageSize});
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
    for (const auto& [path, bytes] : start) {
        directory.put(path, bytes);
    }
    directory.limit_file_size(std::uint64_t{4} << 20);
    recovery::RecoverOptions options;
    options.layout.data_file_path = "ibdata1:1M:autoextend";
    options.layout_given = true;
    options.memory = memory;
    options.threads = threads;
    const auto report = recovery::recover(directory, options);
    Outcome outcome;
    outcome.ok = report.has_value();
    outcome.clean = report && report->was_clean;
    outcome.message = report ? "" : report.error().to_string();
    outcome.files = files_of(directory);
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
    const Outcome first = recover(start, kMemory, 1);
    const Outcome small = recover(start, 4096, 1 + shape / 4 % 2);
    require(first.ok == small.ok);
    if (first.ok) {
        require(first.files == small.files);
        const Outcome again = recover(first.files, kMemory, 1);
        require(again.ok && again.clean && again.files == first.files);
    }
    return 0;
}
