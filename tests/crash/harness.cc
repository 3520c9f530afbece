#include "crash/harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <string_view>
#include <tuple>

#include "unit/io/passing_directory.h"

namespace redoubt::crash {
namespace {

class OmittingFile final : public test::PassingFile {
public:
    OmittingFile(std::unique_ptr<io::File> file, bool sync, bool write)
        : PassingFile(std::move(file)), omit_sync_(sync), omit_write_(write) {}
    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        return omit_write_ ? ok_status() : PassingFile::write_at(offset, data);
    }
    Status sync() override { return omit_sync_ ? ok_status() : PassingFile::sync(); }

private:
    bool omit_sync_;
    bool omit_write_;
};

/// Passes everything on but what the omission names.
class OmittingDirectory final : public test::PassingDirectory {
public:
    OmittingDirectory(io::Directory& base, const Omission& omission)
        : PassingDirectory(base), omission_(omission) {}
    Result<std::unique_ptr<io::File>> open(std::string_view path, io::OpenMode mode) override {
        ASSIGN_OR_RETURN(auto file, PassingDirectory::open(path, mode));
        const bool named = path == omission_.path;
        return std::unique_ptr<io::File>(std::make_unique<OmittingFile>(
            std::move(file), named && omission_.what == Omission::What::Sync,
            named && omission_.what == Omission::What::Write));
    }
    Status sync_directory(std::string_view path) override {
        if (omission_.what == Omission::What::SyncDirectory && path == omission_.path) {
            return {};
        }
        return PassingDirectory::sync_directory(path);
    }

private:
    const Omission& omission_;
};

class Dice {
public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t roll() { return engine_(); }
    std::uint64_t below(std::uint64_t count) { return engine_() % count; }

private:
    std::mt19937_64 engine_;
};

io::CrashModel model_of(Dice& dice) {
    io::CrashModel model;
    switch (dice.below(8)) {
        case 0:
            model.unsynced = io::CrashModel::Unsynced::Lost;
            break;
        case 1:
            model.unsynced = io::CrashModel::Unsynced::Kept;
            break;
        default:
            model.unsynced = io::CrashModel::Unsynced::Random;
    }
    model.tear_bytes = dice.below(2) == 0 ? 512 : 4096;
    return model;
}

}  // namespace

std::uint64_t seed_count(std::uint64_t usual) {
    const char* wanted = std::getenv("REDOUBT_CRASH_SEEDS");  // NOLINT(concurrency-mt-unsafe)
    return wanted == nullptr ? usual : std::strtoull(wanted, nullptr, 10);
}

Harness::Harness(Scenario scenario, Omission omission)
    : scenario_(std::move(scenario)), omission_(std::move(omission)) {
    io::SimulatedDisk disk = scenario_.start;
    const std::uint64_t before = disk.operation_count();
    const Status status = scenario_.run(disk);
    EXPECT_TRUE(status) << scenario_.name << ": " << status.error().to_string();
    operations_.assign(disk.operations().begin() + static_cast<std::ptrdiff_t>(before),
                       disk.operations().end());
    for (const std::string& path : disk.files()) {
        scenario_.blank(path, reference_.emplace(path, *disk.content(path)).first->second);
    }
    const std::uint64_t used = scenario_.start.used();
    growth_ = disk.used() - std::min(disk.used(), used);
}

Status Harness::run(io::SimulatedDisk& disk) const {
    OmittingDirectory directory(disk, omission_);
    return scenario_.run(directory);
}

std::optional<std::string> Harness::difference(const io::SimulatedDisk& disk) const {
    // File by file: real directories are large.
    const std::vector<std::string> paths = disk.files();
    const std::set<std::string_view> there(paths.begin(), paths.end());
    for (const auto& [path, bytes] : reference_) {
        if (scenario_.ignored(path)) {
            continue;
        }
        if (!there.contains(path)) {
            return path + " is missing";
        }
        std::vector<std::byte> found = *disk.content(path);
        scenario_.blank(path, found);
        if (found == bytes) {
            continue;
        }
        const auto a = std::mismatch(bytes.begin(), bytes.end(), found.begin(), found.end()).first;
        return fmt::format("{} differs from byte {} on (sizes {} and {})", path, a - bytes.begin(),
                           bytes.size(), found.size());
    }
    for (const std::string& path : paths) {
        if (!reference_.contains(path) && !scenario_.ignored(path)) {
            return path + " should not be there";
        }
    }
    return std::nullopt;
}

std::optional<std::string> Harness::run_to_the_end(io::SimulatedDisk disk,
                                                   std::uint64_t seed) const {
    if (const Status status = run(disk); !status) {
        if (is_done_already(status.error(), disk)) {
            return std::nullopt;
        }
        return "the last run failed: " + status.error().to_string();
    }
    return end_state_problem(disk, seed);
}

/// A restore that was complete but for forgetting its own plan refuses to be done again.
bool Harness::is_done_already(const Error& error, const io::SimulatedDisk& disk) const {
    return (error.code() == ErrorCode::Refused || error.code() == ErrorCode::Incomplete) &&
           !difference(disk);
}

std::optional<std::string> Harness::end_state_problem(const io::SimulatedDisk& disk,
                                                      std::uint64_t seed) const {
    if (auto found = difference(disk)) {
        return found;
    }
    // Success was reported: no power loss may take it back.
    for (const auto unsynced : {io::CrashModel::Unsynced::Lost, io::CrashModel::Unsynced::Random}) {
        const io::SimulatedDisk later =
            disk.after_crash(seed, io::CrashModel{.unsynced = unsynced, .tear_bytes = 512});
        if (auto found = difference(later)) {
            return "not durable: " + *found;
        }
    }
    return std::nullopt;
}

std::optional<std::string> Harness::crash(std::uint64_t seed) const {
    constexpr std::uint64_t kDepthMax = 3;
    Dice dice(seed);
    io::SimulatedDisk disk = scenario_.start;
    std::string history;
    const std::uint64_t depth = 1 + dice.below(kDepthMax);
    for (std::uint64_t level = 0; level < depth; ++level) {
        const std::uint64_t point = 1 + dice.below(operations_.size() + 1);
        disk.crash_at(disk.operation_count() + point);
        const Status status = run(disk);
        if (!disk.crashed()) {
            if (!status && !is_done_already(status.error(), disk)) {
                return fmt::format("{}run {} failed: {}", history, level + 1,
                                   status.error().to_string());
            }
            if (!status) {
                return std::nullopt;
            }
            if (auto found = end_state_problem(disk, dice.roll())) {
                return fmt::format("{}run {} came to its end: {}", history, level + 1, *found);
            }
            return std::nullopt;
        } else {
            if (status) {
                return fmt::format("{}run {} reports success, the disk was gone at operation {}",
                                   history, level + 1, point);
            }
            history += fmt::format("run {} ended at operation {}; ", level + 1, point);
        }
        if (dice.below(4) == 0) {
            disk = disk.after_kill();  // what was written is still in the system's cache
            history += "killed; ";
        } else {
            const io::CrashModel model = model_of(dice);
            disk = disk.after_crash(dice.roll(), model);
        }
    }
    if (auto found = run_to_the_end(std::move(disk), dice.roll())) {
        return history + *found;
    }
    return std::nullopt;
}

std::optional<std::string> Harness::fail(std::uint64_t seed) const {
    Dice dice(seed);
    io::SimulatedDisk disk = scenario_.start;
    const std::uint64_t point = 1 + dice.below(operations_.size());
    const ErrorCode code = dice.below(3) == 0 ? ErrorCode::NoSpace : ErrorCode::Io;
    disk.fail_operation(disk.operation_count() + point, code);
    const std::string history =
        fmt::format("operation {} failed ({} {}); ", point,
                    io::name_of(operations_[point - 1].kind), operations_[point - 1].path);
    const Status status = run(disk);
    if (status) {
        return history + "the run reports success";
    }
    if (status.error().code() != code) {
        return history + "reported as " + status.error().to_string();
    }
    const io::CrashModel model = model_of(dice);
    if (auto found = run_to_the_end(disk.after_crash(dice.roll(), model), dice.roll())) {
        return history + *found;
    }
    return std::nullopt;
}

std::optional<std::string> Harness::fill(std::uint64_t seed) const {
    Dice dice(seed);
    io::SimulatedDisk disk = scenario_.start;
    disk.set_capacity(disk.used() + dice.below(std::max(growth_, std::uint64_t{1} << 20)));
    const Status status = run(disk);
    if (status) {
        return std::nullopt;  // there was room enough
    }
    if (status.error().code() != ErrorCode::NoSpace) {
        return "reported as " + status.error().to_string();
    }
    disk.set_capacity(~std::uint64_t{0});
    return run_to_the_end(std::move(disk), dice.roll());
}

std::optional<std::string> Harness::rot(std::uint64_t seed) const {
    Dice dice(seed);
    io::SimulatedDisk disk = scenario_.start;
    std::vector<std::string> paths = disk.files();
    std::erase_if(paths, [](const std::string& candidate) {
        return !candidate.ends_with(".ibd") && !candidate.ends_with(".new") &&
               !candidate.ends_with("ibdata1") && !candidate.ends_with("ib_logfile0");
    });
    const std::string& path = paths[dice.below(paths.size())];
    const std::uint64_t size = disk.content(path)->size();
    if (size == 0) {
        return std::nullopt;
    }
    const std::uint64_t offset = dice.below(size);
    if (!disk.flip_bit(path, offset, static_cast<unsigned>(dice.below(8)))) {
        return path + " cannot be damaged";
    }
    const std::string history = fmt::format("bit flipped in {} at {}; ", path, offset);
    if (!run(disk)) {
        return std::nullopt;
    }
    // Success: then the bit is where the command reads nothing, or was overwritten; at most it was
    // carried along, in the file and in its copy.
    constexpr std::size_t kCopies = 2;
    std::size_t differing = 0;
    for (const auto& [name, bytes] : reference_) {
        if (scenario_.ignored(name)) {
            continue;
        }
        auto found = disk.content(name);
        if (found) {
            scenario_.blank(name, *found);
        }
        if (!found || found->size() != bytes.size()) {
            return history + name + " is missing or of another size, yet success is reported";
        }
        auto a = bytes.begin();
        auto b = found->begin();
        while (std::tie(a, b) = std::mismatch(a, bytes.end(), b), a != bytes.end()) {
            if (++differing > kCopies) {
                return history + fmt::format("{} differs at {}, yet success is reported", name,
                                             a - bytes.begin());
            }
            ++a;
            ++b;
        }
    }
    return std::nullopt;
}

std::optional<std::string> Harness::stale(std::uint64_t seed) const {
    Dice dice(seed);
    const std::uint64_t end = log_given_up();
    io::SimulatedDisk disk = scenario_.start;
    const std::uint64_t point = 2 + dice.below(end - 2);
    disk.crash_at(disk.operation_count() + point);
    if (const Status status = run(disk); status || !disk.crashed()) {
        return fmt::format("the run came to its end before operation {}", point);
    }
    disk = disk.after_crash(dice.roll(), model_of(dice));
    const std::vector<std::string> synced = disk.synced_files();
    std::string history = fmt::format("run 1 ended at operation {}; ", point);
    for (std::uint64_t lost = synced.empty() ? 0 : 1 + dice.below(3); lost > 0; --lost) {
        const std::string& path = synced[dice.below(synced.size())];
        const std::uint64_t length = std::uint64_t{4096} << dice.below(4);
        const std::uint64_t at = dice.below(disk.content(path)->size() / length + 1) * length;
        if (const Status status = disk.serve_stale(path, at, length); !status) {
            return history + status.error().to_string();
        }
        history += fmt::format("{} is stale at {}+{}; ", path, at, length);
    }
    if (const Status status = run(disk); !status) {
        const ErrorCode code = status.error().code();
        if (code == ErrorCode::Corruption || code == ErrorCode::Incomplete) {
            return std::nullopt;  // reported
        }
        return history + status.error().to_string();
    }
    if (auto found = difference(disk)) {
        return history + *found + ", yet success is reported";
    }
    return std::nullopt;
}

std::uint64_t Harness::log_given_up() const {
    const auto is_of_log = [](const io::Operation& operation) {
        const bool changes = operation.kind == io::OperationKind::Write ||
                             operation.kind == io::OperationKind::Rename;
        return changes &&
               (operation.path.ends_with("ib_logfile0") || operation.to.ends_with("ib_logfile0"));
    };
    return 1 + static_cast<std::uint64_t>(
                   std::find_if(operations_.begin(), operations_.end(), is_of_log) -
                   operations_.begin());
}

}  // namespace redoubt::crash
