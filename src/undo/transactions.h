/// The transactions that had not ended when the directory was left: whatever they changed, readers
/// take back. Format: docs/formats/undo.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "base/error.h"
#include "base/ids.h"
#include "space/page_source.h"

namespace redoubt::undo {

inline constexpr std::size_t kRollbackSegments = 128;
inline constexpr SpaceId kNoSpace{0xFFFFFFFF};

/// What XA PREPARE, or the two-phase commit with the binary log, gave a transaction as its name.
struct Xid {
    std::uint32_t format = 0;
    std::string global;  ///< gtrid
    std::string branch;  ///< bqual
    /// The transaction's number in the binary log, where the server made this name itself.
    std::optional<std::uint64_t> binlog_number() const;
};

/// Of the undo log whose header is at `log` of an undo page and says that it has one; nullopt: what
/// is there is none.
std::optional<Xid> read_xid(std::span<const std::byte> page, std::size_t log);

struct Transaction {
    std::uint64_t id = 0;
    bool prepared = false;
    bool dictionary = false;  ///< DDL
    std::optional<Xid> xid;
    PageId log_page;           ///< first page of its undo log
    std::uint16_t log_at = 0;  ///< offset of the log's header on it
};

class Transactions {
public:
    /// Reads all rollback segments. `page_size`: of the system tablespace and undo tablespaces.
    /// Errors: Corruption, NotFound (an undo tablespace without file), Io, Key.
    static Result<Transactions> read(space::PageSource& source, std::uint32_t page_size);

    const std::map<std::uint64_t, Transaction>& open() const { return open_; }
    bool is_open(std::uint64_t id) const { return !open_.empty() && open_.contains(id); }
    /// Takes it for committed: what the binary log says of a prepared one.
    void commit(std::uint64_t id);
    /// Tables that an open transaction filled while they were empty, without undo of the rows.
    const std::set<std::uint64_t>& emptied_tables() const { return emptied_; }
    /// Tables whose first instant ADD COLUMN, or any instant change, was not committed.
    const std::set<std::uint64_t>& altered_tables() const { return altered_; }
    /// Where rollback segment `number` lies; kNoSpace: there is none.
    SpaceId space_of(std::size_t number) const { return spaces_[number]; }

private:
    Status read_log(space::PageSource& source, PageId at, std::uint32_t page_size);
    Status scan_open(space::PageSource& source, std::uint32_t page_size);

    std::map<std::uint64_t, Transaction> open_;
    std::map<std::uint64_t, std::set<std::uint64_t>> emptied_by_, altered_by_;  // transaction first
    std::set<std::uint64_t> emptied_, altered_;
    std::array<SpaceId, kRollbackSegments> spaces_{};
};

}  // namespace redoubt::undo
