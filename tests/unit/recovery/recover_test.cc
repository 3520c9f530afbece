#include "recovery/recover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/io/watched_directory.h"
#include "unit/recovery/tiny_directory.h"

namespace redoubt::recovery {
namespace {

using test::Bytes;
using test::Files;
using test::LogBuilder;

constexpr unsigned kInitPage = 0x10;
constexpr unsigned kWrite = 0x30;
constexpr SpaceId kTable{1};
constexpr std::string_view kTableName = "./d/t.ibd";

Files directory_with(const LogBuilder& log) {
    return {{"ibdata1", test::tiny_tablespace(kSystemSpace, std::size_t{1} << 20)},
            {"ib_logfile0", log.bytes},
            {"d/t.ibd", test::tiny_tablespace(kTable, test::kTinyTableSize)}};
}

/// A WRITE of `value` at byte 200 of a page.
Bytes write(PageId page, unsigned value) {
    Bytes body;
    test::append_varint(body, 200);
    body.push_back(static_cast<std::byte>(value));
    return test::page_record(kWrite, page, body);
}

/// The table's pages 1 to 9 written; 2 to 9 from nothing.
LogBuilder log_of_changes() {
    LogBuilder log = test::tiny_log();
    log.append(test::file_record(test::kFileModify, kTable, kTableName));
    log.append(write({kTable, PageNo{1}}, 7));
    for (std::uint32_t page = 2; page < 10; ++page) {
        const PageId id{kTable, PageNo{page}};
        log.append(std::vector{test::page_record(kInitPage, id, {}), write(id, page)});
    }
    return log;
}

/// The log contradicts the file: an error that names it, before anything is changed.
void expect_refused(const LogBuilder& log, std::string_view file) {
    io::MemoryDirectory directory;
    const Files start = directory_with(log);
    test::put_files(directory, start);
    const auto report = recover(directory, test::tiny_options());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::Corruption);
    EXPECT_EQ(report.error().file(), file);
    EXPECT_EQ(test::files_of(directory), start);
}

TEST(Recover, AppliesTheLogAndLeavesItClean) {
    const LogBuilder log = log_of_changes();
    io::MemoryDirectory directory;
    test::put_files(directory, directory_with(log));
    const auto report = recover(directory, test::tiny_options());
    ASSERT_TRUE(report) << report.error().to_string();
    EXPECT_EQ(report->end, log.next);
    EXPECT_EQ(report->pages_written, 9U);
    const Bytes& table = *directory.find("d/t.ibd");
    for (std::uint32_t page = 1; page < 10; ++page) {
        EXPECT_EQ(table[page * std::size_t{test::kTinyPageSize} + 200],
                  static_cast<std::byte>(page == 1 ? 7 : page));
    }
    EXPECT_EQ(directory.find("ib_logfile0")->size(), log.bytes.size()) << "the log keeps its size";
    const Files recovered = test::files_of(directory);
    EXPECT_FALSE(recovered.contains("redoubt.journal"));
    const auto again = recover(directory, test::tiny_options());
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_TRUE(again->was_clean);
    EXPECT_EQ(test::files_of(directory), recovered);
}

TEST(Recover, ManyTablespacesNeedFewOpenFiles) {
    constexpr std::uint32_t kSpaces = 20;
    constexpr std::size_t kOpenMax = 3;
    LogBuilder log = test::tiny_log();
    Files start = directory_with(log);
    for (std::uint32_t space = 1; space <= kSpaces; ++space) {
        const std::string path = fmt::format("d/t{}.ibd", space);
        start[path] = test::tiny_tablespace(SpaceId{space}, test::kTinyTableSize);
        log.append(test::file_record(test::kFileModify, SpaceId{space}, "./" + path));
        log.append(write({SpaceId{space}, PageNo{1}}, space));
    }
    log.append(test::file_record(test::kFileRename, SpaceId{5}, "./d/t5.ibd", "./d/new.ibd"));
    start.erase("d/t.ibd");
    start["ib_logfile0"] = log.bytes;
    for (const unsigned threads : {1U, 2U}) {
        io::MemoryDirectory usual;
        test::put_files(usual, start);
        ASSERT_TRUE(recover(usual, test::tiny_options()));
        io::MemoryDirectory memory;
        test::put_files(memory, start);
        test::WatchedDirectory watched(memory);
        RecoverOptions options = test::tiny_options();
        options.threads = threads;
        options.open_files_max = kOpenMax;
        const auto report = recover(watched, options);
        ASSERT_TRUE(report) << report.error().to_string();
        EXPECT_EQ(report->pages_written, kSpaces);
        EXPECT_EQ(test::files_of(memory), test::files_of(usual));
        EXPECT_LE(watched.open_most(), kOpenMax + threads + 2)
            << "the journal and the new log beside";
    }
}

/// A table of 20 MiB whose pages the log makes: much enough to be synced while the rest is applied.
/// The first sync of it fails, all others do not, as the system has it.
TEST(Recover, ASyncThatFailsEarlyEndsTheRun) {
    constexpr std::uint32_t kPages = 5120;
    LogBuilder log(Lsn{20480}, LogBuilder::kStart + (std::size_t{1} << 20));
    log.checkpoint(0, log.next, log.next);
    log.append(test::file_checkpoint(log.next));
    log.append(test::file_record(test::kFileModify, kTable, kTableName));
    for (std::uint32_t page = 2; page < kPages; ++page) {
        const PageId id{kTable, PageNo{page}};
        log.append(std::vector{test::page_record(kInitPage, id, {}), write(id, page % 100)});
    }
    Files start = directory_with(log);
    start["d/t.ibd"] =
        test::tiny_tablespace(kTable, std::size_t{kPages} * test::kTinyPageSize, kPages);
    io::MemoryDirectory memory;
    test::put_files(memory, start);
    test::WatchedDirectory directory(memory);
    directory.fail_next_sync("d/t.ibd");
    RecoverOptions options = test::tiny_options();
    options.threads = 2;
    options.memory = std::uint64_t{64} << 20;
    const auto report = recover(directory, options);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::Io);
    const auto again = recover(memory, options);
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_FALSE(again->was_clean) << "the checkpoint of before still counts";
}

TEST(Recover, ALogOfFileLevelRecordsOnlyIsApplied) {
    LogBuilder log = test::tiny_log();
    log.append(test::file_record(test::kFileModify, kTable, kTableName));
    log.append(test::file_record(test::kFileRename, kTable, kTableName, "./d/u.ibd"));
    for (const unsigned threads : {1U, 2U}) {
        io::MemoryDirectory directory;
        test::put_files(directory, directory_with(log));
        RecoverOptions options = test::tiny_options();
        options.threads = threads;
        const auto report = recover(directory, options);
        ASSERT_TRUE(report) << report.error().to_string();
        EXPECT_EQ(directory.find("d/t.ibd"), nullptr);
        EXPECT_NE(directory.find("d/u.ibd"), nullptr);
        EXPECT_TRUE(recover(directory, options)->was_clean);
    }
}

TEST(Recover, OnlyUndoTablespacesAreTruncated) {
    constexpr unsigned kExtended = 0x20;
    const Bytes trim_pages{std::byte{10}};
    for (const SpaceId space : {kSystemSpace, kTable}) {
        LogBuilder log = test::tiny_log();
        log.append(test::file_record(test::kFileModify, kTable, kTableName));
        log.append(write({space, PageNo{1}}, 7));
        log.append(test::page_record(kExtended, {space, PageNo{4}}, trim_pages));
        log.append(write({space, PageNo{1}}, 8));
        expect_refused(log, space == kSystemSpace ? "ibdata1" : "d/t.ibd");
    }
}

TEST(Recover, ARedoThatChangesThePageSizeIsRefused) {
    constexpr std::uint32_t kRowCompressed1k = 0xE3;  // of 4k, old format
    LogBuilder log = test::tiny_log();
    log.append(test::file_record(test::kFileModify, kTable, kTableName));
    Bytes body;
    test::append_varint(body, 54);
    body.resize(body.size() + 4);
    store_be(&body[body.size() - 4], kRowCompressed1k);
    log.append(test::page_record(kWrite, {kTable, PageNo{0}}, body));
    expect_refused(log, "d/t.ibd");
}

TEST(Recover, AFullDiskIsSaidAndTheNextRunCompletes) {
    const LogBuilder log = log_of_changes();
    Files start = directory_with(log);
    start.at("d/t.ibd").resize(std::size_t{8} * test::kTinyPageSize);  // redo extends it
    io::MemoryDirectory undisturbed;
    test::put_files(undisturbed, start);
    ASSERT_TRUE(recover(undisturbed, test::tiny_options()));

    io::MemoryDirectory full;
    test::put_files(full, start);
    full.limit_file_size(std::size_t{9} * test::kTinyPageSize);
    const auto report = recover(full, test::tiny_options());
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::NoSpace);
    EXPECT_FALSE(report.error().file().empty());
    full.limit_file_size(~std::uint64_t{0});
    const auto again = recover(full, test::tiny_options());
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ(test::files_of(full), test::files_of(undisturbed));
}

/// What the slots of the doublewrite buffer of tiny directories hold, from page 64 on.
void put_copies(Bytes& system, std::span<const Bytes> copies) {
    constexpr std::uint32_t kBlock1 = 64;
    constexpr std::uint32_t kMagic = 536853855;
    Bytes trx_system = test::tiny_page({kSystemSpace, PageNo{5}}, Lsn{20000});
    std::byte* header = trx_system.data() + trx_system.size() - 200;
    store_be<std::uint32_t>(header + 10, kMagic);
    store_be<std::uint32_t>(header + 14, kBlock1);
    store_be<std::uint32_t>(header + 18, kBlock1 + 256);
    page::seal(trx_system, *page::TablespaceFlags::decode(0x13));
    std::copy(trx_system.begin(), trx_system.end(), &system[5 * std::size_t{test::kTinyPageSize}]);
    std::size_t at = kBlock1 * std::size_t{test::kTinyPageSize};
    for (const Bytes& copy : copies) {
        std::copy(copy.begin(), copy.end(), &system[at]);
        at += copy.size();
    }
}

Bytes page_saying(unsigned value, std::uint32_t number, Lsn lsn) {
    Bytes page = test::tiny_page({kTable, PageNo{number}}, lsn);
    page[1000] = static_cast<std::byte>(value);
    page::seal(page, *page::TablespaceFlags::decode(0x13));
    return page;
}

/// Pages 2 and 3 of a table, of which the log changes page 2, saying `value` on the disk, and their
/// copies in the doublewrite buffer; then recovered.
struct DiskAndCopies {
    DiskAndCopies(unsigned value, Lsn lsn, std::span<const Bytes> copies) {
        LogBuilder log = test::tiny_log();
        log.append(test::file_record(test::kFileModify, kTable, kTableName));
        log.append(write({kTable, PageNo{2}}, 7));
        Files start = directory_with(log);
        for (const std::uint32_t page : {2U, 3U}) {
            const Bytes on_disk = page_saying(value, page, lsn);
            std::copy(on_disk.begin(), on_disk.end(), &start.at("d/t.ibd")[offset_of(page)]);
        }
        put_copies(start.at("ibdata1"), copies);
        test::put_files(directory, start);
        report = recover(directory, test::tiny_options());
    }
    static std::size_t offset_of(std::uint32_t page) {
        return page * std::size_t{test::kTinyPageSize};
    }
    std::byte at(std::uint32_t page, std::size_t offset) {
        return (*directory.find("d/t.ibd"))[offset_of(page) + offset];
    }

    io::MemoryDirectory directory;
    Result<RecoverReport> report;
};

/// The disk has lost the last write of both pages, which the checkpoint builds upon: the log alone
/// would make of page 2 one without what was in it, and leave page 3 as it is.
TEST(Recover, AWriteThatTheDiskLostIsRestoredFromTheDoublewriteBuffer) {
    DiskAndCopies run(1, Lsn{20000},
                      std::array{page_saying(2, 2, Lsn{20100}), page_saying(3, 3, Lsn{20100})});
    ASSERT_TRUE(run.report) << run.report.error().to_string();
    EXPECT_EQ(run.at(2, 1000), std::byte{2});
    EXPECT_EQ(run.at(2, 200), std::byte{7}) << "and the redo on top";
    EXPECT_EQ(run.at(3, 1000), std::byte{3});
    EXPECT_EQ(run.report->doublewrite_restored, 2U);
    EXPECT_THAT(run.report->notes,
                testing::Contains(testing::HasSubstr("the disk has lost a write")));
}

/// As put_copies() makes it: the first block ends with the file, the second lies behind it.
TEST(Recover, ADoublewriteBlockThatTheFileEndsInIsRead) {
    Files start = directory_with(log_of_changes());
    put_copies(start.at("ibdata1"), {});
    io::MemoryDirectory directory;
    test::put_files(directory, start);
    const auto report = recover(directory, test::tiny_options());
    EXPECT_TRUE(report) << report.error().to_string();
}

TEST(Recover, AnOlderCopyInTheDoublewriteBufferIsNotRestored) {
    DiskAndCopies run(2, Lsn{20100},
                      std::array{page_saying(1, 2, Lsn{20000}), page_saying(1, 3, Lsn{20000})});
    ASSERT_TRUE(run.report) << run.report.error().to_string();
    EXPECT_EQ(run.at(2, 1000), std::byte{2});
    EXPECT_EQ(run.at(3, 1000), std::byte{2});
    EXPECT_EQ(run.report->doublewrite_restored, 0U);
}

}  // namespace
}  // namespace redoubt::recovery
