/// A buffer that storage can be read into without a detour.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

namespace redoubt::io {

/// What O_DIRECT asks of offsets, lengths and addresses on all devices in use, bytes.
constexpr std::size_t kDirectAlignment = 4096;

class AlignedBytes {
public:
    AlignedBytes() = default;
    /// Not initialised. `size`: a multiple of kDirectAlignment.
    explicit AlignedBytes(std::size_t size)
        : data_(static_cast<std::byte*>(std::aligned_alloc(kDirectAlignment, size))), size_(size) {
        if (data_ == nullptr) {
            throw std::bad_alloc();
        }
    }
    std::span<std::byte> bytes() const { return {data_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* data) const { std::free(data); }
    };
    std::unique_ptr<std::byte, Free> data_;
    std::size_t size_ = 0;
};

}  // namespace redoubt::io
