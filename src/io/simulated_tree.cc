#include "io/simulated_tree.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/assert.h"
#include "io/file.h"

namespace redoubt::io {
namespace {

using NodeId = SimulatedTree::NodeId;

constexpr NodeId kRelativeRoot = 1;
constexpr NodeId kAbsoluteRoot = 2;

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        if (const std::string_view part = path.substr(0, slash); !part.empty() && part != ".") {
            parts.push_back(part);
        }
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return parts;
}

NodeId root_of(std::string_view path) {
    return path.starts_with('/') ? kAbsoluteRoot : kRelativeRoot;
}

Error not_found(std::string_view action, std::string_view path) {
    return make_error(ErrorCode::NotFound, "cannot {}: no such file or directory", action)
        .with_file(path);
}

}  // namespace

SimulatedTree::SimulatedTree() : last_id_(kAbsoluteRoot) {
    nodes_[kRelativeRoot].is_directory = true;
    nodes_[kAbsoluteRoot].is_directory = true;
}

Result<NodeId> SimulatedTree::find(std::string_view path, std::string_view action) const {
    NodeId id = root_of(path);
    for (const std::string_view part : parts_of(path)) {
        const Entries& entries = nodes_.at(id).entries;
        const auto it = entries.find(part);
        if (it == entries.end()) {
            return not_found(action, path);
        }
        id = it->second;
    }
    return id;
}

Result<NodeId> SimulatedTree::find_file(std::string_view path, std::string_view action) const {
    ASSIGN_OR_RETURN(const NodeId id, find(path, action));
    if (nodes_.at(id).is_directory) {
        return make_error(ErrorCode::Io, "cannot {}: is a directory", action).with_file(path);
    }
    return id;
}

Result<NodeId> SimulatedTree::find_directory(std::string_view path, std::string_view action) const {
    ASSIGN_OR_RETURN(const NodeId id, find(path, action));
    if (!nodes_.at(id).is_directory) {
        return not_found(action, path);
    }
    return id;
}

Result<SimulatedTree::Place> SimulatedTree::place_of(std::string_view path) const {
    const std::vector<std::string_view> parts = parts_of(path);
    if (parts.empty()) {
        return make_error(ErrorCode::Refused, "cannot make, move or delete the root")
            .with_file(path);
    }
    NodeId directory = root_of(path);
    for (auto part = parts.begin(); part + 1 != parts.end(); ++part) {
        directory = entry({directory, std::string(*part)});
        if (directory == 0 || !nodes_.at(directory).is_directory) {
            return not_found("use directory", path);
        }
    }
    return Place{directory, std::string(parts.back())};
}

NodeId SimulatedTree::entry(const Place& place) const {
    const Entries& entries = nodes_.at(place.directory).entries;
    const auto it = entries.find(place.name);
    return it == entries.end() ? 0 : it->second;
}

NodeId SimulatedTree::add_node(bool is_directory, NodeId parent) {
    Node& node = nodes_[++last_id_];
    node.is_directory = is_directory;
    node.parent = parent;
    return last_id_;
}

void SimulatedTree::perform(EntryOperation operation) {
    Entries& entries = nodes_.at(operation.directory).entries;
    switch (operation.kind) {
        case OperationKind::Unlink:
            entries.erase(operation.name);
            break;
        case OperationKind::Rename:
            entries.erase(operation.name);
            nodes_.at(operation.to_directory).entries[operation.to_name] = operation.node;
            break;
        default:
            entries[operation.name] = operation.node;
            break;
    }
    pending_.push_back(std::move(operation));
}

Result<NodeId> SimulatedTree::create(std::uint64_t number, std::string_view path) {
    ASSIGN_OR_RETURN(const Place place, place_of(path));
    if (entry(place) != 0) {
        return make_error(ErrorCode::Refused, "cannot create: the file exists").with_file(path);
    }
    const NodeId node = add_node(/*is_directory=*/false, 0);
    perform({.kind = OperationKind::Create,
             .number = number,
             .node = node,
             .directory = place.directory,
             .name = place.name,
             .path = std::string(path)});
    return node;
}

Status SimulatedTree::make_directory(std::uint64_t number, std::string_view path) {
    NodeId directory = root_of(path);
    for (const std::string_view part : parts_of(path)) {
        NodeId next = entry({directory, std::string(part)});
        if (next == 0) {
            next = add_node(/*is_directory=*/true, directory);
            perform({.kind = OperationKind::MakeDirectory,
                     .number = number,
                     .node = next,
                     .directory = directory,
                     .name = std::string(part),
                     .path = std::string(path.substr(
                         0, static_cast<std::size_t>(part.data() + part.size() - path.data())))});
        } else if (!nodes_.at(next).is_directory) {
            return make_error(ErrorCode::Io, "cannot make directory: a file has its name")
                .with_file(path);
        }
        directory = next;
    }
    return {};
}

Status SimulatedTree::unlink(std::uint64_t number, std::string_view path) {
    ASSIGN_OR_RETURN(const NodeId node, find_file(path, "delete"));
    ASSIGN_OR_RETURN(const Place place, place_of(path));
    perform({.kind = OperationKind::Unlink,
             .number = number,
             .node = node,
             .directory = place.directory,
             .name = place.name,
             .path = std::string(path)});
    return {};
}

Status SimulatedTree::rename(std::uint64_t number, std::string_view from, std::string_view to) {
    ASSIGN_OR_RETURN(const NodeId node, find(from, "rename"));
    ASSIGN_OR_RETURN(const Place source, place_of(from));
    ASSIGN_OR_RETURN(const Place target, place_of(to));
    const NodeId replaced = entry(target);
    if (replaced == node) {
        return {};
    }
    const bool is_directory = nodes_.at(node).is_directory;
    if (replaced != 0 && (is_directory || nodes_.at(replaced).is_directory)) {
        return make_error(ErrorCode::Io, "cannot rename to {}: a directory is in the way", to)
            .with_file(from);
    }
    if (is_directory && source.directory != target.directory) {
        // Not handled: moving a directory (T3); returns Unsupported.
        return make_error(ErrorCode::Unsupported, "cannot move a directory to {}", to)
            .with_file(from);
    }
    perform({.kind = OperationKind::Rename,
             .number = number,
             .node = node,
             .directory = source.directory,
             .name = source.name,
             .to_directory = target.directory,
             .to_name = target.name,
             .path = std::string(from),
             .to_path = std::string(to)});
    return {};
}

void SimulatedTree::sync_directory(NodeId directory) {
    std::vector<bool> which;
    which.reserve(pending_.size());
    for (const EntryOperation& operation : pending_) {
        which.push_back(operation.directory == directory || operation.to_directory == directory);
    }
    add_required(which);
    settle(which);
    collect();
}

void SimulatedTree::put(std::string_view path, std::span<const std::byte> bytes) {
    const std::string parent = parent_of(path);
    const bool made = make_directory(0, parent).has_value();
    REDOUBT_ASSERT(made);
    auto file = find_file(path, "put");
    if (!file) {
        file = create(0, path);
    }
    REDOUBT_ASSERT(file);
    at(*file).content.put(bytes);
    NodeId directory = *find(parent, "put");
    while (directory != 0) {
        const NodeId next = at(directory).parent;
        sync_directory(directory);
        directory = next;
    }
}

void SimulatedTree::forget_open_files() {
    for (auto& [id, node] : nodes_) {
        node.open_count = 0;
    }
    collect();
}

void SimulatedTree::add_required(std::vector<bool>& keep) const {
    std::set<NodeId> in_order;  // directories of which all that is earlier is kept
    std::set<NodeId> reached;   // directories that must be there to hold a moved file
    for (std::size_t i = pending_.size(); i-- > 0;) {
        const EntryOperation& operation = pending_[i];
        const bool makes_reached =
            operation.kind == OperationKind::MakeDirectory && reached.contains(operation.node);
        keep[i] = keep[i] || makes_reached || in_order.contains(operation.directory) ||
                  in_order.contains(operation.to_directory);
        if (!keep[i]) {
            continue;
        }
        in_order.insert(operation.directory);
        if (operation.kind == OperationKind::Rename) {
            in_order.insert(operation.to_directory);
            if (operation.to_directory != operation.directory) {
                for (NodeId id = operation.to_directory; id != 0; id = nodes_.at(id).parent) {
                    reached.insert(id);
                }
            }
        }
    }
}

/// A prefix of everything, as of one log; or of each directory on its own, which promises less.
std::vector<bool> SimulatedTree::choose(CrashDice& dice) const {
    std::vector<bool> keep(pending_.size());
    if (dice.coin()) {
        std::fill_n(keep.begin(), dice.below(pending_.size() + 1), true);
        return keep;
    }
    std::map<NodeId, std::uint64_t> left;  // to be kept, of each directory's list
    for (const EntryOperation& operation : pending_) {
        ++left[operation.directory];
        if (operation.to_directory != 0 && operation.to_directory != operation.directory) {
            ++left[operation.to_directory];
        }
    }
    for (auto& [directory, count] : left) {
        count = dice.below(count + 1);
    }
    const auto take = [&left](NodeId directory) {
        std::uint64_t& count = left[directory];
        return count != 0 && count-- != 0;
    };
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        const EntryOperation& operation = pending_[i];
        keep[i] = take(operation.directory);
        if (operation.to_directory != 0 && operation.to_directory != operation.directory) {
            keep[i] = take(operation.to_directory) || keep[i];
        }
    }
    add_required(keep);
    return keep;
}

void SimulatedTree::settle(const std::vector<bool>& which) {
    std::vector<EntryOperation> left;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        EntryOperation& operation = pending_[i];
        if (!which[i]) {
            left.push_back(std::move(operation));
            continue;
        }
        Entries& entries = nodes_.at(operation.directory).durable_entries;
        switch (operation.kind) {
            case OperationKind::Unlink:
                entries.erase(operation.name);
                break;
            case OperationKind::Rename:
                entries.erase(operation.name);
                nodes_.at(operation.to_directory).durable_entries[operation.to_name] =
                    operation.node;
                break;
            default:
                entries[operation.name] = operation.node;
                break;
        }
    }
    pending_ = std::move(left);
}

void SimulatedTree::collect() {
    std::set<NodeId> reached;
    std::vector<NodeId> todo{kRelativeRoot, kAbsoluteRoot};
    for (const EntryOperation& operation : pending_) {
        todo.insert(todo.end(), {operation.node, operation.directory});
        if (operation.to_directory != 0) {
            todo.push_back(operation.to_directory);
        }
    }
    for (const auto& [id, node] : nodes_) {
        if (node.open_count != 0) {
            todo.push_back(id);
        }
    }
    while (!todo.empty()) {
        const NodeId id = todo.back();
        todo.pop_back();
        if (!reached.insert(id).second) {
            continue;
        }
        const Node& node = nodes_.at(id);
        for (const Entries* entries : {&node.entries, &node.durable_entries}) {
            for (const auto& [name, child] : *entries) {
                todo.push_back(child);
            }
        }
    }
    std::erase_if(nodes_, [&reached](const auto& node) { return !reached.contains(node.first); });
}

void SimulatedTree::lose_power(const CrashModel& model, CrashDice& dice) {
    switch (model.unsynced) {
        case CrashModel::Unsynced::Lost:
            break;
        case CrashModel::Unsynced::Kept:
            settle(std::vector<bool>(pending_.size(), true));
            break;
        case CrashModel::Unsynced::Random:
            settle(choose(dice));
            break;
    }
    pending_.clear();
    for (auto& [id, node] : nodes_) {
        node.entries = node.durable_entries;
    }
    forget_open_files();
    for (auto& [id, node] : nodes_) {
        node.content.lose_power(model, dice);
    }
}

template <class Visit>
void SimulatedTree::walk(const Visit& visit) const {
    std::vector<std::pair<std::string, NodeId>> todo{{"", kRelativeRoot}, {"/", kAbsoluteRoot}};
    while (!todo.empty()) {
        const auto [path, id] = std::move(todo.back());
        todo.pop_back();
        const Node& node = nodes_.at(id);
        visit(path, id, node);
        for (const auto& [name, child] : node.entries) {
            todo.emplace_back(join(path, name), child);
        }
    }
}

std::vector<std::string> SimulatedTree::files() const {
    std::vector<std::string> paths;
    walk([&paths](const std::string& path, NodeId, const Node& node) {
        if (!node.is_directory) {
            paths.push_back(path);
        }
    });
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::uint64_t SimulatedTree::allocated_size() const {
    std::uint64_t size = 0;
    std::set<NodeId> named;
    walk([&](const std::string&, NodeId id, const Node& node) {
        named.insert(id);
        size += node.content.current().allocated_size();
    });
    for (const auto& [id, node] : nodes_) {
        if (node.open_count != 0 && !named.contains(id)) {
            size += node.content.current().allocated_size();
        }
    }
    return size;
}

std::vector<std::string> SimulatedTree::pending() const {
    std::vector<std::pair<std::uint64_t, std::string>> found;
    for (const EntryOperation& operation : pending_) {
        found.emplace_back(
            operation.number,
            Operation{operation.kind, operation.path, operation.to_path, 0, 0}.to_string());
    }
    walk([&found](const std::string& path, NodeId, const Node& node) {
        for (const SimulatedContent::Pending& operation : node.content.pending()) {
            found.emplace_back(
                operation.number,
                Operation{operation.kind, path, {}, operation.offset, operation.length}
                        .to_string() +
                    (operation.dropped ? " (dropped by a failed sync)" : ""));
        }
    });
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> texts;
    texts.reserve(found.size());
    for (const auto& [number, text] : found) {
        texts.push_back(fmt::format("{}: {}", number, text));
    }
    return texts;
}

}  // namespace redoubt::io
