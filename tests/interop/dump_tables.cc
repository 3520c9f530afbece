// Prints every table of a data directory as the engine reads it, for tests that compare it with the
// server: one JSON document a line, first the table, then its rows; values as strings, bytes as
// {"hex": ...}.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/database.h"
#include "io/posix_directory.h"
#ifdef REDOUBT_WITH_BACKUP
#include "backup/markers.h"
#endif

namespace {

using namespace redoubt;
using nlohmann::json;

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        out += fmt::format("{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

json to_json(const record::Value& value) {
    using Kind = record::Value::Kind;
    switch (value.kind) {
        case Kind::Null:
            return nullptr;
        case Kind::Integer:
            return fmt::format("{}", value.integer);
        case Kind::Unsigned:
            return fmt::format("{}", value.unsigned_integer);
        case Kind::Float:
            return {{"float", fmt::format("{}", value.number)}};  // exactly, as a double
        case Kind::Double:
            return {{"double", fmt::format("{}", value.number)}};
        case Kind::Decimal:
        case Kind::Text: {
            const json text = std::string(value.text);
            try {
                (void)text.dump();
            } catch (const json::type_error&) {  // not UTF-8
                return {{"raw", hex(value.text)}};
            }
            return text;
        }
        case Kind::Bytes:
            return {{"hex", hex(value.text)}};
        case Kind::NotStored:
            return {{"virtual", true}};
    }
    return nullptr;
}

void print(const json& document) {
    std::cout << document.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
}

Status dump(engine::Database& database, const dict::Table& table, const engine::Scan& scan,
            bool count_only) {
    json columns = json::array();
    for (const dict::Column& column : table.columns) {
        columns.push_back(
            {{"name", column.name}, {"type", column.type_text}, {"collation", column.collation}});
    }
    json indexes = json::array();
    for (const dict::Index& index : table.indexes) {
        indexes.push_back({{"name", index.name}, {"searchable", index.searchable}});
    }
    print({{"table", table.database + "." + table.name},
           {"file", table.file},
           {"columns", columns},
           {"indexes", indexes},
           {"create", table.create_statement}});
    if (count_only) {
        ASSIGN_OR_RETURN(const std::uint64_t rows, database.count(table));
        print({{"count", rows}});
        return {};
    }
    ASSIGN_OR_RETURN(const auto cursor, database.open(scan));
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, cursor->next());
        if (!more) {
            return {};
        }
        json row = json::array();
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            ASSIGN_OR_RETURN(const record::Value* const value, cursor->value(i));
            row.push_back(to_json(*value));
        }
        print(row);
    }
}

Status print_sum(engine::Database& database, const dict::Table& table, std::size_t column) {
    ASSIGN_OR_RETURN(const auto cursor,
                     database.open(engine::Scan{.table = &table, .columns = {column}}));
    std::int64_t sum = 0;
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, cursor->next());
        if (!more) {
            print({{"sum", sum}});
            return {};
        }
        ASSIGN_OR_RETURN(const record::Value* const value, cursor->value(column));
        sum += value->integer;
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("dumps tables");
    std::string path;
    std::string only;
    std::string file;
    std::string key_file;
    std::string mode = "ctr";
    std::size_t index = 0;
    bool descending = false;
    bool count_only = false;
    std::size_t sum = SIZE_MAX;
    engine::DatabaseOptions options;
    app.add_option("directory", path)->required();
    app.add_option("--table", only, "db.table");
    app.add_option("--file", file, "a table's file in the directory, to be read alone");
    app.add_option("--index", index);
    app.add_flag("--descending", descending);
    app.add_flag("--count", count_only);
    app.add_option("--sum", sum, "of the integers of this column only, for benchmarks");
    app.add_flag("--read-uncommitted", options.read_uncommitted);
    app.add_flag("--skip-damaged", options.skip_damaged);
    app.add_option("--key-file", key_file);
    app.add_option("--key-algorithm", mode);
    std::vector<std::int64_t> from;
    std::vector<std::int64_t> to;
    app.add_option("--from", from);
    app.add_option("--to", to);
    CLI11_PARSE(app, argc, argv);

    auto root = io::open_posix_directory(path);
    auto here = io::open_posix_directory(".");
    std::unique_ptr<crypt::KeyRing> keys;
    if (!key_file.empty() && here) {
        auto loaded =
            crypt::load_key_file(**here, key_file, std::nullopt,
                                 mode == "cbc" ? crypt::CipherMode::Cbc : crypt::CipherMode::Ctr);
        if (loaded) {
            keys = std::move(*loaded);
            options.keys = keys.get();
        }
    }
    if (!root) {
        std::cerr << root.error().to_string() << "\n";
        return 1;
    }
#ifdef REDOUBT_WITH_BACKUP
    const auto markers = backup::Markers::read(**root);
    if (!markers) {
        std::cerr << markers.error().to_string() << "\n";
        return 1;
    }
    backup::MarkedDirectory marked(**root, *markers);
    io::Directory& directory = marked;
#else
    io::Directory& directory = **root;
#endif
    auto database = file.empty() ? engine::open_database(directory, options)
                                 : engine::open_lone_file(directory, file, "d", options);
    if (!database) {
        std::cerr << database.error().to_string() << "\n";
        return 1;
    }
    for (const std::string& note : (*database)->notes()) {
        print({{"note", note}});
    }
    for (const engine::RefusedTable& refused : (*database)->refused()) {
        print({{"refused", refused.name}, {"reason", refused.reason.to_string()}});
    }
    int outcome = 0;
    for (const dict::Table* const table : (*database)->tables()) {
        if (!only.empty() && table->database + "." + table->name != only) {
            continue;
        }
        engine::Scan scan{.table = table,
                          .index = index,
                          .columns = {},
                          .descending = descending,
                          .history = true};
        for (std::size_t i = 0; i < table->columns.size(); ++i) {
            scan.columns.push_back(i);
        }
        const auto bound = [](const std::vector<std::int64_t>& values) {
            std::optional<engine::KeyBound> made;
            if (!values.empty()) {
                made.emplace();
                for (const std::int64_t value : values) {
                    made->values.push_back(
                        {.kind = record::Value::Kind::Integer, .integer = value});
                }
            }
            return made;
        };
        if (sum != SIZE_MAX) {
            if (const Status done = print_sum(**database, *table, sum); !done) {
                print({{"error", done.error().to_string()}});
            }
            continue;
        }
        scan.lower = bound(from);
        scan.upper = bound(to);
        if (const Status done = dump(**database, *table, scan, count_only); !done) {
            print({{"error", done.error().to_string()}});
            outcome = 2;
        }
    }
    for (const std::string& lost : (*database)->lost()) {
        print({{"lost", lost}});
    }
    return outcome;
}
