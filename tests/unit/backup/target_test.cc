/// Files of a backup on their way: hashes whatever the order of writes, holes, what DDL undoes.
#include "backup/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "backup/hash.h"
#include "io/memory_directory.h"
#include "io/recording_directory.h"

namespace redoubt::backup {
namespace {

std::vector<std::byte> pattern(std::size_t size, unsigned seed = 1) {
    std::vector<std::byte> bytes(size);
    unsigned value = seed;
    for (std::byte& b : bytes) {
        value = value * 1664525 + 1013904223;
        b = static_cast<std::byte>(value >> 24);
    }
    return bytes;
}

std::string hash_of(std::span<const std::byte> bytes) {
    Hash hash;
    hash.update(bytes);
    return hash.hex();
}

class TargetTest : public testing::Test {
protected:
    ManifestFile listed(const std::string& path) { return target_.files().at(path); }

    io::MemoryDirectory directory_;
    Target target_{directory_, nullptr, nullptr};
};

TEST(HashTest, IsWhatXxh128sumPrints) {
    // printf abc | xxh128sum
    Hash hash;
    hash.update(std::as_bytes(std::span(std::string_view("abc"))));
    EXPECT_EQ(hash.hex(), "06b05ab6733a618578af5f94892f3950");
}

TEST_F(TargetTest, HashesAFileWrittenInOrder) {
    const auto bytes = pattern(100000);
    const auto file = target_.create("db/t.ibd");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(0, std::span(bytes).first(60000)));
    ASSERT_TRUE((*file)->write(60000, std::span(bytes).subspan(60000)));
    ASSERT_TRUE((*file)->close(bytes.size(), {.space = SpaceId{7}, .pages = 6}));
    EXPECT_EQ(listed("db/t.ibd").size, bytes.size());
    EXPECT_EQ(listed("db/t.ibd").hash, hash_of(bytes));
    EXPECT_EQ(listed("db/t.ibd").space, SpaceId{7});
    EXPECT_EQ(*directory_.find("db/t.ibd"), bytes);
}

TEST_F(TargetTest, HashesAFileChangedAfterwards) {
    auto bytes = pattern(50000);
    const auto file = target_.create("aria_log.00000001");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(0, bytes));
    const auto change = pattern(7, 99);
    ASSERT_TRUE((*file)->write(20, change));  // G2
    std::copy(change.begin(), change.end(), bytes.begin() + 20);
    ASSERT_TRUE((*file)->close(bytes.size()));
    EXPECT_EQ(listed("aria_log.00000001").hash, hash_of(bytes));
}

TEST_F(TargetTest, BytesLeftOutAreZeros) {
    const auto part = pattern(5000);
    const auto file = target_.create("t.ibd");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(3000, part));
    ASSERT_TRUE((*file)->close(20000));
    std::vector<std::byte> whole(20000);
    std::copy(part.begin(), part.end(), whole.begin() + 3000);
    EXPECT_EQ(*directory_.find("t.ibd"), whole);
    EXPECT_EQ(listed("t.ibd").hash, hash_of(whole));
}

TEST_F(TargetTest, AFileOfManyChunksHasTheHashOfTheirHashes) {
    const std::uint64_t size = kChunkSize + 10000;
    const auto head = pattern(4096, 1);
    const auto tail = pattern(10000, 2);
    const auto file = target_.create("big.ibd");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(kChunkSize, tail));  // the second chunk first
    ASSERT_TRUE((*file)->write(0, head));
    ASSERT_TRUE((*file)->close(size));
    Hash first;
    first.update(head);
    first.update_zeros(kChunkSize - head.size());
    const std::string both = first.hex() + hash_of(tail);
    EXPECT_EQ(listed("big.ibd").hash, hash_of(std::as_bytes(std::span(both))));
}

TEST_F(TargetTest, AFileCutShorterThanItWasWrittenIsHashedAsItIs) {
    const auto bytes = pattern(9000);
    const auto file = target_.create("undo001");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->write(0, bytes));
    ASSERT_TRUE((*file)->close(5000));
    EXPECT_EQ(listed("undo001").hash, hash_of(std::span(bytes).first(5000)));
}

TEST_F(TargetTest, AnAbandonedFileIsDeleted) {
    {
        const auto file = target_.create("db/t.MYD");
        ASSERT_TRUE(file);
        ASSERT_TRUE((*file)->write(0, pattern(10)));
    }
    EXPECT_FALSE(directory_.exists("db/t.MYD"));
    EXPECT_TRUE(target_.files().empty());
}

TEST_F(TargetTest, RemovesAndRenamesWithTheList) {
    ASSERT_TRUE(target_.write_text("a/x.frm", "1"));
    ASSERT_TRUE(target_.write_text("a/y.frm", "2"));
    ASSERT_TRUE(target_.rename("a/x.frm", "b/z.frm"));
    ASSERT_TRUE(target_.remove("a/y.frm"));
    ASSERT_TRUE(target_.remove("a/never-there.frm"));
    EXPECT_TRUE(target_.has("b/z.frm"));
    EXPECT_EQ(target_.files().size(), 1);
    EXPECT_TRUE(directory_.exists("b/z.frm"));
    EXPECT_FALSE(directory_.exists("a/y.frm"));
}

TEST_F(TargetTest, RefusesAFileMadeBefore) {
    ASSERT_TRUE(target_.write_text("a.frm", "1"));
    const auto again = target_.create("a.frm");
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), ErrorCode::Refused);
}

TEST(TargetSync, EveryFileAndDirectoryIsSynced) {
    io::MemoryDirectory memory;
    const auto log = std::make_shared<io::OperationLog>();
    const auto recorded = io::record_operations(memory, log);
    Target target(*recorded, nullptr, nullptr);
    ASSERT_TRUE(target.write_text("db/t.frm", "x"));
    ASSERT_TRUE(target.sync());
    std::vector<std::string> synced;
    for (const io::Operation& operation : log->operations()) {
        if (operation.kind == io::OperationKind::Sync ||
            operation.kind == io::OperationKind::SyncDirectory) {
            synced.push_back(operation.path);
        }
    }
    EXPECT_THAT(synced, testing::ElementsAre("db/t.frm", "", "db"));  // G1
}

TEST(Manifest, SurvivesBeingWrittenAndRead) {
    Manifest manifest;
    manifest.uuid = "u-1";
    manifest.server_uuid = "s";
    manifest.server_version = "10.11.19-MariaDB";
    manifest.host = "h";
    manifest.from = Lsn{10};
    manifest.to = Lsn{20};
    manifest.last = Lsn{~std::uint64_t{0}};
    manifest.begin_time = "2026-01-31T12:34:56Z";
    manifest.end_time = "2026-01-31T12:35:56Z";
    manifest.binlog_file = "mb.000001";
    manifest.binlog_offset = 4709;
    manifest.gtid = "0-7-25";
    manifest.damaged = true;
    manifest.files["db/t.ibd"] = {
        .size = 16384, .hash = "ab", .space = SpaceId{5}, .pages = 1, .lsn = Lsn{15}};
    manifest.files["db/t@0023.frm"] = {.size = 3, .hash = "cd"};
    const auto read = parse_manifest(format_manifest(manifest));
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(format_manifest(*read), format_manifest(manifest));
    EXPECT_EQ(read->last, manifest.last);
    EXPECT_EQ(read->files.at("db/t.ibd").lsn, Lsn{15});
}

TEST(Manifest, SaysWhatIsWrongWithIt) {
    for (const char* text : {"", "[]", "{}", R"({"schema":"redoubt.manifest.v1"})",
                             R"({"schema":"redoubt.manifest.v1","state":"odd"})"}) {
        const auto read = parse_manifest(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code(), ErrorCode::Incomplete);
    }
    const auto other = parse_manifest(R"({"schema":"redoubt.manifest.v9"})");
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code(), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace redoubt::backup
