#include "io/sparse_bytes.h"

#include <algorithm>

namespace redoubt::io {

void SparseBytes::read(std::uint64_t offset, std::span<std::byte> out) const {
    while (!out.empty()) {
        const std::uint64_t index = offset / kChunkSize;
        const std::uint64_t begin = offset % kChunkSize;
        const std::size_t n = std::min<std::uint64_t>(out.size(), kChunkSize - begin);
        if (index < chunks_.size() && chunks_[index] != nullptr) {
            std::copy_n(chunks_[index]->bytes.data() + begin, n, out.begin());
        } else {
            std::fill_n(out.begin(), n, std::byte{0});
        }
        out = out.subspan(n);
        offset += n;
    }
}

void SparseBytes::write(std::uint64_t offset, std::span<const std::byte> data) {
    while (!data.empty()) {
        const std::uint64_t begin = offset % kChunkSize;
        const std::size_t n = std::min<std::uint64_t>(data.size(), kChunkSize - begin);
        Chunk& chunk = own_chunk(offset / kChunkSize);
        std::copy_n(data.begin(), n, chunk.bytes.begin() + begin);
        for (std::uint64_t i = begin / kBlockSize; i <= (begin + n - 1) / kBlockSize; ++i) {
            if (!chunk.allocated[i]) {
                chunk.allocated[i] = true;
                allocated_size_ += kBlockSize;
            }
        }
        data = data.subspan(n);
        offset += n;
        size_ = std::max(size_, offset);
    }
}

void SparseBytes::zero(std::uint64_t offset, std::uint64_t length) {
    std::uint64_t end = offset + std::min(length, size_ - std::min(offset, size_));
    if (end == size_) {
        // The rest of the last block is zeros already (S1), so that it counts as covered.
        end = (end + kBlockSize - 1) / kBlockSize * kBlockSize;
    }
    end = std::min(end, chunks_.size() * kChunkSize);
    while (offset < end) {
        const std::uint64_t index = offset / kChunkSize;
        const std::uint64_t begin = offset % kChunkSize;
        const std::uint64_t n = std::min(end - offset, kChunkSize - begin);
        offset += n;
        if (chunks_[index] == nullptr) {
            continue;
        }
        Chunk& chunk = own_chunk(index);
        std::fill_n(chunk.bytes.begin() + begin, n, std::byte{0});
        for (std::uint64_t i = (begin + kBlockSize - 1) / kBlockSize;
             (i + 1) * kBlockSize <= begin + n; ++i) {
            if (chunk.allocated[i]) {
                chunk.allocated[i] = false;
                allocated_size_ -= kBlockSize;
            }
        }
        if (std::find(chunk.allocated.begin(), chunk.allocated.end(), true) ==
            chunk.allocated.end()) {
            chunks_[index] = nullptr;
        }
    }
}

void SparseBytes::resize(std::uint64_t size) {
    if (size < size_) {
        zero(size, size_ - size);
    }
    size_ = size;
}

std::uint64_t SparseBytes::fitting(std::uint64_t offset, std::uint64_t length,
                                   std::uint64_t space) const {
    for (std::uint64_t at = offset; at < offset + length;) {
        if (!is_allocated(at)) {
            if (space < kBlockSize) {
                return at - offset;
            }
            space -= kBlockSize;
        }
        at = (at / kBlockSize + 1) * kBlockSize;
    }
    return length;
}

bool SparseBytes::is_allocated(std::uint64_t offset) const {
    const std::uint64_t index = offset / kChunkSize;
    return index < chunks_.size() && chunks_[index] != nullptr &&
           chunks_[index]->allocated[offset % kChunkSize / kBlockSize];
}

SparseBytes::Chunk& SparseBytes::own_chunk(std::uint64_t index) {
    if (index >= chunks_.size()) {
        chunks_.resize(index + 1);
    }
    std::shared_ptr<Chunk>& chunk = chunks_[index];
    if (chunk == nullptr) {
        chunk = std::make_shared<Chunk>();
    } else if (chunk.use_count() > 1) {
        chunk = std::make_shared<Chunk>(*chunk);
    }
    return *chunk;
}

}  // namespace redoubt::io
