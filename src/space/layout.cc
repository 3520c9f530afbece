#include "space/layout.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <initializer_list>
#include <limits>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "io/option_file.h"

namespace redoubt::space {
namespace {

using base::strip;

/// Longer than any path of a file.
constexpr std::size_t kLinkSizeMax = 8192;
constexpr std::uint32_t kUndoTablespacesMax = 127;
constexpr std::string_view kTableSuffix = ".ibd";
constexpr std::string_view kLinkSuffix = ".isl";

Error usage(std::string_view option, std::string_view value, std::string_view reason) {
    return make_error(ErrorCode::Usage, "{} = {}: {}", option, value, reason);
}

/// "16384", "16k", "12M", "1G" in bytes; nullopt when it is nothing of the kind.
std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, failure] = std::from_chars(text.data(), end, number);
    if (failure != std::errc{} || rest == text.data()) {
        return std::nullopt;
    }
    unsigned shift = 0;
    if (rest != end) {
        const std::size_t unit = std::string_view("KMGT").find(
            static_cast<char>(std::toupper(static_cast<unsigned char>(*rest))));
        if (unit == std::string_view::npos || rest + 1 != end) {
            return std::nullopt;
        }
        shift = 10 * (static_cast<unsigned>(unit) + 1);
    }
    if (number > (std::numeric_limits<std::uint64_t>::max() >> shift)) {
        return std::nullopt;
    }
    return number << shift;
}

bool is_server_group(std::string_view group) {
    if (group.ends_with("-10.11")) {
        group.remove_suffix(std::string_view("-10.11").size());
    }
    return group == "mysqld" || group == "server" || group == "mariadb" || group == "mariadbd";
}

Status take_option(const io::OptionSetting& setting, LayoutOptions& options) {
    const std::string& name = setting.name;
    const std::string& value = setting.value;
    if (name == "innodb_data_file_path") {
        // Checked here, where the file that holds it is known.
        RETURN_IF_ERROR(parse_data_file_path(value, ""));
        options.data_file_path = value;
    } else if (name == "innodb_data_home_dir") {
        options.data_home = value;
    } else if (name == "innodb_undo_directory") {
        options.undo_directory = value;
    } else if (name == "innodb_log_group_home_dir") {
        options.log_directory = value;
    } else if (name == "aria_log_dir_path") {
        options.aria_log_directory = value;
    } else if (name == "rocksdb_datadir") {
        options.rocksdb_directory = value;
    } else if (name == "innodb_page_size") {
        const std::optional<std::uint64_t> size = parse_size(value);
        if (!size || *size < 4096 || *size > 65536 || (*size & (*size - 1)) != 0) {
            return usage(name, value, "not a page size (4k, 8k, 16k, 32k or 64k)");
        }
        options.page_size = static_cast<std::uint32_t>(*size);
    } else if (name == "innodb_undo_tablespaces") {
        const std::optional<std::uint64_t> count = parse_size(value);
        if (!count || *count > kUndoTablespacesMax) {
            return usage(name, value, "not a number from 0 to 127");
        }
        options.undo_tablespaces = static_cast<std::uint32_t>(*count);
    }
    return {};
}

Result<SystemFile> parse_system_file(std::string_view part, bool last, std::string_view data_home) {
    constexpr std::string_view kOption = "innodb_data_file_path";
    std::vector<std::string_view> fields;
    for (std::string_view rest = part;;) {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        fields.push_back(strip(rest.substr(0, colon)));
        if (colon == rest.size()) {
            break;
        }
        rest.remove_prefix(colon + 1);
    }
    if (fields.size() < 2 || fields[0].empty()) {
        return usage(kOption, part, "expected FILE:SIZE");
    }
    const std::optional<std::uint64_t> size = parse_size(fields[1]);
    if (!size || *size == 0) {
        return usage(kOption, part, "the size is not a number with K, M or G");
    }
    SystemFile file{.path = io::join(data_home, fields[0]), .size = *size};
    if (fields.size() == 2) {
        return file;
    }
    if (fields[2] == "raw" || fields[2] == "newraw" || fields[1].ends_with("raw")) {
        return usage(kOption, part, "raw devices are not supported");
    }
    const bool with_limit =
        fields.size() == 5 && fields[3] == "max" && parse_size(fields[4]).has_value();
    if (fields[2] != "autoextend" || (fields.size() != 3 && !with_limit)) {
        return usage(kOption, part, "expected FILE:SIZE[:autoextend[:max:SIZE]]");
    }
    if (!last) {
        return usage(kOption, part, "only the last file may be autoextend");
    }
    file.autoextend = true;
    return file;
}

/// "./", "." and "" all mean the data directory itself.
std::string tidy_directory(std::string_view path) {
    while (path.starts_with("./")) {
        path.remove_prefix(2);
    }
    while (path.size() > 1 && path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path == "." ? std::string() : std::string(path);
}

std::string file_name_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

bool is_undo_file(std::string_view name) {
    if (name.size() != 7 || !name.starts_with("undo")) {
        return false;
    }
    std::uint32_t number = 0;
    const auto [end, failure] = std::from_chars(name.data() + 4, name.data() + name.size(), number);
    return failure == std::errc{} && end == name.data() + name.size() && number >= 1 &&
           number <= kUndoTablespacesMax;
}

/// Where the link file `path` leads; nowhere where it holds no path, which is told: the server
/// ignores such a link, too. (It makes the table's file first, then the link, and writes into it
/// after that.)
Result<std::optional<std::string>> read_link(io::Directory& directory, const std::string& path) {
    ASSIGN_OR_RETURN(const std::string text, directory.read_text(path, kLinkSizeMax));
    Result<std::string> target = parse_isl(text);
    if (!target) {
        log::warn("link ignored", std::move(target.error()).with_file(path).to_string());
        return std::nullopt;
    }
    return *std::move(target);
}

/// `follow_links`: not in a backup, whose links lead to the files of the server it was taken from.
Status add_tables(io::Directory& directory, const std::string& database, bool follow_links,
                  std::vector<TableFile>& tables) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(database));
    const auto contains = [&names](const std::string& name) {
        return std::binary_search(names.begin(), names.end(), name);
    };
    for (const std::string& name : names) {
        const std::string path = io::join(database, name);
        const std::string table =
            path.substr(0, path.size() - std::min(path.size(), kTableSuffix.size()));
        if (name.ends_with(kTableSuffix)) {
            tables.push_back({.name = table, .path = path});
        } else if (name.ends_with(kLinkSuffix) &&
                   !contains(file_name_of(table) + std::string(kTableSuffix))) {
            if (!follow_links) {
                tables.push_back({.name = table, .path = table + std::string(kTableSuffix)});
                continue;
            }
            ASSIGN_OR_RETURN(std::optional<std::string> target, read_link(directory, path));
            if (target) {
                tables.push_back({.name = table, .path = *std::move(target), .linked = true});
            }
        }
    }
    return {};
}

}  // namespace

Status read_defaults_file(io::Directory& directory, std::string_view path, LayoutOptions& options) {
    return io::read_option_file(
        directory, path, is_server_group,
        [&options](const io::OptionSetting& setting) { return take_option(setting, options); });
}

Result<std::vector<SystemFile>> parse_data_file_path(std::string_view text,
                                                     std::string_view data_home) {
    std::vector<SystemFile> files;
    for (std::string_view rest = text;;) {
        const std::size_t semicolon = std::min(rest.find(';'), rest.size());
        const bool last = strip(rest.substr(std::min(semicolon + 1, rest.size()))).empty();
        ASSIGN_OR_RETURN(SystemFile file,
                         parse_system_file(strip(rest.substr(0, semicolon)), last, data_home));
        files.push_back(std::move(file));
        if (last) {
            return files;
        }
        rest.remove_prefix(semicolon + 1);
    }
}

Result<Layout> find_fixed_layout(io::Directory& directory, LayoutOptions options,
                                 bool options_given) {
    Layout layout;
    layout.is_backup = directory.exists("xtrabackup_checkpoints") ||
                       directory.exists("mariadb_backup_checkpoints") ||
                       directory.exists("redoubt-manifest.json");
    if (!options_given && directory.exists("backup-my.cnf")) {
        RETURN_IF_ERROR(read_defaults_file(directory, "backup-my.cnf", options));
    }
    if (layout.is_backup) {
        // A backup has everything in its own directory, wherever the server had it.
        options.data_home.clear();
        options.undo_directory.clear();
        options.log_directory.clear();
    }
    options.data_home = tidy_directory(options.data_home);
    options.undo_directory = tidy_directory(options.undo_directory);
    options.log_directory = tidy_directory(options.log_directory);

    ASSIGN_OR_RETURN(layout.system_files,
                     parse_data_file_path(options.data_file_path, options.data_home));
    for (SystemFile& file : layout.system_files) {
        file.path = layout.is_backup ? file_name_of(file.path) : tidy_directory(file.path);
    }
    if (!directory.exists(layout.system_files.front().path)) {
        return make_error(ErrorCode::NotFound, "no system tablespace file")
            .with_file(io::join(directory.path(), layout.system_files.front().path))
            .with_hint(
                "is this a data directory or a backup? if its files are elsewhere, give "
                "--defaults-file or innodb_data_file_path");
    }

    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(options.undo_directory));
    for (const std::string& name : names) {
        if (is_undo_file(name)) {
            layout.undo_files.push_back(io::join(options.undo_directory, name));
        }
    }
    layout.log_path = io::join(options.log_directory, "ib_logfile0");
    layout.options = std::move(options);
    return layout;
}

Result<Layout> find_layout(io::Directory& directory, LayoutOptions options, bool options_given) {
    ASSIGN_OR_RETURN(Layout layout,
                     find_fixed_layout(directory, std::move(options), options_given));
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(""));
    for (const std::string& name : names) {
        if (name == "lost+found") {
            continue;  // of the file system; usually not readable
        }
        const Result<io::FileInfo> info = directory.info(name);
        if (info && info->is_directory) {
            RETURN_IF_ERROR(add_tables(directory, name, !layout.is_backup, layout.tables));
        }
    }
    std::sort(layout.tables.begin(), layout.tables.end(),
              [](const TableFile& a, const TableFile& b) { return a.name < b.name; });
    return layout;
}

bool can_be_database(std::string_view name) {
    return !name.starts_with('.') && !name.starts_with('#') && name != "lost+found";
}

Result<TableFile> find_table(io::Directory& directory, std::string_view name) {
    TableFile table{.name = std::string(name),
                    .path = std::string(name) + std::string(kTableSuffix)};
    if (directory.exists(table.path)) {
        return table;
    }
    const std::string link = table.name + std::string(kLinkSuffix);
    if (!directory.exists(link)) {
        return make_error(ErrorCode::NotFound, "table {} has neither a file nor a link",
                          decode_file_name(name))
            .with_file(table.path);
    }
    ASSIGN_OR_RETURN(std::optional<std::string> target, read_link(directory, link));
    if (!target) {
        return make_error(ErrorCode::NotFound, "the link of table {} holds no path",
                          decode_file_name(name))
            .with_file(link);
    }
    table.path = *std::move(target);
    table.linked = true;
    if (!directory.exists(table.path)) {
        return make_error(ErrorCode::NotFound, "the file that {} links to is missing", link)
            .with_file(table.path);
    }
    return table;
}

Result<std::string> parse_isl(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
        text.remove_suffix(1);
    }
    if (std::count(text.begin(), text.end(), '/') < 2 || text.find('\0') != text.npos) {
        return make_error(ErrorCode::Corruption, "link file does not hold a path");
    }
    return std::string(text);
}

}  // namespace redoubt::space
