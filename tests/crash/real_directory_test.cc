/// The crash harness on directories that a real server and real backups left: made by
/// tests/interop/crash_real.py, which runs this program.
///
///     real_directory_test recover DATADIR --key-file keys.txt --crash 20 --fail 5
///
/// A line for each kind of fault; exit 1, and the seed, where one run ends in other bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "backup/restore.h"
#include "crash/harness.h"
#include "crash/two_file_systems.h"
#include "crypt/keys.h"
#include "io/posix_directory.h"
#include "io/sub_directory.h"
#include "page/checksum.h"
#include "recovery/recover.h"
#include "space/tablespace.h"

namespace redoubt::crash {
namespace {

constexpr std::size_t kPageSizeMax = 65536;                  // bytes
constexpr std::uint64_t kMemory = std::uint64_t{256} << 10;  // bytes: several batches

struct Arguments {
    std::string command;
    std::string directory;
    std::string key_file;
    std::uint64_t first_seed = 1;
    std::uint64_t crash = 0;
    std::uint64_t fail = 0;
    std::uint64_t fill = 0;
    std::uint64_t rot = 0;
    std::uint64_t stale = 0;
};

Status load(io::Directory& from, const std::string& path, io::SimulatedDisk& disk,
            const std::string& prefix) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, from.list(path));
    for (const std::string& name : names) {
        const std::string file = io::join(path, name);
        ASSIGN_OR_RETURN(const io::FileInfo info, from.info(file));
        if (info.is_directory) {
            RETURN_IF_ERROR(load(from, file, disk, prefix));
        } else if (info.is_regular) {
            std::vector<std::byte> bytes(info.size);
            ASSIGN_OR_RETURN(const auto opened, from.open(file, io::OpenMode::ReadOnly));
            RETURN_IF_ERROR(opened->read_exactly(0, bytes));
            disk.put(prefix + file, bytes);
        }
    }
    return {};
}

/// Behind a compressed image nothing counts: a write torn there has written the whole page.
void blank_behind_images(std::string_view path, std::vector<std::byte>& bytes) {
    if (!path.ends_with(".ibd")) {
        return;
    }
    const auto header = space::parse_first_page(
        std::span(bytes).first(std::min<std::size_t>(bytes.size(), kPageSizeMax)), 0,
        page::Strictness::AnyKnown);
    if (!header || !header->flags.full_crc32) {
        return;
    }
    const std::uint32_t size = header->flags.physical_page_size;
    for (std::size_t at = 0; at + size <= bytes.size(); at += size) {
        const auto page = std::span(bytes).subspan(at, size);
        const std::uint32_t image = page::full_crc32_stored_size(page);
        if (image != 0 && image < size) {
            std::fill(page.begin() + image, page.end(), std::byte{0});
        }
    }
}

/// The same files, all durable, with no history.
io::SimulatedDisk settled(const io::SimulatedDisk& disk) {
    io::SimulatedDisk result;
    for (const std::string& path : disk.files()) {
        result.put(path, *disk.content(path));
    }
    return result;
}

Result<Scenario> make_scenario(const Arguments& arguments, const crypt::KeyRing* keys) {
    Scenario scenario;
    scenario.name = arguments.command;
    scenario.blank = blank_behind_images;
    ASSIGN_OR_RETURN(const auto directory, io::open_posix_directory(arguments.directory));
    const bool restores = arguments.command != "recover" && arguments.command != "prepare";
    RETURN_IF_ERROR(load(*directory, "", scenario.start, restores ? "backup/" : ""));
    if (arguments.command == "recover") {
        scenario.run = [keys](io::Directory& disk) {
            recovery::RecoverOptions options;
            options.keys = keys;
            options.memory = kMemory;
            const auto report = recovery::recover(disk, options);
            return report ? ok_status() : Status(report.error());
        };
        // The log may hold one more FILE_CHECKPOINT, of the run that did not come to its end.
        scenario.ignored = [](std::string_view path) { return path == "ib_logfile0"; };
        return scenario;
    }
    const auto prepare = [keys](io::Directory& disk) {
        backup::PrepareOptions options;
        options.keys = keys;
        options.memory = kMemory;
        const auto report = backup::prepare(disk, options);
        return report ? ok_status() : Status(report.error());
    };
    if (!restores) {
        scenario.run = prepare;
        return scenario;
    }
    // Prepared here, so that each run is of the restore alone.
    io::SubDirectory backup(scenario.start, "backup");
    RETURN_IF_ERROR(prepare(backup));
    scenario.start = settled(scenario.start);
    scenario.run = [keys, command = arguments.command](io::Directory& disk) {
        TwoFileSystems two(disk, "backup");
        io::Directory& root = command == "move_across" ? two : disk;
        backup::RestoreOptions options;
        options.keys = keys;
        options.memory = kMemory;
        options.move = command != "restore";
        const auto report = backup::restore(root, "backup", "data", options);
        return report ? ok_status() : Status(report.error());
    };
    return scenario;
}

using Attempt = std::optional<std::string> (Harness::*)(std::uint64_t) const;

bool passes(const Harness& harness, const Arguments& arguments, const char* name, Attempt attempt,
            std::uint64_t count) {
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t seeds = count == 0 ? 0 : seed_count(count);
    for (std::uint64_t seed = arguments.first_seed; seed < arguments.first_seed + seeds; ++seed) {
        if (const auto found = (harness.*attempt)(seed)) {
            fmt::print("{} {}: seed {}: {}\n", arguments.command, name, seed, *found);
            return false;
        }
    }
    if (seeds != 0) {
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        fmt::print("{} {}: {} seeds, {} operations, {:.1f} s\n", arguments.command, name, seeds,
                   harness.operations().size(), taken.count());
        std::fflush(stdout);
    }
    return true;
}

int run(const Arguments& arguments) {
    const auto working_directory = io::open_posix_directory(".");
    if (!working_directory) {
        fmt::print("{}\n", working_directory.error().to_string());
        return 1;
    }
    std::unique_ptr<crypt::KeyRing> keys;
    if (!arguments.key_file.empty()) {
        auto loaded = crypt::load_key_file(**working_directory, arguments.key_file, std::nullopt,
                                           crypt::CipherMode::Ctr);
        if (!loaded) {
            fmt::print("{}\n", loaded.error().to_string());
            return 1;
        }
        keys = std::move(*loaded);
    }
    auto scenario = make_scenario(arguments, keys.get());
    if (!scenario) {
        fmt::print("{}: {}\n", arguments.directory, scenario.error().to_string());
        return 1;
    }
    const Harness harness(std::move(*scenario));
    const bool passed = passes(harness, arguments, "crash", &Harness::crash, arguments.crash) &&
                        passes(harness, arguments, "fail", &Harness::fail, arguments.fail) &&
                        passes(harness, arguments, "fill", &Harness::fill, arguments.fill) &&
                        passes(harness, arguments, "rot", &Harness::rot, arguments.rot) &&
                        passes(harness, arguments, "stale", &Harness::stale, arguments.stale);
    return passed && !testing::Test::HasFailure() ? 0 : 1;
}

}  // namespace
}  // namespace redoubt::crash

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    redoubt::crash::Arguments arguments;
    CLI::App app("Crashes on the simulated disk, of a directory that a real server left");
    app.add_option("command", arguments.command, "what is run")
        ->required()
        ->check(CLI::IsMember({"recover", "prepare", "restore", "move", "move_across"}));
    app.add_option("directory", arguments.directory, "the data directory or backup")->required();
    app.add_option("--key-file", arguments.key_file, "keys of file_key_management (aes_ctr)");
    app.add_option("--first-seed", arguments.first_seed, "where to begin");
    app.add_option("--crash", arguments.crash, "seeds of power losses and kills");
    app.add_option("--fail", arguments.fail, "seeds of one failing operation");
    app.add_option("--fill", arguments.fill, "seeds of a full disk");
    app.add_option("--rot", arguments.rot, "seeds of a flipped bit");
    app.add_option("--stale", arguments.stale, "seeds of writes that the device lost");
    CLI11_PARSE(app, argc, argv);
    return redoubt::crash::run(arguments);
}
