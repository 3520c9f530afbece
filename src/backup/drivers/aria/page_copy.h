/// Copies a file of Aria pages, checking each. A page that was being written while it was read is
/// read again.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "backup/drivers/aria/format.h"
#include "backup/target.h"
#include "base/cancel.h"
#include "base/error.h"
#include "io/file.h"

namespace redoubt::backup::aria {

struct PageCopyOptions {
    TableFormat format;
    PageKind kind = PageKind::Data;
    const base::CancelToken* cancel = nullptr;  ///< may be null
    std::function<void(std::string)> note;      ///< must be callable
};

/// To `path` in `target`, as far as the file reaches when its end is met; returns the size.
/// A page that stays bad is an error in an online-safe table, whose copy redo will rely on; in
/// another it is a note: the server marks such a table as crashed, and repairs it.
/// Errors: Corruption (names file and page), Io, NoSpace, Cancelled.
Result<std::uint64_t> copy_pages(io::File& source, std::string_view path, Target& target,
                                 const PageCopyOptions& options);

}  // namespace redoubt::backup::aria
