#include "io/simulated_disk.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "io/simulated_tree.h"

namespace redoubt::io {
namespace {

using NodeId = SimulatedTree::NodeId;

constexpr std::uint32_t kSectorSize = 512;

Error power_loss(std::string_view path) {
    return make_error(ErrorCode::Io, "simulated power loss").with_file(path);
}

Error no_space(std::string_view path) {
    return make_error(ErrorCode::NoSpace, "cannot write: the simulated disk is full")
        .with_file(path);
}

FileInfo info_of(const SimulatedTree::Node& node) {
    return {.size = node.content.current().size(),
            .allocated_size = node.content.current().allocated_size(),
            .block_size = SparseBytes::kBlockSize,
            .is_directory = node.is_directory,
            .is_regular = !node.is_directory};
}

}  // namespace

struct SimulatedDisk::State {
    /// What becomes of the operation that begins.
    enum class Fate {
        Happens,
        Fails,       ///< as planned by fail_operation
        PowerFails,  ///< now, while it is in flight
        PowerIsOff
    };

    State() = default;
    State(const State& other) = default;
    State& operator=(const State&) = delete;
    ~State() = default;

    Fate begin(Operation operation);
    /// Whether it changes the current state: what is in flight when the power fails is pending.
    static bool has_effect(Fate fate) { return fate == Fate::Happens || fate == Fate::PowerFails; }
    /// Of an operation with this fate, `done` being what it did if it happened.
    Status end(Fate fate, Status done, std::string_view path) const;
    Status require_power(std::string_view path) const {
        return crashed ? Status(power_loss(path)) : ok_status();
    }
    Status write(NodeId file, std::uint64_t offset, std::span<const std::byte> data,
                 std::string_view path);
    std::uint64_t free_space() const;

    SimulatedTree tree;
    /// Shared with copies of this disk until one of them goes on.
    std::shared_ptr<std::vector<Operation>> log = std::make_shared<std::vector<Operation>>();
    std::uint64_t crash_at = 0;
    std::map<std::uint64_t, ErrorCode> failures;
    std::optional<std::uint64_t> capacity;
    bool crashed = false;
    /// The file or directory that was being synced at the crash; 0: none was.
    NodeId sync_in_flight = 0;
};

SimulatedDisk::State::Fate SimulatedDisk::State::begin(Operation operation) {
    if (crashed) {
        return Fate::PowerIsOff;
    }
    if (log.use_count() > 1) {
        log = std::make_shared<std::vector<Operation>>(*log);
    }
    log->push_back(std::move(operation));
    if (log->size() == crash_at) {
        crashed = true;
        return Fate::PowerFails;
    }
    return failures.contains(log->size()) ? Fate::Fails : Fate::Happens;
}

Status SimulatedDisk::State::end(Fate fate, Status done, std::string_view path) const {
    switch (fate) {
        case Fate::Happens:
            return done;
        case Fate::Fails:
            return make_error(failures.at(log->size()), "simulated failure of operation {}",
                              log->size())
                .with_file(path);
        case Fate::PowerFails:
        case Fate::PowerIsOff:
            break;
    }
    return power_loss(path);
}

Status SimulatedDisk::State::write(NodeId file, std::uint64_t offset,
                                   std::span<const std::byte> data, std::string_view path) {
    SimulatedContent& content = tree.at(file).content;
    const std::uint64_t fitting =
        capacity ? content.current().fitting(offset, data.size(), free_space()) : data.size();
    content.write(log->size(), offset, data.first(fitting));
    return fitting == data.size() ? ok_status() : Status(no_space(path));
}

std::uint64_t SimulatedDisk::State::free_space() const {
    if (!capacity) {
        return std::uint64_t{1} << 40;
    }
    return *capacity - std::min(*capacity, tree.allocated_size());
}

class SimulatedDisk::OpenFile final : public File {
public:
    OpenFile(std::shared_ptr<State> disk, NodeId node, std::string path, bool writable)
        : disk_(std::move(disk)), node_(node), path_(std::move(path)), writable_(writable) {
        ++disk_->tree.at(node_).open_count;
    }
    ~OpenFile() override { --disk_->tree.at(node_).open_count; }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    const std::string& path() const override { return path_; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        RETURN_IF_ERROR(disk_->require_power(path_));
        const SparseBytes& bytes = content().current();
        const std::size_t n =
            std::min<std::uint64_t>(buffer.size(), bytes.size() - std::min(offset, bytes.size()));
        bytes.read(offset, buffer.first(n));
        return n;
    }

    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        RETURN_IF_ERROR(require_writable());
        const auto fate = disk_->begin({OperationKind::Write, path_, {}, offset, data.size()});
        Status done;
        if (State::has_effect(fate)) {
            done = disk_->write(node_, offset, data, path_);
        } else if (fate == State::Fate::Fails) {
            done = disk_->write(node_, offset, data.first(written_at_failure(offset, data.size())),
                                path_);
        }
        return disk_->end(fate, std::move(done), path_);
    }

    Status sync() override {
        const auto fate = disk_->begin({OperationKind::Sync, path_, {}, 0, 0});
        if (fate == State::Fate::Happens) {
            content().sync();
        } else if (fate == State::Fate::Fails) {
            content().fail_sync();
        } else if (fate == State::Fate::PowerFails) {
            disk_->sync_in_flight = node_;
        }
        return disk_->end(fate, {}, path_);
    }

    Status truncate(std::uint64_t size) override {
        RETURN_IF_ERROR(require_writable());
        const auto fate = disk_->begin({OperationKind::Truncate, path_, {}, size, 0});
        if (State::has_effect(fate)) {
            content().truncate(number(), size);
        }
        return disk_->end(fate, {}, path_);
    }

    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        RETURN_IF_ERROR(require_writable());
        const auto fate = disk_->begin({OperationKind::PunchHole, path_, {}, offset, length});
        if (State::has_effect(fate)) {
            content().punch_hole(number(), offset, length);
        }
        return disk_->end(fate, {}, path_);
    }

    Result<FileInfo> info() override {
        RETURN_IF_ERROR(disk_->require_power(path_));
        return info_of(disk_->tree.at(node_));
    }
    Status lock_exclusive() override { return disk_->require_power(path_); }
    Result<bool> locked_by_other() override {
        RETURN_IF_ERROR(disk_->require_power(path_));
        return false;
    }
    void will_sync(std::uint64_t, std::uint64_t) override {}

private:
    SimulatedContent& content() { return disk_->tree.at(node_).content; }
    /// Of the operation that began last.
    std::uint64_t number() const { return disk_->log->size(); }

    /// Bytes that a failing write leaves: some of its first sectors, not all, by its number.
    std::size_t written_at_failure(std::uint64_t offset, std::size_t size) const {
        const std::uint64_t sectors = (size + kSectorSize - 1) / kSectorSize;
        const std::uint64_t written =
            CrashDice(number()).below(std::max<std::uint64_t>(sectors, 1));
        return written == 0 ? 0 : written * kSectorSize - offset % kSectorSize;
    }

    Status require_writable() const {
        if (!writable_) {
            return make_error(ErrorCode::Io, "cannot write: the file is open for reading only")
                .with_file(path_);
        }
        return {};
    }

    std::shared_ptr<State> disk_;
    NodeId node_;
    std::string path_;
    bool writable_;
};

SimulatedDisk::SimulatedDisk() : state_(std::make_shared<State>()) {}
SimulatedDisk::SimulatedDisk(std::shared_ptr<State> state) : state_(std::move(state)) {}
SimulatedDisk::SimulatedDisk(const SimulatedDisk& other)
    : Directory(other), root_(other.root_), state_(std::make_shared<State>(*other.state_)) {
    state_->tree.forget_open_files();
}
SimulatedDisk& SimulatedDisk::operator=(const SimulatedDisk& other) {
    return *this = SimulatedDisk(other);
}
SimulatedDisk::SimulatedDisk(SimulatedDisk&&) noexcept = default;
SimulatedDisk& SimulatedDisk::operator=(SimulatedDisk&&) noexcept = default;
SimulatedDisk::~SimulatedDisk() = default;

void SimulatedDisk::put(std::string_view path, std::span<const std::byte> bytes) {
    state_->tree.put(path, bytes);
}

Result<std::vector<std::byte>> SimulatedDisk::content(std::string_view path) const {
    ASSIGN_OR_RETURN(const NodeId file, state_->tree.find_file(path, "read"));
    const SparseBytes& current = state_->tree.at(file).content.current();
    std::vector<std::byte> bytes(current.size());
    current.read(0, bytes);
    return bytes;
}

std::vector<std::string> SimulatedDisk::files() const { return state_->tree.files(); }

std::vector<std::string> SimulatedDisk::synced_files() const {
    std::vector<std::string> paths = files();
    std::erase_if(paths, [&](const std::string& path) {
        const auto node = state_->tree.find_file(path, "look at");
        return !node || !state_->tree.at(*node).content.was_synced();
    });
    return paths;
}

bool SimulatedDisk::everything_durable() const { return state_->tree.pending().empty(); }

std::string SimulatedDisk::pending_text() const {
    return fmt::format("{}", fmt::join(state_->tree.pending(), "; "));
}

std::uint64_t SimulatedDisk::operation_count() const { return state_->log->size(); }

const std::vector<Operation>& SimulatedDisk::operations() const { return *state_->log; }

std::string SimulatedDisk::operation_text(std::uint64_t number) const {
    REDOUBT_ASSERT(number != 0 && number <= state_->log->size());
    return fmt::format("{}: {}", number, (*state_->log)[number - 1].to_string());
}

void SimulatedDisk::crash_at(std::uint64_t operation_number) {
    state_->crash_at = operation_number;
}

bool SimulatedDisk::crashed() const { return state_->crashed; }

SimulatedDisk SimulatedDisk::after_crash(std::uint64_t seed, CrashModel model) const {
    CrashDice dice(seed);
    auto state = std::make_shared<State>();
    state->capacity = state_->capacity;
    state->tree = state_->tree;
    // A copy no longer knows a file that was open without a name: nothing of it would survive.
    const NodeId synced = state_->sync_in_flight;
    if (model.unsynced == CrashModel::Unsynced::Random && state->tree.contains(synced) &&
        dice.coin()) {
        if (state->tree.at(synced).is_directory) {
            state->tree.sync_directory(synced);
        } else {
            state->tree.at(synced).content.sync();
        }
    }
    state->tree.lose_power(model, dice);
    return SimulatedDisk(std::move(state));
}

SimulatedDisk SimulatedDisk::after_kill() const {
    auto state = std::make_shared<State>();
    state->capacity = state_->capacity;
    state->tree = state_->tree;
    state->tree.forget_open_files();
    return SimulatedDisk(std::move(state));
}

void SimulatedDisk::fail_operation(std::uint64_t operation_number, ErrorCode code) {
    REDOUBT_ASSERT(code == ErrorCode::Io || code == ErrorCode::NoSpace);
    state_->failures.insert_or_assign(operation_number, code);
}

std::uint64_t SimulatedDisk::used() const { return state_->tree.allocated_size(); }

void SimulatedDisk::set_capacity(std::uint64_t bytes) { state_->capacity = bytes; }

Status SimulatedDisk::flip_bit(std::string_view path, std::uint64_t offset, unsigned bit) {
    ASSIGN_OR_RETURN(const NodeId file, state_->tree.find_file(path, "flip a bit"));
    state_->tree.at(file).content.flip_bit(offset, bit);
    return {};
}

Status SimulatedDisk::serve_stale(std::string_view path, std::uint64_t offset,
                                  std::uint64_t length) {
    ASSIGN_OR_RETURN(const NodeId file, state_->tree.find_file(path, "make stale"));
    state_->tree.at(file).content.make_stale(offset, length);
    return {};
}

Result<std::unique_ptr<File>> SimulatedDisk::open(std::string_view path, OpenMode mode) {
    NodeId node = 0;
    if (mode == OpenMode::CreateExclusive) {
        const auto fate = state_->begin({OperationKind::Create, std::string(path), {}, 0, 0});
        Status done;
        if (State::has_effect(fate)) {
            auto created = state_->tree.create(state_->log->size(), path);
            if (created) {
                node = *created;
            } else {
                done = std::move(created.error());
            }
        }
        RETURN_IF_ERROR(state_->end(fate, std::move(done), path));
    } else {
        RETURN_IF_ERROR(state_->require_power(path));
        ASSIGN_OR_RETURN(node, state_->tree.find_file(path, "open"));
    }
    return std::unique_ptr<File>(
        std::make_unique<OpenFile>(state_, node, std::string(path), mode != OpenMode::ReadOnly));
}

Status SimulatedDisk::rename(std::string_view from, std::string_view to) {
    const auto fate =
        state_->begin({OperationKind::Rename, std::string(from), std::string(to), 0, 0});
    Status done;
    if (State::has_effect(fate)) {
        done = state_->tree.rename(state_->log->size(), from, to);
    }
    return state_->end(fate, std::move(done), from);
}

Status SimulatedDisk::unlink(std::string_view path) {
    const auto fate = state_->begin({OperationKind::Unlink, std::string(path), {}, 0, 0});
    Status done;
    if (State::has_effect(fate)) {
        done = state_->tree.unlink(state_->log->size(), path);
    }
    return state_->end(fate, std::move(done), path);
}

Status SimulatedDisk::make_directory(std::string_view path) {
    const auto fate = state_->begin({OperationKind::MakeDirectory, std::string(path), {}, 0, 0});
    Status done;
    if (State::has_effect(fate)) {
        done = state_->tree.make_directory(state_->log->size(), path);
    }
    return state_->end(fate, std::move(done), path);
}

Result<std::vector<std::string>> SimulatedDisk::list(std::string_view path) {
    RETURN_IF_ERROR(state_->require_power(path));
    ASSIGN_OR_RETURN(const NodeId directory, state_->tree.find_directory(path, "list"));
    std::vector<std::string> names;
    for (const auto& [name, node] : state_->tree.at(directory).entries) {
        names.push_back(name);
    }
    return names;
}

Result<FileInfo> SimulatedDisk::info(std::string_view path) {
    RETURN_IF_ERROR(state_->require_power(path));
    ASSIGN_OR_RETURN(const NodeId node, state_->tree.find(path, "stat"));
    return info_of(state_->tree.at(node));
}

Status SimulatedDisk::sync_directory(std::string_view path) {
    const auto fate = state_->begin({OperationKind::SyncDirectory, std::string(path), {}, 0, 0});
    Status done;
    if (State::has_effect(fate)) {
        auto directory = state_->tree.find_directory(path, "sync directory");
        if (!directory) {
            done = std::move(directory.error());
        } else if (fate == State::Fate::Happens) {
            state_->tree.sync_directory(*directory);
        } else {
            state_->sync_in_flight = *directory;
        }
    }
    return state_->end(fate, std::move(done), path);
}

Result<std::uint64_t> SimulatedDisk::free_space(std::string_view path) {
    RETURN_IF_ERROR(info(path));
    return state_->free_space();
}

}  // namespace redoubt::io
