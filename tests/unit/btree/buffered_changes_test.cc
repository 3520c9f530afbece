// A leaf of an index on one VARCHAR and the key of its table, and the change buffer's root with
// changes of it, made by hand on pages of 4 KiB. Real ones: tests/interop/change_buffer.py.
#include "btree/buffered_changes.h"

#include <gmock/gmock.h>

#include "base/big_endian.h"
#include "page/change_buffer.h"
#include "record/parse.h"
#include "unit/made_pages.h"

namespace redoubt::btree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kPageSize = 4096;
constexpr PageId kLeaf{SpaceId{7}, PageNo{5}};
constexpr std::uint64_t kIndexId = 42;

using test::Bytes;

Bytes bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}

Bytes number(std::uint64_t value, std::size_t size) {
    Bytes made(size);
    for (std::size_t i = 0; i < size; ++i) {
        made[i] = static_cast<std::byte>(value >> (8 * (size - 1 - i)));
    }
    return made;
}

void put16(Bytes& page, std::size_t at, std::size_t value) {
    store_be<std::uint16_t>(page.data() + at, static_cast<std::uint16_t>(value));
}

Bytes root_of(std::uint64_t index_id, bool compact) {
    Bytes page(kPageSize);
    store_be<std::uint32_t>(page.data() + 8, kNoPage.value);
    store_be<std::uint32_t>(page.data() + 12, kNoPage.value);
    put16(page, 24, 17855);
    put16(page, 40, compact ? record::kCompactHeap : record::kRedundantHeap);
    put16(page, 42, (compact ? 0x8000U : 0U) | 2);
    store_be<std::uint64_t>(page.data() + 66, index_id);
    const std::size_t infimum = compact ? record::kCompactInfimum : record::kRedundantInfimum;
    const std::size_t supremum = compact ? record::kCompactSupremum : record::kRedundantSupremum;
    put16(page, infimum - 2, compact ? supremum - infimum : supremum);
    return page;
}

/// Behind all others of a root_of(). `origin`: in `record`.
void append(Bytes& page, bool compact, const Bytes& record, std::size_t origin) {
    const std::size_t supremum = compact ? record::kCompactSupremum : record::kRedundantSupremum;
    const std::size_t heap = load_be<std::uint16_t>(page.data() + 40);
    std::copy(record.begin(), record.end(), page.begin() + static_cast<std::ptrdiff_t>(heap));
    const std::size_t at = heap + origin;
    std::size_t last = compact ? record::kCompactInfimum : record::kRedundantInfimum;
    for (;;) {
        const std::uint16_t link = load_be<std::uint16_t>(page.data() + last - 2);
        const std::size_t next = compact ? (last + link) & (kPageSize - 1) : link;
        if (next == supremum) {
            break;
        }
        last = next;
    }
    put16(page, last - 2, compact ? at - last : at);
    put16(page, at - 2, compact ? supremum - at : supremum);
    put16(page, 40, heap + record.size());
    put16(page, 54, load_be<std::uint16_t>(page.data() + 54) + 1U);
}

class BufferedChangesTest : public testing::Test {
protected:
    BufferedChangesTest() {
        layout_.clustered = false;
        layout_.fields = {{.nullable = true, .big = true}, {.fixed_size = 4, .nullable = false}};
        layout_.key_fields = 2;
        layout_.finish();
        pages_.page({kSystemSpace, page::kChangeBufferRoot}) =
            root_of(page::kChangeBufferIndex, false);
        pages_.page(kLeaf) = root_of(kIndexId, true);
        pages_.page({kLeaf.space, PageNo{1}}) = Bytes(kPageSize);
        flag(true);
    }

    void flag(bool wait) {  // page 5: the high half of the third byte
        pages_.page({kLeaf.space, PageNo{1}})[94 + 2] = wait ? std::byte{0x40} : std::byte{0};
    }

    void entry(std::string_view text, std::uint32_t key, bool deleted = false) {
        Bytes record{static_cast<std::byte>(text.size()), std::byte{0},
                     deleted ? std::byte{0x20} : std::byte{0}};
        record.resize(record.size() + 4);
        const std::size_t origin = record.size();
        const Bytes data = bytes_of(text);
        record.insert(record.end(), data.begin(), data.end());
        const Bytes end = number(key, 4);
        record.insert(record.end(), end.begin(), end.end());
        append(pages_.page(kLeaf), true, record, origin);
    }

    /// A change of kLeaf (or another page of its space).
    void change(unsigned kind, std::optional<std::string_view> text, std::uint32_t key,
                PageNo page = kLeaf.page, unsigned flags = 1) {
        Bytes metadata = number(counter_++, 2);
        metadata.push_back(static_cast<std::byte>(kind));
        metadata.push_back(static_cast<std::byte>(flags));
        metadata.resize(4 + 2 * 6);
        const std::vector<Bytes> fields{number(kLeaf.space.value, 4), number(0, 1),
                                        number(page.value, 4),        metadata,
                                        bytes_of(text.value_or("")),  number(key, 4)};
        const std::size_t origin = 2 * fields.size() + record::kRedundantHeader;
        Bytes record(origin);
        std::size_t end = 0;
        for (std::size_t i = 0; i < fields.size(); ++i) {
            end += fields[i].size();
            const bool null = i == 4 && !text;
            put16(record, origin - record::kRedundantHeader - 2 * (i + 1),
                  end | (null ? 0x8000U : 0U));
        }
        put16(record, origin - 4, fields.size() << 1);
        for (const Bytes& field : fields) {
            record.insert(record.end(), field.begin(), field.end());
        }
        append(pages_.page({kSystemSpace, page::kChangeBufferRoot}), false, record, origin);
    }

    /// "text key", with a minus before those that are marked as deleted.
    std::vector<std::string> read() {
        BufferedChanges changes(pages_, kPageSize);
        TreeReader reader(pages_,
                          {.root = kLeaf,
                           .index_id = kIndexId,
                           .physical_size = kPageSize,
                           .logical_size = kPageSize},
                          layout_);
        reader.add_changes(&changes);
        std::vector<std::string> found;
        if (Status first = reader.to_first(); !first) {
            return {first.error().to_string()};
        }
        std::vector<record::Field> fields(2);
        for (;;) {
            const auto more = reader.next();
            if (!more || !*more) {
                return found;
            }
            EXPECT_TRUE(reader.parse(2, fields));
            found.push_back(fmt::format("{}{} {}",
                                        (reader.info() & record::kDeleteMark) != 0 ? "-" : "",
                                        fields[0].null ? "NULL" : record_text(fields[0]),
                                        load_be<std::uint32_t>(fields[1].data)));
        }
    }
    static std::string record_text(const record::Field& field) {
        return {static_cast<const char*>(static_cast<const void*>(field.data)), field.size};
    }

    test::MadePages pages_{kLeaf.space, kPageSize};
    record::RecordLayout layout_;
    std::uint16_t counter_ = 0;
};

TEST_F(BufferedChangesTest, InsertsGoWhereTheyBelong) {
    entry("b", 1);
    entry("d", 2);
    change(0, "a", 3);
    change(0, "c", 4);
    change(0, "e", 5);
    change(0, std::nullopt, 6);
    EXPECT_THAT(read(), ElementsAre("NULL 6", "a 3", "b 1", "c 4", "d 2", "e 5"));
}

TEST_F(BufferedChangesTest, KindsFollowEachOther) {
    entry("a", 1);
    entry("b", 2);
    change(1, "a", 1);  // marked
    change(1, "b", 2);
    change(2, "b", 2);  // purged
    change(0, "b", 2);  // there again
    EXPECT_THAT(read(), ElementsAre("-a 1", "b 2"));
}

TEST_F(BufferedChangesTest, AnInsertTakesTheMarkFromAnEqualEntry) {
    entry("a", 1, true);
    change(0, "a", 1);
    EXPECT_THAT(read(), ElementsAre("a 1"));
}

TEST_F(BufferedChangesTest, NeitherTheLastEntryNorOneWithoutAMarkIsPurged) {
    entry("a", 1, true);
    change(2, "a", 1);
    EXPECT_THAT(read(), ElementsAre("-a 1"));
    entry("b", 2);
    change(2, "b", 2);
    EXPECT_THAT(read(), ElementsAre("b 2"));
}

TEST_F(BufferedChangesTest, LongTextsHaveTwoBytesOfLength) {
    const std::string text(300, 'x');
    change(0, text, 1);
    EXPECT_THAT(read(), ElementsAre(text + " 1"));
}

TEST_F(BufferedChangesTest, OfOtherPagesAndWithoutTheFlagNoneCounts) {
    entry("a", 1);
    change(0, "b", 2, PageNo{4});
    change(0, "c", 3, PageNo{6});
    EXPECT_THAT(read(), ElementsAre("a 1"));
    change(0, "d", 4);
    flag(false);
    EXPECT_THAT(read(), ElementsAre("a 1"));
}

TEST_F(BufferedChangesTest, ChangesThatDoNotFitThePageAreAnError) {
    change(0, std::string(3000, 'x'), 1, kLeaf.page);
    EXPECT_THAT(read(), ElementsAre(std::string(3000, 'x') + " 1"));
    entry(std::string(120, 'a'), 1);
    for (std::uint32_t i = 0; i < 10; ++i) {
        entry(std::string(120, 'b'), i);
    }
    EXPECT_THAT(read(), ElementsAre(HasSubstr("do not fit")));
}

TEST_F(BufferedChangesTest, ChangesOfAnUnknownKindOrFormatAreAnError) {
    change(3, "a", 1);
    EXPECT_THAT(read(), ElementsAre(HasSubstr("unknown kind 3")));
    pages_.page({kSystemSpace, page::kChangeBufferRoot}) = root_of(page::kChangeBufferIndex, false);
    change(0, "a", 1, kLeaf.page, 0);
    EXPECT_THAT(read(), ElementsAre(HasSubstr("none of its index")));
}

TEST_F(BufferedChangesTest, AnEmptyChangeBufferIsKnown) {
    const auto before = has_buffered_changes(pages_, kPageSize);
    ASSERT_TRUE(before);
    EXPECT_FALSE(*before);
    change(0, "a", 1);
    const auto after = has_buffered_changes(pages_, kPageSize);
    ASSERT_TRUE(after);
    EXPECT_TRUE(*after);
}

}  // namespace
}  // namespace redoubt::btree
