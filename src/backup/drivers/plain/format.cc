#include "backup/drivers/plain/format.h"

namespace redoubt::backup::plain {

Status IndexHeaderView::validate() const {
    constexpr std::uint32_t kMagic = 0xfefe0701;
    if (Magic::get(bytes_) != kMagic) {
        return make_error(ErrorCode::Corruption, "this is no MyISAM index: it begins with {:08x}",
                          Magic::get(bytes_));
    }
    return {};
}

}  // namespace redoubt::backup::plain
