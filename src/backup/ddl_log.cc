#include "backup/ddl_log.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace redoubt::backup {
namespace {

constexpr std::size_t kFieldCount = 12;
constexpr std::size_t kFirst = 2;   // engine of the first table
constexpr std::size_t kSecond = 7;  // engine of the second

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (;;) {
        const std::size_t tab = line.find('\t');
        fields.push_back(line.substr(0, tab));
        if (tab == std::string_view::npos) {
            return fields;
        }
        line.remove_prefix(tab + 1);
    }
}

/// A part of a path that names a file of the data directory and nothing else.
bool is_name(std::string_view name) {
    return name.find('/') == std::string_view::npos && !name.starts_with('.');
}

/// Five fields: engine, partitioned, database, table, id.
std::optional<DdlTable> table_of(const std::vector<std::string_view>& fields, std::size_t first) {
    const std::string_view partitioned = fields[first + 1];
    const std::string_view database = fields[first + 2];
    const std::string_view table = fields[first + 3];
    if ((partitioned != "0" && partitioned != "1") || !is_name(database) || !is_name(table) ||
        (database.empty() && !table.empty())) {
        return std::nullopt;
    }
    DdlTable result{.engine = std::string(fields[first]),
                    .partitioned = partitioned == "1",
                    .name = std::string(database),
                    .id = std::string(fields[first + 4])};
    if (!table.empty()) {
        result.name.append("/").append(table);
    }
    return result;
}

/// Which copy has which name now.
class Names {
public:
    void add(std::size_t index, const DdlCopy& copy) {
        if (copy.ddl_blocked || !bulk_loaded_.contains(copy.table)) {
            current_[copy.table] = index;
        }
    }

    void apply(const DdlEvent& event) {
        if (event.before.engine == "DATABASE") {
            if (event.type == "DROP") {
                drop_database(event.before.name + "/");
            }
        } else if (event.type == "RENAME") {
            rename(event.before.name, event.after.name);
        } else {
            current_.erase(event.before.name);
            current_.erase(event.after.name);
            if (event.type == "BULK_INSERT") {
                bulk_loaded_.insert(event.before.name);
            }
        }
    }

    std::vector<std::string> result(std::size_t copy_count) const {
        std::vector<std::string> names(copy_count);
        for (const auto& [name, copy] : current_) {
            names[copy] = name;
        }
        return names;
    }

private:
    void drop_database(const std::string& prefix) {
        for (auto it = current_.lower_bound(prefix);
             it != current_.end() && it->first.starts_with(prefix);) {
            it = current_.erase(it);
        }
    }

    void rename(const std::string& from, const std::string& to) {
        current_.erase(to);
        if (auto node = current_.extract(from); !node.empty()) {
            node.key() = to;
            current_.insert(std::move(node));
        }
        if (bulk_loaded_.erase(from) != 0) {
            bulk_loaded_.insert(to);
        }
    }

    std::map<std::string, std::size_t> current_;
    std::set<std::string> bulk_loaded_;
};

}  // namespace

Result<std::vector<DdlEvent>> parse_ddl_log(std::string_view text, std::uint64_t offset) {
    std::vector<DdlEvent> events;
    for (std::size_t at = 0;;) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) {
            return events;
        }
        const std::vector<std::string_view> fields = fields_of(text.substr(at, end - at));
        std::optional<DdlTable> before;
        std::optional<DdlTable> after;
        if (fields.size() == kFieldCount) {
            before = table_of(fields, kFirst);
            after = table_of(fields, kSecond);
        }
        if (!before || !after || before->name.empty() || fields[1].empty() ||
            (fields[1] == "RENAME" && after->name.empty())) {
            return make_error(ErrorCode::Corruption,
                              "the line at byte {} is none that the server writes", offset + at)
                .with_file(kDdlLogFile)
                .with_hint("take another backup; the file is made anew then");
        }
        events.push_back({.offset = offset + at,
                          .type = std::string(fields[1]),
                          .before = std::move(*before),
                          .after = std::move(*after)});
        at = end + 1;
    }
}

std::vector<std::string> names_after(const std::vector<DdlCopy>& copies,
                                     const std::vector<DdlEvent>& events) {
    std::vector<std::size_t> order(copies.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return copies[a].log_offset < copies[b].log_offset;
    });
    Names names;
    auto next = order.begin();
    for (const DdlEvent& event : events) {
        for (; next != order.end() && copies[*next].log_offset <= event.offset; ++next) {  // R1
            names.add(*next, copies[*next]);
        }
        names.apply(event);
    }
    for (; next != order.end(); ++next) {
        names.add(*next, copies[*next]);
    }
    return names.result(copies.size());
}

}  // namespace redoubt::backup
