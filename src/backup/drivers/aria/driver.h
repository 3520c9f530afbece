/// Aria tables and their log. Transactional tables with page checksums are copied at Start, while
/// they are written: redo brings them to the end of the log. The others are copied like MyISAM's.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backup/driver.h"
#include "backup/drivers/aria/format.h"
#include "backup/drivers/aria/log.h"
#include "backup/drivers/common/data_files.h"
#include "backup/drivers/common/table_copies.h"

namespace redoubt::backup::aria {

class AriaDriver final : public Driver {
public:
    AriaDriver(const DriverContext& context, std::shared_ptr<DataFiles> files);

    Status run(Stage stage, const std::set<std::string>& in_use) override;
    std::vector<std::string> notes() const override;

private:
    Status copy_tables(Stage stage, const std::set<std::string>& in_use);
    Result<std::uint64_t> copy_file(const OpenTable& files, std::size_t index);

    const DriverContext context_;
    std::shared_ptr<DataFiles> files_;  ///< shared by all drivers
    LogCopier log_;
    bool has_log_ = false;
    TableCopies copies_;
};

}  // namespace redoubt::backup::aria
