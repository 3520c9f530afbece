#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>

#include "cli/html_text.h"
#include "cli/output.h"
#include "cli/page_map.h"
#include "cli/report_parts.h"

namespace redoubt::cli {
namespace {

using verify::Contents;
using verify::IndexContents;
using verify::SpaceContents;
using verify::TableContents;
using verify::TreeSize;

constexpr std::string_view kDamagedTag = " <span class=\"tag damage\">damaged</span>";
constexpr std::size_t kTablesMax = 2000;     // that are listed
constexpr std::size_t kIndexesInAll = 3000;  // that are listed
constexpr std::size_t kSpacesMax = 2000;     // that are listed

std::string name_of_format(dict::RowFormat format) {
    switch (format) {
        case dict::RowFormat::Redundant:
            return "REDUNDANT";
        case dict::RowFormat::Compact:
            return "COMPACT";
        case dict::RowFormat::Compressed:
            return "COMPRESSED";
        case dict::RowFormat::Dynamic:
            break;
    }
    return "DYNAMIC";
}

/// A table with its file. One of both may be missing.
struct Row {
    const TableContents* table = nullptr;
    const SpaceContents* space = nullptr;  // of its own; null: in the system tablespace, or unseen

    std::size_t index_count() const { return table == nullptr ? 0 : table->indexes.size(); }
    bool whole() const {
        return table == nullptr || std::ranges::all_of(table->indexes, &IndexContents::whole);
    }
    std::uint64_t bytes() const { return space == nullptr ? 0 : space->bytes; }
    std::string name() const {
        if (table == nullptr) {
            return space->table;
        }
        return table->partition.empty() ? table->table
                                        : fmt::format("{} ({})", table->table, table->partition);
    }
};

/// The largest first.
std::vector<Row> rows_of(const Contents& contents) {
    std::map<SpaceId, const SpaceContents*> own;
    for (const SpaceContents& space : contents.spaces) {
        if (!space.table.empty()) {
            own.emplace(space.space, &space);
        }
    }
    std::vector<Row> rows;
    std::map<SpaceId, bool> seen;
    for (const TableContents& table : contents.tables) {
        const auto space = own.find(table.space);
        rows.push_back({&table, space == own.end() ? nullptr : space->second});
        seen[table.space] = true;
    }
    for (const auto& [id, space] : own) {
        if (!seen.contains(id)) {
            rows.push_back({nullptr, space});
        }
    }
    std::ranges::stable_sort(rows, std::greater{}, &Row::bytes);
    return rows;
}

/// How many of its pages are in use.
void append_use(std::string& out, const SpaceContents& space) {
    if (!space.free_pages || space.pages == 0) {
        out += "<span class=\"soft\">not known</span>";
        return;
    }
    const std::uint64_t used =
        space.pages - std::min<std::uint64_t>(*space.free_pages, space.pages);
    const double share = 100 * static_cast<double>(used) / space.pages;
    fmt::format_to(std::back_inserter(out),
                   "<span class=\"bar\" title=\"{} in use, {} not\"><i style=\"width:{:.1f}%\">"
                   "</i></span><span class=\"share\">{}</span>",
                   counted(used, "page"), counted(*space.free_pages, "page"), share,
                   share_text(used, space.pages));
}

void append_fill(std::string& out, const TreeSize& size) {
    if (size.room_bytes == 0) {
        out += "<span class=\"soft\">not known</span>";
        return;
    }
    fmt::format_to(
        std::back_inserter(out),
        "<span class=\"bar\" title=\"{} of records in {}\"><i style=\"width:{:.1f}%\">"
        "</i></span><span class=\"share\">{}</span>",
        human_bytes(size.used_bytes), counted(size.leaf_pages, "leaf page"),
        100 * static_cast<double>(size.used_bytes) / static_cast<double>(size.room_bytes),
        share_text(size.used_bytes, size.room_bytes));
}

TreeSize sum_of(const TableContents& table) {
    TreeSize sum;
    for (const IndexContents& index : table.indexes) {
        sum.leaf_pages += index.size.leaf_pages;
        sum.inner_pages += index.size.inner_pages;
        sum.blob_pages += index.size.blob_pages;
        sum.used_bytes += index.size.used_bytes;
        sum.room_bytes += index.size.room_bytes;
    }
    return sum;
}

void append_index(std::string& out, const IndexContents& index) {
    fmt::format_to(std::back_inserter(out),
                   "<tr><td class=\"name\"><bdi>{}</bdi>{}</td><td class=\"n\">{}</td>"
                   "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>",
                   html_escaped(index.name), index.whole ? "" : kDamagedTag,
                   human_count(index.size.records), human_count(index.size.leaf_pages),
                   human_count(index.size.inner_pages), human_count(index.size.blob_pages));
    append_fill(out, index.size);
    out += "</td></tr>\n";
}

/// A row of its own, since it is wider than any column.
void append_indexes(std::string& out, const TableContents& table) {
    fmt::format_to(std::back_inserter(out),
                   "<tr class=\"more\"><td colspan=\"7\"><details><summary>{}</summary><table "
                   "class=\"inner\"><thead><tr><th>Index</th>"
                   "<th class=\"n\">Records</th><th class=\"n\">Leaf pages</th><th class=\"n\">"
                   "Inner pages</th><th class=\"n\">Off-page</th><th>Fill of leaves</th></tr>"
                   "</thead><tbody>\n",
                   counted(table.indexes.size(), "index"));
    for (const IndexContents& index : table.indexes) {
        append_index(out, index);
    }
    out += "</tbody></table></details></td></tr>\n";
}

void append_tree_cells(std::string& out, const Row& row) {
    if (row.table == nullptr || row.table->indexes.empty()) {
        out += "<td class=\"n soft\">not seen</td><td></td>";
        return;
    }
    fmt::format_to(std::back_inserter(out), "<td class=\"n\">{}</td><td>",
                   human_count(row.table->indexes.front().size.records));
    append_fill(out, sum_of(*row.table));
    out += "</td>";
}

void append_row(std::string& out, const Row& row, bool trees_walked) {
    fmt::format_to(std::back_inserter(out),
                   "<tr><td class=\"name\"><bdi>{}</bdi>{}</td><td class=\"n\">{}</td><td>",
                   html_escaped(row.name()), row.whole() ? "" : kDamagedTag,
                   row.space == nullptr ? "<span class=\"soft\">in another file</span>"
                                        : human_bytes(row.bytes()));
    if (row.space != nullptr) {
        append_use(out, *row.space);
    }
    out += "</td>";
    if (trees_walked) {
        append_tree_cells(out, row);
    }
    fmt::format_to(std::back_inserter(out), "<td class=\"n\">{}</td><td>{}</td></tr>\n",
                   row.space != nullptr && row.space->ages.pages != 0
                       ? human_count(row.space->ages.max.value)
                       : "",
                   row.table == nullptr ? "" : name_of_format(row.table->row_format));
}

/// In either colour scheme what was never written recedes.
std::string_view colour_in_report(PageKind kind) {
    return kind == PageKind::NeverWritten ? "var(--hole)" : colour_of(kind);
}

std::string encryption_text(const SpaceContents& space) {
    if (!space.crypt || !space.crypt->encrypts()) {
        return "no";
    }
    return fmt::format("key {}, version {} or later", space.crypt->key_id,
                       space.crypt->min_key_version);
}

void append_space(std::string& out, const SpaceContents& space) {
    std::string files;
    for (const std::string& file : space.files) {
        fmt::format_to(std::back_inserter(files), "{}<bdi>{}</bdi>", files.empty() ? "" : "<br/>",
                       html_escaped(file));
    }
    fmt::format_to(
        std::back_inserter(out),
        "<tr><td class=\"n\">{}</td><td class=\"name\">{}</td><td class=\"n\">{}</td>"
        "<td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td>"
        "<td>{}</td></tr>\n",
        space.space.value, files, human_bytes(space.bytes), human_bytes(space.allocated),
        human_count(space.pages),
        space.free_pages ? human_count(*space.free_pages) : std::string("?"),
        html_escaped(space.flags.to_string()), encryption_text(space));
}

}  // namespace

std::string share_text(std::uint64_t part, std::uint64_t whole) {
    const double share =
        whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
    if (part != 0 && share < 0.1) {
        return "&lt;0.1%";
    }
    return fmt::format("{:.1f}%", share);
}

std::string counted(std::uint64_t count, std::string_view thing) {
    if (count == 1) {
        return fmt::format("1 {}", thing);
    }
    return fmt::format("{} {}{}", human_count(count), thing, thing.ends_with('x') ? "es" : "s");
}

void append_page_kinds(std::string& out, const Contents& contents) {
    KindCounts counts{};
    std::uint64_t all = 0;
    for (const SpaceContents& space : contents.spaces) {
        for (std::size_t kind = 0; kind < kPageKindCount; ++kind) {
            counts[kind] += space.kinds[kind];
            all += space.kinds[kind];
        }
    }
    if (all == 0) {
        return;
    }
    std::string bar;
    std::string legend;
    double left = 0;
    for (std::size_t i = 0; i < kPageKindCount; ++i) {
        if (counts[i] == 0) {
            continue;
        }
        const auto kind = static_cast<PageKind>(i);
        const double width = 1000 * static_cast<double>(counts[i]) / static_cast<double>(all);
        fmt::format_to(std::back_inserter(bar),
                       "<rect x=\"{:.2f}\" y=\"0\" width=\"{:.2f}\" height=\"1\" style=\"fill:{}\">"
                       "<title>{}: {}</title></rect>\n",
                       left, width, colour_in_report(kind), name_of(kind),
                       counted(counts[i], "page"));
        fmt::format_to(std::back_inserter(legend),
                       "<li><i style=\"background:{}\"></i>{} <b>{}</b> <span class=\"soft\">{}"
                       "</span></li>\n",
                       colour_in_report(kind), name_of(kind), human_count(counts[i]),
                       share_text(counts[i], all));
        left += width;
    }
    fmt::format_to(std::back_inserter(out),
                   "<section>\n<h2>Kinds of pages</h2>\n<svg class=\"kinds\" viewBox=\"0 0 1000 "
                   "1\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Kinds of pages\">\n"
                   "{}</svg>\n<ul class=\"legend\">\n{}</ul>\n<p class=\"soft\">By the type that "
                   "is stored on each page; a page that was freed keeps what it was.</p>\n"
                   "</section>\n",
                   bar, legend);
}

void append_tables(std::string& out, const Contents& contents, bool trees_walked) {
    const std::vector<Row> rows = rows_of(contents);
    fmt::format_to(std::back_inserter(out),
                   "<section>\n<h2>Tables by size</h2>\n<p>{}, partitions counted each.{}</p>\n",
                   counted(rows.size(), "table"),
                   trees_walked
                       ? " <span class=\"soft\">Records: of the clustered index; rows that "
                         "are deleted but not purged count.</span>"
                       : "");
    if (!trees_walked) {
        out +=
            "<p class=\"soft\">Records, indexes and fill of pages are not known: trees were not "
            "walked.</p>\n";
    }
    fmt::format_to(std::back_inserter(out),
                   "<div class=\"wide\"><table class=\"tables\"><thead><tr><th>Table</th><th "
                   "class=\"n\">Size</th>"
                   "<th>Pages in use</th>{}<th class=\"n\">Newest LSN</th><th>Row format</th></tr>"
                   "</thead><tbody>\n",
                   trees_walked ? "<th class=\"n\">Records</th><th>Fill of leaves</th>" : "");
    std::size_t indexes = 0;
    std::size_t left_out = 0;  // tables whose indexes are not listed
    for (std::size_t i = 0; i < std::min(rows.size(), kTablesMax); ++i) {
        append_row(out, rows[i], trees_walked);
        indexes += rows[i].index_count();
        if (indexes > kIndexesInAll) {
            ++left_out;
        } else if (rows[i].index_count() != 0) {
            append_indexes(out, *rows[i].table);
        }
    }
    out += "</tbody></table></div>\n";
    if (left_out != 0) {
        fmt::format_to(std::back_inserter(out),
                       "<p>Of the last {} the indexes are not listed.</p>\n",
                       counted(left_out, "table"));
    }
    if (rows.size() > kTablesMax) {
        std::uint64_t bytes = 0;
        for (std::size_t i = kTablesMax; i < rows.size(); ++i) {
            bytes += rows[i].bytes();
        }
        fmt::format_to(std::back_inserter(out), "<p>{}, {} in all, are not listed.</p>\n",
                       counted(rows.size() - kTablesMax, "smaller table"), human_bytes(bytes));
    }
    out += "</section>\n";
}

void append_tablespaces(std::string& out, const Contents& contents) {
    out +=
        "<section>\n<h2>Tablespaces</h2>\n<div class=\"wide\"><table><thead><tr>"
        "<th class=\"n\">Space</th><th>Files</th><th class=\"n\">Size</th><th class=\"n\">On "
        "disk</th><th class=\"n\">Pages</th><th class=\"n\">Not in use</th><th>Format</th>"
        "<th>Encrypted</th></tr></thead><tbody>\n";
    for (std::size_t i = 0; i < std::min(contents.spaces.size(), kSpacesMax); ++i) {
        append_space(out, contents.spaces[i]);
    }
    out += "</tbody></table></div>\n";
    if (contents.spaces.size() > kSpacesMax) {
        fmt::format_to(std::back_inserter(out), "<p>{} are not listed.</p>\n",
                       counted(contents.spaces.size() - kSpacesMax, "more tablespace"));
    }
    out += "</section>\n";
}

}  // namespace redoubt::cli
