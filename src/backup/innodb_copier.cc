// Map of this file: State::open_* make a Source of a file (what it is, which space), copy_chunk()
// copies a part of it with each page checked, run() spreads chunks over threads; then settle() with
// its name_copies() does to the copies what DDL did to the files.
#include "backup/innodb_copier.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "base/mutex.h"
#include "base/parallel.h"
#include "io/aligned_bytes.h"
#include "page/header.h"
#include "recovery/doublewrite.h"
#include "space/codec.h"
#include "space/tablespace.h"

namespace redoubt::backup {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 20;  // bytes a read
constexpr unsigned kFirstPageTries = 20;              // of a page 0 caught half written
constexpr unsigned kPageTries = 20;
constexpr auto kFirstPause = std::chrono::milliseconds(1);
constexpr auto kLongestPause = std::chrono::milliseconds(50);
constexpr std::string_view kSuffix = ".ibd";

std::string file_name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

bool is_intermediate(std::string_view table) {
    return table.find("/#sql") != std::string_view::npos;
}

/// What a space is called, as its records tell: the name after the last of them; absent when they
/// end with its deletion.
struct Fate {
    std::string table;  ///< "db/t"; empty: no table
    std::string path;   ///< as logged
    bool deleted = false;
};
Fate fate_of(const std::vector<recovery::FileEvent>& events) {
    Fate fate;
    for (const recovery::FileEvent& event : events) {
        const bool rename = event.type == redo::RecordType::FileRename;
        fate.path = rename ? event.new_name : event.name;
        fate.deleted = event.type == redo::RecordType::FileDelete;
    }
    fate.table = table_of_logged_name(fate.path);
    return fate;
}

/// One file on its way.
struct Source {
    std::string name;  ///< "db/t", "innodb_system", "undo001"
    std::string from;  ///< in the server's directory
    std::string to;    ///< in the backup
    std::uint64_t listed_size = 0;
    enum class Kind : std::uint8_t { System, Undo, Table } kind = Kind::Table;
    std::uint32_t first_page = 0;          ///< of a further file of the system tablespace
    std::optional<SpaceId> expected = {};  ///< of a file that the redo told of
    bool ddl_blocked = false;              ///< it cannot vanish

    // Once opened.
    bool opened = false;
    bool skipped = false;  ///< vanished, another space's, or not begun yet by the server
    bool unchecked = false;
    std::unique_ptr<io::File> file = {};
    std::unique_ptr<TargetFile> copy = {};
    std::optional<space::SpaceHeader> header = {};
    std::uint32_t page_size = 0;  ///< bytes in the file
    std::uint64_t size = 0;       ///< bytes, whole pages
    std::uint64_t chunks_left = 0;
    Lsn newest = {};
};

std::uint64_t chunk_count(std::uint64_t size) {
    return std::max<std::uint64_t>(1, (size + kChunkSize - 1) / kChunkSize);
}

}  // namespace

std::string table_of_logged_name(std::string_view name) {
    if (!name.ends_with(kSuffix)) {
        return {};
    }
    name.remove_suffix(kSuffix.size());
    const std::size_t slash = name.rfind('/');
    if (slash == std::string_view::npos || slash == 0) {
        return {};
    }
    const std::size_t before = name.rfind('/', slash - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view database = name.substr(begin, slash - begin);
    if (database == "." || database == ".." || slash + 1 == name.size()) {
        return {};
    }
    return std::string(name.substr(begin));
}

struct InnodbCopier::State {
    State(io::Directory& source, const space::Layout& found, Target& where,
          InnodbCopierOptions given)
        : datadir(source), layout(found), target(where), options(std::move(given)) {}

    io::Directory& datadir;
    const space::Layout& layout;
    Target& target;
    const InnodbCopierOptions options;

    std::uint32_t server_page_size = 0;
    page::TablespaceFlags system_flags;
    PageNo doublewrite_begin{0};
    PageNo doublewrite_end{0};

    std::atomic<std::uint64_t> pages = 0;  // relaxed: counts for the report
    std::atomic<std::uint64_t> again = 0;

    base::Mutex mutex;
    struct Copy {
        std::string from;   ///< where it was copied from
        std::string table;  ///< name then, "db/t"; empty for system and undo
        std::string to;
    };
    std::map<SpaceId, Copy> copies GUARDED_BY(mutex);
    std::vector<DamagedPage> damaged GUARDED_BY(mutex);
    std::vector<std::string> notes GUARDED_BY(mutex);
    /// Where a file was whose first page the server had not written: name and path.
    std::vector<std::pair<std::string, std::string>> blank GUARDED_BY(mutex);
    std::vector<std::string> strays GUARDED_BY(mutex);  ///< copies that are to go

    Status load_system();
    Result<std::vector<Source>> list_all();
    Result<std::vector<Source>> list_new(const FileEvents& events, bool ddl_blocked);
    Status run(std::vector<Source>& sources);

    Status open(Source& source);
    Status open_checked(Source& source);
    Status read_first_page(Source& source);
    Status claim(Source& source);
    Status choose(Source& source, SpaceId id, const Copy& other);
    Result<bool> still_there(const Copy& copy, SpaceId id);
    space::PageCodec make_codec(const Source& source, bool encrypted) const;
    Status copy_chunk(Source& source, std::uint64_t chunk, std::span<std::byte> buffer);
    Result<Lsn> check_pages(Source& source, std::uint64_t offset, std::span<std::byte> bytes,
                            space::PageCodec& codec);
    Status read_page_again(Source& source, PageNo number, std::uint64_t offset,
                           std::span<std::byte> page, Error problem);
    Status close(Source& source);
    Status name_copies(const FileEvents& events);
    void note_strays();

    Status check() const {
        RETURN_IF_ERROR(base::check_cancelled(options.cancel));
        return options.check ? options.check() : ok_status();
    }
    void note(std::string text) {
        const base::MutexLock lock(mutex);
        notes.push_back(std::move(text));
    }
};

Status InnodbCopier::State::load_system() {
    ASSIGN_OR_RETURN(const auto system,
                     space::open_system_tablespace(datadir, layout, io::OpenMode::ReadOnly));
    system_flags = system->header().flags;
    server_page_size = system_flags.logical_page_size;
    ASSIGN_OR_RETURN(const auto doublewrite, recovery::Doublewrite::load(*system));
    std::tie(doublewrite_begin, doublewrite_end) = doublewrite.range();
    return {};
}

Result<std::vector<Source>> InnodbCopier::State::list_all() {
    std::vector<Source> sources;
    std::uint32_t first_page = 0;
    for (const space::SystemFile& file : layout.system_files) {
        ASSIGN_OR_RETURN(const io::FileInfo info, datadir.info(file.path));
        sources.push_back({.name = "innodb_system",
                           .from = file.path,
                           .to = file_name_of(file.path),
                           .listed_size = info.size,
                           .kind = Source::Kind::System,
                           .first_page = first_page});
        constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20;
        first_page += static_cast<std::uint32_t>(info.size / kMebibyte * kMebibyte /
                                                 system_flags.physical_page_size);
    }
    for (const std::string& path : layout.undo_files) {
        ASSIGN_OR_RETURN(const io::FileInfo info, datadir.info(path));
        sources.push_back({.name = file_name_of(path),
                           .from = path,
                           .to = file_name_of(path),
                           .listed_size = info.size,
                           .kind = Source::Kind::Undo});
    }
    for (const space::TableFile& table : layout.tables) {
        if (is_intermediate(table.name)) {
            continue;
        }
        const auto info = datadir.info(table.path);
        if (!info && info.error().code() != ErrorCode::NotFound) {
            return Error(info.error());
        }
        sources.push_back({.name = table.name,
                           .from = table.path,
                           .to = table.name + std::string(kSuffix),
                           .listed_size = info ? info->size : 0});
    }
    return sources;
}

Result<std::vector<Source>> InnodbCopier::State::list_new(const FileEvents& events,
                                                          bool ddl_blocked) {
    std::vector<Source> sources;
    for (const auto& [id, of_space] : events) {
        const Fate fate = fate_of(of_space);
        if (fate.deleted || fate.table.empty() || is_intermediate(fate.table)) {
            continue;
        }
        {
            const base::MutexLock lock(mutex);
            if (copies.contains(id)) {
                continue;
            }
        }
        std::string from = fate.path;
        if (from.starts_with("./")) {
            from.erase(0, 2);
        }
        const auto info = datadir.info(from);
        // Under a name of its own: the table's may be taken by one that is dropped by now.
        sources.push_back({.name = fate.table,
                           .from = from,
                           .to = fmt::format("{}.{}.new", fate.table, id.value),
                           .listed_size = info ? info->size : 0,
                           .expected = id,
                           .ddl_blocked = ddl_blocked});
    }
    return sources;
}

Status InnodbCopier::State::open(Source& source) {
    auto status = open_checked(source);
    if (status && source.skipped) {
        source.file.reset();  // there may be thousands
    }
    if (status || source.kind != Source::Kind::Table) {
        return status;
    }
    // A table may be dropped or renamed at any time before DDL is blocked; settle() sees to it.
    if (status.error().code() == ErrorCode::NotFound && !source.ddl_blocked) {
        source.skipped = true;
        return {};
    }
    return std::move(status.error()).with_context(space::decode_file_name(source.name));
}

Status InnodbCopier::State::open_checked(Source& source) {
    ASSIGN_OR_RETURN(source.file, datadir.open(source.from, io::OpenMode::ReadOnly));
    if (source.kind == Source::Kind::System && source.first_page != 0) {
        source.page_size = system_flags.physical_page_size;
    } else {
        RETURN_IF_ERROR(read_first_page(source));
        if (source.skipped) {
            return {};
        }
        RETURN_IF_ERROR(claim(source));
        if (source.skipped) {
            return {};
        }
    }
    ASSIGN_OR_RETURN(const io::FileInfo info, source.file->info());
    source.size = info.size / source.page_size * source.page_size;
    // A file that a compressed or punched page has holes in keeps them.
    ASSIGN_OR_RETURN(source.copy,
                     target.create(source.to, {.sparse = info.allocated_size < info.size}));
    source.chunks_left = chunk_count(source.listed_size);
    return {};
}

Status InnodbCopier::State::read_first_page(Source& source) {
    std::vector<std::byte> image(page::kPageSizeMax);
    auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kFirstPause);
    for (unsigned tries = 1;; ++tries) {
        RETURN_IF_ERROR(check());
        ASSIGN_OR_RETURN(const std::size_t length, source.file->read_newest_at(0, image));
        auto header = space::parse_first_page(std::span(image).first(length), server_page_size,
                                              page::Strictness::AnyKnown);
        if (header) {
            source.page_size = header->flags.physical_page_size;
            source.header = *header;
            return {};
        }
        const space::FirstPageProblem problem = header.error().problem;
        const bool not_begun = problem == space::FirstPageProblem::AllZero ||
                               problem == space::FirstPageProblem::Short;
        if (not_begun && source.kind == Source::Kind::Table && !source.ddl_blocked) {
            source.skipped = true;  // just created; all of it is in the redo, which names it
            const base::MutexLock lock(mutex);
            blank.emplace_back(source.name, source.from);
            return {};
        }
        if (not_begun && source.kind == Source::Kind::Table && source.expected) {
            source.page_size = server_page_size;
            source.unchecked = true;  // the redo makes the whole file; nothing in it counts
            return {};
        }
        if (tries < kFirstPageTries) {
            again.fetch_add(1, std::memory_order_relaxed);
            std::this_thread::sleep_for(pause);
            pause = std::min(pause * 2, kLongestPause);
            continue;
        }
        Error error = std::move(header.error().error).with_file(source.file->path());
        if (!options.continue_on_damage || source.kind == Source::Kind::System) {
            return std::move(error).with_page(PageNo{0}).with_hint(
                "page 0 of this file is damaged on the server: CHECK TABLE and repair it there; "
                "--continue-on-damage backs up the rest");
        }
        const base::MutexLock lock(mutex);
        damaged.push_back({.file = source.to,
                           .space = source.expected.value_or(SpaceId{0}),
                           .page = PageNo{0},
                           .message = error.message()});
        source.page_size = server_page_size;
        source.unchecked = true;
        return {};
    }
}

/// I2: each space is copied once, whatever names it goes by.
Status InnodbCopier::State::claim(Source& source) {
    if (!source.header) {
        if (source.expected) {
            const base::MutexLock lock(mutex);
            copies.try_emplace(*source.expected,
                               Copy{.from = source.from, .table = source.name, .to = source.to});
        }
        return {};
    }
    const SpaceId id = source.header->id;
    if (source.expected && *source.expected != id) {
        source.skipped = true;  // renamed in the meantime; the redo that says so is on its way
        if (source.ddl_blocked) {
            return make_error(ErrorCode::Refused, "file belongs to space {}, the redo log says {}",
                              id.value, source.expected->value)
                .with_file(source.file->path())
                .with_space(id)
                .with_hint("the server's files were swapped behind its back: check the server");
        }
        return {};
    }
    Copy other;
    {
        const base::MutexLock lock(mutex);
        const auto [entry, is_new] = copies.try_emplace(
            id, Copy{.from = source.from,
                     .table = source.kind == Source::Kind::Table ? source.name : std::string(),
                     .to = source.to});
        if (is_new) {
            return {};
        }
        other = entry->second;
    }
    ASSIGN_OR_RETURN(const bool both, still_there(other, id));
    if (!both) {
        source.skipped = true;  // it was renamed between our looks at the two names
        return {};
    }
    return choose(source, id, other);
}

/// The server uses the file that its dictionary names; the other is a copy that somebody made.
Status InnodbCopier::State::choose(Source& source, SpaceId id, const Copy& other) {
    std::string owner;
    if (options.table_of) {
        ASSIGN_OR_RETURN(owner, options.table_of(id));
    }
    constexpr std::string_view kStray =
        "{} is not in the backup: it carries the space id {} of {}, which the server uses";
    if (!owner.empty() && owner == other.table) {
        source.skipped = true;
        note(fmt::format(kStray, source.from, id.value, other.from));
        return {};
    }
    if (!owner.empty() && owner == source.name && source.kind == Source::Kind::Table) {
        note(fmt::format(kStray, other.from, id.value, source.from));
        const base::MutexLock lock(mutex);
        strays.push_back(other.to);
        copies[id] = {.from = source.from, .table = source.name, .to = source.to};
        return {};
    }
    note(fmt::format("{} and {} carry the same space id {}; both are copied", other.from,
                     source.from, id.value));
    return {};
}

Result<bool> InnodbCopier::State::still_there(const Copy& copy, SpaceId id) {
    auto file = datadir.open(copy.from, io::OpenMode::ReadOnly);
    if (!file) {
        return file.error().code() == ErrorCode::NotFound ? Result<bool>(false)
                                                          : Result<bool>(std::move(file.error()));
    }
    std::vector<std::byte> image(page::kPageSizeMax);
    ASSIGN_OR_RETURN(const std::size_t length, (*file)->read_newest_at(0, image));
    const auto header = space::parse_first_page(std::span(image).first(length), server_page_size,
                                                page::Strictness::AnyKnown);
    return header && header->id == id;
}

/// Without keys: stored bytes are what must be whole. `encrypted`: also where page 0, which may be
/// older than its pages, does not say so yet.
space::PageCodec InnodbCopier::State::make_codec(const Source& source, bool encrypted) const {
    space::PageCodec::Parameters parameters;
    parameters.space = source.header ? source.header->id : kSystemSpace;
    parameters.flags = source.header ? source.header->flags : system_flags;
    if (source.header) {
        parameters.crypt = source.header->crypt;
    }
    if (encrypted && !(parameters.crypt && parameters.crypt->encrypts())) {
        parameters.crypt = crypt::CryptData{.scheme = crypt::CryptData::Scheme::One};
    }
    return space::PageCodec(parameters);
}

Status InnodbCopier::State::copy_chunk(Source& source, std::uint64_t chunk,
                                       std::span<std::byte> buffer) {
    const std::uint64_t end = chunk + 1 == chunk_count(source.listed_size)
                                  ? source.size  // with what it has grown by since it was listed
                                  : std::min(source.size, (chunk + 1) * kChunkSize);
    space::PageCodec codec = make_codec(source, false);
    Lsn newest;
    const std::uint64_t begin = chunk * kChunkSize;
    for (std::uint64_t at = begin; at < end;) {
        RETURN_IF_ERROR(check());
        const auto block = buffer.first(std::min<std::uint64_t>(buffer.size(), end - at));
        ASSIGN_OR_RETURN(const std::size_t length, source.file->read_newest_at(at, block));
        if (length < block.size()) {
            if (source.kind != Source::Kind::Undo) {
                return make_error(ErrorCode::Io,
                                  "the file became shorter while it was copied: {} "
                                  "bytes were expected",
                                  source.size)
                    .with_file(source.file->path())
                    .with_hint(
                        "something other than the server changes its files; find it, then "
                        "run the backup again");
            }
            note(source.name + " was truncated by the server during the backup");
            break;  // its redo begins the file anew
        }
        if (!source.unchecked) {
            ASSIGN_OR_RETURN(const Lsn lsn, check_pages(source, at, block, codec));
            newest = std::max(newest, lsn);
        }
        RETURN_IF_ERROR(source.copy->write(at, block));
        at += block.size();
    }
    if (end > begin) {
        source.file->will_not_need(begin, end - begin);
    }
    const base::MutexLock lock(mutex);
    source.newest = std::max(source.newest, newest);
    return {};
}

Result<Lsn> InnodbCopier::State::check_pages(Source& source, std::uint64_t offset,
                                             std::span<std::byte> bytes, space::PageCodec& codec) {
    Lsn newest;
    for (std::size_t at = 0; at < bytes.size(); at += source.page_size) {
        const std::span<std::byte> page = bytes.subspan(at, source.page_size);
        const PageNo number{source.first_page +
                            static_cast<std::uint32_t>((offset + at) / source.page_size)};
        if (source.kind == Source::Kind::System && number >= doublewrite_begin &&
            number < doublewrite_end) {
            continue;
        }
        if (auto state = codec.check(number, page); !state) {
            RETURN_IF_ERROR(
                read_page_again(source, number, offset + at, page, std::move(state.error())));
        }
        newest = std::max(newest, Lsn{page::Header::PageLsn::get(page)});
    }
    pages.fetch_add(bytes.size() / source.page_size, std::memory_order_relaxed);
    return newest;
}

/// The server was writing it, has begun to encrypt its file, or it is damaged.
Status InnodbCopier::State::read_page_again(Source& source, PageNo number, std::uint64_t offset,
                                            std::span<std::byte> page, Error problem) {
    auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(kFirstPause);
    space::PageCodec plain = make_codec(source, false);
    space::PageCodec encrypted = make_codec(source, true);
    for (unsigned tries = 0; tries < kPageTries; ++tries) {
        RETURN_IF_ERROR(check());
        if (encrypted.check(number, page) || plain.check(number, page)) {
            return {};
        }
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, kLongestPause);
        RETURN_IF_ERROR(source.file->read_newest_exactly(offset, page));
        again.fetch_add(1, std::memory_order_relaxed);
    }
    const SpaceId id = source.header ? source.header->id : kSystemSpace;
    Error error = std::move(problem).with_file(source.file->path()).with_page(PageId{id, number});
    if (!options.continue_on_damage) {
        const std::string table = source.kind == Source::Kind::Table
                                      ? "table " + space::decode_file_name(source.name)
                                      : source.name;
        return std::move(error).with_context(table).with_hint(
            "the page is damaged on the server's disk: CHECK TABLE, and repair or restore the "
            "table "
            "there; --continue-on-damage backs up the rest and lists what is damaged");
    }
    const base::MutexLock lock(mutex);
    damaged.push_back({.file = source.to, .space = id, .page = number, .message = error.message()});
    return {};
}

Status InnodbCopier::State::close(Source& source) {
    ManifestFile facts;
    if (source.header || source.kind == Source::Kind::System) {
        facts.space = source.header ? source.header->id : kSystemSpace;
        facts.pages = static_cast<std::uint32_t>(source.size / source.page_size);
        facts.lsn = source.newest;
    } else {
        facts.space = source.expected;
    }
    RETURN_IF_ERROR(source.copy->close(source.size, std::move(facts)));
    source.copy.reset();
    source.file.reset();
    return {};
}

Status InnodbCopier::State::run(std::vector<Source>& sources) {
    struct Task {
        std::size_t source;
        std::uint64_t chunk;
    };
    std::vector<Task> tasks;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        for (std::uint64_t chunk = 0; chunk < chunk_count(sources[i].listed_size); ++chunk) {
            tasks.push_back({i, chunk});
        }
    }
    std::vector<io::AlignedBytes> buffers(options.threads);
    std::vector<std::unique_ptr<base::Mutex>> opening;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        opening.push_back(std::make_unique<base::Mutex>());
    }
    return base::parallel_for(
        tasks.size(), options.threads, [&](std::size_t item, unsigned thread) -> Status {
            RETURN_IF_ERROR(check());
            Source& source = sources[tasks[item].source];
            {
                const base::MutexLock lock(*opening[tasks[item].source]);
                if (!source.opened) {
                    RETURN_IF_ERROR(open(source));
                    source.opened = true;
                }
            }
            if (source.skipped) {
                return {};
            }
            if (buffers[thread].bytes().empty()) {
                buffers[thread] = io::AlignedBytes(kBlock);
            }
            RETURN_IF_ERROR(copy_chunk(source, tasks[item].chunk, buffers[thread].bytes()));
            const base::MutexLock lock(*opening[tasks[item].source]);
            return --source.chunks_left == 0 ? close(source) : ok_status();
        });
}

/// Two steps, so that chains and cycles of renames need no order.
Status InnodbCopier::State::name_copies(const FileEvents& events) {
    const base::MutexLock lock(mutex);
    for (const std::string& path : std::exchange(strays, {})) {
        RETURN_IF_ERROR(target.remove(path));
    }
    std::vector<std::pair<std::string, std::string>> staged;
    for (auto& [id, copy] : copies) {
        if (copy.table.empty()) {
            continue;
        }
        const auto found = events.find(id);
        Fate fate{.table = copy.table, .path = {}};
        if (found != events.end()) {
            fate = fate_of(found->second);
        }
        if (fate.deleted || is_intermediate(fate.table)) {  // an ALTER's old copy is dropped next
            RETURN_IF_ERROR(target.remove(copy.to));
            copy.to.clear();
            continue;
        }
        const std::string final_path = fate.table + std::string(kSuffix);
        if (copy.to == final_path) {
            continue;
        }
        const std::string stage = fmt::format("{}.{}.named", final_path, id.value);
        RETURN_IF_ERROR(target.rename(copy.to, stage));
        staged.emplace_back(stage, final_path);
        copy.to = final_path;
    }
    for (const auto& [stage, final_path] : staged) {
        if (target.has(final_path)) {
            return make_error(ErrorCode::Internal, "two tablespaces came to the name {}",
                              final_path);
        }
        RETURN_IF_ERROR(target.rename(stage, final_path));
    }
    for (DamagedPage& page : damaged) {
        if (const auto copy = copies.find(page.space); copy != copies.end()) {
            page.file = copy->second.to;
        }
    }
    return {};
}

/// Files without a first page that the redo did not name either.
void InnodbCopier::State::note_strays() {
    const base::MutexLock lock(mutex);
    for (const auto& [name, path] : std::exchange(blank, {})) {
        if (!target.has(name + std::string(kSuffix)) && datadir.exists(path)) {
            notes.push_back(path +
                            " is not in the backup: it has no first page, and the server has not "
                            "used it");
        }
    }
}

InnodbCopier::InnodbCopier(io::Directory& datadir, const space::Layout& layout, Target& target,
                           InnodbCopierOptions options)
    : state_(std::make_unique<State>(datadir, layout, target, std::move(options))) {}
InnodbCopier::~InnodbCopier() = default;

Status InnodbCopier::copy_all() {
    RETURN_IF_ERROR(state_->load_system());
    ASSIGN_OR_RETURN(std::vector<Source> sources, state_->list_all());
    return state_->run(sources);
}

Result<std::size_t> InnodbCopier::copy_new(const FileEvents& events) {
    ASSIGN_OR_RETURN(std::vector<Source> sources, state_->list_new(events, false));
    RETURN_IF_ERROR(state_->run(sources));
    return static_cast<std::size_t>(
        std::count_if(sources.begin(), sources.end(), [](const Source& s) { return !s.skipped; }));
}

Status InnodbCopier::settle(const FileEvents& events) {
    ASSIGN_OR_RETURN(std::vector<Source> sources, state_->list_new(events, true));
    RETURN_IF_ERROR(state_->run(sources));
    RETURN_IF_ERROR(state_->name_copies(events));
    state_->note_strays();
    return {};
}

std::vector<std::pair<SpaceId, std::string>> InnodbCopier::missing(
    const std::map<SpaceId, std::string>& tables, const FileEvents& events) const {
    std::vector<std::pair<SpaceId, std::string>> found;
    const base::MutexLock lock(state_->mutex);
    for (const auto& [id, table] : tables) {
        if (state_->copies.contains(id)) {
            continue;
        }
        const auto of_space = events.find(id);
        const Fate fate =
            of_space == events.end() ? Fate{.table = table, .path = {}} : fate_of(of_space->second);
        if (!fate.deleted && !is_intermediate(fate.table)) {
            found.emplace_back(id, fate.table);
        }
    }
    return found;
}

std::uint64_t InnodbCopier::pages() const { return state_->pages; }
std::uint64_t InnodbCopier::pages_read_again() const { return state_->again; }
std::size_t InnodbCopier::tablespaces() const {
    const base::MutexLock lock(state_->mutex);
    return state_->copies.size();
}
const std::vector<DamagedPage>& InnodbCopier::damaged() const NO_THREAD_SAFETY_ANALYSIS {
    return state_->damaged;  // once the threads are done
}
std::vector<std::string> InnodbCopier::notes() const {
    const base::MutexLock lock(state_->mutex);
    return state_->notes;
}

}  // namespace redoubt::backup
