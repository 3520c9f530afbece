#include "cli/page_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "cli/html_text.h"
#include "cli/output.h"

namespace redoubt::cli {
namespace {

constexpr std::size_t kColumns = 64;

struct KindStyle {
    std::string_view name;
    char letter;
    std::string_view colour;  ///< SVG
    unsigned background;      ///< of the 256 terminal colours
    unsigned foreground;
};

constexpr std::array<KindStyle, kPageKindCount> kStyles = {{
    {"never written", '.', "#f4f5f7", 255, 248},
    {"free", '-', "#cfe5cf", 194, 244},
    {"allocated", 'a', "#b9c2cc", 249, 235},
    {"space header", 'H', "#1f2933", 235, 255},
    {"extent descriptors", 'X', "#52606d", 240, 255},
    {"change buffer bitmap", 'm', "#8a97a6", 245, 255},
    {"segment inodes", 'N', "#7b4fa3", 97, 255},
    {"index leaf", 'l', "#4f9bd9", 74, 232},
    {"index inner", 'I', "#1c5d99", 25, 255},
    {"spatial index", 'R', "#2aa198", 37, 232},
    {"blob", 'B', "#f2a541", 215, 232},
    {"undo log", 'U', "#5cb270", 71, 232},
    {"system", 'S', "#8d6e4a", 95, 255},
    {"doublewrite", 'D', "#c9b79c", 180, 232},
    {"other", '?', "#e07bb0", 175, 232},
    {"encrypted", 'E', "#d8c94a", 185, 232},
    {"damaged", '!', "#d7263d", 160, 255},
}};

const KindStyle& style_of(PageKind kind) { return kStyles[static_cast<std::size_t>(kind)]; }

/// Pages drawn as one cell so that all fit into `rows_max` rows: a power of two.
std::size_t pages_per_cell(std::size_t pages, std::size_t rows_max) {
    std::size_t per_cell = 1;
    while ((pages + per_cell - 1) / per_cell > kColumns * rows_max) {
        per_cell *= 2;
    }
    return per_cell;
}

PageKind kind_of_cell(std::span<const PageKind> pages) {
    KindCounts counts{};
    for (const PageKind kind : pages) {
        if (kind == PageKind::Damaged) {
            return kind;
        }
        ++counts[static_cast<std::size_t>(kind)];
    }
    return static_cast<PageKind>(std::ranges::max_element(counts) - counts.begin());
}

std::vector<PageKind> cells_of(const std::vector<PageKind>& pages, std::size_t per_cell) {
    std::vector<PageKind> cells;
    const std::span all(pages);
    for (std::size_t at = 0; at < pages.size(); at += per_cell) {
        cells.push_back(kind_of_cell(all.subspan(at, std::min(per_cell, pages.size() - at))));
    }
    return cells;
}

std::string cell_size_text(std::size_t per_cell) {
    return per_cell == 1 ? "one cell is one page" : fmt::format("one cell is {} pages", per_cell);
}

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
    return fmt::format("{:.1f}%", 100 * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

std::string_view name_of(PageKind kind) { return style_of(kind).name; }

std::string_view colour_of(PageKind kind) { return style_of(kind).colour; }

KindCounts count_kinds(const std::vector<PageKind>& pages) {
    KindCounts counts{};
    for (const PageKind kind : pages) {
        ++counts[static_cast<std::size_t>(kind)];
    }
    return counts;
}

std::vector<PageRun> runs_of(const std::vector<PageKind>& pages) {
    std::vector<PageRun> runs;
    for (std::size_t page = 0; page < pages.size(); ++page) {
        if (runs.empty() || runs.back().kind != pages[page]) {
            runs.push_back({page, 0, pages[page]});
        }
        ++runs.back().count;
    }
    return runs;
}

std::string map_text(const PageMap& map, bool colour, std::size_t rows_max) {
    const std::size_t per_cell = pages_per_cell(map.pages.size(), rows_max);
    const std::vector<PageKind> cells = cells_of(map.pages, per_cell);
    const auto drawn = [colour](PageKind kind, std::size_t times) {
        const KindStyle& style = style_of(kind);
        const std::string letters(times, style.letter);
        return colour ? fmt::format("\x1b[48;5;{};38;5;{}m{}\x1b[0m", style.background,
                                    style.foreground, letters)
                      : letters;
    };
    std::string text;
    for (std::size_t row = 0; row < cells.size(); row += kColumns) {
        text += fmt::format("{:>10} ", row * per_cell);
        const std::vector<PageKind> line(
            cells.begin() + static_cast<std::ptrdiff_t>(row),
            cells.begin() + static_cast<std::ptrdiff_t>(std::min(row + kColumns, cells.size())));
        for (const PageRun& run : runs_of(line)) {
            text += drawn(run.kind, run.count);
        }
        text += '\n';
    }
    text += fmt::format("\n{:>10} {}:\n", "", cell_size_text(per_cell));
    const KindCounts counts = count_kinds(map.pages);
    for (std::size_t i = 0; i < kPageKindCount; ++i) {
        if (counts[i] != 0) {
            const auto kind = static_cast<PageKind>(i);
            text += fmt::format("{:>10} {} {:<21} {:>12} pages {:>6}\n", "", drawn(kind, 1),
                                name_of(kind), human_count(counts[i]),
                                percent_text(counts[i], map.pages.size()));
        }
    }
    return text;
}

std::string map_svg(const PageMap& map, std::size_t rows_max) {
    constexpr std::size_t kCell = 11;  // pixels, the gap to the next included
    constexpr std::size_t kLeft = 84;
    constexpr std::size_t kTop = 62;
    constexpr std::size_t kLegendLine = 20;
    constexpr std::size_t kLegendWidth = 288;
    constexpr std::size_t kMargin = 24;

    const std::size_t per_cell = pages_per_cell(map.pages.size(), rows_max);
    const std::vector<PageKind> cells = cells_of(map.pages, per_cell);
    const KindCounts counts = count_kinds(map.pages);
    const auto shown =
        kPageKindCount - static_cast<std::size_t>(std::ranges::count(counts, std::uint64_t{0}));
    const std::size_t rows = (cells.size() + kColumns - 1) / kColumns;
    const std::size_t grid_width = kColumns * kCell;
    const std::size_t legend_x = kLeft + grid_width + kMargin;
    const std::size_t width = legend_x + kLegendWidth;
    const std::size_t height = kTop + std::max(rows * kCell, (shown + 2) * kLegendLine) + kMargin;

    std::string svg = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" font-family=\"system-ui, 'DejaVu Sans', sans-serif\" font-size=\"12\" "
        "fill=\"#1f2933\">\n"
        "<title>{2}</title>\n"
        "<defs><pattern id=\"grid\" width=\"{3}\" height=\"{3}\" patternUnits=\"userSpaceOnUse\" "
        "x=\"{4}\" y=\"{5}\"><path d=\"M{3} 0V{3}H0\" fill=\"none\" stroke=\"#fff\" "
        "stroke-width=\"2\"/></pattern></defs>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        "<text x=\"{6}\" y=\"28\" font-size=\"16\" font-weight=\"600\">{2}</text>\n"
        "<text x=\"{6}\" y=\"48\" fill=\"#616e7c\">{7}</text>\n",
        width, height, html_escaped(map.title), kCell, kLeft, kTop, kMargin,
        html_escaped(map.subtitle));

    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t first_cell = row * kColumns;
        const std::size_t y = kTop + row * kCell;
        if (row % 4 == 0) {
            svg += fmt::format(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"10\" "
                "fill=\"#616e7c\">{}</text>\n",
                kLeft - 8, y + kCell - 2, human_count(first_cell * per_cell));
        }
        const std::vector<PageKind> line(cells.begin() + static_cast<std::ptrdiff_t>(first_cell),
                                         cells.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                             first_cell + kColumns, cells.size())));
        for (const PageRun& run : runs_of(line)) {
            const std::size_t first = (first_cell + run.first) * per_cell;
            const std::size_t end = std::min(first + run.count * per_cell, map.pages.size());
            const std::string pages = end - first == 1
                                          ? fmt::format("page {}", first)
                                          : fmt::format("pages {} to {}", first, end - 1);
            svg += fmt::format(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\">"
                "<title>{}: {}</title></rect>\n",
                kLeft + run.first * kCell, y, run.count * kCell, kCell, style_of(run.kind).colour,
                pages, name_of(run.kind));
        }
    }
    svg += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"url(#grid)\" "
        "pointer-events=\"none\"/>\n",
        kLeft, kTop, grid_width, rows * kCell);

    std::size_t y = kTop;
    svg += fmt::format("<text x=\"{}\" y=\"{}\" fill=\"#616e7c\">{}; {} pages in all</text>\n",
                       legend_x, y + 10, cell_size_text(per_cell), human_count(map.pages.size()));
    y += kLegendLine + 4;
    for (std::size_t i = 0; i < kPageKindCount; ++i) {
        if (counts[i] == 0) {
            continue;
        }
        const auto kind = static_cast<PageKind>(i);
        svg += fmt::format(
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{}\" "
            "stroke=\"#cbd2d9\" stroke-width=\"0.5\"/>"
            "<text x=\"{}\" y=\"{}\">{}</text>"
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>"
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#616e7c\">{}</text>\n",
            legend_x, y, style_of(kind).colour, legend_x + 20, y + 10, name_of(kind),
            legend_x + 212, y + 10, human_count(counts[i]), legend_x + 264, y + 10,
            percent_text(counts[i], map.pages.size()));
        y += kLegendLine;
    }
    return svg + "</svg>\n";
}

}  // namespace redoubt::cli
