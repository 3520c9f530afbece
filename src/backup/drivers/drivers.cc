#include "backup/drivers/drivers.h"

#include "backup/drivers/aria/driver.h"
#include "backup/drivers/common/data_files.h"
#include "backup/drivers/files/driver.h"
#include "backup/drivers/plain/driver.h"
#include "backup/drivers/server_tables/driver.h"

namespace redoubt::backup {

std::string_view name_of(Stage stage) {
    switch (stage) {
        case Stage::Start:
            return "start";
        case Stage::Flush:
            return "flush";
        case Stage::BlockDdl:
            return "block_ddl";
        case Stage::BlockCommit:
            return "block_commit";
        case Stage::Unlocked:
            return "unlocked";
    }
    return "?";
}

std::vector<std::unique_ptr<Driver>> make_drivers(const DriverContext& context) {
    const auto files = std::make_shared<DataFiles>(context.datadir, context.ignored_databases);
    std::vector<std::unique_ptr<Driver>> drivers;
    drivers.push_back(std::make_unique<plain::PlainDriver>(context, files));
    drivers.push_back(std::make_unique<files::FilesDriver>(context, files));
    drivers.push_back(std::make_unique<server_tables::ServerTablesDriver>(context, files));
    drivers.push_back(std::make_unique<aria::AriaDriver>(context, files));
    return drivers;
}

}  // namespace redoubt::backup
