#include "cli/report_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "cli/html_text.h"
#include "cli/report_file.h"
#include "cli/report_parts.h"
#include "io/posix_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using verify::Finding;
using verify::Severity;

TEST(HtmlText, EscapesWhatMeansSomethingToHtml) {
    EXPECT_EQ(html_escaped("<script>alert(\"1&2\")</script>'"),
              "&lt;script&gt;alert(&quot;1&amp;2&quot;)&lt;/script&gt;&#39;");
    EXPECT_EQ(html_escaped("größe 表 \U0001F600"), "größe 表 \U0001F600");
}

TEST(HtmlText, ShowsWhatIsNoCharacter) {
    EXPECT_EQ(html_escaped(std::string_view("a\0b\n\x7F\x1B[31m", 10)),
              "a\\u0000b\\u000A\\u007F\\u001B[31m");
    EXPECT_EQ(html_escaped("\xFFnew"), "\\xFFnew");
    EXPECT_EQ(html_escaped("\xC3"), "\\xC3") << "cut off";
    EXPECT_EQ(html_escaped("\xC0\xBC"), "\\xC0\\xBC") << "'<' in a form too long";
    EXPECT_EQ(html_escaped("\xE0\x80\xBC"), "\\xE0\\x80\\xBC") << "and in a longer one";
    EXPECT_EQ(html_escaped("\xED\xA0\x80"), "\\xED\\xA0\\x80") << "a surrogate";
    EXPECT_EQ(html_escaped("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80") << "beyond Unicode";
    EXPECT_EQ(html_escaped("a\u202Eb"), "a\\u202Eb") << "turns the direction of what follows";
    EXPECT_EQ(html_escaped("\uFFFE"), "\\uFFFE");
}

/// Whether elements nest and attributes are quoted; not all of XML.
::testing::AssertionResult is_well_formed(const std::string& html) {
    std::vector<std::string> open;
    std::size_t at = html.find("<html");
    while ((at = html.find('<', at)) != std::string::npos) {
        const std::size_t end = html.find('>', at);
        if (end == std::string::npos) {
            return ::testing::AssertionFailure() << "an unfinished tag at " << at;
        }
        const std::string tag = html.substr(at + 1, end - at - 1);
        at = end;
        const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
        if (std::ranges::count(tag, '"') % 2 != 0 || tag.find('<') != std::string::npos) {
            return ::testing::AssertionFailure() << "quotes of <" << tag << ">";
        }
        if (tag.starts_with('/')) {
            if (open.empty() || "/" + open.back() != tag) {
                return ::testing::AssertionFailure()
                       << "<" << tag << "> closes " << (open.empty() ? "nothing" : open.back());
            }
            open.pop_back();
        } else if (!tag.ends_with('/')) {
            open.push_back(name);
        }
    }
    if (!open.empty()) {
        return ::testing::AssertionFailure() << "<" << open.back() << "> is not closed";
    }
    return ::testing::AssertionSuccess();
}

const std::string kHostile = "<script>\"x\"</script>&\x01\xFF'";

/// Two tables, one of them in parts of the file never written.
Verdict small_verdict() {
    verify::SpaceContents large{.table = "shop/" + kHostile,
                                .files = {"shop/" + kHostile + ".ibd"},
                                .space = SpaceId{7},
                                .bytes = 64 * 16384,
                                .allocated = 40 * 16384,
                                .pages = 64,
                                .free_pages = 32};
    large.kinds[static_cast<std::size_t>(verify::PageKind::IndexLeaf)] = 60;
    large.kinds[static_cast<std::size_t>(verify::PageKind::NeverWritten)] = 4;
    large.slices.emplace(64U, 0U, 64U);
    verify::Contents contents;
    for (std::uint32_t page = 0; page < 60; ++page) {
        const Lsn lsn{1000 + page * 10};
        large.ages.add(lsn);
        large.slices->add(PageNo{page}, lsn);
        contents.ages.add(lsn);
    }
    contents.spaces.push_back(std::move(large));
    contents.tables.push_back({.table = "shop." + kHostile,
                               .partition = "p0",
                               .file = "shop/" + kHostile + ".ibd",
                               .space = SpaceId{7},
                               .indexes = {{.name = "PRIMARY",
                                            .size = {.leaf_pages = 50,
                                                     .inner_pages = 1,
                                                     .records = 4321,
                                                     .used_bytes = 75,
                                                     .room_bytes = 100}},
                                           {.name = "k" + kHostile, .size = {}, .whole = false}}});
    contents.tables.push_back({.table = "shop.inside", .space = kSystemSpace});

    verify::VerifyReport report;
    report.findings = {{.kind = "page-corrupt",
                        .file = "shop/" + kHostile + ".ibd",
                        .table = kHostile,
                        .space = SpaceId{7},
                        .page = PageNo{9},
                        .lsn = Lsn{1090},
                        .message = "wrong checksum " + kHostile},
                       {.kind = "torn-page", .severity = Severity::Note, .message = "heals"}};
    report.missing_keys = {"key 3 missing (" + kHostile + ")"};
    report.not_checked_pages = 5;
    report.needs_recovery = true;
    report.checkpoint = Lsn{1500};
    report.end = Lsn{1700};
    report.contents = std::move(contents);
    Verdict verdict;
    verdict.entries.push_back({"/var/" + kHostile, "data directory", std::move(report)});
    return verdict;
}

const ReportFacts kFacts{.made_at = "2026-11-27 02:10:11 UTC",
                         .version = "0.1.0",
                         .levels = {"files", "pages", "trees"}};

TEST(HtmlReport, SaysWhatWasFoundAndWhereAndWhatToDo) {
    const std::string html = html_report(small_verdict(), kFacts);
    EXPECT_TRUE(is_well_formed(html));
    EXPECT_TRUE(html.starts_with("<!DOCTYPE html>"));
    EXPECT_THAT(html, HasSubstr("This data directory is damaged: 1 place did not pass."));
    EXPECT_THAT(html, HasSubstr("2026-11-27 02:10:11 UTC"));
    EXPECT_THAT(html, HasSubstr("levels: files, pages, trees"));
    EXPECT_THAT(html, HasSubstr("<b>page-corrupt</b> <span class=\"soft\">1 finding</span>"));
    EXPECT_THAT(html, HasSubstr("Restore the table from a backup"));
    EXPECT_THAT(html,
                HasSubstr("<span class=\"space\">space 7</span> <span class=\"page\">page 9</span> "
                          "<span class=\"lsn\">lsn 1090"));
    EXPECT_THAT(html, HasSubstr("1.0 MiB"));
    EXPECT_THAT(html, HasSubstr("4,321"));
    EXPECT_THAT(html, HasSubstr("75.0%")) << "fill of leaves";
    EXPECT_THAT(html, HasSubstr("50.0%")) << "pages in use";
    EXPECT_THAT(html, HasSubstr("key 3 missing"));
    EXPECT_THAT(html, HasSubstr("level rows was not asked for"));
    EXPECT_THAT(html, HasSubstr("class=\"mark\"")) << "damage in the picture";
    EXPECT_THAT(html, HasSubstr("redo not applied: LSN 1,500 to 1,700"));
    EXPECT_THAT(html, HasSubstr("redo from LSN 1,500 on is to be applied"));
}

TEST(HtmlReport, NothingOfANameIsMarkup) {
    const std::string html = html_report(small_verdict(), kFacts);
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("\x01")));
    EXPECT_THAT(html, Not(HasSubstr("\xFF")));
    EXPECT_THAT(html,
                HasSubstr("shop.&lt;script&gt;&quot;x&quot;&lt;/script&gt;&amp;\\u0001\\xFF&#39;"
                          " (p0)"));
    EXPECT_THAT(html, HasSubstr("default-src 'none'")) << "and if it were, nothing would run";
}

TEST(HtmlReport, OfPagesOnlyItSaysThatTreesWereNotSeen) {
    Verdict verdict = small_verdict();
    verdict.entries.front().report.contents->tables.clear();
    ReportFacts facts = kFacts;
    facts.levels = {"files", "pages"};
    const std::string html = html_report(verdict, facts);
    EXPECT_TRUE(is_well_formed(html));
    EXPECT_THAT(html, HasSubstr("trees were not walked"));
    EXPECT_THAT(html, HasSubstr("shop/&lt;script&gt;"));
    EXPECT_THAT(html, Not(HasSubstr("Fill of leaves")));
}

TEST(HtmlReport, AnErrorComesFirst) {
    Verdict verdict = small_verdict();
    verdict.error = make_error(ErrorCode::Refused, "the directory is in use: <a server>")
                        .with_file("ibdata1")
                        .with_hint("stop it");
    verdict.error_path = "/second";
    const std::string html = html_report(verdict, kFacts);
    EXPECT_TRUE(is_well_formed(html));
    EXPECT_LT(html.find("the directory is in use: &lt;a server&gt;"),
              html.find("This data directory is damaged"));
    EXPECT_THAT(html, HasSubstr("What to do: stop it"));
}

TEST(HtmlReport, OfManyTablesTheLargestAreListedAndTheRestCounted) {
    Verdict verdict = small_verdict();
    verify::Contents& contents = *verdict.entries.front().report.contents;
    for (std::uint32_t i = 0; i < 10000; ++i) {
        const std::string name = fmt::format("many/table_with_a_name_of_usual_length_{}", i);
        contents.spaces.push_back({.table = name,
                                   .files = {name + ".ibd"},
                                   .space = SpaceId{100 + i},
                                   .bytes = 65536,
                                   .pages = 4,
                                   .free_pages = 0});
        contents.tables.push_back({.table = name,
                                   .file = name + ".ibd",
                                   .space = SpaceId{100 + i},
                                   .indexes = {{.name = "PRIMARY"}, {.name = "k"}, {.name = "s"}}});
    }
    std::vector<Finding>& findings = verdict.entries.front().report.findings;
    findings.insert(findings.end(), 100000, findings.front());
    const std::string html = html_report(verdict, kFacts);
    EXPECT_TRUE(is_well_formed(html));
    EXPECT_LT(html.size(), std::size_t{4} << 20);
    for (const char* const text :
         {"10,002 tables", "8,002 smaller tables, 500.1 MiB in all, are not listed",
          "8,001 more tablespaces are not listed", "99,501 more of this kind are not listed",
          "10,000 smaller files are not drawn"}) {
        EXPECT_NE(html.find(text), std::string::npos) << text;
    }
}

TEST(HtmlReport, NothingToReportIsAReportToo) {
    Verdict verdict;
    verdict.entries.push_back({"empty", "file", {}});
    verdict.entries.front().report.contents.emplace();
    const std::string html =
        html_report(verdict, {.made_at = "", .version = "", .levels = {"files"}});
    EXPECT_TRUE(is_well_formed(html));
    EXPECT_THAT(html, HasSubstr("No damage was found."));
}

TEST(AgeStep, GoesFromTheOldestToTheNewest) {
    EXPECT_EQ(age_step(Lsn{100}, Lsn{100}, Lsn{200}), 0U);
    EXPECT_EQ(age_step(Lsn{150}, Lsn{100}, Lsn{200}), 5U);
    EXPECT_EQ(age_step(Lsn{200}, Lsn{100}, Lsn{200}), 9U);
    EXPECT_EQ(age_step(Lsn{UINT64_MAX}, Lsn{100}, Lsn{200}), 9U);
    EXPECT_EQ(age_step(Lsn{100}, Lsn{100}, Lsn{100}), 0U) << "all pages are of one time";
}

std::string contents_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

class ReportFile : public ::testing::Test {
protected:
    ReportFile() : directory_(std::move(*io::open_posix_directory("."))) {
        static_cast<void>(directory_->make_directory(data()));
    }
    std::string data() const { return temporary_.path() + "/data"; }
    std::string path(const std::string& name) const { return temporary_.path() + "/" + name; }
    Result<std::string> check(const std::string& file) {
        return check_report_file(*directory_, file, {data()});
    }
    test::TemporaryDirectory temporary_;
    std::unique_ptr<io::Directory> directory_;
};

TEST_F(ReportFile, ReplacesAnEarlierReportOnlyWhenItIsWritten) {
    std::ofstream(path("r.html")) << "<!DOCTYPE html>\n<html>old</html>";
    const auto checked = check(path("r.html"));
    ASSERT_TRUE(checked) << checked.error().to_string();
    EXPECT_THAT(contents_of(path("r.html")), HasSubstr("old"));
    ASSERT_TRUE(write_report(*directory_, *checked, "<!DOCTYPE html>new"));
    EXPECT_EQ(contents_of(path("r.html")), "<!DOCTYPE html>new");
    EXPECT_FALSE(directory_->exists(path("r.html.tmp")));
}

TEST_F(ReportFile, IsRefusedInWhatIsVerified) {
    for (const std::string& file : {data() + "/r.html", data() + "/db/r.html", data(),
                                    data() + "/../data/r.html", path("link/r.html")}) {
        static_cast<void>(::symlink("data", path("link").c_str()));
        const auto checked = check(file);
        ASSERT_FALSE(checked) << file;
        EXPECT_EQ(checked.error().code(), ErrorCode::Refused) << file;
    }
    EXPECT_TRUE(directory_->list(data())->empty());
    EXPECT_TRUE(check(path("data.html"))) << "beside it, under a name that begins like it";
}

TEST_F(ReportFile, DoesNotReplaceWhatIsNoReport) {
    std::ofstream(path("t.ibd")) << "a table";
    ASSERT_FALSE(check(path("t.ibd")));
    EXPECT_EQ(check(path("t.ibd")).error().code(), ErrorCode::Refused);
    EXPECT_EQ(check(temporary_.path()).error().code(), ErrorCode::Refused);
    EXPECT_EQ(check("/dev/null").error().code(), ErrorCode::Refused);
    EXPECT_EQ(check(path("nowhere/r.html")).error().code(), ErrorCode::NotFound);
    EXPECT_EQ(contents_of(path("t.ibd")), "a table");
}

}  // namespace
}  // namespace redoubt::cli
