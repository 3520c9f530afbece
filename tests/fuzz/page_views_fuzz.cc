// Every getter of every view over any page of any geometry: none may read beyond the page, and a
// segment header found valid leads to a whole inode. Input: u32 flags, the page's first bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/big_endian.h"
#include "page/blob_page.h"
#include "page/change_buffer.h"
#include "page/dictionary_header.h"
#include "page/extent_descriptor.h"
#include "page/index_page.h"
#include "page/rollback_segment.h"
#include "page/segment_inode.h"
#include "page/tablespace_header.h"
#include "page/trx_system.h"
#include "page/undo_page.h"

namespace {

using namespace redoubt;
using Bytes = std::span<const std::byte>;

volatile std::uint64_t sink;  // so that no read is optimised away

void use(std::uint64_t value) { sink = value; }
void use(PageNo page) { use(page.value); }
void use(SpaceId space) { use(space.value); }
void use(page::FileAddress address) {
    if (address.is_null() && address.offset != 0) {
        std::abort();  // null addresses are all equal
    }
    use(address.page);
}
void use(page::ListNodeView node) {
    use(node.previous());
    use(node.next());
}
void use(page::ListBaseView list) {
    use(list.length());
    use(list.first());
    use(list.last());
}

void use(page::SegmentHeaderView header, const page::TablespaceFlags& flags) {
    const PageId owner{header.space(), PageNo{3}};
    const PageNo end_of_space{1000};
    if (header.validate(owner, flags, end_of_space) &&
        (header.inode_page() >= end_of_space ||
         header.inode_offset() + page::SegmentInodeView::size(flags) > flags.physical_page_size)) {
        std::abort();
    }
}

void read_space_management(Bytes bytes, const page::TablespaceFlags& flags) {
    const page::TablespaceHeaderView space(bytes);
    use(space.space());
    use(space.size());
    use(space.free_limit());
    use(space.raw_flags());
    use(space.fragment_pages_used());
    use(space.free_extents());
    use(space.fragment_extents());
    use(space.full_fragment_extents());
    use(space.next_segment());
    use(space.full_inode_pages());
    use(space.inode_pages_with_room());

    for (std::size_t i = 0; i < flags.physical_page_size / flags.extent_pages(); ++i) {
        const auto extent = page::ExtentDescriptorView::on_page(bytes, flags, i);
        use(extent.segment());
        use(extent.node());
        use(static_cast<std::uint64_t>(extent.state()));
        for (std::size_t index = 0; index < flags.extent_pages(); ++index) {
            use(extent.is_free(index));
        }
    }
    for (std::size_t i = 0; i < page::SegmentInodeView::count_per_page(flags); ++i) {
        const auto inode = page::SegmentInodeView::on_page(bytes, flags, i);
        use(inode.segment());
        use(inode.not_full_pages_used());
        use(inode.free_extents());
        use(inode.not_full_extents());
        use(inode.full_extents());
        use(inode.magic());
        for (std::size_t slot = 0; slot < page::SegmentInodeView::fragment_count(flags); ++slot) {
            use(inode.fragment(slot));
        }
    }
    const page::ChangeBufferBitmapView bitmap(bytes);
    for (std::size_t index = 0; index < bytes.size(); ++index) {
        use(bitmap.free_class(index));
        use(bitmap.buffered(index));
        use(bitmap.of_change_buffer(index));
    }
}

void read_table_pages(Bytes bytes, const page::TablespaceFlags& flags) {
    const page::IndexHeaderView index(bytes);
    use(index.directory_slots());
    use(index.heap_top());
    use(index.heap_count());
    use(index.compact());
    use(index.first_freed());
    use(index.freed_bytes());
    use(index.last_insert());
    use(index.direction());
    use(index.core_field_count());
    use(index.inserts_in_direction());
    use(index.record_count());
    use(index.max_trx_id());
    use(index.level());
    use(index.index_id());
    use(index.leaf_segment(), flags);
    use(index.inner_segment(), flags);

    const page::BlobPageView blob(bytes);
    use(blob.data_size());
    use(blob.next());
}

/// Pages that are never ROW_FORMAT=COMPRESSED, hence of at least 4 KiB.
void read_system_pages(Bytes bytes, const page::TablespaceFlags& flags) {
    const page::TrxSystemView trx_system(bytes);
    for (std::size_t i = 0; i < page::TrxSystemView::kSlotCount; ++i) {
        use(trx_system.slot(i).packed());
    }
    const page::DoublewriteHeaderView doublewrite(bytes);
    use(doublewrite.present());
    use(doublewrite.block1());
    use(doublewrite.block2());
    use(doublewrite.space_ids_stored());

    const page::RollbackSegmentView rollback(bytes);
    use(rollback.current_format());
    use(rollback.history_pages());
    use(rollback.history());
    use(rollback.segment(), flags);
    use(rollback.max_trx_id());
    for (std::size_t i = 0; i < rollback.slot_count(); ++i) {
        use(rollback.slot(i));
    }

    const page::DictionaryHeaderView dictionary(bytes);
    use(dictionary.last_row_id());
    use(dictionary.last_table_id());
    use(dictionary.last_index_id());
    use(dictionary.max_space_id());
    use(dictionary.tables_root());
    use(dictionary.table_ids_root());
    use(dictionary.columns_root());
    use(dictionary.indexes_root());
    use(dictionary.fields_root());
    use(dictionary.segment(), flags);
    use(page::ChangeBufferHeaderView(bytes).segment(), flags);
}

void read_undo_pages(Bytes bytes, const page::TablespaceFlags& flags) {
    const page::UndoPageView undo(bytes);
    use(undo.kind());
    use(undo.first_record());
    use(undo.free_from());
    use(undo.node());

    const page::UndoSegmentView segment(bytes);
    use(static_cast<std::uint64_t>(segment.state()));
    use(segment.segment(), flags);
    use(segment.pages());
    const std::size_t at = segment.last_log();
    if (at + page::UndoLogView::kSize > bytes.size()) {
        return;
    }
    const page::UndoLogView log(bytes.subspan(at).first<page::UndoLogView::kSize>());
    use(log.trx_id());
    use(log.trx_no());
    use(log.needs_purge());
    use(log.first_record());
    use(log.xid_exists());
    use(log.changes_dictionary());
    use(log.next_log());
    use(log.previous_log());
    use(log.history_node());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) {
        return 0;
    }
    const Bytes input = std::as_bytes(std::span(data, size));
    const auto flags = page::TablespaceFlags::decode(load_be<std::uint32_t>(input.data()));
    if (!flags) {
        return 0;
    }
    std::vector<std::byte> bytes(flags->physical_page_size);
    std::copy_n(input.begin() + 4, std::min(size - 4, bytes.size()), bytes.begin());
    read_space_management(bytes, *flags);
    read_table_pages(bytes, *flags);
    if (!flags->row_compressed) {
        read_system_pages(bytes, *flags);
        read_undo_pages(bytes, *flags);
    }
    return 0;
}
