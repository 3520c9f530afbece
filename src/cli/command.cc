#include "cli/command.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "cli/output.h"
#include "cli/password.h"
#include "cli/progress_bar.h"
#include "cli/signals.h"
#include "io/posix_directory.h"

namespace redoubt::cli {
namespace {

using Command = Result<int> (*)(const CommandContext&);

Command find_command(std::string_view name) {
    static const std::map<std::string_view, Command> kCommands = {
        {"backup", backup_command},   {"recover", recover_command}, {"prepare", prepare_command},
        {"restore", restore_command}, {"verify", verify_command},   {"inspect", inspect_command},
        {"log", log_command},         {"sql", sql_command},
    };
    return kCommands.at(name);  // the option table knows no others
}

Result<std::unique_ptr<crypt::KeyRing>> load_keys(io::Directory& directory,
                                                  const Options& options) {
    constexpr std::size_t kPasswordSizeMax = 4096;  // bytes
    if (options.debug_key_version) {
        return crypt::debug_key_ring(*options.debug_key_version);
    }
    if (options.key_file.empty()) {
        return std::unique_ptr<crypt::KeyRing>();
    }
    std::optional<std::string> password;
    if (!options.key_file_password_file.empty()) {
        ASSIGN_OR_RETURN(password,
                         directory.read_text(options.key_file_password_file, kPasswordSizeMax));
    }
    return crypt::load_key_file(directory, options.key_file, std::move(password),
                                options.key_algorithm);
}

std::unique_ptr<base::Progress> make_progress(const Options& options) {
    const bool terminal = is_terminal(STDERR_FILENO);
    if (options.progress == ProgressMode::Never ||
        (options.progress == ProgressMode::Auto && options.quiet)) {
        return std::make_unique<base::NoProgress>();
    }
    if (options.progress == ProgressMode::Auto && !terminal) {
        return std::make_unique<ProgressBar>(ProgressBar::Style::LogLines, process_hooks());
    }
    auto bar = std::make_unique<ProgressBar>(ProgressBar::Style::Bar, process_hooks());
    log::set_sink([&bar = *bar](log::Level level, std::string_view event, std::string_view text) {
        bar.print_above(log::line(level, event, text));
    });
    return bar;
}

Result<int> run_command(const Options& options) {
    ASSIGN_OR_RETURN(const auto directory, io::open_posix_directory("."));
    ASSIGN_OR_RETURN(const auto keys, load_keys(*directory, options));
    const auto progress = make_progress(options);
    auto result = find_command(options.command)({.options = options,
                                                 .working_directory = *directory,
                                                 .keys = keys.get(),
                                                 .progress = *progress,
                                                 .cancel = interrupt_token()});
    progress->end();
    log::set_sink({});
    if (std::fflush(stdout) != 0) {
        return make_error(ErrorCode::Io, "cannot write to standard output");
    }
    return result;
}

/// As mariadbd does: recovery and backups may have thousands of files open.
void raise_open_files_limit() {
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);  // or not: then the old limit holds
    }
}

int fail(const Error& error, const std::string& command, bool json) {
    if (json) {
        // A failure to print is the lesser trouble: the exit code tells of the error itself.
        static_cast<void>(print_json(error_document(command, error)));
    }
    print_error(error);
    return exit_code_of(error.code());
}

}  // namespace

void note_directory_in_use(const CommandContext& context, const std::string& directory) {
    const std::string parent = io::join(directory.empty() ? "." : directory, "..");
    for (const std::string& candidate : {directory, parent}) {
        // mariadbd locks its system tablespace; neither table files nor the log.
        auto file =
            context.working_directory.open(io::join(candidate, "ibdata1"), io::OpenMode::ReadOnly);
        if (!file) {
            continue;
        }
        if ((*file)->locked_by_other().value_or(false)) {
            print_note(
                fmt::format("the directory is in use ({} is locked); what is shown may be changing",
                            (*file)->path()));
            return;
        }
    }
}

int run(int argc, char** argv) {
    auto parsed = parse_command_line(argc, argv);
    hide_passwords(argc, argv);
    if (const auto* end = std::get_if<ParseEnd>(&parsed)) {
        if (end->error) {
            return fail(*end->error, end->command, end->json);
        }
        const Status printed = print(end->text);
        return printed ? end->exit_code : fail(printed.error(), end->command, end->json);
    }
    const auto& options = std::get<Options>(parsed);
    log::set_level(options.quiet     ? log::Level::Warn
                   : options.verbose ? log::Level::Debug
                                     : log::Level::Info);
    install_signal_handlers();
    raise_open_files_limit();
    const Result<int> result = run_command(options);
    return result ? *result : fail(result.error(), options.command, options.json);
}

}  // namespace redoubt::cli
