/// Recovery's own doublewrite: images of the pages it is about to overwrite in place, durable
/// before the first of them is touched. A page that a crash of the recovery tears is healed from
/// here by the next run.
///   J1  A page that was read from its file is overwritten only after its new image is durable in
///   the journal. J2  The journal is emptied only after the files written so far are durable. J3  A
///   journal serves only the recovery it was made for: same checkpoint, same end of log.
/// Format: docs/formats/journal.md. Our own file, unknown to mariadbd: `redoubt.journal` in the
/// data directory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "io/file.h"

namespace redoubt::recovery {

/// Which recovery a journal belongs to (J3).
struct JournalIdentity {
    Lsn checkpoint;
    Lsn end;
    friend bool operator==(const JournalIdentity&, const JournalIdentity&) = default;
};

struct JournalEntry {
    PageId id;
    std::span<const std::byte> image;  ///< as it will be stored
};

class Journal {
public:
    static constexpr const char* kFileName = "redoubt.journal";

    /// Opens what an earlier run left, for read(). Null: no journal, or one of another recovery
    /// (J3). Errors: Io.
    static Result<std::unique_ptr<Journal>> open(io::Directory& directory,
                                                 const JournalIdentity& identity);
    /// The same, of whatever recovery: for page 0 of the system tablespace, which is needed before
    /// the log can tell which recovery it is. The caller sees to J3.
    static Result<std::unique_ptr<Journal>> open_any(io::Directory& directory);
    /// Makes an empty one; an older one must have been used up or discarded.
    static Result<std::unique_ptr<Journal>> create(io::Directory& directory,
                                                   const JournalIdentity& identity);
    /// Deletes the file if it is there, durably.
    static Status remove(io::Directory& directory);

    /// Makes the images durable. Thread-safe. Errors: Io, NoSpace.
    Status append(std::span<const JournalEntry> entries);
    /// Bytes appended since create() or reset().
    std::uint64_t size() const;
    /// Forgets all images (J2 is the caller's duty).
    Status reset();

    /// The pages that read() knows, sorted.
    std::vector<PageId> pages() const;
    /// The image an earlier run left for a page; false = none. `image` has the page's physical
    /// size.
    Result<bool> read(PageId id, std::span<std::byte> image) const;
    /// The same for a page whose size is not known.
    Result<std::optional<std::vector<std::byte>>> read(PageId id) const;
    const JournalIdentity& identity() const { return identity_; }

private:
    Journal(std::unique_ptr<io::File> file, const JournalIdentity& identity)
        : file_(std::move(file)), identity_(identity) {}
    static Result<std::unique_ptr<io::File>> open_file(io::Directory& directory);
    static Result<std::unique_ptr<Journal>> load_file(std::unique_ptr<io::File> file,
                                                      const JournalIdentity& identity);
    Status load();
    struct Place {
        std::uint64_t offset;
        std::uint32_t length;
    };
    std::unique_ptr<io::File> file_;
    JournalIdentity identity_;
    std::map<PageId, Place> places_;  ///< of open(); constant after it
    mutable base::Mutex mutex_;
    std::uint64_t end_ GUARDED_BY(mutex_) = 0;
};

}  // namespace redoubt::recovery
