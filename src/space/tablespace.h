/// One open tablespace: its files, its page 0 facts, raw and decoded page I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"
#include "space/codec.h"
#include "space/layout.h"

namespace redoubt::space {

/// What page 0 says. Checked as far as it can be without keys (page 0 is never encrypted).
struct SpaceHeader {
    SpaceId id;
    page::TablespaceFlags flags;
    std::uint32_t size = 0;        ///< FSP_SIZE, pages
    std::uint32_t free_limit = 0;  ///< pages
    Lsn lsn;                       ///< of page 0
    std::optional<crypt::CryptData> crypt;
};

/// Why a page 0 cannot be used: recovery tells these apart (deferred, healed by doublewrite,
/// refused).
enum class FirstPageProblem : std::uint8_t {
    Short,
    AllZero,
    BadFlags,
    WrongPageSize,
    WrongPageNumber,
    BadSpaceId,
    SpaceIdsDiffer,
    BadChecksum
};
std::string_view name_of(FirstPageProblem problem);

struct FirstPageFailure {
    FirstPageProblem problem;
    Error error;
};
/// Reads one page 0 image (as long as the biggest page size where the file allows). Checks, in
/// order: flags, page size against `expected_page_size` (0 = any), page number, space ids,
/// checksum.
tl::expected<SpaceHeader, FirstPageFailure> parse_first_page(std::span<const std::byte> image,
                                                             std::uint32_t expected_page_size,
                                                             page::Strictness strictness);

/// The server gives files sizes in multiples of this many bytes.
inline constexpr std::uint32_t kFileBlock = 4096;

/// Whether a file with `pages` pages may belong to a space whose header says `size`: not shorter,
/// but for what sizes in whole blocks leave out.
inline bool long_enough(std::uint32_t pages, std::uint32_t size, std::uint32_t physical_size) {
    return pages >= size || std::uint64_t{size - pages} * physical_size < kFileBlock;
}

/// Files of one tablespace seen as one sequence of pages.
class Tablespace {
public:
    /// Opens without looking at page 0 (recovery of deferred files). `sizes`: bytes that belong to
    /// the space per file (whole MiB for system files); for a single file the file length.
    static Result<std::unique_ptr<Tablespace>> open_files(io::Directory& directory,
                                                          const std::vector<std::string>& paths,
                                                          io::OpenMode mode, std::string name);
    /// Opens and reads page 0. Errors: as parse_first_page, with file; Refused when `expected_id`
    /// is given and the file carries another id.
    static Result<std::unique_ptr<Tablespace>> open(io::Directory& directory,
                                                    const std::vector<std::string>& paths,
                                                    io::OpenMode mode, std::string name,
                                                    std::uint32_t expected_page_size,
                                                    std::optional<SpaceId> expected_id);
    ~Tablespace();

    const std::string& name() const;    ///< "db/table", "innodb_system", "undo001"
    const std::string& path() const;    ///< of the first file
    const SpaceHeader& header() const;  ///< as read, or as given to set_header
    bool has_header() const;
    void set_header(const SpaceHeader& header);
    std::uint32_t physical_size() const { return header().flags.physical_page_size; }

    /// Whole pages in the files (system files: whole MiB only).
    Result<std::uint32_t> page_count();
    /// Raw bytes of `count` consecutive pages. Fewer pages than asked only at the end: returns how
    /// many pages were read whole.
    Result<std::uint32_t> read_raw(PageNo first, std::uint32_t count, std::span<std::byte> buffer);
    Status write_raw(PageNo first, std::span<const std::byte> data);
    /// Grows the last file so that the space has `pages` pages (sparse for punch-hole files, else
    /// zero-filled hole as well); never shrinks.
    Status extend(std::uint32_t pages);
    /// Sets the size exactly (undo truncation).
    Status truncate(std::uint32_t pages);
    Status sync();
    /// Gives back [first byte, +length) of page `page`; Unsupported is reported to the caller.
    Status punch_hole(PageNo page, std::uint32_t offset, std::uint32_t length);
    /// The files, in page order, for locking.
    std::vector<io::File*> files();

    PageCodec make_codec(const crypt::KeyRing* keys,
                         page::Strictness strictness = page::Strictness::AnyKnown) const;

private:
    Tablespace();
    struct State;
    std::unique_ptr<State> state_;
};

/// Opens the system tablespace of a layout (name "innodb_system").
Result<std::unique_ptr<Tablespace>> open_system_tablespace(io::Directory& directory,
                                                           const Layout& layout, io::OpenMode mode);

}  // namespace redoubt::space
