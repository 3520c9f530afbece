/// Which files make up a data directory (or a backup): the system tablespace's files, undo
/// tablespaces, table files (also elsewhere, through .isl links), the redo log. Options come from a
/// defaults file, from a backup's backup-my.cnf, or from the command line; what is not given takes
/// the server's default.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::space {

/// One part of innodb_data_file_path.
struct SystemFile {
    std::string path;        ///< relative to the data directory, or absolute
    std::uint64_t size = 0;  ///< bytes as configured; the last may be longer
    bool autoextend = false;
};

struct LayoutOptions {
    std::string data_file_path = "ibdata1:12M:autoextend";
    std::string data_home;           ///< innodb_data_home_dir; empty = the data directory
    std::string undo_directory;      ///< empty = the data directory
    std::string log_directory;       ///< innodb_log_group_home_dir; empty = the data directory
    std::string aria_log_directory;  ///< aria_log_dir_path; empty = the data directory
    std::string rocksdb_directory;   ///< rocksdb_datadir; empty = #rocksdb in the data directory
    std::optional<std::uint32_t> page_size;  ///< bytes; absent = as ibdata1's page 0 says
    std::optional<std::uint32_t> undo_tablespaces;
};

/// Reads the server's groups ([mysqld], [server], [mariadb], [mariadbd] and their -10.11 forms) of
/// an option file, !include and !includedir too. Unknown options are ignored. Errors: NotFound, Io,
/// Usage (a bad size, say).
Status read_defaults_file(io::Directory& directory, std::string_view path, LayoutOptions& options);
/// "ibdata1:12M;ibdata2:50M:autoextend". Errors: Usage.
Result<std::vector<SystemFile>> parse_data_file_path(std::string_view text,
                                                     std::string_view data_home);

struct TableFile {
    std::string name;  ///< "db/table" (file-name encoded, with #P# parts)
    std::string path;  ///< relative to the data directory, or absolute when linked by an .isl
    bool linked = false;
};

struct Layout {
    LayoutOptions options;
    std::vector<SystemFile> system_files;
    std::vector<std::string> undo_files;  ///< undo001.., sorted
    std::string log_path;                 ///< ib_logfile0
    std::vector<TableFile> tables;  ///< every .ibd found or linked, sorted by name; links without a
                                    ///< file are listed too
    bool is_backup =
        false;  ///< a mariabackup/Redoubt backup (has xtrabackup_checkpoints or a manifest)
};
/// Lists directories only; opens no data file. Reads DIR/backup-my.cnf when it exists and no
/// defaults were given. Errors: NotFound when there is no system tablespace file (hint: is this a
/// data directory?), Io.
Result<Layout> find_layout(io::Directory& directory, LayoutOptions options, bool options_given);
/// Only what recovery must know without listing 10,000 tables: all but `tables`.
Result<Layout> find_fixed_layout(io::Directory& directory, LayoutOptions options,
                                 bool options_given);

/// Whether a folder of this name in a data directory may be a database: not the file system's own
/// "lost+found", which is usually not readable, nor what begins with '.' or '#'.
bool can_be_database(std::string_view name);

/// Real path of table `name` ("db/t"): DIR/db/t.ibd, else where DIR/db/t.isl points. Errors:
/// NotFound.
Result<TableFile> find_table(io::Directory& directory, std::string_view name);
/// Content of an .isl: trailing bytes <= 0x20 stripped, at least two '/'. Errors: Corruption.
Result<std::string> parse_isl(std::string_view text);

/// "sp@0023p/t@002f" -> "sp#p/t/" (UTF-8), for messages. Takes names with '/' between database and
/// table; a malformed sequence stays as it is.
std::string decode_file_name(std::string_view encoded);
/// "db/t@002f" -> "db.t/", as users write it.
std::string sql_name(std::string_view encoded);
/// "t/" -> "t@002f": one identifier, the database or the table. Used to look up a SQL name.
std::string encode_file_name(std::string_view utf8);

}  // namespace redoubt::space
