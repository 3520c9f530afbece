/// Aria's files as a backup must know them: which tables can be copied while they are written, the
/// checksum of a page, the log's control file and page headers. Format: docs/formats/aria.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace redoubt::backup::aria {

/// What an index file (.MAI) says of its table.
struct TableFormat {
    std::size_t block_size = 0;   ///< bytes, of pages of both files
    std::uint64_t key_start = 0;  ///< bytes of the .MAI before its first page
    bool page_rows = false;       ///< row format PAGE: the .MAD consists of pages
    bool page_checksum = false;
    bool transactional = false;
    bool encrypted = false;
    std::uint16_t open_count = 0;  ///< who wrote to it and has not closed it
    /// LSN (7 bytes) of its creation or, if that came later, renaming. TRUNCATE TABLE creates it
    /// anew, and recovery does not repeat that.
    std::uint64_t create_rename_lsn = 0;

    /// Whether redo brings any copy of its pages to the end of the log, and torn ones show.
    bool online_safe() const { return page_rows && page_checksum && transactional; }
    /// Where an index page keeps the number of its bytes in use (2, big-endian).
    std::size_t used_offset() const { return (transactional ? 15U : 2U) + (encrypted ? 4U : 0U); }
};

/// As much of the .MAI as decode_table() may need.
inline constexpr std::size_t kTableHeaderSize = 4096;  // bytes
/// `header`: the first kTableHeaderSize bytes, or all there are. Errors: Corruption.
Result<TableFormat> decode_table(std::span<const std::byte> header);

enum class PageKind { Index, Data };
/// Whether the page's checksum fits, or it has none. `page`: `format.block_size` bytes, number
/// `number` in its file. Not for tables without checksums and not for encrypted ones: those have
/// the checksum of the plain bytes.
bool is_page_good(std::span<const std::byte> page, std::uint64_t number, PageKind kind,
                  const TableFormat& format);

/// aria_log_control: where recovery begins and which log file is the last.
class LogControl {
public:
    static constexpr const char* kFile = "aria_log_control";
    static constexpr std::size_t kSize = 52;  // bytes; of later versions, more
    static constexpr std::size_t kSizeMax = 4096;

    /// Errors: Corruption.
    static Result<LogControl> decode(std::span<const std::byte> bytes);
    std::uint32_t last_log() const;
    /// Page size of the log, bytes.
    std::size_t block_size() const;
    void set_last_log(std::uint32_t number);
    std::string_view bytes() const { return bytes_; }

private:
    explicit LogControl(std::string bytes) : bytes_(std::move(bytes)) {}
    std::string bytes_;
};

/// "aria_log.00000007" and back.
std::string log_file_name(std::uint32_t number);
std::optional<std::uint32_t> log_file_number(std::string_view name);
/// Whether a page of a log file says that it is the one with this number.
bool is_log_page(std::span<const std::byte> page, std::uint64_t number, std::uint32_t log);

}  // namespace redoubt::backup::aria
