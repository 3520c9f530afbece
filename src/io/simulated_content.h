/// The content of one file of a simulated disk: as it reads now, as it is durable, and the
/// operations between the two. Invariants:
///   C1  `current()` is what every operation since the file was made gives.
///   C2  `durable()` is what is left when a power loss takes all that is pending.
///   C3  What a failed sync dropped is made durable by no later sync: the kernel reported the error
///       once, took the pages for clean, and does not write them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/crash_model.h"
#include "io/operation.h"
#include "io/sparse_bytes.h"

namespace redoubt::io {

class SimulatedContent {
public:
    struct Pending {
        OperationKind kind;    ///< Write, Truncate or PunchHole
        std::uint64_t number;  ///< of the operation on its disk
        /// What it writes, or makes zeros: for a truncate the bytes it cut off.
        std::uint64_t offset;
        std::uint64_t length;
        std::uint64_t size_after;  ///< of the file
        /// The bytes of a write begin at `data_begin`; shared with copies of the disk.
        std::shared_ptr<const std::vector<std::byte>> data = nullptr;
        std::size_t data_begin = 0;
        bool cuts = false;     ///< a truncate that makes the file shorter
        bool dropped = false;  ///< by a failed sync (C3)

        std::uint64_t end() const { return offset + length; }
    };

    const SparseBytes& current() const { return current_; }
    const SparseBytes& durable() const { return durable_; }
    const std::vector<Pending>& pending() const { return pending_; }
    /// Whether a sync has changed what is durable: what make_stale() takes back.
    bool was_synced() const { return was_synced_; }

    /// Replaces all, durably.
    void put(std::span<const std::byte> data);
    void write(std::uint64_t number, std::uint64_t offset, std::span<const std::byte> data);
    void truncate(std::uint64_t number, std::uint64_t size);
    void punch_hole(std::uint64_t number, std::uint64_t offset, std::uint64_t length);
    void sync();
    /// What is pending may be lost, whatever is synced later (C3).
    void fail_sync();
    /// Leaves what a power loss may leave, durable.
    void lose_power(const CrashModel& model, CrashDice& dice);

    /// Faults of the device: both change `current()` and `durable()`; a write that is pending or
    /// comes later may heal them.
    void flip_bit(std::uint64_t offset, unsigned bit);
    /// Brings back what the range had before the last sync that made anything of the file durable
    /// (zeros beyond its end then): as if the device had lost that write of the range.
    void make_stale(std::uint64_t offset, std::uint64_t length);

private:
    void keep_some(std::uint32_t tear_bytes, CrashDice& dice);

    SparseBytes current_;
    SparseBytes durable_;
    SparseBytes previous_;  ///< durable_ before the last sync that changed it
    std::vector<Pending> pending_;
    bool was_synced_ = false;
};

}  // namespace redoubt::io
