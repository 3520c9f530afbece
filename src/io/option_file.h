/// The server's and its clients' option files (my.cnf): groups of settings, files included.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::io {

/// A setting as it stands in an option file.
struct OptionSetting {
    std::string name;        ///< with '_' for '-', without "loose_"
    std::string value;       ///< quotes and escapes resolved; empty when there is none
    bool has_value = false;  ///< "name=" has an empty one
};

/// Reads `path` and the files it includes, in order, and hands over the settings of the groups that
/// `wanted` says yes to; a later one overrides an earlier one. Errors: as Directory::read_text;
/// Usage when files include each other too deeply; those of `take`, with the file's name.
Status read_option_file(Directory& directory, std::string_view path,
                        const std::function<bool(std::string_view group)>& wanted,
                        const std::function<Status(const OptionSetting& setting)>& take);

}  // namespace redoubt::io
