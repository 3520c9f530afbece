#include "backup/drivers/aria/page_copy.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

namespace redoubt::backup::aria {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;  // bytes
constexpr int kReadsMax = 12;            // of a page that is not good; about 300 ms in all
constexpr int kLongestWaitExponent = 5;  // 32 ms

class PageCopy {
public:
    PageCopy(io::File& source, TargetFile& copy, const PageCopyOptions& options)
        : source_(source), copy_(copy), options_(options), page_size_(options.format.block_size) {}

    Result<std::uint64_t> run() {
        std::vector<std::byte> buffer(kBufferSize);
        int partial_reads = 0;
        for (std::uint64_t at = 0;;) {
            RETURN_IF_ERROR(base::check_cancelled(options_.cancel));
            ASSIGN_OR_RETURN(std::size_t size, source_.read_at(at, buffer));
            if (size == 0) {
                source_.will_not_need(0, at);
                return at;
            }
            if (size < page_size_ && ++partial_reads < kReadsMax) {
                wait(partial_reads);  // the file is being extended
                continue;
            }
            if (size < page_size_) {
                options_.note(fmt::format("{}: the last page, {}, is not whole; copied as it is",
                                          copy_.path(), at / page_size_));
            } else {
                partial_reads = 0;
                size -= size % page_size_;
                ASSIGN_OR_RETURN(size, check(at, std::span(buffer).first(size)));
            }
            RETURN_IF_ERROR(copy_.write(at, std::span(buffer).first(size)));
            at += size;
            if (size == 0 || size % page_size_ != 0) {
                return at;  // cut off while we read
            }
        }
    }

private:
    static void wait(int reads) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(1 << std::min(reads, kLongestWaitExponent)));
    }

    /// What was read from `at` on, page by page; how much of it is left if the file was cut off.
    Result<std::size_t> check(std::uint64_t at, std::span<std::byte> pages) {
        std::vector<std::byte> second;
        if (needs_second_reading(at)) {
            second.resize(pages.size());
            ASSIGN_OR_RETURN(const std::size_t size, source_.read_at(at, second));
            second.resize(size - size % page_size_);
        }
        for (std::size_t i = 0; i < pages.size(); i += page_size_) {
            const auto page = pages.subspan(i, page_size_);
            const std::uint64_t number = (at + i) / page_size_;
            const bool good =
                compared(number)
                    ? i < second.size() &&
                          std::ranges::equal(page, std::span(second).subspan(i, page_size_))
                    : is_page_good(page, number, options_.kind, options_.format);
            if (!good) {
                ASSIGN_OR_RETURN(const bool there, read_again(number, page));
                if (!there) {
                    return i;
                }
            }
        }
        return pages.size();
    }

    bool in_header(std::uint64_t number) const {
        return options_.kind == PageKind::Index && number * page_size_ < options_.format.key_start;
    }
    /// Pages whose checksum tells nothing: they count as whole when two readings are alike.
    bool compared(std::uint64_t number) const {
        return options_.format.encrypted || in_header(number);
    }
    bool needs_second_reading(std::uint64_t at) const { return compared(at / page_size_); }

    /// False when the file ends before it by now.
    Result<bool> read_again(std::uint64_t number, std::span<std::byte> page) {
        std::vector<std::byte> previous;
        for (int reads = 0; reads < kReadsMax; ++reads) {
            previous.assign(page.begin(), page.end());
            wait(reads);
            ASSIGN_OR_RETURN(const std::size_t size, source_.read_at(number * page_size_, page));
            if (size < page_size_) {
                return false;
            }
            if (compared(number) ? std::ranges::equal(page, previous)
                                 : is_page_good(page, number, options_.kind, options_.format)) {
                return true;
            }
        }
        if (options_.format.online_safe()) {
            return make_error(ErrorCode::Corruption, "page {} of this Aria table is damaged: {}",
                              number,
                              compared(number) ? "it reads differently each time"
                                               : "its checksum does not fit")
                .with_file(copy_.path())
                .with_hint("CHECK TABLE and REPAIR TABLE, or drop the table; then back up again");
        }
        options_.note(
            fmt::format("{}: page {} has a wrong checksum; copied as it is", copy_.path(), number));
        return true;
    }

    io::File& source_;
    TargetFile& copy_;
    const PageCopyOptions& options_;
    const std::size_t page_size_;
};

}  // namespace

Result<std::uint64_t> copy_pages(io::File& source, std::string_view path, Target& target,
                                 const PageCopyOptions& options) {
    ASSIGN_OR_RETURN(const auto copy, target.create(path));
    ASSIGN_OR_RETURN(const std::uint64_t size, PageCopy(source, *copy, options).run());
    RETURN_IF_ERROR(copy->close(size));
    return size;
}

}  // namespace redoubt::backup::aria
