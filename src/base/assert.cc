#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace redoubt {
void assertion_failed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "internal error: assertion failed: %s at %s:%d\n", condition, file, line);
    std::abort();
}
}  // namespace redoubt
