#include "dict/system_tables.h"

#include <set>

#include "base/big_endian.h"
#include "page/dictionary_header.h"
#include "page/header.h"
#include "page/index_page.h"

namespace redoubt::dict {
namespace {

// Positions of docs/formats/dictionary.md and index-page.md; the tables of the dictionary are
// REDUNDANT.
constexpr std::size_t kInfimum = 101;
constexpr std::size_t kSupremum = 116;
constexpr std::size_t kExtraSize = 6;
constexpr unsigned kDeleteMark = 0x20;
constexpr std::uint64_t kSysTablesIndexId = 1;

// Field numbers of SYS_TABLES rows.
constexpr std::size_t kNameField = 0;
constexpr std::size_t kIdField = 3;
constexpr std::size_t kTypeField = 5;
constexpr std::size_t kMixLengthField = 7;
constexpr std::size_t kSpaceField = 9;
constexpr std::size_t kFieldCount = 10;

/// One REDUNDANT record; every access is checked against the page.
class RedundantRecord {
public:
    RedundantRecord(std::span<const std::byte> page, std::size_t origin)
        : page_(page), origin_(origin) {}

    bool delete_marked() const {
        return (std::to_integer<unsigned>(page_[origin_ - 6]) & kDeleteMark) != 0;
    }
    std::size_t next() const { return load_be<std::uint16_t>(page_.data() + origin_ - 2); }
    std::size_t field_count() const {
        return (load_be<std::uint16_t>(page_.data() + origin_ - 4) >> 1) & 0x3FF;
    }

    /// Bytes of a field; nullopt: SQL NULL, outside the page, or not in the record.
    std::optional<std::span<const std::byte>> field(std::size_t index) const {
        if (index >= field_count()) {
            return std::nullopt;
        }
        const auto begin = index == 0 ? std::optional<End>(End{0, false}) : end_of(index - 1);
        const auto end = end_of(index);
        if (!begin || !end || end->null || end->offset < begin->offset ||
            origin_ + end->offset > page_.size()) {
            return std::nullopt;
        }
        return page_.subspan(origin_ + begin->offset, end->offset - begin->offset);
    }

private:
    struct End {
        std::size_t offset;
        bool null;
    };
    std::optional<End> end_of(std::size_t index) const {
        const bool short_offsets = (std::to_integer<unsigned>(page_[origin_ - 3]) & 1) != 0;
        const std::size_t size = short_offsets ? 1 : 2;
        const std::size_t below = kExtraSize + size * (index + 1);
        if (below > origin_) {
            return std::nullopt;
        }
        if (short_offsets) {
            const auto raw = std::to_integer<unsigned>(page_[origin_ - below]);
            return End{raw & 0x7F, (raw & 0x80) != 0};
        }
        const unsigned raw = load_be<std::uint16_t>(page_.data() + origin_ - below);
        return End{raw & 0x3FFF, (raw & 0x8000) != 0};
    }
    std::span<const std::byte> page_;
    std::size_t origin_;
};

class TreeWalk {
public:
    TreeWalk(space::PageSource& source, std::uint32_t page_size)
        : source_(source), page_(page_size) {}

    Result<std::vector<SystemTable>> run() {
        RETURN_IF_ERROR(source_.read({kSystemSpace, page::DictionaryHeaderView::kPage}, page_));
        PageNo at = page::DictionaryHeaderView(page_).tables_root();
        RETURN_IF_ERROR(read(at));
        while (level() != 0) {
            const unsigned above = level();
            ASSIGN_OR_RETURN(at, first_child(at));
            RETURN_IF_ERROR(read(at));
            if (level() + 1 != above) {
                return corruption({kSystemSpace, at},
                                  "SYS_TABLES page is on level {} below level {}", level(), above);
            }
        }
        std::vector<SystemTable> tables;
        for (;;) {
            RETURN_IF_ERROR(take_rows(at, tables));
            at = page::HeaderView(page_).next();
            if (at == kNoPage) {
                return tables;
            }
            RETURN_IF_ERROR(read(at));
            if (level() != 0) {
                return corruption({kSystemSpace, at}, "SYS_TABLES leaf page is on level {}",
                                  level());
            }
        }
    }

private:
    unsigned level() const { return page::IndexHeaderView(page_).level(); }

    Status read(PageNo at) {
        if (!seen_.insert(at).second) {
            return corruption({kSystemSpace, at}, "SYS_TABLES links lead back to this page");
        }
        RETURN_IF_ERROR(source_.read({kSystemSpace, at}, page_));
        if (!page::is_index_type(page::HeaderView(page_).type()) ||
            page::IndexHeaderView(page_).index_id() != kSysTablesIndexId) {
            return corruption({kSystemSpace, at}, "not a page of SYS_TABLES");
        }
        return {};
    }

    /// The record after `origin`; nullopt at the supremum.
    Result<std::optional<std::size_t>> next_of(PageNo at, std::size_t origin) {
        const std::size_t next = RedundantRecord(page_, origin).next();
        if (next == kSupremum) {
            return std::optional<std::size_t>();
        }
        if (next < kSupremum + kExtraSize || next >= page_.size()) {
            return corruption({kSystemSpace, at}, "record link {} leaves the page", next);
        }
        return std::optional(next);
    }

    Result<PageNo> first_child(PageNo at) {
        ASSIGN_OR_RETURN(const auto first, next_of(at, kInfimum));
        if (first) {
            const RedundantRecord record(page_, *first);
            const auto child =
                record.field_count() > 0 ? record.field(record.field_count() - 1) : std::nullopt;
            if (child && child->size() == 4) {
                return PageNo{load_be<std::uint32_t>(child->data())};
            }
        }
        return corruption({kSystemSpace, at}, "SYS_TABLES node page has no usable first child");
    }

    Status take_rows(PageNo at, std::vector<SystemTable>& tables) {
        const std::size_t count = page::IndexHeaderView(page_).record_count();
        std::size_t origin = kInfimum;
        for (std::size_t i = 0;; ++i) {
            ASSIGN_OR_RETURN(const auto next, next_of(at, origin));
            if (!next) {
                return {};
            }
            if (i >= count) {
                return corruption({kSystemSpace, at},
                                  "record chain is longer than the page's {} records", count);
            }
            origin = *next;
            const RedundantRecord record(page_, origin);
            if (!record.delete_marked()) {
                RETURN_IF_ERROR(take_row(at, record, tables));
            }
        }
    }

    static Status take_row(PageNo at, const RedundantRecord& record,
                           std::vector<SystemTable>& tables) {
        const auto name = record.field(kNameField);
        const auto id = record.field(kIdField);
        const auto type = record.field(kTypeField);
        const auto mix_length = record.field(kMixLengthField);
        const auto space = record.field(kSpaceField);
        if (record.field_count() != kFieldCount || !name || !id || id->size() != 8 || !type ||
            type->size() != 4 || !mix_length || mix_length->size() != 4 || !space ||
            space->size() != 4) {
            return corruption({kSystemSpace, at}, "a SYS_TABLES row does not have its ten fields");
        }
        SystemTable table;
        for (const std::byte b : *name) {
            table.name += static_cast<char>(b);
        }
        table.id = load_be<std::uint64_t>(id->data());
        table.type = load_be<std::uint32_t>(type->data());
        table.mix_length = load_be<std::uint32_t>(mix_length->data());
        table.space = SpaceId{load_be<std::uint32_t>(space->data())};
        tables.push_back(std::move(table));
        return {};
    }

    space::PageSource& source_;
    std::vector<std::byte> page_;
    std::set<PageNo> seen_;
};

}  // namespace

Result<std::vector<SystemTable>> read_system_tables(space::PageSource& source,
                                                    std::uint32_t page_size) {
    return TreeWalk(source, page_size).run();
}

}  // namespace redoubt::dict
