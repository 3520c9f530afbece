#include "client/connect_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "io/option_file.h"

namespace redoubt::client {
namespace {

constexpr std::string_view kDefaultSocket = "/run/mysqld/mysqld.sock";
constexpr std::uint32_t kDefaultPort = 3306;
constexpr std::string_view kLocal = "localhost";

Error not_a(std::string_view kind, std::string_view name, std::string_view value) {
    return make_error(ErrorCode::Usage, "{} = {}: not a {}", name, value, kind);
}

Result<std::uint32_t> port_of(std::string_view name, std::string_view text) {
    constexpr std::uint32_t kPortMax = 65535;
    std::uint32_t port = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (problem != std::errc{} || end != text.data() + text.size() || port > kPortMax) {
        return not_a("port", name, text);
    }
    return port;
}

Result<bool> flag_of(const io::OptionSetting& setting) {
    std::string text = setting.value;
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!setting.has_value || text == "1" || text == "on" || text == "true") {
        return true;
    }
    if (text == "0" || text == "off" || text == "false") {
        return false;
    }
    return not_a("yes or no", setting.name, setting.value);
}

Status take(const io::OptionSetting& setting, ConnectOptions& options) {
    const std::string& name = setting.name;
    struct Text {
        std::string_view name;
        std::optional<std::string> ConnectOptions::*target;
    };
    constexpr std::array kTexts{Text{"host", &ConnectOptions::host},
                                Text{"socket", &ConnectOptions::socket},
                                Text{"user", &ConnectOptions::user},
                                Text{"password", &ConnectOptions::password},
                                Text{"ssl_ca", &ConnectOptions::ssl_ca},
                                Text{"ssl_capath", &ConnectOptions::ssl_capath},
                                Text{"ssl_cert", &ConnectOptions::ssl_cert},
                                Text{"ssl_key", &ConnectOptions::ssl_key},
                                Text{"ssl_cipher", &ConnectOptions::ssl_cipher}};
    for (const Text& text : kTexts) {
        if (name == text.name) {
            options.*text.target = setting.value;
            return {};
        }
    }
    if (name == "port") {
        ASSIGN_OR_RETURN(options.port, port_of(name, setting.value));
    } else if (name == "ssl") {
        ASSIGN_OR_RETURN(options.ssl, flag_of(setting));
    } else if (name == "skip_ssl") {
        options.ssl = false;
    } else if (name == "ssl_verify_server_cert") {
        ASSIGN_OR_RETURN(options.ssl_verify_server_cert, flag_of(setting));
    }
    return {};  // the groups are shared with tools that have other options
}

/// The option files in their order, with whether the user named them.
std::vector<std::pair<std::string, bool>> file_list(const OptionFiles& files,
                                                    const Environment& environment) {
    if (!files.defaults_file.empty()) {
        return {{files.defaults_file, true}};
    }
    std::vector<std::pair<std::string, bool>> list{{"/etc/my.cnf", false},
                                                   {"/etc/mysql/my.cnf", false}};
    if (!files.defaults_extra_file.empty()) {
        list.emplace_back(files.defaults_extra_file, true);
    }
    if (const std::string home = environment("HOME"); !home.empty()) {
        list.emplace_back(io::join(home, ".my.cnf"), false);
    }
    return list;
}

template <class T>
void override_with(std::optional<T>& value, const std::optional<T>& given) {
    if (given) {
        value = given;
    }
}

}  // namespace

std::string process_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

bool ConnectOptions::uses_tcp() const { return host && !host->empty() && *host != kLocal; }
std::string ConnectOptions::socket_or_default() const {
    return socket && !socket->empty() ? *socket : std::string(kDefaultSocket);
}
std::uint32_t ConnectOptions::port_or_default() const {
    return port && *port != 0 ? *port : kDefaultPort;
}
std::string ConnectOptions::where() const {
    return uses_tcp() ? fmt::format("{}:{}", *host, port_or_default())
                      : "socket " + socket_or_default();
}

Result<ConnectOptions> complete_options(io::Directory& root, const ConnectOptions& given,
                                        const OptionFiles& files, const Environment& environment) {
    std::string suffix = files.group_suffix;
    for (const char* name : {"MARIADB_GROUP_SUFFIX", "MYSQL_GROUP_SUFFIX"}) {
        suffix = suffix.empty() ? environment(name) : suffix;
    }
    const auto wanted = [&suffix](std::string_view group) {
        constexpr std::array<std::string_view, 4> kGroups{"client", "client-server",
                                                          "client-mariadb", "redoubt"};
        if (!suffix.empty() && group.ends_with(suffix)) {
            group.remove_suffix(suffix.size());
        }
        return std::find(kGroups.begin(), kGroups.end(), group) != kGroups.end();
    };
    ConnectOptions options;
    for (const auto& [path, named] : file_list(files, environment)) {
        if (!named && !root.exists(path)) {
            continue;
        }
        RETURN_IF_ERROR(io::read_option_file(
            root, path, wanted,
            [&options](const io::OptionSetting& setting) { return take(setting, options); }));
    }
    // As with the client tools: a port on the command line means TCP, a socket means the socket,
    // whatever host the files name.
    if (given.port && !given.socket) {
        options.host = "127.0.0.1";
    } else if (given.socket) {
        options.host.reset();
    }
    const auto from_environment = [&](std::optional<std::string>& value, const char* name) {
        if (const std::string text = environment(name); !value && !text.empty()) {
            value = text;
        }
    };
    override_with(options.host, given.host);
    override_with(options.port, given.port);
    override_with(options.socket, given.socket);
    override_with(options.user, given.user);
    override_with(options.password, given.password);
    override_with(options.ssl, given.ssl);
    override_with(options.ssl_ca, given.ssl_ca);
    override_with(options.ssl_capath, given.ssl_capath);
    override_with(options.ssl_cert, given.ssl_cert);
    override_with(options.ssl_key, given.ssl_key);
    override_with(options.ssl_cipher, given.ssl_cipher);
    override_with(options.ssl_verify_server_cert, given.ssl_verify_server_cert);
    from_environment(options.password, "MYSQL_PWD");
    if (options.uses_tcp()) {
        if (const std::string text = environment("MYSQL_TCP_PORT");
            !options.port && !text.empty()) {
            ASSIGN_OR_RETURN(options.port, port_of("MYSQL_TCP_PORT", text));
        }
    } else {
        from_environment(options.socket, "MYSQL_UNIX_PORT");
    }
    return options;
}

}  // namespace redoubt::client
