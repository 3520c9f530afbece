/// The real file system.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "io/file.h"

namespace redoubt::io {

/// Errors: NotFound or Io when `root` is not a directory that can be read.
Result<std::unique_ptr<Directory>> open_posix_directory(const std::string& root);

/// A quarter of the files that the process may have open: for one BoundedDirectory, of which a
/// command has two at most (verify: its own and recovery's).
std::size_t open_files_share();

}  // namespace redoubt::io
