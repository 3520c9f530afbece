#include "recovery/log_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "io/memory_directory.h"
#include "unit/redo/log_builder.h"
#include "unit/redo/log_key.h"
#include "unit/redo/opened_log.h"

namespace redoubt::recovery {
namespace {

using test::Bytes;
using test::LogBuilder;

constexpr unsigned kWrite = 0x30;
constexpr unsigned kFreePage = 0x00;
constexpr unsigned kInitPage = 0x10;
constexpr unsigned kExtended = 0x20;
constexpr unsigned kOption = 0x70;
constexpr unsigned kSamePage = 0x80;
constexpr unsigned kFileModify = 0xB0;

/// A log of a few rounds of pieces that wraps, with mini-transactions of all sizes.
struct LongLog {
    explicit LongLog(unsigned seed) : builder(Lsn{20000}, LogBuilder::kStart + kCapacity) {
        std::mt19937 random(seed);
        builder.next = checkpoint = Lsn{20000 + kCapacity / 2};
        builder.append(test::file_checkpoint(checkpoint));
        builder.checkpoint(0, checkpoint, checkpoint);
        while (builder.next.value < checkpoint.value + kCapacity - (std::size_t{2} << 20)) {
            append_mtr(random);
        }
        end = builder.next;
        directory.put("ib_logfile0", builder.bytes);
        log = *redo::LogFile::open(directory, "ib_logfile0", nullptr);
    }

    void append_mtr(std::mt19937& random) {
        std::vector<Bytes> records;
        if (random() % 50 == 0) {
            const auto space = static_cast<std::uint32_t>(1 + random() % 9);
            Bytes payload{static_cast<std::byte>(space), std::byte{0}};
            test::append_bytes(payload, std::as_bytes(std::span("./d/t.ibd", 9)));
            records.push_back(test::record(kFileModify, payload));
        }
        const std::size_t size = random() % 400 == 0 ? random() % 900'000 : random() % 3000;
        for (std::size_t total = 0; total < size || records.empty();) {
            const PageId page{SpaceId{static_cast<std::uint32_t>(1 + random() % 9)},
                              PageNo{static_cast<std::uint32_t>(random() % 5000)}};
            const auto kind = random() % 30;
            if (kind == 0) {
                records.push_back(test::page_record(kFreePage, page, {}));
            } else if (kind == 1) {
                records.push_back(test::page_record(kInitPage, page, {}));
            } else if (kind == 2) {
                records.push_back(test::page_record(kExtended, page, test::from_hex("06")));
            } else if (kind == 3 && total > 0) {
                records.push_back(test::record(kSamePage | kWrite, test::from_hex("0201")));
            } else if (kind == 4 && total > 0) {
                records.push_back(test::record(kSamePage | kExtended, test::from_hex("0900")));
            } else if (kind == 5 && total > 0 && random() % 20 == 0) {
                records.push_back(test::record(kSamePage | kOption, test::from_hex("01")));
            } else {
                // Zeros and ones: bytes that could end a mini-transaction, and much that could not.
                Bytes body(2 + random() % (size > 100'000 ? 20'000 : 200));
                std::ranges::generate(body, [&] { return static_cast<std::byte>(random() % 3); });
                records.push_back(test::page_record(kWrite, page, body));
            }
            total += records.back().size();
        }
        builder.append(records);
    }

    static constexpr std::size_t kCapacity = std::size_t{21} << 20;
    LogBuilder builder;
    Lsn checkpoint;
    Lsn end;
    io::MemoryDirectory directory;
    std::unique_ptr<redo::LogFile> log;
};

struct Scanned {
    LogScan scan;
    RedoIndex index{std::size_t{64} << 20};
};

std::unique_ptr<Scanned> scan(const LongLog& log, unsigned threads) {
    auto scanned = std::make_unique<Scanned>();
    auto result = scan_log(*log.log, scanned->index, {.threads = threads});
    EXPECT_TRUE(result) << result.error().to_string();
    scanned->scan = std::move(*result);
    return scanned;
}

std::vector<Lsn> starts_of(const PageEntries& entries) {
    std::vector<Lsn> starts;
    for (auto cursor = entries.cursor(); !cursor.done(); cursor.next()) {
        starts.push_back(cursor.start());
    }
    return starts;
}

void expect_same(const RedoIndex& a, const RedoIndex& b) {
    ASSERT_EQ(a.page_count(), b.page_count());
    for (std::size_t i = 0; i < a.page_count(); ++i) {
        ASSERT_EQ(a.page(i).id(), b.page(i).id());
        ASSERT_EQ(a.page(i).initialised(), b.page(i).initialised());
        ASSERT_EQ(a.page(i).freed(), b.page(i).freed());
        ASSERT_EQ(starts_of(a.page(i)), starts_of(b.page(i)));
    }
}

TEST(LogScan, SeveralThreadsFindWhatOneFinds) {  // W1
    for (unsigned seed = 1; seed <= 2; ++seed) {
        const LongLog log(seed);
        const auto one = scan(log, 1);
        EXPECT_EQ(one->scan.end, log.end);
        EXPECT_GT(one->index.page_count(), 10'000U);
        for (const unsigned threads : {2U, 5U}) {
            SCOPED_TRACE(threads);
            const auto many = scan(log, threads);
            EXPECT_EQ(many->scan.end, one->scan.end);
            EXPECT_EQ(many->scan.end_reason, one->scan.end_reason);
            EXPECT_EQ(many->scan.mtr_count, one->scan.mtr_count);
            EXPECT_EQ(many->scan.record_counts, one->scan.record_counts);
            EXPECT_EQ(many->scan.touched_spaces, one->scan.touched_spaces);
            ASSERT_EQ(many->scan.file_events.size(), one->scan.file_events.size());
            for (const auto& [space, events] : one->scan.file_events) {
                EXPECT_EQ(many->scan.file_events.at(space).size(), events.size());
            }
            expect_same(many->index, one->index);
            expect_same(many->scan.first_pages, one->scan.first_pages);
        }
    }
}

/// What LogReader and RecordReader find one after another.
struct Read {
    std::array<std::uint64_t, redo::kRecordKindCount> counts{};
    std::uint64_t mtr_count = 0;
    RedoIndex index{std::size_t{64} << 20};
};

void take_records(const redo::Mtr& mtr, Read& read) {
    redo::RecordReader records(mtr.records);
    for (redo::Record record;;) {
        const auto found = records.next(record);
        ASSERT_TRUE(found) << found.error().to_string();
        if (!*found) {
            return;
        }
        ++read.counts.at(redo::record_kind(record));
        if (record.is_file_record() || record.type == redo::RecordType::Option) {
            continue;
        }
        PageEffect effect = PageEffect::Change;
        if (record.type == redo::RecordType::InitPage) {
            effect = PageEffect::Initialise;
        } else if (record.type == redo::RecordType::FreePage) {
            effect = PageEffect::Free;
        }
        read.index.add(record.page, mtr.start, effect);
    }
}

/// Of mini-transactions from `from` on that begin before `until`.
std::unique_ptr<Read> read(const redo::LogFile& log, Lsn from, Lsn until) {
    auto result = std::make_unique<Read>();
    result->index.begin(0);
    redo::LogReader reader = log.reader();
    reader.seek(from);
    for (; reader.position() < until; ++result->mtr_count) {
        const auto mtr = reader.next();
        EXPECT_TRUE(mtr) << mtr.error().to_string();
        if (!*mtr) {
            break;
        }
        take_records(**mtr, *result);
    }
    result->index.finish();
    return result;
}

/// The scan takes nearly all mini-transactions in one pass of its own: with the same result.
TEST(LogScan, FindsWhatTheReadersFind) {
    const LongLog log(4);
    const auto expected = read(*log.log, log.checkpoint, log.end);
    for (const unsigned threads : {1U, 3U}) {
        SCOPED_TRACE(threads);
        const auto scanned = scan(log, threads);
        EXPECT_EQ(scanned->scan.mtr_count, expected->mtr_count);
        EXPECT_EQ(scanned->scan.record_counts, expected->counts);
        expect_same(scanned->index, expected->index);
    }
}

/// A log whose newest checkpoint lies at its end, all else being history.
struct OldLog : LongLog {
    explicit OldLog(unsigned seed) : LongLog(seed) {
        newer = builder.next;
        builder.append(test::file_checkpoint(newer));
        builder.checkpoint(1, newer, newer);
        reopen();
    }
    void reopen() {
        directory.put("ib_logfile0", builder.bytes);
        log = *redo::LogFile::open(directory, "ib_logfile0", nullptr);
    }
    Lsn newer;
};

TEST(LogHistory, IsWhatTheLapBeforeTheCheckpointSays) {
    const OldLog log(5);
    const auto scanned = scan(log, 2);
    ASSERT_EQ(scanned->scan.checkpoint.lsn, log.newer);
    RedoIndex history(std::size_t{64} << 20);
    const auto from = index_history(*log.log, scanned->scan, history, {.threads = 2});
    ASSERT_TRUE(from) << from.error().to_string();
    EXPECT_GT(*from, log.checkpoint);  // the lap's first quarter was never written
    EXPECT_LT(*from, Lsn{log.checkpoint.value + LongLog::kCapacity / 4});
    const auto expected = read(*log.log, *from, log.newer);
    EXPECT_GT(expected->index.page_count(), 10'000U);
    expect_same(history, expected->index);
    const PageEntries entries = history.page(0);
    EXPECT_EQ(entries.last_start(), starts_of(entries).back());
}

TEST(LogHistory, OfTheFirstLapBeginsWithTheLog) {
    LogBuilder builder(Lsn{20000}, LogBuilder::kStart + 100'000);
    const PageId page{SpaceId{7}, PageNo{3}};
    builder.append({test::page_record(kWrite, page, test::from_hex("0401"))});
    const Lsn last = builder.next;
    builder.append({test::page_record(kWrite, page, test::from_hex("0401"))});
    builder.append({test::page_record(kFreePage, {page.space, PageNo{4}}, {})});
    builder.checkpoint(0, builder.next, builder.next);
    builder.append(test::file_checkpoint(builder.next));
    io::MemoryDirectory directory;
    directory.put("ib_logfile0", builder.bytes);
    const auto log = *redo::LogFile::open(directory, "ib_logfile0", nullptr);
    RedoIndex index(1 << 20);
    const auto scanned = scan_log(*log, index, {});
    ASSERT_TRUE(scanned) << scanned.error().to_string();
    EXPECT_EQ(*index_history(*log, *scanned, index, {}), Lsn{20000});
    ASSERT_EQ(index.page_count(), 2U);
    EXPECT_EQ(index.page(0).last_start(), last);
    EXPECT_TRUE(index.page(1).freed());
}

TEST(LogHistory, ThatDoesNotLeadToTheCheckpointCountsForNothing) {
    OldLog log(6);
    log.builder.byte(Lsn{log.newer.value - (std::uint64_t{3} << 20)}) ^= std::byte{0x40};
    log.reopen();
    const auto scanned = scan(log, 2);
    RedoIndex history(std::size_t{64} << 20);
    EXPECT_EQ(*index_history(*log.log, scanned->scan, history, {.threads = 2}), log.newer);
    EXPECT_EQ(history.page_count(), 0U);
}

TEST(LogScan, ADamagedMiniTransactionEndsTheLogForAllThreads) {
    LongLog log(3);
    const Lsn damaged{log.checkpoint.value + (std::uint64_t{9} << 20)};
    log.builder.byte(damaged) ^= std::byte{0x40};
    log.directory.put("ib_logfile0", log.builder.bytes);
    log.log = *redo::LogFile::open(log.directory, "ib_logfile0", nullptr);
    const auto one = scan(log, 1);
    const auto many = scan(log, 4);
    EXPECT_LE(one->scan.end, damaged);
    EXPECT_EQ(many->scan.end, one->scan.end);
    EXPECT_EQ(many->scan.mtr_count, one->scan.mtr_count);
    expect_same(many->index, one->index);
}

TEST(LogScan, TheLastLsnsThereAreEndTheLog) {
    constexpr std::uint64_t kLast = ~std::uint64_t{0};
    LogBuilder builder(Lsn{kLast - 3000}, LogBuilder::kStart + 8000);
    builder.checkpoint(0, builder.next, builder.next);
    builder.append(test::file_checkpoint(builder.next));
    const Lsn end = builder.next;
    io::MemoryDirectory directory;
    directory.put("ib_logfile0", builder.bytes);
    const auto log = *redo::LogFile::open(directory, "ib_logfile0", nullptr);
    for (const unsigned threads : {1U, 2U}) {
        RedoIndex index(1 << 20);
        const auto scan = scan_log(*log, index, {.threads = threads});
        ASSERT_TRUE(scan) << scan.error().to_string();
        EXPECT_EQ(scan->end, end);
    }
}

TEST(LogScan, WhatIsNoCheckpointIsDamageAndAnUnreadableOneAMatterOfTheKey) {
    for (const bool whole : {false, true}) {
        LogBuilder builder(Lsn{20000}, LogBuilder::kStart + 8000, LogBuilder::kEncrypted);
        builder.encrypt(test::kMessage, test::kDerived, crypt::CipherMode::Cbc);
        builder.checkpoint(0, builder.next, builder.next);
        const PageId page{SpaceId{1}, PageNo{2}};
        builder.append(whole ? test::file_checkpoint(builder.next)
                             : test::page_record(kWrite, page, test::from_hex("0201")));
        for (const char* key :
             {"770A8A65DA156D24EE2A093277530142", "00000000000000000000000000000000"}) {
            SCOPED_TRACE(key);
            const test::OneKey keys(crypt::CipherMode::Cbc, key);
            const test::OpenedLog opened(builder.bytes, &keys);
            RedoIndex index(1 << 20);
            const auto scan = scan_log(*opened.log, index, {});
            ASSERT_EQ(scan.has_value(), whole && key[0] == '7');
            if (!scan) {
                EXPECT_EQ(scan.error().code(), whole ? ErrorCode::Key : ErrorCode::Corruption);
            }
        }
    }
}

TEST(LogScan, AnIndexMadeAgainIsTheSame) {
    const LongLog log(4);
    const auto one = scan(log, 1);
    RedoIndex again(std::size_t{64} << 20);
    ASSERT_TRUE(index_again(*log.log, one->scan, 0, again, {.threads = 3}));
    expect_same(again, one->index);
}

}  // namespace
}  // namespace redoubt::recovery
