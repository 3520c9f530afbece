#include "io/option_file.h"

#include <algorithm>

#include "base/text.h"

namespace redoubt::io {
namespace {

using base::strip;

constexpr std::size_t kSizeMax = 1 << 20;
constexpr int kIncludeDepthMax = 10;  // the server's own limit
constexpr int kFilesMax = 1000;

class Reader {
public:
    Reader(Directory& directory, const std::function<bool(std::string_view)>& wanted,
           const std::function<Status(const OptionSetting&)>& take)
        : directory_(directory), wanted_(wanted), take_(take) {}

    Status read(std::string_view path, int depth) {
        if (depth > kIncludeDepthMax || ++files_ > kFilesMax) {
            return make_error(ErrorCode::Usage, "option files include each other too deeply")
                .with_file(path);
        }
        ASSIGN_OR_RETURN(const std::string text, directory_.read_text(path, kSizeMax));
        bool wanted = false;
        for (std::string_view rest = text; !rest.empty();) {
            const std::size_t newline = std::min(rest.find('\n'), rest.size());
            const std::string_view line = strip(rest.substr(0, newline));
            rest.remove_prefix(std::min(newline + 1, rest.size()));
            if (Status status = read_line(line, depth, wanted); !status) {
                return std::move(status.error()).with_file(path);
            }
        }
        return {};
    }

private:
    Status read_line(std::string_view line, int depth, bool& wanted) {
        if (line.empty() || line.front() == '#' || line.front() == ';') {
            return {};
        }
        if (line.front() == '!') {
            return include(line.substr(1), depth);
        }
        if (line.front() == '[') {
            wanted = wanted_(strip(line.substr(1, line.find(']') - 1)));
            return {};
        }
        return wanted ? take_(setting_of(line)) : Status{};
    }

    Status include(std::string_view directive, int depth) {
        const std::size_t space = directive.find_first_of(" \t");
        if (space == std::string_view::npos) {
            return {};
        }
        const std::string_view target = strip(directive.substr(space));
        if (directive.substr(0, space) == "include") {
            return read(target, depth + 1);
        }
        if (directive.substr(0, space) != "includedir") {
            return {};
        }
        ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_.list(target));
        for (const std::string& name : names) {
            if (name.ends_with(".cnf")) {
                RETURN_IF_ERROR(read(join(target, name), depth + 1));
            }
        }
        return {};
    }

    static OptionSetting setting_of(std::string_view line) {
        const std::size_t equals = std::min(line.find('='), line.size());
        OptionSetting setting{.name = std::string(strip(line.substr(0, equals))),
                              .value = value_of(line.substr(std::min(equals + 1, line.size()))),
                              .has_value = equals < line.size()};
        std::replace(setting.name.begin(), setting.name.end(), '-', '_');
        constexpr std::string_view kLoose = "loose_";
        if (setting.name.starts_with(kLoose)) {
            setting.name.erase(0, kLoose.size());
        }
        return setting;
    }

    /// The value without what follows a '#', without quotes, escapes resolved.
    static std::string value_of(std::string_view raw) {
        raw = strip(raw);
        char quote = '\0';
        if (!raw.empty() && (raw.front() == '"' || raw.front() == '\'')) {
            quote = raw.front();
            raw.remove_prefix(1);
        }
        std::string value;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            const char c = raw[i];
            if (quote != '\0' ? c == quote : c == '#') {
                break;
            }
            constexpr std::string_view kEscapes = "sntrb\\";
            constexpr std::string_view kMeanings = " \n\t\r\b\\";
            if (const std::size_t which =
                    c == '\\' && i + 1 < raw.size() ? kEscapes.find(raw[i + 1]) : kEscapes.npos;
                which != kEscapes.npos) {
                value += kMeanings[which];
                ++i;
            } else {
                value += c;
            }
        }
        return quote == '\0' ? std::string(strip(value)) : value;
    }

    Directory& directory_;
    const std::function<bool(std::string_view)>& wanted_;
    const std::function<Status(const OptionSetting&)>& take_;
    int files_ = 0;
};

}  // namespace

Status read_option_file(Directory& directory, std::string_view path,
                        const std::function<bool(std::string_view)>& wanted,
                        const std::function<Status(const OptionSetting&)>& take) {
    return Reader(directory, wanted, take).read(path, 0);
}

}  // namespace redoubt::io
