/// A disk in memory that keeps apart what is written and what is durable, and can lose power at any
/// operation: for crash tests, deterministic from a seed. Invariants:
///   D1  What sync() and sync_directory() have reported durable survives every power loss.
///   D2  Of what they have not, a power loss leaves what CrashModel allows: sectors of writes in
///   any order, one of the sizes the file went through, a prefix of each directory's changes. D3  A
///   rename leaves a file under its old or its new name, whatever the crash: never under both or
///   neither.
/// Changes of one directory become durable in order. A rename between two directories becomes so
/// when either of them is synced (ext4 and XFS commit it as one). A file whose name is not durable
/// is lost with its data. Threading: single-threaded, as are the commands run on it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/crash_model.h"
#include "io/file.h"
#include "io/operation.h"
#include "io/simulated_content.h"

namespace redoubt::io {

/// Copies are independent disks that share unchanged bytes; a disk that was copied from has no open
/// files in the copy. Files opened here must be gone before the disk is assigned to or destroyed.
class SimulatedDisk final : public Directory {
public:
    SimulatedDisk() = default;
    SimulatedDisk(const SimulatedDisk& other);
    SimulatedDisk& operator=(const SimulatedDisk& other);
    SimulatedDisk(SimulatedDisk&&) = default;
    SimulatedDisk& operator=(SimulatedDisk&&) = default;
    ~SimulatedDisk() override = default;

    /// Makes or replaces a file, with its parents; durable at once.
    void put(std::string_view path, std::span<const std::byte> bytes);
    /// As it reads now. Errors: NotFound.
    Result<std::vector<std::byte>> content(std::string_view path) const;
    /// Paths of all files as of now, sorted.
    std::vector<std::string> files() const;

    /// Operations that change or sync something, numbered from 1, tried ones included.
    std::uint64_t operation_count() const { return operations_.size(); }
    const std::vector<Operation>& operations() const { return operations_; }

    /// When the operation with this number is tried, power is lost: it and all after it, reads too,
    /// fail with Io. What it was about to do may or may not have happened.
    void crash_at(std::uint64_t number) { crash_at_ = number; }
    bool crashed() const { return crashed_; }
    /// A disk with what a power loss now leaves of this one.
    SimulatedDisk after_crash(std::uint64_t seed, const CrashModel& model) const;

    /// The disk as it is, power on, after only the process that used it died.
    SimulatedDisk after_kill() const;

    /// The operation with this number fails with `code`. A write may have written a part; after a
    /// failed sync what was pending becomes durable by no later one.
    void fail_operation(std::uint64_t number, ErrorCode code) { failures_.emplace(number, code); }
    /// Bytes that all files together may allocate (in blocks of 4096; holes take none).
    void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
    std::uint64_t used() const;

    /// Damage under the file system: the durable bytes change too.
    void flip_bit(std::string_view path, std::uint64_t offset, unsigned bit);
    /// The range holds again what it held before the file's last sync that changed anything.
    void make_stale(std::string_view path, std::uint64_t offset, std::uint64_t length);

    /// Whether a power loss could take anything back; what, for messages.
    bool everything_durable() const { return pending_text().empty(); }
    std::string pending_text() const;

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
    friend class SimulatedFile;
    struct Inode {
        bool is_directory = false;
        SimulatedContent content;
    };
    using Entries = std::map<std::string, std::shared_ptr<Inode>, std::less<>>;
    /// A change of one or two directories, not durable yet.
    struct EntryChange {
        std::optional<std::string> removed;
        std::optional<std::string> added;
        std::shared_ptr<Inode> inode;  ///< of `added`
        bool touches(std::string_view directory) const;
        bool concerns(const std::set<std::string, std::less<>>& names) const;
        void apply(Entries& entries) const;
    };

    /// Numbers and notes an operation. Errors: the crash, an injected failure.
    Status begin(Operation operation);
    /// Whether the operation now running is the one at which power is lost.
    Status require_power() const;
    static Error power_loss();
    bool is_directory(std::string_view path) const;
    Status require_parent(std::string_view path) const;
    void change(EntryChange change);
    void make_durable(std::string_view directory);
    Status write(Inode& inode, const std::string& path, std::uint64_t offset,
                 std::span<const std::byte> data);
    Status sync(Inode& inode, const std::string& path);

    std::string root_ = "disk";
    Entries entries_;  ///< now
    Entries durable_;
    std::vector<EntryChange> changes_;
    std::vector<Operation> operations_;
    std::uint64_t crash_at_ = 0;
    bool crashed_ = false;
    std::map<std::uint64_t, ErrorCode> failures_;
    std::uint64_t capacity_ = ~std::uint64_t{0};
    /// Of the sync in which power was lost: it may have been done.
    std::shared_ptr<Inode> syncing_file_;
    std::optional<std::string> syncing_directory_;
};

}  // namespace redoubt::io
