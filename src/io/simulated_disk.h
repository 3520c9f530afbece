/// A disk in memory that loses power, for deterministic crash tests: it counts the operations that
/// change or sync something, stops at the one it is told to, and then says what the power loss may
/// have left. It also fails single operations, runs full, and spoils what it holds.
/// Invariants: C1-C3 (simulated_content.h: data), T1-T3 (simulated_tree.h: entries), and
///   D1  The same calls, seeds and models give the same bytes.
///   D2  What was synced survives (file data and size after File::sync; a file's, directory's or
///       moved file's name after sync_directory of the parent); of the rest, anything may.
/// Not simulated: other processes (lock_exclusive succeeds, locked_by_other says no).
/// Threading: a disk, its open files and all its copies belong to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/crash_model.h"
#include "io/file.h"
#include "io/operation.h"

namespace redoubt::io {

/// Paths: relative to the root; absolute ones are a tree of their own; empty parts and "." count
/// for nothing. A copy is a disk of its own, with the same state, counters and plans; it shares
/// unchanged chunks of 16 KiB, so that it is cheap. Open files stay with the disk that opened them
/// and may outlive it.
class SimulatedDisk final : public Directory {
public:
    SimulatedDisk();
    SimulatedDisk(const SimulatedDisk& other);
    SimulatedDisk& operator=(const SimulatedDisk& other);
    SimulatedDisk(SimulatedDisk&&) noexcept;
    SimulatedDisk& operator=(SimulatedDisk&&) noexcept;
    ~SimulatedDisk() override;

    // Set up and look: none of these is an operation, and they work after a power loss, too.

    /// Creates or replaces a file; its bytes, its name and those of its parents are durable at
    /// once, and with them what was pending in these directories.
    void put(std::string_view path, std::span<const std::byte> bytes);
    /// As it reads now. Errors: NotFound; Io for a directory.
    Result<std::vector<std::byte>> content(std::string_view path) const;
    /// Paths of all files as they are now, sorted.
    std::vector<std::string> files() const;
    /// Of these, the files that a sync has changed since they were put or created.
    std::vector<std::string> synced_files() const;
    /// Whether a power loss now would take nothing.
    bool everything_durable() const;
    /// What it could take: "12: write a.ibd 0+512; 13: rename a b; ...". "" if
    /// everything_durable().
    std::string pending_text() const;

    // Operations: creates, writes, truncates, punched holes, syncs, renames, unlinks,
    // make_directory and sync_directory, numbered 1, 2, 3, ... as they are attempted.

    std::uint64_t operation_count() const;
    /// Operation N is element N - 1.
    const std::vector<Operation>& operations() const;
    /// "12: write a.ibd 0+512", for messages.
    std::string operation_text(std::uint64_t number) const;

    /// The power is lost while this operation is in flight: it and everything after it, reads
    /// included, fail with Io, "simulated power loss". 0: never. What `content` and `files` show
    /// then includes the operation in flight, unless that is a sync.
    void crash_at(std::uint64_t operation_number);
    bool crashed() const;
    /// The disk as it comes up again: what is durable, and a choice (by `model` and `seed`) of
    /// what is pending, which is then all durable. The operation in flight is pending; a sync in
    /// flight may have been completed. Operations count from 1 again; nothing is planned; the
    /// capacity stays. Without a crash: as if the power were lost between two operations.
    ///
    /// Random means: each sector of a file holds what the first so many of the pending writes to
    /// it made of it, neighbouring sectors choosing independently in one half of the files and
    /// mostly together in the other; a file has one of the sizes it went through; entries are a
    /// prefix of all operations on entries or, in one half of the crashes, of those of each
    /// directory. A file without an entry is gone.
    SimulatedDisk after_crash(std::uint64_t seed, CrashModel model = {}) const;

    /// The disk as the next process finds it when only this one was killed, at whatever operation:
    /// nothing is lost, and what was pending still is.
    SimulatedDisk after_kill() const;

    // Faults.

    /// That operation fails with Io or NoSpace and does nothing, except: a write may have written
    /// some of its first sectors, and a failed sync drops what is pending (C3).
    void fail_operation(std::uint64_t operation_number, ErrorCode code);
    /// From now on writes that need more than this find no space, and write what fits. What
    /// counts are the allocated blocks of 4096 bytes of the files as they are now, also of those
    /// that are open and have no name any more; names and holes cost nothing, so that truncate and
    /// create never find the disk full.
    void set_capacity(std::uint64_t bytes);
    /// What counts now.
    std::uint64_t used() const;
    /// Flips a bit (0 = the lowest) of what is there now and of what is durable. Errors: NotFound.
    Status flip_bit(std::string_view path, std::uint64_t offset, unsigned bit);
    /// The range reads, now and after a crash, as it was durable before the last sync of the file
    /// that changed anything (or the last put): a write that the device lost. Writing it again
    /// heals it. Errors: NotFound.
    Status serve_stale(std::string_view path, std::uint64_t offset, std::uint64_t length);

    // Directory. Besides what that says: a directory can be renamed within its parent only.

    const std::string& path() const override { return root_; }
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override;
    Status rename(std::string_view from, std::string_view to) override;
    Status unlink(std::string_view path) override;
    Status make_directory(std::string_view path) override;
    Result<std::vector<std::string>> list(std::string_view path) override;
    Result<FileInfo> info(std::string_view path) override;
    Status sync_directory(std::string_view path) override;
    Result<std::uint64_t> free_space(std::string_view path) override;

private:
    struct State;
    class OpenFile;

    explicit SimulatedDisk(std::shared_ptr<State> state);

    std::string root_ = "simulated";
    std::shared_ptr<State> state_;  ///< shared with the open files
};

}  // namespace redoubt::io
