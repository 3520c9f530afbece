/// ^C and SIGTERM become a request to stop at the next safe point.
#pragma once

#include "base/cancel.h"

namespace redoubt::cli {

/// The process's token, which the handlers set.
base::CancelToken& interrupt_token();

/// The first SIGINT or SIGTERM sets the token; a second one ends the process at once, which every
/// command survives as it survives a crash.
void install_signal_handlers();
/// In a shell ^C ends what runs, not the process, unless it comes twice before the token is reset.
/// Reading from the terminal ends with EINTR.
void install_shell_signal_handler();

}  // namespace redoubt::cli
