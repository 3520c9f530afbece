// Map of this file: field positions; the two record formats; IndexPage (checks, directory,
// insertion and removal shared by both formats); what differs by format (sizes, insertion);
// dispatch.
#include "recovery/index_apply.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/big_endian.h"
#include "page/header.h"
#include "recovery/apply_error.h"

namespace redoubt::recovery {
namespace {

// Offsets within a page are plain signed integers here: differences of hostile values must compare
// as below zero instead of wrapping around.

// Index page header.
constexpr int kSlotCount = 38;
constexpr int kHeapTop = 40;
constexpr int kHeapCount = 42;  // bit 15: compact
constexpr int kFree = 44;
constexpr int kGarbage = 46;
constexpr int kLastInsert = 48;
constexpr int kDirection = 51;  // low three bits; the rest belongs to instant ALTER
constexpr int kDirectionCount = 52;
constexpr int kRecordCount = 54;
constexpr int kLevel = 64;
constexpr int kData = 94;

constexpr int kCompactBit = 0x8000;
constexpr int kDirectionLeft = 1;
constexpr int kDirectionRight = 2;
constexpr int kDirectionNone = 5;

// A directory slot owns 4..8 records.
constexpr int kOwnedMin = 4;
constexpr int kOwnedMax = 8;

int load16(const std::byte* at) { return load_be<std::uint16_t>(at); }
void store16(std::byte* at, int value) { store_be(at, static_cast<std::uint16_t>(value)); }

int length_of(std::span<const std::byte> bytes) { return static_cast<int>(bytes.size()); }

/// ROW_FORMAT=COMPACT and DYNAMIC (InnoDB: "new"): links are relative.
struct Compact {
    static constexpr int kInfimum = 99;
    static constexpr int kSupremum = 112;
    static constexpr int kHeapBottom = 120;
    static constexpr int kHeader = 5;  ///< fixed bytes before the record origin
    static constexpr bool kIsCompact = true;

    static int next(const std::byte* page, int record) {
        return (record + load16(page + record - 2)) & 0xFFFF;
    }
    static void set_next(std::byte* page, int record, int next) {
        store16(page + record - 2, next - record);
    }
    static int heap_number(const std::byte* page, int record) {
        return load16(page + record - 4) >> 3;
    }
};

/// ROW_FORMAT=REDUNDANT (InnoDB: "old"): links are page offsets, and a record tells its own size.
struct Redundant {
    static constexpr int kInfimum = 101;
    static constexpr int kSupremum = 116;
    static constexpr int kHeapBottom = 125;
    static constexpr int kHeader = 6;
    static constexpr bool kIsCompact = false;
    static constexpr int kFieldCountMax = 1023;

    static int next(const std::byte* page, int record) { return load16(page + record - 2); }
    static void set_next(std::byte* page, int record, int next) {
        store16(page + record - 2, next);
    }
    static int heap_number(const std::byte* page, int record) {
        return load16(page + record - 5) >> 3;
    }
};

/// Reads the operands of one record in order.
class Operands {
public:
    explicit Operands(std::span<const std::byte> bytes) : bytes_(bytes) {}
    /// The next variable-length integer, of at most `length_max` (<= 3) bytes.
    Result<int> integer(std::uint32_t length_max) {
        const redo::Varint varint = redo::read_varint(bytes_);
        if (varint.length == 0 || varint.length > length_max) {
            return malformed("operand is missing or too long");
        }
        bytes_ = bytes_.subspan(varint.length);
        return static_cast<int>(varint.value);
    }
    std::span<const std::byte> rest() const { return bytes_; }

private:
    std::span<const std::byte> bytes_;
};

/// Consecutive records that share a directory slot.
struct Group {
    int owner;  ///< the last of them, which the slot points to
    int owned;  ///< how many they are
    int slot;   ///< page offset of the slot
};

/// Where a new record goes.
struct Place {
    int previous;  ///< record before it, or infimum
    int next;      ///< record after it, or supremum
    Group group;   ///< as it is without the new record
};

struct RecordSize {
    int header;  ///< bytes before the origin
    int data;    ///< bytes from the origin on
};

/// Room for a new record.
struct Room {
    int start;
    int heap_number;
};

template <class Format>
class IndexPage {
public:
    /// Lowest possible origin of a user record.
    static constexpr int kFirstOrigin = Format::kHeapBottom + Format::kHeader;

    explicit IndexPage(std::span<std::byte> page)
        : bytes_(page.data()), size_(static_cast<int>(page.size())) {}

    std::byte* at(int offset) const { return bytes_ + offset; }
    int u16(int offset) const { return load16(bytes_ + offset); }
    void set_u16(int offset, int value) const { store16(bytes_ + offset, value); }
    int heap_top() const { return u16(kHeapTop); }
    int next(int record) const { return Format::next(bytes_, record); }
    int heap_number(int record) const { return Format::heap_number(bytes_, record); }

    /// The header fields that everything below relies on.
    Status check(PageNo number) const {
        if (!page::is_index_type(load_be<std::uint16_t>(bytes_ + page::Header::Type::kOffset))) {
            return contradiction("it is no index page");
        }
        const std::uint32_t found = load_be<std::uint32_t>(bytes_ + page::Header::Number::kOffset);
        if (found != number.value) {
            return contradiction("it carries page number {}", found);
        }
        const int slots = u16(kSlotCount);
        const int heap = u16(kHeapCount);
        if (((heap & kCompactBit) != 0) != Format::kIsCompact) {
            return contradiction("it has the other row format");
        }
        const int heap_count = heap & ~kCompactBit;
        if (slots < 2 || heap_count < slots || heap_count >= size_ / Format::kHeader) {
            return contradiction("{} directory slots for {} records in the heap", slots,
                                 heap_count);
        }
        if (heap_top() < Format::kHeapBottom || heap_top() > last_slot()) {
            return contradiction("heap ends at {}, directory begins at {}", heap_top(),
                                 last_slot());
        }
        if (u16(first_slot()) != Format::kInfimum || u16(last_slot()) != Format::kSupremum ||
            u16(Format::kSupremum - 2) != 0) {
            return contradiction("directory does not run from infimum to supremum");
        }
        return {};
    }

    bool is_record(int offset) const { return offset >= kFirstOrigin && offset <= heap_top(); }
    bool is_successor(int offset) const { return offset == Format::kSupremum || is_record(offset); }

    /// The predecessor that a record names by its distance from infimum.
    Result<int> predecessor(int distance) const {
        const int record = Format::kInfimum + distance;
        if (distance != 0 && !is_record(record)) {
            return contradiction("predecessor at {} is outside the heap", record);
        }
        return record;
    }

    /// The place after `previous`.
    Result<Place> place_after(int previous) const {
        const int successor = next(previous);
        if (!is_successor(successor)) {
            return contradiction("record at {} links to {}", previous, successor);
        }
        ASSIGN_OR_RETURN(const Group group, group_of(successor));
        if (group.owned > kOwnedMax) {
            return contradiction("directory slot owns {} records", group.owned);
        }
        return Place{previous, successor, group};
    }

    /// Room at the end of the heap.
    Result<Room> take_from_heap(RecordSize size) const {
        const Room room{heap_top(), u16(kHeapCount) & ~kCompactBit};
        const int end = room.start + size.header + size.data;
        if (end > last_slot()) {
            return contradiction("no room for a record of {} bytes", size.header + size.data);
        }
        set_u16(kHeapCount, u16(kHeapCount) + 1);
        set_u16(kHeapTop, end);
        return room;
    }

    /// First record of the free list, for a record of `size`.
    Result<int> first_free(RecordSize size) const {
        const int free = u16(kFree);
        if (!is_record(free) || u16(kGarbage) < size.header + size.data) {
            return contradiction("no free record to reuse");
        }
        return free;
    }

    /// Takes `free`, the first record, off the free list.
    Status take_free(int free, RecordSize size) const {
        const int successor = u16(free - 2) == 0 ? 0 : next(free);
        if (successor != 0 && !is_record(successor)) {
            return contradiction("free record at {} links to {}", free, successor);
        }
        set_u16(kFree, successor);
        set_u16(kGarbage, u16(kGarbage) - size.header - size.data);
        return {};
    }

    /// Makes the written record at `record` part of the chain, the directory and the statistics.
    Status link(const Place& place, int record) const {
        Format::set_next(bytes_, record, place.next);
        Format::set_next(bytes_, place.previous, record);
        set_owned(place.group.owner, place.group.owned + 1);
        note_direction(place);
        set_u16(kLastInsert, record);
        set_u16(kRecordCount, u16(kRecordCount) + 1);
        return place.group.owned == kOwnedMax ? split(place.group.slot) : ok_status();
    }

    /// Takes the record after `previous` out of the chain and frees it.
    Status unlink(int previous, int record, RecordSize size) const {
        if (record - size.header < Format::kHeapBottom || record + size.data > heap_top()) {
            return contradiction("record at {} does not fit in the heap", record);
        }
        const int successor = next(record);
        if (!is_successor(successor)) {
            return contradiction("record at {} links to {}", record, successor);
        }
        ASSIGN_OR_RETURN(const Group group, group_of(record));
        int owner = group.owner;
        if (owner == record) {
            owner = previous;
            set_u16(group.slot, owner);
        }
        Format::set_next(bytes_, previous, successor);
        set_owned(owner, group.owned - 1);
        release(record, size);
        return group.owned - 1 < kOwnedMin ? balance(group.slot) : ok_status();
    }

private:
    int first_slot() const { return size_ - 10; }
    /// Of the supremum. Below zero when the slot count is beyond the page.
    int last_slot() const { return size_ - 8 - 2 * u16(kSlotCount); }

    int owned(int record) const { return load_be<std::uint8_t>(at(record - Format::kHeader)) & 15; }
    void set_owned(int record, int count) const {
        const auto info = load_be<std::uint8_t>(at(record - Format::kHeader)) & 0xF0;
        store_be(at(record - Format::kHeader), static_cast<std::uint8_t>(info | count));
    }

    /// The directory group that `record` is in.
    Result<Group> group_of(int record) const {
        int owner = record;
        for (int steps = 0; owned(owner) == 0; ++steps) {
            owner = next(owner);
            if (steps > kOwnedMax || !is_successor(owner)) {
                return contradiction("record at {} has no owner in the directory", record);
            }
        }
        // The infimum's slot, the first, owns only the infimum.
        int slot = last_slot();
        // Eight slots at a time: one at a time, this search was half of what an insertion costs.
        using Slots = std::uint16_t __attribute__((vector_size(16)));
        constexpr int kBlock = sizeof(Slots);
        std::uint16_t as_stored = 0;
        store16(std::as_writable_bytes(std::span(&as_stored, 1)).data(), owner);
        const Slots wanted = Slots{} + as_stored;
        for (; slot + kBlock <= first_slot(); slot += kBlock) {
            Slots slots;
            std::memcpy(&slots, at(slot), kBlock);
            const auto equal = slots == wanted;
            std::array<std::uint64_t, 2> halves{};
            std::memcpy(halves.data(), &equal, kBlock);
            if ((halves[0] | halves[1]) != 0) {
                break;
            }
        }
        for (; slot < first_slot(); slot += 2) {
            if (u16(slot) == owner) {
                return Group{owner, owned(owner), slot};
            }
        }
        return contradiction("record at {} owns others but has no directory slot", owner);
    }

    void note_direction(const Place& place) const {
        // R-tree pages keep the direction. Only the low byte of the type tells.
        if (load_be<std::uint8_t>(at(25)) ==
            (static_cast<std::uint16_t>(page::PageType::RTree) & 0xFF)) {
            return;
        }
        const int last_insert = u16(kLastInsert);
        const int byte = load_be<std::uint8_t>(at(kDirection));
        int direction = kDirectionNone;
        if (last_insert == 0) {
            direction = kDirectionNone;
        } else if (last_insert == place.previous && (byte & 7) != kDirectionLeft) {
            direction = kDirectionRight;
        } else if (last_insert == place.next && (byte & 7) != kDirectionRight) {
            direction = kDirectionLeft;
        }
        store_be(at(kDirection), static_cast<std::uint8_t>((byte & 0xF8) | direction));
        set_u16(kDirectionCount, direction == kDirectionNone ? 0 : u16(kDirectionCount) + 1);
    }

    /// `slot` owns one record too many: its first four get a slot of their own.
    Status split(int slot) const {
        const int last = last_slot();
        if (last - 2 < heap_top()) {
            return contradiction("no room for another directory slot");
        }
        int middle = u16(slot + 2);
        for (int i = 0; i < kOwnedMin; ++i) {
            if (middle != Format::kInfimum && !is_record(middle)) {
                return contradiction("directory group holds a record at {}", middle);
            }
            middle = next(middle);
        }
        if (!is_record(middle)) {
            return contradiction("directory group holds a record at {}", middle);
        }
        const int owner = u16(slot);
        std::memmove(at(last - 2), at(last), static_cast<std::size_t>(slot + 2 - last));
        set_u16(kSlotCount, u16(kSlotCount) + 1);
        set_u16(slot, middle);
        set_owned(middle, kOwnedMin);
        set_owned(owner, kOwnedMax + 1 - kOwnedMin);
        return {};
    }

    /// `slot` owns one record too few: it joins the next slot, or takes that one's first record.
    Status balance(int slot) const {
        const int last = last_slot();
        if (slot == last) {
            return {};  // the supremum's may own any number
        }
        const int above = u16(slot - 2);
        const int owner = u16(slot);
        if (!is_successor(above)) {
            return contradiction("directory slot points to {}", above);
        }
        const int above_owned = owned(above);
        if (above_owned <= kOwnedMin) {
            set_owned(owner, 0);
            set_owned(above, above_owned + kOwnedMin - 1);
            std::memmove(at(last + 2), at(last), static_cast<std::size_t>(slot - last));
            set_u16(last, 0);
            set_u16(kSlotCount, u16(kSlotCount) - 1);
            return {};
        }
        const int borrowed = next(owner);
        if (!is_record(borrowed)) {
            return contradiction("record at {} links to {}", owner, borrowed);
        }
        set_owned(owner, 0);
        set_owned(borrowed, kOwnedMin);
        set_owned(above, above_owned - 1);
        set_u16(slot, borrowed);
        return {};
    }

    /// Returns the bytes of an unlinked record to the heap, or to the free list, and wipes them.
    void release(int record, RecordSize size) const {
        const int heap = u16(kHeapCount) - 1;
        int wiped_from = record;
        if (heap_number(record) == (heap & ~kCompactBit)) {
            // The last of the heap. If it had reused a bigger record, the rest was garbage.
            const int unused = heap_top() - (record + size.data);
            wiped_from = record - size.header;
            set_u16(kHeapTop, wiped_from);
            set_u16(kHeapCount, heap);
            set_u16(kGarbage, u16(kGarbage) - unused);
        } else {
            const int free = u16(kFree);
            if (free == 0) {
                set_u16(record - 2, 0);
            } else {
                Format::set_next(bytes_, record, free);
            }
            set_u16(kFree, record);
            set_u16(kGarbage, u16(kGarbage) + size.header + size.data);
        }
        set_u16(kLastInsert, 0);
        set_u16(kRecordCount, u16(kRecordCount) - 1);
        std::fill(at(wiped_from), at(record + size.data), std::byte{0});
    }

    std::byte* bytes_;
    int size_;
};

/// Data size in a REDUNDANT header: the end of the last field, which the header begins with.
int redundant_data_size(const std::byte* header, bool one_byte_offsets) {
    return one_byte_offsets ? load_be<std::uint8_t>(header) & 0x7F : load16(header) & 0x3FFF;
}

/// What the REDUNDANT record at `record` says of itself, checked to lie within `begin` and the heap
/// top. The header's fixed bytes are known to be in the page.
Result<RecordSize> redundant_size(const IndexPage<Redundant>& page, int record, int begin) {
    const int bits = page.u16(record - 4);
    const int fields = (bits & 0x7FE) >> 1;
    const bool one_byte_offsets = (bits & 1) != 0;
    const int header = Redundant::kHeader + fields * (one_byte_offsets ? 1 : 2);
    if (fields == 0 || record - header < begin) {
        return contradiction("record at {} has {} fields", record, fields);
    }
    const int data = redundant_data_size(page.at(record - header), one_byte_offsets);
    if (record + data > page.heap_top()) {
        return contradiction("record at {} of {} bytes passes the heap's end", record, data);
    }
    return RecordSize{header, data};
}

void copy_within(std::byte* to, const std::byte* from, int count) {
    std::memmove(to, from, static_cast<std::size_t>(count));
}

void copy_in(std::byte* to, std::span<const std::byte> from) {
    std::copy(from.begin(), from.end(), to);
}

/// The data of a new record: what it shares with its predecessor, then its own.
void write_data(std::byte* to, const std::byte* predecessor, int copied,
                std::span<const std::byte> literal) {
    copy_within(to, predecessor, copied);
    copy_in(to + copied, literal);
}

/// Room in the first free record. `shift`: distance of the new record's start from where it would
/// be if its header ended where the free record's does.
Result<Room> reuse_compact(const IndexPage<Compact>& page, RecordSize size, int shift) {
    ASSIGN_OR_RETURN(const int free, page.first_free(size));
    const Room room{free - size.header + shift, page.heap_number(free)};
    if (room.start < Compact::kHeapBottom ||
        room.start + size.header + size.data > page.heap_top()) {
        return contradiction("free record at {} cannot hold the new record", free);
    }
    RETURN_IF_ERROR(page.take_free(free, size));
    return room;
}

Status insert(const IndexPage<Compact>& page, PageNo number, Operands operands, bool reuse) {
    ASSIGN_OR_RETURN(const int distance, operands.integer(3));
    int shift = 0;
    if (reuse) {
        ASSIGN_OR_RETURN(const int encoded, operands.integer(3));
        shift = (encoded & 1) != 0 ? -(encoded >> 1) : encoded >> 1;
    }
    ASSIGN_OR_RETURN(const int bits, operands.integer(3));
    ASSIGN_OR_RETURN(const int copied_header, operands.integer(2));
    ASSIGN_OR_RETURN(const int copied_data, operands.integer(3));
    const std::span<const std::byte> literal = operands.rest();
    const int literal_header = bits >> 3;
    if (literal_header > length_of(literal)) {
        return malformed("header of {} bytes in {}", literal_header, literal.size());
    }
    const RecordSize size{Compact::kHeader + copied_header + literal_header,
                          copied_data + length_of(literal) - literal_header};

    RETURN_IF_ERROR(page.check(number));
    const bool leaf = page.u16(kLevel) == 0;
    const bool instant = (bits & 4) != 0;
    if (instant && !leaf) {
        return contradiction("instant ALTER metadata above the leaf level");
    }
    ASSIGN_OR_RETURN(const int previous, page.predecessor(distance));
    ASSIGN_OR_RETURN(const Place place, page.place_after(previous));
    // The record does not say how long its predecessor is, so this only keeps within the page.
    if (previous - Compact::kHeader < copied_header || previous + copied_data > page.heap_top()) {
        return contradiction("predecessor at {} is shorter than what is copied of it", previous);
    }
    ASSIGN_OR_RETURN(const Room room,
                     reuse ? reuse_compact(page, size, shift) : page.take_from_heap(size));

    std::byte* out = page.at(room.start);
    const auto header_end = static_cast<std::size_t>(literal_header);
    copy_in(out, literal.first(header_end));
    out += literal_header;
    copy_within(out, page.at(previous - Compact::kHeader - copied_header), copied_header);
    out += copied_header;
    store_be(out, static_cast<std::uint8_t>((bits & 3) << 4));
    store16(out + 1, room.heap_number << 3 | (leaf ? bits & 4 : 1));
    write_data(out + Compact::kHeader, page.at(previous), copied_data, literal.subspan(header_end));
    return page.link(place, room.start + size.header);
}

/// Room in the first free record, which starts where the free one did.
Result<Room> reuse_redundant(const IndexPage<Redundant>& page, RecordSize size) {
    ASSIGN_OR_RETURN(const int free, page.first_free(size));
    ASSIGN_OR_RETURN(const RecordSize old, redundant_size(page, free, Redundant::kHeapBottom));
    if (size.header + size.data > old.header + old.data ||
        page.u16(kGarbage) < old.header + old.data) {
        return contradiction("free record at {} cannot hold the new record", free);
    }
    const Room room{free - old.header, page.heap_number(free)};
    RETURN_IF_ERROR(page.take_free(free, size));
    return room;
}

Status insert(const IndexPage<Redundant>& page, PageNo number, Operands operands, bool reuse) {
    ASSIGN_OR_RETURN(const int distance, operands.integer(3));
    ASSIGN_OR_RETURN(const int bits, operands.integer(2));
    ASSIGN_OR_RETURN(const int copied_offsets, operands.integer(2));
    ASSIGN_OR_RETURN(const int copied_data, operands.integer(2));
    const std::span<const std::byte> literal = operands.rest();
    const int fields = (bits >> 3) + 1;
    const bool one_byte_offsets = (bits & 4) != 0;
    const int header_size = Redundant::kHeader + fields * (one_byte_offsets ? 1 : 2);
    // The fixed header is always taken from the predecessor, and its link with it.
    const int copied_header = copied_offsets + Redundant::kHeader;
    const int literal_header = header_size - copied_header;
    if (fields > Redundant::kFieldCountMax || literal_header < 0 ||
        literal_header > length_of(literal)) {
        return malformed("header of {} fields, {} bytes copied", fields, copied_header);
    }

    RETURN_IF_ERROR(page.check(number));
    ASSIGN_OR_RETURN(const int previous, page.predecessor(distance));
    RETURN_IF_ERROR(redundant_size(
        page, previous, previous == Redundant::kInfimum ? kData : Redundant::kHeapBottom));
    if ((copied_offsets != 0 && previous - copied_offsets < Redundant::kHeapBottom) ||
        previous + copied_data > page.heap_top()) {
        return contradiction("predecessor at {} is shorter than what is copied of it", previous);
    }
    ASSIGN_OR_RETURN(const Place place, page.place_after(previous));

    // The new header is made aside: it tells the record's size, and so whether there is room.
    std::array<std::byte, Redundant::kHeader + 2 * Redundant::kFieldCountMax> header;
    const auto header_end = static_cast<std::size_t>(literal_header);
    copy_in(header.data(), literal.first(header_end));
    copy_within(header.data() + literal_header, page.at(previous - copied_header), copied_header);
    const RecordSize size{header_size, redundant_data_size(header.data(), one_byte_offsets)};
    if (copied_data + length_of(literal) - literal_header != size.data) {
        return malformed("record of {} data bytes comes with {} and {} copied", size.data,
                         length_of(literal) - literal_header, copied_data);
    }
    ASSIGN_OR_RETURN(const Room room,
                     reuse ? reuse_redundant(page, size) : page.take_from_heap(size));
    std::byte* fixed = header.data() + header_size - Redundant::kHeader;
    const int shape = fields << 1 | (one_byte_offsets ? 1 : 0);
    store_be(fixed, static_cast<std::uint8_t>((bits & 3) << 4));
    store16(fixed + 1, room.heap_number << 3 | shape >> 8);
    store_be(fixed + 3, static_cast<std::uint8_t>(shape));

    const int record = room.start + header_size;
    copy_in(page.at(room.start), std::span(header).first(static_cast<std::size_t>(header_size)));
    write_data(page.at(record), page.at(previous), copied_data, literal.subspan(header_end));
    return page.link(place, record);
}

template <class Format>
Status remove(const IndexPage<Format>& page, PageNo number, Operands operands) {
    ASSIGN_OR_RETURN(const int distance, operands.integer(3));
    RecordSize size{};
    if constexpr (Format::kIsCompact) {
        ASSIGN_OR_RETURN(const int variable_header, operands.integer(2));
        ASSIGN_OR_RETURN(size.data, operands.integer(3));
        size.header = variable_header + Format::kHeader;
    }
    if (!operands.rest().empty()) {
        return malformed("{} bytes after the operands", operands.rest().size());
    }
    RETURN_IF_ERROR(page.check(number));
    if (page.u16(kRecordCount) == 0) {
        return contradiction("it holds no records");
    }
    ASSIGN_OR_RETURN(const int previous, page.predecessor(distance));
    const int record = page.next(previous);
    if (!page.is_record(record)) {
        return contradiction("record at {} links to {}", previous, record);
    }
    if constexpr (!Format::kIsCompact) {
        ASSIGN_OR_RETURN(size, redundant_size(page, record, Format::kHeapBottom));
    }
    return page.unlink(previous, record, size);
}

template <std::size_t Size>
void place_literal(std::span<std::byte> page, int offset, const char (&text)[Size]) {
    std::memcpy(page.data() + offset, text, Size - 1);  // without the literal's closing NUL
}

}  // namespace

void initialise_index(std::span<std::byte> page, bool compact) {
    const auto zero = [&](int begin, int end) {
        std::fill(page.begin() + begin, page.begin() + end, std::byte{0});
    };
    const int size = static_cast<int>(page.size());
    std::byte* bytes = page.data();
    page::Header::Type::set(page, static_cast<std::uint16_t>(page::PageType::Index));
    zero(kSlotCount, kLevel);
    store16(bytes + kSlotCount, 2);
    store_be(bytes + kDirection, static_cast<std::uint8_t>(kDirectionNone));
    zero(kData, size - 8);
    if (compact) {
        store16(bytes + kHeapCount, kCompactBit | 2);
        store16(bytes + kHeapTop, Compact::kHeapBottom);
        place_literal(page, kData,
                      "\x01\0\x02\0\x0D"
                      "infimum\0");
        place_literal(page, Compact::kSupremum - 5,
                      "\x01\0\x0B\0\0"
                      "supremum");
        store16(bytes + size - 10, Compact::kInfimum);
        store16(bytes + size - 12, Compact::kSupremum);
    } else {
        store16(bytes + kHeapCount, 2);
        store16(bytes + kHeapTop, Redundant::kHeapBottom);
        place_literal(page, kData,
                      "\x08\x01\0\0\x03\0\x74"
                      "infimum\0");
        place_literal(page, Redundant::kSupremum - 7,
                      "\x09\x01\0\x08\x03\0\0"
                      "supremum\0");
        store16(bytes + size - 10, Redundant::kInfimum);
        store16(bytes + size - 12, Redundant::kSupremum);
    }
}

Status apply_index_record(redo::ExtendedType type, PageNo number, std::span<std::byte> page,
                          std::span<const std::byte> operands) {
    using redo::ExtendedType;
    const IndexPage<Compact> compact(page);
    const IndexPage<Redundant> redundant(page);
    const Operands in(operands);
    switch (type) {
        case ExtendedType::InsertHeapDynamic:
            return insert(compact, number, in, /*reuse=*/false);
        case ExtendedType::InsertReuseDynamic:
            return insert(compact, number, in, /*reuse=*/true);
        case ExtendedType::DeleteDynamic:
            return remove(compact, number, in);
        case ExtendedType::InsertHeapRedundant:
            return insert(redundant, number, in, /*reuse=*/false);
        case ExtendedType::InsertReuseRedundant:
            return insert(redundant, number, in, /*reuse=*/true);
        case ExtendedType::DeleteRedundant:
            return remove(redundant, number, in);
        default:
            return make_error(ErrorCode::Internal, "not a record of index pages");
    }
}

}  // namespace redoubt::recovery
