// Logs of DDL made by hand. What the server does with such is held against it by
// tests/interop/ddl_recovery.py; here is what it cannot be brought to show, and what is no log.
#include "engine/ddl_recovery.h"

#include <gmock/gmock.h>

#include <random>

#include "base/big_endian.h"
#include "io/memory_directory.h"

namespace redoubt::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = DdlStep::Kind;
using Bytes = std::vector<std::byte>;

constexpr std::size_t kBlock = 4096;
constexpr std::string_view kFile = "ddl_recovery.log";

struct Entry {
    std::uint8_t type = 2;
    std::uint8_t action = 0;
    std::uint8_t phase = 0;
    std::uint32_t next = 0;
    std::uint16_t flags = 0;
    std::vector<std::string> names = {};
};

Bytes log_of(const std::vector<Entry>& entries) {
    Bytes bytes(kBlock * (entries.size() + 1));
    constexpr std::string_view kHeader{"\xFE\xFE\x0B\x02\x00\x10\x38\x00", 8};
    std::memcpy(bytes.data(), kHeader.data(), kHeader.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        std::byte* const at = bytes.data() + kBlock * (i + 1);
        at[0] = std::byte{entries[i].type};
        at[1] = std::byte{entries[i].action};
        at[2] = std::byte{entries[i].phase};
        store_le(at + 4, entries[i].next);
        store_le(at + 8, entries[i].flags);
        std::byte* text = at + 56;
        for (std::size_t name = 0; name < 8; ++name) {
            const std::string value =
                name < entries[i].names.size() ? entries[i].names[name] : std::string();
            store_le(text, static_cast<std::uint16_t>(value.size()));
            std::memcpy(text + 2, value.data(), value.size());
            text += value.size() + 3;
        }
    }
    return bytes;
}

Result<std::vector<DdlStep>> steps_of(Bytes bytes) {
    io::MemoryDirectory directory;
    directory.put(kFile, std::move(bytes));
    ASSIGN_OR_RETURN(DdlRecovery found, read_ddl_recovery(directory));
    return std::move(found.steps);
}

std::vector<DdlStep> alter(std::uint8_t phase, std::uint16_t flags, const std::string& extra) {
    auto steps = steps_of(log_of({{.type = 1, .next = 2},
                                  {.action = 16,
                                   .phase = phase,
                                   .flags = flags,
                                   .names = {"InnoDB", "d", "#sql-alter-1", "InnoDB", "d", "t 1",
                                             "./d/#sql-alter-1", extra}}}));
    EXPECT_TRUE(steps) << steps.error().to_string();
    return *steps;
}

TEST(DdlRecovery, FinishesOrTakesBackAnAlterByHowFarItHadCome) {
    const std::string made = "d/#sql-alter-1";
    const std::string old = "d/t@00201";
    const std::string kept = "d/#sql-backup-1";
    EXPECT_THAT(alter(1, 0, "#sql-backup-1"),
                ElementsAre(DdlStep{Kind::Drop, made}, DdlStep{Kind::Rename, kept, old}));
    EXPECT_THAT(alter(6, 0, "#sql-backup-1"),
                ElementsAre(DdlStep{Kind::Drop, old}, DdlStep{Kind::Rename, made, old},
                            DdlStep{Kind::Drop, kept}));
    EXPECT_THAT(alter(7, 0, "#sql-backup-1"),
                ElementsAre(DdlStep{Kind::Rename, made, old}, DdlStep{Kind::Drop, kept}));
    EXPECT_THAT(alter(7, 1, "new"), ElementsAre(DdlStep{Kind::Rename, made, "d/new"}));
    EXPECT_THAT(alter(2, 0, ""), ElementsAre(DdlStep{Kind::RenameFrm, made, old}));
    EXPECT_THAT(alter(2, 1, "new"), ElementsAre(DdlStep{Kind::RenameFrm, made, old},
                                                DdlStep{Kind::Rename, old, "d/new"}));
    for (const std::uint8_t phase :
         std::initializer_list<std::uint8_t>{0, 3, 4, 5, 8, 9, 10, 11, 255}) {
        EXPECT_THAT(alter(phase, 0, "#sql-backup-1"), IsEmpty()) << int{phase};
    }
}

TEST(DdlRecovery, WhatIsNoSuchLogSaysNothing) {
    io::MemoryDirectory directory;
    EXPECT_THAT(read_ddl_recovery(directory)->steps, IsEmpty());
    EXPECT_THAT(*steps_of({}), IsEmpty());
    EXPECT_THAT(*steps_of(Bytes(5)), IsEmpty());
    EXPECT_THAT(*steps_of(Bytes(3 * kBlock)), IsEmpty());
    EXPECT_THAT(*steps_of(log_of({})), IsEmpty());
}

TEST(DdlRecovery, RefusesChainsThatLeadNowhereOrInACircle) {
    const Entry drop{.action = 8, .next = 2, .names = {"", "", "", "", "", "", "./d/t"}};
    const auto circle = steps_of(log_of({{.type = 1, .next = 2}, drop}));
    ASSERT_FALSE(circle);
    EXPECT_THAT(circle.error().to_string(), HasSubstr("in a circle"));
    EXPECT_THAT(circle.error().to_string(), HasSubstr(std::string(kFile)));
    const auto nowhere = steps_of(log_of({{.type = 1, .next = 77}}));
    ASSERT_FALSE(nowhere);
    EXPECT_THAT(nowhere.error().to_string(), HasSubstr("entry 77 of 1 "));
    Bytes bad = log_of({{.type = 1, .next = 2}, drop});
    for (const std::uint16_t size : std::initializer_list<std::uint16_t>{0, 1, 41}) {
        store_le(bad.data() + 4, size);
        EXPECT_FALSE(steps_of(bad)) << size;
    }
}

TEST(DdlRecovery, AStatementThatWasBeingLoggedCountsAsDoneWhereTheBinaryLogIsMissed) {
    const Entry drop{.action = 12, .names = {"", "", "", "", "", "", "./d/t"}};
    for (const bool logged : {false, true}) {
        io::MemoryDirectory directory;
        Bytes log = log_of({{.type = 1, .next = 2}, drop});
        if (logged) {
            store_le(log.data() + kBlock + 10, std::uint64_t{77});
        }
        directory.put(kFile, log);
        const auto found = read_ddl_recovery(directory);
        ASSERT_TRUE(found) << found.error().to_string();
        EXPECT_EQ(found->binlog_missed, logged);
        EXPECT_EQ(found->steps.size(), logged ? 0U : 1U);
    }
}

TEST(DdlRecovery, AnyBytesAreReadWithinTheirBounds) {
    std::mt19937 random(3);
    for (int round = 0; round < 3000; ++round) {
        Bytes bytes = log_of({{.type = 1, .next = 2},
                              {.action = 5, .next = 3, .names = {"InnoDB", "d", "a", "", "d", "b"}},
                              {.action = 16, .phase = 6, .names = {"a", "b", "c", "d"}}});
        for (int i = 0; i < 8; ++i) {
            const std::size_t block = random() % 4;
            bytes[block * kBlock + random() % 120] = static_cast<std::byte>(random());
        }
        bytes.resize(random() % (bytes.size() + 1));
        bytes.shrink_to_fit();
        static_cast<void>(steps_of(std::move(bytes)));
    }
}

TEST(DdlRecovery, AStepOfWhatIsNotThereOrIsTakenChangesNothing) {
    io::MemoryDirectory directory;
    directory.put("d/a.frm", {});
    dict::Dictionary dictionary;
    dictionary.tables.resize(2);
    dictionary.tables[0].name = "d/a";
    dictionary.tables[0].id = 1;
    dictionary.tables[1].name = "d/b#P#p0";
    dictionary.tables[1].id = 2;
    FrmPlaces frms;
    const auto notes = make_steps({{Kind::Drop, "d/none"},
                                   {Kind::RenameTable, "d/a", "d/b"},
                                   {Kind::RenameFrm, "d/none", "d/x"},
                                   {Kind::RenameTable, "d/b", "d/c"},
                                   {Kind::RenameFrm, "d/a", "d/c"}},
                                  directory, dictionary, frms);
    ASSERT_TRUE(notes) << notes.error().to_string();
    EXPECT_THAT(*notes, ElementsAre(HasSubstr("table d.c is still d.b in InnoDB")));
    ASSERT_EQ(dictionary.tables.size(), 2U);
    EXPECT_EQ(dictionary.tables[0].name, "d/a");
    EXPECT_EQ(dictionary.tables[1].name, "d/c#P#p0");
    EXPECT_EQ(frms.at("d/c"), "d/a");
    EXPECT_FALSE(frms.contains("d/x"));
}

}  // namespace
}  // namespace redoubt::engine
