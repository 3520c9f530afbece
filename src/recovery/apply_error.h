/// The two ways a redo record fails to apply. The caller adds the record's name and the page.
#pragma once

#include <utility>

#include "base/error.h"

namespace redoubt::recovery {

/// The record is wrong whatever the page holds.
template <class... Args>
Error malformed(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorCode::Corruption, "malformed record: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

/// The record is well formed, but does not fit what the page holds.
template <class... Args>
Error contradiction(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorCode::Corruption, "the page contradicts the record: {}",
                      fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace redoubt::recovery
