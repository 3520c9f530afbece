#include "cli/signals.h"

#include <unistd.h>

#include <csignal>

#include "base/error.h"

namespace redoubt::cli {
namespace {

base::CancelToken token;

extern "C" void request_stop(int) { token.cancel(); }

extern "C" void request_stop_of_statement(int signal) {
    if (token.cancelled()) {
        std::signal(signal, SIG_DFL);
        std::raise(signal);
    }
    token.cancel();
}

/// A page of a mapped file could not be had. Whatever was under way can be run again (V2).
extern "C" void end_on_bus_error(int) {
    constexpr char kText[] =  // NOLINT(*-avoid-c-arrays): no more than that may be used here
        "error: the redo log, read and checked before, can no longer be read: an I/O error of its "
        "disk, or another process cut it short\n"
        "hint: see the system log for errors of the disk; then run the command again\n";
    // Nothing is left to tell a failure to.
    static_cast<void>(::write(STDERR_FILENO, kText, sizeof kText - 1) + 1);
    ::_exit(exit_code_of(ErrorCode::Io));
}

}  // namespace

base::CancelToken& interrupt_token() { return token; }

void install_signal_handlers() {
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    action.sa_handler = end_on_bus_error;
    sigaction(SIGBUS, &action, nullptr);
}

void install_shell_signal_handler() {
    struct sigaction action {};
    action.sa_handler = request_stop_of_statement;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
}

}  // namespace redoubt::cli
