#include "space/tablespace.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "page/checksum.h"
#include "page/header.h"
#include "page/tablespace_header.h"

namespace redoubt::space {
namespace {

constexpr std::uint32_t kPhysicalSizeMin = 1024;
constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::string_view kSystemName = "innodb_system";
/// No file is created shorter than this many logical pages.
constexpr std::uint64_t kFirstPages = 4;

template <class... Args>
tl::unexpected<FirstPageFailure> first_page_failure(FirstPageProblem problem,
                                                    fmt::format_string<Args...> format,
                                                    Args&&... args) {
    return tl::unexpected<FirstPageFailure>(FirstPageFailure{
        problem, make_error(ErrorCode::Corruption, format, std::forward<Args>(args)...)
                     .with_page(PageNo{0})});
}

}  // namespace

std::string_view name_of(FirstPageProblem problem) {
    switch (problem) {
        case FirstPageProblem::Short:
            return "short";
        case FirstPageProblem::AllZero:
            return "all zero";
        case FirstPageProblem::BadFlags:
            return "bad flags";
        case FirstPageProblem::WrongPageSize:
            return "wrong page size";
        case FirstPageProblem::WrongPageNumber:
            return "wrong page number";
        case FirstPageProblem::BadSpaceId:
            return "bad space id";
        case FirstPageProblem::SpaceIdsDiffer:
            return "space ids differ";
        case FirstPageProblem::BadChecksum:
            return "bad checksum";
    }
    return "unknown";
}

tl::expected<SpaceHeader, FirstPageFailure> parse_first_page(std::span<const std::byte> image,
                                                             std::uint32_t expected_page_size,
                                                             page::Strictness strictness) {
    if (image.size() < kPhysicalSizeMin) {
        return first_page_failure(FirstPageProblem::Short, "file is too short for a page: {} bytes",
                                  image.size());
    }
    // Of a table with smaller pages than the server's, page 1 may be written before page 0 is.
    if (page::all_zero(image.first(kPhysicalSizeMin))) {
        return first_page_failure(FirstPageProblem::AllZero,
                                  "first page begins with zeros, as one that was never written");
    }
    const page::TablespaceHeaderView fields(image);
    Result<page::TablespaceFlags> flags = page::TablespaceFlags::decode(fields.raw_flags());
    if (!flags && flags.error().code() == ErrorCode::Unsupported &&
        (page::Header::Number::get(image) != 0 ||
         page::Header::Space::get(image) != fields.space().value)) {
        // Garbage, not another server's page.
        return first_page_failure(FirstPageProblem::BadFlags,
                                  "tablespace flags {:#x} are not valid", fields.raw_flags());
    }
    if (!flags) {
        return tl::unexpected<FirstPageFailure>(FirstPageFailure{
            FirstPageProblem::BadFlags, std::move(flags.error()).with_page(PageNo{0})});
    }
    if (expected_page_size != 0 && flags->logical_page_size != expected_page_size) {
        return first_page_failure(FirstPageProblem::WrongPageSize,
                                  "tablespace has pages of {} bytes, expected {}",
                                  flags->logical_page_size, expected_page_size);
    }
    if (image.size() < flags->physical_page_size) {
        return first_page_failure(FirstPageProblem::Short,
                                  "file ends within its first page: {} bytes", image.size());
    }
    image = image.first(flags->physical_page_size);
    if (const std::uint32_t number = page::Header::Number::get(image); number != 0) {
        return first_page_failure(FirstPageProblem::WrongPageNumber,
                                  "first page carries number {}, expected 0", number);
    }
    const SpaceId id{page::Header::Space::get(image)};
    if (id >= kReservedSpaces) {
        return first_page_failure(FirstPageProblem::BadSpaceId, "space id {} is reserved",
                                  id.value);
    }
    if (fields.space() != id) {
        return first_page_failure(FirstPageProblem::SpaceIdsDiffer,
                                  "first page carries space ids {} and {}", id.value,
                                  fields.space().value);
    }
    if (id == kSystemSpace && page::HeaderView(image).lsn() == Lsn{0}) {
        // Zeros with a wrong bit among them: the old checksums let them pass, and 0 is the system
        // tablespace's id. Its own first page is never written without an LSN.
        return first_page_failure(FirstPageProblem::BadSpaceId,
                                  "first page has the system tablespace's id, and no lsn");
    }
    std::uint32_t expected = 0;
    std::uint32_t found = 0;
    // Page 0 is never stored compressed.
    const bool whole = !flags->full_crc32 || page::full_crc32_stored_size(image) == image.size();
    if (!whole || page::check_stored(image, *flags, strictness, &expected, &found) !=
                      page::ChecksumResult::Ok) {
        return first_page_failure(FirstPageProblem::BadChecksum,
                                  "first page has a bad checksum: expected {:08x}, found {:08x}",
                                  expected, found);
    }
    SpaceHeader header{.id = id,
                       .flags = *flags,
                       .size = fields.size(),
                       .free_limit = fields.free_limit().value,
                       .lsn = page::HeaderView(image).lsn(),
                       .crypt = std::nullopt};
    // Metadata that makes no sense is none, as for the server: an encrypted page then says so.
    if (const Result<std::optional<crypt::CryptData>> crypt =
            crypt::CryptData::decode(image.subspan(flags->crypt_data_offset()))) {
        header.crypt = *crypt;
    }
    return header;
}

struct Tablespace::State {
    std::string name;
    std::vector<std::unique_ptr<io::File>> files;
    /// First byte of each file within the space. Only the last file changes its size.
    std::vector<std::uint64_t> begins;
    bool whole_mebibytes = false;
    std::optional<SpaceHeader> header;

    std::uint64_t offset_of(PageNo page) const {
        return std::uint64_t{page.value} * header->flags.physical_page_size;
    }
    /// The file that holds byte `offset` of the space.
    std::size_t file_at(std::uint64_t offset) const {
        return static_cast<std::size_t>(std::upper_bound(begins.begin(), begins.end(), offset) -
                                        begins.begin() - 1);
    }
    /// Bytes from `offset` to the end of its file; no bound in the last.
    std::uint64_t room_at(std::uint64_t offset) const {
        const std::size_t next = file_at(offset) + 1;
        return next < begins.size() ? begins[next] - offset
                                    : std::numeric_limits<std::uint64_t>::max();
    }
    Result<std::uint64_t> size() const {
        ASSIGN_OR_RETURN(const io::FileInfo info, files.back()->info());
        return begins.back() + counted(info.size);
    }
    /// An incomplete last MiB of a system file belongs to nothing.
    std::uint64_t counted(std::uint64_t size) const {
        return whole_mebibytes ? size / kMebibyte * kMebibyte : size;
    }
};

Tablespace::Tablespace() : state_(std::make_unique<State>()) {}
Tablespace::~Tablespace() = default;

Result<std::unique_ptr<Tablespace>> Tablespace::open_files(io::Directory& directory,
                                                           const std::vector<std::string>& paths,
                                                           io::OpenMode mode, std::string name) {
    REDOUBT_ASSERT(!paths.empty());
    std::unique_ptr<Tablespace> space(new Tablespace());
    State& state = *space->state_;
    state.whole_mebibytes = paths.size() > 1 || name == kSystemName;
    state.name = std::move(name);
    std::uint64_t begin = 0;
    for (const std::string& path : paths) {
        ASSIGN_OR_RETURN(std::unique_ptr<io::File> file, directory.open(path, mode));
        ASSIGN_OR_RETURN(const io::FileInfo info, file->info());
        if (!info.is_regular) {
            return make_error(ErrorCode::Corruption, "not a regular file").with_file(path);
        }
        state.begins.push_back(begin);
        begin += state.counted(info.size);
        state.files.push_back(std::move(file));
    }
    return space;
}

Result<std::unique_ptr<Tablespace>> Tablespace::open(io::Directory& directory,
                                                     const std::vector<std::string>& paths,
                                                     io::OpenMode mode, std::string name,
                                                     std::uint32_t expected_page_size,
                                                     std::optional<SpaceId> expected_id) {
    ASSIGN_OR_RETURN(std::unique_ptr<Tablespace> space,
                     open_files(directory, paths, mode, std::move(name)));
    io::File& file = *space->state_->files.front();
    std::vector<std::byte> image(page::kPageSizeMax);
    ASSIGN_OR_RETURN(const std::size_t length, file.read_at(0, image));
    image.resize(length);
    auto header = parse_first_page(image, expected_page_size, page::Strictness::AnyKnown);
    if (!header) {
        return std::move(header.error().error).with_file(file.path());
    }
    if (expected_id && header->id != *expected_id) {
        return make_error(ErrorCode::Refused, "file belongs to space {}, expected {}",
                          header->id.value, expected_id->value)
            .with_file(file.path());
    }
    ASSIGN_OR_RETURN(const std::uint64_t size, space->state_->size());
    if (size < kFirstPages * header->flags.logical_page_size) {
        return make_error(ErrorCode::Corruption,
                          "file has {} bytes, a tablespace at least {} pages of {}", size,
                          kFirstPages, header->flags.logical_page_size)
            .with_file(file.path())
            .with_space(header->id);
    }
    space->set_header(*header);
    return space;
}

const std::string& Tablespace::name() const { return state_->name; }
const std::string& Tablespace::path() const { return state_->files.front()->path(); }
const SpaceHeader& Tablespace::header() const {
    REDOUBT_ASSERT(has_header());
    return *state_->header;
}
bool Tablespace::has_header() const { return state_->header.has_value(); }
void Tablespace::set_header(const SpaceHeader& header) { state_->header = header; }

Result<std::uint32_t> Tablespace::page_count() {
    REDOUBT_ASSERT(has_header());
    ASSIGN_OR_RETURN(const std::uint64_t size, state_->size());
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(size / physical_size(), kNoPage.value));
}

Result<std::uint32_t> Tablespace::read_raw(PageNo first, std::uint32_t count,
                                           std::span<std::byte> buffer) {
    REDOUBT_ASSERT(has_header());
    REDOUBT_ASSERT(buffer.size() == std::size_t{count} * physical_size());
    if (state_->whole_mebibytes) {
        ASSIGN_OR_RETURN(const std::uint32_t pages, page_count());
        const std::uint32_t left = first.value < pages ? pages - first.value : 0;
        buffer = buffer.first(std::size_t{std::min(count, left)} * physical_size());
    }
    std::uint64_t offset = state_->offset_of(first);
    std::size_t done = 0;
    while (done < buffer.size()) {
        const std::size_t which = state_->file_at(offset);
        const std::span<std::byte> part = buffer.subspan(
            done, std::min<std::uint64_t>(buffer.size() - done, state_->room_at(offset)));
        ASSIGN_OR_RETURN(const std::size_t length,
                         state_->files[which]->read_at(offset - state_->begins[which], part));
        done += length;
        offset += length;
        if (length < part.size()) {
            break;
        }
    }
    return static_cast<std::uint32_t>(done / physical_size());
}

Status Tablespace::write_raw(PageNo first, std::span<const std::byte> data) {
    REDOUBT_ASSERT(has_header());
    std::uint64_t offset = state_->offset_of(first);
    while (!data.empty()) {
        const std::size_t which = state_->file_at(offset);
        const std::span<const std::byte> part =
            data.first(std::min<std::uint64_t>(data.size(), state_->room_at(offset)));
        io::File& file = *state_->files[which];
        RETURN_IF_ERROR(file.write_at(offset - state_->begins[which], part));
        file.will_sync(offset - state_->begins[which], part.size());
        data = data.subspan(part.size());
        offset += part.size();
    }
    return {};
}

Status Tablespace::extend(std::uint32_t pages) {
    ASSIGN_OR_RETURN(const std::uint32_t count, page_count());
    return pages > count ? truncate(pages) : Status{};
}

Status Tablespace::truncate(std::uint32_t pages) {
    REDOUBT_ASSERT(has_header());
    // As the server, which sizes files in whole blocks: the last of an odd number of 1k or 2k pages
    // comes with its first write.
    const std::uint64_t end = state_->offset_of(PageNo{pages}) / kFileBlock * kFileBlock;
    if (end < state_->begins.back()) {
        return make_error(ErrorCode::Refused, "{} pages would end before the last file of {}",
                          pages, name())
            .with_file(state_->files.back()->path());
    }
    return state_->files.back()->truncate(end - state_->begins.back());
}

Status Tablespace::sync() {
    for (const std::unique_ptr<io::File>& file : state_->files) {
        RETURN_IF_ERROR(file->sync());
    }
    return {};
}

Status Tablespace::punch_hole(PageNo page, std::uint32_t offset, std::uint32_t length) {
    REDOUBT_ASSERT(has_header());
    const std::uint64_t begin = state_->offset_of(page);
    const std::size_t which = state_->file_at(begin);  // no page lies in two files
    return state_->files[which]->punch_hole(begin - state_->begins[which] + offset, length);
}

std::vector<io::File*> Tablespace::files() {
    std::vector<io::File*> all;
    for (const std::unique_ptr<io::File>& file : state_->files) {
        all.push_back(file.get());
    }
    return all;
}

PageCodec Tablespace::make_codec(const crypt::KeyRing* keys, page::Strictness strictness) const {
    return PageCodec({.space = header().id,
                      .flags = header().flags,
                      .crypt = header().crypt,
                      .keys = keys,
                      .strictness = strictness});
}

Result<std::unique_ptr<Tablespace>> open_system_tablespace(io::Directory& directory,
                                                           const Layout& layout,
                                                           io::OpenMode mode) {
    std::vector<std::string> paths;
    for (const SystemFile& file : layout.system_files) {
        paths.push_back(file.path);
    }
    return Tablespace::open(directory, paths, mode, std::string(kSystemName),
                            layout.options.page_size.value_or(0), kSystemSpace);
}

}  // namespace redoubt::space
