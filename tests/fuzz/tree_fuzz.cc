// A walk through a tree of any bytes, forth and back, and through off-page columns; its check.
// Input: a byte of choices, then the pages of the space, which are read as they are, round and
// round.
#include <algorithm>
#include <cstdint>
#include <span>

#include "base/big_endian.h"
#include "btree/blob.h"
#include "btree/tree.h"
#include "fuzz/input_pages.h"
#include "verify/tree_check.h"

namespace {

using namespace redoubt;

constexpr std::uint32_t kPages = 300;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    const auto input = std::as_bytes(std::span(data, size)).subspan(1);
    const bool compressed = (data[0] & 2) != 0;
    const std::uint32_t physical = compressed ? 2048 : 4096;
    fuzz::InputPages pages(input, physical, kPages);
    record::RecordLayout layout;
    layout.compact = (data[0] & 1) != 0;
    layout.fields = {{.fixed_size = 4, .nullable = false}, {.big = true}, {.fixed_size = 6}};
    layout.key_fields = 1;
    layout.finish();
    const std::uint64_t index_id =
        input.size() >= 74 ? load_be<std::uint64_t>(input.data() + 66) : 0;
    const btree::Tree tree{.root = {SpaceId{1}, PageNo{0}},
                           .index_id = index_id,
                           .physical_size = physical,
                           .logical_size = compressed ? 16384U : 4096U,
                           .row_compressed = compressed};
    btree::TreeReader reader(pages, tree, layout);
    if ((data[0] & 4) != 0) {
        reader.allow_read_ahead();
    }
    btree::BlobReader blobs(pages, SpaceId{1}, physical, compressed);
    std::vector<record::Field> fields(layout.fields.size());
    std::string value;
    for (const bool forward : {true, false}) {
        std::vector<btree::PassedPage> passed;
        const Status placed = forward ? reader.to_first() : reader.to_last();
        if (!placed && !reader.skip_damage(forward, placed.error(), passed)) {
            continue;
        }
        for (int rows = 0; rows < 3000; ++rows) {
            const auto more = forward ? reader.next() : reader.previous();
            if (!more) {
                if (!reader.skip_damage(forward, more.error(), passed)) {
                    break;
                }
            } else if (!*more) {
                break;
            } else if (reader.parse(fields.size(), fields) && fields[1].external &&
                       value.size() < 100000) {
                static_cast<void>(blobs.append(fields[1].bytes().last(20), value, 10000));
                static_cast<void>(reader.to_key(std::span(fields).first(1), forward));
            }
        }
    }
    verify::SpaceUse use(nullptr, kPages, page::TablespaceFlags{});
    static_cast<void>(verify::TreeChecker(
                          pages, tree, layout, use, [](const verify::TreeProblem&) {}, nullptr)
                          .run());
    return 0;
}
