// Trees of one key column (INT), made by hand on pages of 4 KiB.
#include "btree/tree.h"

#include <gmock/gmock.h>

#include <map>

#include "base/big_endian.h"
#include "record/parse.h"

namespace redoubt::btree {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kPageSize = 4096;
constexpr SpaceId kSpace{7};
constexpr std::uint64_t kIndexId = 42;

class MadePages final : public space::PageSource {
public:
    Status read(PageId id, std::span<std::byte> plain) override {
        const auto found = pages_.find(id.page.value);
        if (found == pages_.end()) {
            return corruption(id, "unreadable");
        }
        std::copy(found->second.begin(), found->second.end(), plain.begin());
        return {};
    }
    Result<std::uint32_t> page_count(SpaceId) override { return 20; }

    std::vector<std::byte>& page(std::uint32_t number) { return pages_[number]; }
    void lose(std::uint32_t number) { pages_.erase(number); }

    /// A COMPACT page with these keys; above the leaves each with a child.
    void make(std::uint32_t number, std::uint16_t level, PageNo previous, PageNo next,
              const std::vector<std::uint32_t>& keys, const std::vector<std::uint32_t>& children) {
        std::vector<std::byte> page(kPageSize);
        const auto put16 = [&](std::size_t at, std::size_t value) {
            store_be<std::uint16_t>(page.data() + at, static_cast<std::uint16_t>(value));
        };
        store_be<std::uint32_t>(page.data() + 8, previous.value);
        store_be<std::uint32_t>(page.data() + 12, next.value);
        put16(24, 17855);
        put16(42, 0x8000 | (keys.size() + 2));
        put16(54, keys.size());
        put16(64, level);
        store_be<std::uint64_t>(page.data() + 66, kIndexId);
        std::size_t before = record::kCompactInfimum;
        std::size_t origin = record::kCompactHeap + record::kCompactHeader;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            put16(before - 2, origin - before);
            const bool first = i == 0 && level > 0 && previous == kNoPage;
            page[origin - 5] = first ? std::byte{0x10} : std::byte{0};
            put16(origin - 4, ((i + 2) << 3) | (level > 0 ? 1 : 0));
            store_be<std::uint32_t>(page.data() + origin, keys[i]);
            if (level > 0) {
                store_be<std::uint32_t>(page.data() + origin + 4, children[i]);
            }
            before = origin;
            origin += 8 + record::kCompactHeader;
        }
        put16(before - 2, record::kCompactSupremum - before);
        put16(40, origin);
        pages_[number] = std::move(page);
    }

private:
    std::map<std::uint32_t, std::vector<std::byte>> pages_;
};

class TreeTest : public testing::Test {
protected:
    TreeTest() {
        layout_.fields = {{.fixed_size = 4, .nullable = false}};
        layout_.key_fields = 1;
        layout_.finish();
        // root 3 over the leaves 4, 5, 6
        pages_.make(3, 1, kNoPage, kNoPage, {10, 20, 30}, {4, 5, 6});
        pages_.make(4, 0, kNoPage, PageNo{5}, {10, 11}, {});
        pages_.make(5, 0, PageNo{4}, PageNo{6}, {20, 21}, {});
        pages_.make(6, 0, PageNo{5}, kNoPage, {30, 31}, {});
    }

    TreeReader reader() {
        return TreeReader(pages_,
                          {.root = {kSpace, PageNo{3}},
                           .index_id = kIndexId,
                           .physical_size = kPageSize,
                           .logical_size = kPageSize},
                          layout_);
    }

    static std::uint32_t key_of(const TreeReader& reader) {
        std::vector<record::Field> fields(1);
        EXPECT_TRUE(reader.parse(1, fields));
        return load_be<std::uint32_t>(fields[0].data);
    }

    std::vector<std::uint32_t> rest(TreeReader& reader, bool forward) {
        std::vector<std::uint32_t> keys;
        for (int i = 0; i < 1000; ++i) {
            const auto more = forward ? reader.next() : reader.previous();
            if (!more) {
                error_ = more.error().to_string();
                break;
            }
            if (!*more) {
                break;
            }
            keys.push_back(key_of(reader));
        }
        return keys;
    }

    std::vector<std::uint32_t> from_key(std::uint32_t key, bool behind, bool forward) {
        std::vector<std::byte> bytes(4);
        store_be<std::uint32_t>(bytes.data(), key);
        const record::Field field{.data = bytes.data(), .size = 4};
        TreeReader tree = reader();
        EXPECT_TRUE(tree.to_key(std::span(&field, 1), behind));
        return rest(tree, forward);
    }

    MadePages pages_;
    record::RecordLayout layout_;
    std::string error_;
};

TEST_F(TreeTest, IsWalkedFromBothEnds) {
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest(tree, true), ElementsAre(10, 11, 20, 21, 30, 31));
    ASSERT_TRUE(tree.to_last());
    EXPECT_THAT(rest(tree, false), ElementsAre(31, 30, 21, 20, 11, 10));
}

TEST_F(TreeTest, IsEnteredAtAKey) {
    EXPECT_THAT(from_key(20, false, true), ElementsAre(20, 21, 30, 31));
    EXPECT_THAT(from_key(20, true, true), ElementsAre(21, 30, 31));
    EXPECT_THAT(from_key(20, true, false), ElementsAre(20, 11, 10));
    EXPECT_THAT(from_key(20, false, false), ElementsAre(11, 10));
    EXPECT_THAT(from_key(5, false, true), ElementsAre(10, 11, 20, 21, 30, 31));
    EXPECT_THAT(from_key(15, false, true), ElementsAre(20, 21, 30, 31));
    EXPECT_THAT(from_key(99, false, true), IsEmpty());
}

TEST_F(TreeTest, EndsAtADamagedPageUnlessItIsLeftOut) {
    pages_.lose(5);
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest(tree, true), ElementsAre(10, 11));
    EXPECT_THAT(error_, HasSubstr("page 5"));
    PageId lost;
    const auto skipped = tree.skip_damage(true, lost);
    ASSERT_TRUE(skipped && *skipped);
    EXPECT_EQ(lost.page, PageNo{5});
    EXPECT_THAT(rest(tree, true), ElementsAre(30, 31));
}

TEST_F(TreeTest, NoticesLinksThatDoNotLeadBack) {
    pages_.make(5, 0, PageNo{4}, PageNo{4}, {20, 21}, {});  // a circle
    TreeReader tree = reader();
    ASSERT_TRUE(tree.to_first());
    EXPECT_THAT(rest(tree, true), ElementsAre(10, 11, 20, 21));
    EXPECT_THAT(error_, HasSubstr("leads back"));
}

TEST_F(TreeTest, NoticesACircleOfChildren) {
    pages_.make(3, 1, kNoPage, kNoPage, {10}, {3});
    TreeReader tree = reader();
    const Status status = tree.to_first();
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().to_string(), HasSubstr("level 1 below one on level 1"));
}

TEST_F(TreeTest, NoticesRecordsThatLeaveTheHeap) {
    for (const std::uint16_t link :
         std::initializer_list<std::uint16_t>{1, 0x0F00, 0x7FFF, 0xFFFF}) {
        store_be<std::uint16_t>(pages_.page(4).data() + record::kCompactInfimum - 2, link);
        TreeReader tree = reader();
        EXPECT_FALSE(tree.to_first()) << link;
    }
}

}  // namespace
}  // namespace redoubt::btree
