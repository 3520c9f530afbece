#include "backup/drivers/aria/log.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "base/parallel.h"

namespace redoubt::backup::aria {
namespace {

constexpr std::uint64_t kHeldBack = std::uint64_t{5} << 20;  // bytes (L1)
constexpr std::size_t kBufferSize = std::size_t{1} << 20;    // bytes
constexpr int kControlReads = 5;  // before a control file with a wrong checksum counts as damaged

}  // namespace

Result<bool> LogCopier::begin() {
    auto file = context_.datadir.open(io::join(context_.aria_log_dir, LogControl::kFile),
                                      io::OpenMode::ReadOnly);
    if (!file && file.error().code() == ErrorCode::NotFound) {
        return false;
    }
    if (!file) {
        return std::move(file.error());
    }
    std::vector<std::byte> bytes(LogControl::kSizeMax);
    for (int reads = 1;; ++reads) {
        ASSIGN_OR_RETURN(const std::size_t size, (*file)->read_at(0, bytes));
        auto control = LogControl::decode(std::span(bytes).first(size));
        if (control) {
            control_ = std::move(*control);
            return true;
        }
        if (reads == kControlReads) {
            return std::move(control.error());
        }
        // The server may be writing it.
        std::this_thread::sleep_for(std::chrono::milliseconds(reads));
    }
}

Status LogCopier::copy_complete() {
    ASSIGN_OR_RETURN(const std::vector<std::string> names,
                     context_.datadir.list(context_.aria_log_dir));
    std::set<std::uint32_t> numbers;
    for (const std::string& name : names) {
        if (const auto number = log_file_number(name)) {
            numbers.insert(*number);
        }
    }
    // What is not connected to the last one is left from another time.
    std::uint32_t first = control_->last_log();
    if (!numbers.contains(first)) {
        return make_error(ErrorCode::NotFound,
                          "this file is not there, but {} says it is the last one",
                          LogControl::kFile)
            .with_file(path_of(first))
            .with_hint("check the server's aria_log_dir_path");
    }
    std::uint32_t last = first;
    while (numbers.contains(first - 1)) {
        --first;
    }
    while (numbers.contains(last + 1)) {
        ++last;
    }
    // The last may still grow, and the one before may still be flushed.
    next_ = std::max(first, last - std::min(last, 1U));
    const std::uint32_t complete = next_ - first;
    RETURN_IF_ERROR(
        base::parallel_for(complete, context_.threads, [&](std::size_t item, unsigned) -> Status {
            const auto number = static_cast<std::uint32_t>(first + item);
            ASSIGN_OR_RETURN(const auto file,
                             context_.datadir.open(path_of(number), io::OpenMode::ReadOnly));
            RETURN_IF_ERROR(context_.target.copy(*file, log_file_name(number)));
            return {};
        }));
    return copy_tail(false);
}

Status LogCopier::copy_tail(bool last) {
    RETURN_IF_ERROR(open_tails());
    // How much of the log lies behind each file's end.
    std::uint64_t behind = 0;
    std::map<std::uint32_t, std::uint64_t> ends;
    std::set<std::uint32_t> complete;
    for (auto it = tails_.rbegin(); it != tails_.rend(); ++it) {
        auto& [number, tail] = *it;
        ASSIGN_OR_RETURN(const io::FileInfo info, tail.source->info());
        tail.size = info.size;
        const std::uint64_t kept = last ? 0 : kHeldBack - std::min(kHeldBack, behind);
        ends[number] = info.size - std::min(info.size, kept);
        if (last || (kept == 0 && it != tails_.rbegin())) {
            complete.insert(number);
        }
        behind += info.size;
    }
    for (auto& [number, tail] : tails_) {
        const bool whole = complete.contains(number);
        RETURN_IF_ERROR(copy_pages(number, tail, ends[number], whole));
        if (!whole && tail.copy->size() < ends[number]) {
            break;  // a page that is yet to come: what is behind it can wait
        }
    }
    for (const std::uint32_t number : complete) {
        RETURN_IF_ERROR(finish(tails_.at(number)));
        tails_.erase(number);
    }
    if (last) {
        control_->set_last_log(std::max(control_->last_log(), next_ - 1));  // L2
        return context_.target.write_text(LogControl::kFile, control_->bytes());
    }
    return {};
}

/// Opens the files that came since.
Status LogCopier::open_tails() {
    for (;;) {
        auto source = context_.datadir.open(path_of(next_), io::OpenMode::ReadOnly);
        if (!source && source.error().code() == ErrorCode::NotFound) {
            return {};
        }
        if (!source) {
            return std::move(source.error());
        }
        Tail tail{.source = std::move(*source), .copy = {}, .header = {}, .size = 0};
        ASSIGN_OR_RETURN(tail.copy, context_.target.create(log_file_name(next_)));
        tails_.emplace(next_, std::move(tail));
        ++next_;
    }
}

/// Copies pages up to byte `end`; not `last`: whole ones that bear their number.
Status LogCopier::copy_pages(std::uint32_t number, Tail& tail, std::uint64_t end, bool last) {
    const std::size_t page_size = control_->block_size();
    std::vector<std::byte> buffer(kBufferSize);
    while (tail.copy->size() < end) {
        const std::uint64_t at = tail.copy->size();
        const auto wanted = std::span(buffer).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(kBufferSize, end - at)));
        ASSIGN_OR_RETURN(std::size_t size, tail.source->read_at(at, wanted));
        if (!last) {
            std::size_t good = 0;
            for (; good + page_size <= size; good += page_size) {
                const std::uint64_t page = (at + good) / page_size;
                if (page != 0 && !is_log_page(wanted.subspan(good, page_size), page, number)) {
                    break;
                }
            }
            size = good;
        }
        if (size == 0) {
            break;
        }
        if (at == 0) {
            const auto header = wanted.first(std::min(size, page_size));
            tail.header.resize(header.size());
            std::ranges::copy(header, std::as_writable_bytes(std::span(tail.header)).begin());
        }
        RETURN_IF_ERROR(tail.copy->write(at, wanted.first(size)));
    }
    return {};
}

/// A file that is complete gets the highest LSN in it written to its first page.
Status LogCopier::finish(Tail& tail) {
    std::string header(tail.header.size(), '\0');
    const auto bytes = std::as_writable_bytes(std::span(header));
    RETURN_IF_ERROR(tail.source->read_exactly(0, bytes));
    if (header != tail.header) {
        RETURN_IF_ERROR(tail.copy->write(0, bytes));
    }
    return tail.copy->close(tail.copy->size());
}

std::string LogCopier::path_of(std::uint32_t number) const {
    return io::join(context_.aria_log_dir, log_file_name(number));
}

}  // namespace redoubt::backup::aria
