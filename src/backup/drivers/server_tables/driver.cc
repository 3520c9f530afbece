#include "backup/drivers/server_tables/driver.h"

#include <utility>

namespace redoubt::backup::server_tables {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;  // bytes

/// Other engines' log tables may change anywhere and are copied at BlockCommit as a whole.
bool grows_at_its_end(std::string_view file) { return file.ends_with(".CSV"); }

bool is_data(std::string_view file) {
    for (const std::string_view extension :
         {".CSV", ".CSM", ".MYD", ".MYI", ".MAD", ".MAI", ".ARZ", ".ARM"}) {
        if (file.ends_with(extension)) {
            return true;
        }
    }
    return false;
}

/// Appends what `source` has beyond the end of `copy`.
Status catch_up(io::File& source, TargetFile& copy) {
    std::vector<std::byte> buffer(kBufferSize);
    for (;;) {
        ASSIGN_OR_RETURN(const std::size_t n, source.read_at(copy.size(), buffer));
        if (n == 0) {
            return {};
        }
        RETURN_IF_ERROR(copy.write(copy.size(), std::span(buffer).first(n)));
    }
}

}  // namespace

ServerTablesDriver::ServerTablesDriver(const DriverContext& context,
                                       std::shared_ptr<DataFiles> files)
    : context_(context), files_(std::move(files)) {}

Status ServerTablesDriver::run(Stage stage, const std::set<std::string>& /*in_use*/) {
    if (stage != Stage::BlockDdl && stage != Stage::BlockCommit) {
        return {};
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> logs, table_files(/*logs=*/true));
    if (stage == Stage::BlockDdl) {
        for (const std::string& path : logs) {
            if (grows_at_its_end(path)) {
                RETURN_IF_ERROR(begin_log(path));
            }
        }
        return {};
    }
    for (const std::string& path : logs) {
        const auto begun = logs_.find(path);
        RETURN_IF_ERROR(begun == logs_.end() ? copy(path) : finish_log(path, begun->second));
    }
    logs_.clear();
    ASSIGN_OR_RETURN(const std::vector<std::string> statistics, table_files(/*logs=*/false));
    for (const std::string& path : statistics) {
        RETURN_IF_ERROR(copy(path));
    }
    return {};
}

Result<std::vector<std::string>> ServerTablesDriver::table_files(bool logs) const {
    std::vector<std::string> paths;
    ASSIGN_OR_RETURN(const auto listing, files_->in(Stage::BlockDdl));
    for (const Database& database : listing->databases) {
        if (database.name != "mysql") {
            continue;
        }
        for (const std::string& file : database.files) {
            std::string path = io::join(database.name, file);
            const std::string table = io::join(database.name, table_of(file));
            if (is_data(file) && (logs ? is_log_table(table) : is_statistics_table(table))) {
                paths.push_back(std::move(path));
            }
        }
    }
    return paths;
}

Status ServerTablesDriver::begin_log(const std::string& path) {
    GrowingCopy log;
    ASSIGN_OR_RETURN(log.source, context_.datadir.open(path, io::OpenMode::ReadOnly));
    ASSIGN_OR_RETURN(log.copy, context_.target.create(path));
    RETURN_IF_ERROR(catch_up(*log.source, *log.copy));
    logs_.emplace(path, std::move(log));
    return {};
}

Status ServerTablesDriver::finish_log(const std::string& path, GrowingCopy& log) {
    ASSIGN_OR_RETURN(const io::FileInfo info, log.source->info());
    if (info.size < log.copy->size()) {  // emptied since
        log.copy.reset();
        return copy(path);
    }
    RETURN_IF_ERROR(catch_up(*log.source, *log.copy));
    return log.copy->close(log.copy->size());
}

Status ServerTablesDriver::copy(const std::string& path) {
    ASSIGN_OR_RETURN(const auto file, context_.datadir.open(path, io::OpenMode::ReadOnly));
    RETURN_IF_ERROR(context_.target.copy(*file, path));
    return {};
}

}  // namespace redoubt::backup::server_tables
