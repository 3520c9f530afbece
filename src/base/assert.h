/// Assertions are for our own mistakes, never for bytes from outside (those give an `Error`).
#pragma once

namespace redoubt {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

/// Cheap; in every build.
#define REDOUBT_ASSERT(condition)           \
    (static_cast<bool>(condition) ? void(0) \
                                  : ::redoubt::assertion_failed(#condition, __FILE__, __LINE__))

/// May be a costly walk; debug and test builds only.
#ifdef NDEBUG
#define REDOUBT_DEBUG_ASSERT(condition) static_cast<void>(0)
#else
#define REDOUBT_DEBUG_ASSERT(condition) REDOUBT_ASSERT(condition)
#endif
