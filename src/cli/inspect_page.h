/// `redoubt inspect FILE --page N [--records]`
#pragma once

#include "base/ids.h"
#include "cli/command.h"
#include "space/tablespace.h"

namespace redoubt::cli {

/// Prints one page, decoded as far as it can be, and returns the exit code. Errors: Usage: past the
/// file's end; Io.
Result<int> inspect_page(const CommandContext& context, space::Tablespace& tablespace,
                         PageNo number);

}  // namespace redoubt::cli
