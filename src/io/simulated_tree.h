/// The files and directories of a simulated disk: each directory has its entries as they are now
/// and as they are durable; a list of entry operations, in order, lies between. Invariants:
///   T1  Syncing a directory makes all its entry operations durable, and nothing else does but T2.
///   T2  A rename is one operation, atomic at a crash. One between two directories stands in the
///       lists of both and becomes durable, whole, when either is synced: ext4 and XFS log both
///       sides in one transaction. The earlier operations of both lists, and the directory moved
///       to, become durable with it, as a log is written in order.
///   T3  A directory has the same parent for ever (so that there are no cycles).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/crash_model.h"
#include "io/operation.h"
#include "io/simulated_content.h"

namespace redoubt::io {

/// A copy shares the contents' chunks with the original.
class SimulatedTree {
public:
    using NodeId = std::uint64_t;
    using Entries = std::map<std::string, NodeId, std::less<>>;

    struct Node {
        bool is_directory = false;
        NodeId parent = 0;         ///< of a directory
        Entries entries;           ///< of a directory
        Entries durable_entries;   ///< of a directory
        SimulatedContent content;  ///< of a file
        std::uint32_t open_count = 0;
    };

    SimulatedTree();

    Node& at(NodeId id) { return nodes_.at(id); }
    bool contains(NodeId id) const { return nodes_.contains(id); }
    const Node& at(NodeId id) const { return nodes_.at(id); }
    /// Errors: NotFound, worded "cannot ACTION: ...".
    Result<NodeId> find(std::string_view path, std::string_view action) const;
    Result<NodeId> find_file(std::string_view path, std::string_view action) const;
    Result<NodeId> find_directory(std::string_view path, std::string_view action) const;

    /// `number`: of the operation on its disk. Errors: as those of `Directory`.
    Result<NodeId> create(std::uint64_t number, std::string_view path);
    Status make_directory(std::uint64_t number, std::string_view path);
    Status unlink(std::uint64_t number, std::string_view path);
    Status rename(std::uint64_t number, std::string_view from, std::string_view to);
    void sync_directory(NodeId directory);
    /// Creates or replaces a file, with its parents and all that was pending in these durable.
    void put(std::string_view path, std::span<const std::byte> bytes);
    /// For a copy, which the open files do not know.
    void forget_open_files();
    /// Forgets nodes that no entry, pending operation or open file refers to.
    void collect();
    /// Forgets open files and leaves what a power loss may leave, durable.
    void lose_power(const CrashModel& model, CrashDice& dice);

    /// Paths of the files, sorted.
    std::vector<std::string> files() const;
    /// Bytes in use by the files that have a name or are open.
    std::uint64_t allocated_size() const;
    /// What a power loss now could take, in order: "12: write a.ibd 0+512", 12 being the number of
    /// the operation on its disk.
    std::vector<std::string> pending() const;

private:
    struct EntryOperation {
        OperationKind kind;    ///< Create, MakeDirectory, Unlink or Rename
        std::uint64_t number;  ///< of the operation on its disk
        NodeId node;
        NodeId directory;
        std::string name;
        NodeId to_directory = 0;   ///< Rename only
        std::string to_name = {};  ///< Rename only
        std::string path = {};     ///< as it was asked for, for messages
        std::string to_path = {};
    };
    struct Place {
        NodeId directory;
        std::string name;
    };

    /// Where `path` is or would be. Errors: NotFound when its parent is no directory.
    Result<Place> place_of(std::string_view path) const;
    /// 0 when there is none.
    NodeId entry(const Place& place) const;
    NodeId add_node(bool is_directory, NodeId parent);
    void perform(EntryOperation operation);
    /// Adds to `keep` (one for each pending operation) what T2 and the order of lists demand.
    void add_required(std::vector<bool>& keep) const;
    std::vector<bool> choose(CrashDice& dice) const;
    /// Makes those operations durable and forgets that they were pending.
    void settle(const std::vector<bool>& which);
    /// Calls visit(path, id, node) for each file and directory that has a name.
    template <class Visit>
    void walk(const Visit& visit) const;

    std::map<NodeId, Node> nodes_;
    NodeId last_id_;
    std::vector<EntryOperation> pending_;
};

}  // namespace redoubt::io
