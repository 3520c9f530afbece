#include "cli/signals.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <string_view>

#include "base/error.h"
#include "io/mapped_files.h"

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

/// Writes text where nothing is left to tell a failure to.
void say(std::string_view text) {
    static_cast<void>(::write(STDERR_FILENO, text.data(), text.size()) + 1);
}

void say_number(std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    say({digits.data(), static_cast<std::size_t>(end - digits.data())});
}

/// A page of a mapped file could not be had. Whatever was under way can be run again, as after a
/// crash. Nothing may be used here but what is safe in a signal handler.
extern "C" void end_on_bus_error(int, siginfo_t* info, void*) {
    const io::MappedPlace place = io::mapped_place(info->si_addr);
    if (place.path == nullptr) {
        std::signal(SIGBUS, SIG_DFL);  // a fault of the program, which runs into it again
        return;
    }
    say("error: ");
    say(place.path);
    say(": cannot be read at offset ");
    say_number(place.offset);
    say(": an I/O error of its disk, or another process cut the file short\n"
        "hint: see the system log for errors of the disk; then run the command again\n");
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
    action.sa_sigaction = end_on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGBUS, &action, nullptr);
}

void install_shell_signal_handler() {
    struct sigaction action {};
    action.sa_handler = request_stop_of_statement;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
}

}  // namespace redoubt::cli
