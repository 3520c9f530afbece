// Map of this file: LogVectors are bytes of real servers, LogReader walks made logs and looks for
// beginnings in them, LogEnd is all the ways a log can end, LogFile what is refused when one is
// opened.
#include "redo/log_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "io/memory_directory.h"
#include "io/posix_directory.h"
#include "redo/log_writer.h"
#include "redo/record.h"
#include "unit/redo/log_key.h"
#include "unit/redo/opened_log.h"
#include "unit/temporary_directory.h"

namespace redoubt::redo {
namespace {

using test::Bytes;
using test::from_hex;
using test::kDerived;
using test::kLogPath;
using test::kMessage;
using test::LogBuilder;
using test::OneKey;
using test::OpenedLog;
using test::read_all;
using testing::HasSubstr;

constexpr std::size_t kSmallest = 12304;  // bytes

Error open_error(Bytes bytes, const crypt::KeyRing* keys = nullptr) {
    io::MemoryDirectory directory;
    directory.put(kLogPath, std::move(bytes));
    auto opened = LogFile::open(directory, kLogPath, keys);
    if (opened) {
        return make_error(ErrorCode::Internal, "it was opened");
    }
    return std::move(opened.error());
}

/// Of about `size` bytes in all, first byte and length valid, the rest anything. Page ids are one
/// byte each, as LogBuilder wants them.
std::vector<Bytes> random_mtr(std::mt19937& random, std::size_t size) {
    std::vector<Bytes> records;
    for (std::size_t total = 0; total < size;) {
        Bytes body(1 + random() % std::max<std::size_t>(size / 2, 1));
        std::ranges::generate(body, [&] { return static_cast<std::byte>(random()); });
        const auto type = static_cast<unsigned>(0x10 + 0x10 * (random() % 7));
        if (!records.empty() && random() % 2 == 0) {
            records.push_back(test::record(0x80U | type, body));
        } else {
            records.push_back(
                test::page_record(type,
                                  {SpaceId{static_cast<std::uint32_t>(random() % 128)},
                                   PageNo{static_cast<std::uint32_t>(random() % 128)}},
                                  body));
        }
        total += records.back().size();
    }
    return records;
}

Bytes joined(std::span<const Bytes> records) {
    Bytes all;
    for (const Bytes& one : records) {
        test::append_bytes(all, one);
    }
    return all;
}

// ---- vectors of a real 10.11.19 ----

enum class Log { A, B };
struct Vector {
    Log log;
    std::uint64_t start;
    std::uint64_t end;
    std::string_view hex;
    std::string_view kinds;
};
const Vector kVectors[] = {
    {Log::A, 790779072, 790779085, "37807b814da24f2000a5c6fa0d", "WRITE"},
    {Log::A, 790910039, 790910052, "470182d6bf492f0000c4628a90", "MEMSET"},
    {Log::A, 790795513, 790795543, "5a807b802180fc0bc0310cb3002eccb5098000c9b4b3804934002b2b7ec0",
     "MEMMOVE WRITE WRITE WRITE"},
    {Log::A, 790779085, 790779108, "2002807b814d0483700c01030840800007710066abc431",
     "INSERT_HEAP_REDUNDANT"},
    {Log::A, 795034998, 795035021, "2002804b1707b5b100080003003680000001006f97779d",
     "INSERT_REUSE_DYNAMIC"},
    {Log::A, 795035380, 795035403, "2002804b81ce06a1e5080003008680000002004976a3aa",
     "INSERT_HEAP_DYNAMIC"},
    {Log::A, 795035957, 795035975, "2c804b1707918b000800070003003984ec07", "INSERT_REUSE_DYNAMIC"},
    {Log::A, 866322514, 866322528, "28807238098662020900aee54f21", "DELETE_ROW_FORMAT_DYNAMIC"},
    {Log::A, 919940635, 919940687,
     "2005807b810605000c00000804800daa4580000f6e26807b060883e5a0030583e51402020caa4580"
     "000f6e0000018600a934197f",
     "INSERT_REUSE_REDUNDANT DELETE_ROW_FORMAT_REDUNDANT INSERT_REUSE_REDUNDANT"},
    {Log::A, 920119534, 920119594,
     "202702808c030c0180fc000000000000e0800000000000000480000d81020306766a6b69676e0404"
     "800a5440000b000480000d810501310086cbd993",
     "UNDO_APPEND"},
    {Log::A, 920715985, 920716029,
     "39024d32ffffffff0000b21b4d34024d4901460258883604ff3402003d4e020250350200805aab00"
     "4ed7929d",
     "WRITE WRITE WRITE MEMSET WRITE FREE_PAGE WRITE"},
    {Log::A, 931279713, 931279778,
     "1380880da1014680880d0808ffb23101b30602ffb2181bbe16100011fff280000001000000073580"
     "880d6b023780880d29868003b20b01b4bf3c007000927de02e",
     "INIT_PAGE INIT_ROW_FORMAT_DYNAMIC MEMSET WRITE WRITE WRITE WRITE WRITE WRITE WRITE WRITE"},
    {Log::A, 838816320, 838816366,
     "be804b002e2f742f64796e2e696264be807b002e2f742f7265642e696264fa000000000000298dfb"
     "7300312d0042",
     "FILE_MODIFY FILE_MODIFY FILE_CHECKPOINT"},
    {Log::A, 920278488, 920278507, "9d807a002e2f742f78362e696264007e2703e9", "FILE_DELETE"},
    {Log::A, 921343723, 921343754, "a00a807e002e2f742f78362e696264002e2f742f79352e696264008dd5eba1",
     "FILE_RENAME"},
    {Log::B, 736693072, 736693092, "be8063002e2f742f6674322e696264006ff5a4ae", "FILE_MODIFY"},
    {Log::B, 736693092, 736693257,
     "8e8063002e2f742f6674322e69626413806300b20108b20fe3b50400000004b50400000015c30804"
     "ffc30204ffc30604ffc30204ffc30604ffc30204ffc30e04ffc30204ffc30604ffc30204ff358063"
     "00750135806300354013806301b2010547806300802e10ff36806300802d01b200fe36806300802e"
     "fa36806300802d02358063005101b70000000000009ed300060bc34004ffd302060b358063003d02"
     "00d5b14989",
     "FILE_CREATE INIT_PAGE WRITE WRITE WRITE WRITE MEMSET MEMSET MEMSET MEMSET MEMSET MEMSET "
     "MEMSET MEMSET MEMSET MEMSET WRITE WRITE INIT_PAGE WRITE MEMSET WRITE WRITE WRITE WRITE WRITE "
     "WRITE MEMMOVE MEMSET MEMMOVE WRITE"},
    {Log::B, 745391062, 745391250,
     "be8062002e2f742f7265642e696264be8063002e2f742f6674322e696264bd8064002e2f742f7834"
     "2e696264b0018065002e2f742f636f6d702e696264bd8041002e2f742f70632e696264bd10002e2f"
     "742f67656f2e696264be8022002e2f742f7a69702e696264b01201002e2f6d7973716c2f696e6e6f"
     "64625f7461626c655f73746174732e696264b01202002e2f6d7973716c2f696e6e6f64625f696e64"
     "65785f73746174732e696264fa0000000000002bc3b9df00c44e1f39",
     "FILE_MODIFY FILE_MODIFY FILE_MODIFY FILE_MODIFY FILE_MODIFY FILE_MODIFY FILE_MODIFY "
     "FILE_MODIFY FILE_MODIFY FILE_CHECKPOINT"},
};

/// A log of `capacity` bytes and nearly a lap of mini-transactions from its middle on, in a real
/// file, since only those can be mapped.
struct MappedLog {
    explicit MappedLog(std::size_t capacity)
        : directory(std::move(*io::open_posix_directory(temporary.path()))) {
        std::mt19937 random(7);
        LogBuilder builder(Lsn{20000}, LogBuilder::kStart + capacity);
        begin = builder.next = Lsn{20000 + capacity / 2};
        while (builder.next.value < begin.value + capacity - 60'000) {
            const Bytes body(1 + random() % 40'000, std::byte{0x5A});
            const Bytes record = test::page_record(
                0x30, {SpaceId{1}, PageNo{static_cast<std::uint32_t>(random())}}, body);
            starts.push_back(builder.append(record));
            records.push_back(record);
        }
        end = builder.next;
        auto file = std::move(*directory->open(kLogPath, io::OpenMode::CreateExclusive));
        EXPECT_TRUE(file->write_at(0, builder.bytes));
        log = std::move(*LogFile::open(*directory, kLogPath, nullptr));
        EXPECT_TRUE(log->map());
    }
    test::TemporaryDirectory temporary;
    std::unique_ptr<io::Directory> directory;
    Lsn begin;
    Lsn end;
    std::vector<Lsn> starts;
    std::vector<Bytes> records;
    std::unique_ptr<LogFile> log;
};

TEST(MappedLog, AViewHoldsTheMiniTransactionAndEndsWithTheFile) {
    constexpr std::size_t kViewMin = std::size_t{2} << 20;
    const MappedLog mapped(std::size_t{8} << 20);
    std::mt19937 random(1);
    std::size_t viewed = 0;
    LogReader reader = mapped.log->reader();
    for (std::size_t i = 0; i < 2000; ++i) {
        const std::size_t which = random() % mapped.starts.size();
        const Lsn start = mapped.starts[which];
        const Bytes& records = mapped.records[which];
        const std::uint64_t left = mapped.log->file_size() - mapped.log->offset_of(start);
        const auto view = reader.view(start);
        ASSERT_EQ(view.empty(), left < kViewMin) << start.value;
        if (!view.empty()) {
            ++viewed;
            ASSERT_LE(view.size(), left);
            ASSERT_TRUE(std::ranges::equal(view.first(records.size()), records)) << start.value;
            const Lsn end =
                which + 1 < mapped.starts.size() ? mapped.starts[which + 1] : mapped.end;
            ASSERT_EQ(LogReader::end_of_plain(start, records.size()), end);
        } else if (i % 2 == 0) {  // what its caller then does
            reader.seek(start);
            const auto mtr = reader.next(false);
            ASSERT_TRUE(mtr && *mtr);
            ASSERT_TRUE(std::ranges::equal((*mtr)->records, records)) << start.value;
        }
    }
    EXPECT_GT(viewed, 100U);
}

TEST(LogReader, PassesWhatNextWouldReturn) {
    LogBuilder builder(Lsn{20000}, std::size_t{100} << 10);
    const Bytes record = test::page_record(0x30, {SpaceId{1}, PageNo{7}}, from_hex("0A0102"));
    const Lsn first = builder.append(record);
    const Lsn second = builder.append(record);
    const Lsn third = builder.append(record);
    builder.byte(Lsn{second.value + 2}) ^= std::byte{0x20};          // wrong checksum
    builder.byte(Lsn{third.value + record.size()}) ^= std::byte{1};  // wrong sequence bit
    const OpenedLog opened(builder.bytes);
    LogReader reader = opened.log->reader();
    reader.seek(first);
    EXPECT_TRUE(reader.plain_bytes().empty());  // nothing is read yet
    EXPECT_FALSE(reader.pass(record.size(), true));
    EXPECT_EQ(reader.position(), first);
    ASSERT_TRUE(*reader.next());
    reader.seek(first);
    ASSERT_GE(reader.plain_bytes().size(), record.size());
    EXPECT_TRUE(std::ranges::equal(reader.plain_bytes().first(record.size()), record));
    EXPECT_FALSE(reader.pass(record.size() - 1, true));
    EXPECT_TRUE(reader.pass(record.size(), true));
    EXPECT_EQ(reader.position(), second);
    EXPECT_FALSE(reader.pass(record.size(), true));
    EXPECT_EQ(reader.position(), second);
    EXPECT_TRUE(reader.pass(record.size(), false));
    EXPECT_EQ(reader.position(), third);
    EXPECT_FALSE(reader.pass(record.size(), false));
}

TEST(LogVectors, EveryRealMtrIsReadAtItsLsnAndDecoded) {
    const test::TemporaryDirectory temporary;
    auto directory = std::move(*io::open_posix_directory(temporary.path()));
    for (const Log which : {Log::A, Log::B}) {
        const Lsn first_lsn{which == Log::A ? 578244467U : 44404U};
        const std::uint64_t file_size = which == Log::A ? 209715200 : 100663296;
        const std::string path = which == Log::A ? "a" : "b";
        auto file = std::move(*directory->open(path, io::OpenMode::CreateExclusive));
        ASSERT_TRUE(file->truncate(file_size));  // sparse
        const LogBuilder header(first_lsn, kSmallest);
        ASSERT_TRUE(file->write_at(0, std::span(header.bytes).first(512)));
        for (const Vector& v : kVectors) {
            if (v.log == which) {
                const std::uint64_t at = 12288 + (v.start - first_lsn.value) % (file_size - 12288);
                ASSERT_TRUE(file->write_at(at, from_hex(v.hex)));
            }
        }
        auto log = LogFile::open(*directory, path, nullptr);
        ASSERT_TRUE(log) << log.error().to_string();
        LogReader reader = (*log)->reader();
        for (const Vector& v : kVectors) {
            if (v.log != which) {
                continue;
            }
            SCOPED_TRACE(v.start);
            reader.seek(Lsn{v.start});
            auto mtr = reader.next();
            ASSERT_TRUE(mtr && *mtr) << name_of(reader.end_reason());
            EXPECT_EQ((*mtr)->end.value, v.end);
            std::string kinds;
            RecordReader records((*mtr)->records);
            for (;;) {
                auto record = records.next();
                ASSERT_TRUE(record) << record.error().to_string();
                if (!*record) {
                    break;
                }
                kinds += (kinds.empty() ? "" : " ") + record_name(**record);
            }
            EXPECT_EQ(kinds, v.kinds);
        }
    }
}

TEST(LogVectors, RealHeaderAndCheckpointAreValid) {
    Bytes bytes(100663296);
    const auto put = [&](std::size_t at, std::string_view hex) {
        std::ranges::copy(from_hex(hex), bytes.begin() + static_cast<std::ptrdiff_t>(at));
    };
    put(0, "5068797300000000000000000000ad744d6172696144422031302e31312e3139");
    put(508, "810fc319");
    put(4096, "000000002bc3b9df000000002c6dc3d6");
    put(4096 + 60, "064b99d5");
    const OpenedLog opened(std::move(bytes));
    EXPECT_EQ(opened.log->header().first_lsn, Lsn{44404});
    EXPECT_EQ(opened.log->header().creator, "MariaDB 10.11.19");
    EXPECT_EQ(opened.log->header().encryption, LogEncryption::None);
    const auto checkpoint = opened.log->checkpoint();
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->lsn, Lsn{734247391});
    EXPECT_EQ(checkpoint->end_lsn, Lsn{745391062});
    EXPECT_FALSE(opened.log->checkpoints()[1]);
}

TEST(LogVectors, ARealEncryptedMtrIsDecrypted) {
    constexpr std::uint64_t kFirstLsn = 44864;
    LogBuilder builder(Lsn{kFirstLsn}, 50331648, LogBuilder::kEncrypted);
    builder.encrypt(kMessage, kDerived, crypt::CipherMode::Cbc);
    builder.next = Lsn{47799};
    for (const std::byte b : from_hex("3011256bad7bc7c8d094d69fe0ab360b78ee07a08d487ddf79801f1c3102"
                                      "82303b01000000000000bab7687aa884")) {
        builder.byte(builder.next) = b;
        ++builder.next.value;
    }
    const OneKey keys(crypt::CipherMode::Cbc);
    const OpenedLog opened(std::move(builder.bytes), &keys);
    LogReader reader = opened.log->reader();
    reader.seek(Lsn{47799});
    auto mtr = reader.next();
    ASSERT_TRUE(mtr && *mtr) << name_of(reader.end_reason());
    EXPECT_EQ((*mtr)->end, Lsn{47845});
    EXPECT_TRUE(std::ranges::equal(
        (*mtr)->records,
        from_hex("30110400a8420110fbfa29decac7510f52989f4078e97240000000010000000100")));
}

// ---- round trips ----

TEST(LogReader, AMtrMayWrapAtEveryByteOfItsRecordsAndTrailer) {
    const std::vector<Bytes> mtr = {test::page_record(0x30, {SpaceId{1}, PageNo{2}}, Bytes(9)),
                                    test::record(0xB0, Bytes(40))};
    const Bytes records = joined(mtr);
    for (const std::size_t file_size : {16384U, 12288U + 1000U}) {
        const std::size_t capacity = file_size - 12288;
        for (std::size_t before = 0; before <= records.size() + 6; ++before) {
            SCOPED_TRACE(before);
            LogBuilder builder(Lsn{20000}, file_size);
            builder.next = Lsn{20000 + capacity - before};
            const Lsn start = builder.append(mtr);
            builder.append(mtr);
            builder.byte(builder.next) = std::byte{0};
            const OpenedLog opened(std::move(builder.bytes));
            LogReader reader = opened.log->reader();
            reader.seek(start);
            EXPECT_EQ(read_all(reader, LogEnd::EmptyByte), (std::vector<Bytes>{records, records}));
        }
    }
}

struct Flavour {
    std::uint32_t format;
    std::optional<crypt::CipherMode> mode;
};

TEST(LogReader, ReadsRandomMtrsBackFromLogsOfEachFormat) {
    for (const Flavour flavour : {Flavour{LogBuilder::kPlain, std::nullopt},
                                  Flavour{LogBuilder::kEncrypted, crypt::CipherMode::Cbc},
                                  Flavour{LogBuilder::kEncrypted, crypt::CipherMode::Ctr},
                                  Flavour{LogBuilder::kPlain, crypt::CipherMode::Cbc},
                                  Flavour{LogBuilder::kPlain, crypt::CipherMode::Ctr}}) {
        for (unsigned seed = 0; seed < 40; ++seed) {
            SCOPED_TRACE(fmt::format("format {:x} encrypted {} seed {}", flavour.format,
                                     flavour.mode.has_value(), seed));
            std::mt19937 random(seed);
            const std::size_t capacity = 3000 + random() % 400000;
            const Lsn first_lsn{12288 + random()};
            LogBuilder builder(first_lsn, 12288 + capacity, flavour.format);
            if (flavour.mode) {
                builder.encrypt(kMessage, kDerived, *flavour.mode);
            }
            builder.next.value += random() % (3 * capacity);
            const Lsn start = builder.next;
            std::vector<Bytes> written;
            for (;;) {
                const auto mtr = random_mtr(random, 1 + random() % 900);
                if (builder.next.value + joined(mtr).size() + 14 - start.value > capacity) {
                    break;
                }
                builder.append(mtr);
                written.push_back(joined(mtr));
            }
            builder.byte(builder.next) = std::byte{0};
            const OneKey keys(flavour.mode.value_or(crypt::CipherMode::Cbc));
            const OpenedLog opened(std::move(builder.bytes), &keys);
            LogReader reader = opened.log->reader();
            reader.seek(start);
            EXPECT_EQ(read_all(reader, LogEnd::EmptyByte), written);
        }
    }
}

TEST(LogReader, SeeksBackAndForthToAnyMtr) {
    LogBuilder builder(Lsn{100000}, 12288 + (std::size_t{7} << 20));
    std::mt19937 random(7);
    std::vector<std::pair<Lsn, Bytes>> written;
    while (builder.next.value < 100000 + (std::uint64_t{6} << 20)) {
        const auto mtr = random_mtr(random, 20000);
        written.emplace_back(builder.append(mtr), joined(mtr));
    }
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    for (int i = 0; i < 3000; ++i) {
        const auto& [lsn, records] = written[random() % written.size()];
        reader.seek(lsn);
        auto mtr = reader.next(i % 2 == 0);
        ASSERT_TRUE(mtr && *mtr);
        ASSERT_TRUE(std::ranges::equal((*mtr)->records, records));
    }
}

TEST(LogReader, ReadsAMtrOfAlmostOneMiB) {
    LogBuilder builder(Lsn{20000}, std::size_t{4} << 20);
    const std::vector<Bytes> mtr(65,
                                 test::page_record(0x30, {SpaceId{1}, PageNo{2}}, Bytes(16100)));
    builder.append(mtr);
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    EXPECT_EQ(read_all(reader, LogEnd::EmptyByte), std::vector<Bytes>{joined(mtr)});
}

// ---- ends of the log ----

const Bytes kRecord = from_hex("340102085a");

TEST(LogEnd, AByteOfZeroOrOneIsTheEnd) {
    for (const std::byte b : {std::byte{0}, std::byte{1}}) {
        LogBuilder builder(Lsn{20000}, 16384);
        builder.append(kRecord);
        builder.byte(builder.next) = b;
        const OpenedLog opened(std::move(builder.bytes));
        LogReader reader = opened.log->reader();
        EXPECT_EQ(read_all(reader, LogEnd::EmptyByte).size(), 1U);
    }
}

TEST(LogEnd, AMtrWithoutTerminatorIsTheEnd) {
    LogBuilder builder(Lsn{20000}, std::size_t{3} << 20);
    builder.append(kRecord);
    for (std::uint64_t lsn = builder.next.value; lsn < 20000 + (std::uint64_t{2} << 20); ++lsn) {
        builder.byte(Lsn{lsn}) = std::byte{0x3F};
    }
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    EXPECT_EQ(read_all(reader, LogEnd::TooLong).size(), 1U);
}

TEST(LogEnd, ALengthOfOneMiBOrMoreOrInNoValidFormIsTheEnd) {
    for (const std::string_view hex : {"30CFBF80", "30E0000000", "30FF"}) {
        LogBuilder builder(Lsn{20000}, std::size_t{3} << 20);
        builder.append(kRecord);
        for (const std::byte b : from_hex(hex)) {
            builder.byte(builder.next) = b;
            ++builder.next.value;
        }
        const OpenedLog opened(std::move(builder.bytes));
        LogReader reader = opened.log->reader();
        EXPECT_EQ(read_all(reader, LogEnd::TooLong).size(), 1U) << hex;
    }
}

TEST(LogEnd, TheSequenceBitOfAnotherLapIsTheEnd) {
    LogBuilder builder(Lsn{20000}, 16384);
    builder.append(kRecord);
    const Lsn second = builder.append(kRecord);
    builder.byte(Lsn{second.value + kRecord.size()}) = std::byte{0};
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    EXPECT_EQ(read_all(reader, LogEnd::SequenceBit).size(), 1U);
}

TEST(LogEnd, AnyChangedByteOfRecordsOrChecksumIsTheEnd) {
    for (std::size_t i = 0; i < kRecord.size() + 5; ++i) {
        LogBuilder builder(Lsn{20000}, 16384);
        builder.append(kRecord);
        const Lsn second = builder.append(kRecord);
        if (i == 0 || i == kRecord.size()) {
            continue;  // length and terminator: other reasons
        }
        builder.byte(Lsn{second.value + i}) ^= std::byte{0x20};
        const OpenedLog opened(std::move(builder.bytes));
        LogReader reader = opened.log->reader();
        EXPECT_EQ(read_all(reader, LogEnd::Checksum).size(), 1U) << i;
    }
}

TEST(LogEnd, ALogFullOfOneLapEndsWhereItBegan) {
    // The same bytes again with the other sequence bit would make the second lap look written.
    LogBuilder builder(Lsn{20000}, 12288 + 10 * (kRecord.size() + 5));
    for (int i = 0; i < 10; ++i) {
        builder.append(kRecord);
    }
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    EXPECT_EQ(read_all(reader, LogEnd::SequenceBit).size(), 10U);
    EXPECT_EQ(reader.position(), Lsn{20000 + opened.log->capacity()});
}

TEST(LogEnd, NoMoreThanTheCapacityIsReadWhateverTheBytesSay) {
    // A log of records without any terminator, shorter than the longest mini-transaction.
    LogBuilder builder(Lsn{20000}, 12288 + 5000);
    std::fill(builder.bytes.begin() + 12288, builder.bytes.end(), std::byte{0x3F});
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    EXPECT_TRUE(read_all(reader, LogEnd::SequenceBit).empty());
}

TEST(LogReader, FindsTheNextBoundaryFromWithinAMiniTransaction) {
    std::mt19937 random(7);
    LogBuilder builder(Lsn{20000}, 12288 + 40000);
    builder.next = Lsn{20000 + 39000};  // wraps
    std::vector<Lsn> starts;
    for (int i = 0; i < 40; ++i) {
        starts.push_back(builder.append(random_mtr(random, 1 + random() % 300)));
    }
    const Lsn end = builder.next;
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    for (std::uint64_t from = starts.front().value; from < end.value; ++from) {
        const auto expected = std::ranges::lower_bound(starts, Lsn{from});
        reader.seek(Lsn{from}, end);
        const auto found = reader.find_boundary(end);
        ASSERT_TRUE(found) << found.error().to_string();
        ASSERT_EQ(*found, expected != starts.end()) << from;
        if (*found) {
            ASSERT_EQ(reader.position(), *expected) << from;
        }
    }
    reader.seek(Lsn{starts[3].value + 1});
    EXPECT_FALSE(*reader.find_boundary(starts[4])) << "none before `until`";
}

TEST(LogReader, ASearchComesToTheFirstPlaceWhereAMiniTransactionCanBeRead) {
    constexpr std::size_t kSize = 600;  // bytes of log
    constexpr std::array<std::uint8_t, 8> kBytes{0x00, 0x01, 0x20, 0x31, 0x32, 0x33, 0x3F, 0x81};
    std::mt19937 random(11);
    for (int round = 0; round < 40; ++round) {
        LogBuilder builder(Lsn{20000}, 16384);
        for (std::size_t i = 0; i < kSize; ++i) {
            builder.bytes[12288 + i] = std::byte{kBytes[random() % (2 + round % 7)]};
        }
        for (int i = 0; i < 4; ++i) {
            builder.next = Lsn{20000 + random() % (kSize - 100)};
            builder.append(random_mtr(random, 1 + random() % 20));
        }
        const Lsn end{20000 + kSize};
        const OpenedLog opened(std::move(builder.bytes));
        LogReader reader = opened.log->reader();
        LogReader one_by_one = opened.log->reader();
        for (Lsn from{20000}; from < end; ++from.value) {
            Lsn expected = from;
            for (bool read = false; !read && expected < end; expected.value += read ? 0 : 1) {
                one_by_one.seek(expected, end);
                read = one_by_one.next()->has_value();
            }
            reader.seek(from, end);
            const auto found = reader.find_boundary(end);
            ASSERT_TRUE(found);
            ASSERT_EQ(*found, expected < end) << round << " from " << from.value;
            if (*found) {
                ASSERT_EQ(reader.position(), expected) << round << " from " << from.value;
            }
        }
    }
}

// Were each byte's walk to go its whole way, or to be summed up alone, this would take an hour.
TEST(LogReader, ASearchThroughALongRunOfOneByteTakesTimeForItsBytesOnly) {
    constexpr std::size_t kRun = std::size_t{1} << 20;  // bytes
    for (const std::byte byte : {std::byte{0x31}, std::byte{0x33}, std::byte{0x3F}}) {
        // Each byte begins a short record, and the last of them ends in a mini-transaction.
        LogBuilder builder(Lsn{20000}, std::size_t{8} << 20);
        std::fill_n(builder.bytes.begin() + 12288, kRun, byte);
        const Lsn begin{20000 + kRun};
        builder.next = begin;
        builder.append(kRecord);
        builder.append(kRecord);
        const Lsn end = builder.next;
        const OpenedLog opened(std::move(builder.bytes));
        LogReader reader = opened.log->reader();
        reader.seek(Lsn{20000}, end);
        const auto found = reader.find_boundary(end);
        ASSERT_TRUE(found) << found.error().to_string();
        ASSERT_TRUE(*found);
        EXPECT_EQ(reader.position(), begin);
    }
}

TEST(LogReader, NothingIsReadBehindTheLimit) {
    LogBuilder builder(Lsn{20000}, 16384);
    const Bytes record = test::page_record(0x30, {SpaceId{5}, PageNo{3}}, from_hex("0102"));
    const Lsn first = builder.append(record);
    const Lsn second = builder.append(record);
    const OpenedLog opened(std::move(builder.bytes));
    LogReader reader = opened.log->reader();
    reader.seek(first, Lsn{second.value + 1});
    EXPECT_EQ(read_all(reader, LogEnd::SequenceBit).size(), 1U);
}

TEST(LogReader, AnLsnBeforeTheFirstOrAFileThatShrankIsCorruption) {
    OpenedLog opened(std::move(LogBuilder(Lsn{20000}, 16384).bytes));
    LogReader reader = opened.log->reader();
    reader.seek(Lsn{19999});
    EXPECT_EQ(reader.next().error().code(), ErrorCode::Corruption);
    opened.directory.find(kLogPath)->resize(12300);
    reader.seek(Lsn{20000});
    EXPECT_EQ(reader.next().error().code(), ErrorCode::Corruption);
    reader.seek(Lsn{UINT64_MAX});
    EXPECT_FALSE(reader.next()->has_value()) << "there is no LSN after it";
}

// ---- opening ----

TEST(LogFile, OffsetsAndSequenceBitsFollowTheLaps) {
    const OpenedLog opened(std::move(LogBuilder(Lsn{20000}, 12288 + 1000).bytes));
    EXPECT_EQ(opened.log->offset_of(Lsn{20000}), 12288U);
    EXPECT_EQ(opened.log->offset_of(Lsn{20999}), 13287U);
    EXPECT_EQ(opened.log->offset_of(Lsn{21000}), 12288U);
    EXPECT_EQ(opened.log->sequence_bit(Lsn{20999}), 1);
    EXPECT_EQ(opened.log->sequence_bit(Lsn{21000}), 0);
    EXPECT_EQ(opened.log->sequence_bit(Lsn{22000}), 1);
}

TEST(LogFile, TheValidCheckpointWithTheLargerLsnCounts) {
    LogBuilder builder(Lsn{20000}, 16384);
    const auto chosen = [&] { return OpenedLog(builder.bytes).log->checkpoint(); };
    EXPECT_THAT(chosen().error().message(), HasSubstr("no valid checkpoint"));
    builder.checkpoint(1, Lsn{20100}, Lsn{20200});
    EXPECT_EQ(chosen()->lsn, Lsn{20100});
    builder.checkpoint(0, Lsn{20100}, Lsn{20300});
    EXPECT_EQ(chosen()->block, 1U) << "a tie";
    builder.checkpoint(0, Lsn{20101}, Lsn{20300});
    EXPECT_EQ(chosen()->block, 0U);
    builder.bytes[4096 + 60] ^= std::byte{1};
    EXPECT_EQ(chosen()->block, 1U) << "checksum";
    builder.checkpoint(0, Lsn{20301}, Lsn{20300});
    EXPECT_EQ(chosen()->block, 1U) << "end before checkpoint";
    builder.checkpoint(1, Lsn{19999}, Lsn{20300});
    EXPECT_EQ(chosen().error().code(), ErrorCode::Corruption) << "before the first LSN";
    builder.bytes[4096 + 16] = std::byte{1};
    builder.checkpoint(0, Lsn{20100}, Lsn{20300});
    EXPECT_EQ(chosen().error().code(), ErrorCode::Corruption) << "reserved bytes";
}

TEST(LogFile, ACheckpointThatEndsFurtherOnThanTheLogHoldsIsCorruption) {
    LogBuilder builder(Lsn{20000}, 16384);
    builder.checkpoint(0, Lsn{20000}, Lsn{20000 + 4096});
    EXPECT_EQ(OpenedLog(builder.bytes).log->checkpoint().error().code(), ErrorCode::Corruption);
    builder.checkpoint(0, Lsn{20000}, Lsn{UINT64_MAX});
    EXPECT_EQ(OpenedLog(builder.bytes).log->checkpoint().error().code(), ErrorCode::Corruption);
}

TEST(LogFile, OtherFormatsAreRefusedByNameWithTheNextStep) {
    struct Case {
        std::uint32_t format;
        std::string_view name;
        std::string_view hint;
    };
    for (const Case& c :
         {Case{0, "MySQL 5.6 or MariaDB 10.1 or older", "cleanly stop"},
          Case{1, "MariaDB 10.2 or MySQL 5.7 (written by \"MariaDB 10.11.19\")", "cleanly stop"},
          Case{0x80000001, "encrypted redo log of MariaDB 10.2", "cleanly stop"},
          Case{2, "MySQL 8.0", "dump the data"}, Case{6, "MySQL 8.0", "dump the data"},
          Case{103, "redo log of MariaDB 10.3", "cleanly stop"},
          Case{0x80000067, "encrypted redo log of MariaDB 10.3", "cleanly stop"},
          Case{104, "MariaDB 10.4", "cleanly stop"},
          Case{0x50485953, "redo log of MariaDB 10.5 to 10.7",
               "start and cleanly stop that server once"},
          Case{0xD0485953, "encrypted redo log of MariaDB 10.5 to 10.7", "cleanly stop"},
          Case{7, "unknown format 0x00000007", "newer version"},
          Case{0xFFFFFFFF, "unknown format 0xffffffff", "newer version"}}) {
        const Error error = open_error(LogBuilder(Lsn{20000}, 16384, c.format).bytes);
        EXPECT_EQ(error.code(), ErrorCode::Unsupported) << c.name;
        EXPECT_THAT(error.message(), HasSubstr(c.name));
        EXPECT_THAT(error.hint(), HasSubstr(c.hint));
        EXPECT_EQ(error.file(), kLogPath);
    }
}

TEST(LogFile, TheCreatorIsPrintedWithoutControlBytes) {
    LogBuilder builder(Lsn{20000}, 16384, 104);
    const Bytes hostile = from_hex("1b5b324aff410a42");
    std::ranges::copy(hostile, builder.bytes.begin() + 16);
    builder.bytes[24] = std::byte{0};
    builder.seal_header();
    EXPECT_THAT(open_error(builder.bytes).message(), HasSubstr("\"?[2J?A?B\""));
    std::fill_n(builder.bytes.begin() + 16, 32, std::byte{'x'});
    builder.seal_header();
    EXPECT_THAT(open_error(builder.bytes).message(), HasSubstr("\"" + std::string(32, 'x') + "\""));
}

TEST(LogFile, DamagedOrShortFilesAreCorruption) {
    EXPECT_THAT(open_error({}).message(), HasSubstr("is empty"));
    EXPECT_THAT(open_error(Bytes(511)).message(), HasSubstr("only 511 bytes"));
    EXPECT_THAT(open_error(Bytes(16384)).message(), HasSubstr("all zeros"));
    const Bytes good = LogBuilder(Lsn{20000}, 16384).bytes;
    for (const std::size_t size : {512U, 4096U, 12288U, 12303U}) {
        const Error error = open_error(Bytes(good.begin(), good.begin() + size));
        EXPECT_EQ(error.code(), ErrorCode::Corruption) << size;
    }
    Bytes changed = good;
    changed[100] ^= std::byte{1};
    EXPECT_THAT(open_error(changed).message(), HasSubstr("checksum"));
    LogBuilder reserved(Lsn{20000}, 16384);
    reserved.bytes[7] = std::byte{1};
    reserved.seal_header();
    EXPECT_EQ(open_error(reserved.bytes).code(), ErrorCode::Corruption);
    EXPECT_EQ(open_error(LogBuilder(Lsn{12287}, 16384).bytes).code(), ErrorCode::Corruption);
    io::MemoryDirectory directory;
    EXPECT_EQ(LogFile::open(directory, kLogPath, nullptr).error().code(), ErrorCode::NotFound);
}

TEST(LogFile, FurtherLogFilesAreRefusedButNotTheServersWorkFile) {
    io::MemoryDirectory directory;
    directory.put("log/ib_logfile0", make_clean_log(Lsn{20000}, "x"));
    directory.put("log/ib_logfile101", {});
    directory.put("ib_logfile1", {});
    EXPECT_TRUE(LogFile::open(directory, "log/ib_logfile0", nullptr));
    directory.put("log/ib_logfile1", {});
    const auto opened = LogFile::open(directory, "log/ib_logfile0", nullptr);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::Corruption);
    EXPECT_THAT(opened.error().message(), HasSubstr("ib_logfile1"));
}

TEST(LogFile, AnEncryptedLogNeedsItsKey) {
    LogBuilder builder(Lsn{20000}, 16384, LogBuilder::kEncrypted);
    EXPECT_EQ(open_error(builder.bytes).code(), ErrorCode::Corruption) << "key id 0";
    builder.encrypt(kMessage, kDerived, crypt::CipherMode::Cbc);
    const Error no_keys = open_error(builder.bytes);
    EXPECT_EQ(no_keys.code(), ErrorCode::Key);
    EXPECT_FALSE(no_keys.hint().empty());
    const OneKey keys(crypt::CipherMode::Cbc);
    EXPECT_EQ(OpenedLog(builder.bytes, &keys).log->header().key_version, 1U);
    builder.bytes[55] = std::byte{2};  // key version
    builder.seal_header();
    EXPECT_EQ(open_error(builder.bytes, &keys).code(), ErrorCode::Key);
    builder.bytes[51] = std::byte{2};  // key id
    builder.seal_header();
    EXPECT_EQ(open_error(builder.bytes, &keys).code(), ErrorCode::Corruption);
}

}  // namespace
}  // namespace redoubt::redo
