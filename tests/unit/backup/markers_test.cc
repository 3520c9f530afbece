#include "backup/markers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "io/memory_directory.h"

namespace redoubt::backup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Texts = std::map<std::string, std::string>;

io::MemoryDirectory directory_of(const Texts& files) {
    io::MemoryDirectory directory;
    for (const auto& [path, text] : files) {
        const auto bytes = std::as_bytes(std::span(text));
        directory.put(path, {bytes.begin(), bytes.end()});
    }
    return directory;
}

Texts texts_of(io::Directory& directory) {
    Texts texts;
    const auto databases = directory.list("");
    for (const std::string& name : databases.value()) {
        const auto files = directory.list(name);
        if (!files) {
            texts[name] = directory.read_text(name, 1 << 20).value();
            continue;
        }
        for (const std::string& file : *files) {
            const std::string path = io::join(name, file);
            texts[path] = directory.read_text(path, 1 << 20).value();
        }
    }
    return texts;
}

/// What the markers make of the files; also that the view before shows just that.
Texts applied(const Texts& files) {
    io::MemoryDirectory directory = directory_of(files);
    const auto markers = Markers::read(directory);
    EXPECT_TRUE(markers) << markers.error().to_string();
    MarkedDirectory view(directory, *markers);
    const Texts seen = texts_of(view);
    EXPECT_EQ(texts_of(directory), files) << "reading changes nothing";
    const Status status = markers->apply(directory);
    EXPECT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(texts_of(directory), seen);
    return seen;
}

TEST(Markers, ANewFileTakesItsNameFromAnOldOne) {
    EXPECT_EQ(applied({{"d/t.new", "new"}, {"d/t.ibd", "old"}, {"d/u.new", "u"}}),
              (Texts{{"d/t.ibd", "new"}, {"d/u.ibd", "u"}}));
}

TEST(Markers, ADroppedTableGoes) {
    EXPECT_EQ(applied({{"d/t.del", ""}, {"d/t.ibd", "t"}, {"d/gone.del", ""}, {"d/u.ibd", "u"}}),
              (Texts{{"d/u.ibd", "u"}}));
}

TEST(Markers, ChainsAndCyclesOfRenamesNeedNoOrder) {
    EXPECT_EQ(applied({{"d/a.ibd", "a"},
                       {"d/a.ren", "d/b"},
                       {"d/b.ibd", "b"},
                       {"d/b.ren", "e/c"},
                       {"e/c.ibd", "c"},
                       {"e/c.ren", "d/a"}}),
              (Texts{{"d/a.ibd", "c"}, {"d/b.ibd", "a"}, {"e/c.ibd", "b"}}));
}

TEST(Markers, ANewFileWinsOverARename) {
    EXPECT_EQ(applied({{"d/a.ibd", "a"}, {"d/a.ren", "d/b"}, {"d/b.new", "new"}}),
              (Texts{{"d/b.ibd", "new"}}));
}

TEST(Markers, ADroppedNameMayBeTaken) {
    EXPECT_EQ(applied({{"d/a.ibd", "a"}, {"d/a.ren", "d/b"}, {"d/b.ibd", "b"}, {"d/b.del", ""}}),
              (Texts{{"d/b.ibd", "a"}}));
}

TEST(Markers, WhatCannotBeDoneIsRefused) {
    const std::vector<std::pair<std::string, Texts>> cases = {
        {"not there", {{"d/a.ren", "d/b"}}},
        {"taken", {{"d/a.ibd", "a"}, {"d/a.ren", "d/b"}, {"d/b.ibd", "b"}}},
        {"two markers",
         {{"d/a.ibd", "a"}, {"d/a.ren", "d/c"}, {"d/b.ibd", "b"}, {"d/b.ren", "d/c"}}},
        {"no table name", {{"d/a.ibd", "a"}, {"d/a.ren", "../x/y"}}},
        {"no table name", {{"d/a.ibd", "a"}, {"d/a.ren", "d/.."}}},
        {"no table name", {{"d/a.ibd", "a"}, {"d/a.ren", ""}}},
    };
    for (const auto& [words, files] : cases) {
        io::MemoryDirectory directory = directory_of(files);
        const auto markers = Markers::read(directory);
        ASSERT_FALSE(markers) << words;
        EXPECT_EQ(markers.error().code(), ErrorCode::Incomplete);
        EXPECT_THAT(markers.error().message(), HasSubstr(words));
    }
}

TEST(Markers, ADamagedPlanIsNotFollowed) {
    for (const std::string_view plan :
         {"", "{}", "noise", R"({"stage":2,"removed":["../../x"],"markers":[],"moves":[]})",
          R"({"stage":2,"removed":[],"markers":[],"moves":[["d/a","/etc/b"]]})",
          R"({"stage":"2","removed":[],"markers":[],"moves":[]})"}) {
        io::MemoryDirectory directory =
            directory_of({{Markers::kPlanFile, std::string(plan)}, {"d/t.ibd", "t"}});
        const Status status = Markers::finish_interrupted(directory);
        ASSERT_FALSE(status) << plan;
        EXPECT_EQ(status.error().code(), ErrorCode::Corruption);
        EXPECT_NE(directory.find("d/t.ibd"), nullptr);
    }
}

TEST(Markers, TheReportNamesEachFile) {
    io::MemoryDirectory directory =
        directory_of({{"d/a.new", "a"}, {"d/b.ibd", ""}, {"d/b.del", ""}});
    const auto markers = Markers::read(directory);
    ASSERT_TRUE(markers) << markers.error().to_string();
    EXPECT_THAT(markers->texts(), ElementsAre("d/b.ibd removed", "d/a.new -> d/a.ibd"));
}

}  // namespace
}  // namespace redoubt::backup
