#include "cli/sql_shell.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <string>

#include "base/text.h"
#include "sql/input.h"
#include "sql/statement.h"

namespace redoubt::cli {
namespace {

constexpr std::string_view kHelp =
    ".tables           the tables, and those that cannot be read, with the reason\n"
    ".schema [TABLE]   how they were created\n"
    ".mode FORMAT      table, csv, json or sql\n"
    ".help             this text\n"
    ".quit             leave; also ^D\n"
    "Anything else is SQL (SQLite's), up to a semicolon. ^C ends what runs.\n";

constexpr std::array<std::string_view, 5> kCommands = {".help", ".mode", ".quit", ".schema",
                                                       ".tables"};

Status flush() {
    if (std::fflush(stdout) != 0) {
        return make_error(ErrorCode::Io, "cannot write to standard output");
    }
    return {};
}

}  // namespace

SqlShell::SqlShell(engine::Database& database, sql::Session& session,
                   std::unique_ptr<sql::ResultWriter> writer, sql::Output output)
    : database_(database),
      session_(session),
      writer_(std::move(writer)),
      output_(std::move(output)) {}

Status SqlShell::list_tables() {
    for (const dict::Table* table : database_.tables()) {
        RETURN_IF_ERROR(output_(fmt::format("{}.{}\n", table->database, table->name)));
    }
    for (const engine::RefusedTable& table : database_.refused()) {
        RETURN_IF_ERROR(
            output_(fmt::format("{}: cannot be read: {}\n", table.name, table.reason.message())));
    }
    return {};
}

Status SqlShell::show_definitions(std::string_view name) {
    bool found = false;
    for (const dict::Table* table : database_.tables()) {
        const std::string full = table->database + '.' + table->name;
        if (!name.empty() && !sql::equal_ignoring_case(name, table->name) &&
            !sql::equal_ignoring_case(name, full)) {
            continue;
        }
        found = true;
        RETURN_IF_ERROR(output_(table->create_statement.empty()
                                    ? fmt::format("-- {}: there is no .frm file\n", full)
                                    : fmt::format("-- {}\n{};\n", full, table->create_statement)));
    }
    if (!found && !name.empty()) {
        return make_error(ErrorCode::Failure, "no such table: {}", name)
            .with_hint(".tables lists the tables");
    }
    return {};
}

Status SqlShell::run_command(std::string_view text) {
    while (text.ends_with(';')) {
        text = base::strip(text.substr(0, text.size() - 1));
    }
    const std::size_t space = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view name = text.substr(0, space);
    const std::string_view argument = base::strip(text.substr(space));
    if (name == ".tables") {
        return list_tables();
    }
    if (name == ".schema") {
        return show_definitions(argument);
    }
    if (name == ".help") {
        return output_(kHelp);
    }
    if (name == ".quit" || name == ".exit") {
        quit_ = true;
        return {};
    }
    if (name == ".mode") {
        const auto format = sql::format_named(argument);
        if (!format) {
            return make_error(ErrorCode::Usage, "'{}' is not a format; there are {}", argument,
                              "table, csv, json, sql");
        }
        writer_ = sql::make_writer(*format, output_);
        return {};
    }
    return make_error(ErrorCode::Usage, "unknown command {}", name)
        .with_hint(".help lists the commands");
}

Status SqlShell::run_one(std::string_view text) {
    const Status status =
        sql::Input::is_command(text) ? run_command(text) : session_.run(text, *writer_);
    // What came before an error is shown before it is told.
    const Status flushed = flush();
    return status ? flushed : status;
}

Status SqlShell::run_all(std::string_view text) {
    sql::Input input;
    while (!text.empty() && !quit_) {
        const std::size_t end = text.find('\n');
        input.add(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        while (const auto statement = input.next()) {
            RETURN_IF_ERROR(run_one(*statement));
        }
    }
    return quit_ || sql::is_blank(input.rest()) ? Status() : run_one(input.rest());
}

Status SqlShell::run_stream(std::istream& stream) {
    sql::Input input;
    std::string line;
    while (!quit_ && std::getline(stream, line)) {
        input.add(line);
        while (const auto statement = input.next()) {
            RETURN_IF_ERROR(run_one(*statement));
        }
    }
    return quit_ || sql::is_blank(input.rest()) ? Status() : run_one(input.rest());
}

std::vector<std::string> SqlShell::complete(std::string_view line, std::string_view word) const {
    if (!sql::Input::is_command(line)) {
        return session_.complete(line.substr(0, line.size() - word.size()), word);
    }
    std::set<std::string> choices;  // for what is to be completed, of which `word` is the end
    std::string_view begun = line;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) {
        choices.insert(kCommands.begin(), kCommands.end());
    } else {
        begun.remove_prefix(space + 1);
        const std::string_view command = line.substr(0, space);
        if (command == ".mode") {
            for (const auto& format : sql::kFormats) {
                choices.emplace(format.first);
            }
        } else if (command == ".schema") {
            for (const dict::Table* table : database_.tables()) {
                choices.insert({table->name, fmt::format("{}.{}", table->database, table->name)});
            }
        }
    }
    std::vector<std::string> found;
    for (const std::string& choice : choices) {
        if (sql::equal_ignoring_case(std::string_view(choice).substr(0, begun.size()), begun)) {
            found.push_back(choice.substr(begun.size() - word.size()));
        }
    }
    return found;
}

}  // namespace redoubt::cli
