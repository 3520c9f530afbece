#include "backup/drivers/files/driver.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/parallel.h"

namespace redoubt::backup::files {
namespace {

constexpr std::array<std::string_view, 6> kExtensions = {".frm", ".isl", ".TRG",
                                                         ".TRN", ".opt", ".par"};
/// Key file of the server's AWS key management plugin: needed to read what it encrypted.
constexpr std::string_view kAwsKeys = "aws-kms-key";
constexpr std::array<const char*, 2> kBufferPoolDumps = {"ib_buffer_pool", "ib_lru_dump"};

bool is_definition(std::string_view file) {
    return std::find(kExtensions.begin(), kExtensions.end(), extension_of(file)) !=
           kExtensions.end();
}

}  // namespace

FilesDriver::FilesDriver(const DriverContext& context, std::shared_ptr<DataFiles> files)
    : context_(context), files_(std::move(files)) {}

Status FilesDriver::run(Stage stage, const std::set<std::string>& /*in_use*/) {
    switch (stage) {
        case Stage::Start:
        case Stage::Flush:
            return {};
        case Stage::BlockDdl:
            return copy_definitions();
        case Stage::BlockCommit: {
            ASSIGN_OR_RETURN(const auto listing, files_->in(stage));
            for (const std::string& name : listing->root) {
                if (name.starts_with(kAwsKeys)) {
                    RETURN_IF_ERROR(copy_if_there(name, /*note=*/true));
                }
            }
            return {};
        }
        case Stage::Unlocked:
            for (const char* name : kBufferPoolDumps) {
                RETURN_IF_ERROR(copy_if_there(name, /*note=*/false));
            }
            return {};
    }
    return {};
}

Status FilesDriver::copy_definitions() {
    ASSIGN_OR_RETURN(const auto listing, files_->in(Stage::BlockDdl));
    std::vector<std::string> paths;
    for (const Database& database : listing->databases) {
        for (const std::string& file : database.files) {
            if (is_definition(file)) {
                paths.push_back(io::join(database.name, file));
            }
        }
        if (database.empty) {  // its directory is all there is of it
            RETURN_IF_ERROR(context_.target.write_text(io::join(database.name, "db.opt"), ""));
        }
    }
    return base::parallel_for(paths.size(), context_.threads,
                              [&](std::size_t item, unsigned) -> Status {
                                  RETURN_IF_ERROR(base::check_cancelled(context_.cancel));
                                  return copy_if_there(paths[item], /*note=*/true);
                              });
}

Status FilesDriver::copy_if_there(const std::string& path, bool note) {
    auto file = context_.datadir.open(path, io::OpenMode::ReadOnly);
    if (!file && file.error().code() == ErrorCode::NotFound) {
        if (note) {
            const base::MutexLock lock(mutex_);
            notes_.push_back(path + ": vanished during the backup");
        }
        return {};
    }
    if (!file) {
        return std::move(file.error());
    }
    RETURN_IF_ERROR(context_.target.copy(**file, path));
    return {};
}

std::vector<std::string> FilesDriver::notes() const {
    const base::MutexLock lock(mutex_);
    return notes_;
}

}  // namespace redoubt::backup::files
