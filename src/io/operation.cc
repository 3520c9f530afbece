#include "io/operation.h"

#include <fmt/format.h>

namespace redoubt::io {

std::string_view name_of(OperationKind kind) {
    switch (kind) {
        case OperationKind::Open:
            return "open";
        case OperationKind::Create:
            return "create";
        case OperationKind::Read:
            return "read";
        case OperationKind::Write:
            return "write";
        case OperationKind::Sync:
            return "sync";
        case OperationKind::Truncate:
            return "truncate";
        case OperationKind::PunchHole:
            return "punch_hole";
        case OperationKind::Rename:
            return "rename";
        case OperationKind::Unlink:
            return "unlink";
        case OperationKind::MakeDirectory:
            return "make_directory";
        case OperationKind::SyncDirectory:
            break;
    }
    return "sync_directory";
}

std::string Operation::to_string() const {
    switch (kind) {
        case OperationKind::Read:
        case OperationKind::Write:
        case OperationKind::PunchHole:
            return fmt::format("{} {} {}+{}", name_of(kind), path, offset, length);
        case OperationKind::Truncate:
            return fmt::format("truncate {} {}", path, offset);
        case OperationKind::Rename:
            return fmt::format("rename {} {}", path, to);
        default:
            return fmt::format("{} {}", name_of(kind), path);
    }
}

}  // namespace redoubt::io
