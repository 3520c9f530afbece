#include "io/simulated_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>

namespace redoubt::io {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr CrashModel kLost{.unsynced = CrashModel::Unsynced::Lost};
constexpr CrashModel kKept{.unsynced = CrashModel::Unsynced::Kept};
constexpr std::uint64_t kSeeds = 200;

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::string text_of(const SimulatedDisk& disk, std::string_view path) {
    const auto bytes = disk.content(path);
    if (!bytes) {
        return "(none)";
    }
    std::string text;
    for (const std::byte byte : *bytes) {
        text += static_cast<char>(byte);
    }
    return text;
}

std::unique_ptr<File> open(SimulatedDisk& disk, std::string_view path, OpenMode mode) {
    auto file = disk.open(path, mode);
    EXPECT_TRUE(file) << file.error().to_string();
    return file ? std::move(*file) : nullptr;
}

/// A disk with a durable file "a" that holds `text`, opened for writing.
struct OneFile {
    explicit OneFile(std::string_view text) {
        disk.put("a", bytes_of(text));
        file = open(disk, "a", OpenMode::ReadWrite);
    }
    SimulatedDisk disk;
    std::unique_ptr<File> file;
};

/// All that random crashes, one for each seed, leave, as `look` sees it.
std::set<std::string> outcomes(const SimulatedDisk& disk,
                               const std::function<std::string(const SimulatedDisk&)>& look,
                               CrashModel model = {}) {
    std::set<std::string> found;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const SimulatedDisk after = disk.after_crash(seed, model);
        EXPECT_TRUE(after.everything_durable()) << after.pending_text();
        found.insert(look(after));
    }
    return found;
}

std::string files_with_content(const SimulatedDisk& disk) {
    std::string text;
    for (const std::string& path : disk.files()) {
        text += fmt::format("{}={} ", path, text_of(disk, path));
    }
    return text;
}

TEST(SimulatedDisk, ReadsBackWhatWasWrittenAndTellsMissingFromExisting) {
    SimulatedDisk disk;
    EXPECT_EQ(disk.open("d/a", OpenMode::ReadOnly).error().code(), ErrorCode::NotFound);
    EXPECT_EQ(disk.open("d/a", OpenMode::CreateExclusive).error().code(), ErrorCode::NotFound);
    ASSERT_TRUE(disk.make_directory("d/e"));
    ASSERT_TRUE(disk.make_directory("/abs"));
    auto file = open(disk, "d/a", OpenMode::CreateExclusive);
    EXPECT_EQ(disk.open("d/a", OpenMode::CreateExclusive).error().code(), ErrorCode::Refused);
    open(disk, "/abs/x", OpenMode::CreateExclusive);
    ASSERT_TRUE(file->write_at(3, bytes_of("xyz")));
    EXPECT_EQ(*disk.read_text("./d/a", 100), std::string("\0\0\0xyz", 6));
    std::string buffer(4, '?');
    EXPECT_EQ(*file->read_at(4, std::as_writable_bytes(std::span(buffer))), 2U);
    EXPECT_EQ(*file->read_at(7, std::as_writable_bytes(std::span(buffer))), 0U);
    EXPECT_THAT(*disk.list("d"), ElementsAre("a", "e"));
    EXPECT_THAT(disk.files(), ElementsAre("/abs/x", "d/a"));
    EXPECT_TRUE(disk.info("d")->is_directory);
    EXPECT_EQ(disk.info("d/a")->size, 6U);
    auto reader = open(disk, "d/a", OpenMode::ReadOnly);
    EXPECT_EQ(reader->write_at(0, bytes_of("x")).error().code(), ErrorCode::Io);
    EXPECT_EQ(disk.unlink("d").error().code(), ErrorCode::Io);
    EXPECT_EQ(disk.rename("d/e", "e").error().code(), ErrorCode::Unsupported);
    EXPECT_EQ(disk.rename("none", "e").error().code(), ErrorCode::NotFound);
}

TEST(SimulatedDisk, AnOpenFileOutlivesUnlinkAndSyncOfItsDirectory) {
    OneFile one("text");
    ASSERT_TRUE(one.disk.unlink("a"));
    ASSERT_TRUE(one.disk.sync_directory(""));
    EXPECT_THAT(one.disk.files(), IsEmpty());
    std::string buffer(4, '?');
    EXPECT_EQ(*one.file->read_at(0, std::as_writable_bytes(std::span(buffer))), 4U);
    EXPECT_EQ(buffer, "text");
    ASSERT_TRUE(one.file->write_at(0, bytes_of("more")));
    EXPECT_TRUE(one.disk.everything_durable());  // nobody will see the file again
}

TEST(SimulatedDisk, NumbersWhatChangesOrSyncsAndSaysWhatIsPending) {
    OneFile one("old");
    ASSERT_TRUE(one.file->write_at(0, bytes_of("new")));
    ASSERT_TRUE(one.disk.info("a"));  // does not count
    ASSERT_TRUE(one.disk.rename("a", "b"));
    ASSERT_TRUE(one.disk.make_directory("d/e"));
    EXPECT_EQ(one.disk.operation_count(), 3U);
    EXPECT_EQ(one.disk.operations().back().kind, OperationKind::MakeDirectory);
    EXPECT_EQ(one.disk.operation_text(2), "2: rename a b");
    EXPECT_FALSE(one.disk.everything_durable());
    EXPECT_EQ(one.disk.pending_text(),
              "1: write b 0+3; 2: rename a b; 3: make_directory d; 3: make_directory d/e");
    ASSERT_TRUE(one.file->sync());
    ASSERT_TRUE(one.disk.sync_directory(""));
    EXPECT_EQ(one.disk.pending_text(), "3: make_directory d/e");
    ASSERT_TRUE(one.disk.sync_directory("d"));
    EXPECT_TRUE(one.disk.everything_durable()) << one.disk.pending_text();
    EXPECT_EQ(one.disk.operation_count(), 6U);
}

TEST(SimulatedDisk, AnUnsyncedWriteIsLostKeptOrEither) {
    OneFile one("old");
    ASSERT_TRUE(one.file->write_at(0, bytes_of("new")));
    EXPECT_EQ(text_of(one.disk, "a"), "new");
    EXPECT_EQ(text_of(one.disk.after_crash(1, kLost), "a"), "old");
    EXPECT_EQ(text_of(one.disk.after_crash(1, kKept), "a"), "new");
    EXPECT_THAT(outcomes(one.disk, files_with_content), UnorderedElementsAre("a=old ", "a=new "));
}

TEST(SimulatedDisk, AWriteIsTornAtSectorsAndNowhereElse) {
    for (const std::uint32_t tear_bytes : {512U, 4096U}) {
        SCOPED_TRACE(tear_bytes);
        OneFile one(std::string(16384, 'o'));
        ASSERT_TRUE(one.file->write_at(0, bytes_of(std::string(16384, 'n'))));
        bool torn = false;
        bool whole = false;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
            const std::string text =
                text_of(one.disk.after_crash(seed, {.tear_bytes = tear_bytes}), "a");
            ASSERT_EQ(text.size(), 16384U);
            for (std::size_t at = 0; at < text.size(); at += tear_bytes) {
                ASSERT_EQ(text.substr(at, tear_bytes), std::string(tear_bytes, text[at]));
            }
            const bool mixed = text.find('o') != text.npos && text.find('n') != text.npos;
            torn = torn || mixed;
            whole = whole || !mixed;
        }
        EXPECT_TRUE(torn);
        EXPECT_TRUE(whole);
    }
}

TEST(SimulatedDisk, ALaterWriteMaySurviveAnEarlierOneElsewhereButASectorHoldsOneState) {
    OneFile one(std::string(1024, '0'));
    ASSERT_TRUE(one.file->write_at(0, bytes_of("1")));
    ASSERT_TRUE(one.file->write_at(512, bytes_of("2")));
    ASSERT_TRUE(one.file->write_at(1, bytes_of("3")));
    const auto look = [](const SimulatedDisk& disk) {
        const std::string text = text_of(disk, "a");
        return text.substr(0, 2) + text[512];
    };
    // never "03.": in a sector, what came first is there when what came later is
    EXPECT_THAT(outcomes(one.disk, look),
                UnorderedElementsAre("000", "100", "130", "002", "102", "132"));
}

TEST(SimulatedDisk, WhatWasSyncedSurvivesAnyCrash) {
    SimulatedDisk disk;
    auto file = open(disk, "f", OpenMode::CreateExclusive);
    ASSERT_TRUE(file->write_at(0, bytes_of(std::string(3000, 's'))));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.sync_directory(""));
    ASSERT_TRUE(disk.everything_durable());
    ASSERT_TRUE(file->write_at(2048, bytes_of(std::string(2000, 'u'))));
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const std::string text = text_of(disk.after_crash(seed), "f");
        ASSERT_GE(text.size(), 3000U) << seed;
        EXPECT_EQ(text.substr(0, 2048), std::string(2048, 's')) << seed;
    }
    EXPECT_EQ(text_of(disk.after_crash(1, kLost), "f"), std::string(3000, 's'));
}

TEST(SimulatedDisk, AFileMayVanishUntilItsDirectoryIsSynced) {
    SimulatedDisk disk;
    ASSERT_TRUE(disk.make_directory("d"));
    auto file = open(disk, "d/f", OpenMode::CreateExclusive);
    ASSERT_TRUE(file->write_at(0, bytes_of("x")));
    ASSERT_TRUE(file->sync());
    EXPECT_THAT(outcomes(disk, files_with_content), UnorderedElementsAre("", "d/f=x "));
    ASSERT_TRUE(disk.sync_directory("d"));  // the directory's own entry is not durable yet
    EXPECT_THAT(outcomes(disk, files_with_content), UnorderedElementsAre("", "d/f=x "));
    ASSERT_TRUE(disk.sync_directory(""));
    EXPECT_THAT(outcomes(disk, files_with_content), UnorderedElementsAre("d/f=x "));
    EXPECT_EQ(files_with_content(disk.after_crash(1, kLost)), "d/f=x ");
    ASSERT_TRUE(disk.unlink("d/f"));
    EXPECT_THAT(outcomes(disk, files_with_content), UnorderedElementsAre("", "d/f=x "));
    EXPECT_EQ(files_with_content(disk.after_crash(1, kLost)), "d/f=x ");
    EXPECT_EQ(files_with_content(disk.after_crash(1, kKept)), "");
}

TEST(SimulatedDisk, ARenamedFileHasItsOldOrItsNewName) {
    SimulatedDisk disk;
    disk.put("a", bytes_of("x"));
    disk.put("d/other", {});
    ASSERT_TRUE(disk.rename("a", "b"));
    EXPECT_THAT(outcomes(disk, files_with_content),
                UnorderedElementsAre("a=x d/other= ", "b=x d/other= "));
    ASSERT_TRUE(disk.sync_directory(""));
    ASSERT_TRUE(disk.make_directory("e/g"));
    ASSERT_TRUE(disk.rename("b", "e/g/c"));  // to another directory that is not durable
    ASSERT_TRUE(disk.rename("d/other", "other"));
    for (const std::string& names : outcomes(disk, files_with_content)) {
        EXPECT_THAT(names, AnyOf("b=x d/other= ", "d/other= e/g/c=x ", "e/g/c=x other= "));
    }
    ASSERT_TRUE(disk.sync_directory("e/g"));  // one of the two parents is enough
    EXPECT_THAT(outcomes(disk, files_with_content),
                UnorderedElementsAre("d/other= e/g/c=x ", "e/g/c=x other= "));
}

TEST(SimulatedDisk, DirectoriesMayComeOutOfOrderButEachInItsOwn) {
    SimulatedDisk disk;
    disk.put("d/x", {});
    disk.put("e/x", {});
    ASSERT_TRUE(disk.unlink("d/x"));
    open(disk, "d/y", OpenMode::CreateExclusive);
    ASSERT_TRUE(disk.unlink("e/x"));
    EXPECT_THAT(outcomes(disk, files_with_content),
                UnorderedElementsAre("d/x= e/x= ", "e/x= ", "d/y= e/x= ", "d/y= ", "d/x= ", ""));
}

TEST(SimulatedDisk, ReplacingByRenameLeavesOldOrNewWholeIfTheNewWasSynced) {
    SimulatedDisk disk;
    disk.put("f", bytes_of("old"));
    auto file = open(disk, "f.tmp", OpenMode::CreateExclusive);
    const std::string text(5000, 'n');
    ASSERT_TRUE(file->write_at(0, bytes_of(text)));
    SimulatedDisk unsynced = disk;
    ASSERT_TRUE(unsynced.rename("f.tmp", "f"));
    ASSERT_TRUE(file->sync());
    ASSERT_TRUE(disk.rename("f.tmp", "f"));
    const auto look = [](const SimulatedDisk& after) { return text_of(after, "f"); };
    EXPECT_THAT(outcomes(disk, look), UnorderedElementsAre("old", text));
    ASSERT_TRUE(disk.sync_directory(""));
    EXPECT_THAT(outcomes(disk, look), UnorderedElementsAre(text));
    EXPECT_GT(outcomes(unsynced, look).count(""), 0U);  // the mistake shows
}

TEST(SimulatedDisk, TheSizeIsOneTheFileWentThroughAndGapsAreZeros) {
    OneFile one("12345678");
    ASSERT_TRUE(one.file->truncate(4));
    ASSERT_TRUE(one.file->truncate(6));
    EXPECT_THAT(outcomes(one.disk, files_with_content),
                UnorderedElementsAre("a=12345678 ", "a=1234 ", std::string("a=1234\0\0 ", 9)));
    ASSERT_TRUE(one.file->sync());
    EXPECT_EQ(text_of(one.disk.after_crash(1, kLost), "a"), std::string("1234\0\0", 6));
    ASSERT_TRUE(one.file->write_at(1024, bytes_of("x")));
    const auto look = [](const SimulatedDisk& disk) {
        const std::string text = text_of(disk, "a");
        return fmt::format("{}{}", text.size(), text.back() == 'x' ? "x" : "");
    };
    EXPECT_THAT(outcomes(one.disk, look), UnorderedElementsAre("6", "1025", "1025x"));
}

// The old bytes behind a truncate are gone once the size is that after it, and what was then
// written in their place is not there before it.
TEST(SimulatedDisk, ATruncateSeparatesWhatWasBeforeFromWhatCameAfter) {
    OneFile one("oooo");
    ASSERT_TRUE(one.file->truncate(0));
    ASSERT_TRUE(one.file->write_at(0, bytes_of("nnnnnn")));
    EXPECT_THAT(
        outcomes(one.disk, files_with_content),
        UnorderedElementsAre("a=oooo ", "a= ", "a=nnnnnn ", std::string("a=\0\0\0\0\0\0 ", 9)));
}

TEST(SimulatedDisk, APunchedHoleReadsZerosAndIsPendingToo) {
    OneFile one(std::string(8192, 'o'));
    ASSERT_TRUE(one.file->punch_hole(0, 4096));
    EXPECT_EQ(text_of(one.disk, "a"), std::string(4096, '\0') + std::string(4096, 'o'));
    EXPECT_EQ(one.file->info()->allocated_size, 4096U);
    EXPECT_EQ(text_of(one.disk.after_crash(1, kLost), "a"), std::string(8192, 'o'));
    EXPECT_EQ(text_of(one.disk.after_crash(1, kKept), "a"), text_of(one.disk, "a"));
}

TEST(SimulatedDisk, WhatAFailedSyncDroppedIsNotMadeDurableByTheNext) {
    OneFile one(std::string(1536, 'o'));
    ASSERT_TRUE(one.file->write_at(0, bytes_of(std::string(1024, 'd'))));
    one.disk.fail_operation(2, ErrorCode::Io);
    const Status failed = one.file->sync();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::Io);
    ASSERT_TRUE(one.file->write_at(512, bytes_of(std::string(1024, 'n'))));
    ASSERT_TRUE(one.file->sync());
    const std::string both(512, 'n');
    EXPECT_EQ(text_of(one.disk, "a"), std::string(512, 'd') + std::string(1024, 'n'));
    EXPECT_FALSE(one.disk.everything_durable());
    EXPECT_EQ(one.disk.pending_text(), "1: write a 0+512 (dropped by a failed sync)");
    const std::string lost = std::string(512, 'o') + std::string(1024, 'n');
    EXPECT_EQ(text_of(one.disk.after_crash(1, kLost), "a"), lost);
    EXPECT_EQ(text_of(one.disk.after_crash(1, kKept), "a"), lost);
    const auto look = [](const SimulatedDisk& disk) { return text_of(disk, "a"); };
    EXPECT_THAT(outcomes(one.disk, look), UnorderedElementsAre(lost, text_of(one.disk, "a")));
}

TEST(SimulatedDisk, AWriteThatFailsMayHaveWrittenSomeOfItsFirstSectors) {
    std::set<std::size_t> written;
    for (std::uint64_t number = 1; number <= 50; ++number) {
        OneFile one(std::string(2048, 'o'));
        while (one.disk.operation_count() + 1 < number) {
            ASSERT_TRUE(one.file->sync());
        }
        one.disk.fail_operation(number, ErrorCode::NoSpace);
        EXPECT_EQ(one.file->write_at(100, bytes_of(std::string(1500, 'n'))).error().code(),
                  ErrorCode::NoSpace);
        const std::string text = text_of(one.disk, "a");
        const std::size_t count = std::min(text.find('o', 100), text.size()) - 100;
        EXPECT_EQ(text, std::string(100, 'o') + std::string(count, 'n') +
                            std::string(2048 - 100 - count, 'o'));
        written.insert(count);
        EXPECT_TRUE(one.file->write_at(0, bytes_of("x")));  // only that one fails
    }
    EXPECT_THAT(written, ElementsAre(0U, 412U, 924U));
}

TEST(SimulatedDisk, AnyOtherOperationThatFailsDoesNothing) {
    SimulatedDisk disk;
    disk.put("a", bytes_of("x"));
    for (std::uint64_t number = 1; number <= 5; ++number) {
        disk.fail_operation(number, ErrorCode::Io);
    }
    EXPECT_FALSE(disk.open("b", OpenMode::CreateExclusive));
    EXPECT_FALSE(disk.rename("a", "c"));
    EXPECT_FALSE(disk.unlink("a"));
    EXPECT_FALSE(disk.make_directory("d"));
    const Status status = disk.sync_directory("");
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().to_string(), HasSubstr("simulated failure of operation 5"));
    EXPECT_EQ(files_with_content(disk), "a=x ");
    EXPECT_TRUE(disk.everything_durable());
    EXPECT_TRUE(disk.unlink("a"));
}

TEST(SimulatedDisk, AFullDiskTakesWhatFitsAndSaysHowMuchIsFree) {
    OneFile one(std::string(4096, 'o'));
    one.disk.set_capacity(3 * 4096);
    EXPECT_EQ(*one.disk.free_space(""), 2U * 4096);
    ASSERT_TRUE(one.file->truncate(100 * 4096));  // a hole
    const Status status = one.file->write_at(4096, bytes_of(std::string(3 * 4096, 'n')));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::NoSpace);
    EXPECT_EQ(*one.disk.free_space(""), 0U);
    const std::string text = text_of(one.disk, "a");
    EXPECT_EQ(text.find('\0'), 3U * 4096);
    EXPECT_TRUE(one.file->write_at(0, bytes_of("x")));  // over what is there
    auto other = open(one.disk, "b", OpenMode::CreateExclusive);
    EXPECT_EQ(other->write_at(0, bytes_of("x")).error().code(), ErrorCode::NoSpace);
    ASSERT_TRUE(one.disk.unlink("a"));
    EXPECT_EQ(*one.disk.free_space(""), 0U);  // still open
    one.file.reset();
    EXPECT_EQ(*one.disk.free_space(""), 3U * 4096);
    EXPECT_TRUE(other->write_at(0, bytes_of("x")));
}

TEST(SimulatedDisk, WhenThePowerIsLostEverythingFails) {
    OneFile one("old");
    one.disk.crash_at(2);
    ASSERT_TRUE(one.file->write_at(0, bytes_of("1")));
    EXPECT_FALSE(one.disk.crashed());
    const Status status = one.file->sync();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Io);
    EXPECT_THAT(status.error().message(), HasSubstr("simulated power loss"));
    EXPECT_TRUE(one.disk.crashed());
    std::string buffer(3, '?');
    EXPECT_FALSE(one.file->read_at(0, std::as_writable_bytes(std::span(buffer))));
    EXPECT_FALSE(one.file->write_at(0, bytes_of("2")));
    EXPECT_FALSE(one.file->sync());
    EXPECT_FALSE(one.file->truncate(0));
    EXPECT_FALSE(one.file->punch_hole(0, 1));
    EXPECT_FALSE(one.file->info());
    EXPECT_FALSE(one.disk.open("a", OpenMode::ReadOnly));
    EXPECT_FALSE(one.disk.open("b", OpenMode::CreateExclusive));
    EXPECT_FALSE(one.disk.list(""));
    EXPECT_FALSE(one.disk.info("a"));
    EXPECT_FALSE(one.disk.rename("a", "b"));
    EXPECT_FALSE(one.disk.unlink("a"));
    EXPECT_FALSE(one.disk.make_directory("d"));
    EXPECT_FALSE(one.disk.sync_directory(""));
    EXPECT_FALSE(one.disk.free_space(""));
    EXPECT_EQ(one.disk.operation_count(), 2U);
    EXPECT_EQ(text_of(one.disk, "a"), "1ld");

    SimulatedDisk after = one.disk.after_crash(1);
    EXPECT_FALSE(after.crashed());
    EXPECT_EQ(after.operation_count(), 0U);
    EXPECT_TRUE(after.exists("a"));
}

TEST(SimulatedDisk, TheOperationInFlightMayHaveHappened) {
    const auto crash_during = [](const std::function<void(OneFile&)>& operation) {
        OneFile one(std::string(1024, 'o'));
        one.disk.crash_at(1);
        operation(one);
        EXPECT_TRUE(one.disk.crashed());
        return outcomes(one.disk, [](const SimulatedDisk& disk) {
            std::string text;
            for (const std::string& path : disk.files()) {
                const std::string content = text_of(disk, path);
                text += path;
                for (std::size_t at = 0; at < content.size(); at += 512) {
                    text += content[at];
                }
            }
            return text;
        });
    };
    EXPECT_THAT(crash_during([](OneFile& one) {
                    EXPECT_FALSE(one.file->write_at(0, bytes_of(std::string(1024, 'n'))));
                }),
                UnorderedElementsAre("aoo", "ano", "aon", "ann"));
    EXPECT_THAT(crash_during([](OneFile& one) { EXPECT_FALSE(one.disk.rename("a", "b")); }),
                UnorderedElementsAre("aoo", "boo"));
    EXPECT_THAT(crash_during([](OneFile& one) { EXPECT_FALSE(one.disk.unlink("a")); }),
                UnorderedElementsAre("aoo", ""));
    EXPECT_THAT(crash_during([](OneFile& one) {
                    EXPECT_FALSE(one.disk.open("b", OpenMode::CreateExclusive));
                }),
                UnorderedElementsAre("aoo", "aoob"));
    EXPECT_THAT(crash_during([](OneFile& one) { EXPECT_FALSE(one.file->truncate(512)); }),
                UnorderedElementsAre("aoo", "ao"));
}

TEST(SimulatedDisk, ASyncInFlightMayHaveMadeEverythingDurable) {
    OneFile one(std::string(512 * 40, 'o'));
    ASSERT_TRUE(one.disk.rename("a", "b"));
    for (std::size_t at = 0; at < 40; at += 2) {  // all of them by chance: one in a million
        ASSERT_TRUE(one.file->write_at(at * 512, bytes_of("n")));
    }
    one.disk.crash_at(one.disk.operation_count() + 1);
    SimulatedDisk syncs_directory = one.disk;
    EXPECT_FALSE(one.file->sync());
    std::uint64_t complete = 0;
    std::uint64_t partial = 0;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const SimulatedDisk after = one.disk.after_crash(seed);
        ++(text_of(after, after.files().front()) == text_of(one.disk, "b") ? complete : partial);
    }
    EXPECT_GT(complete, kSeeds / 4);
    EXPECT_GT(partial, kSeeds / 4);
    EXPECT_FALSE(syncs_directory.sync_directory(""));
    EXPECT_TRUE(syncs_directory.crashed());
    EXPECT_THAT(syncs_directory.after_crash(1, kLost).files(), ElementsAre("a"));
}

TEST(SimulatedDisk, TheSameSeedGivesTheSameDiskAndAnotherAnother) {
    const auto make = [] {
        SimulatedDisk disk;
        for (const std::string name : {"a", "b", "c"}) {
            auto file = open(disk, name, OpenMode::CreateExclusive);
            EXPECT_TRUE(file->write_at(0, bytes_of(std::string(20000, name[0]))));
            EXPECT_TRUE(file->write_at(1000, bytes_of(std::string(5000, 'z'))));
        }
        return disk;
    };
    const SimulatedDisk first = make();
    const SimulatedDisk second = make();
    std::set<std::string> different;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const std::string text = files_with_content(first.after_crash(seed));
        EXPECT_EQ(text, files_with_content(first.after_crash(seed)));
        EXPECT_EQ(text, files_with_content(second.after_crash(seed)));
        different.insert(text);
    }
    EXPECT_GT(different.size(), 10U);
}

TEST(SimulatedDisk, ClonesGoTheirOwnWays) {
    OneFile one("old");
    ASSERT_TRUE(one.file->write_at(0, bytes_of("1")));
    SimulatedDisk clone = one.disk;
    ASSERT_TRUE(one.file->write_at(0, bytes_of("2")));  // the file stays with the original
    ASSERT_TRUE(one.file->sync());
    ASSERT_TRUE(clone.rename("a", "b"));
    EXPECT_EQ(files_with_content(one.disk), "a=2ld ");
    EXPECT_EQ(files_with_content(clone), "b=1ld ");
    EXPECT_EQ(files_with_content(clone.after_crash(1, kLost)), "a=old ");
    EXPECT_EQ(one.disk.operation_text(2), "2: write a 0+1");
    EXPECT_EQ(clone.operation_text(2), "2: rename a b");
    clone.crash_at(3);
    EXPECT_FALSE(clone.unlink("b"));
    EXPECT_FALSE(one.disk.crashed());
    clone = one.disk;
    EXPECT_FALSE(clone.crashed());
    EXPECT_EQ(files_with_content(clone), "a=2ld ");
}

TEST(SimulatedDisk, ALostWriteShowsTheStateBeforeTheLastSyncUntilWrittenAgain) {
    OneFile one("aaaa");
    ASSERT_TRUE(one.file->write_at(0, bytes_of("bbbb")));
    EXPECT_THAT(one.disk.synced_files(), IsEmpty());
    ASSERT_TRUE(one.file->sync());
    EXPECT_THAT(one.disk.synced_files(), ElementsAre("a"));
    ASSERT_TRUE(one.file->write_at(0, bytes_of("cccccc")));
    ASSERT_TRUE(one.file->sync());
    ASSERT_TRUE(one.disk.serve_stale("a", 1, 2));
    EXPECT_EQ(text_of(one.disk, "a"), "cbbccc");
    ASSERT_TRUE(one.disk.serve_stale("a", 3, 100));
    EXPECT_EQ(text_of(one.disk, "a"), std::string("cbbb\0\0", 6));
    EXPECT_EQ(text_of(one.disk.after_crash(1), "a"), std::string("cbbb\0\0", 6));
    ASSERT_TRUE(one.file->write_at(1, bytes_of("c")));
    EXPECT_EQ(text_of(one.disk, "a"), std::string("ccbb\0\0", 6));
    EXPECT_EQ(one.disk.serve_stale("none", 0, 1).error().code(), ErrorCode::NotFound);
}

TEST(SimulatedDisk, AFlippedBitIsThereNowAndAfterACrash) {
    OneFile one("aaaa");
    ASSERT_TRUE(one.disk.flip_bit("a", 2, 1));
    EXPECT_EQ(text_of(one.disk, "a"), "aaca");
    EXPECT_EQ(text_of(one.disk.after_crash(1), "a"), "aaca");
    EXPECT_TRUE(one.disk.everything_durable());
    EXPECT_EQ(one.disk.flip_bit("none", 0, 0).error().code(), ErrorCode::NotFound);
}

TEST(SimulatedDisk, WhatIsPutIsDurableWithItsParents) {
    SimulatedDisk disk;
    disk.put("d/e/f", bytes_of("1"));
    disk.put("/abs/g", bytes_of("2"));
    disk.put("d/e/f", bytes_of("33"));
    EXPECT_TRUE(disk.everything_durable()) << disk.pending_text();
    EXPECT_EQ(disk.operation_count(), 0U);
    EXPECT_EQ(files_with_content(disk.after_crash(1, kLost)), "/abs/g=2 d/e/f=33 ");
}

Status replace(SimulatedDisk& disk, const std::string& path, std::string_view text) {
    const std::string temporary = path + ".tmp";
    {
        ASSIGN_OR_RETURN(const auto file, disk.open(temporary, OpenMode::CreateExclusive));
        RETURN_IF_ERROR(file->write_at(0, bytes_of(text)));
        RETURN_IF_ERROR(file->sync());
    }
    RETURN_IF_ERROR(disk.rename(temporary, path));
    return disk.sync_directory(parent_of(path));
}

// The way this class is meant to be used: crash at each operation in turn.
TEST(SimulatedDisk, ReplacingAFileIsAtomicAtEveryCrashPoint) {
    SimulatedDisk start;
    start.put("d/f", bytes_of("old"));
    SimulatedDisk whole = start;
    ASSERT_TRUE(replace(whole, "d/f", "new text"));
    ASSERT_TRUE(whole.everything_durable()) << whole.pending_text();
    for (std::uint64_t number = 1; number <= whole.operation_count(); ++number) {
        SCOPED_TRACE(whole.operation_text(number));
        SimulatedDisk disk = start;
        disk.crash_at(number);
        EXPECT_FALSE(replace(disk, "d/f", "new text"));
        EXPECT_THAT(outcomes(disk, [](const SimulatedDisk& d) { return text_of(d, "d/f"); }),
                    Each(AnyOf("old", "new text")));
    }
}

TEST(SimulatedDisk, AKilledProcessTakesNothingAlongButItsPowerMayStillFail) {
    SimulatedDisk disk;
    disk.put("a", std::vector<std::byte>(10, std::byte{1}));
    {
        auto file = disk.open("a", OpenMode::ReadWrite);
        ASSERT_TRUE((*file)->write_at(0, std::vector<std::byte>(10, std::byte{2})));
        disk.crash_at(disk.operation_count() + 1);
        ASSERT_FALSE((*file)->sync());
    }
    SimulatedDisk next = disk.after_kill();
    EXPECT_FALSE(next.crashed());
    EXPECT_EQ(*next.content("a"), std::vector<std::byte>(10, std::byte{2}));
    EXPECT_FALSE(next.everything_durable());
    EXPECT_EQ(*next.after_crash(1, {.unsynced = CrashModel::Unsynced::Lost}).content("a"),
              std::vector<std::byte>(10, std::byte{1}));
}

}  // namespace
}  // namespace redoubt::io
