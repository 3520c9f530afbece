/// The change buffer: changes to leaves of secondary indexes that the server had not made yet when
/// it stopped. What a reader of such a leaf must add to see what the server would.
/// Format: docs/formats/tablespace.md#change-buffer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "base/ids.h"
#include "btree/tree.h"
#include "record/layout.h"
#include "space/page_source.h"

namespace redoubt::btree {

/// The change buffer's own tree. `page_size`: of the system tablespace.
Tree change_buffer_tree(std::uint32_t page_size);
/// Of its records: the fields that all have, before those of the entry that is changed.
const record::RecordLayout& change_buffer_layout();

struct BufferedChange {
    enum class Kind : std::uint8_t { Insert, DeleteMark, Delete };
    PageId page;
    Kind kind = Kind::Insert;
    bool compact = true;  ///< the page is not REDUNDANT
    std::vector<record::Field> entry;
};
/// `fields`: all of a record of the change buffer; the result views the same bytes. Errors:
/// Corruption, without a page.
Result<BufferedChange> decode_change(std::span<const record::Field> fields);

/// Whether any change waits. Errors: as PageSource::read.
Result<bool> has_buffered_changes(space::PageSource& source, std::uint32_t page_size);

/// Makes the changes that wait for leaves, in memory. Not thread-safe.
class BufferedChanges {
public:
    BufferedChanges(space::PageSource& source, std::uint32_t page_size,
                    const base::CancelToken* cancel = nullptr);

    /// Whether the bitmap says that changes wait for a page; else the server makes none.
    Result<bool> wait_for(PageId page, std::uint32_t physical_page_size);
    /// The leaf `page` (plain, expanded) as it is once they are made: records, their list and the
    /// end of the heap; directory, heap numbers and freed records mean nothing any more. Errors:
    /// Corruption: changes that do not fit the page; Io; Key; Cancelled.
    Status make(PageId id, const record::RecordLayout& layout, std::span<std::byte> page);

private:
    struct Change {
        BufferedChange::Kind kind;
        std::vector<std::byte> bytes;  // of the fields
        std::vector<record::Field> fields;
    };
    Status collect(PageId id, const record::RecordLayout& layout);

    space::PageSource& source_;
    TreeReader reader_;
    PageId bitmap_{kSystemSpace, kNoPage};
    std::vector<std::byte> bitmap_page_;
    std::vector<record::Field> fields_;
    std::vector<Change> changes_;
};

}  // namespace redoubt::btree
