// The records of one mini-transaction from any bytes.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "redo/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace redoubt::redo;
    const auto bytes = std::as_bytes(std::span(data, size));
    RecordReader reader(bytes);
    std::size_t at = 0;
    // Each call moves on or meets the end, malformed records or not.
    for (std::size_t calls = 0; calls <= size + 1; ++calls) {
        auto record = reader.next();
        if (!record) {
            continue;
        }
        if (!*record) {
            return 0;
        }
        const Record& r = **record;
        if (r.offset < at || r.length == 0 || r.length > size - r.offset ||
            r.body.size() >= r.length || record_kind(r) >= kRecordKindCount) {
            std::abort();
        }
        at = r.offset + r.length;
    }
    std::abort();
}
