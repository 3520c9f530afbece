#include "cli/password.h"

#include <poll.h>
#include <termios.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "cli/signals.h"

namespace redoubt::cli {

void hide_passwords(int argc, char** argv) {
    for (char* argument : std::span(argv, static_cast<std::size_t>(argc))) {
        if (std::string_view(argument).starts_with(kPasswordOption)) {
            char* const text = argument + kPasswordOption.size();
            std::memset(text, 'x', std::strlen(text));
        }
    }
}

Result<std::string> ask_password(std::string_view prompt) {
    struct Close {
        void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
    };
    const std::unique_ptr<std::FILE, Close> terminal(std::fopen("/dev/tty", "r+"));
    struct termios before {};
    if (terminal == nullptr || ::tcgetattr(::fileno(terminal.get()), &before) != 0) {
        return make_error(ErrorCode::Usage, "there is no terminal to ask for the password")
            .with_hint("put it into an option file, or into MYSQL_PWD");
    }
    struct termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    static_cast<void>(std::fwrite(prompt.data(), 1, prompt.size(), terminal.get()));
    static_cast<void>(std::fflush(terminal.get()));
    ::tcsetattr(::fileno(terminal.get()), TCSAFLUSH, &silent);
    constexpr int kLengthMax = 4096;
    std::string line(kLengthMax, '\0');
    struct pollfd input {};
    input.fd = ::fileno(terminal.get());
    input.events = POLLIN;
    // poll() ends at ^C; a read would be taken up again.
    const bool read = ::poll(&input, 1, -1) == 1 &&
                      std::fgets(line.data(), kLengthMax, terminal.get()) != nullptr;
    ::tcsetattr(::fileno(terminal.get()), TCSAFLUSH, &before);
    static_cast<void>(std::fputc('\n', stderr));
    if (!read) {
        RETURN_IF_ERROR(interrupt_token().check());
        return make_error(ErrorCode::Io, "cannot read the password from the terminal");
    }
    line.resize(std::strcspn(line.c_str(), "\n"));
    return line;
}

}  // namespace redoubt::cli
