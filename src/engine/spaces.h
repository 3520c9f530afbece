/// The tablespaces of a directory as one page source: where the redo log changes a space, its pages
/// are as recovery would leave them. Nothing on disk changes.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "recovery/analysis.h"
#include "recovery/recovered_pages.h"
#include "space/directory_options.h"
#include "space/file_pages.h"
#include "space/page_source.h"

namespace redoubt::engine {

class Spaces final : public space::PageSource {
public:
    /// Opens what every directory has. Errors: NotFound, Refused (in use), Unsupported, Key,
    /// Corruption, Io.
    static Result<std::unique_ptr<Spaces>> open(io::Directory& directory,
                                                const space::DirectoryOptions& options);

    /// One table's file, away from its directory: its pages as they are stored. Errors: as
    /// Tablespace::open; Refused (in use).
    static Result<std::unique_ptr<Spaces>> open_alone(io::Directory& directory,
                                                      const std::string& file,
                                                      const space::DirectoryOptions& options);

    Status read(PageId id, std::span<std::byte> plain) override;
    Result<std::uint32_t> page_count(SpaceId space) override;

    /// What page 0 says. Errors: NotFound: no file carries this id.
    Result<space::SpaceHeader> header(SpaceId space);
    /// Where the file of a table is, by name if the file there carries the id, else wherever a file
    /// does. Errors: NotFound.
    Result<std::string> find(SpaceId space, const std::string& name);

    std::uint32_t page_size() const { return system_header_.flags.logical_page_size; }
    const space::Layout& layout() const { return layout_; }
    bool needs_recovery() const { return recovered_ != nullptr; }
    /// Not of a file alone.
    Lsn end_lsn() const { return analysis_->scan.end; }
    /// Of a file alone.
    SpaceId alone() const { return system_header_.id; }

private:
    struct OpenFile {
        std::unique_ptr<space::Tablespace> file;
        std::unique_ptr<space::FilePages> pages;
    };

    explicit Spaces(io::Directory& directory, const space::DirectoryOptions& options)
        : directory_(directory), options_(options) {}
    Status refuse_when_in_use(const std::string& path);
    Status open_fixed_files();
    /// null: the redo does not change this space.
    recovery::RecoveredSpace* recovered_space(SpaceId space);
    Result<std::shared_ptr<OpenFile>> file_of(SpaceId space);
    Result<std::shared_ptr<OpenFile>> open_file(const std::vector<std::string>& paths,
                                                const std::string& name);
    void keep(SpaceId space, std::shared_ptr<OpenFile> file) REQUIRES(mutex_);
    void search_all() REQUIRES(mutex_);
    bool cached(PageId id, std::span<std::byte> plain);
    void cache(PageId id, std::span<const std::byte> plain);

    io::Directory& directory_;
    space::DirectoryOptions options_;
    space::Layout layout_;
    std::unique_ptr<recovery::Analysis> analysis_;  ///< null: a file alone
    std::unique_ptr<recovery::RecoveredPages> recovered_;
    space::SpaceHeader system_header_;  ///< of a file alone: its own

    base::Mutex mutex_;
    struct Known {
        std::vector<std::string> paths;
        std::string name;
    };
    std::map<SpaceId, Known> known_ GUARDED_BY(mutex_);
    std::map<SpaceId, std::shared_ptr<OpenFile>> open_ GUARDED_BY(mutex_);
    std::list<SpaceId> order_ GUARDED_BY(mutex_);  // of opening
    bool searched_ GUARDED_BY(mutex_) = false;     // every table file was looked into

    // Pages that are asked for again and again: those above the leaves, and all that redo had to
    // be applied to. Leaves of other tables pass by once: the system's cache holds those.
    base::Mutex cache_mutex_;
    std::unordered_map<std::uint64_t, std::vector<std::byte>> cache_ GUARDED_BY(cache_mutex_);
    std::deque<std::uint64_t> cache_order_ GUARDED_BY(cache_mutex_);
    std::size_t cache_bytes_ GUARDED_BY(cache_mutex_) = 0;
};

}  // namespace redoubt::engine
