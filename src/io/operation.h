/// One operation on a file or directory, as recorders and the simulated disk name it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace redoubt::io {

enum class OperationKind {
    Open,
    Create,
    Read,
    Write,
    Sync,
    Truncate,
    PunchHole,
    Rename,
    Unlink,
    MakeDirectory,
    SyncDirectory
};
std::string_view name_of(OperationKind kind);

struct Operation {
    OperationKind kind;
    std::string path;
    std::string to;            ///< Rename only
    std::uint64_t offset = 0;  ///< Read, Write, PunchHole; the size for Truncate
    std::uint64_t length = 0;  ///< Read, Write, PunchHole
    /// "write ib_logfile0 4096+512"
    std::string to_string() const;
};

}  // namespace redoubt::io
