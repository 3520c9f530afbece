/// What `redoubt inspect` shows of whole directories: the dictionary, the doublewrite buffer; and
/// how it finds the directory that a file belongs to.
#pragma once

#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/directory_reader.h"

namespace redoubt::cli {

/// `redoubt inspect DIR`
Result<int> inspect_dictionary(const CommandContext& context, const std::string& path);
/// `redoubt inspect DIR --doublewrite`, or with a file of DIR
Result<int> inspect_doublewrite(const CommandContext& context, const std::string& path);

/// A directory and what is read of it.
struct OpenedDirectory {
    std::unique_ptr<io::Directory> directory;
    std::unique_ptr<DirectoryReader> reader;  // of the above
};
/// The data directory of a tablespace file ("ibdata1", "db/t.ibd"); without a reader where there is
/// none that can be read, which a note on stderr says.
OpenedDirectory open_directory_of(const CommandContext& context, const std::string& file);

}  // namespace redoubt::cli
