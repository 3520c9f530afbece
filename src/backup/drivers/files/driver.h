/// What is beside the tables' own files: definitions, triggers, database options, links (copied
/// while DDL is blocked, so that they are what the server sees at the end), and a few files of the
/// data directory itself.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backup/driver.h"
#include "backup/drivers/common/data_files.h"
#include "base/mutex.h"

namespace redoubt::backup::files {

class FilesDriver final : public Driver {
public:
    FilesDriver(const DriverContext& context, std::shared_ptr<DataFiles> files);

    Status run(Stage stage, const std::set<std::string>& in_use) override;
    std::vector<std::string> notes() const override;

private:
    Status copy_definitions();
    /// A file that is gone is none to be copied.
    Status copy_if_there(const std::string& path, bool note);

    const DriverContext context_;
    std::shared_ptr<DataFiles> files_;  ///< shared by all drivers
    mutable base::Mutex mutex_;
    std::vector<std::string> notes_ GUARDED_BY(mutex_);
};

}  // namespace redoubt::backup::files
