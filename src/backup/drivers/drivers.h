/// All drivers for what a backup copies beside InnoDB, in the order in which they run in each
/// stage.
#pragma once

#include <memory>
#include <vector>

#include "backup/driver.h"

namespace redoubt::backup {

std::vector<std::unique_ptr<Driver>> make_drivers(const DriverContext& context);

}  // namespace redoubt::backup
