/// Tables that are plain files, which nobody writes while non-transactional writes are blocked:
/// MyISAM (.MYD .MYI), MERGE (.MRG), ARCHIVE (.ARZ .ARM) and CSV (.CSV .CSM). They differ in
/// nothing else, so one driver does for all four. Copied at Flush, where the server closed them and
/// lets nobody begin to write; those still in use then, at BlockDdl.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backup/driver.h"
#include "backup/drivers/common/data_files.h"
#include "backup/drivers/common/table_copies.h"

namespace redoubt::backup::plain {

class PlainDriver final : public Driver {
public:
    PlainDriver(const DriverContext& context, std::shared_ptr<DataFiles> files);

    Status run(Stage stage, const std::set<std::string>& in_use) override;
    std::vector<std::string> notes() const override { return copies_.notes(); }

private:
    Status copy(const TableFiles& tables, Stage stage, const std::set<std::string>& left_out);

    const DriverContext context_;
    std::shared_ptr<DataFiles> files_;  ///< shared by all drivers
    TableCopies copies_;
};

}  // namespace redoubt::backup::plain
