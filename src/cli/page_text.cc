// The fields are shown as they are, with no judgement of them, so tables of name, place and size do
// where code that acts on them has views. Format: docs/formats/page.md, tablespace.md, index.md,
// undo.md. Offsets are bytes from the page's start.
#include "cli/page_text.h"

#include <fmt/format.h>

#include <array>
#include <initializer_list>

#include "base/big_endian.h"
#include "page/change_buffer.h"
#include "page/dictionary_header.h"
#include "page/extent_descriptor.h"
#include "page/header.h"
#include "page/index_page.h"
#include "page/rollback_segment.h"
#include "page/segment_inode.h"
#include "page/trx_system.h"

namespace redoubt::cli {
namespace {

using page::PageType;

// On the page of the transaction system, bytes before its end.
constexpr std::size_t kDoublewriteFromEnd = 200;
constexpr std::size_t kBinlogFromEnd = 1000;
constexpr std::uint32_t kBinlogMagic = 873422344;
constexpr std::size_t kBinlogName = 512;

struct Field {
    enum class Shape : std::uint8_t {
        U8,
        U16,
        U32,
        U64,
        Page,           ///< u32, all ones = none
        SegmentHeader,  ///< space, inode page, inode offset: 10 bytes
        ListBase,       ///< length and two addresses: 16 bytes
        ListNode,       ///< two addresses: 12 bytes
    };
    std::string_view name;
    std::size_t offset;
    Shape shape;
};
using Shape = Field::Shape;

std::string page_text(std::uint32_t number) {
    return number == kNoPage.value ? "none" : fmt::format("{}", number);
}

/// A page and a byte offset on it: 6 bytes.
std::string address_text(const std::byte* at) {
    const auto number = load_be<std::uint32_t>(at);
    return number == kNoPage.value
               ? "none"
               : fmt::format("page {} offset {}", number, load_be<std::uint16_t>(at + 4));
}

std::size_t size_of(Shape shape) {
    constexpr std::array<std::size_t, 8> kSizes = {1, 2, 4, 8, 4, 10, 16, 12};
    return kSizes[static_cast<std::size_t>(shape)];
}

std::string value_text(const std::byte* at, Shape shape) {
    switch (shape) {
        case Shape::U8:
            return fmt::format("{}", std::to_integer<unsigned>(*at));
        case Shape::U16:
            return fmt::format("{}", load_be<std::uint16_t>(at));
        case Shape::U32:
            return fmt::format("{}", load_be<std::uint32_t>(at));
        case Shape::U64:
            return fmt::format("{}", load_be<std::uint64_t>(at));
        case Shape::Page:
            return page_text(load_be<std::uint32_t>(at));
        case Shape::SegmentHeader:
            return fmt::format("space {}, inode page {} offset {}", load_be<std::uint32_t>(at),
                               page_text(load_be<std::uint32_t>(at + 4)),
                               load_be<std::uint16_t>(at + 8));
        case Shape::ListBase:
            return fmt::format("{} entries, first {}, last {}", load_be<std::uint32_t>(at),
                               address_text(at + 4), address_text(at + 10));
        case Shape::ListNode:
            break;
    }
    return fmt::format("previous {}, next {}", address_text(at), address_text(at + 6));
}

void add_fields(std::vector<Fact>& facts, std::span<const std::byte> page,
                std::initializer_list<Field> fields) {
    for (const Field& field : fields) {
        if (field.offset + size_of(field.shape) <= page.size()) {
            facts.emplace_back(field.name, value_text(page.data() + field.offset, field.shape));
        }
    }
}

PageSection section(std::string name, std::span<const std::byte> page,
                    std::initializer_list<Field> fields) {
    PageSection result{.name = std::move(name), .facts = {}};
    add_fields(result.facts, page, fields);
    return result;
}

PageSection page_header(std::span<const std::byte> page, const space::SpaceHeader& space) {
    const page::HeaderView header(page);
    const std::uint16_t type = header.type();
    PageSection result{.name = "page header",
                       .facts = {{"type", fmt::format("{} ({})", page::type_name(type), type)}}};
    add_fields(result.facts, page,
               {{space.flags.full_crc32 ? "key version" : "checksum", 0, Shape::U32},
                {"page number", 4, Shape::U32},
                {"previous", 8, Shape::Page},
                {"next", 12, Shape::Page},
                {"lsn", 16, Shape::U64},
                {"space", 34, Shape::U32}});
    if (space.crypt && !space.flags.full_crc32) {
        add_fields(result.facts, page,
                   {{"key version", 26, Shape::U32}, {"checksum as encrypted", 30, Shape::U32}});
    }
    if (!space.flags.row_compressed) {
        const std::size_t trailer = page.size() - page::kTrailerSize;
        add_fields(
            result.facts, page,
            {{space.flags.full_crc32 ? "lsn, low half" : "checksum at the end", trailer,
              Shape::U32},
             {space.flags.full_crc32 ? "checksum" : "lsn, low half", trailer + 4, Shape::U32}});
    }
    return result;
}

PageSection index_header(std::span<const std::byte> page) {
    constexpr std::uint16_t kCompact = 0x8000;  // of the heap count: not ROW_FORMAT=REDUNDANT
    PageSection result = section("index page header", page,
                                 {{"index id", 66, Shape::U64},
                                  {"level", 64, Shape::U16},
                                  {"records", 54, Shape::U16},
                                  {"directory slots", 38, Shape::U16},
                                  {"heap top", 40, Shape::U16}});
    const auto heap = load_be<std::uint16_t>(page.data() + 42);
    result.facts.emplace_back("records in heap", fmt::format("{}", heap & ~kCompact));
    result.facts.emplace_back("row format", (heap & kCompact) != 0 ? "compact" : "redundant");
    add_fields(result.facts, page,
               {{"free list", 44, Shape::U16},
                {"garbage bytes", 46, Shape::U16},
                {"last insert", 48, Shape::U16},
                {"inserts in one direction", 52, Shape::U16},
                {"max trx id", 56, Shape::U64},
                {"leaf segment", 74, Shape::SegmentHeader},
                {"inner segment", 84, Shape::SegmentHeader}});
    const page::IndexHeaderView header(page);
    const std::uint16_t direction = header.direction();
    result.facts.emplace_back("direction", direction == 1   ? "left"
                                           : direction == 2 ? "right"
                                           : direction == 5 ? "none"
                                                            : fmt::format("{}", direction));
    if (header.core_field_count() != 0) {
        result.facts.emplace_back("fields before the first instant ALTER TABLE",
                                  fmt::format("{}", header.core_field_count()));
    }
    return result;
}

PageSection undo_header(std::span<const std::byte> page) {
    return section("undo page header", page,
                   {{"type", 38, Shape::U16},
                    {"first record", 40, Shape::U16},
                    {"free from", 42, Shape::U16},
                    {"pages of the segment", 44, Shape::ListNode}});
}

/// Only a segment's first page has its undo logs begin behind a segment header, which ends at 86;
/// the records of other pages begin at 56.
bool begins_undo_segment(std::span<const std::byte> page) {
    constexpr std::uint16_t kSegmentHeaderEnd = 86;
    return load_be<std::uint16_t>(page.data() + 40) >= kSegmentHeaderEnd;
}

/// On the first page of an undo segment.
PageSection undo_segment(std::span<const std::byte> page) {
    constexpr std::array<std::string_view, 6> kStates = {"none",    "active",   "cached",
                                                         "to free", "to purge", "prepared"};
    const auto state = load_be<std::uint16_t>(page.data() + 56);
    PageSection result{
        .name = "undo segment header",
        .facts = {
            {"state", fmt::format("{} ({})", state < kStates.size() ? kStates[state] : "not known",
                                  state)}}};
    add_fields(result.facts, page,
               {{"last log", 58, Shape::U16},
                {"segment", 60, Shape::SegmentHeader},
                {"page list", 70, Shape::ListBase}});
    return result;
}

PageSection space_header(std::span<const std::byte> page) {
    return section("tablespace header", page,
                   {{"space", 38, Shape::U32},
                    {"size", 46, Shape::U32},
                    {"free limit", 50, Shape::U32},
                    {"flags", 54, Shape::U32},
                    {"used in fragment extents", 58, Shape::U32},
                    {"free extents", 62, Shape::ListBase},
                    {"fragment extents", 78, Shape::ListBase},
                    {"full fragment extents", 94, Shape::ListBase},
                    {"next segment id", 110, Shape::U64},
                    {"full inode pages", 118, Shape::ListBase},
                    {"inode pages with room", 134, Shape::ListBase}});
}

PageSection descriptors(std::span<const std::byte> page, const page::TablespaceFlags& flags) {
    constexpr std::array<std::string_view, 5> kStates = {
        "not in use", "free", "with free fragments", "full of fragments", "of a segment"};
    std::array<std::uint64_t, kStates.size()> counts{};
    std::uint64_t unknown = 0;
    for (std::size_t entry = 0; entry < page.size() / flags.extent_pages(); ++entry) {
        const auto state = static_cast<std::uint32_t>(
            page::ExtentDescriptorView::on_page(page, flags, entry).state());
        ++(state < counts.size() ? counts[state] : unknown);
    }
    PageSection result{.name = "extents described", .facts = {}};
    for (std::size_t state = 0; state < counts.size(); ++state) {
        result.facts.emplace_back(kStates[state], fmt::format("{}", counts[state]));
    }
    if (unknown != 0) {
        result.facts.emplace_back("in no known state", fmt::format("{}", unknown));
    }
    return result;
}

PageSection inodes(std::span<const std::byte> page, const page::TablespaceFlags& flags) {
    using Inode = page::SegmentInodeView;
    PageSection result = section("segment inodes", page, {{"inode pages", 38, Shape::ListNode}});
    for (std::size_t slot = 0; slot < Inode::count_per_page(flags); ++slot) {
        const Inode inode = Inode::on_page(page, flags, slot);
        if (inode.segment() == 0) {
            continue;  // unused
        }
        std::size_t used = 0;
        for (std::size_t i = 0; i < Inode::fragment_count(flags); ++i) {
            used += inode.fragment(i) != kNoPage ? 1 : 0;
        }
        result.facts.emplace_back(
            fmt::format("segment {}", inode.segment()),
            fmt::format("{} fragment pages; extents: {} full, {} partly used ({} pages), {} empty",
                        used, inode.full_extents().length(), inode.not_full_extents().length(),
                        inode.not_full_pages_used(), inode.free_extents().length()));
    }
    return result;
}

/// Text that ends at a zero byte, safe to print.
std::string text_field(std::span<const std::byte> field) {
    std::string text;
    for (const std::byte b : field) {
        const auto c = std::to_integer<char>(b);
        if (c == '\0') {
            break;
        }
        text += c >= ' ' && c <= '~' ? c : '?';
    }
    return text;
}

PageSection trx_system(std::span<const std::byte> page) {
    PageSection result = section(
        "transaction system", page,
        {{"max trx id (before 10.3)", 38, Shape::U64}, {"segment", 46, Shape::SegmentHeader}});
    const page::TrxSystemView view(page);
    for (std::size_t slot = 0; slot < page::TrxSystemView::kSlotCount; ++slot) {
        const PageId header = view.slot(slot);
        if (header.page != kNoPage) {
            result.facts.emplace_back(
                fmt::format("rollback segment {}", slot),
                fmt::format("space {} page {}", header.space.value, header.page.value));
        }
    }
    const page::DoublewriteHeaderView doublewrite(page);
    result.facts.emplace_back(
        "doublewrite", doublewrite.present()
                           ? fmt::format("blocks at pages {} and {}", doublewrite.block1().value,
                                         doublewrite.block2().value)
                           : "none");
    if (doublewrite.present()) {
        add_fields(
            result.facts, page,
            {{"doublewrite segment", page.size() - kDoublewriteFromEnd, Shape::SegmentHeader}});
        result.facts.emplace_back("doublewrite has space ids",
                                  doublewrite.space_ids_stored() ? "yes" : "no");
    }
    const std::size_t binlog = page.size() - kBinlogFromEnd;
    if (load_be<std::uint32_t>(page.data() + binlog) == kBinlogMagic) {
        const std::uint64_t offset =
            (std::uint64_t{load_be<std::uint32_t>(page.data() + binlog + 4)} << 32) |
            load_be<std::uint32_t>(page.data() + binlog + 8);
        result.facts.emplace_back(
            "binlog position (before 10.3)",
            fmt::format("{} in {}", offset, text_field(page.subspan(binlog + 12, kBinlogName))));
    }
    return result;
}

PageSection rollback_segment(std::span<const std::byte> page) {
    const page::RollbackSegmentView view(page);
    std::size_t used = 0;
    for (std::size_t slot = 0; slot < view.slot_count(); ++slot) {
        used += view.slot(slot) != kNoPage ? 1 : 0;
    }
    PageSection result = section("rollback segment header", page,
                                 {{"format", 38, Shape::U32},
                                  {"history pages", 42, Shape::U32},
                                  {"history", 46, Shape::ListBase},
                                  {"segment", 62, Shape::SegmentHeader}});
    result.facts.emplace_back("undo slots in use",
                              fmt::format("{} of {}", used, view.slot_count()));
    const std::size_t behind = page::RollbackSegmentView::kSlots + view.slot_count() * 4;
    add_fields(result.facts, page,
               {{"max trx id", behind, Shape::U64}, {"binlog offset", behind + 8, Shape::U64}});
    if (behind + 16 + kBinlogName <= page.size() && view.current_format()) {
        const std::string name = text_field(page.subspan(behind + 16, kBinlogName));
        result.facts.emplace_back("binlog file", name.empty() ? "none" : name);
    }
    for (std::size_t slot = 0; slot < view.slot_count(); ++slot) {
        // Page 0 has no undo: what has it here is no such page.
        if (view.slot(slot) != kNoPage && view.slot(slot) != PageNo{0}) {
            result.facts.emplace_back(fmt::format("undo slot {}", slot),
                                      fmt::format("page {}", view.slot(slot).value));
        }
    }
    return result;
}

PageSection dictionary(std::span<const std::byte> page) {
    return section("dictionary header", page,
                   {{"last row id", 38, Shape::U64},
                    {"last table id", 46, Shape::U64},
                    {"last index id", 54, Shape::U64},
                    {"max space id", 62, Shape::U32},
                    {"root of SYS_TABLES", 70, Shape::Page},
                    {"root of SYS_TABLES by id", 74, Shape::Page},
                    {"root of SYS_COLUMNS", 78, Shape::Page},
                    {"root of SYS_INDEXES", 82, Shape::Page},
                    {"root of SYS_FIELDS", 86, Shape::Page},
                    {"segment", 94, Shape::SegmentHeader}});
}

/// Pages of type SYS say what they are by their place.
PageSection system_page(std::span<const std::byte> page, PageNo number,
                        const space::SpaceHeader& space) {
    if (space.id == kSystemSpace && number == page::DictionaryHeaderView::kPage) {
        return dictionary(page);
    }
    if (space.id == kSystemSpace && number == page::ChangeBufferHeaderView::kPage) {
        return section("change buffer header", page, {{"segment", 94, Shape::SegmentHeader}});
    }
    return rollback_segment(page);
}

}  // namespace

PageText describe_page(std::span<const std::byte> page, PageNo number,
                       const space::SpaceHeader& space) {
    PageText text{page_header(page, space)};
    const std::uint16_t type = page::HeaderView(page).type();
    if (page::is_index_type(type)) {
        text.push_back(index_header(page));
        return text;
    }
    switch (static_cast<PageType>(type)) {
        case PageType::UndoLog:
            text.push_back(undo_header(page));
            if (begins_undo_segment(page)) {
                text.push_back(undo_segment(page));
            }
            break;
        case PageType::Inode:
            text.push_back(inodes(page, space.flags));
            break;
        case PageType::TablespaceHeader:
            text.push_back(space_header(page));
            text.push_back(descriptors(page, space.flags));
            break;
        case PageType::ExtentDescriptors:
            text.push_back(descriptors(page, space.flags));
            break;
        case PageType::TrxSystem:
            if (!space.flags.row_compressed) {  // else the page is too small to be one
                text.push_back(trx_system(page));
            }
            break;
        case PageType::System:
            text.push_back(system_page(page, number, space));
            break;
        case PageType::Blob:
            text.push_back(
                section("blob page header", page,
                        {{"bytes here", 38, Shape::U32}, {"next page", 42, Shape::Page}}));
            break;
        default:
            break;
    }
    return text;
}

}  // namespace redoubt::cli
