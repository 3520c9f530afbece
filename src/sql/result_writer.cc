#include "sql/result_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "sql/number_text.h"

namespace redoubt::sql {
namespace {

// --- UTF-8. ---

struct CodePoint {
    char32_t value = 0;
    std::size_t size = 0;  ///< bytes; 0: not UTF-8 here
};

CodePoint code_point_at(std::string_view text) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return {first, 1};
    }
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < size) {
        return {};
    }
    char32_t value = first & (0xffU >> (size + 1));
    for (std::size_t at = 1; at < size; ++at) {
        if ((byte(at) & 0xc0) != 0x80) {
            return {};
        }
        value = value << 6 | (byte(at) & 0x3fU);
    }
    constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    return value < kSmallest[size] || value > 0x10ffff || surrogate ? CodePoint{}
                                                                    : CodePoint{value, size};
}

bool within(char32_t value, std::span<const std::pair<char32_t, char32_t>> ranges) {
    return std::any_of(ranges.begin(), ranges.end(), [value](const auto& range) {
        return value >= range.first && value <= range.second;
    });
}

/// After Unicode's East Asian Width (W, F) and combining marks, roughly: it only aligns a table.
unsigned width_of(char32_t value) {
    static constexpr std::array<std::pair<char32_t, char32_t>, 8> kNone = {{{0x300, 0x36f},
                                                                            {0x483, 0x489},
                                                                            {0x591, 0x5bd},
                                                                            {0x64b, 0x65f},
                                                                            {0x200b, 0x200f},
                                                                            {0x20d0, 0x20ff},
                                                                            {0xfe00, 0xfe0f},
                                                                            {0xfe20, 0xfe2f}}};
    static constexpr std::array<std::pair<char32_t, char32_t>, 9> kTwo = {{{0x1100, 0x115f},
                                                                           {0x2e80, 0x303e},
                                                                           {0x3041, 0xa4cf},
                                                                           {0xac00, 0xd7a3},
                                                                           {0xf900, 0xfaff},
                                                                           {0xfe30, 0xfe6f},
                                                                           {0xff00, 0xff60},
                                                                           {0xffe0, 0xffe6},
                                                                           {0x1f300, 0x1faff}}};
    return within(value, kNone)                                            ? 0
           : within(value, kTwo) || (value >= 0x20000 && value <= 0x3fffd) ? 2
                                                                           : 1;
}

/// For a table on a terminal: what would move the cursor or colour the screen is shown as \n, \x1b;
/// so is what is not UTF-8.
std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const CodePoint point = code_point_at(text);
        const std::size_t size = std::max<std::size_t>(point.size, 1);
        const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0) ||
                             (point.value >= 0x202a && point.value <= 0x202e) ||
                             (point.value >= 0x2066 && point.value <= 0x2069);
        if (point.size != 0 && !control) {
            result += text.substr(0, size);
        } else if (text[0] == '\n') {
            result += "\\n";
        } else if (text[0] == '\t') {
            result += "\\t";
        } else if (text[0] == '\r') {
            result += "\\r";
        } else {
            for (const char c : text.substr(0, size)) {
                result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
            }
        }
        text.remove_prefix(size);
    }
    return result;
}

// --- Numbers. ---

std::string integer_text(std::int64_t value, const NumberStyle& style) {
    return style.kind == NumberStyle::Kind::ZeroFill
               ? fmt::format("{:0{}}", value, std::clamp(style.count, 1, 255))
               : fmt::format("{}", value);
}

std::string real_text(double value, const NumberStyle& style) {
    switch (style.kind) {
        case NumberStyle::Kind::Float:
            return float_text(value);
        case NumberStyle::Kind::Fixed:
            return fixed_text(value, style.count);
        default:
            return double_text(value);
    }
}

/// As the server prints it, but for what its kind decides: NULL, texts and bytes.
std::string number_text(const Cell& cell, const NumberStyle& style) {
    return cell.kind == Cell::Kind::Integer ? integer_text(cell.integer, style)
                                            : real_text(cell.real, style);
}

/// What may stand in JSON or SQL as a number; a column's declared type does not promise it, as a
/// UNION has the first part's types.
bool is_plain_number(std::string_view text) {
    text.remove_prefix(text.starts_with('-') ? 1 : 0);
    const auto digits = [](std::string_view part) {
        return !part.empty() && part.find_first_not_of("0123456789") == std::string_view::npos;
    };
    const std::size_t point = text.find('.');
    const std::string_view whole = text.substr(0, point);
    return digits(whole) && (whole.size() == 1 || whole.front() != '0') &&
           (point == std::string_view::npos || digits(text.substr(point + 1)));
}

std::string hex(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        constexpr std::string_view kDigits = "0123456789ABCDEF";
        const auto byte = static_cast<unsigned char>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

// --- Table. ---

class TableWriter final : public ResultWriter {
public:
    explicit TableWriter(Output output) : output_(std::move(output)) {}

    Status begin(std::span<const ResultColumn> columns) override {
        columns_ = columns;
        widths_.clear();
        right_.assign(columns.size(), true);
        held_.clear();
        held_bytes_ = 0;
        measuring_ = true;
        names_.clear();
        for (const ResultColumn& column : columns) {
            names_.push_back({printable(column.name), false});
            widths_.push_back(display_width(names_.back().text));
        }
        return {};
    }
    Status row(std::span<const Cell> cells) override {
        std::vector<TableCell> texts;
        texts.reserve(cells.size());
        for (std::size_t column = 0; column < cells.size(); ++column) {
            texts.push_back(cell_text(cells[column], columns_[column]));
        }
        if (!measuring_) {
            return output_(line(texts));
        }
        for (std::size_t column = 0; column < texts.size(); ++column) {
            widths_[column] = std::max(widths_[column], display_width(texts[column].text));
            right_[column] =
                right_[column] && (texts[column].number || cells[column].kind == Cell::Kind::Null);
            held_bytes_ += texts[column].text.size();
        }
        held_.push_back(std::move(texts));
        return held_.size() >= kRowsMeasured || held_bytes_ >= kBytesMeasured ? release()
                                                                              : Status();
    }
    Status end() override {
        RETURN_IF_ERROR(release());
        return output_(rule());
    }

private:
    static constexpr std::size_t kRowsMeasured = 1000;
    static constexpr std::size_t kBytesMeasured = std::size_t{1} << 20;
    static constexpr std::size_t kWidthMax = 200;  // beyond, a cell spoils its own line only

    struct TableCell {
        std::string text;
        bool number = false;
    };

    static TableCell cell_text(const Cell& cell, const ResultColumn& column) {
        switch (cell.kind) {
            case Cell::Kind::Null:
                return {"NULL"};
            case Cell::Kind::Integer:
            case Cell::Kind::Real:
                return {number_text(cell, column.style), true};
            default:
                return {printable(cell.text), column.integer || column.decimal};
        }
    }
    Status release() {
        if (!measuring_) {
            return {};
        }
        measuring_ = false;
        for (std::size_t& width : widths_) {
            width = std::min(width, kWidthMax);
        }
        const bool empty = held_.empty();
        if (empty) {
            right_.assign(right_.size(), false);
        }
        const std::vector<bool> right = std::exchange(right_, std::vector<bool>(right_.size()));
        std::string text = rule() + line(names_) + (empty ? "" : rule());
        right_ = right;
        for (const auto& texts : held_) {
            text += line(texts);
        }
        held_.clear();
        held_.shrink_to_fit();
        return output_(text);
    }
    std::string rule() const {
        std::string text = "+";
        for (const std::size_t width : widths_) {
            text += std::string(width + 2, '-') + '+';
        }
        return text + '\n';
    }
    std::string line(const std::vector<TableCell>& cells) const {
        std::string text = "|";
        for (std::size_t column = 0; column < cells.size(); ++column) {
            const std::size_t width = display_width(cells[column].text);
            const std::string fill(widths_[column] - std::min(width, widths_[column]), ' ');
            text += ' ';
            text += right_[column] ? fill + cells[column].text : cells[column].text + fill;
            text += " |";
        }
        return text + '\n';
    }

    const Output output_;
    std::span<const ResultColumn> columns_;
    std::vector<TableCell> names_;
    std::vector<std::size_t> widths_;
    std::vector<bool> right_;
    bool measuring_ = true;
    std::vector<std::vector<TableCell>> held_;  ///< measured, not yet written
    std::size_t held_bytes_ = 0;
};

// --- CSV: RFC 4180's quotes; lines end with a line feed alone, as tools here expect. ---

class CsvWriter final : public ResultWriter {
public:
    explicit CsvWriter(Output output) : output_(std::move(output)) {}

    Status begin(std::span<const ResultColumn> columns) override {
        columns_ = columns;
        std::string line;
        for (const ResultColumn& column : columns) {
            line += (line.empty() ? "" : ",") + field(column.name);
        }
        return output_(line + '\n');
    }
    Status row(std::span<const Cell> cells) override {
        std::string line;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            const Cell& cell = cells[column];
            line += column == 0 ? "" : ",";
            if (cell.kind == Cell::Kind::Text || cell.kind == Cell::Kind::Blob) {
                line += field(cell.text);
            } else if (cell.kind != Cell::Kind::Null) {
                line += number_text(cell, columns_[column].style);
            }
        }
        return output_(line + '\n');
    }
    Status end() override { return {}; }

private:
    /// An empty text has quotes, so that it is not taken for NULL.
    static std::string field(std::string_view text) {
        if (!text.empty() && text.find_first_of("\",\r\n") == std::string_view::npos) {
            return std::string(text);
        }
        std::string quoted_text = "\"";
        for (const char c : text) {
            quoted_text += c;
            quoted_text += c == '"' ? "\"" : "";
        }
        return quoted_text + '"';
    }

    const Output output_;
    std::span<const ResultColumn> columns_;
};

// --- JSON. ---

std::string json_value(const Cell& cell, const ResultColumn& column) {
    switch (cell.kind) {
        case Cell::Kind::Null:
            return "null";
        case Cell::Kind::Integer:
            return fmt::format("{}", cell.integer);
        case Cell::Kind::Real:
            return std::isfinite(cell.real) ? real_text(cell.real, column.style) : "null";
        case Cell::Kind::Text:
            return column.integer && is_plain_number(cell.text) ? std::string(cell.text)
                                                                : json_string(cell.text);
        case Cell::Kind::Blob:
            return fmt::format("{{\"hex\": \"{}\"}}", hex(cell.text));
    }
    return "null";
}

/// Names of an object's members: each once, "id", "id_2".
std::vector<std::string> member_names(std::span<const ResultColumn> columns) {
    std::set<std::string> taken;
    for (const ResultColumn& column : columns) {
        taken.insert(column.name);
    }
    std::set<std::string> used;
    std::vector<std::string> names;
    for (const ResultColumn& column : columns) {
        std::string name = column.name;
        for (int number = 2; used.contains(name); ++number) {
            name = fmt::format("{}_{}", column.name, number);
            name = taken.contains(name) ? column.name : name;
        }
        used.insert(name);
        names.push_back(json_string(name));
    }
    return names;
}

class JsonWriter : public ResultWriter {
public:
    explicit JsonWriter(Output output) : output_(std::move(output)) {}

    Status begin(std::span<const ResultColumn> columns) override {
        columns_ = columns;
        names_ = member_names(columns);
        first_ = true;
        return output_("[");
    }
    Status row(std::span<const Cell> cells) override {
        std::string line = std::exchange(first_, false) ? "\n  {" : ",\n  {";
        for (std::size_t column = 0; column < cells.size(); ++column) {
            line += column == 0 ? "" : ", ";
            line += names_[column] + ": " + json_value(cells[column], columns_[column]);
        }
        return output_(line + '}');
    }
    Status end() override { return output_(first_ ? "]\n" : "\n]\n"); }

protected:
    const Output output_;
    std::span<const ResultColumn> columns_;
    std::vector<std::string> names_;
    bool first_ = true;
};

class DocumentWriter final : public JsonWriter {
public:
    using JsonWriter::JsonWriter;
    Status begin(std::span<const ResultColumn> columns) override {
        columns_ = columns;
        names_ = member_names(columns);
        first_ = true;
        std::string text;
        for (const std::string& name : names_) {
            text += (text.empty() ? "" : ", ") + name;
        }
        return output_("{\"columns\": [" + text + "], \"rows\": [");
    }
    Status end() override { return output_(first_ ? "]}" : "\n]}"); }
};

// --- SQL: INSERT statements for MariaDB. ---

class SqlWriter final : public ResultWriter {
public:
    explicit SqlWriter(Output output) : output_(std::move(output)) {}

    Status begin(std::span<const ResultColumn> columns) override {
        columns_ = columns;
        const ResultColumn& first = columns.front();
        const bool one_table =
            !first.table.empty() &&
            std::all_of(columns.begin(), columns.end(), [&](const ResultColumn& column) {
                return column.database == first.database && column.table == first.table;
            });
        prefix_ = "INSERT INTO ";
        prefix_ += one_table ? name(first.database) + '.' + name(first.table) : "`result`";
        prefix_ += " (";
        for (std::size_t column = 0; column < columns.size(); ++column) {
            prefix_ += (column == 0 ? "" : ", ") + name(columns[column].name);
        }
        prefix_ += ") VALUES (";
        return {};
    }
    Status row(std::span<const Cell> cells) override {
        std::string line = prefix_;
        for (std::size_t column = 0; column < cells.size(); ++column) {
            line += (column == 0 ? "" : ", ") + value(cells[column], columns_[column]);
        }
        return output_(line + ");\n");
    }
    Status end() override { return {}; }

private:
    static std::string name(std::string_view text) {
        std::string result = "`";
        for (const char c : text) {
            result += c;
            result += c == '`' ? "`" : "";
        }
        return result + '`';
    }
    /// With the escapes of MariaDB's default sql_mode.
    static std::string string(std::string_view text) {
        std::string result = "'";
        for (const char c : text) {
            switch (c) {
                case '\'':
                    result += "''";
                    break;
                case '\\':
                    result += "\\\\";
                    break;
                case '\0':
                    result += "\\0";
                    break;
                case '\n':
                    result += "\\n";
                    break;
                case '\r':
                    result += "\\r";
                    break;
                case '\x1a':
                    result += "\\Z";
                    break;
                default:
                    result += c;
            }
        }
        return result + '\'';
    }
    /// All digits of a FLOAT, not the six that are printed elsewhere: to be read back as it was.
    static std::string real(double number, const NumberStyle& style) {
        if (!std::isfinite(number)) {
            return "NULL";
        }
        if (!style.single) {
            return double_text(number);
        }
        std::array<char, 64> buffer{};
        const auto end =
            std::to_chars(buffer.data(), buffer.data() + buffer.size(), static_cast<float>(number));
        return {buffer.data(), end.ptr};
    }
    static std::string value(const Cell& cell, const ResultColumn& column) {
        switch (cell.kind) {
            case Cell::Kind::Null:
                return "NULL";
            case Cell::Kind::Integer:
                return fmt::format("{}", cell.integer);
            case Cell::Kind::Real:
                return real(cell.real, column.style);
            case Cell::Kind::Text:
                return (column.integer || column.decimal) && is_plain_number(cell.text)
                           ? std::string(cell.text)
                           : string(cell.text);
            case Cell::Kind::Blob:
                return "X'" + hex(cell.text) + "'";
        }
        return "NULL";
    }

    const Output output_;
    std::span<const ResultColumn> columns_;
    std::string prefix_;
};

}  // namespace

std::string json_string(std::string_view text) {
    std::string result = "\"";
    while (!text.empty()) {
        const CodePoint point = code_point_at(text);
        if (point.size == 0) {
            result += "\xef\xbf\xbd";
            text.remove_prefix(1);
            continue;
        }
        if (point.value == '"' || point.value == '\\') {
            result += '\\';
            result += text[0];
        } else if (point.value < 0x20 || point.value == 0x7f) {
            result += point.value == '\n'   ? "\\n"
                      : point.value == '\t' ? "\\t"
                      : point.value == '\r'
                          ? "\\r"
                          : fmt::format("\\u{:04x}", static_cast<unsigned char>(text[0]));
        } else {
            result += text.substr(0, point.size);
        }
        text.remove_prefix(point.size);
    }
    return result + '"';
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const CodePoint point = code_point_at(text);
        width += point.size == 0 ? 1 : width_of(point.value);
        text.remove_prefix(std::max<std::size_t>(point.size, 1));
    }
    return width;
}

std::optional<Format> format_named(std::string_view name) {
    for (const auto& [known, format] : kFormats) {
        if (known == name) {
            return format;
        }
    }
    return std::nullopt;
}

std::unique_ptr<ResultWriter> make_writer(Format format, Output output) {
    switch (format) {
        case Format::Table:
            return std::make_unique<TableWriter>(std::move(output));
        case Format::Csv:
            return std::make_unique<CsvWriter>(std::move(output));
        case Format::Json:
            return std::make_unique<JsonWriter>(std::move(output));
        case Format::Sql:
            return std::make_unique<SqlWriter>(std::move(output));
    }
    return nullptr;
}

std::unique_ptr<ResultWriter> make_document_writer(Output output) {
    return std::make_unique<DocumentWriter>(std::move(output));
}

}  // namespace redoubt::sql
