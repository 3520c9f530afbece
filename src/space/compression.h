/// The compression methods of PAGE_COMPRESSED tables. LZO, being GPL, is loaded at run time
/// (liblzo2.so.2). Format: docs/formats/page-compression.md.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"
#include "page/flags.h"

namespace redoubt::space {

/// Must give exactly out.size() bytes. `in` may have trailing bytes for the self-delimiting
/// methods (zlib, lzma, bzip2). Errors: Corruption; Unsupported when liblzo2 is missing.
Status decompress(page::CompressionAlgorithm algorithm, std::span<const std::byte> in,
                  std::span<std::byte> out);
/// Returns the compressed size, or 0 when it does not fit into `out`. Same parameters as the server
/// (zlib level 6, bzip2 block 1, ...). Errors: Unsupported, Internal.
Result<std::size_t> compress(page::CompressionAlgorithm algorithm, std::span<const std::byte> in,
                             std::span<std::byte> out);

}  // namespace redoubt::space
