// A .frm decoded, its columns typed, its statement printed.
#include <cstdint>
#include <span>

#include "dict/frm.h"
#include "dict/show_create.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace redoubt;
    const auto frm = dict::decode_frm(std::as_bytes(std::span(data, size)));
    if (frm) {
        for (const dict::FrmField& field : frm->fields) {
            static_cast<void>(dict::column_type(field));
        }
        static_cast<void>(dict::show_create("t", *frm, {}));
    }
    return 0;
}
