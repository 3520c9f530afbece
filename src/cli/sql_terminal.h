/// The shell of `redoubt sql` on a terminal: line editing, history, completion (libedit).
#pragma once

#include "base/cancel.h"
#include "cli/sql_shell.h"

namespace redoubt::cli {

/// Until ^D or .quit. Errors of statements are printed; ^C sets `cancel`, which is reset before
/// each statement. Errors: Io, when the terminal goes away.
Status run_on_terminal(SqlShell& shell, base::CancelToken& cancel);

}  // namespace redoubt::cli
