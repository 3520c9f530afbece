#include "backup/drivers/common/data_files.h"

#include <algorithm>
#include <utility>

#include "space/layout.h"

namespace redoubt::backup {
namespace {

/// Files that a statement under way has made (docs/formats/backup.md#ddllog): they are dropped or
/// get their name when it ends. A '#' in a table's name is "@0023" in the file's.
bool of_unfinished_ddl(std::string_view file) {
    return file.starts_with("#sql") || file.find("#TMP#") != std::string_view::npos ||
           file.find("#REN#") != std::string_view::npos;
}

}  // namespace

DataFiles::DataFiles(io::Directory& datadir, const std::vector<std::string>& ignored_databases)
    : datadir_(datadir), ignored_(ignored_databases) {}

Result<std::shared_ptr<const Listing>> DataFiles::in(Stage stage) {
    stage = std::min(stage, Stage::BlockDdl);
    const base::MutexLock lock(mutex_);
    if (listing_ == nullptr || stage_ != stage) {
        ASSIGN_OR_RETURN(Listing listing, look());
        listing_ = std::make_shared<const Listing>(std::move(listing));
        stage_ = stage;
    }
    return listing_;
}

Result<Listing> DataFiles::look() const {
    Listing listing;
    ASSIGN_OR_RETURN(listing.root, datadir_.list(""));
    for (const std::string& name : listing.root) {
        if (!space::can_be_database(name) ||
            std::find(ignored_.begin(), ignored_.end(), name) != ignored_.end()) {
            continue;
        }
        const auto info = datadir_.info(name);
        if (!info || !info->is_directory) {
            continue;  // a file, or gone since
        }
        auto files = datadir_.list(name);
        if (!files && files.error().code() == ErrorCode::NotFound) {
            continue;  // dropped since
        }
        if (!files) {
            return std::move(files.error());
        }
        Database database{.name = name, .files = std::move(*files)};
        database.empty = database.files.empty();
        std::erase_if(database.files, of_unfinished_ddl);
        listing.databases.push_back(std::move(database));
    }
    return listing;
}

std::string_view extension_of(std::string_view file) {
    const std::size_t dot = file.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : file.substr(dot);
}

std::string_view table_of(std::string_view file) {
    return file.substr(0, std::min(file.find("#P#"), file.rfind('.')));
}

bool is_log_table(std::string_view table) {
    return table == "mysql/general_log" || table == "mysql/slow_log";
}

bool is_statistics_table(std::string_view table) {
    return table == "mysql/table_stats" || table == "mysql/column_stats" ||
           table == "mysql/index_stats";
}

TableFiles tables_in(const Listing& listing, std::initializer_list<std::string_view> extensions) {
    TableFiles tables;
    for (const Database& database : listing.databases) {
        for (const std::string& file : database.files) {
            if (std::find(extensions.begin(), extensions.end(), extension_of(file)) ==
                extensions.end()) {
                continue;
            }
            std::string table = io::join(database.name, table_of(file));
            if (!is_log_table(table) && !is_statistics_table(table)) {
                tables[std::move(table)].push_back(io::join(database.name, file));
            }
        }
    }
    return tables;
}

std::vector<std::string> missing_halves(const TableFiles& tables, std::string_view data,
                                        std::string_view index) {
    std::vector<std::string> missing;
    for (const auto& [table, paths] : tables) {
        for (const std::string& path : paths) {
            const std::string_view extension = extension_of(path);
            if (extension != data && extension != index) {
                continue;
            }
            std::string other = path.substr(0, path.size() - extension.size());
            other += extension == data ? index : data;
            if (std::find(paths.begin(), paths.end(), other) == paths.end()) {
                missing.push_back(std::move(other));
            }
        }
    }
    return missing;
}

}  // namespace redoubt::backup
