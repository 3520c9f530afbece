/// The command line, parsed: one table of commands and options for parsing, help, man pages and
/// shell completion. CLI11 is known to options.cc alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "client/connect_options.h"
#include "crypt/keys.h"
#include "io/file.h"
#include "space/layout.h"

namespace redoubt::cli {

enum class ProgressMode : std::uint8_t {
    Auto,    ///< a bar on a terminal, a log line every few seconds elsewhere
    Always,  ///< a bar, wherever stderr goes
    Never,
};

/// Where the parts of a data directory are, as far as the command line says.
struct LayoutArguments {
    std::string defaults_file;
    std::optional<std::string> data_file_path;
    std::optional<std::string> data_home;
    std::optional<std::string> undo_directory;
    std::optional<std::string> log_directory;
    std::optional<std::string> aria_log_directory = {};
    std::optional<std::string> rocksdb_directory = {};
    std::optional<std::uint32_t> page_size;

    bool given() const;
    /// The defaults file's values, overridden by the options. Errors: as read_defaults_file.
    Result<space::LayoutOptions> resolve(io::Directory& working_directory) const;
};

struct Options {
    std::string command;

    bool json = false;
    bool quiet = false;
    bool verbose = false;
    ProgressMode progress = ProgressMode::Auto;
    unsigned threads = 1;                             ///< at least 1
    std::uint64_t memory = std::uint64_t{128} << 20;  ///< bytes
    std::string key_file;                             ///< empty = no keys
    std::string key_file_password_file;
    crypt::CipherMode key_algorithm = crypt::CipherMode::Cbc;
    std::optional<std::uint32_t> debug_key_version;  ///< keys of the test plugin, up to this one
    LayoutArguments layout;

    std::vector<std::string> paths;                  ///< the command's operands
    std::vector<std::string> levels;                 ///< verify
    std::string from_table;                          ///< verify
    std::string html_file;                           ///< verify; empty = no report
    std::optional<PageNo> page;                      ///< inspect --page
    bool map = false;                                ///< inspect
    bool records = false;                            ///< inspect
    bool doublewrite = false;                        ///< inspect
    std::string svg_file;                            ///< inspect
    std::optional<PageId> log_page;                  ///< log --page
    std::optional<Lsn> from;                         ///< log
    bool summary = false;                            ///< log
    std::string target;                              ///< restore: the data directory
    bool move = false;                               ///< restore
    bool continue_on_damage = false;                 ///< restore, backup
    client::OptionFiles option_files;                ///< backup
    bool ask_password = false;                       ///< backup
    client::ConnectOptions server;                   ///< backup
    std::string datadir_copy;                        ///< backup
    bool slave_info = false;                         ///< backup
    std::optional<std::uint32_t> lock_wait_timeout;  ///< backup, seconds
    std::optional<std::string> execute;              ///< sql
    std::string format;                              ///< sql; empty = table
    std::string database;                            ///< sql
    bool read_uncommitted = false;                   ///< sql
    bool skip_damaged = false;                       ///< sql
};

/// The command line asked for text only (help, version) or was wrong.
struct ParseEnd {
    int exit_code = 0;
    std::string text;  ///< for stdout when exit_code is 0
    std::optional<Error> error = std::nullopt;
    std::string command = {};  ///< as far as it was understood; may be empty
    bool json = false;
};

std::variant<Options, ParseEnd> parse_command_line(int argc, const char* const* argv);

/// "128M" -> bytes; suffixes K, M, G in either case. Errors: Usage.
Result<std::uint64_t> parse_size(std::string_view text);
/// "SPACE:PAGE". Errors: Usage.
Result<PageId> parse_page_id(std::string_view text);
/// "files,pages" -> each once, in the order given. Errors: Usage, naming the levels there are.
Result<std::vector<std::string>> parse_levels(std::string_view text);

}  // namespace redoubt::cli
