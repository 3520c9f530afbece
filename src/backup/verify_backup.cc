#include "backup/verify_backup.h"

#include <algorithm>
#include <chrono>

#include "backup/hash.h"
#include "backup/manifest.h"
#include "backup/markers.h"
#include "backup/metadata.h"
#include "base/mutex.h"
#include "base/parallel.h"

namespace redoubt::backup {
namespace {

using verify::Finding;
using verify::Severity;

constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes a read

class ManifestCheck {
public:
    ManifestCheck(io::Directory& directory, const Manifest& manifest,
                  const verify::VerifyOptions& options, bool hashes)
        : directory_(directory), manifest_(manifest), options_(options), hashes_(hashes) {}

    Status run(verify::VerifyReport& report) {
        std::vector<const std::pair<const std::string, ManifestFile>*> files;
        std::uint64_t bytes = 0;
        for (const auto& file : manifest_.files) {
            files.push_back(&file);
            bytes += file.second.size;
        }
        if (hashes_ && options_.progress != nullptr) {
            options_.progress->begin("compare with the manifest", bytes, "bytes");
        }
        std::vector<std::vector<std::byte>> buffers(std::max(1U, options_.threads));
        RETURN_IF_ERROR(base::parallel_for(files.size(), std::max(1U, options_.threads),
                                           [&](std::size_t item, unsigned thread) -> Status {
                                               return check(files[item]->first, files[item]->second,
                                                            buffers[thread]);
                                           }));
        if (hashes_ && options_.progress != nullptr) {
            options_.progress->end();
        }
        const base::MutexLock lock(mutex_);
        std::sort(findings_.begin(), findings_.end(),
                  [](const Finding& a, const Finding& b) { return a.file < b.file; });
        std::move(findings_.begin(), findings_.end(), std::back_inserter(report.findings));
        return {};
    }

private:
    Status check(const std::string& path, const ManifestFile& expected,
                 std::vector<std::byte>& buffer) {
        auto file = directory_.open(path, io::OpenMode::ReadOnly);
        if (!file) {
            if (file.error().code() != ErrorCode::NotFound) {
                return std::move(file.error());
            }
            find({.kind = "file-missing",
                  .file = path,
                  .space = expected.space,
                  .message = "the manifest lists this file; it is not there"});
            return {};
        }
        ASSIGN_OR_RETURN(const io::FileInfo info, (*file)->info());
        if (hashes_ && info.size != expected.size) {
            find(
                {.kind = "file-size",
                 .file = path,
                 .space = expected.space,
                 .message = fmt::format("has {} bytes, {} were copied", info.size, expected.size)});
            return {};
        }
        if (!hashes_ || expected.hash.empty()) {
            return {};
        }
        buffer.resize(kBlock);
        ASSIGN_OR_RETURN(const std::string hash, hash_of(**file, info.size, buffer));
        if (hash != expected.hash) {
            find({.kind = "file-changed",
                  .file = path,
                  .space = expected.space,
                  .lsn = expected.lsn,
                  .message = fmt::format("its bytes are not those that were copied: hash {}, "
                                         "the manifest has {}",
                                         hash, expected.hash)});
        }
        return {};
    }

    /// As docs/formats/backup.md#manifest has it.
    Result<std::string> hash_of(io::File& file, std::uint64_t size, std::span<std::byte> buffer) {
        Hash of_all;
        for (std::uint64_t begin = 0;; begin += kChunkSize) {
            const std::uint64_t end = std::min(size, begin + kChunkSize);
            Hash chunk;
            for (std::uint64_t at = begin; at < end;) {
                RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
                const auto part = buffer.first(std::min<std::uint64_t>(buffer.size(), end - at));
                RETURN_IF_ERROR(file.read_exactly(at, part));
                chunk.update(part);
                at += part.size();
                if (options_.progress != nullptr) {
                    options_.progress->advance(part.size());
                }
            }
            const std::string hex = chunk.hex();
            if (size <= kChunkSize) {
                return hex;
            }
            of_all.update(std::as_bytes(std::span(hex)));
            if (end == size) {
                return of_all.hex();
            }
        }
    }

    void find(Finding finding) {
        const base::MutexLock lock(mutex_);
        findings_.push_back(std::move(finding));
    }

    io::Directory& directory_;
    const Manifest& manifest_;
    const verify::VerifyOptions& options_;
    const bool hashes_;
    base::Mutex mutex_;
    std::vector<Finding> findings_ GUARDED_BY(mutex_);
};

}  // namespace

Result<verify::VerifyReport> verify_backup(io::Directory& directory,
                                           const verify::VerifyOptions& given) {
    const auto begin = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(const Metadata metadata, read_metadata(directory));
    ASSIGN_OR_RETURN(const auto manifest, read_manifest(directory, metadata.checkpoints));
    ASSIGN_OR_RETURN(const Markers markers, Markers::read(directory));
    MarkedDirectory marked(directory, markers);
    verify::VerifyOptions options = given;
    options.partial = metadata.partial();
    options.redo_needed = metadata.redo_needed();
    ASSIGN_OR_RETURN(verify::VerifyReport report, verify::verify_directory(marked, options));
    // A backup prepared by mariadb-backup, or since it was listed, has other bytes; its pages were
    // checked.
    if (manifest && manifest->state == metadata.checkpoints.state && !report.ended_early) {
        const bool pages = std::find(options.levels.begin(), options.levels.end(), "pages") !=
                           options.levels.end();
        RETURN_IF_ERROR(ManifestCheck(directory, *manifest, options, pages).run(report));
    }
    if (manifest && manifest->damaged) {
        report.findings.push_back(
            {.kind = "made-with-damage",
             .severity = Severity::Warning,
             .file = kManifestFile,
             .message = "the server had damaged pages when this backup was made with "
                        "--continue-on-damage"});
    }
    report.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
}

}  // namespace redoubt::backup
