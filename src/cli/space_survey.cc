#include "cli/space_survey.h"

#include <algorithm>
#include <optional>

#include "base/parallel.h"
#include "page/header.h"
#include "page/trx_system.h"
#include "space/file_pages.h"

namespace redoubt::cli {
namespace {

constexpr std::uint32_t kPagesPerRead = 64;

/// The two page ranges of the system tablespace that hold copies of other pages.
struct DoublewriteArea {
    std::uint32_t block1 = 0;
    std::uint32_t block2 = 0;
    std::uint32_t block_pages = 0;
    bool contains(std::uint32_t page) const {
        return page - block1 < block_pages || page - block2 < block_pages;
    }
};

/// Nothing is there in other tablespaces.
DoublewriteArea find_doublewrite(space::Tablespace& tablespace, space::FilePages& pages) {
    const space::SpaceHeader& header = tablespace.header();
    std::vector<std::byte> page(tablespace.physical_size());
    if (header.id != kSystemSpace || !pages.read({header.id, page::TrxSystemView::kPage}, page)) {
        return {};
    }
    const page::DoublewriteHeaderView doublewrite(page);
    if (!doublewrite.present()) {
        return {};
    }
    return {.block1 = doublewrite.block1().value,
            .block2 = doublewrite.block2().value,
            .block_pages = header.flags.extent_pages()};
}

/// False when the first page or another with descriptors could not be read.
bool describes_every_page(const space::ExtentMap& extents) {
    return !extents.use.empty() &&
           std::ranges::find(extents.use, space::PageUse::Unknown) == extents.use.end();
}

bool stored_encrypted(std::span<const std::byte> stored, const space::SpaceHeader& header) {
    if (!header.crypt) {
        return false;
    }
    return (header.flags.full_crc32 ? page::Header::KeyVersion::get(stored)
                                    : page::Header::OldKeyVersion::get(stored)) != 0;
}

/// One thread's part of the work.
struct Worker {
    space::PageCodec codec;
    std::vector<std::byte> stored;
    std::vector<std::byte> plain;
    std::uint64_t encrypted_pages = 0;
    std::vector<Error> damage;

    PageKind examine(PageNo number, std::span<const std::byte> page) {
        auto state = codec.decode(number, page, plain);
        if (!state && state.error().code() == ErrorCode::Key) {
            state = codec.check(number, page);  // what can be said without the content
            if (state || state.error().code() == ErrorCode::Key) {
                return PageKind::Encrypted;
            }
        }
        if (!state) {
            damage.push_back(std::move(state.error()));
            return PageKind::Damaged;
        }
        return *state == space::PageState::AllZero ? PageKind::NeverWritten
                                                   : verify::kind_of(plain);
    }
};

}  // namespace

Result<SpaceSurvey> survey_space(space::Tablespace& tablespace, const SurveyOptions& options) {
    const space::SpaceHeader& header = tablespace.header();
    const std::uint32_t page_size = tablespace.physical_size();
    ASSIGN_OR_RETURN(const std::uint32_t page_count, tablespace.page_count());

    SpaceSurvey survey;
    space::FilePages pages(tablespace, options.keys);
    std::optional<space::ExtentMap> extents;
    if (auto map = space::build_extent_map(pages, header.id, header.flags)) {
        extents = std::move(*map);
        survey.extent_problems = extents->problems;
        survey.free_pages_known = describes_every_page(*extents);
    } else if (map.error().code() != ErrorCode::Key) {
        return std::move(map.error());
    }
    const DoublewriteArea doublewrite = find_doublewrite(tablespace, pages);
    const auto is_free = [&extents](std::uint32_t page) {
        return extents && page < extents->use.size() && extents->is_free(PageNo{page});
    };

    const unsigned threads = std::max(1U, options.threads);
    std::vector<Worker> workers;
    for (unsigned thread = 0; thread < threads; ++thread) {
        workers.push_back({.codec = tablespace.make_codec(options.keys),
                           .stored = std::vector<std::byte>(std::size_t{kPagesPerRead} * page_size),
                           .plain = std::vector<std::byte>(page_size),
                           .encrypted_pages = 0,
                           .damage = {}});
    }
    survey.pages.resize(page_count, PageKind::NeverWritten);
    options.progress->begin("inspect", std::uint64_t{page_count} * page_size, "bytes");
    RETURN_IF_ERROR(base::parallel_for(
        (page_count + kPagesPerRead - 1) / kPagesPerRead, threads,
        [&](std::size_t item, unsigned thread) -> Status {
            RETURN_IF_ERROR(options.cancel->check());
            Worker& worker = workers[thread];
            const auto first = static_cast<std::uint32_t>(item * kPagesPerRead);
            const std::uint32_t wanted = std::min(kPagesPerRead, page_count - first);
            ASSIGN_OR_RETURN(const std::uint32_t count,
                             tablespace.read_raw(
                                 PageNo{first}, wanted,
                                 std::span(worker.stored).first(std::size_t{wanted} * page_size)));
            for (std::uint32_t i = 0; i < count; ++i) {
                const std::uint32_t number = first + i;
                const auto page = std::span<const std::byte>(worker.stored)
                                      .subspan(std::size_t{i} * page_size, page_size);
                PageKind& kind = survey.pages[number];
                if (doublewrite.contains(number)) {
                    kind = PageKind::Doublewrite;
                } else if (is_free(number)) {
                    kind = page::all_zero(page) ? PageKind::NeverWritten : PageKind::Free;
                } else {
                    kind = worker.examine(PageNo{number}, page);
                    worker.encrypted_pages += stored_encrypted(page, header) ? 1 : 0;
                }
            }
            options.progress->advance(std::uint64_t{count} * page_size);
            return {};
        }));
    options.progress->end();

    for (Worker& worker : workers) {
        survey.encrypted_pages += worker.encrypted_pages;
        std::ranges::move(worker.damage, std::back_inserter(survey.damage));
    }
    std::ranges::sort(survey.damage, {}, [](const Error& error) { return error.page(); });
    if (survey.damage.size() > kDamageListed) {
        survey.damage.erase(survey.damage.begin() + kDamageListed, survey.damage.end());
    }
    return survey;
}

}  // namespace redoubt::cli
