// Compares two data directories page by page, as the pages read: decrypted and decompressed.
//   compare_datadirs A B [--key-file F --key-algorithm ctr|cbc | --debug-key-version N]
//     [--json]
// B is the reference: a page that is free there is undefined and left out, as are the doublewrite
// blocks of the system tablespace. A page that MariaDB stored unencrypted under an encrypted page's
// label, and itself cannot read (docs/formats/page-compression.md#mislabelled), is read all the
// same and counted. What encoding decides (checksums, key versions, stale bytes
// behind compressed images) is not compared; page LSNs are. Tables are matched by name, so one
// directory may hold a table by link and the other in place.
// Exit codes: 0 the same, 1 different, 2 usage, 3 could not be compared.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "crypt/keys.h"
#include "io/posix_directory.h"
#include "page/checksum.h"
#include "page/header.h"
#include "space/codec.h"
#include "space/extent_map.h"
#include "space/layout.h"
#include "space/tablespace.h"

namespace redoubt {
namespace {

constexpr std::size_t kListedMax = 20;      // differences listed one by one
constexpr std::uint64_t kBlockSize = 4096;  // bytes; the server's file sizes are multiples of it

struct Difference {
    std::string file;
    std::uint32_t page;
    std::optional<std::uint32_t> offset;  ///< first differing byte; none when a page is unreadable
    std::uint64_t lsn_a;
    std::uint64_t lsn_b;
    std::string note;
};

struct Report {
    std::uint64_t files = 0;
    std::uint64_t pages = 0;  ///< compared
    std::uint64_t equal = 0;
    std::uint64_t different = 0;
    std::uint64_t free = 0;
    std::uint64_t doublewrite = 0;
    std::uint64_t mislabelled = 0;  ///< in B
    std::vector<Difference> differences;
    std::vector<std::string> only_in_a;
    std::vector<std::string> only_in_b;
    std::vector<std::string> sizes;
    std::vector<std::string> unreadable;  ///< page 0 of one directory's file, or of both alike
    std::vector<std::string> extent_problems;

    bool same() const {
        return different == 0 && only_in_a.empty() && only_in_b.empty() && sizes.empty() &&
               unreadable.empty() && extent_problems.empty();
    }
};

/// One data directory and where each of its tablespaces lies.
struct Side {
    std::unique_ptr<io::Directory> directory;
    std::map<std::string, std::vector<std::string>> spaces;  ///< name to paths
};

Result<Side> open_side(const std::string& path) {
    Side side;
    ASSIGN_OR_RETURN(side.directory, io::open_posix_directory(path));
    ASSIGN_OR_RETURN(space::Layout layout, space::find_layout(*side.directory, {}, false));
    std::vector<std::string>& system = side.spaces["innodb_system"];
    for (const space::SystemFile& file : layout.system_files) {
        system.push_back(file.path);
    }
    for (const std::string& file : layout.undo_files) {
        side.spaces[file] = {file};
    }
    for (const space::TableFile& table : layout.tables) {
        if (side.directory->exists(table.path)) {
            side.spaces[table.name] = {table.path};
        }
    }
    return side;
}

/// The pages of one tablespace, for building its extent map.
class SpacePages final : public space::PageSource {
public:
    SpacePages(space::Tablespace& tablespace, const crypt::KeyRing* keys)
        : tablespace_(tablespace), keys_(keys) {}

    Status read(PageId id, std::span<std::byte> plain) override {
        std::vector<std::byte> stored(tablespace_.physical_size());
        ASSIGN_OR_RETURN(std::uint32_t read, tablespace_.read_raw(id.page, 1, stored));
        if (read == 0 && id.page.value < tablespace_.header().size) {
            std::ranges::fill(plain, std::byte{0});  // cut off by rounding
            return ok_status();
        }
        if (read == 0) {
            return make_error(ErrorCode::NotFound, "page is past the end").with_page(id);
        }
        ASSIGN_OR_RETURN([[maybe_unused]] space::PageState state,
                         tablespace_.make_codec(keys_).decode(id.page, stored, plain));
        return ok_status();
    }
    /// Counts the last page of the space even where the file ends with the block before it.
    Result<std::uint32_t> page_count(SpaceId) override {
        ASSIGN_OR_RETURN(const std::uint32_t pages, tablespace_.page_count());
        const std::uint32_t size = tablespace_.header().size;
        const bool rounded =
            size > pages && std::uint64_t{size - pages} * tablespace_.physical_size() < kBlockSize;
        return rounded ? size : pages;
    }

private:
    space::Tablespace& tablespace_;
    const crypt::KeyRing* keys_;
};

/// First pages of the two doublewrite blocks (TRX_SYS, page 5 of the system tablespace).
std::vector<std::uint32_t> doublewrite_blocks(std::span<const std::byte> trx_sys) {
    using Magic = BigEndian<std::uint32_t, 10>;
    using First = BigEndian<std::uint32_t, 14>;
    using Second = BigEndian<std::uint32_t, 18>;
    constexpr std::uint32_t kMagic = 536853855;
    const auto header = trx_sys.last(200);  // bytes from the page's end
    if (Magic::get(header) != kMagic) {
        return {};
    }
    return {First::get(header), Second::get(header)};
}

/// Bytes that say how a page was stored, not what it says.
void blank_storage_fields(std::span<std::byte> page, const space::PageCodec::Parameters& format) {
    const auto blank = [&](std::size_t offset, std::size_t length) {
        std::ranges::fill(page.subspan(offset, length), std::byte{0});
    };
    blank(0, 4);  // checksum or key version
    if (!format.flags.full_crc32) {
        // Key version and checksum of an encrypted page. Of a plain page the server writes zeros
        // here, even over the split sequence number of an R-tree page.
        blank(26, 8);
    }
    if (!format.flags.row_compressed) {
        blank(page.size() - page::kTrailerSize, page::kTrailerSize);
    }
}

class Comparison {
public:
    Comparison(const crypt::KeyRing* keys, Report& report) : keys_(keys), report_(report) {}

    Status compare(Side& a, Side& b) {
        for (const auto& [name, paths] : a.spaces) {
            if (!b.spaces.contains(name)) {
                report_.only_in_a.push_back(name);
            }
        }
        for (const auto& [name, paths] : b.spaces) {
            const auto in_a = a.spaces.find(name);
            if (in_a == a.spaces.end()) {
                report_.only_in_b.push_back(name);
                continue;
            }
            RETURN_IF_ERROR(compare_space(name, *a.directory, in_a->second, *b.directory, paths));
        }
        return ok_status();
    }

private:
    Status compare_space(const std::string& name, io::Directory& directory_a,
                         const std::vector<std::string>& paths_a, io::Directory& directory_b,
                         const std::vector<std::string>& paths_b) {
        ++report_.files;
        auto a = space::Tablespace::open(directory_a, paths_a, io::OpenMode::ReadOnly, name, 0, {});
        auto b = space::Tablespace::open(directory_b, paths_b, io::OpenMode::ReadOnly, name, 0, {});
        if (!a || !b) {
            return compare_unreadable(name, a, b, directory_a, paths_a, directory_b, paths_b);
        }
        ASSIGN_OR_RETURN(const std::uint32_t pages_a, (*a)->page_count());
        ASSIGN_OR_RETURN(const std::uint32_t pages_b, (*b)->page_count());
        if ((*a)->physical_size() != (*b)->physical_size()) {
            report_.sizes.push_back(fmt::format("{}: pages of {} and {} bytes", name,
                                                (*a)->physical_size(), (*b)->physical_size()));
            return ok_status();
        }
        ASSIGN_OR_RETURN(const bool only_rounded, differ_by_rounding(**a, pages_a, **b, pages_b));
        if (!only_rounded) {
            report_.sizes.push_back(fmt::format("{}: {} and {} pages", name, pages_a, pages_b));
        }
        return compare_pages(name, **a, **b, std::min(pages_a, pages_b));
    }

    /// Files of pages smaller than a block may end with the last whole block before the space's
    /// end, the server's choice when it extends one, or with the last page, if that is blank.
    static Result<bool> differ_by_rounding(space::Tablespace& a, std::uint32_t pages_a,
                                           space::Tablespace& b, std::uint32_t pages_b) {
        space::Tablespace& longer = pages_a > pages_b ? a : b;
        std::vector<std::byte> stored(a.physical_size());
        if (std::uint64_t{std::max(pages_a, pages_b) - std::min(pages_a, pages_b)} *
                stored.size() >=
            kBlockSize) {
            return false;
        }
        for (std::uint32_t page = std::min(pages_a, pages_b); page < std::max(pages_a, pages_b);
             ++page) {
            RETURN_IF_ERROR(read_page(longer, PageNo{page}, stored));
            if (!page::all_zero(stored)) {
                return false;
            }
        }
        return true;
    }

    /// Files whose page 0 cannot be read are fine where both are equally blank (a file created
    /// just before the crash and dropped in the log, say).
    Status compare_unreadable(const std::string& name,
                              const Result<std::unique_ptr<space::Tablespace>>& a,
                              const Result<std::unique_ptr<space::Tablespace>>& b,
                              io::Directory& directory_a, const std::vector<std::string>& paths_a,
                              io::Directory& directory_b, const std::vector<std::string>& paths_b) {
        if (!a && !b) {
            constexpr std::size_t kWholeMax = 1 << 26;  // bytes
            ASSIGN_OR_RETURN(const std::string text_a,
                             directory_a.read_text(paths_a.front(), kWholeMax));
            ASSIGN_OR_RETURN(const std::string text_b,
                             directory_b.read_text(paths_b.front(), kWholeMax));
            if (text_a == text_b) {
                return ok_status();
            }
        }
        const auto verdict = [](const auto& opened) {
            return opened ? std::string("readable") : opened.error().to_string();
        };
        report_.unreadable.push_back(fmt::format("{}: A: {}; B: {}", name, verdict(a), verdict(b)));
        return ok_status();
    }

    Status compare_pages(const std::string& name, space::Tablespace& a, space::Tablespace& b,
                         std::uint32_t count) {
        SpacePages source(b, keys_);
        ASSIGN_OR_RETURN(const space::ExtentMap map,
                         space::build_extent_map(source, b.header().id, b.header().flags));
        for (const space::ExtentProblem& problem : map.problems) {
            report_.extent_problems.push_back(
                fmt::format("{} page {}: {}", name, problem.page.value, problem.message));
        }
        const std::uint32_t size = b.physical_size();
        std::vector<std::uint32_t> blocks;
        if (b.header().id == kSystemSpace) {
            std::vector<std::byte> trx_sys(size);
            RETURN_IF_ERROR(source.read({kSystemSpace, PageNo{5}}, trx_sys));
            blocks = doublewrite_blocks(trx_sys);
        }
        const std::uint32_t extent = b.header().flags.extent_pages();
        const auto in_doublewrite = [&](std::uint32_t page) {
            return std::ranges::any_of(blocks, [&](std::uint32_t first) {
                return page >= first && page - first < extent;
            });
        };

        space::PageCodec codec_a = a.make_codec(keys_);
        space::PageCodec codec_b = b.make_codec(keys_);
        std::vector<std::byte> stored_a(size);
        std::vector<std::byte> stored_b(size);
        for (std::uint32_t number = 0; number < count; ++number) {
            const PageNo page{number};
            if (map.is_free(page)) {
                ++report_.free;
                continue;
            }
            if (in_doublewrite(number)) {
                ++report_.doublewrite;
                continue;
            }
            RETURN_IF_ERROR(read_page(a, page, stored_a));
            RETURN_IF_ERROR(read_page(b, page, stored_b));
            ++report_.pages;
            if (stored_a == stored_b ||
                same_content(name, page, codec_a, stored_a, codec_b, stored_b)) {
                ++report_.equal;
            } else {
                ++report_.different;
            }
        }
        return ok_status();
    }

    static Status read_page(space::Tablespace& tablespace, PageNo page,
                            std::span<std::byte> stored) {
        ASSIGN_OR_RETURN(const std::uint32_t read, tablespace.read_raw(page, 1, stored));
        if (read != 1) {
            return make_error(ErrorCode::Io, "file became shorter while it was read")
                .with_file(tablespace.path())
                .with_page(page);
        }
        return ok_status();
    }

    /// The page, whose checksum is right, as if its key version were 0.
    static Result<space::PageState> decode_unencrypted(space::PageCodec& codec, PageNo page,
                                                       std::span<const std::byte> stored,
                                                       std::span<std::byte> plain) {
        std::vector<std::byte> image(stored.begin(), stored.end());
        page::Header::KeyVersion::set(std::span(image), 0);
        const std::size_t end = page::full_crc32_stored_size(image) - sizeof(std::uint32_t);
        store_be(image.data() + end, crc32c(std::span(image).first(end)));
        return codec.decode(page, image, plain);
    }

    bool same_content(const std::string& name, PageNo page, space::PageCodec& codec_a,
                      std::span<const std::byte> stored_a, space::PageCodec& codec_b,
                      std::span<const std::byte> stored_b) {
        std::vector<std::byte> a(stored_a.size());
        std::vector<std::byte> b(stored_b.size());
        const auto state_a = codec_a.decode(page, stored_a, a);
        auto state_b = codec_b.decode(page, stored_b, b);
        if (!state_b && codec_b.parameters().flags.full_crc32 &&
            codec_b.parameters().flags.page_compressed &&
            page::full_crc32_stored_size(stored_b) != 0) {
            if (const auto relabelled = decode_unencrypted(codec_b, page, stored_b, b)) {
                ++report_.mislabelled;
                state_b = *relabelled;
            }
        }
        Difference difference{name, page.value, std::nullopt, 0, 0, {}};
        if (!state_a || !state_b) {
            difference.note = !state_a ? "A: " + state_a.error().to_string()
                                       : "B: " + state_b.error().to_string();
            return note(std::move(difference));
        }
        difference.lsn_a = page::HeaderView(a).lsn().value;
        difference.lsn_b = page::HeaderView(b).lsn().value;
        difference.note = page::type_name(page::HeaderView(b).type());
        blank_storage_fields(a, codec_a.parameters());
        blank_storage_fields(b, codec_b.parameters());
        const auto first = std::ranges::mismatch(a, b).in1;
        if (first == a.end()) {
            return true;
        }
        difference.offset = static_cast<std::uint32_t>(first - a.begin());
        return note(std::move(difference));
    }

    bool note(Difference difference) {
        if (report_.differences.size() < kListedMax) {
            report_.differences.push_back(std::move(difference));
        }
        return false;
    }

    const crypt::KeyRing* keys_;
    Report& report_;
};

nlohmann::json to_json(const Report& report) {
    nlohmann::json differences = nlohmann::json::array();
    for (const Difference& difference : report.differences) {
        nlohmann::json entry{{"file", difference.file},
                             {"page", difference.page},
                             {"lsn_a", difference.lsn_a},
                             {"lsn_b", difference.lsn_b},
                             {"note", difference.note}};
        if (difference.offset) {
            entry["offset"] = *difference.offset;
        }
        differences.push_back(std::move(entry));
    }
    return {{"schema", "redoubt.compare_datadirs.v1"},
            {"same", report.same()},
            {"files", report.files},
            {"pages", report.pages},
            {"equal", report.equal},
            {"different", report.different},
            {"free", report.free},
            {"doublewrite", report.doublewrite},
            {"mislabelled", report.mislabelled},
            {"differences", std::move(differences)},
            {"only_in_a", report.only_in_a},
            {"only_in_b", report.only_in_b},
            {"sizes", report.sizes},
            {"unreadable", report.unreadable},
            {"extent_problems", report.extent_problems}};
}

void print(const Report& report) {
    fmt::print(
        "{} files, {} pages compared: {} equal, {} different ({} free, {} doublewrite, "
        "{} mislabelled)\n",
        report.files, report.pages, report.equal, report.different, report.free, report.doublewrite,
        report.mislabelled);
    for (const Difference& difference : report.differences) {
        const std::string place =
            difference.offset ? fmt::format(" differs from byte {}", *difference.offset) : "";
        fmt::print("{} page {}{}: lsn {} and {}, {}\n", difference.file, difference.page, place,
                   difference.lsn_a, difference.lsn_b, difference.note);
    }
    const auto print_all = [](std::string_view what, const std::vector<std::string>& lines) {
        for (const std::string& line : lines) {
            fmt::print("{}: {}\n", what, line);
        }
    };
    print_all("only in A", report.only_in_a);
    print_all("only in B", report.only_in_b);
    print_all("size differs", report.sizes);
    print_all("page 0 unusable", report.unreadable);
    print_all("extents of B", report.extent_problems);
}

struct Options {
    std::string a;
    std::string b;
    std::string key_file;
    crypt::CipherMode mode = crypt::CipherMode::Cbc;
    std::optional<std::uint32_t> debug_key_version;
};

Result<Report> compare(const Options& options) {
    ASSIGN_OR_RETURN(Side a, open_side(options.a));
    ASSIGN_OR_RETURN(Side b, open_side(options.b));
    std::unique_ptr<crypt::KeyRing> keys;
    if (!options.key_file.empty()) {
        ASSIGN_OR_RETURN(
            keys, crypt::load_key_file(*a.directory, options.key_file, std::nullopt, options.mode));
    }
    if (options.debug_key_version) {
        keys = crypt::debug_key_ring(*options.debug_key_version);
    }
    Report report;
    RETURN_IF_ERROR(Comparison(keys.get(), report).compare(a, b));
    return report;
}

}  // namespace
}  // namespace redoubt

int main(int argc, char** argv) {
    redoubt::Options options;
    bool json = false;
    CLI::App app("compares two data directories page by page");
    app.add_option("A", options.a, "the directory in question")->required();
    app.add_option("B", options.b, "the reference")->required();
    app.add_option("--key-file", options.key_file,
                   "key file of file_key_management (absolute path)");
    app.add_option("--key-algorithm", options.mode, "cbc or ctr")
        ->transform(CLI::CheckedTransformer(std::map<std::string, redoubt::crypt::CipherMode>{
            {"cbc", redoubt::crypt::CipherMode::Cbc}, {"ctr", redoubt::crypt::CipherMode::Ctr}}));
    app.add_option("--debug-key-version", options.debug_key_version,
                   "instead: the keys of debug_key_management, up to this version");
    app.add_flag("--json", json, "one JSON document on stdout");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const auto report = redoubt::compare(options);
    if (!report) {
        fmt::print(stderr, "error: {}\n", report.error().to_string());
        return 3;
    }
    if (json) {
        fmt::print("{}\n", redoubt::to_json(*report).dump(2));
    } else {
        redoubt::print(*report);
    }
    return report->same() ? 0 : 1;
}
