/// What every command gets, and the commands.
#pragma once

#include <memory>
#include <string>

#include "base/cancel.h"
#include "base/error.h"
#include "base/progress.h"
#include "cli/options.h"
#include "crypt/keys.h"
#include "io/file.h"

namespace redoubt::cli {

struct CommandContext {
    const Options& options;
    io::Directory& working_directory;  ///< "."; operands are paths in it
    const crypt::KeyRing* keys;        ///< null = none given
    base::Progress& progress;
    const base::CancelToken& cancel;
};

/// What commands over a data directory share, from the command line. Errors: as
/// LayoutArguments::resolve.
template <class CommandOptions>
Status take_shared_options(const CommandContext& context, CommandOptions& options) {
    const LayoutArguments& layout = context.options.layout;
    ASSIGN_OR_RETURN(options.layout, layout.resolve(context.working_directory));
    options.layout_given = layout.given();
    options.keys = context.keys;
    options.threads = context.options.threads;
    options.memory = context.options.memory;
    options.progress = &context.progress;
    options.cancel = &context.cancel;
    return {};
}

/// Each prints its result and returns the exit code; an Error is printed by the caller.
Result<int> backup_command(const CommandContext& context);
Result<int> recover_command(const CommandContext& context);
Result<int> prepare_command(const CommandContext& context);
Result<int> restore_command(const CommandContext& context);
Result<int> verify_command(const CommandContext& context);
Result<int> inspect_command(const CommandContext& context);
Result<int> log_command(const CommandContext& context);
Result<int> sql_command(const CommandContext& context);

/// Tells on stderr when a server has the directory `directory` (or its parent, for a file in a
/// schema's subdirectory) open, for commands that read it as it is.
void note_directory_in_use(const CommandContext& context, const std::string& directory);

/// Parses the command line, runs the command and prints its error. Returns the exit code.
int run(int argc, char** argv);

}  // namespace redoubt::cli
