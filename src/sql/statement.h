/// SQL text as far as we look into it ourselves: where a statement ends, which words it has,
/// whether it is one plain COUNT(*). Everything else is SQLite's to parse.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace redoubt::sql {

struct Token {
    enum class Kind : std::uint8_t {
        End,
        Word,    ///< bare: a keyword or a name
        Name,    ///< "quoted", `quoted` or [quoted]
        String,  ///< 'text'
        Symbol   ///< one character of anything else
    };
    Kind kind = Kind::End;
    std::string_view text;  ///< as written
    std::string name = {};  ///< Word, Name: without quotes
};

/// Splits text as SQLite does. Comments and white space are left out; a quote that is never closed
/// reaches to the end.
class Tokenizer {
public:
    explicit Tokenizer(std::string_view text) : text_(text) {}
    Token next();
    /// Bytes read so far.
    std::size_t offset() const { return at_; }
    /// The text ended within a quote or a comment.
    bool open() const { return open_; }

private:
    void skip_space();
    Token quoted_token(char close);

    std::string_view text_;
    std::size_t at_ = 0;
    bool open_ = false;
};

/// Bytes of the first statement with its semicolon; nothing when there is no semicolon yet.
std::optional<std::size_t> statement_size(std::string_view text);
/// Nothing but white space, comments and semicolons.
bool is_blank(std::string_view text);
/// Some word or quoted name of the text is `name`, with these very letters.
bool mentions(std::string_view text, std::string_view name);
/// Some bare word of the text is `word`, in any case.
bool has_keyword(std::string_view text, std::string_view word);
/// The name before the point that `text` ends with, without quotes.
std::optional<std::string> qualifier_at_end(std::string_view text);
bool equal_ignoring_case(std::string_view left, std::string_view right);
/// ASCII letters only, which is what SQLite knows of case.
std::string lower_case(std::string_view text);

/// SELECT COUNT(*) [AS] [title] FROM [database.]table and nothing else.
struct CountStatement {
    std::string title;  ///< of the result's column
    std::optional<std::string> database;
    std::string table;
};
std::optional<CountStatement> parse_count(std::string_view statement);

}  // namespace redoubt::sql
