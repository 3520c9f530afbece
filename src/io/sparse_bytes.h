/// The bytes of a file, in chunks that copies share until one of them writes, and with holes. A
/// simulated disk holds each file twice or more (now, durable, before) and is copied by the
/// thousand: only what differs takes memory. Invariants:
///   S1  Bytes from `size()` on, and those of blocks that are not allocated, are zeros.
///   S2  `allocated_size()` is the sum over the chunks of their allocated blocks.
/// Threading: an object and all its copies belong to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace redoubt::io {

class SparseBytes {
public:
    static constexpr std::uint64_t kBlockSize = 4096;  ///< unit of allocation

    std::uint64_t size() const { return size_; }
    std::uint64_t allocated_size() const { return allocated_size_; }

    /// Fills `out`; what lies beyond `size()` reads as zeros.
    void read(std::uint64_t offset, std::span<std::byte> out) const;
    /// Extends to the end of `data` if need be.
    void write(std::uint64_t offset, std::span<const std::byte> data);
    /// Zeros within `size()`; blocks covered whole become holes.
    void zero(std::uint64_t offset, std::uint64_t length);
    /// Grows with a hole.
    void resize(std::uint64_t size);
    /// How many of `length` bytes can be written from `offset` on before more than `space` bytes
    /// of new blocks are needed.
    std::uint64_t fitting(std::uint64_t offset, std::uint64_t length, std::uint64_t space) const;

private:
    static constexpr std::uint64_t kChunkSize = 16384;
    static constexpr std::uint64_t kBlocksPerChunk = kChunkSize / kBlockSize;
    struct Chunk {
        std::array<std::byte, kChunkSize> bytes{};
        std::array<bool, kBlocksPerChunk> allocated{};
    };

    bool is_allocated(std::uint64_t offset) const;
    /// The chunk to write to: made or copied when it is absent or shared.
    Chunk& own_chunk(std::uint64_t index);

    std::uint64_t size_ = 0;
    std::uint64_t allocated_size_ = 0;
    /// Shared with copies of this object; nullptr, and whatever lies beyond the end: a hole.
    std::vector<std::shared_ptr<Chunk>> chunks_;
};

}  // namespace redoubt::io
