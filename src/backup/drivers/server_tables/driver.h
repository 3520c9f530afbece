/// The tables that the server writes for itself until BlockCommit: mysql.general_log and
/// mysql.slow_log, which grow at their end and are copied mostly before, and the statistics tables.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backup/driver.h"
#include "backup/drivers/common/data_files.h"

namespace redoubt::backup::server_tables {

class ServerTablesDriver final : public Driver {
public:
    ServerTablesDriver(const DriverContext& context, std::shared_ptr<DataFiles> files);

    Status run(Stage stage, const std::set<std::string>& in_use) override;

private:
    /// A log as far as it was copied.
    struct GrowingCopy {
        std::unique_ptr<io::File> source;
        std::unique_ptr<TargetFile> copy;
    };
    Result<std::vector<std::string>> table_files(bool logs) const;
    Status begin_log(const std::string& path);
    Status finish_log(const std::string& path, GrowingCopy& log);
    Status copy(const std::string& path);

    const DriverContext context_;
    std::shared_ptr<DataFiles> files_;  ///< shared by all drivers
    std::map<std::string, GrowingCopy> logs_;
};

}  // namespace redoubt::backup::server_tables
