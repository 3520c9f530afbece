/// Keys of records, apart from the pages they are on.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "record/layout.h"

namespace redoubt::record {

/// Whether every field that tells records apart is compared as the server does.
bool keys_are_ordered(const RecordLayout& layout);

/// A key on its own memory.
struct KeptKey {
    std::vector<std::byte> bytes;
    std::vector<Field> fields;  ///< view `bytes`
    bool known = false;

    KeptKey() = default;
    KeptKey(KeptKey&&) = default;
    KeptKey& operator=(KeptKey&&) = default;
    KeptKey(const KeptKey&) = delete;
    KeptKey& operator=(const KeptKey&) = delete;
    ~KeptKey() = default;

    void assign(std::span<const Field> from);
};

}  // namespace redoubt::record
