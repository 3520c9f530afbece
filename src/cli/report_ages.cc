#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "cli/html_text.h"
#include "cli/output.h"
#include "cli/report_parts.h"

namespace redoubt::cli {
namespace {

using verify::LsnHistogram;
using verify::LsnRange;
using verify::SpaceContents;

constexpr unsigned kSteps = 10;
constexpr std::size_t kMarksMax = 200;  // damaged pages drawn in one file
constexpr double kWidth = 1000;         // of drawings, in units that the page stretches
constexpr double kHeight = 100;

/// LSNs from the oldest page to the end of the log.
struct Axis {
    Lsn oldest;
    Lsn newest;

    double at(Lsn lsn) const {
        if (newest <= oldest || lsn <= oldest) {
            return 0;
        }
        const auto length = static_cast<double>(newest.value - oldest.value);
        return kWidth * std::min(1.0, static_cast<double>(lsn.value - oldest.value) / length);
    }
};

Axis axis_of(const verify::VerifyReport& report) {
    LsnRange all;
    for (const SpaceContents& space : report.contents->spaces) {
        all.merge(space.ages);
    }
    return {.oldest = all.min, .newest = std::max(all.max, report.end)};
}

std::string lsn_text(Lsn lsn) { return human_count(lsn.value); }

/// `count`: of the pages. Few among many still show.
void append_bar(std::string& out, const Axis& axis, Lsn begin, Lsn end, std::uint64_t count,
                std::uint64_t most) {
    const double left = axis.at(begin);
    const double width = std::max(1.5, axis.at(end) - left);
    const double height =
        std::max(2.0, kHeight * static_cast<double>(count) / static_cast<double>(most));
    const Lsn middle{begin.value + (end.value - begin.value) / 2};
    fmt::format_to(std::back_inserter(out),
                   "<rect class=\"a{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
                   "height=\"{:.1f}\"><title>LSN {} to {}: {}</title></rect>\n",
                   age_step(middle, axis.oldest, axis.newest), std::min(left, kWidth - width),
                   kHeight - height, width, height, lsn_text(begin), lsn_text(end),
                   counted(count, "page"));
}

void append_histogram(std::string& out, const LsnHistogram& histogram, const Axis& axis,
                      const verify::VerifyReport& report) {
    const std::vector<std::uint64_t>& counts = histogram.counts();
    const std::uint64_t most = *std::ranges::max_element(counts);
    fmt::format_to(std::back_inserter(out),
                   "<figure>\n<figcaption>Pages by the LSN of their last change; the highest bar "
                   "is {} in {} of log</figcaption>\n<svg class=\"histogram\" "
                   "viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" "
                   "aria-label=\"Pages by LSN\">\n",
                   counted(most, "page"), human_bytes(histogram.step()));
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] != 0) {
            const std::uint64_t begin = histogram.begin().value + i * histogram.step();
            const std::uint64_t room = UINT64_MAX - begin;  // the last step may end at 2^64
            const Lsn end{begin + std::min(room, histogram.step())};
            append_bar(out, axis, Lsn{begin}, end, counts[i], most);
        }
    }
    out += "</svg>\n";
    const bool redo = report.needs_recovery && report.end.value != 0;
    if (redo) {
        const double left = axis.at(report.checkpoint);
        fmt::format_to(std::back_inserter(out),
                       "<svg class=\"redo\" viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\">"
                       "<rect x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"1\"><title>redo not "
                       "applied: LSN {} to {}</title></rect></svg>\n",
                       left, std::max(3.0, kWidth - left), lsn_text(report.checkpoint),
                       lsn_text(report.end));
    }
    out += "<div class=\"scale\">";
    for (unsigned step = 0; step < kSteps; ++step) {
        fmt::format_to(std::back_inserter(out), "<span class=\"b{}\"></span>", step);
    }
    fmt::format_to(
        std::back_inserter(out),
        "</div>\n<div class=\"axis\"><span>oldest: LSN {}</span>{}<span>{}: LSN "
        "{}</span></div>\n</figure>\n",
        lsn_text(axis.oldest),
        redo ? fmt::format("<span class=\"redoword\">redo from LSN {} on is to be applied; "
                           "pages are shown as they are now</span>",
                           lsn_text(report.checkpoint))
             : std::string(),
        report.end.value != 0 ? "end of the log" : "newest", lsn_text(axis.newest));
}

/// Neighbours of the same colour as one.
void append_slices(std::string& out, const SpaceContents& space, const Axis& axis) {
    const std::vector<LsnRange>& slices = space.slices->slices();
    const std::uint32_t length = space.slices->slice_pages();
    const auto step_of = [&](const LsnRange& ages) {
        return ages.pages == 0 ? kSteps : age_step(ages.mean(), axis.oldest, axis.newest);
    };
    for (std::size_t first = 0; first < slices.size();) {
        LsnRange ages = slices[first];
        const unsigned step = step_of(ages);
        std::size_t end = first + 1;
        for (; end < slices.size() && step_of(slices[end]) == step; ++end) {
            ages.merge(slices[end]);
        }
        const std::uint64_t page = std::uint64_t{first} * length;
        const std::uint64_t page_end = std::min<std::uint64_t>(end * length, space.pages);
        if (step < kSteps && page < page_end) {
            fmt::format_to(std::back_inserter(out),
                           "<rect class=\"a{}\" x=\"{}\" y=\"0\" width=\"{}\" height=\"10\">"
                           "<title>pages {} to {}: LSN {} to {}</title></rect>\n",
                           step, page, page_end - page, page, page_end - 1, lsn_text(ages.min),
                           lsn_text(ages.max));
        }
        first = end;
    }
}

/// Damaged pages, wide enough to be seen.
void append_marks(std::string& out, const SpaceContents& space,
                  const std::vector<const verify::Finding*>& damage) {
    const double width = std::max(1.0, static_cast<double>(space.pages) / 150);
    std::size_t drawn = 0;
    for (const verify::Finding* const finding : damage) {
        if (finding->space != space.space || finding->page->value >= space.pages) {
            continue;
        }
        if (++drawn > kMarksMax) {
            return;
        }
        const double middle = static_cast<double>(finding->page->value) + 0.5;
        fmt::format_to(
            std::back_inserter(out),
            "<rect class=\"mark\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"10\"><title>page "
            "{}: {}</title></rect>\n",
            std::clamp(middle - width / 2, 0.0, static_cast<double>(space.pages)), width,
            finding->page->value, html_escaped(finding->kind));
    }
}

void append_strip(std::string& out, const SpaceContents& space, const Axis& axis,
                  const std::vector<const verify::Finding*>& damage) {
    const std::string name = html_escaped(space.files.front());
    fmt::format_to(std::back_inserter(out),
                   "<div class=\"strip\"><span class=\"name\" title=\"{0}\"><bdi>{0}</bdi></span>"
                   "<svg viewBox=\"0 0 {1} 10\" preserveAspectRatio=\"none\" role=\"img\" "
                   "aria-label=\"Ages of pages of {0}\">\n",
                   name, space.pages);
    append_slices(out, space, axis);
    append_marks(out, space, damage);
    fmt::format_to(std::back_inserter(out), "</svg><span class=\"n\">{}</span></div>\n",
                   human_bytes(space.bytes));
}

/// With pages whose age is known, the largest first.
std::vector<const SpaceContents*> drawn_spaces(const verify::Contents& contents) {
    std::vector<const SpaceContents*> drawn;
    for (const SpaceContents& space : contents.spaces) {
        if (space.slices && space.pages != 0) {
            drawn.push_back(&space);
        }
    }
    std::ranges::stable_sort(drawn, std::greater{}, &SpaceContents::bytes);
    return drawn;
}

void append_strips(std::string& out, const verify::VerifyReport& report, const Axis& axis) {
    std::vector<const verify::Finding*> damage;
    for (const verify::Finding& finding : report.findings) {
        if (finding.severity == verify::Severity::Damage && finding.space && finding.page) {
            damage.push_back(&finding);
        }
    }
    const auto drawn = drawn_spaces(*report.contents);
    fmt::format_to(
        std::back_inserter(out),
        "<h3>The largest files from their first page to their last</h3>\n<p class=\"soft\">The "
        "colour is the mean age of a stretch of pages, on the scale above; empty stretches were "
        "never written{}.</p>\n<div class=\"strips\">\n",
        damage.empty() ? "" : "; <span class=\"markword\">red</span> is damage");
    for (const SpaceContents* const space : drawn) {
        append_strip(out, *space, axis, damage);
    }
    out += "</div>\n";
    if (drawn.size() < report.contents->spaces.size()) {
        fmt::format_to(std::back_inserter(out), "<p class=\"soft\">{} are not drawn.</p>\n",
                       counted(report.contents->spaces.size() - drawn.size(), "smaller file"));
    }
}

}  // namespace

unsigned age_step(Lsn lsn, Lsn oldest, Lsn newest) {
    const double share = Axis{oldest, newest}.at(lsn) / kWidth;
    return std::min(kSteps - 1, static_cast<unsigned>(share * kSteps));
}

void append_ages(std::string& out, const verify::VerifyReport& report) {
    const verify::Contents& contents = *report.contents;
    out += "<section>\n<h2>Ages of pages</h2>\n";
    if (contents.ages.empty()) {
        out += "<p>Not known: no page with an LSN was read (level pages reads them).</p>\n";
    } else {
        const Axis axis = axis_of(report);
        append_histogram(out, contents.ages, axis, report);
        if (contents.unstamped_pages != 0) {
            fmt::format_to(std::back_inserter(out),
                           "<p class=\"soft\">Not in the picture: {} whose LSN is 0 or beyond the "
                           "end of the log.</p>\n",
                           counted(contents.unstamped_pages, "page"));
        }
        append_strips(out, report, axis);
    }
    out += "</section>\n";
}

}  // namespace redoubt::cli
