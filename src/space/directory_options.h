/// What every piece of work on a data directory or a backup is told.
#pragma once

#include <cstdint>

#include "base/cancel.h"
#include "base/progress.h"
#include "crypt/keys.h"
#include "page/checksum.h"
#include "space/layout.h"

namespace redoubt::space {

struct DirectoryOptions {
    LayoutOptions layout;
    bool layout_given = false;             ///< else it is found in the directory
    const crypt::KeyRing* keys = nullptr;  ///< null = none given
    unsigned threads = 1;
    std::uint64_t memory = std::uint64_t{128} << 20;  ///< bytes for indexes and buffers
    page::Strictness strictness = page::Strictness::AnyKnown;
    base::Progress* progress = nullptr;
    const base::CancelToken* cancel = nullptr;
};

}  // namespace redoubt::space
