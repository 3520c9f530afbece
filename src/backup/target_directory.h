/// The directory that a backup or a restore is to fill: checked before, made durable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::backup {

/// `directory` need not exist. What a file system puts into its root, and the name
/// `allowed`, don't count. `path`: for messages. Errors: Refused.
Status require_empty_directory(io::Directory& directory, const std::string& path,
                               std::string_view allowed = {});

/// Where `path` of `root`, which need not exist, would be. Errors: NoSpace, saying what needs it
/// ("the restore") and `hint`.
Status require_free_space(io::Directory& root, const std::string& path, std::uint64_t bytes,
                          std::string_view what, std::string_view hint);

/// Makes it, and its entry in the directories above durable.
Status make_target_directory(io::Directory& root, const std::string& path);

}  // namespace redoubt::backup
