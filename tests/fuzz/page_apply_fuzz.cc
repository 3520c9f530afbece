// Applies arbitrary records to an arbitrary page. Input: page size as a power of two, options, page
// number, two lengths, that many bytes for the front and the end of the page, then records: type
// (low nibble) and same-page bit, length, body.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "page/header.h"
#include "recovery/index_apply.h"
#include "recovery/page_apply.h"

namespace {

using namespace redoubt;

class Input {
public:
    explicit Input(std::span<const std::byte> bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    std::span<const std::byte> take(std::size_t count) {
        const auto taken = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(taken.size());
        return taken;
    }
    std::size_t number() {
        const auto taken = take(1);
        return taken.empty() ? 0 : std::to_integer<std::size_t>(taken[0]);
    }

private:
    std::span<const std::byte> bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input(std::as_bytes(std::span(data, size)));
    std::vector<std::byte> page(std::size_t{1024} << input.number() % 7);
    const std::size_t options = input.number();
    const PageId id{SpaceId{7}, PageNo{static_cast<std::uint32_t>(input.number())}};
    page::initialise(page, id);
    if ((options & 2) != 0) {
        recovery::initialise_index(page, (options & 4) != 0);
    }
    const std::size_t front = input.number() * 4;
    const std::size_t back = input.number();
    for (std::size_t at = 24; const std::byte byte : input.take(front)) {
        page[at++ % page.size()] = byte;
    }
    for (std::size_t at = page.size(); const std::byte byte : input.take(back)) {
        page[--at] = byte;
    }
    recovery::PageApplier applier(id, page, (options & 1) != 0);
    while (!input.empty()) {
        const std::size_t type = input.number();
        redo::Record record{};
        record.type = static_cast<redo::RecordType>((type & 15) % 14);
        record.same_page = (type & 128) != 0;
        record.page = id;
        record.body = input.take(input.number());
        if (!applier.apply(record) && (options & 8) != 0) {
            break;
        }
    }
    return 0;
}
