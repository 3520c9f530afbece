/// What `redoubt sql` does with its statements, wherever they come from, and the shell's own
/// commands (.tables, .schema, ...).
#pragma once

#include <istream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/database.h"
#include "sql/result_writer.h"
#include "sql/session.h"

namespace redoubt::cli {

class SqlShell {
public:
    /// All outlive the shell. Each answer is flushed when it is complete.
    SqlShell(engine::Database& database, sql::Session& session,
             std::unique_ptr<sql::ResultWriter> writer, sql::Output output);

    /// Everything in `text`, the last statement with or without its semicolon, up to the first
    /// error.
    Status run_all(std::string_view text);
    /// Statements of a stream, each as soon as it is there.
    Status run_stream(std::istream& input);
    /// One statement, or one command of the shell's own.
    Status run_one(std::string_view text);

    bool quit() const { return quit_; }
    std::vector<std::string> complete(std::string_view line_before_cursor,
                                      std::string_view word) const;

private:
    Status run_command(std::string_view text);
    Status list_tables();
    Status show_definitions(std::string_view name);

    engine::Database& database_;
    sql::Session& session_;
    std::unique_ptr<sql::ResultWriter> writer_;
    sql::Output output_;
    bool quit_ = false;
};

}  // namespace redoubt::cli
