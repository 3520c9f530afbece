// Real bytes: the fresh ibdata1 of spec/tablespaces-and-pages.md 17 (16 KiB pages, 10.11.19). Where
// the spec has none, bytes in which every field differs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "page/blob_page.h"
#include "page/change_buffer.h"
#include "page/dictionary_header.h"
#include "page/extent_descriptor.h"
#include "page/index_page.h"
#include "page/list.h"
#include "page/rollback_segment.h"
#include "page/segment_inode.h"
#include "page/tablespace_header.h"
#include "page/trx_system.h"
#include "page/undo_page.h"
#include "unit/hex.h"

namespace redoubt::page {
namespace {

using testing::HasSubstr;

const TablespaceFlags kFlags = TablespaceFlags::decode(0x15).value();

/// A page of 16 KiB that has `hex` at `offset`.
std::vector<std::byte> page_with(std::size_t offset, std::string_view hex) {
    std::vector<std::byte> page(16384);
    test::put(page, offset, hex);
    return page;
}

std::vector<std::byte> page_0() {
    return page_with(
        38,
        "00000000000000000000030000000140000000150000003200000000ffffffff0000ffffffff0000"
        "0000000100000000013e00000000013e0000000200000000009e000000000116000000000000009a"
        "0000000100000002002600000002002600000001000000f30026000000f30026"
        // descriptors of extents 0 to 4
        "0000000000000000ffffffff000000000000011600000003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "000000000000000fffffffff00000000000000ee00000004aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "000000000000000f0000000000c6ffffffff000000000004aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "000000000000000000000000009effffffff000000000003aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "0000000000000000ffffffff0000ffffffff000000000002aaaaaaaaaaaaaaaaaaaaaaeeaaffffff");
}

void expect_list(const ListBaseView& list, std::uint32_t length, FileAddress first,
                 FileAddress last) {
    EXPECT_EQ(list.length(), length);
    EXPECT_EQ(list.first(), first);
    EXPECT_EQ(list.last(), last);
}

TEST(TablespaceHeaderView, ReadsPage0) {
    const std::vector<std::byte> page = page_0();
    const TablespaceHeaderView header(page);
    EXPECT_EQ(header.space(), kSystemSpace);
    EXPECT_EQ(header.size(), 768U);
    EXPECT_EQ(header.free_limit(), PageNo{320});
    EXPECT_EQ(header.raw_flags(), 0x15U);
    EXPECT_EQ(header.fragment_pages_used(), 50U);
    expect_list(header.free_extents(), 0, {}, {});
    expect_list(header.fragment_extents(), 1, {PageNo{0}, 318}, {PageNo{0}, 318});
    expect_list(header.full_fragment_extents(), 2, {PageNo{0}, 158}, {PageNo{0}, 278});
    EXPECT_EQ(header.next_segment(), 154U);
    expect_list(header.full_inode_pages(), 1, {PageNo{2}, 38}, {PageNo{2}, 38});
    expect_list(header.inode_pages_with_room(), 1, {PageNo{243}, 38}, {PageNo{243}, 38});
}

TEST(ExtentDescriptorView, ReadsTheExtentsOfPage0) {
    const std::vector<std::byte> page = page_0();
    const auto extent = [&page](std::size_t index) {
        return ExtentDescriptorView::on_page(page, kFlags, index);
    };
    EXPECT_EQ(extent(0).state(), ExtentState::FullFragment);
    EXPECT_TRUE(extent(0).node().previous().is_null());
    EXPECT_EQ(extent(0).node().next(), (FileAddress{PageNo{0}, 278}));
    EXPECT_EQ(extent(1).state(), ExtentState::Segment);
    EXPECT_EQ(extent(1).segment(), 15U);
    EXPECT_EQ(extent(2).node().previous(), (FileAddress{PageNo{0}, 198}));
    EXPECT_TRUE(extent(2).node().next().is_null());
    EXPECT_EQ(extent(4).state(), ExtentState::FreeFragment);
    std::uint32_t used = 0;
    for (std::size_t i = 0; i < 64; ++i) {
        EXPECT_FALSE(extent(0).is_free(i)) << i;
        EXPECT_EQ(extent(4).is_free(i), i == 45 || i == 47 || i > 51) << i;
        used += extent(4).is_free(i) ? 0 : 1;
    }
    EXPECT_EQ(used, TablespaceHeaderView(page).fragment_pages_used());
}

TEST(ExtentDescriptorView, ListsLeadToTheNodesOfDescriptors) {
    const std::vector<std::byte> page = page_0();
    EXPECT_EQ(
        TablespaceHeaderView(page).fragment_extents().first().offset,
        ExtentDescriptorView::kArray + 4 * kFlags.descriptor_size() + ExtentDescriptorView::kNode);
}

TEST(FileAddress, NullAddressesAreAllEqual) {
    const std::vector<std::byte> bytes = test::from_hex("ffffffff0bad000000000000");
    const ListNodeView node{std::span(bytes).first<ListNodeView::kSize>()};
    EXPECT_TRUE(node.previous().is_null());
    EXPECT_EQ(node.previous(), FileAddress());
    EXPECT_FALSE(node.next().is_null());
}

TEST(SegmentInodeView, ReadsTheFirstInodeOfPage2) {
    std::vector<std::byte> page =
        page_with(38,
                  "ffffffff0000ffffffff000000000000000000010000000000000000ffffffff0000ffffffff0000"
                  "00000000ffffffff0000ffffffff000000000000ffffffff0000ffffffff000005d669d200000003"
                  "00000004ffffffff");
    const SegmentInodeView inode = SegmentInodeView::on_page(page, kFlags, 0);
    EXPECT_EQ(inode.segment(), 1U);
    EXPECT_EQ(inode.not_full_pages_used(), 0U);
    expect_list(inode.free_extents(), 0, {}, {});
    expect_list(inode.not_full_extents(), 0, {}, {});
    expect_list(inode.full_extents(), 0, {}, {});
    EXPECT_EQ(inode.magic(), SegmentInodeView::kMagic);
    EXPECT_EQ(inode.fragment(0), PageNo{3});
    EXPECT_EQ(inode.fragment(1), PageNo{4});
    EXPECT_EQ(inode.fragment(2), kNoPage);
    EXPECT_EQ(SegmentInodeView::on_page(page, kFlags, 1).segment(), 0U);
}

TEST(SegmentInodeView, TellsItsListsApart) {
    std::vector<std::byte> page(16384);
    test::put(page, 50 + 192 + 8, "00000007");
    test::put(page, 50 + 192 + 12, "00000001000000020003000000040005");
    test::put(page, 50 + 192 + 28, "00000011000000120013000000140015");
    test::put(page, 50 + 192 + 44, "00000021000000220023000000240025");
    const SegmentInodeView inode = SegmentInodeView::on_page(page, kFlags, 1);
    EXPECT_EQ(inode.not_full_pages_used(), 7U);
    expect_list(inode.free_extents(), 1, {PageNo{2}, 3}, {PageNo{4}, 5});
    expect_list(inode.not_full_extents(), 0x11, {PageNo{0x12}, 0x13}, {PageNo{0x14}, 0x15});
    expect_list(inode.full_extents(), 0x21, {PageNo{0x22}, 0x23}, {PageNo{0x24}, 0x25});
}

TEST(SegmentInodeView, PagesHoldAsManyAsTheServerPuts) {
    const std::tuple<std::uint32_t, std::size_t, std::size_t> kSizes[] = {
        {0x13, 576, 7}, {0x14, 320, 25}, {0x15, 192, 85}, {0x16, 192, 170}, {0x17, 192, 341}};
    for (const auto& [raw, size, count] : kSizes) {
        const TablespaceFlags flags = TablespaceFlags::decode(raw).value();
        EXPECT_EQ(SegmentInodeView::size(flags), size);
        EXPECT_EQ(SegmentInodeView::count_per_page(flags), count);
    }
}

SegmentHeaderView segment_header(const std::vector<std::byte>& bytes) {
    return SegmentHeaderView(std::span(bytes).first<SegmentHeaderView::kSize>());
}

TEST(SegmentHeaderView, AcceptsTheHeaderOfATree) {
    const std::vector<std::byte> bytes = test::from_hex("000000070000000200f2");
    const SegmentHeaderView header = segment_header(bytes);
    EXPECT_EQ(header.space(), SpaceId{7});
    EXPECT_EQ(header.inode_page(), PageNo{2});
    EXPECT_EQ(header.inode_offset(), 0xF2);
    EXPECT_TRUE(header.validate({SpaceId{7}, PageNo{3}}, kFlags, PageNo{64}));
}

TEST(SegmentHeaderView, RejectsHeadersThatLeadToNoInode) {
    const std::pair<std::string_view, std::string_view> kHeaders[] = {
        {"000000080000000200f2", "space 8"},
        {"000000070000004000f2", "page 64 is past"},
        {"00000007ffffffff00f2", "past"},
        {"00000007000000020000", "offset 0"},
        {"000000070000000200f3", "offset 243"},
        {"00000007000000023ff2", "offset 16370"},  // where an 86th would begin
    };
    for (const auto& [hex, says] : kHeaders) {
        const std::vector<std::byte> bytes = test::from_hex(hex);
        const Status status =
            segment_header(bytes).validate({SpaceId{7}, PageNo{3}}, kFlags, PageNo{64});
        ASSERT_FALSE(status) << hex;
        EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
        EXPECT_THAT(status.error().to_string(), HasSubstr(std::string(says)));
        EXPECT_THAT(status.error().to_string(), HasSubstr("space 7 page 3"));
    }
}

TEST(IndexHeaderView, ReadsTheEmptyTreeOfPage4) {
    const std::vector<std::byte> page =
        page_with(38,
                  "0002007d000200000000000000050000000000000000000000000000ffffffff0000000000000000"
                  "ffffffff0000ffffffff0000");
    const IndexHeaderView header(page);
    EXPECT_EQ(header.directory_slots(), 2);
    EXPECT_EQ(header.heap_top(), 125);
    EXPECT_EQ(header.heap_count(), 2);
    EXPECT_FALSE(header.compact());
    EXPECT_EQ(header.first_freed(), 0);
    EXPECT_EQ(header.direction(), 5);
    EXPECT_EQ(header.core_field_count(), 0);
    EXPECT_EQ(header.record_count(), 0);
    EXPECT_EQ(header.level(), 0);
    EXPECT_EQ(header.index_id(), 0xFFFFFFFF00000000U);
}

TEST(IndexHeaderView, TellsItsFieldsApart) {
    const std::vector<std::byte> page = page_with(38,
                                                  "0101"
                                                  "0202"
                                                  "8303"
                                                  "0404"
                                                  "0505"
                                                  "0606"
                                                  "002a"  // five core fields, direction 2
                                                  "0808"
                                                  "0909"
                                                  "1011121314151617"
                                                  "1819"
                                                  "2021222324252627"
                                                  "00000031000000320033"
                                                  "00000041000000420043");
    const IndexHeaderView header(page);
    EXPECT_EQ(header.directory_slots(), 0x0101);
    EXPECT_EQ(header.heap_top(), 0x0202);
    EXPECT_EQ(header.heap_count(), 0x0303);
    EXPECT_TRUE(header.compact());
    EXPECT_EQ(header.first_freed(), 0x0404);
    EXPECT_EQ(header.freed_bytes(), 0x0505);
    EXPECT_EQ(header.last_insert(), 0x0606);
    EXPECT_EQ(header.direction(), 2);
    EXPECT_EQ(header.core_field_count(), 5);
    EXPECT_EQ(header.inserts_in_direction(), 0x0808);
    EXPECT_EQ(header.record_count(), 0x0909);
    EXPECT_EQ(header.max_trx_id(), 0x1011121314151617U);
    EXPECT_EQ(header.level(), 0x1819);
    EXPECT_EQ(header.index_id(), 0x2021222324252627U);
    EXPECT_EQ(header.leaf_segment().inode_page(), PageNo{0x32});
    EXPECT_EQ(header.inner_segment().inode_page(), PageNo{0x42});
}

TEST(TrxSystemView, ReadsPage5) {
    std::vector<std::byte> page =
        page_with(38, "0000000000000000000000000000000200f20000000000000006000000000000002d");
    test::put(page, 16184,
              "00000000000000020ab21fffbd5f00000040000000801fffbd5f00000040000000806a5073aa");
    const TrxSystemView system(page);
    EXPECT_EQ(system.slot(0), (PageId{kSystemSpace, PageNo{6}}));
    EXPECT_EQ(system.slot(1), (PageId{kSystemSpace, PageNo{0x2D}}));
    const DoublewriteHeaderView doublewrite(page);
    EXPECT_TRUE(doublewrite.present());
    EXPECT_EQ(doublewrite.block1(), PageNo{64});
    EXPECT_EQ(doublewrite.block2(), PageNo{128});
    EXPECT_TRUE(doublewrite.space_ids_stored());
}

TEST(RollbackSegmentView, ReadsPage6) {
    std::vector<std::byte> page = page_with(
        38, "000000000000000000000000ffffffff0000ffffffff0000000000000000000201b2ffffffffffffffff");
    test::put(page, 72 + 4 * 1023, "00000177");
    test::put(page, 4168, "0000000000000abc");
    const RollbackSegmentView segment(page);
    EXPECT_TRUE(segment.current_format());
    EXPECT_EQ(segment.history_pages(), 0U);
    expect_list(segment.history(), 0, {}, {});
    EXPECT_EQ(segment.segment().inode_page(), PageNo{2});
    EXPECT_EQ(segment.segment().inode_offset(), 434);
    EXPECT_EQ(segment.slot_count(), 1024U);
    EXPECT_EQ(segment.slot(0), kNoPage);
    EXPECT_EQ(segment.slot(1023), PageNo{0x177});
    EXPECT_EQ(segment.max_trx_id(), 0xABCU);
}

TEST(DictionaryHeaderView, ReadsPage7) {
    const std::vector<std::byte> page =
        page_with(38,
                  "000000000000000a000000000000000d000000000000000f000000000000000a0000000800000009"
                  "0000000a0000000b0000000c0000000000000000000000020272");
    const DictionaryHeaderView header(page);
    EXPECT_EQ(header.last_row_id(), 10U);
    EXPECT_EQ(header.last_table_id(), 13U);
    EXPECT_EQ(header.last_index_id(), 15U);
    EXPECT_EQ(header.max_space_id(), SpaceId{0});
    EXPECT_EQ(header.tables_root(), PageNo{8});
    EXPECT_EQ(header.table_ids_root(), PageNo{9});
    EXPECT_EQ(header.columns_root(), PageNo{10});
    EXPECT_EQ(header.indexes_root(), PageNo{11});
    EXPECT_EQ(header.fields_root(), PageNo{12});
    EXPECT_EQ(header.segment().inode_offset(), 0x272);
}

TEST(UndoViews, TellTheirFieldsApart) {
    const std::vector<std::byte> page = page_with(38,
                                                  // page header
                                                  "000001100200"
                                                  "ffffffff0000000000200030"
                                                  // segment header
                                                  "00010056"
                                                  "000000000000000201b2"
                                                  "00000002000000210031000000220032"
                                                  // log header
                                                  "0000000000001234"
                                                  "0000000000005678"
                                                  "0001"
                                                  "0110"
                                                  "01"
                                                  "00"
                                                  "0000000000000000"
                                                  "0300"
                                                  "0040"
                                                  "000000410042000000430044");
    const UndoPageView undo(page);
    EXPECT_EQ(undo.kind(), 0);
    EXPECT_EQ(undo.first_record(), 0x110);
    EXPECT_EQ(undo.free_from(), 0x200);
    EXPECT_TRUE(undo.node().previous().is_null());
    EXPECT_EQ(undo.node().next(), (FileAddress{PageNo{0x20}, 0x30}));

    const UndoSegmentView segment(page);
    EXPECT_EQ(segment.state(), UndoState::Active);
    EXPECT_EQ(segment.last_log(), 86);
    EXPECT_EQ(segment.segment().inode_page(), PageNo{2});
    EXPECT_EQ(segment.segment().inode_offset(), 0x1B2);
    expect_list(segment.pages(), 2, {PageNo{0x21}, 0x31}, {PageNo{0x22}, 0x32});

    ASSERT_EQ(UndoSegmentView::kEnd, 86U);
    const UndoLogView log(
        std::span<const std::byte>(page).subspan<UndoSegmentView::kEnd, UndoLogView::kSize>());
    EXPECT_EQ(log.trx_id(), 0x1234U);
    EXPECT_EQ(log.trx_no(), 0x5678U);
    EXPECT_TRUE(log.needs_purge());
    EXPECT_EQ(log.first_record(), 0x110);
    EXPECT_TRUE(log.xid_exists());
    EXPECT_FALSE(log.changes_dictionary());
    EXPECT_EQ(log.next_log(), 0x300);
    EXPECT_EQ(log.previous_log(), 0x40);
    EXPECT_EQ(log.history_node().previous(), (FileAddress{PageNo{0x41}, 0x42}));
    EXPECT_EQ(log.history_node().next(), (FileAddress{PageNo{0x43}, 0x44}));
}

TEST(BlobPageView, GivesSizeAndNextPage) {
    const std::vector<std::byte> page = page_with(38, "00003fca00000007");
    EXPECT_EQ(BlobPageView(page).data_size(), 16330U);
    EXPECT_EQ(BlobPageView(page).next(), PageNo{7});
    EXPECT_EQ(BlobPageView::kData, 46U);
}

// spec/checksums-encryption-compression.md 9.3: a real bitmap. Its first nibble pairs are those of
// pages 20 and 21.
TEST(ChangeBufferBitmapView, ReadsFourBitsAPage) {
    const std::vector<std::byte> page =
        page_with(104, "30030000003000300000103331331300333313003333");
    const ChangeBufferBitmapView bitmap(page);
    EXPECT_EQ(bitmap.free_class(19), 0U);
    EXPECT_EQ(bitmap.free_class(20), 0U);
    EXPECT_EQ(bitmap.free_class(21), 3U);
    EXPECT_EQ(bitmap.free_class(22), 3U);
    EXPECT_EQ(bitmap.free_class(23), 0U);
    EXPECT_EQ(bitmap.free_class(41), 2U);  // nibble 1: the first bit is the high one
    EXPECT_FALSE(bitmap.buffered(21));
    EXPECT_FALSE(bitmap.of_change_buffer(21));
}

TEST(ChangeBufferBitmapView, TellsItsBitsApart) {
    const std::vector<std::byte> page = page_with(94, "2184");
    const ChangeBufferBitmapView bitmap(page);
    EXPECT_EQ(bitmap.free_class(0), 2U);
    EXPECT_EQ(bitmap.free_class(1), 1U);
    EXPECT_TRUE(bitmap.buffered(2));
    EXPECT_FALSE(bitmap.of_change_buffer(2));
    EXPECT_TRUE(bitmap.of_change_buffer(3));
    EXPECT_FALSE(bitmap.buffered(3));
}

TEST(ChangeBufferHeaderView, ReadsPage3) {
    const std::vector<std::byte> page = page_with(94, "00000000000000020032");
    EXPECT_EQ(ChangeBufferHeaderView(page).segment().inode_page(), PageNo{2});
    EXPECT_EQ(ChangeBufferHeaderView(page).segment().inode_offset(), 50);
}

}  // namespace
}  // namespace redoubt::page
