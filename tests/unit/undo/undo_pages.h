/// Undo logs on pages made by hand.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/big_endian.h"
#include "unit/made_pages.h"

namespace redoubt::undo {

inline constexpr std::uint32_t kPageSize = 4096;
inline constexpr std::uint32_t kPageCount = 20;
inline constexpr std::uint64_t kTable = 30;
inline constexpr std::uint32_t kSegmentPage = 6;
// Offsets: docs/formats/undo.md.
inline constexpr std::size_t kType = 24;
inline constexpr std::size_t kSlots = 56;
inline constexpr std::size_t kHistory = 46;
inline constexpr std::size_t kUndoSlots = 72;
inline constexpr std::size_t kFreeFrom = 42;
inline constexpr std::size_t kPreviousPage = 44;
inline constexpr std::size_t kNextPage = 50;
inline constexpr std::size_t kState = 56;
inline constexpr std::size_t kLastLog = 58;
inline constexpr std::size_t kFirstLog = 86;
inline constexpr std::size_t kFirstRecord = 18;  // of a log, as the next three
inline constexpr std::size_t kNextLog = 30;
inline constexpr std::size_t kHistoryNode = 34;
inline constexpr std::size_t kLogSize = 46;
inline constexpr std::size_t kRecords = 56;  // on a page that is not the first
inline constexpr std::uint16_t kActive = 1;
inline constexpr std::uint16_t kToPurge = 4;
inline constexpr std::uint8_t kInsert = 11;
inline constexpr std::uint8_t kDeleteMark = 14;

class UndoPages final : public test::MadePages {
public:
    UndoPages() : test::MadePages(kSystemSpace, kPageSize, kPageCount) {
        auto& system = new_page(5, 7);
        std::fill(system.begin() + kSlots, system.end(), std::byte{0xFF});
        put32(5, kSlots, 0);
        put32(5, kSlots + 4, kSegmentPage);
        auto& segment = new_page(kSegmentPage, 6);
        std::fill(segment.begin() + kHistory + 4, segment.end(), std::byte{0xFF});
    }
    /// The first page of a segment, in undo slot `slot`, with one log and no records.
    void add_first(std::uint32_t number, std::uint16_t state, unsigned slot) {
        add_page(number);
        put32(kSegmentPage, kUndoSlots + std::size_t{4} * slot, number);
        put16(number, kState, state);
        put16(number, kFreeFrom, kFirstLog);
        add_log(number);
    }
    void add_page(std::uint32_t number) {
        new_page(number, 2);
        put32(number, kPreviousPage, kNoPage.value);
        put32(number, kNextPage, kNoPage.value);
        put16(number, kFreeFrom, kRecords);
    }
    /// Behind what is there. Returns its offset.
    std::size_t add_log(std::uint32_t number) {
        const std::size_t at = free_from(number);
        if (at != kFirstLog) {
            put16(number, last_log(number) + kNextLog, at);
        }
        put16(number, kLastLog, at);
        put16(number, at + kFirstRecord, at + kLogSize);
        put32(number, at + kHistoryNode + 6, kNoPage.value);
        put16(number, kFreeFrom, at + kLogSize);
        return at;
    }
    void add_record(std::uint32_t number, std::uint8_t type, std::uint32_t key,
                    std::uint64_t table = kTable) {
        std::vector<std::uint8_t> body{type, 0, static_cast<std::uint8_t>(table)};
        if (type != kInsert) {
            body.resize(body.size() + 1 + 5 + 5);  // info bits, transaction, roll pointer
        }
        body.push_back(4);
        for (int shift = 24; shift >= 0; shift -= 8) {
            body.push_back(static_cast<std::uint8_t>(key >> shift));
        }
        add_record(number, body);
    }
    /// `body`: from its type on. Returns its offset.
    std::size_t add_record(std::uint32_t number, const std::vector<std::uint8_t>& body) {
        const std::size_t at = free_from(number);
        const std::size_t next = at + 2 + body.size() + 2;
        put16(number, at, next);
        std::transform(body.begin(), body.end(), page(number).begin() + static_cast<long>(at) + 2,
                       [](std::uint8_t b) { return std::byte{b}; });
        put16(number, next - 2, at);
        put16(number, kFreeFrom, next);
        return at;
    }
    /// The history is these logs, the newest first.
    void set_history(const std::vector<std::pair<std::uint32_t, std::size_t>>& logs) {
        put32(kSegmentPage, kHistory, static_cast<std::uint32_t>(logs.size()));
        std::uint32_t page = kSegmentPage;
        std::uint32_t newer = kNoPage.value;
        std::size_t newer_at = 0;
        std::size_t at = kHistory + 4;
        for (const auto& [number, log] : logs) {
            put32(page, at, number);
            put16(page, at + 4, log + kHistoryNode);
            put32(number, log + kHistoryNode, newer);
            put16(number, log + kHistoryNode + 4, newer_at);
            newer = number;
            newer_at = log + kHistoryNode;
            page = number;
            at = log + kHistoryNode + 6;
        }
        put32(page, at, kNoPage.value);
    }

private:
    test::Bytes& new_page(std::uint32_t number, std::uint16_t type) {
        test::Bytes& made = page(number);
        std::ranges::fill(made, std::byte{0});
        put16(number, kType, type);
        return made;
    }
    std::size_t free_from(std::uint32_t number) {
        return load_be<std::uint16_t>(page(number).data() + kFreeFrom);
    }
    std::size_t last_log(std::uint32_t number) {
        return load_be<std::uint16_t>(page(number).data() + kLastLog);
    }
};

}  // namespace redoubt::undo
