// Wherever the machine stops, the next run ends in the same bytes (V1, V2, J1-J3, K1-K3, P2, T2,
// T3).
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "crash/tiny_scenarios.h"

namespace redoubt::crash {
namespace {

constexpr std::uint64_t kSeedsUsual = 1000;

Scenario scenario_named(const std::string& name) {
    if (name == "recover") {
        return recover_scenario();
    }
    if (name == "recover_few_files") {
        return recover_scenario(1);
    }
    if (name == "prepare") {
        return prepare_scenario();
    }
    return restore_scenario(name == "move_across" ? Transfer::MoveAcross
                            : name == "move"      ? Transfer::Move
                                                  : Transfer::Copy);
}

class Crash : public testing::TestWithParam<const char*> {};

TEST_P(Crash, PowerLossAnywhereUpToDepthThreeEndsInTheSameBytes) {
    const Harness harness(scenario_named(GetParam()));
    for (std::uint64_t seed = 1; seed <= seed_count(kSeedsUsual); ++seed) {
        const auto found = harness.crash(seed);
        ASSERT_FALSE(found) << "seed " << seed << ": " << *found;
    }
}

TEST_P(Crash, AnOperationThatFailsIsReportedAndTheNextRunCompletes) {
    const Harness harness(scenario_named(GetParam()));
    for (std::uint64_t seed = 1; seed <= seed_count(kSeedsUsual); ++seed) {
        const auto found = harness.fail(seed);
        ASSERT_FALSE(found) << "seed " << seed << ": " << *found;
    }
}

TEST_P(Crash, AFullDiskIsReportedAndTheNextRunCompletes) {
    const Harness harness(scenario_named(GetParam()));
    for (std::uint64_t seed = 1; seed <= seed_count(kSeedsUsual) / 4; ++seed) {
        const auto found = harness.fill(seed);
        ASSERT_FALSE(found) << "seed " << seed << ": " << *found;
    }
}

TEST_P(Crash, AFlippedBitIsNeverPassedOnSilently) {
    const Harness harness(scenario_named(GetParam()));
    for (std::uint64_t seed = 1; seed <= seed_count(kSeedsUsual) / 4; ++seed) {
        const auto found = harness.rot(seed);
        ASSERT_FALSE(found) << "seed " << seed << ": " << *found;
    }
}

class Stale : public testing::TestWithParam<const char*> {};

TEST_P(Stale, AWriteThatTheDeviceLostIsHealedOrReported) {
    const Harness harness(scenario_named(GetParam()));
    for (std::uint64_t seed = 1; seed <= seed_count(kSeedsUsual); ++seed) {
        const auto found = harness.stale(seed);
        ASSERT_FALSE(found) << "seed " << seed << ": " << *found;
    }
}

INSTANTIATE_TEST_SUITE_P(Commands, Stale, testing::Values("recover", "prepare"),
                         [](const auto& test) { return std::string(test.param); });

/// Syncs that this disk does not need, and others do.
bool is_needed_here(std::string_view command, std::string_view path) {
    if (path.ends_with("ib_logfile0") && command != "recover" && !path.starts_with("data")) {
        return false;  // of the log as it was found: durable here (TheLogIsDurableBeforeAnyPage...)
    }
    if (path == "d/s.ibd" && command == "recover_few_files") {
        return false;  // synced when it was closed, under its old name
    }
    // A rename between two directories is durable with either of them: one sync would do.
    return command != "move" || (!path.ends_with("/d") && !path.ends_with("/e"));
}

/// Every sync that the command makes is needed: without it the harness finds a loss.
TEST_P(Crash, TheHarnessFindsEachMissingSync) {
    constexpr std::uint64_t kSeedsMax = 4000;
    const Harness whole(scenario_named(GetParam()));
    std::set<std::pair<Omission::What, std::string>> syncs;
    for (const io::Operation& operation : whole.operations()) {
        if (!is_needed_here(GetParam(), operation.path)) {
            continue;
        }
        if (operation.kind == io::OperationKind::Sync) {
            syncs.emplace(Omission::What::Sync, operation.path);
        } else if (operation.kind == io::OperationKind::SyncDirectory) {
            syncs.emplace(Omission::What::SyncDirectory, operation.path);
        }
    }
    ASSERT_FALSE(syncs.empty());
    for (const auto& [what, path] : syncs) {
        const Harness without(scenario_named(GetParam()), {what, path});
        std::uint64_t seed = 1;
        while (seed <= kSeedsMax && !without.crash(seed)) {
            ++seed;
        }
        EXPECT_LE(seed, kSeedsMax)
            << "nothing is lost without the sync of "
            << (what == Omission::What::Sync ? "file " : "directory ") << path;
    }
}

INSTANTIATE_TEST_SUITE_P(Commands, Crash,
                         testing::Values("recover", "recover_few_files", "prepare", "restore",
                                         "move", "move_across"),
                         [](const auto& test) { return std::string(test.param); });

/// V3: a killed server may have left the log in the system's cache alone.
TEST(CrashOrder, TheLogIsDurableBeforeAnyPageIsChangedByIt) {
    for (const char* name : {"recover", "prepare"}) {
        const Harness harness(scenario_named(name));
        const auto& operations = harness.operations();
        const auto synced =
            std::find_if(operations.begin(), operations.end(), [](const io::Operation& operation) {
                return operation.kind == io::OperationKind::Sync && operation.path == "ib_logfile0";
            });
        const auto changed =
            std::find_if(operations.begin(), operations.end(), [](const io::Operation& operation) {
                return operation.kind == io::OperationKind::Write &&
                       (operation.path == "ibdata1" || operation.path.ends_with(".ibd") ||
                        operation.path.ends_with(".new"));
            });
        EXPECT_LT(synced, changed) << name;
        EXPECT_NE(changed, operations.end()) << name;
    }
}

TEST(CrashHarness, FindsThatTheJournalIsMissing) {
    constexpr std::uint64_t kSeedsMax = 4000;
    const Harness without(recover_scenario(), {Omission::What::Write, "redoubt.journal"});
    std::uint64_t seed = 1;
    while (seed <= kSeedsMax && !without.crash(seed)) {
        ++seed;
    }
    EXPECT_LE(seed, kSeedsMax);
}

}  // namespace
}  // namespace redoubt::crash
