#include "cli/sql_terminal.h"

#include <histedit.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstdlib>
#include <cwchar>
#include <filesystem>

#include "base/text.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "sql/input.h"

namespace redoubt::cli {
namespace {

constexpr int kHistorySize = 1000;  // lines

struct EndEditing {
    void operator()(EditLine* editor) const { el_end(editor); }
};
struct EndHistory {
    void operator()(History* history) const { history_end(history); }
};

/// $XDG_STATE_HOME/redoubt/sql_history; empty where there is no home.
std::filesystem::path history_file() {
    const char* const state = std::getenv("XDG_STATE_HOME");
    const char* const home = std::getenv("HOME");
    if (state != nullptr && *state == '/') {
        return std::filesystem::path(state) / "redoubt" / "sql_history";
    }
    return home == nullptr || *home == '\0'
               ? std::filesystem::path()
               : std::filesystem::path(home) / ".local/state/redoubt/sql_history";
}

bool is_name_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '$';
}

std::string common_prefix(const std::vector<std::string>& words) {
    std::string prefix = words.front();
    for (const std::string& word : words) {
        const auto differ = std::mismatch(prefix.begin(), prefix.end(), word.begin(), word.end());
        prefix.erase(differ.first, prefix.end());
    }
    return prefix;
}

class Terminal {
public:
    explicit Terminal(SqlShell& shell) : shell_(shell) {}

    Status open();
    /// Nothing at the end of input. `interrupted` tells a line that ^C gave up.
    std::optional<std::string> read(bool continued, bool& interrupted);
    void remember(const std::string& line);

private:
    static Terminal& of(EditLine* editor);
    static char* prompt(EditLine* editor);
    static unsigned char complete(EditLine* editor, int character);
    static int read_character(EditLine* editor, wchar_t* character);

    SqlShell& shell_;
    std::unique_ptr<EditLine, EndEditing> editor_;
    std::unique_ptr<History, EndHistory> history_;
    std::filesystem::path history_file_ = history_file();
    std::string prompt_;
};

Terminal& Terminal::of(EditLine* editor) {
    void* terminal = nullptr;
    el_get(editor, EL_CLIENTDATA, &terminal);
    return *static_cast<Terminal*>(terminal);
}

char* Terminal::prompt(EditLine* editor) { return of(editor).prompt_.data(); }

/// libedit's own would start again after ^C.
int Terminal::read_character(EditLine*, wchar_t* character) {
    std::mbstate_t state{};
    while (true) {
        char byte = 0;
        const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
        if (count <= 0) {
            return static_cast<int>(count);
        }
        const std::size_t used = std::mbrtowc(character, &byte, 1, &state);
        if (used == static_cast<std::size_t>(-1)) {
            state = {};  // a byte that belongs to no character is passed over
        } else if (used != static_cast<std::size_t>(-2)) {
            return 1;
        }
    }
}

unsigned char Terminal::complete(EditLine* editor, int) {
    Terminal& terminal = of(editor);
    const LineInfo* const info = el_line(editor);
    const std::string_view before(info->buffer,
                                  static_cast<std::size_t>(info->cursor - info->buffer));
    std::size_t begin = before.size();
    while (begin > 0 && is_name_character(before[begin - 1])) {
        --begin;
    }
    const std::string_view word = before.substr(begin);
    const std::vector<std::string> words = terminal.shell_.complete(before, word);
    if (words.empty()) {
        return CC_REFRESH_BEEP;
    }
    std::string text = common_prefix(words);
    if (words.size() > 1 && text.size() <= word.size()) {
        constexpr std::size_t kWordsMax = 200;
        std::string list = "\n";
        for (std::size_t at = 0; at < std::min(words.size(), kWordsMax); ++at) {
            list += words[at] + "  ";
        }
        list += words.size() > kWordsMax ? "...\n" : "\n";
        std::fputs(list.c_str(), stdout);
        return CC_REDISPLAY;
    }
    text += words.size() == 1 && !text.ends_with('(') ? " " : "";
    el_deletestr(editor, static_cast<int>(word.size()));
    return el_insertstr(editor, text.c_str()) == 0 ? CC_REFRESH : CC_ERROR;
}

Status Terminal::open() {
    // Names and texts are UTF-8, whatever the rest of the environment speaks.
    if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
        std::setlocale(LC_CTYPE, "C.UTF-8");
    }
    editor_.reset(el_init("redoubt", stdin, stdout, stderr));
    history_.reset(history_init());
    if (editor_ == nullptr || history_ == nullptr) {
        return make_error(ErrorCode::Io, "the terminal cannot be used for line editing");
    }
    HistEvent event{};
    history(history_.get(), &event, H_SETSIZE, kHistorySize);
    history(history_.get(), &event, H_SETUNIQUE, 1);
    if (!history_file_.empty()) {
        std::error_code problem;  // a shell without history is a shell all the same
        std::filesystem::create_directories(history_file_.parent_path(), problem);
        history(history_.get(), &event, H_LOAD, history_file_.c_str());
    }
    EditLine* const editor = editor_.get();
    el_set(editor, EL_CLIENTDATA, this);
    el_set(editor, EL_PROMPT, &Terminal::prompt);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_SIGNAL, 0);
    el_set(editor, EL_HIST, history, history_.get());
    el_set(editor, EL_GETCFN, &Terminal::read_character);
    el_set(editor, EL_ADDFN, "redoubt-complete", "complete a name", &Terminal::complete);
    el_set(editor, EL_BIND, "^I", "redoubt-complete", nullptr);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    return {};
}

std::optional<std::string> Terminal::read(bool continued, bool& interrupted) {
    prompt_ = continued ? "      -> " : "redoubt> ";
    int count = 0;
    errno = 0;
    const char* const line = el_gets(editor_.get(), &count);
    interrupted = count < 0 && errno == EINTR;
    if (line == nullptr || count <= 0) {
        return std::nullopt;
    }
    return std::string(line, static_cast<std::size_t>(count));
}

void Terminal::remember(const std::string& line) {
    HistEvent event{};
    if (base::strip(line).empty()) {
        return;
    }
    history(history_.get(), &event, H_ENTER, line.c_str());
    if (!history_file_.empty()) {
        history(history_.get(), &event, H_SAVE, history_file_.c_str());
    }
}

}  // namespace

Status run_on_terminal(SqlShell& shell, base::CancelToken& cancel) {
    Terminal terminal(shell);
    RETURN_IF_ERROR(terminal.open());
    install_shell_signal_handler();
    RETURN_IF_ERROR(print("SQL over the tables, read-only; .help lists the commands\n"));
    sql::Input input;
    while (!shell.quit()) {
        bool interrupted = false;
        const auto line = terminal.read(!base::strip(input.rest()).empty(), interrupted);
        if (interrupted) {
            cancel.reset();
            input.clear();
            RETURN_IF_ERROR(print("^C\n"));
            continue;
        }
        if (!line) {
            return print("\n");
        }
        terminal.remember(*line);
        input.add(*line);
        while (const auto statement = input.next()) {
            cancel.reset();
            if (const Status status = shell.run_one(*statement); !status) {
                print_error(status.error());
            }
        }
        cancel.reset();
    }
    return {};
}

}  // namespace redoubt::cli
