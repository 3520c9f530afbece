#include "sql/statement.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace redoubt::sql {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

/// SQLite: any byte above ASCII is part of a name.
bool is_name_character(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '$';
}

bool is_word(const Token& token, std::string_view word) {
    return token.kind == Token::Kind::Word && equal_ignoring_case(token.text, word);
}
bool is_symbol(const Token& token, std::string_view symbol) {
    return token.kind == Token::Kind::Symbol && token.text == symbol;
}
bool is_name(const Token& token) {
    return token.kind == Token::Kind::Word || token.kind == Token::Kind::Name;
}

}  // namespace

void Tokenizer::skip_space() {
    while (at_ < text_.size()) {
        const std::string_view rest = text_.substr(at_);
        if (is_space(rest.front())) {
            ++at_;
        } else if (rest.starts_with("--")) {
            at_ = std::min(text_.find('\n', at_), text_.size());
        } else if (rest.starts_with("/*")) {
            const std::size_t end = text_.find("*/", at_ + 2);
            open_ = end == std::string_view::npos;
            at_ = open_ ? text_.size() : end + 2;
        } else {
            return;
        }
    }
}

Token Tokenizer::quoted_token(char close) {
    const std::size_t begin = at_;
    Token token{.kind = close == '\'' ? Token::Kind::String : Token::Kind::Name, .text = {}};
    for (++at_; at_ < text_.size(); ++at_) {
        if (text_[at_] == close) {
            const bool doubled = close != ']' && at_ + 1 < text_.size() && text_[at_ + 1] == close;
            if (!doubled) {
                ++at_;
                token.text = text_.substr(begin, at_ - begin);
                return token;
            }
            ++at_;
        }
        token.name += text_[at_];
    }
    open_ = true;
    token.text = text_.substr(begin);
    return token;
}

Token Tokenizer::next() {
    skip_space();
    if (at_ >= text_.size()) {
        return {};
    }
    const char first = text_[at_];
    if (first == '\'' || first == '"' || first == '`') {
        return quoted_token(first);
    }
    if (first == '[') {
        return quoted_token(']');
    }
    const std::size_t begin = at_;
    if (!is_name_character(first)) {
        ++at_;
        return {.kind = Token::Kind::Symbol, .text = text_.substr(begin, 1)};
    }
    while (at_ < text_.size() && is_name_character(text_[at_])) {
        ++at_;
    }
    const std::string_view word = text_.substr(begin, at_ - begin);
    return {.kind = Token::Kind::Word, .text = word, .name = std::string(word)};
}

std::optional<std::size_t> statement_size(std::string_view text) {
    Tokenizer tokens(text);
    while (true) {
        const Token token = tokens.next();
        if (token.kind == Token::Kind::End) {
            return std::nullopt;
        }
        if (is_symbol(token, ";")) {
            return tokens.offset();
        }
    }
}

bool is_blank(std::string_view text) {
    Tokenizer tokens(text);
    while (true) {
        const Token token = tokens.next();
        if (token.kind == Token::Kind::End) {
            return !tokens.open();
        }
        if (!is_symbol(token, ";")) {
            return false;
        }
    }
}

namespace {

template <class Suits>
bool any_token(std::string_view text, Suits suits) {
    Tokenizer tokens(text);
    for (Token token = tokens.next(); token.kind != Token::Kind::End; token = tokens.next()) {
        if (suits(token)) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool mentions(std::string_view text, std::string_view name) {
    return any_token(text,
                     [name](const Token& token) { return is_name(token) && token.name == name; });
}

bool has_keyword(std::string_view text, std::string_view word) {
    return any_token(text, [word](const Token& token) { return is_word(token, word); });
}

std::optional<std::string> qualifier_at_end(std::string_view text) {
    Tokenizer tokens(text);
    Token before;
    Token last;
    for (Token token = tokens.next(); token.kind != Token::Kind::End; token = tokens.next()) {
        before = std::exchange(last, std::move(token));
    }
    return !tokens.open() && is_symbol(last, ".") && is_name(before) ? std::optional(before.name)
                                                                     : std::nullopt;
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), lower);
    return result;
}

std::optional<CountStatement> parse_count(std::string_view statement) {
    Tokenizer tokens(statement);
    if (!is_word(tokens.next(), "select")) {
        return std::nullopt;
    }
    Token token = tokens.next();
    if (!is_word(token, "count")) {
        return std::nullopt;
    }
    const char* const title_begin = token.text.data();
    if (!is_symbol(tokens.next(), "(") || !is_symbol(tokens.next(), "*")) {
        return std::nullopt;
    }
    token = tokens.next();
    if (!is_symbol(token, ")")) {
        return std::nullopt;
    }
    CountStatement count;
    count.title.assign(title_begin, token.text.data() + token.text.size());
    token = tokens.next();
    if (is_word(token, "as")) {
        token = tokens.next();
        if (!is_name(token)) {
            return std::nullopt;
        }
    }
    if (!is_word(token, "from")) {
        if (!is_name(token)) {
            return std::nullopt;
        }
        count.title = token.name;
        token = tokens.next();
    }
    Token name = tokens.next();
    if (!is_word(token, "from") || !is_name(name)) {
        return std::nullopt;
    }
    count.table = name.name;
    token = tokens.next();
    if (is_symbol(token, ".")) {
        name = tokens.next();
        if (!is_name(name)) {
            return std::nullopt;
        }
        count.database = std::exchange(count.table, name.name);
        token = tokens.next();
    }
    const bool ends = token.kind == Token::Kind::End || is_symbol(token, ";");
    return ends && !tokens.open() ? std::optional(std::move(count)) : std::nullopt;
}

}  // namespace redoubt::sql
