/// The file that verify --html FILE makes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::cli {

/// Says early what would keep `file` from being made: verification may take hours. Returns the path
/// to write, with links resolved. `verified`: paths where nothing may be changed. Errors: Refused
/// when `file` is in one of them, or exists and is no report; NotFound, Io, ... of its directory.
Result<std::string> check_report_file(io::Directory& working_directory, const std::string& file,
                                      const std::vector<std::string>& verified);

/// Makes or replaces `path`, whole or not at all, and durably. Errors: as Directory::replace_text.
Status write_report(io::Directory& working_directory, const std::string& path,
                    std::string_view html);

}  // namespace redoubt::cli
