#include "sql/input.h"

#include <utility>

#include "base/text.h"
#include "sql/statement.h"

namespace redoubt::sql {

void Input::add(std::string_view line) {
    if (is_blank(text_) && is_command(base::strip(line))) {
        text_.clear();
        command_ = base::strip(line);
        return;
    }
    text_ += line;
    if (!line.ends_with('\n')) {
        text_ += '\n';
    }
    may_be_complete_ = may_be_complete_ || line.find(';') != std::string_view::npos;
}

std::optional<std::string> Input::next() {
    if (!command_.empty()) {
        return std::exchange(command_, {});
    }
    while (may_be_complete_) {
        const auto size = statement_size(text_);
        if (!size) {
            may_be_complete_ = false;
            break;
        }
        std::string statement = text_.substr(0, *size);
        text_.erase(0, *size);
        if (!is_blank(statement)) {
            return statement;
        }
    }
    return std::nullopt;
}

void Input::clear() {
    text_.clear();
    command_.clear();
    may_be_complete_ = false;
}

}  // namespace redoubt::sql
