/// A picture of a tablespace: what each page is, drawn for a terminal or as SVG. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/page_kind.h"

namespace redoubt::cli {

using verify::KindCounts;
using verify::kPageKindCount;
using verify::PageKind;
/// "index leaf", as people and JSON read it.
std::string_view name_of(PageKind kind);

/// As pictures show it, "#4f9bd9".
std::string_view colour_of(PageKind kind);

KindCounts count_kinds(const std::vector<PageKind>& pages);

struct PageMap {
    std::string title;     ///< the file
    std::string subtitle;  ///< its format, say
    std::vector<PageKind> pages;
};

/// Rows of 64 cells, at most `rows_max` of them: one cell a page, or a power of two of pages where
/// the file is larger. A cell shows the kind most of its pages have, and damage whenever one has
/// it.
std::string map_text(const PageMap& map, bool colour, std::size_t rows_max = 48);
/// The same as a self-contained SVG document with a tooltip for each run of equal cells.
std::string map_svg(const PageMap& map, std::size_t rows_max = 128);

/// Equal neighbours: `count` pages of `kind` from page `first` on.
struct PageRun {
    std::uint64_t first;
    std::uint64_t count;
    PageKind kind;
};
std::vector<PageRun> runs_of(const std::vector<PageKind>& pages);

}  // namespace redoubt::cli
