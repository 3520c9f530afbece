/// The header and checkpoint blocks of ib_logfile0, and the formats that are recognised only to be
/// refused by name. Format: docs/formats/redo-log.md#file and #other-formats.
#pragma once

#include <optional>
#include <span>

#include "redo/log_file.h"

namespace redoubt::redo {

inline constexpr std::size_t kHeaderSize = 512;           // bytes of the header that mean something
inline constexpr std::size_t kCheckpointSize = 64;        // the same of a checkpoint block
inline constexpr std::uint64_t kCheckpointOffset = 4096;  // of block 0; block 1 is as far behind
/// The smallest log: room for FILE_CHECKPOINT alone.
inline constexpr std::uint64_t kFileSizeMin = kLogStart + 16;

/// Errors: Unsupported for every other format, naming it, its creator and what to do; Corruption.
Result<LogHeader> decode_header(std::span<const std::byte, kHeaderSize> bytes);
/// nullopt: not a valid checkpoint block. `block` is 0 or 1.
std::optional<Checkpoint> decode_checkpoint(std::span<const std::byte, kCheckpointSize> bytes,
                                            Lsn first_lsn, unsigned block);

/// The header of a plain log. `creator`: up to 31 characters.
void encode_header(Lsn first_lsn, std::string_view creator,
                   std::span<std::byte, kHeaderSize> bytes);
/// The same for a copy of another log's mini-transactions, encryption included: `source` names the
/// key.
void encode_header(Lsn first_lsn, std::string_view creator, const LogHeader& source,
                   std::span<std::byte, kHeaderSize> bytes);
void encode_checkpoint(Lsn lsn, Lsn end_lsn, std::span<std::byte, kCheckpointSize> bytes);

}  // namespace redoubt::redo
