/// Crashes of a whole command at any operation, on a simulated disk, from a seed.
///
/// One attempt: the command runs until a chosen operation, where the disk loses power; the next
/// run starts from what that may have left; up to three times. Then it runs to its end, and must
/// end in the same bytes as an undisturbed run, all of them durable.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/simulated_disk.h"

namespace redoubt::crash {

using Files = std::map<std::string, std::vector<std::byte>>;

struct Scenario {
    std::string name;
    io::SimulatedDisk start;
    std::function<Status(io::Directory&)> run;
    /// Files that may end in other bytes, and still be right: left out of the comparison.
    std::function<bool(std::string_view path)> ignored = [](std::string_view) { return false; };
    /// Makes those bytes of a file zero that may differ, and be right.
    std::function<void(std::string_view path, std::vector<std::byte>& bytes)> blank =
        [](std::string_view, std::vector<std::byte>&) {};
};

/// Takes operations out of a command: what the harness must then find is that they are needed.
struct Omission {
    enum class What : std::uint8_t { Nothing, Sync, SyncDirectory, Write } what = What::Nothing;
    std::string path;  ///< of the file or directory, as the command gives it
};

class Harness {
public:
    /// Runs the scenario undisturbed, for reference. Fails the process's test when that fails.
    explicit Harness(Scenario scenario, Omission omission = {});

    /// Operations of the undisturbed run.
    const std::vector<io::Operation>& operations() const { return operations_; }
    const Files& reference() const { return reference_; }

    /// Power loss. What went wrong; nullopt when all was well.
    std::optional<std::string> crash(std::uint64_t seed) const;
    /// One operation fails with an I/O error or for want of space; then power loss; then again.
    std::optional<std::string> fail(std::uint64_t seed) const;
    /// The disk is too small; then it is not.
    std::optional<std::string> fill(std::uint64_t seed) const;
    /// A bit of a file is flipped. An error is well, and so is the reference; what is not is
    /// success with other bytes.
    std::optional<std::string> rot(std::uint64_t seed) const;
    /// The device has lost writes that it reported as durable: after a power loss ranges of synced
    /// files answer what they held before. The next run heals them or reports them. (Before the log
    /// is given up: afterwards nobody can know.)
    std::optional<std::string> stale(std::uint64_t seed) const;

private:
    Status run(io::SimulatedDisk& disk) const;
    std::optional<std::string> run_to_the_end(io::SimulatedDisk disk, std::uint64_t seed) const;
    bool is_done_already(const Error& error, const io::SimulatedDisk& disk) const;
    std::optional<std::string> end_state_problem(const io::SimulatedDisk& disk,
                                                 std::uint64_t seed) const;
    std::optional<std::string> difference(const io::SimulatedDisk& disk) const;
    /// The first operation of the undisturbed run that changes the log.
    std::uint64_t log_given_up() const;

    Scenario scenario_;
    Omission omission_;
    std::vector<io::Operation> operations_;
    Files reference_;
    std::uint64_t growth_ = 0;  ///< bytes that the run adds to the disk
};

/// How many seeds a test takes: `usual`, or REDOUBT_CRASH_SEEDS.
std::uint64_t seed_count(std::uint64_t usual);

}  // namespace redoubt::crash
