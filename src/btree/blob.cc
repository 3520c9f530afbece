#include "btree/blob.h"

#include <algorithm>

#include "btree/inflater.h"
#include "page/blob_page.h"
#include "page/header.h"
#include "record/layout.h"

namespace redoubt::btree {
namespace {

constexpr std::uint32_t kPlainOffset = page::kHeaderSize;
constexpr std::uint32_t kLinkOffset = 12;  // of the page header's link: compressed chains

std::uint16_t type_of(page::PageType type) { return static_cast<std::uint16_t>(type); }

}  // namespace

struct BlobReader::Reference {
    PageId first;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;  // bytes; the high half holds flags only
};

/// What becomes of a chain that is read.
struct BlobReader::Sink {
    std::string* out = nullptr;                            // gets the value
    const std::function<bool(PageNo)>* on_page = nullptr;  // and to its end, if not null
    void take(const void* data, std::size_t size) const {
        if (out != nullptr) {
            out->append(static_cast<const char*>(data), size);
        }
    }
    /// Whether to go on.
    bool see(PageNo page) const { return on_page == nullptr || (*on_page)(page); }
    /// Behind the last byte that was wanted.
    Status end(PageId last, PageNo next, std::size_t left_over) const {
        if (on_page != nullptr && left_over != 0) {
            return corruption(last, "an off-page column has {} bytes more than its row says",
                              left_over);
        }
        if (on_page != nullptr && next != kNoPage) {
            return corruption(last, "an off-page column ends here, its chain goes on to page {}",
                              next.value);
        }
        return {};
    }
};

BlobReader::BlobReader(space::PageSource& source, SpaceId space, std::uint32_t physical_size,
                       bool row_compressed)
    : source_(source), space_(space), row_compressed_(row_compressed), page_(physical_size) {}

Status BlobReader::append(std::span<const std::byte> bytes, std::string& out, std::uint64_t limit) {
    ASSIGN_OR_RETURN(const auto reference, parse(bytes));
    if (!reference) {
        return {};
    }
    return read(*reference, std::min<std::uint64_t>(reference->length, limit), {.out = &out});
}

Status BlobReader::check(std::span<const std::byte> bytes,
                         const std::function<bool(PageNo)>& on_page) {
    ASSIGN_OR_RETURN(const auto reference, parse(bytes));
    return reference ? read(*reference, reference->length, {.on_page = &on_page}) : ok_status();
}

Status BlobReader::read(const Reference& from, std::uint64_t wanted, const Sink& sink) {
    return row_compressed_ ? read_compressed(from, wanted, sink) : read_plain(from, wanted, sink);
}

/// nullopt: it was never written.
Result<std::optional<BlobReader::Reference>> BlobReader::parse(
    std::span<const std::byte> bytes) const {
    const auto is_zero = [](std::byte b) { return b == std::byte{0}; };
    if (std::all_of(bytes.begin(), bytes.end(), is_zero)) {
        return std::optional<Reference>();
    }
    const Reference reference{.first = {SpaceId{load_be<std::uint32_t>(bytes.data())},
                                        PageNo{load_be<std::uint32_t>(bytes.data() + 4)}},
                              .offset = load_be<std::uint32_t>(bytes.data() + 8),
                              .length = load_be<std::uint32_t>(bytes.data() + 16)};
    if (reference.first.space != space_) {
        return make_error(ErrorCode::Corruption,
                          "an off-page column is said to be in tablespace {}",
                          reference.first.space.value)
            .with_space(space_);
    }
    return std::optional<Reference>(reference);
}

Status BlobReader::read_plain(const Reference& from, std::uint64_t wanted, const Sink& sink) {
    PageId at = from.first;
    std::uint64_t left = wanted;
    if (from.offset != kPlainOffset) {
        return corruption(at, "an off-page column begins at offset {}", from.offset);
    }
    ASSIGN_OR_RETURN(const std::uint32_t page_count, source_.page_count(space_));
    for (std::uint32_t pages = 0; left > 0; ++pages) {
        if (at.page == kNoPage || pages >= page_count) {
            return corruption(from.first, "an off-page column ends {} bytes early", left);
        }
        RETURN_IF_ERROR(source_.read(at, page_));
        const page::BlobPageView part(page_);
        const std::size_t size = part.data_size();
        if (page::HeaderView(page_).type() != type_of(page::PageType::Blob)) {
            return corruption(at, "not a page of an off-page column: {}",
                              page::type_name(page::HeaderView(page_).type()));
        }
        if (size == 0 || size > page_.size() - page::BlobPageView::kData) {
            return corruption(at, "{} bytes of an off-page column cannot be on this page", size);
        }
        const std::size_t take = static_cast<std::size_t>(std::min<std::uint64_t>(size, left));
        if (!sink.see(at.page)) {
            return {};
        }
        sink.take(page_.data() + page::BlobPageView::kData, take);
        left -= take;
        if (left == 0) {
            return sink.end(at, part.next(), size - take);
        }
        at.page = part.next();
    }
    return {};
}

Status BlobReader::read_compressed(const Reference& from, std::uint64_t wanted, const Sink& sink) {
    if (from.offset != kLinkOffset) {
        return corruption(from.first, "an off-page column begins at offset {}", from.offset);
    }
    Inflater inflater;
    if (!inflater.ready()) {
        return make_error(ErrorCode::Internal, "zlib does not start");
    }
    ASSIGN_OR_RETURN(const std::uint32_t page_count, source_.page_count(space_));
    PageId at = from.first;
    // One byte more than there may be: then the stream must end, maybe on a page of its own.
    const std::uint64_t probe = sink.on_page != nullptr && wanted > 0 ? 1 : 0;
    std::uint64_t left = wanted + probe;
    std::vector<char> buffer(std::min<std::uint64_t>(left, std::uint64_t{64} << 10));
    for (std::uint32_t pages = 0; left > 0; ++pages) {
        if (at.page == kNoPage || pages >= page_count) {
            return corruption(from.first, "an off-page column ends {} bytes early", left - probe);
        }
        RETURN_IF_ERROR(source_.read(at, page_));
        const page::HeaderView header(page_);
        if (header.type() != type_of(pages == 0 ? page::PageType::ZBlob : page::PageType::ZBlob2)) {
            return corruption(at, "not a page of an off-page column: {}",
                              page::type_name(header.type()));
        }
        if (!sink.see(at.page)) {
            return {};
        }
        z_stream& stream = inflater.stream();
        stream.next_in = static_cast<Bytef*>(static_cast<void*>(page_.data() + page::kHeaderSize));
        stream.avail_in = static_cast<uInt>(page_.size() - page::kHeaderSize);
        while (left > 0) {
            stream.next_out = static_cast<Bytef*>(static_cast<void*>(buffer.data()));
            const std::size_t room =
                static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left));
            stream.avail_out = static_cast<uInt>(room);
            const int outcome = inflate(&stream, Z_NO_FLUSH);
            const std::size_t got = room - stream.avail_out;
            sink.take(buffer.data(), got);
            left -= got;
            if (outcome == Z_STREAM_END && left == probe && probe != 0) {
                return sink.end(at, header.next(), 0);
            }
            if (left == 0 || (outcome == Z_OK && stream.avail_in == 0 && stream.avail_out != 0) ||
                (outcome == Z_BUF_ERROR && stream.avail_in == 0)) {
                break;  // the next page goes on
            }
            if (outcome != Z_OK) {
                return corruption(at, "an off-page column cannot be decompressed");
            }
        }
        at.page = header.next();
    }
    return sink.end(from.first, kNoPage, probe);
}

}  // namespace redoubt::btree
