// The texts in a backup: its metadata files, the plans of an interrupted prepare and restore,
// marker files. The first byte chooses.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "backup/markers.h"
#include "backup/metadata.h"
#include "backup/restore_plan.h"
#include "io/memory_directory.h"

using namespace redoubt;  // NOLINT(google-build-using-namespace): a fuzzer's one file

namespace {

void put(io::MemoryDirectory& directory, const char* path, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    directory.put(path, {bytes.begin(), bytes.end()});
}

/// What is read is written back, and read alike.
void check_checkpoints(std::string_view text) {
    const auto read = backup::parse_checkpoints(text);
    if (!read) {
        return;
    }
    const std::string written = backup::format_checkpoints(*read);
    const auto again = backup::parse_checkpoints(written);
    if (!again || backup::format_checkpoints(*again) != written) {
        std::abort();
    }
}

void check_unfinished_restore(std::string_view text) {
    const auto read = backup::parse_unfinished(text);
    if (!read) {
        return;
    }
    for (const backup::RestoreFile& file : read->plan.files) {
        if (file.from.starts_with('/') || file.from.find("../") != std::string::npos) {
            std::abort();  // leads out of the backup
        }
    }
}

/// Whatever a plan or a marker says, nothing outside the databases is touched.
void check_markers(const char* path, std::string_view text) {
    io::MemoryDirectory directory;
    put(directory, "precious", "x");
    put(directory, "/outside/precious", "x");
    for (const char* table : {"d/a.ibd", "d/b.ibd", "e/c.new"}) {
        put(directory, table, table);
    }
    put(directory, path, text);
    const Status finished = backup::Markers::finish_interrupted(directory);
    if (finished) {
        if (const auto markers = backup::Markers::read(directory)) {
            const Status applied = markers->apply(directory);
            if (applied && directory.find("d/a.ren") != nullptr) {
                std::abort();  // a marker that is done is gone
            }
        }
    }
    if (directory.find("precious") == nullptr || directory.find("/outside/precious") == nullptr) {
        std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string text(data + 1, data + size);
    switch (data[0]) {
        case 'c':
            check_checkpoints(text);
            break;
        case 'i':
            static_cast<void>(backup::parse_info(text));
            break;
        case 'r':
            check_unfinished_restore(text);
            break;
        case 'm':
            check_markers(backup::Markers::kPlanFile, text);
            break;
        case 'n':
            check_markers("d/a.ren", text);
            break;
        default:
            break;
    }
    return 0;
}
