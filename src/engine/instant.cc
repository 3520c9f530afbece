#include "engine/instant.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/big_endian.h"
#include "base/integers.h"
#include "btree/blob.h"
#include "page/header.h"
#include "page/index_page.h"
#include "record/parse.h"
#include "undo/versions.h"

namespace redoubt::engine {
namespace {

using record::Field;
using record::FieldLayout;

// Entries of the list of fields: docs/formats/records.md#instant.
constexpr unsigned kDropped = 0x8000;
constexpr unsigned kDroppedNotNull = 0x4000;
constexpr unsigned kNumberMask = 0x3FFF;
constexpr std::size_t kSystemFields = 2;

class InstantReader {
public:
    InstantReader(btree::TreeReader& reader, const dict::StoredPart& part, bool skip_damage,
                  record::RecordLayout& layout)
        : reader_(reader), part_(part), skip_damage_(skip_damage), layout_(layout) {}

    Result<bool> run(const undo::Transactions* transactions) {
        std::vector<std::byte> root(reader_.tree().physical_size);
        if (Status read = read_root(root); !read) {
            RETURN_IF_ERROR(skip_damage_ ? check_unchanged(std::move(read.error())) : read);
            return false;
        }
        if (page::HeaderView(root).type() != static_cast<std::uint16_t>(page::PageType::Instant)) {
            return false;
        }
        core_fields_ = page::IndexHeaderView(root).core_field_count();
        note_null_bytes(root);
        // Node pointers have the null bitmap of the table as it was before: needed on the way down.
        layout_.core_null_bytes = core_null_bytes_.value_or(layout_.null_bytes(core_fields_));
        std::vector<btree::PassedPage> passed;
        ASSIGN_OR_RETURN(const bool any, to_first_record(passed));
        if (std::any_of(passed.begin(), passed.end(), [](const btree::PassedPage& page) {
                return page.loss == btree::PassedPage::Loss::Below;
            })) {  // where leaves belong was asked of their keys, before it was known how these lie
            return passed.front().why;
        }
        if (!any || (reader_.info() & record::kMinimumRecord) == 0) {
            if (core_fields_ == layout_.fields.size()) {
                return false;  // the change was rolled back
            }
            return corruption(reader_.page_id(), "the record of instant changes is missing");
        }
        if (transactions != nullptr && transactions->altered_tables().contains(part_.id)) {
            return true;  // the first such change: the dictionary's rows hold
        }
        if (Status read = read_metadata(transactions); !read) {
            return std::move(read.error()).with_page(reader_.page_id());
        }
        return changing_;
    }

private:
    Status read_root(std::span<std::byte> root) {
        RETURN_IF_ERROR(reader_.source().read(reader_.tree().root, root));
        const std::uint16_t type = page::HeaderView(root).type();
        return page::is_index_type(type)
                   ? ok_status()
                   : corruption(reader_.tree().root, "not an index page, but of type {}", type);
    }

    /// False: there is none. `passed`: pages that were skipped.
    Result<bool> to_first_record(std::vector<btree::PassedPage>& passed) {
        Status placed = reader_.to_first();
        if (placed) {
            return reader_.next();
        }
        if (!skip_damage_) {
            return placed.error();
        }
        RETURN_IF_ERROR(reader_.skip_damage(true, std::move(placed.error()), passed));
        ASSIGN_OR_RETURN(const bool any, reader_.next());
        if (any && page::HeaderView(reader_.page()).previous() != kNoPage) {
            return corruption(reader_.page_id(), "the leaf before it, the first, cannot be found");
        }
        return any;
    }

    /// `why`: the root cannot be read.
    Status check_unchanged(Error why) {
        std::vector<btree::PassedPage> passed;
        const auto any = to_first_record(passed);
        if (any && *any && (reader_.info() & record::kMinimumRecord) == 0) {
            return {};
        }
        return why;
    }

    /// Where it cannot be counted, the root keeps the size of the null bitmap in the last byte of
    /// its "supremum".
    void note_null_bytes(std::span<const std::byte> root) {
        const std::byte* const at = root.data() + record::kCompactSupremum;
        if (layout_.compact && std::memcmp(at, "supremum", 8) != 0) {
            core_null_bytes_ = std::to_integer<std::size_t>(at[7]);
        }
    }

    Status read_metadata(const undo::Transactions* transactions) {
        ASSIGN_OR_RETURN(const std::size_t behind, behind_system_columns());
        ASSIGN_OR_RETURN(const undo::Versions::OlderMetadata version,
                         newest_committed(transactions, behind));
        std::vector<FieldLayout> fields = layout_.fields;
        if (version.listed) {
            fields.resize(head_fields());
            std::string list;
            RETURN_IF_ERROR(read_list(version.reference, list));
            RETURN_IF_ERROR(add_listed(list, fields));
        }
        if (core_fields_ > fields.size() || core_fields_ < head_fields()) {
            return make_error(ErrorCode::Corruption, "an instant change of a table of {} fields",
                              core_fields_);
        }
        RETURN_IF_ERROR(take_defaults(fields));
        layout_.fields = std::move(fields);
        layout_.core_fields = core_fields_;
        layout_.core_null_bytes = core_null_bytes_.value_or(layout_.null_bytes(core_fields_));
        return {};
    }

    std::size_t head_fields() const { return layout_.key_fields + kSystemFields; }

    /// Whether the record leads to a list of fields.
    bool listed() const { return (reader_.info() & record::kDeleteMark) != 0; }

    /// Offset on the page of what follows key and system columns.
    Result<std::size_t> behind_system_columns() const {
        std::size_t at = reader_.origin() + record::kTrxIdSize + record::kRollPtrSize;
        if (layout_.compact) {  // key columns of no fixed size are empty
            for (std::size_t i = 0; i < layout_.key_fields; ++i) {
                at += layout_.fields[i].fixed_size;
            }
        } else {
            std::vector<Field> fields(head_fields());
            std::vector<FieldLayout> layouts(fields.size());
            RETURN_IF_ERROR(record::parse_metadata(reader_.page(), reader_.origin(), false, layouts,
                                                   core_fields_, fields));
            at = static_cast<std::size_t>(fields.back().data + fields.back().size -
                                          reader_.page().data());
        }
        if (at + (listed() ? record::kReferenceSize : 0) > reader_.page().size()) {
            return make_error(ErrorCode::Corruption,
                              "the record of instant changes reaches out of the page");
        }
        return at;
    }

    /// The record's newest committed version, always with its reference. An ALTER TABLE writes the
    /// record once, and the list after it: of one that had not ended there may be none.
    Result<undo::Versions::OlderMetadata> newest_committed(const undo::Transactions* transactions,
                                                           std::size_t behind) {
        const std::byte* const at = reader_.page().data() + behind;
        undo::Versions::OlderMetadata version{.listed = listed(), .reference = {}};
        if (transactions != nullptr &&
            transactions->is_open(load_be(
                std::span(at - record::kRollPtrSize - record::kTrxIdSize, record::kTrxIdSize)))) {
            changing_ = true;
            undo::Versions versions(reader_.source(), *transactions, reader_.tree().physical_size);
            ASSIGN_OR_RETURN(
                version,
                versions.take_back_metadata(
                    part_.id, load_be(std::span(at - record::kRollPtrSize, record::kRollPtrSize)),
                    layout_.key_fields));
        }
        if (version.listed && version.reference.empty()) {
            if (!listed()) {
                return make_error(ErrorCode::Corruption, "the list of instant changes is lost");
            }
            version.reference = record::as_text({at, record::kReferenceSize});
            if (version.reference == std::string(record::kReferenceSize, '\0')) {
                return not_written(transactions != nullptr);
            }
        }
        return version;
    }

    static Error not_written(bool committed) {
        if (committed) {
            return make_error(ErrorCode::Corruption, "the list of instant changes is missing");
        }
        return make_error(ErrorCode::Unsupported,
                          "an instant ALTER TABLE has not written its list of fields")
            .with_hint(
                "what was before can be read from the whole directory, without --read-uncommitted");
    }

    Status read_list(const std::string& reference, std::string& list) {
        btree::BlobReader blobs(reader_.source(), part_.space, reader_.tree().physical_size, false);
        return blobs.append(std::as_bytes(std::span(reference)), list);
    }

    Status add_listed(const std::string& list, std::vector<FieldLayout>& fields) const {
        const auto* const bytes =
            static_cast<const std::byte*>(static_cast<const void*>(list.data()));
        const std::size_t count = list.size() < 4 ? 0 : load_be<std::uint32_t>(bytes);
        if (list.size() < 4 || (list.size() - 4) / 2 < count) {
            return make_error(ErrorCode::Corruption, "the list of instant changes has {} bytes",
                              list.size());
        }
        for (std::size_t i = 0; i < count; ++i) {
            const unsigned entry = load_be<std::uint16_t>(bytes + 4 + 2 * i);
            const unsigned number = entry & kNumberMask;
            if ((entry & kDropped) != 0) {
                fields.push_back(
                    {.fixed_size = static_cast<std::uint16_t>(number > 1 ? number - 1 : 0),
                     .nullable = (entry & kDroppedNotNull) == 0,
                     .big = number == 1});
            } else if (number < part_.columns.size()) {
                fields.push_back(part_.columns[number]);
            } else {
                return make_error(ErrorCode::Corruption,
                                  "the list of instant changes names column {} of {}", number,
                                  part_.columns.size());
            }
        }
        return {};
    }

    /// The added fields' defaults. What an ALTER TABLE that had not ended adds comes behind
    /// `fields`, of which it changes nothing.
    Status take_defaults(const std::vector<FieldLayout>& fields) {
        std::vector<FieldLayout> stored = fields;
        if (listed()) {
            stored.insert(stored.begin() + static_cast<std::ptrdiff_t>(head_fields()),
                          {.fixed_size = record::kReferenceSize, .nullable = false});
        }
        ASSIGN_OR_RETURN(const std::size_t has,
                         record::physical_fields(reader_.page(), reader_.origin(), layout_.compact,
                                                 core_fields_));
        if (changing_ ? has < stored.size() : has != stored.size()) {
            return make_error(ErrorCode::Corruption,
                              "the record of instant changes has {} fields, the index {}", has,
                              stored.size());
        }
        std::vector<Field> values(stored.size());
        RETURN_IF_ERROR(parse(stored, has - stored.size(), values));
        layout_.defaults.clear();
        for (std::size_t i = core_fields_; i < fields.size(); ++i) {
            const Field& value = values[i + (listed() ? 1 : 0)];
            record::DefaultValue made{.null = value.null, .bytes = {}};
            RETURN_IF_ERROR(resolve(value, made.bytes));
            layout_.defaults.push_back(std::move(made));
        }
        return {};
    }

    /// The record's first fields into `values`. Of the `more` behind them it is not known how many
    /// may be NULL, so neither how long the null bitmap is, beyond which the lengths are.
    Status parse(std::vector<FieldLayout> stored, std::size_t more, std::span<Field> values) const {
        const auto take = [&](std::span<Field> out) {
            return record::parse_metadata(reader_.page(), reader_.origin(), layout_.compact, stored,
                                          core_fields_, out);
        };
        stored.resize(stored.size() + more, {.nullable = false});
        RETURN_IF_ERROR(take(values));
        std::vector<Field> others(values.size());
        for (std::size_t i = values.size(); i < stored.size(); ++i) {
            stored[i].nullable = true;
            const Status taken = take(others);
            if (!taken || !std::ranges::equal(values, others, [](const Field& a, const Field& b) {
                    return a.null == b.null && a.data == b.data && a.size == b.size;
                })) {
                return make_error(ErrorCode::Unsupported,
                                  "an instant ALTER TABLE had not ended, and the columns that it "
                                  "added hide the defaults of those added before")
                    .with_hint("--read-uncommitted shows the rows with the new columns");
            }
        }
        return {};
    }

    Status resolve(const Field& value, std::string& out) {
        const std::size_t local = value.size - (value.external ? record::kReferenceSize : 0);
        out = record::as_text(value.bytes().first(local));
        if (!value.external) {
            return {};
        }
        btree::BlobReader blobs(reader_.source(), part_.space, reader_.tree().physical_size, false);
        return blobs.append(value.bytes().last(record::kReferenceSize), out);
    }

    btree::TreeReader& reader_;
    const dict::StoredPart& part_;
    bool skip_damage_;
    record::RecordLayout& layout_;
    std::size_t core_fields_ = 0;
    std::optional<std::size_t> core_null_bytes_;
    bool changing_ = false;  // an ALTER TABLE that had not ended wrote the record
};

}  // namespace

Result<bool> apply_instant_changes(btree::TreeReader& reader, const dict::StoredPart& part,
                                   const undo::Transactions* transactions, bool skip_damage,
                                   record::RecordLayout& layout) {
    if (part.row_format == dict::RowFormat::Compressed) {
        return false;  // never changed instantly
    }
    return InstantReader(reader, part, skip_damage, layout).run(transactions);
}

}  // namespace redoubt::engine
