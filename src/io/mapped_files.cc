#include "io/mapped_files.h"

#include <array>
#include <atomic>

namespace redoubt::io {
namespace {

struct Slot {
    std::atomic<bool> taken;
    std::atomic<const std::byte*> begin;  ///< null: not ready to be looked at
    std::uint64_t length = 0;
    const char* path = nullptr;
};

// Without destructors: a handler may look at any time.
std::array<Slot, 64> slots;

}  // namespace

MappedFile::MappedFile(std::span<const std::byte> bytes, const char* path) : slot_(0) {
    while (slot_ < slots.size() && slots.at(slot_).taken.exchange(true)) {
        ++slot_;
    }
    if (slot_ < slots.size()) {
        Slot& slot = slots.at(slot_);
        slot.length = bytes.size();
        slot.path = path;
        slot.begin = bytes.data();
    }
}

MappedFile::~MappedFile() {
    if (slot_ < slots.size()) {
        slots.at(slot_).begin = nullptr;
        slots.at(slot_).taken = false;
    }
}

MappedPlace mapped_place(const void* address) {
    const auto* at = static_cast<const std::byte*>(address);
    for (const Slot& slot : slots) {
        const std::byte* begin = slot.begin;
        if (begin != nullptr && at >= begin && at < begin + slot.length) {
            return {slot.path, static_cast<std::uint64_t>(at - begin)};
        }
    }
    return {};
}

}  // namespace redoubt::io
