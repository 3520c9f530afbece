#include "space/compression.h"

#include <bzlib.h>
#include <dlfcn.h>
#include <lz4.h>
#include <lzma.h>
#include <snappy-c.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

namespace redoubt::space {
namespace {

using In = std::span<const std::byte>;
using Out = std::span<std::byte>;
using page::CompressionAlgorithm;

// NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): these libraries take char or unsigned
// char
const char* chars(In in) { return reinterpret_cast<const char*>(in.data()); }
char* chars(Out out) { return reinterpret_cast<char*>(out.data()); }
const unsigned char* bytes(In in) { return reinterpret_cast<const unsigned char*>(in.data()); }
unsigned char* bytes(Out out) { return reinterpret_cast<unsigned char*>(out.data()); }
// NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)

constexpr int kLevel = 6;  // innodb_compression_level's default
/// Preset 9 (PAGE_COMPRESSION_LEVEL=9) names a dictionary of 64 MiB and needs a little more to
/// decode.
constexpr std::uint64_t kLzmaMemoryMax = std::uint64_t{80} << 20;

Error broken(CompressionAlgorithm algorithm) {
    return make_error(ErrorCode::Corruption,
                      "the page does not decompress with {} to its full size",
                      page::name_of(algorithm));
}

/// liblzo2 is GPL: used where it is installed, never linked.
class Lzo {
public:
    static const Lzo& instance() {
        static const Lzo kInstance;
        return kInstance;
    }
    Status check() const {
        if (decompress_ == nullptr || compress_ == nullptr) {
            return make_error(ErrorCode::Unsupported,
                              "this page is compressed with LZO, and liblzo2.so.2 is not installed")
                .with_hint("install Debian's package liblzo2-2");
        }
        return {};
    }
    bool decompress(In in, Out out) const {
        std::size_t size = out.size();
        return decompress_(bytes(in), in.size(), bytes(out), &size, nullptr) == 0 &&
               size == out.size();
    }
    std::size_t compress(In in, Out out) const {
        constexpr std::size_t kWorkSize =
            std::size_t{32768} * sizeof(void*);  // LZO1X_1_15_MEM_COMPRESS
        std::vector<std::byte> work(kWorkSize);
        // The compressor has no bound of its own: it writes at most this much.
        std::vector<std::byte> result(in.size() + in.size() / 16 + 64 + 3);
        std::size_t size = 0;
        if (compress_(bytes(in), in.size(), bytes(Out(result)), &size, work.data()) != 0 ||
            size > out.size()) {
            return 0;
        }
        std::copy_n(result.begin(), size, out.begin());
        return size;
    }

private:
    using Function = int (*)(const unsigned char*, std::size_t, unsigned char*, std::size_t*,
                             void*);
    Lzo() {
        // Stays loaded for the life of the process.
        void* library = ::dlopen("liblzo2.so.2", RTLD_NOW | RTLD_LOCAL);
        if (library != nullptr) {
            // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): what dlsym is for
            decompress_ = reinterpret_cast<Function>(::dlsym(library, "lzo1x_decompress_safe"));
            compress_ = reinterpret_cast<Function>(::dlsym(library, "lzo1x_1_15_compress"));
            // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
        }
    }
    Function decompress_ = nullptr;
    Function compress_ = nullptr;
};

bool decompress_zlib(In in, Out out) {
    uLongf size = out.size();
    // Trailing bytes after the stream are no matter: only the stream's own end counts.
    uLong used = in.size();
    return uncompress2(bytes(out), &size, bytes(in), &used) == Z_OK && size == out.size();
}

bool decompress_lzma(In in, Out out) {
    std::uint64_t memory = kLzmaMemoryMax;
    std::size_t in_at = 0;
    std::size_t out_at = 0;
    return lzma_stream_buffer_decode(&memory, 0, nullptr, bytes(in), &in_at, in.size(), bytes(out),
                                     &out_at, out.size()) == LZMA_OK &&
           out_at == out.size();
}

bool decompress_bzip2(In in, Out out) {
    bz_stream stream{};
    if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) {
        return false;
    }
    stream.next_in = const_cast<char*>(chars(in));  // bzlib does not write to it
    stream.avail_in = static_cast<unsigned>(in.size());
    stream.next_out = chars(out);
    stream.avail_out = static_cast<unsigned>(out.size());
    const int result = BZ2_bzDecompress(&stream);
    const bool ok = result == BZ_STREAM_END && stream.avail_out == 0;
    BZ2_bzDecompressEnd(&stream);
    return ok;
}

bool decompress_snappy(In in, Out out) {
    std::size_t size = 0;
    if (snappy_uncompressed_length(chars(in), in.size(), &size) != SNAPPY_OK ||
        size != out.size()) {
        return false;
    }
    return snappy_uncompress(chars(in), in.size(), chars(out), &size) == SNAPPY_OK &&
           size == out.size();
}

std::size_t compress_zlib(In in, Out out) {
    uLongf size = out.size();
    return compress2(bytes(out), &size, bytes(in), in.size(), kLevel) == Z_OK ? size : 0;
}

std::size_t compress_lzma(In in, Out out) {
    std::size_t size = 0;
    return lzma_easy_buffer_encode(kLevel, LZMA_CHECK_NONE, nullptr, bytes(in), in.size(),
                                   bytes(out), &size, out.size()) == LZMA_OK
               ? size
               : 0;
}

std::size_t compress_bzip2(In in, Out out) {
    unsigned size = static_cast<unsigned>(out.size());
    constexpr int kBlockSize100k = 1;
    return BZ2_bzBuffToBuffCompress(chars(out), &size, const_cast<char*>(chars(in)),
                                    static_cast<unsigned>(in.size()), kBlockSize100k, 0, 0) == BZ_OK
               ? size
               : 0;
}

std::size_t compress_snappy(In in, Out out) {
    std::vector<std::byte> result(snappy_max_compressed_length(in.size()));
    std::size_t size = result.size();
    if (snappy_compress(chars(in), in.size(), chars(Out(result)), &size) != SNAPPY_OK ||
        size > out.size()) {
        return 0;
    }
    std::copy_n(result.begin(), size, out.begin());
    return size;
}

bool fits_int(In in, Out out) {
    constexpr std::size_t kMax = std::numeric_limits<int>::max();
    return in.size() <= kMax && out.size() <= kMax;
}

}  // namespace

Status decompress(CompressionAlgorithm algorithm, In in, Out out) {
    bool ok = false;
    if (!fits_int(in, out)) {
        return broken(algorithm);
    }
    switch (algorithm) {
        case CompressionAlgorithm::Zlib:
            ok = decompress_zlib(in, out);
            break;
        case CompressionAlgorithm::Lz4:
            ok = LZ4_decompress_safe(chars(in), chars(out), static_cast<int>(in.size()),
                                     static_cast<int>(out.size())) == static_cast<int>(out.size());
            break;
        case CompressionAlgorithm::Lzo:
            RETURN_IF_ERROR(Lzo::instance().check());
            ok = Lzo::instance().decompress(in, out);
            break;
        case CompressionAlgorithm::Lzma:
            ok = decompress_lzma(in, out);
            break;
        case CompressionAlgorithm::Bzip2:
            ok = decompress_bzip2(in, out);
            break;
        case CompressionAlgorithm::Snappy:
            ok = decompress_snappy(in, out);
            break;
        case CompressionAlgorithm::None:
            break;
    }
    return ok ? ok_status() : Status(broken(algorithm));
}

Result<std::size_t> compress(CompressionAlgorithm algorithm, In in, Out out) {
    if (!fits_int(in, out)) {
        return std::size_t{0};
    }
    switch (algorithm) {
        case CompressionAlgorithm::Zlib:
            return compress_zlib(in, out);
        case CompressionAlgorithm::Lz4:
            return static_cast<std::size_t>(LZ4_compress_default(
                chars(in), chars(out), static_cast<int>(in.size()), static_cast<int>(out.size())));
        case CompressionAlgorithm::Lzo:
            RETURN_IF_ERROR(Lzo::instance().check());
            return Lzo::instance().compress(in, out);
        case CompressionAlgorithm::Lzma:
            return compress_lzma(in, out);
        case CompressionAlgorithm::Bzip2:
            return compress_bzip2(in, out);
        case CompressionAlgorithm::Snappy:
            return compress_snappy(in, out);
        case CompressionAlgorithm::None:
            break;
    }
    return make_error(ErrorCode::Internal, "no compression algorithm given");
}

}  // namespace redoubt::space
