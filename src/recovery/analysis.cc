#include "recovery/analysis.h"

#include <array>

#include "io/bounded_directory.h"
#include "io/posix_directory.h"

namespace redoubt::recovery {
namespace {

struct OpenedSystem {
    std::unique_ptr<space::Tablespace> file;
    Doublewrite doublewrite;
    bool first_page_healed = false;
    /// The recovery whose journal page 0 was healed from; absent: from the doublewrite buffer.
    std::optional<JournalIdentity> healed_from;
};

std::vector<std::string> system_paths(const space::Layout& layout) {
    std::vector<std::string> paths;
    for (const space::SystemFile& file : layout.system_files) {
        paths.push_back(file.path);
    }
    return paths;
}

/// A torn page 0 of the system tablespace: the doublewrite buffer inside the same file has it. Its
/// place depends on the page size, which is known from the options or has to be tried.
Result<OpenedSystem> open_torn_system(io::Directory& directory, const space::Layout& layout,
                                      io::OpenMode mode, Error problem) {
    std::vector<std::uint32_t> sizes{16384, 4096, 8192, 32768, 65536};
    if (layout.options.page_size) {
        sizes = {*layout.options.page_size};
    }
    ASSIGN_OR_RETURN(const auto journal, Journal::open_any(directory));
    for (const std::uint32_t size : sizes) {
        OpenedSystem result;
        ASSIGN_OR_RETURN(result.file, space::Tablespace::open_files(directory, system_paths(layout),
                                                                    mode, "innodb_system"));
        space::SpaceHeader guess;
        guess.flags.logical_page_size = size;
        guess.flags.physical_page_size = size;
        result.file->set_header(guess);
        ASSIGN_OR_RETURN(result.doublewrite, Doublewrite::load(*result.file));
        for (const Journal* from : std::array<const Journal*, 2>{nullptr, journal.get()}) {
            result.doublewrite.add(from);
            ASSIGN_OR_RETURN(const auto copy,
                             result.doublewrite.find_first_page(kSystemSpace, size, Lsn{0},
                                                                Lsn{~std::uint64_t{0}}));
            result.doublewrite.add(nullptr);
            if (copy) {
                auto header = space::parse_first_page(*copy, size, page::Strictness::AnyKnown);
                result.file->set_header(*header);  // find_first_page has checked it
                result.first_page_healed = true;
                if (from != nullptr) {
                    result.healed_from = from->identity();
                }
                return result;
            }
        }
    }
    return std::move(problem).with_hint(
        "page 0 of the system tablespace is damaged and the doublewrite buffer has no copy; "
        "restore the last backup");
}

/// A page 0 that is whole decides the page size; options that contradict it are wrong, not the
/// file.
Status refuse_other_page_size(io::Directory& directory, const space::Layout& layout,
                              io::OpenMode mode) {
    if (!layout.options.page_size) {
        return {};
    }
    space::Layout any_size = layout;
    any_size.options.page_size.reset();
    const auto opened = space::open_system_tablespace(directory, any_size, mode);
    if (!opened || (*opened)->header().flags.logical_page_size == *layout.options.page_size) {
        return {};
    }
    return make_error(ErrorCode::Usage, "the system tablespace has pages of {} bytes, not of {}",
                      (*opened)->header().flags.logical_page_size, *layout.options.page_size)
        .with_file((*opened)->path())
        .with_hint("correct or leave out innodb_page_size");
}

Result<OpenedSystem> open_system(io::Directory& directory, const space::Layout& layout,
                                 io::OpenMode mode) {
    auto opened = space::open_system_tablespace(directory, layout, mode);
    if (!opened) {
        if (opened.error().code() == ErrorCode::Corruption) {
            RETURN_IF_ERROR(refuse_other_page_size(directory, layout, mode));
            return open_torn_system(directory, layout, mode, std::move(opened.error()));
        }
        return std::move(opened.error());
    }
    OpenedSystem result;
    result.file = std::move(*opened);
    ASSIGN_OR_RETURN(result.doublewrite, Doublewrite::load(*result.file));
    return result;
}

}  // namespace

Result<std::unique_ptr<Analysis>> analyse(io::Directory& given, const space::Layout& layout,
                                          const AnalysisOptions& options) {
    auto result = std::make_unique<Analysis>();
    result->directory = std::make_unique<io::BoundedDirectory>(
        given, options.open_files_max != 0 ? options.open_files_max : io::open_files_share());
    io::Directory& directory = *result->directory;
    ASSIGN_OR_RETURN(OpenedSystem system, open_system(directory, layout, options.mode));
    if (options.mode == io::OpenMode::ReadWrite) {
        for (io::File* file : system.file->files()) {
            RETURN_IF_ERROR(file->lock_exclusive());
        }
    }
    result->page_size = system.file->header().flags.logical_page_size;
    result->doublewrite = std::move(system.doublewrite);
    result->system_first_page_healed = system.first_page_healed;

    ASSIGN_OR_RETURN(result->log, redo::LogFile::open(directory, layout.log_path, options.keys));
    RETURN_IF_ERROR(result->log->map());
    result->index = RedoIndex(options.index_memory);
    ASSIGN_OR_RETURN(result->scan,
                     scan_log(*result->log, result->index,
                              {.expected_end = options.expected_end,
                               .threads = scan_threads(options.threads, options.index_memory),
                               .progress = options.progress,
                               .cancel = options.cancel}));
    const JournalIdentity identity{result->scan.checkpoint.lsn, result->scan.end};
    if (!layout.is_backup && !result->scan.clean &&
        result->log->header().creator.starts_with("Backup ")) {
        return make_error(ErrorCode::Incomplete,
                          "this is a backup that did not come to its end: the log is a backup's "
                          "copy, the files that are written last are missing")
            .with_file(result->log->path())
            .with_hint("take another backup, or use an earlier one");
    }
    if (system.first_page_healed &&
        (result->scan.clean ||
         (!system.healed_from && system.file->header().lsn < result->scan.checkpoint.lsn) ||
         (system.healed_from && *system.healed_from != identity))) {  // J3
        return make_error(ErrorCode::Corruption,
                          "page 0 of the system tablespace is damaged, and its copy is older than "
                          "the checkpoint")
            .with_file(system.file->path())
            .with_page({kSystemSpace, PageNo{0}})
            .with_hint("restore the last backup");
    }
    ASSIGN_OR_RETURN(result->journal, Journal::open(directory, identity));
    result->doublewrite.add(result->journal.get());

    if (system.file->header().lsn > result->scan.end) {
        return make_error(
                   ErrorCode::Corruption,
                   "the system tablespace (lsn {}) is newer than the end of the redo log ({})",
                   system.file->header().lsn.value, result->scan.end.value)
            .with_file(system.file->path())
            .with_page({kSystemSpace, PageNo{0}})
            .with_hint(
                "the redo log is not the one of this directory, or its end is lost; restore the "
                "log, or the last backup");
    }
    const SpaceMapInputs inputs{.directory = directory,
                                .layout = layout,
                                .scan = result->scan,
                                .doublewrite = result->doublewrite,
                                .page_size = result->page_size,
                                .mode = options.mode,
                                .strictness = options.strictness,
                                .partial = options.partial};
    ASSIGN_OR_RETURN(result->map, build_space_map(inputs, std::move(system.file)));
    RETURN_IF_ERROR(finish_headers(*result->log, result->scan, result->doublewrite,
                                   result->page_size, options.keys, options.strictness,
                                   result->map));
    return result;
}

}  // namespace redoubt::recovery
