/// An allocator for big tables that are read at random: asks the kernel for huge pages, which saves
/// most of the page faults and address translations. Where there are none, memory like any other.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace redoubt::base {

template <class T>
struct HugePageAllocator {
    using value_type = T;  // NOLINT(readability-identifier-naming): the standard's name

    HugePageAllocator() = default;
    template <class U>
    // NOLINTNEXTLINE(google-explicit-constructor): as the standard wants it
    HugePageAllocator(const HugePageAllocator<U>&) {}

    T* allocate(std::size_t count) {
        constexpr std::size_t kHugePage = std::size_t{2} << 20;
        const std::size_t size = (count * sizeof(T) + kHugePage - 1) / kHugePage * kHugePage;
        void* const memory = std::aligned_alloc(kHugePage, size);
        if (memory == nullptr) {
            throw std::bad_alloc();
        }
        ::madvise(memory, size, MADV_HUGEPAGE);  // a hint: no matter if it is refused
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, std::size_t) { std::free(memory); }

    friend bool operator==(const HugePageAllocator&, const HugePageAllocator&) { return true; }
};

}  // namespace redoubt::base
