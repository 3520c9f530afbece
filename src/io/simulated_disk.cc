#include "io/simulated_disk.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace redoubt::io {
namespace {

Error not_found(std::string_view operation, std::string_view path) {
    return make_error(ErrorCode::NotFound, "cannot {}: no such file or directory", operation)
        .with_file(path);
}

}  // namespace

class SimulatedFile final : public File {
public:
    SimulatedFile(SimulatedDisk& disk, std::shared_ptr<SimulatedDisk::Inode> inode,
                  std::string path, bool writable)
        : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), writable_(writable) {}

    const std::string& path() const override { return path_; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        RETURN_IF_ERROR(disk_.require_power());
        const SparseBytes& bytes = inode_->content.current();
        if (offset >= bytes.size()) {
            return std::size_t{0};
        }
        const auto part =
            buffer.first(std::min<std::uint64_t>(buffer.size(), bytes.size() - offset));
        bytes.read(offset, part);
        return part.size();
    }
    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        RETURN_IF_ERROR(require_writable());
        return disk_.write(*inode_, path_, offset, data);
    }
    Status sync() override {
        disk_.syncing_file_ = inode_;
        auto status = disk_.sync(*inode_, path_);
        if (!disk_.crashed_) {
            disk_.syncing_file_.reset();
        }
        return status;
    }
    Status truncate(std::uint64_t size) override {
        RETURN_IF_ERROR(require_writable());
        const auto status =
            disk_.begin({.kind = OperationKind::Truncate, .path = path_, .to = {}, .offset = size});
        if (status || disk_.crashed_) {
            inode_->content.truncate(disk_.operation_count(), size);
        }
        return status;
    }
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        RETURN_IF_ERROR(require_writable());
        const auto status = disk_.begin({.kind = OperationKind::PunchHole,
                                         .path = path_,
                                         .to = {},
                                         .offset = offset,
                                         .length = length});
        if (status || disk_.crashed_) {
            inode_->content.punch_hole(disk_.operation_count(), offset, length);
        }
        return status;
    }
    Result<FileInfo> info() override {
        RETURN_IF_ERROR(disk_.require_power());
        const SparseBytes& bytes = inode_->content.current();
        return FileInfo{.size = bytes.size(),
                        .allocated_size = bytes.allocated_size(),
                        .block_size = SparseBytes::kBlockSize,
                        .is_directory = false,
                        .is_regular = true};
    }
    Status lock_exclusive() override { return disk_.require_power(); }
    Result<bool> locked_by_other() override { return false; }
    void will_need(std::uint64_t, std::uint64_t) override {}
    void will_sync(std::uint64_t, std::uint64_t) override {}

private:
    Status require_writable() const {
        if (!writable_) {
            return make_error(ErrorCode::Io, "cannot write: the file is open for reading only")
                .with_file(path_);
        }
        return disk_.require_power();
    }

    SimulatedDisk& disk_;
    std::shared_ptr<SimulatedDisk::Inode> inode_;  ///< shared with the disk; outlives an unlink
    std::string path_;
    bool writable_;
};

// --- copies ----------------------------------------------------------------------------------

SimulatedDisk::SimulatedDisk(const SimulatedDisk& other)
    : root_(other.root_),
      entries_(other.entries_),
      durable_(other.durable_),
      changes_(other.changes_),
      operations_(other.operations_),
      crash_at_(other.crash_at_),
      crashed_(other.crashed_),
      failures_(other.failures_),
      capacity_(other.capacity_),
      syncing_file_(other.syncing_file_),
      syncing_directory_(other.syncing_directory_) {
    std::map<const Inode*, std::shared_ptr<Inode>> copies;
    const auto copy = [&](std::shared_ptr<Inode>& inode) {
        if (inode != nullptr) {
            auto& own = copies[inode.get()];
            if (own == nullptr) {
                own = std::make_shared<Inode>(*inode);
            }
            inode = own;
        }
    };
    for (auto& [path, inode] : entries_) {
        copy(inode);
    }
    for (auto& [path, inode] : durable_) {
        copy(inode);
    }
    for (EntryChange& entry : changes_) {
        copy(entry.inode);
    }
    copy(syncing_file_);
}

SimulatedDisk& SimulatedDisk::operator=(const SimulatedDisk& other) {
    if (this != &other) {
        *this = SimulatedDisk(other);
    }
    return *this;
}

// --- for tests -------------------------------------------------------------------------------

void SimulatedDisk::put(std::string_view path, std::span<const std::byte> bytes) {
    for (std::string parent = parent_of(path); !parent.empty() && parent != "/";
         parent = parent_of(parent)) {
        if (!is_directory(parent)) {
            auto directory = std::make_shared<Inode>();
            directory->is_directory = true;
            entries_[parent] = directory;
            durable_[parent] = std::move(directory);
        }
    }
    auto inode = std::make_shared<Inode>();
    inode->content.put(bytes);
    entries_[std::string(path)] = inode;
    durable_[std::string(path)] = std::move(inode);
}

Result<std::vector<std::byte>> SimulatedDisk::content(std::string_view path) const {
    const auto found = entries_.find(path);
    if (found == entries_.end() || found->second->is_directory) {
        return not_found("read", path);
    }
    const SparseBytes& current = found->second->content.current();
    std::vector<std::byte> bytes(current.size());
    current.read(0, bytes);
    return bytes;
}

std::vector<std::string> SimulatedDisk::files() const {
    std::vector<std::string> paths;
    for (const auto& [path, inode] : entries_) {
        if (!inode->is_directory) {
            paths.push_back(path);
        }
    }
    return paths;
}

std::uint64_t SimulatedDisk::used() const {
    std::uint64_t bytes = 0;
    for (const auto& [path, inode] : entries_) {
        bytes += inode->content.current().allocated_size();
    }
    return bytes;
}

void SimulatedDisk::flip_bit(std::string_view path, std::uint64_t offset, unsigned bit) {
    const auto found = entries_.find(path);
    REDOUBT_ASSERT(found != entries_.end());
    found->second->content.flip_bit(offset, bit);
}

void SimulatedDisk::make_stale(std::string_view path, std::uint64_t offset, std::uint64_t length) {
    const auto found = entries_.find(path);
    REDOUBT_ASSERT(found != entries_.end());
    found->second->content.make_stale(offset, length);
}

std::string SimulatedDisk::pending_text() const {
    std::string text;
    for (const auto& [path, inode] : entries_) {
        if (!inode->content.pending().empty()) {
            text +=
                fmt::format("{} has {} unsynced changes; ", path, inode->content.pending().size());
        }
    }
    for (const EntryChange& entry : changes_) {
        text += fmt::format("{} -> {} is not durable; ", entry.removed.value_or("(nothing)"),
                            entry.added.value_or("(nothing)"));
    }
    return text;
}

SimulatedDisk SimulatedDisk::after_crash(std::uint64_t seed, const CrashModel& model) const {
    SimulatedDisk disk(*this);
    CrashDice dice(seed);
    const bool random = model.unsynced == CrashModel::Unsynced::Random;
    const bool kept = model.unsynced == CrashModel::Unsynced::Kept;
    if (kept || (random && dice.coin())) {
        if (disk.syncing_file_ != nullptr) {
            disk.syncing_file_->content.sync();
        }
        if (disk.syncing_directory_) {
            disk.make_durable(*disk.syncing_directory_);
        }
    }
    // Entries: of each directory a prefix (D2); a change of two directories counts in both (D3).
    std::map<std::string, std::uint64_t> left;  // changes that are kept, by directory
    const auto directories_of = [](const EntryChange& entry) {
        std::set<std::string> directories;
        for (const auto* path : {&entry.removed, &entry.added}) {
            if (*path) {
                directories.insert(parent_of(**path));
            }
        }
        return directories;
    };
    for (const EntryChange& entry : disk.changes_) {
        for (const std::string& directory : directories_of(entry)) {
            ++left[directory];
        }
    }
    for (auto& [directory, count] : left) {
        count = kept ? count : random ? dice.below(count + 1) : 0;
    }
    for (const EntryChange& entry : disk.changes_) {
        const std::set<std::string> directories = directories_of(entry);
        const bool happened =
            std::all_of(directories.begin(), directories.end(),
                        [&](const std::string& directory) { return left[directory] != 0; });
        for (const std::string& directory : directories) {
            left[directory] = happened ? left[directory] - 1 : 0;
        }
        if (happened) {
            entry.apply(disk.durable_);
        }
    }
    disk.changes_.clear();
    // What lies in a directory that is not there is lost.
    std::erase_if(disk.durable_, [&](const auto& entry) {
        const std::string parent = parent_of(entry.first);
        return !parent.empty() && parent != "/" && !disk.durable_.contains(parent);
    });
    disk.entries_ = disk.durable_;
    std::set<Inode*> done;
    for (auto& [path, inode] : disk.entries_) {
        if (done.insert(inode.get()).second) {
            inode->content.lose_power(model, dice);
        }
    }
    return disk.after_kill();
}

SimulatedDisk SimulatedDisk::after_kill() const {
    SimulatedDisk disk(*this);
    disk.operations_.clear();
    disk.failures_.clear();
    disk.crash_at_ = 0;
    disk.crashed_ = false;
    disk.syncing_file_.reset();
    disk.syncing_directory_.reset();
    return disk;
}

// --- operations ------------------------------------------------------------------------------

Error SimulatedDisk::power_loss() { return make_error(ErrorCode::Io, "simulated power loss"); }

Status SimulatedDisk::require_power() const {
    return crashed_ ? Status(power_loss()) : ok_status();
}

Status SimulatedDisk::begin(Operation operation) {
    RETURN_IF_ERROR(require_power());
    operations_.push_back(std::move(operation));
    const std::uint64_t number = operation_count();
    if (number == crash_at_) {
        crashed_ = true;
        return power_loss();
    }
    if (const auto failure = failures_.find(number); failure != failures_.end()) {
        return make_error(failure->second, "simulated failure of {}",
                          operations_.back().to_string())
            .with_file(operations_.back().path);
    }
    return {};
}

bool SimulatedDisk::EntryChange::touches(std::string_view directory) const {
    return (removed && parent_of(*removed) == directory) ||
           (added && parent_of(*added) == directory);
}

bool SimulatedDisk::EntryChange::concerns(const std::set<std::string, std::less<>>& names) const {
    return (removed && names.contains(*removed)) || (added && names.contains(*added));
}

void SimulatedDisk::EntryChange::apply(Entries& entries) const {
    if (removed) {
        entries.erase(*removed);
    }
    if (added) {
        entries[*added] = inode;
    }
}

void SimulatedDisk::change(EntryChange change) {
    change.apply(entries_);
    changes_.push_back(std::move(change));
}

/// The directory's own changes, and earlier ones that they build on.
void SimulatedDisk::make_durable(std::string_view directory) {
    std::set<std::string, std::less<>> names;
    std::vector<bool> chosen(changes_.size());
    for (std::size_t i = changes_.size(); i-- > 0;) {
        const EntryChange& entry = changes_[i];
        if (entry.touches(directory) || entry.concerns(names)) {
            chosen[i] = true;
            for (const auto* path : {&entry.removed, &entry.added}) {
                if (*path) {
                    names.insert(**path);
                }
            }
        }
    }
    std::vector<EntryChange> left;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
        if (chosen[i]) {
            changes_[i].apply(durable_);
        } else {
            left.push_back(std::move(changes_[i]));
        }
    }
    changes_ = std::move(left);
}

Status SimulatedDisk::write(Inode& inode, const std::string& path, std::uint64_t offset,
                            std::span<const std::byte> data) {
    const auto status = begin({.kind = OperationKind::Write,
                               .path = path,
                               .to = {},
                               .offset = offset,
                               .length = data.size()});
    const std::uint64_t number = operation_count();
    if (!status && !crashed_) {
        constexpr std::size_t kSector = 512;
        inode.content.write(number, offset, data.first(data.size() / 2 / kSector * kSector));
        return status;
    }
    const std::uint64_t space = capacity_ - std::min(capacity_, used());
    const std::uint64_t fitting = inode.content.current().fitting(offset, data.size(), space);
    inode.content.write(number, offset, data.first(fitting));
    if (status && fitting < data.size()) {
        return make_error(ErrorCode::NoSpace, "no space left for {} bytes at {}", data.size(),
                          offset)
            .with_file(path);
    }
    return status;
}

Status SimulatedDisk::sync(Inode& inode, const std::string& path) {
    const auto status = begin({.kind = OperationKind::Sync, .path = path, .to = {}});
    if (status) {
        inode.content.sync();
    } else if (!crashed_) {
        inode.content.fail_sync();
    }
    return status;
}

bool SimulatedDisk::is_directory(std::string_view path) const {
    if (path.empty() || path == "/") {
        return true;
    }
    const auto found = entries_.find(path);
    return found != entries_.end() && found->second->is_directory;
}

Status SimulatedDisk::require_parent(std::string_view path) const {
    const std::string parent = parent_of(path);
    return is_directory(parent) ? ok_status() : Status(not_found("use directory", parent));
}

Result<std::unique_ptr<File>> SimulatedDisk::open(std::string_view path, OpenMode mode) {
    RETURN_IF_ERROR(require_power());
    const auto found = entries_.find(path);
    if (mode != OpenMode::CreateExclusive) {
        if (found == entries_.end()) {
            return not_found("open", path);
        }
        if (found->second->is_directory) {
            return make_error(ErrorCode::Io, "cannot open: is a directory").with_file(path);
        }
        return std::unique_ptr<File>(std::make_unique<SimulatedFile>(
            *this, found->second, std::string(path), mode != OpenMode::ReadOnly));
    }
    if (found != entries_.end() || is_directory(path)) {
        return make_error(ErrorCode::Refused, "cannot create: the file exists").with_file(path);
    }
    RETURN_IF_ERROR(require_parent(path));
    const auto status = begin({.kind = OperationKind::Create, .path = std::string(path), .to = {}});
    auto inode = std::make_shared<Inode>();
    if (status || crashed_) {
        change({.removed = std::nullopt, .added = std::string(path), .inode = inode});
    }
    RETURN_IF_ERROR(status);
    return std::unique_ptr<File>(
        std::make_unique<SimulatedFile>(*this, std::move(inode), std::string(path), true));
}

Status SimulatedDisk::rename(std::string_view from, std::string_view to) {
    RETURN_IF_ERROR(require_power());
    const auto found = entries_.find(from);
    if (found == entries_.end()) {
        return not_found("rename", from);
    }
    REDOUBT_ASSERT(!found->second->is_directory);  // no command of ours renames one
    RETURN_IF_ERROR(require_parent(to));
    const auto status =
        begin({.kind = OperationKind::Rename, .path = std::string(from), .to = std::string(to)});
    if (status || crashed_) {
        change({.removed = std::string(from),
                .added = std::string(to),
                .inode = std::shared_ptr<Inode>(found->second)});
    }
    return status;
}

Status SimulatedDisk::unlink(std::string_view path) {
    RETURN_IF_ERROR(require_power());
    const auto found = entries_.find(path);
    if (found == entries_.end() || found->second->is_directory) {
        return not_found("delete", path);
    }
    const auto status = begin({.kind = OperationKind::Unlink, .path = std::string(path), .to = {}});
    if (status || crashed_) {
        change({.removed = std::string(path), .added = std::nullopt, .inode = nullptr});
    }
    return status;
}

Status SimulatedDisk::make_directory(std::string_view path) {
    RETURN_IF_ERROR(require_power());
    if (is_directory(path)) {
        return {};
    }
    if (entries_.contains(path)) {
        return make_error(ErrorCode::Io, "cannot make directory: a file has its name")
            .with_file(path);
    }
    if (const std::string parent = parent_of(path); !is_directory(parent)) {
        RETURN_IF_ERROR(make_directory(parent));
    }
    const auto status =
        begin({.kind = OperationKind::MakeDirectory, .path = std::string(path), .to = {}});
    if (status || crashed_) {
        auto inode = std::make_shared<Inode>();
        inode->is_directory = true;
        change({.removed = std::nullopt, .added = std::string(path), .inode = std::move(inode)});
    }
    return status;
}

Result<std::vector<std::string>> SimulatedDisk::list(std::string_view path) {
    RETURN_IF_ERROR(require_power());
    if (!is_directory(path)) {
        return not_found("list", path);
    }
    std::vector<std::string> names;
    for (const auto& [entry, inode] : entries_) {
        if (entry != "/" && parent_of(entry) == path) {
            names.push_back(entry.substr(entry.rfind('/') + 1));
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<FileInfo> SimulatedDisk::info(std::string_view path) {
    RETURN_IF_ERROR(require_power());
    const auto found = entries_.find(path);
    if (found != entries_.end() && !found->second->is_directory) {
        return SimulatedFile(*this, found->second, found->first, false).info();
    }
    if (!is_directory(path)) {
        return not_found("stat", path);
    }
    return FileInfo{.size = 0,
                    .allocated_size = 0,
                    .block_size = SparseBytes::kBlockSize,
                    .is_directory = true,
                    .is_regular = false};
}

Status SimulatedDisk::sync_directory(std::string_view path) {
    RETURN_IF_ERROR(require_power());
    if (!is_directory(path)) {
        return not_found("sync directory", path);
    }
    const auto status =
        begin({.kind = OperationKind::SyncDirectory, .path = std::string(path), .to = {}});
    if (status) {
        make_durable(path);
    } else if (crashed_) {
        syncing_directory_ = std::string(path);
    }
    return status;
}

Result<std::uint64_t> SimulatedDisk::free_space(std::string_view path) {
    RETURN_IF_ERROR(info(path));
    return capacity_ - std::min(capacity_, used());
}

}  // namespace redoubt::io
