#include "cli/page_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace redoubt::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Page 0, a bitmap, an inode page, then 61 leaves, then 4 free pages of the next row.
PageMap small_map() {
    PageMap map{.title = "db/a<b.ibd", .subtitle = "16k full_crc32", .pages = {}};
    map.pages = {PageKind::SpaceHeader, PageKind::Bitmap, PageKind::Inode};
    map.pages.resize(64, PageKind::IndexLeaf);
    map.pages.resize(68, PageKind::Free);
    return map;
}

TEST(PageMap, DrawsOneCellAPageIn64Columns) {
    const std::string text = map_text(small_map(), false);
    EXPECT_THAT(text, HasSubstr("         0 HmN" + std::string(61, 'l') + "\n        64 ----\n"));
    EXPECT_THAT(text, HasSubstr("one cell is one page"));
    EXPECT_THAT(text, HasSubstr("l index leaf"));
    EXPECT_THAT(text, Not(HasSubstr("undo log"))) << "the legend has only what occurs";
    EXPECT_THAT(text, Not(HasSubstr("\x1b["))) << "no colours where none were asked for";
}

TEST(PageMap, UsesColoursWhenAsked) {
    EXPECT_THAT(map_text(small_map(), true), HasSubstr("\x1b[48;5;"));
}

TEST(PageMap, DrawsALargeFileInPowersOfTwoAndNeverHidesDamage) {
    PageMap map{.title = "t", .subtitle = "", .pages = {}};
    map.pages.assign(64 * 4 * 2 + 1, PageKind::Undo);  // one page too many for 2 pages a cell
    map.pages[300] = PageKind::Damaged;
    const std::string text = map_text(map, false, /*rows_max=*/4);
    EXPECT_THAT(text, HasSubstr("one cell is 4 pages"));
    const std::string picture = text.substr(0, text.find("\n\n"));
    EXPECT_EQ(std::ranges::count(picture, '!'), 1);
    EXPECT_EQ(std::ranges::count(picture, 'U'), 128);
}

TEST(PageMap, GivesRunsOfEqualPages) {
    const auto runs = runs_of(small_map().pages);
    ASSERT_EQ(runs.size(), 5U);
    EXPECT_EQ(runs[3].first, 3U);
    EXPECT_EQ(runs[3].count, 61U);
    EXPECT_EQ(runs[3].kind, PageKind::IndexLeaf);
}

TEST(PageMap, SvgHasATooltipForEachRunAndEscapesNames) {
    const std::string svg = map_svg(small_map());
    EXPECT_TRUE(svg.starts_with("<svg xmlns="));
    EXPECT_TRUE(svg.ends_with("</svg>\n"));
    EXPECT_THAT(svg, HasSubstr("<title>pages 3 to 63: index leaf</title>"));
    EXPECT_THAT(svg, HasSubstr("<title>page 0: space header</title>"));
    EXPECT_THAT(svg, HasSubstr("db/a&lt;b.ibd"));
    EXPECT_THAT(svg, Not(HasSubstr("a<b")));
}

TEST(PageMap, AnEmptyFileIsDrawnToo) {
    const PageMap map{.title = "t", .subtitle = "", .pages = {}};
    EXPECT_THAT(map_text(map, false), HasSubstr("one cell is one page"));
    EXPECT_TRUE(map_svg(map).ends_with("</svg>\n"));
}

}  // namespace
}  // namespace redoubt::cli
