#include "cli/signals.h"

#include <csignal>

namespace redoubt::cli {
namespace {

base::CancelToken token;

extern "C" void request_stop(int) { token.cancel(); }

}  // namespace

base::CancelToken& interrupt_token() { return token; }

void install_signal_handlers() {
    struct sigaction action {};
    action.sa_handler = request_stop;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

}  // namespace redoubt::cli
