/// How to reach a server: what the command line says, and the option files of the client tools.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::client {

/// As the client tools' options of these names; what is absent has the library's default.
struct ConnectOptions {
    std::optional<std::string> host;
    std::optional<std::uint32_t> port;
    std::optional<std::string> socket;
    std::optional<std::string> user;
    std::optional<std::string> password;  ///< never in a message or a log
    std::optional<bool> ssl;
    std::optional<std::string> ssl_ca;
    std::optional<std::string> ssl_capath;
    std::optional<std::string> ssl_cert;
    std::optional<std::string> ssl_key;
    std::optional<std::string> ssl_cipher;
    std::optional<bool> ssl_verify_server_cert;

    /// By TCP: a host other than localhost is named.
    bool uses_tcp() const;
    /// "socket /run/mysqld/mysqld.sock" or "host:port", for messages.
    std::string where() const;
    std::string socket_or_default() const;
    std::uint32_t port_or_default() const;
};

/// Which option files are read.
struct OptionFiles {
    std::string defaults_file = {};        ///< this one only
    std::string defaults_extra_file = {};  ///< this one too, after the global ones
    std::string group_suffix = {};         ///< groups with this suffix count too
};

/// Value of an environment variable; empty when it is not set.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

/// Completes `given`: what it does not say comes from the groups client, client-server,
/// client-mariadb and redoubt of the option files, then from MYSQL_PWD, MYSQL_UNIX_PORT and
/// MYSQL_TCP_PORT. Files without --defaults-file: /etc/my.cnf, /etc/mysql/my.cnf, the extra one,
/// ~/.my.cnf. Errors: NotFound for a file that was named; Usage for a value that is none.
Result<ConnectOptions> complete_options(io::Directory& root, const ConnectOptions& given,
                                        const OptionFiles& files, const Environment& environment);

}  // namespace redoubt::client
