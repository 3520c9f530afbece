#include "btree/buffered_changes.h"

#include <algorithm>
#include <array>

#include "base/big_endian.h"
#include "btree/page_records.h"
#include "page/change_buffer.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/compare.h"
#include "record/parse.h"

namespace redoubt::btree {
namespace {

using record::Field;
using record::FieldLayout;
using record::RecordLayout;

// Fields of a record, and of the fourth of them: docs/formats/tablespace.md#change-buffer.
constexpr std::size_t kSpace = 0;
constexpr std::size_t kMarker = 1;
constexpr std::size_t kPage = 2;
constexpr std::size_t kMetadata = 3;
constexpr std::size_t kHeadFields = 4;
constexpr std::size_t kMetadataSize = 4;  // bytes: counter, kind, flags
constexpr std::size_t kTypeSize = 6;      // bytes, for each field of the entry
constexpr unsigned kKindMax = 2;

// Of records that are made: docs/formats/records.md.
constexpr unsigned kBigLength = 0x80;
constexpr std::size_t kSmallLengthMax = 127;  // bytes of a field of a big column, in one byte
constexpr std::size_t kShortEndMax = 127;     // bytes of a REDUNDANT record's data

/// A record of the leaf, on the old page or new.
struct Item {
    std::span<const std::byte> bytes;  // header, lengths and data
    std::size_t origin = 0;            // in `bytes`
    bool deleted = false;
    std::vector<Field> fields;
};

/// The first record that is not less than `key`. Where the order is not known: that with its bytes;
/// else the end.
std::vector<Item>::iterator place_of(std::span<const Field> key, const RecordLayout& layout,
                                     std::vector<Item>& items) {
    const bool ordered = std::all_of(
        layout.fields.begin(), layout.fields.end(),
        [](const FieldLayout& field) { return field.type == nullptr || field.type->comparable(); });
    const auto order = [&](const Item& item) {
        return record::compare_keys(layout.fields, item.fields, key);
    };
    if (!ordered) {
        return std::find_if(items.begin(), items.end(),
                            [&](const Item& item) { return order(item) == 0; });
    }
    return std::partition_point(items.begin(), items.end(),
                                [&](const Item& item) { return order(item) < 0; });
}

std::vector<std::byte> compact_record(const RecordLayout& layout, std::span<const Field> fields,
                                      std::size_t& origin) {
    std::vector<std::byte> lengths;  // from the record's origin downwards
    std::vector<std::byte> nulls(layout.null_bytes(fields.size()));
    std::vector<std::byte> data;
    std::size_t null_bit = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const FieldLayout& field = layout.fields[i];
        if (field.nullable) {
            if (fields[i].null) {
                nulls[null_bit / 8] |= std::byte{1} << (null_bit % 8);
            }
            ++null_bit;
        }
        if (fields[i].null) {
            continue;
        }
        const std::uint32_t size = fields[i].size;
        if (field.fixed_size == 0) {
            if (field.big && size > kSmallLengthMax) {
                lengths.push_back(static_cast<std::byte>(kBigLength | size >> 8));
            }
            lengths.push_back(static_cast<std::byte>(size & 0xFF));
        }
        data.insert(data.end(), fields[i].data, fields[i].data + size);
    }
    std::vector<std::byte> made(lengths.rbegin(), lengths.rend());
    made.insert(made.end(), nulls.rbegin(), nulls.rend());
    made.resize(made.size() + record::kCompactHeader);
    origin = made.size();
    made.insert(made.end(), data.begin(), data.end());
    return made;
}

std::vector<std::byte> redundant_record(std::span<const Field> fields, std::size_t& origin) {
    std::vector<std::byte> data;
    for (const Field& field : fields) {
        data.insert(data.end(), field.data, field.data + (field.null ? 0 : field.size));
    }
    const bool short_ends = data.size() <= kShortEndMax;
    const std::size_t width = short_ends ? 1 : 2;
    origin = width * fields.size() + record::kRedundantHeader;
    std::vector<std::byte> made(origin);
    std::size_t end = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        end += fields[i].null ? 0 : fields[i].size;
        std::byte* const at = made.data() + origin - record::kRedundantHeader - width * (i + 1);
        if (short_ends) {
            *at = static_cast<std::byte>(end | (fields[i].null ? 0x80 : 0));
        } else {
            store_be<std::uint16_t>(
                at, static_cast<std::uint16_t>(end | (fields[i].null ? 0x8000 : 0)));
        }
    }
    store_be<std::uint16_t>(
        made.data() + origin - 4,
        static_cast<std::uint16_t>(fields.size() << 1 | (short_ends ? 1U : 0U)));
    made.insert(made.end(), data.begin(), data.end());
    return made;
}

/// Writes the records one behind the other, in order, where the page's heap begins. False: there
/// is no room.
bool write_records(std::span<std::byte> page, bool compact, const std::vector<Item>& items) {
    const std::size_t header = compact ? record::kCompactHeader : record::kRedundantHeader;
    const std::size_t supremum = compact ? record::kCompactSupremum : record::kRedundantSupremum;
    std::size_t before = compact ? record::kCompactInfimum : record::kRedundantInfimum;
    std::size_t end = compact ? record::kCompactHeap : record::kRedundantHeap;
    const auto link = [&](std::size_t from, std::size_t to) {
        store_be<std::uint16_t>(page.data() + from - 2,
                                static_cast<std::uint16_t>(compact ? to - from : to));
    };
    for (const Item& item : items) {
        if (item.bytes.size() > page.size() - page::kTrailerSize - end) {
            return false;
        }
        std::copy(item.bytes.begin(), item.bytes.end(),
                  page.begin() + static_cast<std::ptrdiff_t>(end));
        const std::size_t origin = end + item.origin;
        std::byte& info = page[origin - header];
        info = (info & ~std::byte{record::kDeleteMark}) |
               std::byte{static_cast<unsigned char>(item.deleted ? record::kDeleteMark : 0)};
        link(before, origin);
        before = origin;
        end += item.bytes.size();
    }
    link(before, supremum);
    page::IndexHeaderView::store_heap_top(page, static_cast<std::uint16_t>(end));
    page::IndexHeaderView::store_record_count(page, static_cast<std::uint16_t>(items.size()));
    return true;
}

}  // namespace

Tree change_buffer_tree(std::uint32_t page_size) {
    return {.root = {kSystemSpace, page::kChangeBufferRoot},
            .index_id = page::kChangeBufferIndex,
            .physical_size = page_size,
            .logical_size = page_size};
}

const RecordLayout& change_buffer_layout() {
    static const RecordLayout kLayout = [] {
        RecordLayout made;
        made.compact = false;
        made.clustered = false;
        made.universal = true;
        made.fields = {{.fixed_size = 4, .nullable = false},
                       {.fixed_size = 1, .nullable = false},
                       {.fixed_size = 4, .nullable = false},
                       {.nullable = false}};
        made.key_fields = made.fields.size();
        made.finish();
        return made;
    }();
    return kLayout;
}

Result<BufferedChange> decode_change(std::span<const Field> fields) {
    if (fields.size() <= kHeadFields || fields[kSpace].size != 4 || fields[kMarker].size != 1 ||
        fields[kMarker].data[0] != std::byte{0} || fields[kPage].size != 4) {
        return make_error(ErrorCode::Corruption, "no change of a page's index entry");
    }
    const Field& metadata = fields[kMetadata];
    const std::size_t entry_size = fields.size() - kHeadFields;
    BufferedChange change;
    change.page = {SpaceId{load_be<std::uint32_t>(fields[kSpace].data)},
                   PageNo{load_be<std::uint32_t>(fields[kPage].data)}};
    const std::size_t head = metadata.size % kTypeSize;
    if ((head > 1 && head != kMetadataSize) || metadata.size / kTypeSize != entry_size) {
        return make_error(ErrorCode::Corruption, "a change of {} fields has {} bytes about them",
                          entry_size, metadata.size);
    }
    if (head == kMetadataSize) {
        const auto kind = std::to_integer<unsigned>(metadata.data[2]);
        const auto flags = std::to_integer<unsigned>(metadata.data[3]);
        if (kind > kKindMax || flags > 1) {
            return make_error(ErrorCode::Corruption, "a change of unknown kind {}, flags {}", kind,
                              flags);
        }
        change.kind = static_cast<BufferedChange::Kind>(kind);
        change.compact = flags == 1;
    } else {
        change.compact = head == 1;  // an old server's, which knew inserts only
    }
    change.entry.assign(fields.begin() + kHeadFields, fields.end());
    return change;
}

Result<bool> has_buffered_changes(space::PageSource& source, std::uint32_t page_size) {
    std::vector<std::byte> root(page_size);
    RETURN_IF_ERROR(source.read({kSystemSpace, page::kChangeBufferRoot}, root));
    const page::IndexHeaderView index(root);
    return index.level() > 0 || index.record_count() > 0;
}

BufferedChanges::BufferedChanges(space::PageSource& source, std::uint32_t page_size,
                                 const base::CancelToken* cancel)
    : source_(source),
      reader_(source, change_buffer_tree(page_size), change_buffer_layout(), cancel) {}

Result<bool> BufferedChanges::wait_for(PageId page, std::uint32_t physical_page_size) {
    const PageId bitmap{page.space, page::change_buffer_bitmap_of(page.page, physical_page_size)};
    if (bitmap != bitmap_) {
        bitmap_.page = kNoPage;
        bitmap_page_.resize(physical_page_size);
        RETURN_IF_ERROR(source_.read(bitmap, bitmap_page_));
        bitmap_ = bitmap;
    }
    return page::ChangeBufferBitmapView(bitmap_page_)
        .buffered(page.page.value % physical_page_size);
}

/// The changes of one page into changes_, in order.
Status BufferedChanges::collect(PageId id, const RecordLayout& layout) {
    changes_.clear();
    std::array<std::byte, 9> bytes{};
    store_be<std::uint32_t>(bytes.data(), id.space.value);
    store_be<std::uint32_t>(bytes.data() + 5, id.page.value);
    const std::array<Field, 3> key{Field{.data = bytes.data(), .size = 4},
                                   Field{.data = bytes.data() + 4, .size = 1},
                                   Field{.data = bytes.data() + 5, .size = 4}};
    RETURN_IF_ERROR(reader_.to_key(key, false));
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, reader_.next());
        if (!more) {
            return {};
        }
        auto whole = record::parse_whole_record(reader_.page(), reader_.origin(), reader_.layout(),
                                                false, fields_);
        if (!whole) {
            return std::move(whole.error()).with_page(reader_.page_id());
        }
        auto change = decode_change(fields_);
        if (!change) {
            return std::move(change.error()).with_page(reader_.page_id());
        }
        if (change->page != id) {
            return {};
        }
        if ((reader_.info() & record::kDeleteMark) != 0) {
            continue;  // it was made already
        }
        if (change->entry.size() != layout.fields.size() || change->compact != layout.compact) {
            return corruption(reader_.page_id(),
                              "a change of page {} of space {} is none of its "
                              "index",
                              id.page.value, id.space.value);
        }
        for (std::size_t i = 0; i < change->entry.size(); ++i) {
            const std::size_t fixed = layout.fields[i].fixed_size;
            const bool null = change->entry[i].null;
            if (null ? !layout.fields[i].nullable : fixed != 0 && change->entry[i].size != fixed) {
                return corruption(reader_.page_id(),
                                  "field {} of a change of page {} of space {} "
                                  "does not fit the index",
                                  i + 1, id.page.value, id.space.value);
            }
        }
        Change& kept = changes_.emplace_back(
            Change{.kind = change->kind, .bytes = {}, .fields = std::move(change->entry)});
        for (const Field& field : kept.fields) {
            kept.bytes.insert(kept.bytes.end(), field.data, field.data + field.size);
        }
        std::size_t at = 0;
        for (Field& field : kept.fields) {
            field.data = kept.bytes.data() + at;
            at += field.size;
        }
    }
}

Status BufferedChanges::make(PageId id, const RecordLayout& layout, std::span<std::byte> page) {
    RETURN_IF_ERROR(collect(id, layout));
    if (changes_.empty()) {
        return {};
    }
    const std::vector<std::byte> old(page.begin(), page.end());
    std::vector<std::uint16_t> origins;
    RETURN_IF_ERROR(
        list_records(old, id, page::IndexHeaderView(old).index_id(), layout.compact, origins));
    std::vector<Item> items;
    for (const std::uint16_t origin : origins) {
        Item& item = items.emplace_back();
        auto extent = record::parse_whole_record(old, origin, layout, false, item.fields);
        if (!extent) {
            return std::move(extent.error()).with_page(id);
        }
        item.bytes = std::span(old).subspan(extent->begin, extent->end - extent->begin);
        item.origin = origin - extent->begin;
        item.deleted = (record::info_bits(old, origin, layout.compact) & record::kDeleteMark) != 0;
    }
    std::vector<std::vector<std::byte>> made;
    made.reserve(changes_.size());
    for (const Change& change : changes_) {
        const auto at = place_of(change.fields, layout, items);
        const bool found = at != items.end() &&
                           record::compare_keys(layout.fields, at->fields, change.fields) == 0;
        switch (change.kind) {
            case BufferedChange::Kind::Insert: {
                Item item;
                item.fields = change.fields;
                made.push_back(layout.compact ? compact_record(layout, item.fields, item.origin)
                                              : redundant_record(item.fields, item.origin));
                item.bytes = made.back();
                if (found) {
                    *at = std::move(item);  // equal ones may differ in their bytes
                } else {
                    items.insert(at, std::move(item));
                }
                break;
            }
            case BufferedChange::Kind::DeleteMark:
                if (found) {
                    at->deleted = true;
                }
                break;
            case BufferedChange::Kind::Delete:
                if (found && at->deleted && items.size() > 1) {  // as the server does
                    items.erase(at);
                }
                break;
        }
    }
    if (!write_records(page, layout.compact, items)) {
        return corruption(id, "the changes that wait for it in the change buffer do not fit");
    }
    return {};
}

}  // namespace redoubt::btree
