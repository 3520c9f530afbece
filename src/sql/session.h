/// Statements over the tables of a directory, run by SQLite.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "base/error.h"
#include "engine/database.h"
#include "sql/result_writer.h"

namespace redoubt::sql {

struct SessionOptions {
    std::string database = {};  ///< whose tables go by their bare names; empty = any's, if unique
    bool marks_uncommitted = false;  ///< tables have a column that says which rows are
    const base::CancelToken* cancel = nullptr;
    std::function<void(std::string_view)> note = {};
};

class Session {
public:
    /// `database` outlives the session. Errors: NotFound (the default database), Internal.
    static Result<std::unique_ptr<Session>> open(engine::Database& database,
                                                 SessionOptions options);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    virtual ~Session() = default;

    /// All statements of `text`, up to the first that fails. Rows before an error have been
    /// written. Errors: Failure (what SQLite does not understand), Refused (a change), Cancelled,
    /// the engine's, and those of `writer`.
    virtual Status run(std::string_view text, ResultWriter& writer) = 0;
    /// Words that begin with `prefix` and may stand behind `before` in a statement, in order.
    /// Behind `name.`: tables of the database and columns of the tables of that name; where there
    /// are none it may be an alias, and all columns are offered.
    virtual std::vector<std::string> complete(std::string_view before,
                                              std::string_view prefix) const = 0;

protected:
    Session() = default;
};

}  // namespace redoubt::sql
