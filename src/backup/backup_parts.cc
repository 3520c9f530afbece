#include "backup/backup_parts.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <random>

#include "recovery/analysis.h"

namespace redoubt::backup {

bool BackupReport::has_damage() const {
    return !damaged.empty() ||
           std::any_of(findings.begin(), findings.end(), [](const verify::Finding& finding) {
               return finding.severity == verify::Severity::Damage;
           });
}

std::string make_uuid() {
    std::random_device random;
    std::array<std::uint32_t, 4> words{random(), random(), random(), random()};
    words[1] = (words[1] & 0xFFFF0FFFU) | 0x4000U;      // version 4
    words[2] = (words[2] & 0x3FFFFFFFU) | 0x80000000U;  // variant of RFC 4122
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", words[0], words[1] >> 16,
                       words[1] & 0xFFFFU, words[2] >> 16, words[2] & 0xFFFFU, words[3]);
}

std::string utc_time() {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

std::string local_time() {
    return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::time(nullptr)));
}

Result<LogProof> prove_log(io::Directory& copy, const space::DirectoryOptions& given) {
    constexpr std::size_t kIndexMemory = std::size_t{16} << 20;  // bytes
    ASSIGN_OR_RETURN(space::Layout layout, space::find_fixed_layout(copy, {}, false));
    layout.log_path = kUnfinishedLog;
    layout.is_backup = true;  // to be
    recovery::AnalysisOptions options;
    options.keys = given.keys;
    options.threads = given.threads;
    options.index_memory = kIndexMemory;
    options.progress = given.progress;
    options.cancel = given.cancel;
    ASSIGN_OR_RETURN(const auto analysis, recovery::analyse(copy, layout, options));
    LogProof proof{.end = analysis->scan.end, .binlog = {}};
    ASSIGN_OR_RETURN(proof.binlog, read_binlog_position(copy, layout, given.keys, analysis.get()));
    return proof;
}

Status finish_backup(Target& target, const ServerLayout& layout,
                     const BackupDescription& description, BackupReport& report) {
    RETURN_IF_ERROR(target.write_text(kInfoFile, format_info(description)));
    // Before the log has its name: one of the two says at any time that this is to be a backup.
    RETURN_IF_ERROR(target.write_text(kOptionsFile, format_options_file(layout)));
    RETURN_IF_ERROR(target.sync());
    if (target.has(kUnfinishedLog)) {
        RETURN_IF_ERROR(target.rename(kUnfinishedLog, kLogName));
    }
    RETURN_IF_ERROR(target.sync());  // B1
    Manifest& manifest = report.manifest;
    manifest.files = target.files();
    report.files = manifest.files.size();
    report.bytes = target.bytes();
    RETURN_IF_ERROR(write_checkpoints(target.directory(), {.state = BackupState::Copied,
                                                           .from = Lsn{0},
                                                           .to = manifest.to,
                                                           .last = manifest.last,
                                                           .recover_binlog_info = false}));
    return write_manifest(target.directory(), manifest);
}

}  // namespace redoubt::backup
