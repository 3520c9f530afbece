/// FSP_SPACE_FLAGS: what page 0 says of its file's format.
/// Format: docs/formats/tablespace.md#flags.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace redoubt::page {

enum class CompressionAlgorithm : std::uint8_t { None = 0, Zlib, Lz4, Lzo, Lzma, Bzip2, Snappy };
std::string_view name_of(CompressionAlgorithm algorithm);

struct TablespaceFlags {
    bool full_crc32 = false;
    /// innodb_page_size, bytes: 4096..65536.
    std::uint32_t logical_page_size = 16384;
    /// Bytes of a page in the file; less than or equal to logical_page_size.
    std::uint32_t physical_page_size = 16384;
    /// ROW_FORMAT=COMPRESSED (then physical_page_size is the KEY_BLOCK_SIZE). Never with
    /// full_crc32.
    bool row_compressed = false;
    /// PAGE_COMPRESSED=1: single pages may be stored compressed.
    bool page_compressed = false;
    /// full_crc32 only: the one algorithm of the file. In the old format each page names its own.
    CompressionAlgorithm algorithm = CompressionAlgorithm::None;
    bool post_antelope = false;        ///< old format, bit 0
    bool atomic_blobs = false;         ///< old format, bit 5: DYNAMIC or COMPRESSED
    bool data_directory = false;       ///< old format, bit 10: ignored on read
    bool converted_from_10_1 = false;  ///< was stored in the layout of MariaDB 10.1.0-10.1.20

    /// Accepts both formats and the 10.1 layout. Errors: Corruption; Unsupported for MySQL 5.7/8.0
    /// files.
    static Result<TablespaceFlags> decode(std::uint32_t raw);
    /// The value 10.11 writes.
    std::uint32_t encode() const;

    /// Pages per extent, by the logical page size.
    std::uint32_t extent_pages() const;
    /// Bytes of one extent descriptor: 24 + extent_pages/4.
    std::uint32_t descriptor_size() const;
    /// Byte offset on page 0 of the encryption metadata.
    std::uint32_t crypt_data_offset() const;
    /// "16k full_crc32 zlib", "16k crc32 row_format=compressed 8k"
    std::string to_string() const;
    friend bool operator==(const TablespaceFlags&, const TablespaceFlags&) = default;
};

}  // namespace redoubt::page
