#include "space/extent_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "unit/space/fake_space.h"

namespace redoubt::space {
namespace {

using test::FakeSpace;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kExtent = test::kFakeExtent;
constexpr std::uint32_t kPages = test::kFakePages;
constexpr SpaceId kSpace = test::kFakeSpace;

ExtentMap map_of(FakeSpace& space) {
    auto map = build_extent_map(space, kSpace, page::TablespaceFlags::decode(0x15).value());
    EXPECT_TRUE(map);
    return *std::move(map);
}
std::vector<std::string> messages_of(FakeSpace& space) {
    std::vector<std::string> messages;
    for (const ExtentProblem& problem : map_of(space).problems) {
        messages.push_back(problem.message);
    }
    return messages;
}

TEST(ExtentMap, KnowsTheUseOfEveryPage) {
    FakeSpace space;
    const ExtentMap map = map_of(space);
    EXPECT_THAT(messages_of(space), IsEmpty());
    ASSERT_EQ(map.use.size(), kPages);
    EXPECT_EQ(map.use[0], PageUse::Descriptor);
    EXPECT_EQ(map.use[1], PageUse::Bitmap);
    EXPECT_EQ(map.use[2], PageUse::Inode);
    EXPECT_EQ(map.use[3], PageUse::Fragment);
    EXPECT_EQ(map.owner[3], 1U);
    EXPECT_EQ(map.use[4], PageUse::Free);
    EXPECT_EQ(map.use[64], PageUse::Extent);
    EXPECT_EQ(map.use[137], PageUse::Extent);
    EXPECT_EQ(map.owner[137], 1U);
    EXPECT_EQ(map.use[138], PageUse::Free);
    EXPECT_FALSE(map.is_free(PageNo{3}));
    EXPECT_TRUE(map.is_free(PageNo{4}));
    EXPECT_TRUE(map.is_free(PageNo{kPages}));
    EXPECT_EQ(map.size, kPages);
    EXPECT_EQ(map.free_limit, kPages);
}

TEST(ExtentMap, PagesAtTheFreeLimitAreUnused) {
    FakeSpace space;
    space.set32(0, 50, 3 * kExtent);
    space.set_base(0, 62, 0, FakeSpace::kNull, FakeSpace::kNull);
    const ExtentMap map = map_of(space);
    EXPECT_THAT(map.problems, IsEmpty());
    EXPECT_EQ(map.use[3 * kExtent], PageUse::Unused);
    EXPECT_TRUE(map.is_free(PageNo{3 * kExtent}));
}

TEST(ExtentMap, FindsEveryBrokenInvariant) {
    using Space = FakeSpace;
    struct Case {
        std::string_view message;
        std::function<void(Space&)> damage;
    };
    const Case cases[] = {
        {"header says 5", [](Space& s) { s.set32(0, 58, 5); }},
        {"NOT_FULL of segment 1 are used, its inode says 11", [](Space& s) { s.set32(2, 58, 11); }},
        {"list FREE has 1 nodes, its base says 2", [](Space& s) { s.set32(0, 62, 2); }},
        {"list FREE ends at page 0, its base says 7", [](Space& s) { s.set32(0, 72, 7); }},
        {"does not link back",
         [](Space& s) {
             s.set_address(0, Space::node(3), {0, 158});
         }},
        {"extent of page 192, state 1, is on no list",
         [](Space& s) { s.set_base(0, 62, 0, Space::kNull, Space::kNull); }},
        {"on a list for the second time",
         [](Space& s) {
             s.set_address(0, Space::node(3) + 6, {0, Space::node(3)});
         }},
        {"on a list for the second time",
         [](Space& s) {
             s.set_base(2, 62, 1, {0, Space::node(1)}, {0, Space::node(1)});
         }},
        {"extent of page 192 on list FREE has state 2",
         [](Space& s) { s.set32(0, Space::entry(3) + 20, 2); }},
        {"extent of page 64 on list FULL of segment 1 says it belongs to segment 6",
         [](Space& s) { s.set64(0, Space::entry(1), 6); }},
        {"extent of page 64 on list FULL of segment 1 has 63 used pages",
         [](Space& s) { s.set_free(70); }},
        {"extent of page 192 on list FREE has 1 used pages", [](Space& s) { s.set_used(200); }},
        {"where no descriptor is",
         [](Space& s) {
             s.set_address(0, 66, {0, 150});
         }},
        {"where no descriptor is",
         [](Space& s) {
             s.set_address(0, 66, {0, 16350});
         }},
        {"where no descriptor is",
         [](Space& s) {
             s.set_address(0, 66, {64, Space::node(3)});
         }},
        {"pages 4 to 5 are marked used, but nothing owns them",
         [](Space& s) {
             s.set_used(4);
             s.set_used(5);
             s.set32(0, 58, 6);
         }},
        {"page 3 of segment 1 is marked free",
         [](Space& s) {
             s.set_free(3);
             s.set32(0, 58, 3);
         }},
        {"page 0 of the space itself is marked free", [](Space& s) { s.set_free(0); }},
        {"page 3 is owned twice: by segment 1 and by segment 1",
         [](Space& s) { s.set32(2, 118, 3); }},
        {"page 2 is owned twice: by the inode pages and by segment 1",
         [](Space& s) { s.set32(2, 118, 2); }},
        {"page 65 is owned twice: by segment 1 and by segment 1 with its extent",
         [](Space& s) { s.set32(2, 118, 65); }},
        {"page 1 of segment 1 belongs to the space itself", [](Space& s) { s.set32(2, 118, 1); }},
        {"page 4000 of segment 1 is beyond", [](Space& s) { s.set32(2, 118, 4000); }},
        {"magic number 1", [](Space& s) { s.set32(2, 110, 1); }},
        {"not below the next segment id 1", [](Space& s) { s.set64(0, 110, 1); }},
        {"segment 1 has two inodes",
         [](Space& s) { std::copy_n(s.bytes(2).begin() + 50, 192, s.bytes(2).begin() + 242); }},
        {"1 of 85 inodes in use",
         [](Space& s) {
             s.set_base(0, 118, 1, {2, 38}, {2, 38});
             s.set_base(0, 134, 0, Space::kNull, Space::kNull);
         }},
        {"inode page 2 is on a list for the second time",
         [](Space& s) {
             s.set_address(2, 44, {2, 38});
         }},
        {"where no inode page is",
         [](Space& s) {
             s.set_address(0, 138, {2, 50});
         }},
        {"free limit 200 is no multiple", [](Space& s) { s.set32(0, 50, 200); }},
        {"free limit 320 is beyond the 256 pages", [](Space& s) { s.set32(0, 50, 320); }},
        {"space has 300 pages by its header, the file 256", [](Space& s) { s.set32(0, 46, 300); }},
        {"marked used beyond the end 200",
         [](Space& s) {
             s.set32(0, 46, 200);
             s.set_used(201);
         }},
        {"expected inode", [](Space& s) { s.set16(2, 24, 6); }},
        {"cannot be read",
         [](Space& s) {
             s.failure = ErrorCode::Corruption;
             s.failing_page = PageNo{2};
         }},
        {"cannot be read", [](Space& s) { s.failure = ErrorCode::NotFound; }},
    };
    for (const Case& c : cases) {
        FakeSpace space;
        c.damage(space);
        EXPECT_THAT(messages_of(space), Contains(HasSubstr(std::string(c.message))));
    }
}

TEST(ExtentMap, AnUnreadableInodePageIsTheOnlyProblemReported) {
    FakeSpace space;
    space.failure = ErrorCode::Corruption;
    space.failing_page = PageNo{2};
    EXPECT_EQ(messages_of(space).size(), 1U);
}

TEST(ExtentMap, CallsNoPageFreeWhenTheFirstPageCannotBeRead) {
    FakeSpace space;
    space.failure = ErrorCode::Corruption;
    const ExtentMap map = map_of(space);
    EXPECT_FALSE(map.is_free(PageNo{0}));
    EXPECT_FALSE(map.is_free(PageNo{3 * kExtent}));
    EXPECT_FALSE(map.problems.empty());
}

TEST(ExtentMap, PassesOnErrorsThatAreNoDamage) {
    for (const ErrorCode code : {ErrorCode::Io, ErrorCode::Key, ErrorCode::Cancelled}) {
        for (const PageNo page : {PageNo{0}, PageNo{2}}) {
            FakeSpace space;
            space.failure = code;
            space.failing_page = page;
            const auto map =
                build_extent_map(space, kSpace, page::TablespaceFlags::decode(0x15).value());
            ASSERT_FALSE(map);
            EXPECT_EQ(map.error().code(), code);
        }
    }
}

TEST(ExtentMap, EndsWhateverTheBytesSay) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 2000; ++round) {
        FakeSpace space;
        for (std::uint64_t i = random() % 8 + 1; i > 0; --i) {
            const std::size_t page = random() % 2 * 2;
            space.bytes(page)[38 + random() % 280] = static_cast<std::byte>(random());
        }
        const ExtentMap map = map_of(space);
        EXPECT_EQ(map.use.size(), map.owner.size());
        EXPECT_LE(map.use.size(), kPages);
    }
}

}  // namespace
}  // namespace redoubt::space
