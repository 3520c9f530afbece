/// A directory that passes everything on to another one and notes each operation in order: tests
/// assert the order of writes, syncs and renames with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "io/file.h"

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

/// Thread-safe; shared by a RecordingDirectory and the files opened through it.
class OperationLog {
public:
    void add(Operation operation);
    std::vector<Operation> operations() const;

private:
    mutable base::Mutex mutex_;
    std::vector<Operation> operations_ GUARDED_BY(mutex_);
};

/// `inner` must outlive the result; `log` is shared with the files still open.
std::unique_ptr<Directory> record_operations(Directory& inner, std::shared_ptr<OperationLog> log);

}  // namespace redoubt::io
