/// redoubt sql PATH [-e SQL] [--format table|csv|json|sql]
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "backup/markers.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/progress_bar.h"
#include "cli/signals.h"
#include "cli/sql_shell.h"
#include "cli/sql_terminal.h"
#include "engine/database.h"
#include "io/posix_directory.h"

namespace redoubt::cli {
namespace {

/// The answers within the result document, with commas between them.
class ResultList final : public sql::ResultWriter {
public:
    ResultList() : writer_(sql::make_document_writer(print)) {}

    Status begin(std::span<const sql::ResultColumn> columns) override {
        RETURN_IF_ERROR(print(std::exchange(first_, false) ? "\n" : ",\n"));
        return writer_->begin(columns);
    }
    Status row(std::span<const sql::Cell> cells) override { return writer_->row(cells); }
    Status end() override { return writer_->end(); }

private:
    std::unique_ptr<sql::ResultWriter> writer_;
    bool first_ = true;
};

std::string json_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// {"schema", "notes", "results": [...], "lost", "error"}, written as the rows come.
Status begin_document(const engine::Database& database) {
    Json notes = Json::array();
    for (const std::string& note : database.notes()) {
        notes.push_back(note);
    }
    return print(fmt::format("{{\"schema\": \"redoubt.sql.v1\", \"notes\": {}, \"results\": [",
                             json_text(notes)));
}
Status end_document(const std::vector<std::string>& lost, const Status& status) {
    std::string text = "\n], \"lost\": " + json_text(Json(lost));
    if (!status) {
        text += ", \"error\": " + json_text(error_json(status.error()));
    }
    return print(text + "}\n");
}

Status run_statements(const Options& options, SqlShell& shell) {
    if (options.execute) {
        return shell.run_all(*options.execute);
    }
    if (!options.json && is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO)) {
        return run_on_terminal(shell, interrupt_token());
    }
    return shell.run_stream(std::cin);
}

bool is_file(const std::filesystem::path& operand) {
    std::error_code ignored;  // then it is none, and opening it as a directory says why
    return std::filesystem::is_regular_file(operand, ignored);
}

/// `directory` is what the operand names, or where the file is that it names.
Result<std::unique_ptr<engine::Database>> open_operand(const CommandContext& context,
                                                       io::Directory& directory,
                                                       const std::filesystem::path& operand) {
    engine::DatabaseOptions options;
    RETURN_IF_ERROR(take_shared_options(context, options));
    options.read_uncommitted = context.options.read_uncommitted;
    options.skip_damaged = context.options.skip_damaged;
    auto database = is_file(operand)
                        ? engine::open_lone_file(directory, operand.filename(),
                                                 operand.parent_path().filename(), options)
                        : engine::open_database(directory, options);
    context.progress.end();
    return database;
}

}  // namespace

Result<int> sql_command(const CommandContext& context) {
    const Options& options = context.options;
    if (options.json && !options.format.empty()) {
        return make_error(ErrorCode::Usage, "--json gives one document, --format something else")
            .with_hint("--format json gives an array of objects for each statement");
    }
    const std::filesystem::path operand = std::filesystem::absolute(options.paths.front());
    ASSIGN_OR_RETURN(const auto directory,
                     io::open_posix_directory(is_file(operand) ? operand.parent_path().string()
                                                               : options.paths.front()));
    // An unprepared backup by mariadb-backup has files beside its tables that say what became of
    // them.
    ASSIGN_OR_RETURN(const backup::Markers markers, backup::Markers::read(*directory));
    backup::MarkedDirectory marked(*directory, markers);
    ASSIGN_OR_RETURN(const auto database, open_operand(context, marked, operand));
    print_notes(database->notes(), options.quiet);
    ASSIGN_OR_RETURN(const auto session,
                     sql::Session::open(*database, {.database = options.database,
                                                    .marks_uncommitted = options.read_uncommitted,
                                                    .cancel = &context.cancel,
                                                    .note = [&options](std::string_view note) {
                                                        if (!options.quiet) {
                                                            print_note(note);
                                                        }
                                                    }}));
    const auto format = sql::format_named(options.format).value_or(sql::Format::Table);
    std::unique_ptr<sql::ResultWriter> writer;
    if (options.json) {
        RETURN_IF_ERROR(begin_document(*database));
        writer = std::make_unique<ResultList>();
    } else {
        writer = sql::make_writer(format, print);
    }
    SqlShell shell(*database, *session, std::move(writer), print);
    Status status = run_statements(options, shell);
    if (!status && status.error().code() == ErrorCode::Corruption &&
        status.error().hint().empty() && !options.skip_damaged) {
        status = std::move(status.error())
                     .with_hint(
                         "'redoubt verify' tells what is damaged; --skip-damaged shows the "
                         "rows that can still be read");
    }

    const std::vector<std::string> lost = database->lost();
    if (options.json) {
        RETURN_IF_ERROR(end_document(lost, status));
    }
    for (const std::string& what : lost) {
        print_note("left out: " + what);
    }
    if (!status) {
        print_error(status.error());
        return exit_code_of(status.error().code());
    }
    return lost.empty() ? 0 : exit_code_of(ErrorCode::Corruption);
}

}  // namespace redoubt::cli
