/// Statements as they come in, line by line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace redoubt::sql {

/// Collects lines until a statement is complete. A line that begins with a point where a statement
/// would begin is a command of the shell's own.
class Input {
public:
    /// With or without its end of line.
    void add(std::string_view line);
    /// The next statement with its semicolon, or a command; nothing until more lines come.
    std::optional<std::string> next();
    /// What has been begun and not ended; blank if nothing.
    const std::string& rest() const { return text_; }
    void clear();

    static bool is_command(std::string_view text) { return text.starts_with('.'); }

private:
    std::string text_;
    std::string command_;
    bool may_be_complete_ = false;  ///< a semicolon came since a statement was last looked for
};

}  // namespace redoubt::sql
