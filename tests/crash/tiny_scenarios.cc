#include "crash/tiny_scenarios.h"

#include "backup/restore.h"
#include "crash/two_file_systems.h"
#include "recovery/recover.h"
#include "unit/recovery/tiny_directory.h"

namespace redoubt::crash {
namespace {

using test::Bytes;
using test::LogBuilder;

constexpr unsigned kInitPage = 0x10;
constexpr unsigned kWrite = 0x30;
constexpr SpaceId kTable{1};
constexpr SpaceId kGrown{2};
constexpr SpaceId kRenamed{3};
constexpr SpaceId kCreated{4};
constexpr std::uint32_t kGrownPages = 24;
constexpr Lsn kBeforeTheLog{20000};

/// All pages written, so that a torn one has something to lose.
Bytes full_tablespace(SpaceId space) {
    Bytes file;
    for (std::uint32_t page = 0; page < test::kTinyPages; ++page) {
        test::append_bytes(file, test::tiny_page({space, PageNo{page}}, kBeforeTheLog));
    }
    return file;
}

Bytes write(PageId page, std::uint32_t offset, std::span<const std::byte> bytes) {
    Bytes body;
    test::append_varint(body, offset);
    test::append_bytes(body, bytes);
    return test::page_record(kWrite, page, body);
}

/// Something in every sector of the page.
std::vector<Bytes> scatter(PageId page, unsigned value) {
    std::vector<Bytes> records;
    for (std::uint32_t offset = 200; offset < test::kTinyPageSize; offset += 512) {
        const std::array bytes{static_cast<std::byte>(value), static_cast<std::byte>(offset >> 8)};
        records.push_back(write(page, offset, bytes));
    }
    return records;
}

std::vector<Bytes> from_nothing(PageId page, unsigned value) {
    std::vector<Bytes> records{test::page_record(kInitPage, page, {})};
    for (Bytes& record : scatter(page, value)) {
        records.push_back(std::move(record));
    }
    return records;
}

/// The records of page 0 of a new file.
std::vector<Bytes> first_page(SpaceId space) {
    const PageId id{space, PageNo{0}};
    const Bytes image = test::tiny_page(id, Lsn{});
    return {test::page_record(kInitPage, id, {}), write(id, 24, std::span(image).subspan(24, 2)),
            write(id, 38, std::span(image).subspan(38, 20))};
}

LogBuilder make_log() {
    LogBuilder log = test::tiny_log();
    log.append(test::file_record(test::kFileModify, kTable, "./d/t.ibd"));
    log.append(test::file_record(test::kFileModify, kGrown, "./d/g.ibd"));
    log.append(test::file_record(test::kFileModify, kRenamed, "./d/r.ibd"));
    for (std::uint32_t page = 1; page < test::kTinyPages; ++page) {
        log.append(scatter({kTable, PageNo{page}}, page));
        log.append(page % 3 == 0 ? from_nothing({kRenamed, PageNo{page}}, page)
                                 : scatter({kRenamed, PageNo{page}}, page));
    }
    log.append(scatter({kSystemSpace, PageNo{1}}, 7));
    for (const SpaceId space : {kSystemSpace, kTable}) {  // page 0 of a file may be torn, too
        log.append(write({space, PageNo{0}}, 3000, std::array{std::byte{5}, std::byte{6}}));
    }
    log.append(test::file_record(test::kFileCreate, kCreated, "./d/c.ibd"));
    log.append(first_page(kCreated));
    for (std::uint32_t page = 1; page < 6; ++page) {
        log.append(from_nothing({kCreated, PageNo{page}}, page));
    }
    std::array<std::byte, 4> pages{};
    store_be(pages.data(), kGrownPages);
    log.append(write({kGrown, PageNo{0}}, 46, pages));
    for (std::uint32_t page = 10; page < kGrownPages; ++page) {
        log.append(page < test::kTinyPages ? scatter({kGrown, PageNo{page}}, page)
                                           : from_nothing({kGrown, PageNo{page}}, page));
    }
    log.append(test::file_record(test::kFileRename, kRenamed, "./d/r.ibd", "./d/s.ibd"));
    log.append(scatter({kRenamed, PageNo{2}}, 99));
    return log;
}

void put(io::SimulatedDisk& disk, const std::string& path, const Bytes& bytes) {
    disk.put(path, bytes);
}

void put_text(io::SimulatedDisk& disk, const std::string& path, std::string_view text) {
    disk.put(path, std::as_bytes(std::span(text)));
}

recovery::RecoverOptions recover_options() {
    recovery::RecoverOptions options = test::tiny_options();
    options.memory = 4096;  // many batches, the journal emptied between them
    return options;
}

constexpr std::string_view kOptions =
    "[mysqld]\ninnodb_data_file_path=ibdata1:1M:autoextend\ninnodb_page_size=4096\n";

/// `prefix`: where the backup is, "" or "backup/".
void put_backup(io::SimulatedDisk& disk, const std::string& prefix) {
    const LogBuilder log = make_log();
    put(disk, prefix + "ibdata1", test::tiny_tablespace(kSystemSpace, std::size_t{1} << 20));
    put(disk, prefix + "ib_logfile0", log.bytes);
    // As copied while r was renamed to s, u to r, a dropped, t made anew.
    put(disk, prefix + "d/t.new", full_tablespace(kTable));
    put(disk, prefix + "d/t.ibd", full_tablespace(SpaceId{17}));
    put(disk, prefix + "d/g.new", full_tablespace(kGrown));
    put(disk, prefix + "d/r.ibd", full_tablespace(kRenamed));
    put_text(disk, prefix + "d/r.ren", "d/s");
    put(disk, prefix + "d/u.ibd", full_tablespace(SpaceId{18}));
    put_text(disk, prefix + "d/u.ren", "d/r");
    put(disk, prefix + "d/a.ibd", full_tablespace(SpaceId{19}));
    put_text(disk, prefix + "d/a.del", "");
    put_text(disk, prefix + "d/t.frm", "a table definition");
    put_text(disk, prefix + "e/m.MYD", "rows of MyISAM");
    put_text(disk, prefix + "backup-my.cnf", kOptions);
    put_text(disk, prefix + "xtrabackup_info",
             fmt::format("tool_version = 10.11.19-MariaDB\ninnodb_to_lsn = {}\npartial = N\n",
                         log.next.value));
    put_text(disk, prefix + "xtrabackup_checkpoints",
             fmt::format("backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = {0}\nlast_lsn = "
                         "{0}\nrecover_binlog_info = 0\n",
                         log.next.value));
}

Status prepare(io::Directory& directory) {
    backup::PrepareOptions options;
    options.memory = 4096;
    const auto report = backup::prepare(directory, options);
    return report ? ok_status() : Status(report.error());
}

}  // namespace

Scenario recover_scenario(std::size_t open_files_max) {
    Scenario scenario;
    scenario.name = open_files_max == 0 ? "recover" : "recover_few_files";
    const LogBuilder log = make_log();
    put(scenario.start, "ibdata1", test::tiny_tablespace(kSystemSpace, std::size_t{1} << 20));
    put(scenario.start, "ib_logfile0", log.bytes);
    put(scenario.start, "d/t.ibd", full_tablespace(kTable));
    put(scenario.start, "d/g.ibd", full_tablespace(kGrown));
    put(scenario.start, "d/r.ibd", full_tablespace(kRenamed));
    scenario.run = [open_files_max](io::Directory& directory) {
        recovery::RecoverOptions options = recover_options();
        options.open_files_max = open_files_max;
        const auto report = recovery::recover(directory, options);
        return report ? ok_status() : Status(report.error());
    };
    // The log may hold one more FILE_CHECKPOINT, of the run that did not come to its end.
    scenario.ignored = [](std::string_view path) { return path == "ib_logfile0"; };
    return scenario;
}

Scenario prepare_scenario() {
    Scenario scenario;
    scenario.name = "prepare";
    put_backup(scenario.start, "");
    scenario.run = prepare;
    return scenario;
}

Scenario restore_scenario(Transfer transfer) {
    Scenario scenario;
    const bool move = transfer != Transfer::Copy;
    scenario.name = move ? "restore --move" : "restore";
    put_backup(scenario.start, "backup/");
    scenario.run = [move, transfer](io::Directory& disk) {
        TwoFileSystems two(disk, "backup");
        io::Directory& directory = transfer == Transfer::MoveAcross ? two : disk;
        backup::RestoreOptions options;
        options.move = move;
        options.memory = 4096;
        options.continue_on_damage = true;  // there is no dictionary in so small a directory
        const auto report = backup::restore(directory, "backup", "data", options);
        return report ? ok_status() : Status(report.error());
    };
    return scenario;
}

}  // namespace redoubt::crash
