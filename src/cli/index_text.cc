#include "cli/index_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/big_endian.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/parse.h"

namespace redoubt::cli {
namespace {

constexpr unsigned kStatusMask = 7;  // of a COMPACT record
constexpr unsigned kNodePointer = 1;
constexpr unsigned kInfimum = 2;
constexpr unsigned kSupremum = 3;
constexpr unsigned kInstant = 4;
constexpr std::size_t kBytesShown = 64;  // of a record whose fields are not known, to people

class RecordLister {
public:
    RecordLister(std::span<const std::byte> page, const IndexDefinition* definition, bool expanded)
        : page_(page),
          header_(page),
          compact_(header_.compact()),
          expanded_(expanded),
          definition_(definition),
          heap_(compact_ ? record::kCompactHeap : record::kRedundantHeap),
          extra_(compact_ ? record::kCompactHeader : record::kRedundantHeader),
          end_(page.size() - page::kTrailerSize) {}

    ShownRecords run() {
        if (definition_ != nullptr && definition_->layout.compact != compact_) {
            shown_.problems.emplace_back("the page's record format is not its table's");
            definition_ = nullptr;
        }
        const std::size_t first = compact_ ? record::kCompactInfimum : record::kRedundantInfimum;
        const std::size_t last = compact_ ? record::kCompactSupremum : record::kRedundantSupremum;
        const std::vector<std::size_t> listed = follow(first, last, "record list");
        const std::size_t freed_from = header_.first_freed();
        std::vector<std::size_t> freed;
        if (freed_from != 0) {
            if (is_place(freed_from)) {
                freed = follow(freed_from, 0, "list of freed records");
            } else {
                shown_.problems.push_back(
                    fmt::format("the list of freed records begins at offset {}, where no record "
                                "can be",
                                freed_from));
            }
        }
        places_ = listed;
        places_.insert(places_.end(), freed.begin(), freed.end());
        std::sort(places_.begin(), places_.end());
        for (const std::size_t origin : listed) {
            shown_.records.push_back(show(origin, origin == first || origin == last, false));
        }
        for (const std::size_t origin : freed) {
            shown_.freed.push_back(show(origin, false, true));
        }
        check_count();
        read_directory();
        return std::move(shown_);
    }

private:
    bool is_place(std::size_t origin) const { return origin >= heap_ + extra_ && origin <= end_; }

    std::size_t next_of(std::size_t origin) const {
        const std::uint16_t link = load_be<std::uint16_t>(page_.data() + origin - 2);
        if (!compact_) {
            return link;
        }
        return link == 0 ? 0 : (origin + link) & (page_.size() - 1) & 0xFFFF;
    }

    /// The origins from `origin` on; `last`, where the list must end, included if it is a record.
    std::vector<std::size_t> follow(std::size_t origin, std::size_t last, std::string_view list) {
        std::vector<std::size_t> origins{origin};
        std::vector<bool> seen(page_.size());
        for (;;) {
            seen[origin] = true;
            const std::size_t from = origin;
            origin = next_of(origin);
            if (origin == last) {
                break;
            }
            if (!is_place(origin)) {
                shown_.problems.push_back(
                    fmt::format("the {} leads from offset {} to {}, where no record can be", list,
                                from, origin));
                return origins;
            }
            if (seen[origin]) {
                shown_.problems.push_back(
                    fmt::format("the {} comes back to offset {}", list, origin));
                return origins;
            }
            origins.push_back(origin);
        }
        if (last != 0) {
            origins.push_back(last);
        }
        return origins;
    }

    void check_count() {
        const std::size_t ends = 2;  // infimum and supremum
        const std::size_t listed = shown_.records.size();
        if (shown_.problems.empty() && listed != header_.record_count() + ends) {
            shown_.problems.push_back(
                fmt::format("the record list has {} records, the page says {}",
                            listed - std::min(listed, ends), header_.record_count()));
        }
    }

    void read_directory() {
        const std::size_t slots = header_.directory_slots();
        for (std::size_t slot = 1; slot <= slots; ++slot) {
            if (2 * slot > end_ - heap_) {
                shown_.problems.push_back(
                    fmt::format("{} directory slots do not fit on the page", slots));
                return;
            }
            shown_.directory.push_back(load_be<std::uint16_t>(page_.data() + end_ - 2 * slot));
        }
    }

    unsigned byte_before(std::size_t origin, std::size_t distance) const {
        return std::to_integer<unsigned>(page_[origin - distance]);
    }

    std::string status_of(std::size_t origin) const {
        const bool leaf = header_.level() == 0;
        if (!compact_) {
            if (origin == record::kRedundantInfimum || origin == record::kRedundantSupremum) {
                return origin == record::kRedundantInfimum ? "infimum" : "supremum";
            }
            return leaf ? "ordinary" : "node pointer";
        }
        const unsigned status = byte_before(origin, 3) & kStatusMask;
        switch (status) {
            case 0:
                return "ordinary";
            case kNodePointer:
                return "node pointer";
            case kInfimum:
                return "infimum";
            case kSupremum:
                return "supremum";
            case kInstant:
                return "instant";
            default:
                return fmt::format("status {}", status);
        }
    }

    ShownRecord show(std::size_t origin, bool end, bool freed) {
        ShownRecord record{.offset = origin, .status = status_of(origin)};
        const unsigned bits = byte_before(origin, extra_);
        record.info_bits = bits & 0xF0;
        record.owned = bits & 0x0F;
        record.delete_marked = (bits & record::kDeleteMark) != 0;
        record.minimum = (bits & record::kMinimumRecord) != 0;
        // REDUNDANT: 13 bits at -5; COMPACT: 13 bits at -4.
        record.heap_number = static_cast<std::uint16_t>(
            load_be<std::uint16_t>(page_.data() + origin - (compact_ ? 4 : 5)) >> 3);
        record.next = next_of(origin);
        if (end) {
            return record;
        }
        if (record.minimum && header_.level() == 0 && !freed) {
            record.status = "instant ALTER TABLE (metadata)";
            show_bytes(record);
        } else if (freed && expanded_) {
            record.problem = "the stored page has nothing of freed records";
        } else {
            show_fields(record);
        }
        return record;
    }

    /// Up to where the next record's header can begin.
    void show_bytes(ShownRecord& record) const {
        const auto next = std::upper_bound(places_.begin(), places_.end(), record.offset);
        const std::size_t limit = next == places_.end()
                                      ? std::min<std::size_t>(end_, header_.heap_top())
                                      : *next - extra_;
        const std::size_t end = std::clamp(limit, record.offset, page_.size());
        record.bytes = hex_text(page_.subspan(record.offset, end - record.offset));
    }

    void show_fields(ShownRecord& record) const {
        const Status done =
            definition_ != nullptr ? take_apart(record) : take_apart_unknown(record);
        if (!done) {
            record.problem = done.error().message();
            record.fields.clear();
        }
        if (record.fields.empty()) {
            show_bytes(record);
        }
    }

    Status take_apart(ShownRecord& record) const {
        const record::RecordLayout& layout = definition_->layout;
        std::vector<record::Field> fields(layout.fields.size() + 1);
        std::size_t count = layout.fields.size();
        if (header_.level() > 0) {
            count = layout.key_fields;
            ASSIGN_OR_RETURN(record.child,
                             record::parse_node_pointer(page_, record.offset, layout, fields));
        } else {
            RETURN_IF_ERROR(
                record::parse_record(page_, record.offset, layout, count, std::span(fields)));
        }
        for (std::size_t i = 0; i < count; ++i) {
            record.fields.push_back(shown_field(layout, i, fields[i]));
        }
        return {};
    }

    ShownField shown_field(const record::RecordLayout& layout, std::size_t i,
                           const record::Field& field) const {
        const bool sized = !field.null && header_.level() == 0;
        if (sized && i == layout.trx_id_field && field.size == record::kTrxIdSize) {
            return show_trx_id(field.bytes());
        }
        if (sized && layout.trx_id_field != record::kNoField && i == layout.trx_id_field + 1 &&
            field.size == record::kRollPtrSize) {
            return show_roll_pointer(field.bytes());
        }
        const record::FieldLayout& known = layout.fields[i];
        ShownField shown =
            show_field(definition_->name_of(i), field, known.type, known.prefix != 0);
        // What an older record lacks is read from the layout, not from the page.
        shown.absent = field.data != nullptr &&
                       (field.data < page_.data() || field.data >= page_.data() + page_.size());
        return shown;
    }

    /// REDUNDANT records say themselves where their fields are.
    Status take_apart_unknown(ShownRecord& record) const {
        if (compact_) {
            return {};
        }
        ASSIGN_OR_RETURN(const std::size_t count,
                         record::physical_fields(page_, record.offset, false, 0));
        record::RecordLayout layout;
        layout.compact = false;
        layout.fields.resize(count);
        std::vector<record::Field> fields(count);
        RETURN_IF_ERROR(record::parse_record(page_, record.offset, layout, count, fields));
        for (std::size_t i = 0; i < count; ++i) {
            record.fields.push_back(
                show_field(fmt::format("field {}", i), fields[i], nullptr, false));
        }
        return {};
    }

    std::span<const std::byte> page_;
    page::IndexHeaderView header_;
    bool compact_;
    bool expanded_;
    const IndexDefinition* definition_;
    std::size_t heap_;
    std::size_t extra_;
    std::size_t end_;
    std::vector<std::size_t> places_;  // of all records, sorted
    ShownRecords shown_;
};

std::string record_text(const ShownRecord& record) {
    std::string text =
        fmt::format("offset {}, heap {}, {}", record.offset, record.heap_number, record.status);
    text += record.delete_marked ? ", delete-marked" : "";
    text += record.minimum ? ", first of its level" : "";
    text += record.owned != 0 ? fmt::format(", owns {}", record.owned) : "";
    text += record.info_bits != 0 ? fmt::format(", info bits 0x{:02x}", record.info_bits) : "";
    text += record.next != 0 ? fmt::format(", next {}\n", record.next) : ", no next\n";
    std::vector<Fact> facts;
    for (const ShownField& field : record.fields) {
        facts.emplace_back(field.name, field.words + (field.absent ? " (not in the record)" : ""));
    }
    if (record.child) {
        facts.emplace_back("leads to page", fmt::format("{}", record.child->value));
    }
    if (record.fields.empty() && !record.bytes.empty()) {
        const std::size_t digits = 2 * kBytesShown;
        facts.emplace_back("bytes",
                           record.bytes.size() <= digits
                               ? record.bytes
                               : fmt::format("{}... ({} bytes)", record.bytes.substr(0, digits),
                                             record.bytes.size() / 2));
    }
    if (!record.problem.empty()) {
        facts.emplace_back("note", record.problem);
    }
    return text + indented(facts_text(facts));
}

Json record_json(const ShownRecord& record) {
    Json object = {{"offset", record.offset},
                   {"heap_number", record.heap_number},
                   {"status", record.status},
                   {"info_bits", record.info_bits},
                   {"delete_marked", record.delete_marked},
                   {"min_rec", record.minimum},
                   {"n_owned", record.owned},
                   {"next", record.next}};
    if (record.child) {
        object["child_page"] = record.child->value;
    }
    if (!record.fields.empty()) {
        Json& fields = object["fields"] = Json::array();
        for (const ShownField& field : record.fields) {
            fields.push_back(field_json(field));
        }
    }
    set_known(object, "bytes", record.bytes);
    set_known(object, "problem", record.problem);
    return object;
}

}  // namespace

const std::string& IndexDefinition::name_of(std::size_t field) const {
    static const std::string kUnknown = "?";
    return field < names.size() ? names[field] : kUnknown;
}

ShownRecords show_records(std::span<const std::byte> page, const IndexDefinition* definition,
                          bool expanded) {
    return RecordLister(page, definition, expanded).run();
}

std::string records_text(const ShownRecords& shown) {
    std::string text = "\ndirectory slots\n";
    for (std::size_t i = 0; i < shown.directory.size(); ++i) {
        const bool line_ends = i % 12 == 11 || i + 1 == shown.directory.size();
        text += fmt::format("{}{}", shown.directory[i], line_ends ? "\n" : " ");
    }
    text += "\nrecords\n";
    for (const ShownRecord& record : shown.records) {
        text += record_text(record);
    }
    text += "\nfreed records\n";
    for (const ShownRecord& record : shown.freed) {
        text += record_text(record);
    }
    text += shown.freed.empty() ? "none\n" : "";
    for (const std::string& problem : shown.problems) {
        text += fmt::format("problem: {}\n", problem);
    }
    return text;
}

Json records_json(const ShownRecords& shown) {
    const auto list = [](const std::vector<ShownRecord>& records) {
        Json array = Json::array();
        for (const ShownRecord& record : records) {
            array.push_back(record_json(record));
        }
        return array;
    };
    return {{"directory", shown.directory},
            {"records", list(shown.records)},
            {"freed", list(shown.freed)},
            {"problems", shown.problems}};
}

}  // namespace redoubt::cli
