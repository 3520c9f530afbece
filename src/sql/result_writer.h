/// Answers of statements as text, row by row; nothing holds more than a bounded part of an answer.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "sql/columns.h"

namespace redoubt::sql {

struct ResultColumn {
    std::string name;
    NumberStyle style = {};
    bool integer = false;  ///< texts are digits of a BIGINT UNSIGNED
    bool decimal = false;  ///< texts are digits of a DECIMAL
    /// Where it comes from, if straight from a table; else empty.
    std::string database = {};
    std::string table = {};
};

struct Cell {
    enum class Kind : std::uint8_t { Null, Integer, Real, Text, Blob };
    Kind kind = Kind::Null;
    std::int64_t integer = 0;
    double real = 0;
    std::string_view text = {};  ///< Text, Blob; not always valid UTF-8
};

enum class Format : std::uint8_t { Table, Csv, Json, Sql };
/// "table", "csv", "json", "sql".
inline constexpr std::array<std::pair<std::string_view, Format>, 4> kFormats = {
    {{"table", Format::Table}, {"csv", Format::Csv}, {"json", Format::Json}, {"sql", Format::Sql}}};
std::optional<Format> format_named(std::string_view name);

using Output = std::function<Status(std::string_view)>;

class ResultWriter {
public:
    virtual ~ResultWriter() = default;
    /// Of an answer; `columns` lives until end().
    virtual Status begin(std::span<const ResultColumn> columns) = 0;
    virtual Status row(std::span<const Cell> cells) = 0;
    /// Also after an error, when what came before is to be shown.
    virtual Status end() = 0;
};

/// Errors of what it makes are those of `output`.
std::unique_ptr<ResultWriter> make_writer(Format format, Output output);
/// For the one result document of --json: {"columns": [...], "rows": [...]} without end of line.
std::unique_ptr<ResultWriter> make_document_writer(Output output);

/// A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);
/// Columns a terminal needs for it.
std::size_t display_width(std::string_view text);

}  // namespace redoubt::sql
