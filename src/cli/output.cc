#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

namespace redoubt::cli {

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1024) {
        return fmt::format("{} bytes", bytes);
    }
    constexpr std::array<std::string_view, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_count(std::uint64_t count) {
    const std::string digits = fmt::format("{}", count);
    std::string text;
    for (std::size_t at = 0; at < digits.size(); ++at) {
        if (at != 0 && (digits.size() - at) % 3 == 0) {
            text += ',';
        }
        text += digits[at];
    }
    return text;
}

std::string human_seconds(double seconds) {
    if (seconds < 59.95) {
        return fmt::format("{:.1f} s", seconds);
    }
    const auto whole = std::llround(seconds);
    return fmt::format("{}:{:02} min", whole / 60, whole % 60);
}

std::string facts_text(const std::vector<Fact>& facts) {
    std::size_t width = 0;
    for (const auto& [name, value] : facts) {
        width = std::max(width, name.size() + 1);
    }
    std::string text;
    for (const auto& [name, value] : facts) {
        text += fmt::format("{:<{}} {}\n", name + ':', width, value);
    }
    return text;
}

std::string table_text(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    widths.reserve(header.size());
    std::vector<bool> numeric(header.size(), true);
    for (const std::string& name : header) {
        widths.push_back(name.size());
    }
    for (const auto& row : rows) {
        for (std::size_t column = 0; column < header.size(); ++column) {
            const std::string& cell = row[column];
            widths[column] = std::max(widths[column], cell.size());
            numeric[column] =
                numeric[column] && std::all_of(cell.begin(), cell.end(), [](unsigned char c) {
                    return std::isdigit(c) != 0 || c == ',' || c == '.' || c == '%';
                });
        }
    }
    std::string text;
    const auto add_row = [&](const std::vector<std::string>& row) {
        std::string line;
        for (std::size_t column = 0; column < header.size(); ++column) {
            line += fmt::format(fmt::runtime(numeric[column] ? "{:>{}}  " : "{:<{}}  "),
                                row[column], widths[column]);
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    };
    add_row(header);
    for (const auto& row : rows) {
        add_row(row);
    }
    return text;
}

std::string hex_dump(std::span<const std::byte> bytes) {
    constexpr std::size_t kLine = 16;
    std::string text;
    bool skipping = false;
    for (std::size_t at = 0; at < bytes.size(); at += kLine) {
        const auto line = bytes.subspan(at, std::min(kLine, bytes.size() - at));
        const bool last = at + kLine >= bytes.size();
        if (at != 0 && !last && std::ranges::equal(line, bytes.subspan(at - kLine, kLine))) {
            text += skipping ? "" : "*\n";
            skipping = true;
            continue;
        }
        skipping = false;
        std::string hex;
        std::string printable;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const auto value = std::to_integer<unsigned char>(line[i]);
            hex += fmt::format("{}{:02x}", i == 8 ? "  " : " ", value);
            printable += std::isprint(value) != 0 ? static_cast<char>(value) : '.';
        }
        text += fmt::format("{:05x} {:<49} |{}|\n", at, hex, printable);
    }
    return text;
}

Json error_json(const Error& error) {
    Json object = {{"code", name_of(error.code())}, {"message", error.message()}};
    set_known(object, "file", error.file());
    set_known(object, "space", error.space());
    set_known(object, "page", error.page());
    set_known(object, "lsn", error.lsn());
    set_known(object, "hint", error.hint());
    return object;
}

Json document(std::string_view command) {
    return {{"schema", fmt::format("redoubt.{}.v1", command)}};
}

Json error_document(std::string_view command, const Error& error) {
    Json result = document(command.empty() ? "usage" : command);
    result["error"] = error_json(error);
    return result;
}

void set_known(Json& object, const char* name, const std::string& value) {
    if (!value.empty()) {
        object[name] = value;
    }
}
template <class Id>
void set_known(Json& object, const char* name, const std::optional<Id>& value) {
    if (value) {
        object[name] = value->value;
    }
}
template void set_known(Json&, const char*, const std::optional<SpaceId>&);
template void set_known(Json&, const char*, const std::optional<PageNo>&);
template void set_known(Json&, const char*, const std::optional<Lsn>&);

Status print(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
        return make_error(ErrorCode::Io, "cannot write to standard output: {}",
                          std::strerror(errno));
    }
    return {};
}

Status print_json(const Json& document) {
    return print(document.dump(2, ' ', false, Json::error_handler_t::replace) + '\n');
}

Status print_json_line(const Json& document) {
    return print(document.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
}

void print_error(const Error& error) {
    const std::string text = fmt::format("error: {}\n", error.to_string());
    std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_note(std::string_view text) {
    const std::string line = fmt::format("note: {}\n", text);
    std::fwrite(line.data(), 1, line.size(), stderr);
}

void print_notes(std::span<const std::string> notes, bool quiet) {
    for (const std::string& note : notes) {
        if (!quiet) {
            print_note(note);
        }
    }
}

}  // namespace redoubt::cli
