/// Passwords and the command line: asked for without echo, hidden from who lists processes.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace redoubt::cli {

constexpr std::string_view kPasswordOption = "--password=";

/// Overwrites the text of each --password=TEXT: /proc/PID/cmdline shows the arguments to everybody.
void hide_passwords(int argc, char** argv);
/// From the terminal. Errors: Usage without one; Io.
Result<std::string> ask_password(std::string_view prompt);

}  // namespace redoubt::cli
