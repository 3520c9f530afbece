// Map of this file: Work::run() is the order of it. What a stored page lacks comes from four
// places: the zlib stream (inflate_*), the modification log behind it (apply_log), the columns kept
// uncompressed at the end (fill_columns), and the dense directory (link_records).
#include "btree/row_compressed.h"

#include <algorithm>
#include <cstring>

#include "btree/inflater.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/layout.h"
#include "record/parse.h"

namespace redoubt::btree {
namespace {

constexpr std::size_t kStreamStart = 94;
constexpr std::size_t kHeap = record::kCompactHeap;
constexpr std::size_t kHeader = record::kCompactHeader;
constexpr std::size_t kInfimum = record::kCompactInfimum;
constexpr std::size_t kSupremum = record::kCompactSupremum;
constexpr std::size_t kSystemSize = record::kTrxIdSize + record::kRollPtrSize;
constexpr std::size_t kReference = record::kReferenceSize;
constexpr std::size_t kChildSize = 4;
constexpr std::size_t kInfoMax = 4096;  // bytes; two for each of 1023 fields are less

constexpr unsigned kOriginMask = 0x3FFF;  // of a dense directory entry
constexpr unsigned kOwner = 0x4000;
constexpr unsigned kDeleted = 0x8000;

unsigned byte_at(std::span<const std::byte> bytes, std::size_t at) {
    return std::to_integer<unsigned>(bytes[at]);
}

}  // namespace

struct PageExpander::Work {
    PageExpander& self;
    std::span<const std::byte> stored;
    PageId id;
    std::span<std::byte> page;

    Inflater inflater = {};
    std::size_t dense_count = 0;
    std::size_t dense = 0;  // where the dense directory begins in `stored`
    std::size_t heap_top = 0;
    std::size_t trx_field = SIZE_MAX;  // of a clustered leaf: position in self.fields_
    std::size_t null_bytes = 0;
    bool leaf = false;
    bool ended = false;  // the stream

    /// Data of one record, in parts of which some are not in stream or log.
    struct Part {
        std::size_t size = 0;
        bool kept = false;  // at the end of the page: a system column pair, reference or child
    };

    Error damaged(std::string_view what) const {
        return corruption(id, "a compressed page cannot be expanded: {}", what);
    }

    Status run() {
        RETURN_IF_ERROR(read_frame());
        if (dense_count == 0 && heap_top == kHeap) {
            link_records();
            return {};
        }
        RETURN_IF_ERROR(inflate_field_list());
        RETURN_IF_ERROR(inflate_records());
        RETURN_IF_ERROR(apply_log());
        RETURN_IF_ERROR(fill_columns());
        link_records();
        return {};
    }

    /// Header, directory sizes, and every record's place.
    Status read_frame() {
        if (stored.size() < 1024 || page.size() < stored.size() || page.size() > 16384) {
            return damaged("its size");
        }
        std::fill(page.begin(), page.end(), std::byte{0});
        std::copy_n(stored.begin(), kStreamStart, page.begin());
        const page::HeaderView header(page);
        if (header.type() != static_cast<std::uint16_t>(page::PageType::Index) &&
            header.type() != static_cast<std::uint16_t>(page::PageType::RTree)) {
            return corruption(id, "not an index page: {}", page::type_name(header.type()));
        }
        const page::IndexHeaderView index(page);
        leaf = index.level() == 0;
        heap_top = index.heap_top();
        const std::size_t heap_count = index.heap_count();
        if (heap_count < 2 || !index.compact() || heap_top < kHeap ||
            heap_top > page.size() - page::kTrailerSize) {
            return damaged("its header");
        }
        dense_count = heap_count - 2;
        if (2 * dense_count > stored.size() - kStreamStart || index.record_count() > dense_count) {
            return damaged("its directory is too long");
        }
        dense = stored.size() - 2 * dense_count;
        self.by_address_.clear();
        for (std::size_t i = 0; i < dense_count; ++i) {
            self.by_address_.push_back(static_cast<std::uint16_t>(entry(i) & kOriginMask));
        }
        std::sort(self.by_address_.begin(), self.by_address_.end());
        std::size_t least = kHeap + kHeader;
        for (const std::uint16_t origin : self.by_address_) {
            if (origin < least || origin > heap_top) {
                return damaged("its directory");
            }
            least = origin + std::size_t{1};
        }
        return {};
    }

    unsigned entry(std::size_t i) const {
        return load_be<std::uint16_t>(stored.data() + stored.size() - 2 * (i + 1));
    }

    /// The first block of the stream: what the fields are, so that records can be taken apart.
    Status inflate_field_list() {
        if (!inflater.ready()) {
            return make_error(ErrorCode::Internal, "zlib does not start");
        }
        z_stream& stream = inflater.stream();
        // zlib takes what it does not change as non-const
        stream.next_in = static_cast<Bytef*>(
            const_cast<void*>(static_cast<const void*>(stored.data() + kStreamStart)));
        stream.avail_in = static_cast<uInt>(dense - kStreamStart);
        self.scratch_.resize(kInfoMax);
        stream.next_out = static_cast<Bytef*>(static_cast<void*>(self.scratch_.data()));
        stream.avail_out = kInfoMax;
        for (int call = 0; call < 2; ++call) {  // stops behind the head, then behind the block
            if (inflate(&stream, Z_BLOCK) != Z_OK) {
                return damaged("its stream does not begin");
            }
        }
        return parse_field_list(std::span(self.scratch_).first(kInfoMax - stream.avail_out));
    }

    Status parse_field_list(std::span<const std::byte> info) {
        std::vector<unsigned> values;
        for (std::size_t at = 0; at < info.size(); ++at) {
            unsigned value = byte_at(info, at);
            const bool long_form = (value & 0x80) != 0;
            if (long_form) {
                if (++at == info.size()) {
                    return damaged("its field list");
                }
                value = ((value & 0x7F) << 8) | byte_at(info, at);
            }
            values.push_back(long_form ? value | 0x10000 : value);
        }
        if (values.size() < 2) {
            return damaged("its field list");
        }
        const std::size_t last = values.back() & 0xFFFF;
        values.pop_back();
        self.fields_.clear();
        std::size_t nullable = 0;
        for (const unsigned raw : values) {
            const bool long_form = (raw & 0x10000) != 0;
            const unsigned value = raw & 0xFFFF;
            Field field{.nullable = (value & 1) == 0};
            if (long_form || (value >> 1) != 0) {
                field.big = !long_form && (value >> 1) == 63;
                field.fixed_size = field.big ? 0 : value >> 1;
            }
            nullable += field.nullable ? 1 : 0;
            self.fields_.push_back(field);
        }
        if (leaf) {
            trx_field = last == 0 ? SIZE_MAX : last;
            if (last >= self.fields_.size() ||
                (last != 0 && self.fields_[last].fixed_size < kSystemSize)) {
                return damaged("its field list");
            }
        } else {
            nullable = last;
        }
        null_bytes = (nullable + 7) / 8;
        return {};
    }

    /// Bytes of the stream to `page` from `begin` to `end`; less where the stream ends.
    Status inflate_to(std::size_t begin, std::size_t end) {
        if (end < begin || end > page.size()) {
            return damaged("its records overlap");
        }
        z_stream& stream = inflater.stream();
        stream.next_out = static_cast<Bytef*>(static_cast<void*>(page.data() + begin));
        stream.avail_out = static_cast<uInt>(end - begin);
        while (!ended && stream.avail_out > 0) {
            const int outcome = inflate(&stream, Z_SYNC_FLUSH);
            if (outcome == Z_STREAM_END) {
                ended = true;
            } else if (outcome != Z_OK) {
                return damaged("its stream");
            }
        }
        return {};
    }

    Status inflate_records() {
        std::size_t at = kHeap;
        for (std::size_t k = 0; k < self.by_address_.size(); ++k) {
            const std::size_t origin = self.by_address_[k];
            RETURN_IF_ERROR(inflate_to(at, origin - kHeader));
            if (ended) {
                break;  // records that are younger follow in the log
            }
            set_header(k);
            at = origin;
            if (leaf && trx_field == SIZE_MAX) {
                continue;
            }
            RETURN_IF_ERROR(for_parts(origin, [&](std::size_t part, const Part& what) -> Status {
                at = part + what.size;
                return what.kept ? ok_status() : inflate_to(part, at);
            }));
        }
        if (!ended) {
            RETURN_IF_ERROR(inflate_to(at, std::max(heap_top, at)));
        }
        return finish_stream();
    }

    /// The stream's own checksum lies between its last bytes and the log.
    Status finish_stream() {
        z_stream& stream = inflater.stream();
        std::byte nothing{};
        while (!ended) {
            stream.next_out = static_cast<Bytef*>(static_cast<void*>(&nothing));
            stream.avail_out = 1;
            if (inflate(&stream, Z_FINISH) != Z_STREAM_END) {
                return damaged("its stream is too long");
            }
            ended = true;
        }
        return {};
    }

    void set_header(std::size_t k) {
        const std::size_t origin = self.by_address_[k];
        store_be<std::uint16_t>(page.data() + origin - 4,
                                static_cast<std::uint16_t>(((k + 2) << 3) | (leaf ? 0 : 1)));
    }

    /// Calls `visit(offset, part)` for the parts of the data of a record whose lengths are on
    /// `page` already.
    template <class Visit>
    Status for_parts(std::size_t origin, Visit&& visit) {
        const std::size_t bitmap = origin - kHeader;
        if (bitmap < kHeap + null_bytes) {
            return damaged("a record's header");
        }
        std::size_t lengths = bitmap - null_bytes;
        std::size_t null_bit = 0;
        std::size_t at = origin;
        const auto part = [&](std::size_t size, bool kept) -> Status {
            if (size > page.size() - page::kTrailerSize - at) {
                return damaged("a record reaches out of the page");
            }
            RETURN_IF_ERROR(visit(at, Part{size, kept}));
            at += size;
            return {};
        };
        for (std::size_t i = 0; i < self.fields_.size(); ++i) {
            const Field& field = self.fields_[i];
            if (field.nullable && null_bit / 8 < null_bytes) {
                const unsigned bits = byte_at(page, bitmap - 1 - null_bit / 8);
                const bool null = ((bits >> (null_bit % 8)) & 1) != 0;
                ++null_bit;
                if (null) {
                    continue;
                }
            }
            std::size_t size = field.fixed_size;
            bool external = false;
            if (size == 0) {
                if (lengths <= kHeap) {
                    return damaged("a record's lengths");
                }
                size = byte_at(page, --lengths);
                if (field.big && (size & 0x80) != 0) {
                    if (lengths <= kHeap) {
                        return damaged("a record's lengths");
                    }
                    external = (size & 0x40) != 0;
                    size = ((size & 0x3F) << 8) | byte_at(page, --lengths);
                }
            }
            if (i == trx_field) {
                RETURN_IF_ERROR(part(kSystemSize, true));
                size -= kSystemSize;
            }
            if (external && (!leaf || trx_field == SIZE_MAX || size < kReference)) {
                return damaged("an off-page column where none can be");
            }
            RETURN_IF_ERROR(part(size - (external ? kReference : 0), false));
            if (external) {
                RETURN_IF_ERROR(part(kReference, true));
            }
        }
        return leaf ? ok_status() : part(kChildSize, true);
    }

    /// Reads the modification log.
    class Log {
    public:
        explicit Log(std::span<const std::byte> bytes) : bytes_(bytes) {}
        bool take(unsigned& value) {
            if (at_ >= bytes_.size()) {
                return false;
            }
            value = byte_at(bytes_, at_++);
            return true;
        }
        bool copy(std::span<std::byte> to) {
            if (to.size() > bytes_.size() - at_) {
                return false;
            }
            std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), to.size(), to.begin());
            at_ += to.size();
            return true;
        }

    private:
        std::span<const std::byte> bytes_;
        std::size_t at_ = 0;
    };

    Status apply_log() {
        const std::size_t begin = dense - inflater.stream().avail_in;
        Log log(stored.subspan(begin, dense - begin));
        for (unsigned head = 0; log.take(head) && head != 0;) {
            if ((head & 0x80) != 0) {
                unsigned low = 0;
                if (!log.take(low)) {
                    return damaged("its log");
                }
                head = ((head & 0x7F) << 8) | low;
            }
            const std::size_t k = (head >> 1) - std::size_t{1};
            if (head < 2 || k >= self.by_address_.size()) {
                return damaged("its log names no record");
            }
            const std::size_t origin = self.by_address_[k];
            set_header(k);
            if ((head & 1) != 0) {
                RETURN_IF_ERROR(for_parts(origin, [&](std::size_t at, const Part& part) {
                    std::fill_n(page.begin() + static_cast<std::ptrdiff_t>(at), part.size,
                                std::byte{0});
                    return ok_status();
                }));
                continue;
            }
            RETURN_IF_ERROR(take_lengths(log, origin));
            RETURN_IF_ERROR(for_parts(origin, [&](std::size_t at, const Part& part) -> Status {
                if (!part.kept && !log.copy(page.subspan(at, part.size))) {
                    return damaged("its log ends in a record");
                }
                return {};
            }));
        }
        return {};
    }

    /// Null bitmap and lengths of a logged record, from the origin downwards.
    Status take_lengths(Log& log, std::size_t origin) {
        std::size_t at = origin - kHeader;
        const auto take = [&](unsigned& value) {
            if (at <= kHeap || !log.take(value)) {
                return false;
            }
            page[--at] = static_cast<std::byte>(value);
            return true;
        };
        unsigned value = 0;
        for (std::size_t i = 0; i < null_bytes; ++i) {
            if (!take(value)) {
                return damaged("its log ends in a null bitmap");
            }
        }
        std::size_t null_bit = 0;
        for (const Field& field : self.fields_) {
            if (field.nullable && null_bit / 8 < null_bytes) {
                const unsigned bits = byte_at(page, origin - kHeader - 1 - null_bit / 8);
                const bool null = ((bits >> (null_bit % 8)) & 1) != 0;
                ++null_bit;
                if (null) {
                    continue;
                }
            }
            if (field.fixed_size == 0 &&
                (!take(value) || (field.big && (value & 0x80) != 0 && !take(value)))) {
                return damaged("its log ends in a record's lengths");
            }
        }
        return {};
    }

    /// What is kept uncompressed before the directory.
    Status fill_columns() {
        if (leaf && trx_field == SIZE_MAX) {
            return {};
        }
        std::vector<std::uint16_t> freed;
        for (std::size_t i = page::IndexHeaderView(page).record_count(); i < dense_count; ++i) {
            freed.push_back(static_cast<std::uint16_t>(entry(i) & kOriginMask));
        }
        std::sort(freed.begin(), freed.end());
        const std::size_t width = leaf ? kSystemSize : kChildSize;
        if (width * dense_count > dense - kStreamStart) {
            return damaged("its uncompressed columns");
        }
        std::size_t references = dense - width * dense_count;
        for (std::size_t k = 0; k < self.by_address_.size(); ++k) {
            const std::uint16_t origin = self.by_address_[k];
            if (std::binary_search(freed.begin(), freed.end(), origin)) {
                continue;
            }
            bool first = true;  // the system columns come before any reference
            RETURN_IF_ERROR(for_parts(origin, [&](std::size_t at, const Part& part) -> Status {
                if (!part.kept) {
                    return {};
                }
                std::size_t from = dense - width * (k + 1);
                if (!first) {
                    if (references < kStreamStart + kReference) {
                        return damaged("its off-page columns");
                    }
                    references -= kReference;
                    from = references;
                }
                first = false;
                std::copy_n(stored.begin() + static_cast<std::ptrdiff_t>(from), part.size,
                            page.begin() + static_cast<std::ptrdiff_t>(at));
                return {};
            }));
        }
        return {};
    }

    void link(std::size_t from, std::size_t to) {
        store_be<std::uint16_t>(page.data() + from - 2,
                                to == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(to - from));
    }

    /// Infimum, supremum, the lists, their owners and the directory.
    void link_records() {
        static constexpr std::string_view kFirst{"\x01\x00\x02\x00\x00infimum\x00", 13};
        static constexpr std::string_view kLast{"\x01\x00\x0b\x00\x00supremum", 13};
        std::memcpy(page.data() + kStreamStart, kFirst.data(), kFirst.size());
        std::memcpy(page.data() + kStreamStart + kFirst.size(), kLast.data(), kLast.size());
        const std::size_t count = page::IndexHeaderView(page).record_count();
        std::size_t previous = kInfimum;
        std::size_t slot = page.size() - page::kTrailerSize;
        const auto add_slot = [&](std::size_t origin) {
            slot -= 2;
            if (slot > heap_top) {
                store_be<std::uint16_t>(page.data() + slot, static_cast<std::uint16_t>(origin));
            }
        };
        add_slot(kInfimum);
        unsigned owned = 1;
        for (std::size_t i = 0; i < count; ++i, ++owned) {
            const unsigned raw = entry(i);
            const std::size_t origin = raw & kOriginMask;
            unsigned info = (raw & kDeleted) != 0 ? record::kDeleteMark : 0;
            if (i == 0 && !leaf && page::HeaderView(page).previous() == kNoPage) {
                info |= record::kMinimumRecord;
            }
            if ((raw & kOwner) != 0) {
                info |= owned & 0xF;
                owned = 0;
                add_slot(origin);
            }
            page[origin - kHeader] = static_cast<std::byte>(info);
            link(previous, origin);
            previous = origin;
        }
        link(previous, kSupremum);
        page[kSupremum - kHeader] = static_cast<std::byte>(owned & 0xF);
        add_slot(kSupremum);
        previous = 0;
        for (std::size_t i = count; i < dense_count; ++i) {
            const std::size_t origin = entry(i) & kOriginMask;
            page[origin - kHeader] = std::byte{0};
            link(origin, 0);
            if (previous != 0) {
                link(previous, origin);
            }
            previous = origin;
        }
    }
};

Status PageExpander::expand(std::span<const std::byte> stored, PageId id,
                            std::span<std::byte> page) {
    Work work{.self = *this, .stored = stored, .id = id, .page = page};
    return work.run();
}

}  // namespace redoubt::btree
