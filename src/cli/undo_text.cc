#include "cli/undo_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/big_endian.h"
#include "page/header.h"
#include "page/undo_page.h"
#include "record/charset.h"
#include "undo/record.h"

namespace redoubt::cli {
namespace {

using undo::RecordReader;
using undo::RecordType;
using undo::UndoValue;

constexpr std::uint32_t kVirtualFields = 1023;  // numbers of fields from here on
constexpr std::uint8_t kVirtualMark = 0xF1;
constexpr std::uint8_t kDeleteMark = 0x20;     // info bit
constexpr std::uint8_t kExternChanged = 0x80;  // of the type byte: off-page columns changed

std::string type_words(RecordType type) {
    switch (type) {
        case RecordType::RenameTable:
            return "rename table";
        case RecordType::InsertMetadata:
            return "insert of instant ALTER TABLE";
        case RecordType::Insert:
            return "insert";
        case RecordType::Update:
            return "update";
        case RecordType::UpdateDeleted:
            return "update of a delete-marked record";
        case RecordType::DeleteMark:
            return "delete mark";
        case RecordType::Empty:
            return "bulk insert into an empty table";
    }
    return fmt::format("type {}", static_cast<unsigned>(type));
}

std::string address_words(const page::ListNodeView& node) {
    const auto words = [](PageNo page, std::uint16_t offset) {
        // Zeros: not in the list (yet).
        return page == kNoPage || (page.value == 0 && offset == 0)
                   ? std::string("none")
                   : fmt::format("page {} offset {}", page.value, offset);
    };
    return fmt::format("newer {}, older {}", words(node.previous().page, node.previous().offset),
                       words(node.next().page, node.next().offset));
}

/// One record's body, part by part.
class BodyReader {
public:
    BodyReader(RecordReader& body, const IndexDefinition* definition, ShownUndoRecord& shown)
        : body_(body), definition_(definition), shown_(shown) {}

    Status run(RecordType type) {
        switch (type) {
            case RecordType::RenameTable:
                return read_name();
            case RecordType::Empty:
                return {};
            case RecordType::InsertMetadata:
            case RecordType::Insert:
                RETURN_IF_ERROR(read_key());
                return read_indexed();
            case RecordType::Update:
            case RecordType::UpdateDeleted:
            case RecordType::DeleteMark:
                break;
            default:
                return {};
        }
        RETURN_IF_ERROR(read_version());
        RETURN_IF_ERROR(read_key());
        if (type != RecordType::DeleteMark && definition_ != nullptr) {
            RETURN_IF_ERROR(read_changes());
        }
        return read_indexed();
    }

private:
    Status read_name() {
        std::string name;
        while (!body_.at_end()) {
            ASSIGN_OR_RETURN(const std::uint8_t byte, body_.u8());
            name += static_cast<char>(byte);
        }
        name.erase(std::min(name.find('\0'), name.size()));
        shown_.facts.emplace_back("old name", quoted_words(name));
        return {};
    }

    Status read_version() {
        ASSIGN_OR_RETURN(const std::uint8_t info, body_.u8());
        ASSIGN_OR_RETURN(const std::uint64_t trx_id, body_.compressed64());
        ASSIGN_OR_RETURN(const std::uint64_t roll_ptr, body_.compressed64());
        shown_.facts.emplace_back(
            "info bits before",
            fmt::format("0x{:02x}{}", info, (info & kDeleteMark) != 0 ? ", delete-marked" : ""));
        shown_.facts.emplace_back("DB_TRX_ID before", fmt::format("{}", trx_id));
        shown_.facts.emplace_back("DB_ROLL_PTR before", RollPointer::decode(roll_ptr).words());
        return {};
    }

    /// How many fields a key has, only the definition says.
    Status read_key() {
        if (definition_ == nullptr) {
            return {};
        }
        for (std::size_t i = 0; i < definition_->layout.key_fields; ++i) {
            ASSIGN_OR_RETURN(const UndoValue value, undo::read_value(body_));
            shown_.key.push_back(show(i, value));
        }
        return {};
    }

    Status read_changes() {
        ASSIGN_OR_RETURN(const std::uint32_t count, body_.compressed());
        bool first_virtual = true;
        for (std::uint32_t i = 0; i < count; ++i) {  // each takes a byte at least
            ASSIGN_OR_RETURN(const std::uint32_t number, body_.compressed());
            if (number >= kVirtualFields) {
                RETURN_IF_ERROR(skip_index_list(first_virtual));
                const std::string name = fmt::format("virtual column {}", number - kVirtualFields);
                for (const char* which : {" before", " after"}) {
                    ASSIGN_OR_RETURN(const UndoValue value, undo::read_value(body_));
                    shown_.changed.push_back(
                        show_field(name + which, field_of(value), nullptr, false));
                }
                continue;
            }
            ASSIGN_OR_RETURN(const UndoValue value, undo::read_value(body_));
            shown_.changed.push_back(show(number, value));
        }
        return {};
    }

    /// Columns that purge needs to find entries of secondary indexes; two bytes of length before
    /// them.
    Status read_indexed() {
        if (definition_ == nullptr || body_.at_end()) {
            return {};
        }
        RETURN_IF_ERROR(body_.u16());
        bool first_virtual = true;
        while (!body_.at_end()) {
            ASSIGN_OR_RETURN(const std::uint32_t number, body_.compressed());
            if (number >= kVirtualFields) {
                RETURN_IF_ERROR(skip_index_list(first_virtual));
                ASSIGN_OR_RETURN(const UndoValue value, undo::read_value(body_));
                shown_.indexed.push_back(
                    show_field(fmt::format("virtual column {}", number - kVirtualFields),
                               field_of(value), nullptr, false));
                continue;
            }
            ASSIGN_OR_RETURN(const UndoValue value, undo::read_value(body_));
            shown_.indexed.push_back(show(number, value));
        }
        return {};
    }

    Status skip_index_list(bool& first) {
        if (first && body_.peek() == kVirtualMark) {
            RETURN_IF_ERROR(body_.u8());
        }
        first = false;
        ASSIGN_OR_RETURN(const std::uint16_t size, body_.u16());
        if (size < 2) {
            return make_error(ErrorCode::Corruption, "an index list has size {}", size);
        }
        RETURN_IF_ERROR(body_.take(size - std::size_t{2}));
        return {};
    }

    static record::Field field_of(const UndoValue& value) {
        return {.data = value.bytes.data(),
                .size = static_cast<std::uint32_t>(value.bytes.size()),
                .null = value.null,
                .external = value.external};
    }

    ShownField show(std::size_t number, const UndoValue& value) const {
        const record::RecordLayout& layout = definition_->layout;
        if (number >= layout.fields.size()) {
            return show_field(fmt::format("field {}", number), field_of(value), nullptr, false);
        }
        const record::FieldLayout& field = layout.fields[number];
        return show_field(definition_->name_of(number), field_of(value), field.type,
                          field.prefix != 0);
    }

    RecordReader& body_;
    const IndexDefinition* definition_;
    ShownUndoRecord& shown_;
};

class UndoLister {
public:
    UndoLister(std::span<const std::byte> page, const TableLookup& lookup)
        : page_(page), header_(page), lookup_(lookup), end_(page.size() - page::kTrailerSize) {}

    ShownUndo run(bool with_records) {
        if (begins_segment()) {
            list_logs();
        }
        if (with_records) {
            list_records();
        }
        return std::move(shown_);
    }

private:
    /// Only a segment's first page has logs begin behind a segment header; records of others begin
    /// where its header would.
    bool begins_segment() const { return header_.first_record() >= page::UndoSegmentView::kEnd; }

    bool is_log(std::size_t at) const {
        return at >= page::UndoSegmentView::kEnd && at + page::UndoLogView::kSize <= end_;
    }

    /// From the newest back to the oldest; shown oldest first.
    void list_logs() {
        std::size_t at = page::UndoSegmentView(page_).last_log();
        while (at != 0) {
            if (!is_log(at)) {
                shown_.problems.push_back(
                    fmt::format("an undo log header at offset {}, where none can be", at));
                break;
            }
            shown_.logs.push_back(log_at(at));
            const std::size_t previous = shown_.logs.back().previous_log;
            if (previous >= at) {
                shown_.problems.push_back(fmt::format(
                    "the undo log at offset {} says that the one before is at {}", at, previous));
                break;
            }
            at = previous;
        }
        std::reverse(shown_.logs.begin(), shown_.logs.end());
    }

    ShownLog log_at(std::size_t at) const {
        const page::UndoLogView log(page_.subspan(at).first<page::UndoLogView::kSize>());
        return {.offset = at,
                .trx_id = log.trx_id(),
                .trx_no = log.trx_no(),
                .needs_purge = log.needs_purge(),
                .dictionary = log.changes_dictionary(),
                .first_record = log.first_record(),
                .next_log = log.next_log(),
                .previous_log = log.previous_log(),
                .xid_exists = log.xid_exists(),
                .xid = log.xid_exists() ? undo::read_xid(page_, at) : std::nullopt,
                .history = address_words(log.history_node())};
    }

    void list_records() {
        const std::size_t free_from = std::min<std::size_t>(header_.free_from(), end_);
        if (!begins_segment()) {
            list_range(header_.first_record(), free_from);
            return;
        }
        for (std::size_t i = 0; i < shown_.logs.size(); ++i) {
            const std::size_t end =
                i + 1 < shown_.logs.size() ? shown_.logs[i + 1].offset : free_from;
            if (shown_.logs[i].first_record != 0) {
                list_range(shown_.logs[i].first_record, end);
            }
        }
    }

    void list_range(std::size_t at, std::size_t end) {
        while (at < end) {
            RecordReader body({});
            const auto head = undo::read_head(page_, at, body);
            if (!head) {
                shown_.problems.push_back(head.error().message());
                return;
            }
            shown_.records.push_back(show(at, *head, body));
            at = head->next;  // beyond `at`: read_head() sees to it
        }
    }

    ShownUndoRecord show(std::size_t at, const undo::RecordHead& head, RecordReader& body) const {
        ShownUndoRecord record{.offset = at,
                               .next = head.next,
                               .type = type_words(head.type()),
                               .number = head.number,
                               .table_id = head.table_id};
        if ((head.type_bits & kExternChanged) != 0) {
            record.facts.emplace_back("off-page columns", "changed");
        }
        const auto definition = lookup_ ? lookup_(head.table_id) : nullptr;
        if (definition != nullptr) {
            record.table = definition->table;
        }
        const Status read = BodyReader(body, definition.get(), record).run(head.type());
        if (!read) {
            record.problem = read.error().message();
        }
        std::vector<std::byte> rest;
        while (!body.at_end()) {
            const auto byte = body.take(1);
            if (!byte) {
                break;
            }
            rest.push_back((*byte)[0]);
        }
        record.rest = hex_text(rest);
        return record;
    }

    std::span<const std::byte> page_;
    page::UndoPageView header_;
    const TableLookup& lookup_;
    std::size_t end_;
    ShownUndo shown_;
};

std::string xid_words(const undo::Xid& xid) {
    if (const auto number = xid.binlog_number()) {
        return fmt::format("the server's, number {}", *number);
    }
    return fmt::format("{}, {}, {}", quoted_words(xid.global), quoted_words(xid.branch),
                       xid.format);
}

std::string log_text(const ShownLog& log) {
    std::vector<Fact> facts = {
        {"trx id", fmt::format("{}", log.trx_id)},
        {"trx no", log.trx_no == 0 ? "0 (not committed)" : fmt::format("{}", log.trx_no)},
        {"needs purge", log.needs_purge ? "yes" : "no"},
        {"changes the dictionary", log.dictionary ? "yes" : "no"},
        {"first record", fmt::format("{}", log.first_record)},
        {"next log", log.next_log == 0 ? "none" : fmt::format("{}", log.next_log)},
        {"previous log", log.previous_log == 0 ? "none" : fmt::format("{}", log.previous_log)},
        {"history", log.history}};
    if (log.xid_exists) {
        facts.emplace_back("XID", log.xid ? xid_words(*log.xid) : "(not valid)");
    }
    return fmt::format("undo log at offset {}\n{}", log.offset, indented(facts_text(facts)));
}

std::string record_text(const ShownUndoRecord& record) {
    constexpr std::size_t kDigitsShown = 128;
    std::string text = fmt::format("offset {}, undo no {}, {}, table id {}{}\n", record.offset,
                                   record.number, record.type, record.table_id,
                                   record.table.empty() ? "" : " (" + record.table + ")");
    std::vector<Fact> facts = record.facts;
    for (const ShownField& field : record.key) {
        facts.emplace_back("key " + field.name, field.words);
    }
    for (const ShownField& field : record.changed) {
        facts.emplace_back("before: " + field.name, field.words);
    }
    for (const ShownField& field : record.indexed) {
        facts.emplace_back("indexed: " + field.name, field.words);
    }
    if (!record.rest.empty()) {
        facts.emplace_back(
            "rest", record.rest.size() <= kDigitsShown
                        ? record.rest
                        : fmt::format("{}... ({} bytes)", record.rest.substr(0, kDigitsShown),
                                      record.rest.size() / 2));
    }
    if (!record.problem.empty()) {
        facts.emplace_back("note", record.problem);
    }
    return text + indented(facts_text(facts));
}

Json fields_json(const std::vector<ShownField>& fields) {
    Json array = Json::array();
    for (const ShownField& field : fields) {
        array.push_back(field_json(field));
    }
    return array;
}

Json log_json(const ShownLog& log) {
    Json object = {{"offset", log.offset},         {"trx_id", log.trx_id},
                   {"trx_no", log.trx_no},         {"needs_purge", log.needs_purge},
                   {"dictionary", log.dictionary}, {"first_record", log.first_record},
                   {"next_log", log.next_log},     {"previous_log", log.previous_log},
                   {"history", log.history}};
    if (log.xid) {
        object["xid"] = {{"format", log.xid->format},
                         {"global", hex_text(std::as_bytes(std::span(log.xid->global)))},
                         {"branch", hex_text(std::as_bytes(std::span(log.xid->branch)))}};
        if (const auto number = log.xid->binlog_number()) {
            object["xid"]["binlog_number"] = *number;
        }
    }
    return object;
}

Json record_json(const ShownUndoRecord& record) {
    Json object = {{"offset", record.offset},
                   {"next", record.next},
                   {"type", record.type},
                   {"undo_no", record.number},
                   {"table_id", record.table_id}};
    set_known(object, "table", record.table);
    for (const auto& [name, value] : record.facts) {
        object[name] = value;
    }
    object["key"] = fields_json(record.key);
    object["before"] = fields_json(record.changed);
    object["indexed"] = fields_json(record.indexed);
    set_known(object, "rest", record.rest);
    set_known(object, "problem", record.problem);
    return object;
}

}  // namespace

ShownUndo show_undo(std::span<const std::byte> page, bool with_records, const TableLookup& lookup) {
    return UndoLister(page, lookup).run(with_records);
}

std::string undo_text(const ShownUndo& shown, bool with_records) {
    std::string text;
    for (const ShownLog& log : shown.logs) {
        text += '\n' + log_text(log);
    }
    if (with_records) {
        text += "\nundo records\n";
        for (const ShownUndoRecord& record : shown.records) {
            text += record_text(record);
        }
        text += shown.records.empty() ? "none\n" : "";
    }
    for (const std::string& problem : shown.problems) {
        text += fmt::format("problem: {}\n", problem);
    }
    return text;
}

Json undo_json(const ShownUndo& shown, bool with_records) {
    Json object = {{"logs", Json::array()}};
    for (const ShownLog& log : shown.logs) {
        object["logs"].push_back(log_json(log));
    }
    if (with_records) {
        object["records"] = Json::array();
        for (const ShownUndoRecord& record : shown.records) {
            object["records"].push_back(record_json(record));
        }
    }
    object["problems"] = shown.problems;
    return object;
}

}  // namespace redoubt::cli
