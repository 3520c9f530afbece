#include "cli/dictionary_text.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

namespace redoubt::cli {
namespace {

constexpr std::uint32_t kColumnCount = 0xFFFF;  // of N_COLS; above it the virtual ones

std::string_view format_name(dict::RowFormat format) {
    switch (format) {
        case dict::RowFormat::Redundant:
            return "REDUNDANT";
        case dict::RowFormat::Compact:
            return "COMPACT";
        case dict::RowFormat::Dynamic:
            return "DYNAMIC";
        case dict::RowFormat::Compressed:
            return "COMPRESSED";
    }
    return "";
}

std::string main_type_name(std::uint32_t type) {
    static constexpr std::array<std::string_view, 15> kNames = {
        "",        "varchar (latin1)", "char (latin1)", "binary", "varbinary", "blob",    "int",
        "",        "system",           "float",         "double", "decimal",   "varchar", "char",
        "geometry"};
    if (type < kNames.size() && !kNames[type].empty()) {
        return std::string(kNames[type]);
    }
    return fmt::format("type {}", type);
}

std::uint32_t stored_columns(const dict::SystemTableRow& table) {
    return table.column_counts & kColumnCount;
}
std::uint32_t virtual_columns(const dict::SystemTableRow& table) {
    return (table.column_counts >> 16) & 0x7FFF;
}

/// Bits of TYPE in SYS_INDEXES.
std::string index_kind(std::uint32_t type) {
    static constexpr std::array<std::pair<std::uint32_t, std::string_view>, 6> kBits = {
        {{1, "clustered"},
         {2, "unique"},
         {8, "change buffer"},
         {16, "corrupt"},
         {32, "fulltext"},
         {64, "spatial"}}};
    std::string words;
    for (const auto& [bit, name] : kBits) {
        if ((type & bit) != 0) {
            words += (words.empty() ? "" : ", ") + std::string(name);
        }
    }
    return words;
}

/// While ALTER TABLE makes an index its name begins with a byte that is no character.
std::string index_name(const dict::SystemIndex& index) {
    return index.name.starts_with('\xFF') ? index.name.substr(1) + " (being made)" : index.name;
}

std::string fields_words(const dict::SystemIndex& index) {
    std::string words;
    for (const dict::SystemIndexField& field : index.fields) {
        words += (words.empty() ? "" : ", ") + field.column;
        words += field.prefix != 0 ? fmt::format("({})", field.prefix) : "";
        words += field.descending ? " desc" : "";
    }
    return words;
}

std::string root_words(PageNo root) {
    return root == kNoPage ? "none" : fmt::format("{}", root.value);
}

/// Stored columns that the virtual one at `position` is computed from.
std::string bases_words(const dict::SystemTableRow& table, std::uint32_t position) {
    std::string words;
    for (const dict::VirtualBase& entry : table.virtual_bases) {
        if (entry.position == position) {
            words += (words.empty() ? "" : ", ") + fmt::format("{}", entry.base);
        }
    }
    return words.empty() ? "virtual" : "virtual, of columns " + words;
}

std::string columns_text(const dict::SystemTableRow& table) {
    std::vector<std::vector<std::string>> rows;
    for (const dict::SystemColumn& column : table.columns) {
        rows.push_back({fmt::format("{}", column.position), column.name,
                        main_type_name(column.main_type),
                        fmt::format("0x{:x}", column.precise_type),
                        fmt::format("{}", column.length), column.nullable() ? "yes" : "no",
                        column.virtual_column() ? bases_words(table, column.position) : ""});
    }
    return rows.empty()
               ? ""
               : table_text({"position", "column", "type", "prtype", "length", "null", ""}, rows);
}

std::string indexes_text(const dict::SystemTableRow& table) {
    std::vector<std::vector<std::string>> rows;
    for (const dict::SystemIndex& index : table.indexes) {
        rows.push_back({fmt::format("{}", index.id), index_name(index),
                        fmt::format("{}", index.space.value), root_words(index.root),
                        fmt::format("0x{:x}", index.type), index_kind(index.type),
                        fields_words(index)});
    }
    return rows.empty()
               ? ""
               : table_text({"index id", "index", "space", "root page", "type", "kind", "fields"},
                            rows);
}

/// Bits: docs/formats/dictionary.md#sys_foreign.
std::string actions_words(std::uint32_t flags) {
    std::string words;
    words += (flags & 1) != 0 ? " ON DELETE CASCADE" : "";
    words += (flags & 2) != 0 ? " ON DELETE SET NULL" : "";
    words += (flags & 16) != 0 ? " ON DELETE NO ACTION" : "";
    words += (flags & 4) != 0 ? " ON UPDATE CASCADE" : "";
    words += (flags & 8) != 0 ? " ON UPDATE SET NULL" : "";
    words += (flags & 32) != 0 ? " ON UPDATE NO ACTION" : "";
    return words;
}

std::string foreign_key_text(const dict::ForeignKey& key) {
    std::string child;
    std::string parent;
    for (const auto& [ours, theirs] : key.columns) {
        child += (child.empty() ? "" : ", ") + ours;
        parent += (parent.empty() ? "" : ", ") + theirs;
    }
    return fmt::format("foreign key {}: ({}) of {} ({}){}\n", key.id, child, key.parent, parent,
                       actions_words(key.flags));
}

std::string table_words(const dict::SystemTableRow& table) {
    std::string text = fmt::format(
        "\ntable {}\nid {}, space {}, {}, {} columns{}, TYPE 0x{:x}, MIX_LEN 0x{:x}{}{}\n",
        table.name, table.id, table.space.value, format_name(table.row_format()),
        stored_columns(table),
        virtual_columns(table) != 0 ? fmt::format(" and {} virtual", virtual_columns(table)) : "",
        table.type, table.mix_length, table.temporary() ? ", temporary" : "",
        table.discarded() ? ", tablespace discarded" : "");
    return text + columns_text(table) + indexes_text(table);
}

Json columns_json(const dict::SystemTableRow& table) {
    Json array = Json::array();
    for (const dict::SystemColumn& column : table.columns) {
        Json object = {{"position", column.position},       {"name", column.name},
                       {"mtype", column.main_type},         {"prtype", column.precise_type},
                       {"length", column.length},           {"nullable", column.nullable()},
                       {"virtual", column.virtual_column()}};
        if (column.virtual_column()) {
            Json& bases = object["base_columns"] = Json::array();
            for (const dict::VirtualBase& entry : table.virtual_bases) {
                if (entry.position == column.position) {
                    bases.push_back(entry.base);
                }
            }
        }
        array.push_back(std::move(object));
    }
    return array;
}

Json indexes_json(const dict::SystemTableRow& table) {
    Json array = Json::array();
    for (const dict::SystemIndex& index : table.indexes) {
        Json object = {{"id", index.id},
                       {"name", index_name(index)},
                       {"space", index.space.value},
                       {"type", index.type},
                       {"fields", Json::array()}};
        if (index.root != kNoPage) {
            object["root_page"] = index.root.value;
        }
        for (const dict::SystemIndexField& field : index.fields) {
            object["fields"].push_back({{"column", field.column},
                                        {"prefix", field.prefix},
                                        {"descending", field.descending}});
        }
        array.push_back(std::move(object));
    }
    return array;
}

}  // namespace

std::string dictionary_text(const dict::Dictionary& dictionary) {
    std::string text = fmt::format("{} tables, {} foreign keys\n", dictionary.tables.size(),
                                   dictionary.foreign_keys.size());
    for (const dict::SystemTableRow& table : dictionary.tables) {
        text += table_words(table);
        for (const dict::ForeignKey& key : dictionary.foreign_keys) {
            if (key.child == table.name) {
                text += foreign_key_text(key);
            }
        }
    }
    return text;
}

Json dictionary_json(const dict::Dictionary& dictionary) {
    Json result = {{"tables", Json::array()}, {"foreign_keys", Json::array()}};
    for (const dict::SystemTableRow& table : dictionary.tables) {
        result["tables"].push_back({{"name", table.name},
                                    {"id", table.id},
                                    {"space", table.space.value},
                                    {"row_format", format_name(table.row_format())},
                                    {"n_cols", table.column_counts},
                                    {"type", table.type},
                                    {"mix_len", table.mix_length},
                                    {"temporary", table.temporary()},
                                    {"discarded", table.discarded()},
                                    {"columns", columns_json(table)},
                                    {"indexes", indexes_json(table)}});
    }
    for (const dict::ForeignKey& key : dictionary.foreign_keys) {
        Json columns = Json::array();
        for (const auto& [child, parent] : key.columns) {
            columns.push_back({{"child", child}, {"parent", parent}});
        }
        result["foreign_keys"].push_back({{"id", key.id},
                                          {"child", key.child},
                                          {"parent", key.parent},
                                          {"flags", key.flags},
                                          {"columns", std::move(columns)}});
    }
    return result;
}

}  // namespace redoubt::cli
