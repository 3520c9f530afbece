/// Which file a mapped address belongs to: for the handler of SIGBUS, which must tell what could
/// not be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace redoubt::io {

/// A place in a mapped file. `path` is null where no file is mapped; else it stays as long as the
/// mapping does.
struct MappedPlace {
    const char* path = nullptr;
    std::uint64_t offset = 0;  ///< bytes
};

/// Safe to call in a signal handler.
MappedPlace mapped_place(const void* address);

/// Says that `bytes` are the file `path`, for as long as this object lives. Beyond 64 mappings at a
/// time, further ones are not known.
class MappedFile {
public:
    MappedFile(std::span<const std::byte> bytes, const char* path);
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

private:
    std::size_t slot_;
};

}  // namespace redoubt::io
