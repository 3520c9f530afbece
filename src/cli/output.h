/// What commands print: facts and tables for people, JSON documents for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace redoubt::cli {

using Json = nlohmann::ordered_json;

/// "1.5 MiB"; below 1 KiB "17 bytes".
std::string human_bytes(std::uint64_t bytes);
/// "1,234,567"
std::string human_count(std::uint64_t count);
/// "0.4 s", "2:05 min"
std::string human_seconds(double seconds);

/// "name:   value" lines with the values below each other.
using Fact = std::pair<std::string, std::string>;
std::string facts_text(const std::vector<Fact>& facts);

/// Columns as wide as their widest cell; a column of numbers is set to the right. `rows` have
/// header.size() cells.
std::string table_text(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

/// 16 bytes a line: offset, hex, printable characters. Runs of equal lines are one "*".
std::string hex_dump(std::span<const std::byte> bytes);

/// {"code", "message", "file", "space", "page", "lsn", "hint"}, unknown ones left out.
Json error_json(const Error& error);
/// The document a command gives with --json when it fails. `command` may be empty.
Json error_document(std::string_view command, const Error& error);
/// Begins a result document: {"schema": "redoubt.<command>.v1"}.
Json document(std::string_view command);
/// Sets `name` unless `value` is empty.
void set_known(Json& object, const char* name, const std::string& value);
template <class Id>
void set_known(Json& object, const char* name, const std::optional<Id>& value);

/// Writes to stdout. Errors: Io.
Status print(std::string_view text);
/// Writes the document and a newline to stdout. Bytes that are not UTF-8 become U+FFFD.
Status print_json(const Json& document);
/// One line of JSON (for listings of a line per item).
Status print_json_line(const Json& document);
/// "error: ..." and its hint to stderr.
void print_error(const Error& error);
/// "note: ..." to stderr.
void print_note(std::string_view text);
/// Nothing when `quiet`.
void print_notes(std::span<const std::string> notes, bool quiet);

}  // namespace redoubt::cli
