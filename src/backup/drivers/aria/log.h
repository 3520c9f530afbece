/// Copies Aria's log while it grows: its complete files at once, its end a piece further in each
/// stage.
///   L1  What is copied before the last pass is final: the log is flushed from buffers of 1 MiB, up
///   to five at a time and not in order, so the last 5 MiB of it are left to a later pass; so is
///   everything from the first page on that does not bear its own number.
///   L2  The copy's control file is that of before the first table was copied (recovery begins at
///   its checkpoint), but names the last log file that was copied.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "backup/driver.h"
#include "backup/drivers/aria/format.h"
#include "io/file.h"

namespace redoubt::backup::aria {

class LogCopier {
public:
    /// `context` outlives this.
    explicit LogCopier(const DriverContext& context) : context_(context) {}

    /// Reads the control file; before any table is copied. False: this directory has no Aria log.
    /// Errors: Corruption, Io.
    Result<bool> begin();
    /// The files that are complete, and the first piece of the others. Errors: NotFound (a log file
    /// is missing), as run().
    Status copy_complete();
    /// Copies on. `last`: the server has flushed the log and writes no more of it; everything is
    /// copied, and the control file.
    Status copy_tail(bool last);

private:
    /// A log file not complete yet.
    struct Tail {
        std::unique_ptr<io::File> source;
        std::unique_ptr<TargetFile> copy;
        std::string header;      ///< first page, as it was copied
        std::uint64_t size = 0;  ///< of the source, in this pass
    };

    Status open_tails();
    Status copy_pages(std::uint32_t number, Tail& tail, std::uint64_t end, bool last);
    Status finish(Tail& tail);
    std::string path_of(std::uint32_t number) const;

    const DriverContext& context_;
    std::optional<LogControl> control_;
    std::uint32_t next_ = 0;  ///< first log file that was not seen yet
    std::map<std::uint32_t, Tail> tails_;
};

}  // namespace redoubt::backup::aria
