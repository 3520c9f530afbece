/// A directory that passes everything on to another one and notes each operation in order: tests
/// assert the order of writes, syncs and renames with it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "io/file.h"
#include "io/operation.h"

namespace redoubt::io {

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
