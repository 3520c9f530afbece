/// The real file system.
#pragma once

#include <memory>
#include <string>

#include "io/file.h"

namespace redoubt::io {

/// Errors: NotFound or Io when `root` is not a directory that can be read.
Result<std::unique_ptr<Directory>> open_posix_directory(const std::string& root);

}  // namespace redoubt::io
