#include "cli/frm_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "dict/frm.h"
#include "dict/show_create.h"
#include "record/charset.h"

namespace redoubt::cli {
namespace {

/// No file can do anything to a terminal: control characters become '?'.
std::string printable(std::string text) {
    for (char& c : text) {
        if (std::iscntrl(static_cast<unsigned char>(c)) != 0) {
            c = '?';
        }
    }
    return text;
}

std::string version_words(std::uint32_t version) {
    return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::string collation_words(std::uint16_t id) {
    const record::Collation* const collation = record::find_collation(id);
    return collation == nullptr ? fmt::format("{}", id) : std::string(collation->name);
}

std::string options_words(const std::vector<dict::FrmOption>& options) {
    std::string words;
    for (const dict::FrmOption& option : options) {
        words += (words.empty() ? "" : " ") + option.name + "=" + option.value;
    }
    return words;
}

std::string row_format_words(const dict::Frm& frm) {
    static constexpr std::array<std::string_view, 7> kNames = {
        "default", "FIXED", "DYNAMIC", "COMPRESSED", "REDUNDANT", "COMPACT", "PAGE"};
    return frm.row_format < kNames.size() ? std::string(kNames[frm.row_format])
                                          : fmt::format("{}", frm.row_format);
}

bool has_collation(const dict::FrmField& field) {
    const auto type = dict::column_type(field);
    return type && type->collation != nullptr;
}

std::string_view visibility_words(dict::Visibility visibility) {
    switch (visibility) {
        case dict::Visibility::Visible:
            return "";
        case dict::Visibility::Invisible:
            return "INVISIBLE";
        case dict::Visibility::System:
            return "hidden (system versioning)";
        case dict::Visibility::Full:
            return "hidden";
    }
    return "";
}

std::string extras_words(const dict::Frm& frm, std::size_t i) {
    const dict::FrmField& field = frm.fields[i];
    std::vector<std::string> parts;
    if (field.auto_increment()) {
        parts.emplace_back("AUTO_INCREMENT");
    }
    if (!field.generated.empty()) {
        parts.push_back(
            fmt::format("{} AS ({})", field.stored ? "STORED" : "VIRTUAL", field.generated));
    }
    if (frm.system_period && (i == frm.system_period->first || i == frm.system_period->second)) {
        parts.emplace_back(i == frm.system_period->first ? "ROW START" : "ROW END");
    }
    if (field.visibility != dict::Visibility::Visible) {
        parts.emplace_back(visibility_words(field.visibility));
    }
    if (field.without_versioning) {
        parts.emplace_back("WITHOUT SYSTEM VERSIONING");
    }
    if (!field.check.empty()) {
        parts.push_back(fmt::format("CHECK ({})", field.check));
    }
    if (const std::string options = options_words(field.options); !options.empty()) {
        parts.push_back(options);
    }
    if (!field.comment.empty()) {
        parts.push_back("comment: " + field.comment);
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string_view key_kind(const dict::FrmKey& key) {
    return key.name == "PRIMARY" ? "primary"
           : key.fulltext()      ? "fulltext"
           : key.spatial()       ? "spatial"
           : key.unique()        ? "unique"
                                 : "";
}

std::string parts_words(const dict::Frm& frm, const dict::FrmKey& key) {
    std::string words;
    for (const dict::FrmKeyPart& part : key.parts) {
        words += fmt::format("{}{}{}", words.empty() ? "" : ", ",
                             part.field < frm.fields.size() ? frm.fields[part.field].name : "?",
                             part.descending ? " desc" : "");
        words += fmt::format(" [{}]", part.length);
    }
    return words;
}

std::vector<Fact> table_facts(const dict::Frm& frm) {
    std::vector<Fact> facts = {
        {"kind", frm.sequence ? "sequence" : "table"},
        {"format version", fmt::format("{}", frm.format_version)},
        {"written by server", version_words(frm.server_version)},
        {"engine", frm.engine.empty() ? "InnoDB" : frm.engine},
        {"row format", row_format_words(frm)},
        {"collation", collation_words(frm.collation)},
    };
    const auto add = [&facts](const char* name, const std::string& value) {
        if (!value.empty() && value != "0") {
            facts.emplace_back(name, value);
        }
    };
    add("key block size", fmt::format("{}", frm.key_block_size));
    add("min rows", fmt::format("{}", frm.min_rows));
    add("max rows", fmt::format("{}", frm.max_rows));
    add("average row length", fmt::format("{}", frm.average_row_length));
    add("options", options_words(frm.options));
    add("connection", frm.connection);
    add("comment", frm.comment);
    add("partitioning", frm.partition_clause);
    if (frm.system_period) {
        facts.emplace_back("system versioning", "yes");
    }
    if (frm.application_period) {
        facts.emplace_back("period", frm.application_period->name);
    }
    facts.emplace_back("default record", fmt::format("{} bytes", frm.default_record.size()));
    return facts;
}

std::string text_of(const dict::Frm& frm, const std::string& name, const std::string& create) {
    std::vector<Fact> facts = {{"table", name}};
    for (auto& [fact, value] : table_facts(frm)) {
        facts.emplace_back(fact, printable(std::move(value)));
    }
    std::vector<std::vector<std::string>> columns;
    for (std::size_t i = 0; i < frm.fields.size(); ++i) {
        const dict::FrmField& field = frm.fields[i];
        columns.push_back({fmt::format("{}", i + 1), printable(field.name),
                           printable(dict::type_text(field)), field.nullable() ? "yes" : "no",
                           has_collation(field) ? collation_words(field.collation) : "",
                           printable(dict::default_clause(frm, i)),
                           printable(extras_words(frm, i))});
    }
    std::vector<std::vector<std::string>> keys;
    for (const dict::FrmKey& key : frm.keys) {
        keys.push_back({printable(key.name), std::string(key_kind(key)),
                        printable(parts_words(frm, key)), key.ignored ? "ignored" : "",
                        printable(key.comment)});
    }
    std::string text = facts_text(facts);
    text += "\ncolumns\n" +
            table_text({"#", "name", "type", "null", "collation", "default", ""}, columns);
    if (!keys.empty()) {
        text += "\nkeys (with bytes of each part)\n" +
                table_text({"name", "kind", "columns", "", "comment"}, keys);
    }
    for (const dict::FrmCheck& check : frm.checks) {
        text += printable(fmt::format("check {}: {}", check.name, check.expression)) + '\n';
    }
    std::string statement = "\nas a statement\n";
    std::size_t at = 0;
    while (at < create.size()) {
        const std::size_t end = std::min(create.find('\n', at), create.size());
        statement += printable(create.substr(at, end - at)) + '\n';
        at = end + 1;
    }
    return text + statement;
}

Json columns_json(const dict::Frm& frm) {
    Json array = Json::array();
    for (std::size_t i = 0; i < frm.fields.size(); ++i) {
        const dict::FrmField& field = frm.fields[i];
        Json object = {
            {"name", field.name}, {"type", dict::type_text(field)}, {"nullable", field.nullable()}};
        if (has_collation(field)) {
            object["collation"] = collation_words(field.collation);
        }
        set_known(object, "default", dict::default_clause(frm, i));
        set_known(object, "generated", field.generated);
        if (!field.generated.empty()) {
            object["stored"] = field.stored;
        }
        object["auto_increment"] = field.auto_increment();
        set_known(object, "check", field.check);
        set_known(object, "visibility", std::string(visibility_words(field.visibility)));
        set_known(object, "comment", field.comment);
        set_known(object, "options", options_words(field.options));
        array.push_back(std::move(object));
    }
    return array;
}

Json keys_json(const dict::Frm& frm) {
    Json array = Json::array();
    for (const dict::FrmKey& key : frm.keys) {
        Json parts = Json::array();
        for (const dict::FrmKeyPart& part : key.parts) {
            parts.push_back(
                {{"column", part.field < frm.fields.size() ? frm.fields[part.field].name : "?"},
                 {"bytes", part.length},
                 {"descending", part.descending}});
        }
        Json object = {{"name", key.name},           {"unique", key.unique()},
                       {"fulltext", key.fulltext()}, {"spatial", key.spatial()},
                       {"ignored", key.ignored},     {"parts", std::move(parts)}};
        set_known(object, "comment", key.comment);
        array.push_back(std::move(object));
    }
    return array;
}

Json document_of(const dict::Frm& frm, const std::string& name, const std::string& create) {
    Json object = {{"table", name}};
    for (const auto& [fact, value] : table_facts(frm)) {
        std::string key = fact;
        std::replace(key.begin(), key.end(), ' ', '_');
        object[key] = value;
    }
    object["columns"] = columns_json(frm);
    object["keys"] = keys_json(frm);
    Json& checks = object["checks"] = Json::array();
    for (const dict::FrmCheck& check : frm.checks) {
        checks.push_back({{"name", check.name}, {"expression", check.expression}});
    }
    object["create_statement"] = create;
    return object;
}

/// Lines of "name=value"; an escape stands for each end of line within a value.
FrmShown show_view(std::span<const std::byte> file, const std::string& name) {
    FrmShown shown{.text = {}, .document = {{"table", name}, {"kind", "view"}}};
    std::vector<Fact> facts = {{"table", name}, {"kind", "view"}};
    std::string_view rest = record::as_text(file);
    while (!rest.empty()) {
        const std::string line(rest.substr(0, std::min(rest.find('\n'), rest.size())));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::size_t equal = line.find('=');
        if (equal != std::string::npos && line.substr(0, equal) != "TYPE") {
            facts.emplace_back(printable(line.substr(0, equal)), printable(line.substr(equal + 1)));
            shown.document[facts.back().first] = facts.back().second;
        }
    }
    shown.text = facts_text(facts);
    return shown;
}

}  // namespace

Result<FrmShown> show_frm(std::span<const std::byte> file, const std::string& name) {
    if (dict::is_view(file)) {
        return show_view(file, name);
    }
    ASSIGN_OR_RETURN(const dict::Frm frm, dict::decode_frm(file));
    const std::string create = dict::show_create(name, frm, {});
    return FrmShown{.text = text_of(frm, name, create), .document = document_of(frm, name, create)};
}

}  // namespace redoubt::cli
