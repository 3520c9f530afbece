#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <span>
#include <thread>

#include "cli/password.h"

namespace redoubt::cli {
namespace {

constexpr std::array<std::string_view, 4> kLevels = {"files", "pages", "trees", "rows"};
constexpr std::size_t kDefaultLevels = 3;  // the first of them
constexpr std::string_view kGlobalGroup = "Global options";
constexpr std::string_view kKeyGroup = "Encryption keys (file_key_management)";
constexpr std::string_view kServerGroup = "Server options";
constexpr std::string_view kLayoutGroup = "Directories laid out otherwise";

Error usage(std::string message) {
    return Error(ErrorCode::Usage, std::move(message))
        .with_hint("redoubt --help lists the commands, redoubt COMMAND --help their options");
}

/// All of `text` as a decimal number.
template <class T>
std::optional<T> parse_number(std::string_view text) {
    T value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// Adds an option whose text goes through `parse` (a Result) into `target`.
template <class Target, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& names, Target& target, Parse parse,
                        const std::string& help) {
    return app.add_option_function<std::string>(
        names,
        [&target, parse](const std::string& text) {
            auto parsed = parse(text);
            if (!parsed) {
                throw CLI::ValidationError(parsed.error().message());
            }
            target = std::move(*parsed);
        },
        help);
}

Result<std::uint32_t> parse_page_size(std::string_view text) {
    ASSIGN_OR_RETURN(const std::uint64_t size, parse_size(text));
    if (size < 4096 || size > 65536 || (size & (size - 1)) != 0) {
        return usage(fmt::format("page size {} is not one of 4k, 8k, 16k, 32k, 64k", text));
    }
    return static_cast<std::uint32_t>(size);
}

/// Commands before options: they are what a reader of the first screen looks for.
class HelpFormatter final : public CLI::Formatter {
public:
    HelpFormatter() {
        column_width(40);
        label("SUBCOMMAND", "COMMAND");
    }
    std::string make_usage(const CLI::App* app, std::string name) const override {
        if (app->get_parent() == nullptr) {
            return fmt::format("Usage: {} COMMAND [ARGUMENTS] [OPTIONS]\n", app->get_name());
        }
        return CLI::Formatter::make_usage(app, std::move(name));
    }
    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override {
        std::string text =
            make_description(app) + make_usage(app, std::move(name)) + make_positionals(app);
        const std::string commands = make_subcommands(app, mode);
        return text + commands + make_groups(app, mode) + '\n' + make_footer(app);
    }
    std::string make_subcommands(const CLI::App* app, CLI::AppFormatMode) const override {
        std::string text;
        for (const CLI::App* command : app->get_subcommands({})) {
            text += fmt::format("  {:<{}}{}\n", command->get_name(), get_column_width() - 2,
                                command->get_description());
        }
        return text.empty() ? text : "\nCommands (redoubt COMMAND --help tells more):\n" + text;
    }
};

void add_global_options(CLI::App& app, Options& options) {
    const std::string global(kGlobalGroup);
    app.add_flag("--json", options.json, "One result document in JSON on stdout")->group(global);
    app.add_option("--progress", options.progress, "auto, always or never")
        ->transform(CLI::CheckedTransformer(
                        std::map<std::string, ProgressMode>{{"auto", ProgressMode::Auto},
                                                            {"always", ProgressMode::Always},
                                                            {"never", ProgressMode::Never}})
                        .description(""))
        ->type_name("WHEN")
        ->group(global);
    app.add_option("--threads", options.threads, "Threads to work with (default: one per core)")
        ->check(CLI::Range(1U, 1024U).description(""))
        ->type_name("N")
        ->group(global);
    add_parsed(app, "--memory", options.memory, parse_size,
               "Memory for buffers, with suffix K, M or G (default: 128M)")
        ->type_name("SIZE")
        ->group(global);
    app.add_flag("--quiet", options.quiet, "Warnings and errors only on stderr")->group(global);
    app.add_flag("-v,--verbose", options.verbose, "Say more")->group(global);
    app.set_help_flag("--help", "Print this help and exit")->group(global);
    app.set_version_flag("--version", "redoubt " REDOUBT_VERSION, "Print the version and exit")
        ->group(global);

    const std::string keys(kKeyGroup);
    app.add_option("--key-file", options.key_file, "The server's key file")
        ->type_name("FILE")
        ->group(keys);
    app.add_option("--key-file-password-file", options.key_file_password_file,
                   "File with the password of an encrypted key file")
        ->type_name("FILE")
        ->group(keys);
    app.add_option("--key-algorithm", options.key_algorithm,
                   "The server's file_key_management_encryption_algorithm: cbc (default) or ctr")
        ->transform(CLI::CheckedTransformer(
                        std::map<std::string, crypt::CipherMode>{{"cbc", crypt::CipherMode::Cbc},
                                                                 {"ctr", crypt::CipherMode::Ctr}})
                        .description(""))
        ->type_name("MODE")
        ->group(keys);

    const std::string layout(kLayoutGroup);
    LayoutArguments& arguments = options.layout;
    app.add_option("--defaults-file", arguments.defaults_file,
                   "Option file: its server groups say where the files are, its\n"
                   "client groups how to connect")
        ->type_name("FILE")
        ->group(layout);
    app.add_option("--innodb-data-file-path", arguments.data_file_path,
                   "Files of the system tablespace (default: ibdata1:12M:autoextend)")
        ->type_name("SPEC")
        ->group(layout);
    app.add_option("--innodb-data-home-dir", arguments.data_home,
                   "Directory of the system tablespace")
        ->type_name("DIR")
        ->group(layout);
    app.add_option("--innodb-undo-directory", arguments.undo_directory,
                   "Directory of the undo tablespaces")
        ->type_name("DIR")
        ->group(layout);
    app.add_option("--innodb-log-group-home-dir", arguments.log_directory,
                   "Directory of the redo log")
        ->type_name("DIR")
        ->group(layout);
    add_parsed(app, "--innodb-page-size", arguments.page_size, parse_page_size,
               "Page size: 4k, 8k, 16k, 32k or 64k")
        ->type_name("SIZE")
        ->group(layout);

    // Hidden: for our tests of key rotation, which file_key_management does not have.
    app.add_option("--debug-key-version", options.debug_key_version,
                   "Use the keys of debug_key_management, up to this version; no key file")
        ->group("");
}

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& description) {
    CLI::App& command = *app.add_subcommand(name, description);
    command.set_help_flag("--help", "Print this help and exit");
    command.footer("The global options (redoubt --help) may stand before or after the command.");
    return command;
}

/// The client tools' names. --defaults-file is among the global options.
void add_server_options(CLI::App& command, Options& options) {
    const std::string group(kServerGroup);
    client::ConnectOptions& server = options.server;
    const auto add = [&](const std::string& name, auto& target, const std::string& help,
                         const std::string& type) {
        command.add_option(name, target, help)->type_name(type)->group(group);
    };
    add("--defaults-extra-file", options.option_files.defaults_extra_file,
        "Option file to read beside the usual ones", "FILE");
    add("--defaults-group-suffix", options.option_files.group_suffix,
        "Read the groups with this suffix too", "TEXT");
    add("--host", server.host, "The server's host: this one, under a name of it", "NAME");
    add("--port", server.port, "The server's TCP port", "N");
    add("--socket", server.socket, "The server's socket", "FILE");
    add("--user", server.user, "Account", "NAME");
    command
        .add_flag("--password", options.ask_password,
                  "Ask for the password; also --password=TEXT, better an option file or MYSQL_PWD")
        ->disable_flag_override()
        ->group(group);
    command
        .add_flag_callback(
            "--ssl", [&server]() { server.ssl = true; }, "Use TLS")
        ->group(group);
    command
        .add_flag_callback(
            "--skip-ssl", [&server]() { server.ssl = false; },
            "No TLS, whatever the option files say")
        ->group(group);
    add("--ssl-ca", server.ssl_ca, "Certificates of trusted authorities", "FILE");
    add("--ssl-capath", server.ssl_capath, "Directory of such files", "DIR");
    add("--ssl-cert", server.ssl_cert, "Our certificate", "FILE");
    add("--ssl-key", server.ssl_key, "Its key", "FILE");
    add("--ssl-cipher", server.ssl_cipher, "Ciphers allowed", "LIST");
    command
        .add_flag("--ssl-verify-server-cert", server.ssl_verify_server_cert,
                  "The server's certificate must name its host")
        ->group(group);
}

void add_commands(CLI::App& app, Options& options) {
    app.fallthrough();  // inherited: global options are understood after the command too
    {
        CLI::App& command = add_command(app, "backup", "Back up a running server, or a directory");
        command.add_option("DIR", options.paths, "A new or empty directory")
            ->required()
            ->expected(1)
            ->type_name("");
        command
            .add_option("--datadir-copy", options.datadir_copy,
                        "Copy this directory, which no server uses")
            ->type_name("DIR");
        command.add_flag("--continue-on-damage", options.continue_on_damage,
                         "Copy damaged pages too, and list them");
        command.add_flag("--slave-info", options.slave_info,
                         "Of a replica: note where it stands in its primary's binary log");
        command
            .add_option("--lock-wait-timeout", options.lock_wait_timeout,
                        "Seconds to wait for others' statements and locks (default: no limit)")
            ->type_name("SECONDS");
        add_server_options(command, options);
    }
    {
        CLI::App& command =
            add_command(app, "recover", "Crash recovery of a data directory, in place");
        command.add_option("DATADIR", options.paths, "The data directory; no server may run on it")
            ->required()
            ->expected(1)
            ->type_name("");
    }
    {
        CLI::App& command = add_command(
            app, "prepare", "Apply a backup's redo, so that a server can start on it; in place");
        command.add_option("BACKUP", options.paths, "A backup, by redoubt or mariadb-backup")
            ->required()
            ->expected(1)
            ->type_name("");
    }
    {
        CLI::App& command =
            add_command(app, "restore", "Put a backup in place as a server's data directory");
        command
            .add_option_function<std::string>(
                "BACKUP", [&options](const std::string& path) { options.paths = {path}; },
                "A backup; prepared first if it is not")
            ->required()
            ->type_name("");
        command.add_option("DATADIR", options.target, "A new or empty directory")
            ->required()
            ->type_name("");
        command.add_flag("--move", options.move, "Move the files instead of copying them");
        command.add_flag("--continue-on-damage", options.continue_on_damage,
                         "Restore although the backup is damaged");
        command
            .add_option("--aria-log-dir-path", options.layout.aria_log_directory,
                        "Directory of Aria's logs")
            ->type_name("DIR");
        command
            .add_option("--rocksdb-datadir", options.layout.rocksdb_directory,
                        "Directory of RocksDB's files")
            ->type_name("DIR");
    }
    {
        CLI::App& command = add_command(
            app, "verify", "Check a file, a data directory or a backup; changes nothing");
        command.add_option("PATH", options.paths, "Tablespace file, data directory or backup")
            ->required()
            ->expected(1, 1 << 20)
            ->type_name("");
        options.levels.assign(kLevels.begin(), kLevels.begin() + kDefaultLevels);
        add_parsed(command, "--level", options.levels, parse_levels,
                   "What to check: a list of files, pages, trees, rows (default: all but rows)")
            ->type_name("LIST");
        command
            .add_option("--from-table", options.from_table,
                        "Levels trees, rows: leave out the tables before this one (db.table), as "
                        "after ^C")
            ->type_name("TABLE");
        command
            .add_option("--html", options.html_file,
                        "Write a report, too: what is in it, how full, how old, findings")
            ->type_name("FILE");
    }
    {
        CLI::App& command =
            add_command(app, "inspect", "Look inside a tablespace, a .frm file, a dictionary");
        command
            .add_option("FILE", options.paths,
                        "An .ibd file, ibdata1 or an undo file; a .frm file; a data directory: "
                        "InnoDB's dictionary there")
            ->required()
            ->expected(1)
            ->type_name("");
        add_parsed(
            command, "--page", options.page,
            [](std::string_view text) -> Result<PageNo> {
                if (const auto number = parse_number<std::uint32_t>(text)) {
                    return PageNo{*number};
                }
                return usage(fmt::format("page number {} is not a number below 2^32", text));
            },
            "Show one page: header, its type's own header, checksum; with -v a dump")
            ->type_name("N");
        command.add_flag("--records", options.records,
                         "With --page: the records of an index or undo page, with their values");
        command.add_flag("--doublewrite", options.doublewrite,
                         "The copies in the doublewrite buffer, beside the pages they are of");
        command.add_flag("--map", options.map, "Draw the file, page by page");
        command.add_option("--svg", options.svg_file, "Write the map as a picture")
            ->type_name("FILE");
    }
    {
        CLI::App& command = add_command(app, "log", "Decode a redo log");
        command.add_option("DIR", options.paths, "Data directory, backup, or the log file itself")
            ->required()
            ->expected(1)
            ->type_name("");
        add_parsed(command, "--page", options.log_page, parse_page_id, "Records of this page only")
            ->type_name("SPACE:PAGE");
        add_parsed(
            command, "--from", options.from,
            [](std::string_view text) -> Result<Lsn> {
                if (const auto lsn = parse_number<std::uint64_t>(text)) {
                    return Lsn{*lsn};
                }
                return usage(fmt::format("{} is not an LSN", text));
            },
            "Begin at this LSN, which must be where a mini-transaction starts (default: the "
            "checkpoint)")
            ->type_name("LSN");
        command.add_flag("--summary", options.summary, "Counts only");
    }
    {
        CLI::App& command = add_command(
            app, "sql", "Query the tables of a data directory or a backup; changes nothing");
        command
            .add_option("PATH", options.paths, "Data directory or backup; no server may run on it")
            ->required()
            ->expected(1)
            ->type_name("");
        command
            .add_option("-e,--execute", options.execute,
                        "Statements to run (default: those of standard input)")
            ->type_name("SQL");
        command
            .add_option("--format", options.format,
                        "table (default), csv, json, or sql (INSERT statements)")
            ->check(CLI::IsMember({"table", "csv", "json", "sql"}).description(""))
            ->type_name("FORMAT");
        command
            .add_option("--database", options.database,
                        "Tables of this database may go by their bare names")
            ->type_name("NAME");
        command.add_flag(
            "--read-uncommitted", options.read_uncommitted,
            "Show changes of transactions that never committed, marked by a column _uncommitted");
        command.add_flag("--skip-damaged", options.skip_damaged,
                         "Go on past damaged pages, and say what was left out");
    }
}

// --- Man pages and completion, from the same table. ---

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    std::vector<const CLI::App*> commands =
        app.get_subcommands([](const CLI::App* command) { return !command->get_name().empty(); });
    return commands;
}

/// Options a user should know of.
std::vector<const CLI::Option*> visible_options(const CLI::App& app) {
    std::vector<const CLI::Option*> options = app.get_options();
    std::erase_if(options, [](const CLI::Option* option) { return option->get_group().empty(); });
    return options;
}

std::string roff(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '\\') {
            escaped += "\\e";
        } else if (c == '-') {
            escaped += "\\-";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

std::string man_options(const CLI::App& app) {
    std::string text;
    for (const CLI::Option* option : visible_options(app)) {
        const bool positional = option->get_positional();
        std::string label = option->get_name(positional, true);
        std::replace(label.begin(), label.end(), ',', ' ');
        text += fmt::format(".TP\n\\fB{}\\fR", roff(label));
        if (!positional && !option->get_type_name().empty() && option->get_items_expected() != 0) {
            text += fmt::format(" \\fI{}\\fR", roff(option->get_type_name()));
        }
        text += fmt::format("\n{}\n", roff(option->get_description()));
    }
    return text;
}

std::string man_page(const CLI::App& app, const CLI::App* command) {
    const std::string name =
        command == nullptr ? "redoubt" : fmt::format("redoubt-{}", command->get_name());
    std::string text = fmt::format(".TH \"{}\" 1 \"\" \"redoubt {}\"\n.SH NAME\n{} \\- {}\n", name,
                                   REDOUBT_VERSION, roff(name),
                                   roff((command == nullptr ? app : *command).get_description()));
    if (command == nullptr) {
        text += ".SH SYNOPSIS\n\\fBredoubt\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
        for (const CLI::App* listed : commands_of(app)) {
            text += fmt::format(".TP\n\\fBredoubt\\-{}\\fR(1)\n{}\n", listed->get_name(),
                                roff(listed->get_description()));
        }
        text += ".SH OPTIONS\n" + man_options(app);
    } else {
        text += fmt::format(".SH SYNOPSIS\n\\fBredoubt {}\\fR", command->get_name());
        for (const CLI::Option* option : visible_options(*command)) {
            if (option->get_positional()) {
                text += fmt::format(" \\fI{}\\fR{}", roff(option->get_name(true, false)),
                                    option->get_expected_max() > 1 ? "..." : "");
            }
        }
        text += " [\\fIOPTIONS\\fR]\n.SH OPTIONS\n" + man_options(*command);
        text += ".PP\nThe options of \\fBredoubt\\fR(1) may stand before or after the command.\n";
    }
    return text;
}

std::string option_words(const CLI::App& app) {
    std::string words;
    for (const CLI::Option* option : visible_options(app)) {
        for (const std::string& name : option->get_lnames()) {
            words += (words.empty() ? "--" : " --") + name;
        }
    }
    return words;
}

std::string bash_completion(const CLI::App& app) {
    std::string names;
    std::string cases;
    for (const CLI::App* command : commands_of(app)) {
        names += (names.empty() ? "" : " ") + command->get_name();
        cases += fmt::format("        {}) words=\"$words {}\" ;;\n", command->get_name(),
                             option_words(*command));
    }
    return fmt::format(
        "# bash completion for redoubt\n"
        "_redoubt() {{\n"
        "    local current=\"${{COMP_WORDS[COMP_CWORD]}}\" command=\"\" word\n"
        "    local commands=\"{0}\" words=\"{1}\"\n"
        "    for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n"
        "        if [[ \" $commands \" == *\" $word \"* ]]; then command=\"$word\"; break; fi\n"
        "    done\n"
        "    case \"$command\" in\n{2}"
        "        *) words=\"$words $commands\" ;;\n"
        "    esac\n"
        "    if [[ -z \"$command\" || \"$current\" == -* ]]; then\n"
        "        COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
        "    fi\n"
        "}}\n"
        "complete -o default -F _redoubt redoubt\n",
        names, option_words(app), cases);
}

Status write_generated(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        return make_error(ErrorCode::Io, "cannot write a generated file").with_file(path.string());
    }
    return {};
}

/// `what`: "man" or "completion".
Status generate(const CLI::App& app, const std::string& what, const std::filesystem::path& into) {
    if (what == "completion") {
        return write_generated(into / "redoubt", bash_completion(app));
    }
    if (what != "man") {
        return usage(fmt::format("cannot generate '{}'; there are man and completion", what));
    }
    RETURN_IF_ERROR(write_generated(into / "redoubt.1", man_page(app, nullptr)));
    for (const CLI::App* command : commands_of(app)) {
        RETURN_IF_ERROR(write_generated(into / fmt::format("redoubt-{}.1", command->get_name()),
                                        man_page(app, command)));
    }
    return {};
}

ParseEnd failed(Error error, const Options& options, std::string command) {
    const int exit_code = exit_code_of(error.code());
    return {.exit_code = exit_code,
            .text = {},
            .error = std::move(error),
            .command = std::move(command),
            .json = options.json};
}

/// Without "--password=TEXT", and its TEXT: with CLI11 a lone "--password" would take the next
/// argument for its value.
std::pair<std::vector<const char*>, std::optional<std::string>> take_password(
    int argc, const char* const* argv) {
    std::vector<const char*> arguments;
    std::optional<std::string> password;
    for (const char* argument : std::span(argv, static_cast<std::size_t>(argc))) {
        if (std::string_view(argument).starts_with(kPasswordOption)) {
            password = argument + kPasswordOption.size();
        } else {
            arguments.push_back(argument);
        }
    }
    return {std::move(arguments), std::move(password)};
}

std::string chosen_command(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? std::string() : chosen.front()->get_name();
}

}  // namespace

bool LayoutArguments::given() const {
    return !defaults_file.empty() || data_file_path || data_home || undo_directory ||
           log_directory || aria_log_directory || rocksdb_directory || page_size;
}

Result<space::LayoutOptions> LayoutArguments::resolve(io::Directory& working_directory) const {
    space::LayoutOptions options;
    if (!defaults_file.empty()) {
        RETURN_IF_ERROR(space::read_defaults_file(working_directory, defaults_file, options));
    }
    options.data_file_path = data_file_path.value_or(options.data_file_path);
    options.data_home = data_home.value_or(options.data_home);
    options.undo_directory = undo_directory.value_or(options.undo_directory);
    options.log_directory = log_directory.value_or(options.log_directory);
    options.aria_log_directory = aria_log_directory.value_or(options.aria_log_directory);
    options.rocksdb_directory = rocksdb_directory.value_or(options.rocksdb_directory);
    if (page_size) {
        options.page_size = page_size;
    }
    return options;
}

Result<std::uint64_t> parse_size(std::string_view text) {
    std::string_view digits = text;
    unsigned shift = 0;
    if (!digits.empty()) {
        switch (digits.back()) {
            case 'k':
            case 'K':
                shift = 10;
                break;
            case 'm':
            case 'M':
                shift = 20;
                break;
            case 'g':
            case 'G':
                shift = 30;
                break;
            default:
                break;
        }
        digits.remove_suffix(shift != 0 ? 1 : 0);
    }
    const auto number = parse_number<std::uint64_t>(digits);
    if (!number || *number > (UINT64_MAX >> shift)) {
        return usage(fmt::format("'{}' is not a size such as 512K, 128M or 2G", text));
    }
    return *number << shift;
}

Result<PageId> parse_page_id(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) {
        const auto space = parse_number<std::uint32_t>(text.substr(0, colon));
        const auto page = parse_number<std::uint32_t>(text.substr(colon + 1));
        if (space && page) {
            return PageId{SpaceId{*space}, PageNo{*page}};
        }
    }
    return usage(fmt::format("'{}' is not SPACE:PAGE, two numbers", text));
}

Result<std::vector<std::string>> parse_levels(std::string_view text) {
    std::vector<std::string> levels;
    while (true) {
        const std::size_t comma = text.find(',');
        const std::string_view level = text.substr(0, comma);
        if (std::find(kLevels.begin(), kLevels.end(), level) == kLevels.end()) {
            return usage(
                fmt::format("'{}' is not a level; there are {}", level, fmt::join(kLevels, ", ")));
        }
        if (std::find(levels.begin(), levels.end(), level) == levels.end()) {
            levels.emplace_back(level);
        }
        if (comma == std::string_view::npos) {
            return levels;
        }
        text.remove_prefix(comma + 1);
    }
}

std::variant<Options, ParseEnd> parse_command_line(int argc, const char* const* argv) {
    Options options;
    options.threads = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::string> generated;

    CLI::App app("Backup, recovery and verification of MariaDB data directories", "redoubt");
    app.formatter(std::make_shared<HelpFormatter>());
    app.require_subcommand(0, 1);
    app.footer(
        "Exit codes: 0 success, 1 failure, 2 usage, 3 done with warnings or not all checked,\n"
        "4 damage found, 5 backup incomplete, 7 I/O error, 8 no connection to the server,\n"
        "9 refused for safety, 12 key missing or wrong, 13 privilege missing, 14 no space,\n"
        "15 unsupported format, 16 redo lost, 18 interrupted, 70 internal error.");
    add_global_options(app, options);
    add_commands(app, options);
    app.add_option("--generate", generated, "man DIR or completion DIR")->expected(2)->group("");

    const auto [arguments, password] = take_password(argc, argv);
    options.server.password = password;
    try {
        app.parse(static_cast<int>(arguments.size()), arguments.data());
    } catch (const CLI::CallForHelp&) {
        const auto chosen = app.get_subcommands();
        return ParseEnd{.text = (chosen.empty() ? &app : chosen.front())->help()};
    } catch (const CLI::CallForVersion&) {
        return ParseEnd{.text = app.version() + "\n"};
    } catch (const CLI::ExtrasError&) {
        const std::vector<std::string> unknown = app.remaining(true);
        const std::string first = unknown.empty() ? "" : unknown.front();
        const bool is_option = first.starts_with('-');
        const std::string command = chosen_command(app);
        return failed(usage(fmt::format("{} '{}'",
                                        is_option         ? "unknown option"
                                        : command.empty() ? "unknown command"
                                                          : "unexpected argument",
                                        first)),
                      options, command);
    } catch (const CLI::ParseError& problem) {
        std::string message = problem.what();
        return failed(usage(std::move(message)), options, chosen_command(app));
    }

    options.command = chosen_command(app);
    if (!generated.empty()) {
        if (Status status = generate(app, generated[0], generated[1]); !status) {
            return failed(std::move(status.error()), options, options.command);
        }
        return ParseEnd{};
    }
    if (options.command.empty()) {
        return failed(usage("no command given"), options, "");
    }
    options.option_files.defaults_file = options.layout.defaults_file;
    return options;
}

}  // namespace redoubt::cli
