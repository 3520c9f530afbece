#include "io/simulated_content.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/assert.h"

namespace redoubt::io {
namespace {

using Pending = SimulatedContent::Pending;

/// The part of `operation` within [begin, end), without regard to size.
void apply_within(SparseBytes& bytes, const Pending& operation, std::uint64_t begin,
                  std::uint64_t end) {
    begin = std::max(begin, operation.offset);
    end = std::min(end, operation.end());
    if (begin >= end) {
        return;
    }
    if (operation.kind == OperationKind::Write) {
        bytes.write(begin,
                    std::span(*operation.data)
                        .subspan(operation.data_begin + (begin - operation.offset), end - begin));
    } else {
        bytes.zero(begin, end - begin);
    }
}

void apply(SparseBytes& bytes, const Pending& operation) {
    if (operation.kind == OperationKind::Truncate) {
        bytes.resize(operation.size_after);
    } else {
        apply_within(bytes, operation, operation.offset, operation.end());
    }
}

/// Takes [begin, end) out of what `operations` do.
void subtract(std::vector<Pending>& operations, std::uint64_t begin, std::uint64_t end) {
    std::vector<Pending> left;
    for (const Pending& operation : operations) {
        if (operation.end() <= begin || operation.offset >= end) {
            left.push_back(operation);
            continue;
        }
        if (operation.offset < begin) {
            left.push_back(operation);
            left.back().length = begin - operation.offset;
        }
        if (operation.end() > end) {
            left.push_back(operation);
            left.back().offset = end;
            left.back().length = operation.end() - end;
            left.back().data_begin += static_cast<std::size_t>(end - operation.offset);
        }
    }
    operations = std::move(left);
}

/// After which operation (0: before the first) the size stands that the crash leaves. Size is
/// metadata and becomes durable in order: one of those that the file went through.
std::size_t choose_size(const std::vector<Pending>& pending, std::uint64_t durable_size,
                        CrashDice& dice) {
    std::vector<std::size_t> choices{0};
    std::uint64_t size = durable_size;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        if (pending[i].size_after != size) {
            choices.push_back(i + 1);
            size = pending[i].size_after;
        }
    }
    // The ends more often than their share: among a thousand appends they would hardly ever come.
    switch (dice.below(4)) {
        case 0:
            return choices.front();
        case 1:
            return choices.back();
        default:
            return choices[dice.below(choices.size())];
    }
}

/// Which pending operations touch which sector, by sector, then in order.
struct Touch {
    std::uint64_t sector;
    std::size_t operation;  ///< 1 = the first
    bool operator<(const Touch& other) const {
        return std::tie(sector, operation) < std::tie(other.sector, other.operation);
    }
};
std::vector<Touch> touches_below(std::uint64_t size, const std::vector<Pending>& pending,
                                 std::uint32_t tear_bytes) {
    std::vector<Touch> touches;
    for (std::size_t i = 0; i < pending.size(); ++i) {
        const std::uint64_t end = std::min(size, pending[i].end());
        for (std::uint64_t sector = pending[i].offset / tear_bytes; sector * tear_bytes < end;
             ++sector) {
            touches.push_back({sector, i + 1});
        }
    }
    std::sort(touches.begin(), touches.end());
    return touches;
}

}  // namespace

void SimulatedContent::put(std::span<const std::byte> data) {
    previous_ = durable_;
    was_synced_ = false;
    pending_.clear();
    current_ = {};
    current_.write(0, data);
    durable_ = current_;
}

void SimulatedContent::write(std::uint64_t number, std::uint64_t offset,
                             std::span<const std::byte> data) {
    if (data.empty()) {
        return;
    }
    current_.write(offset, data);
    pending_.push_back(
        {.kind = OperationKind::Write,
         .number = number,
         .offset = offset,
         .length = data.size(),
         .size_after = current_.size(),
         .data = std::make_shared<const std::vector<std::byte>>(data.begin(), data.end())});
}

void SimulatedContent::truncate(std::uint64_t number, std::uint64_t size) {
    const std::uint64_t size_before = current_.size();
    current_.resize(size);
    pending_.push_back({.kind = OperationKind::Truncate,
                        .number = number,
                        .offset = size,
                        .length = size_before - std::min(size, size_before),
                        .size_after = size,
                        .cuts = size < size_before});
}

void SimulatedContent::punch_hole(std::uint64_t number, std::uint64_t offset,
                                  std::uint64_t length) {
    length = std::min(length, current_.size() - std::min(offset, current_.size()));
    current_.zero(offset, length);
    pending_.push_back({.kind = OperationKind::PunchHole,
                        .number = number,
                        .offset = offset,
                        .length = length,
                        .size_after = current_.size()});
}

void SimulatedContent::sync() {
    if (pending_.empty()) {
        return;
    }
    previous_ = durable_;
    was_synced_ = true;
    std::vector<Pending> dropped;
    for (Pending& operation : pending_) {
        if (operation.dropped) {
            dropped.push_back(std::move(operation));
            continue;
        }
        apply(durable_, operation);
        // What is durable now must not be undone by something older that survives by chance.
        subtract(dropped, operation.offset, operation.cuts ? ~std::uint64_t{0} : operation.end());
    }
    if (dropped.empty()) {
        durable_ = current_;  // the same bytes, in chunks shared from now on
    }
    for (Pending& operation : dropped) {
        // The size is settled; only what they did to bytes within it may yet turn up.
        operation.size_after = durable_.size();
        operation.cuts = false;
    }
    pending_ = std::move(dropped);
}

void SimulatedContent::fail_sync() {
    for (Pending& operation : pending_) {
        operation.dropped = true;
    }
}

void SimulatedContent::lose_power(const CrashModel& model, CrashDice& dice) {
    switch (model.unsynced) {
        case CrashModel::Unsynced::Lost:
            break;
        case CrashModel::Unsynced::Kept:
            sync();
            break;
        case CrashModel::Unsynced::Random:
            if (!pending_.empty()) {
                keep_some(model.tear_bytes, dice);
            }
            break;
    }
    pending_.clear();
    current_ = durable_;
}

/// Each sector keeps what the first so many of its writes made of it: a cache holds one state of a
/// page, and writes it once or more. Truncates go with the size: those before the size that stands
/// have happened; of those after it nothing has, nor of what was later written in their place.
void SimulatedContent::keep_some(std::uint32_t tear_bytes, CrashDice& dice) {
    REDOUBT_ASSERT(tear_bytes != 0);
    const std::size_t sized_by = choose_size(pending_, durable_.size(), dice);
    const std::uint64_t size = sized_by == 0 ? durable_.size() : pending_[sized_by - 1].size_after;
    SparseBytes kept = durable_;
    kept.resize(std::max(size, kept.size()));

    // Half of the files decide sector by sector; in the others neighbours mostly share their fate,
    // or pages that survive whole beside others that do not would be too rare to be tested.
    const std::uint64_t run_length = dice.coin() ? 1 : 32;  // sectors, on average
    std::uint64_t roll = dice.roll();
    const std::vector<Touch> touches = touches_below(size, pending_, tear_bytes);
    for (auto it = touches.begin(); it != touches.end();) {
        const auto begin = it;
        const std::uint64_t sector = begin->sector;
        auto end = begin;  // of what may have happened in this sector
        bool cut = false;
        for (; it != touches.end() && it->sector == sector; ++it) {
            cut = cut || (pending_[it->operation - 1].cuts && it->operation > sized_by);
            end = cut ? end : it + 1;
        }
        if (dice.below(run_length) == 0) {
            roll = dice.roll();
        }
        const auto choices = static_cast<std::uint64_t>(end - begin) + 1;
        const auto count = static_cast<std::ptrdiff_t>((roll >> 32) * choices >> 32);
        for (auto touch = begin; touch != end; ++touch) {
            const Pending& operation = pending_[touch->operation - 1];
            if (touch - begin < count || operation.cuts) {
                apply_within(kept, operation, sector * tear_bytes, (sector + 1) * tear_bytes);
            }
        }
    }
    kept.resize(size);
    durable_ = std::move(kept);
}

void SimulatedContent::flip_bit(std::uint64_t offset, unsigned bit) {
    for (SparseBytes* bytes : {&current_, &durable_}) {
        if (offset < bytes->size()) {
            std::byte value{};
            bytes->read(offset, {&value, 1});
            value ^= std::byte{1} << bit;
            bytes->write(offset, {&value, 1});
        }
    }
}

void SimulatedContent::make_stale(std::uint64_t offset, std::uint64_t length) {
    for (SparseBytes* bytes : {&current_, &durable_}) {
        if (offset < bytes->size()) {
            std::vector<std::byte> old(std::min(length, bytes->size() - offset));
            previous_.read(offset, old);
            bytes->write(offset, old);
        }
    }
}

}  // namespace redoubt::io
