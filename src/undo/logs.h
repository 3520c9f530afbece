/// Undo logs from their rollback segments down to their records. Format: docs/formats/undo.md.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "page/undo_page.h"
#include "space/page_source.h"
#include "undo/record.h"

namespace redoubt::undo {

/// Calls `each` with every rollback segment there is: its number, its page's id, its page.
/// `page_size`: of the system tablespace and undo tablespaces. Errors: Corruption, NotFound (an
/// undo tablespace without file), Io, Key; what `each` returns.
Status each_segment(space::PageSource& source, std::uint32_t page_size,
                    const std::function<Status(std::size_t number, PageId at,
                                               std::span<const std::byte> page)>& each);

/// Reads the first page of an undo segment. Errors: Corruption, Io, Key.
Status read_log_page(space::PageSource& source, PageId at, std::span<std::byte> page);

/// The log header at `offset` of such a page. Errors: Corruption: there is no room for one.
Result<page::UndoLogView> log_header(std::span<const std::byte> page, PageId at,
                                     std::size_t offset);

/// Calls `each` with every record of one log, whose header is at `log` of page `first`, the oldest
/// record first. Errors: as each_segment; Cancelled. Bounded by the pages of its tablespace, for
/// all of its logs together.
Status walk_log(space::PageSource& source, std::uint32_t page_size, PageId first, std::size_t log,
                const base::CancelToken* cancel,
                const std::function<Status(const RecordHead&, RecordReader)>& each);

}  // namespace redoubt::undo
