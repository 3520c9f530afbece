#include "engine/table_cursor.h"

#include <algorithm>
#include <array>

#include "engine/instant.h"
#include "record/compare.h"
#include "record/parse.h"

namespace redoubt::engine {

using record::Field;
using record::kNoField;
using record::Value;

TableCursor::TableCursor(const CursorContext& context, const dict::StoredTable& table,
                         const Scan& scan)
    : context_(context),
      table_(table),
      scan_(scan),
      versions_(context.spaces, context.transactions, context.spaces.page_size()),
      slot_of_(table.types.size(), kNoField) {
    for (const std::size_t position : scan_.columns) {
        if (position < slot_of_.size() && slot_of_[position] == kNoField) {
            slot_of_[position] = columns_.size();
            columns_.push_back(
                {.field = kNoField,
                 .decoder = std::make_unique<record::ValueDecoder>(table.types[position]),
                 .whole = {}});
        }
    }
}

Status TableCursor::start() {
    if (scan_.index >= table_.table.indexes.size()) {
        return make_error(ErrorCode::Internal, "table {} has no index {}", table_.table.name,
                          scan_.index);
    }
    make_bound(scan_.lower, lower_);
    make_bound(scan_.upper, upper_);
    part_ = scan_.descending ? table_.parts.size() - 1 : 0;
    return start_part();
}

/// The longest beginning of the bound that can be compared exactly.
void TableCursor::make_bound(const std::optional<KeyBound>& from, Bound& bound) const {
    const dict::Index& index = table_.table.indexes[scan_.index];
    const record::RecordLayout& layout = table_.parts.front().indexes[scan_.index].layout;
    if (!from || !index.searchable) {
        return;
    }
    bound.inclusive = from->inclusive;
    for (std::size_t i = 0; i < from->values.size() && i < index.columns.size(); ++i) {
        const record::FieldLayout& field = layout.fields[i];
        std::string bytes;
        const bool null = from->values[i].is_null();
        if (field.prefix != 0 || field.descending || field.type == nullptr ||
            !field.type->comparable() ||
            (!null && !record::encode_key(*field.type, from->values[i], bytes))) {
            bound.inclusive = true;  // what is cut off may lie on either side
            break;
        }
        bound.bytes.push_back(std::move(bytes));
        bound.key.push_back({.null = null});
    }
    for (std::size_t i = 0; i < bound.key.size(); ++i) {
        bound.key[i].data =
            static_cast<const std::byte*>(static_cast<const void*>(bound.bytes[i].data()));
        bound.key[i].size = static_cast<std::uint32_t>(bound.bytes[i].size());
    }
    bound.given = !bound.key.empty();
}

Result<btree::Tree> TableCursor::tree_of(const dict::StoredIndex& index) const {
    ASSIGN_OR_RETURN(const space::SpaceHeader header, context_.spaces.header(part().space));
    return btree::Tree::at({part().space, index.root}, index.id, header.flags);
}

bool TableCursor::has_virtual_column() const {
    const auto& positions = table_.table.indexes[scan_.index].columns;
    const auto& fields = part().indexes[scan_.index].layout.fields;
    return std::ranges::any_of(fields, &record::FieldLayout::is_hidden_hash) ||
           std::ranges::any_of(positions, [&](std::size_t position) {
               return table_.table.columns[position].virtual_column;
           });
}

Status TableCursor::open_part() {
    const bool secondary = scan_.index != 0;
    reader_.reset();  // of the part before, which uses the layouts
    lookup_.reset();
    clustered_layout_ = part().indexes[0].layout;
    ASSIGN_OR_RETURN(const btree::Tree tree, tree_of(part().indexes[0]));
    auto reader = std::make_unique<btree::TreeReader>(context_.spaces, tree, clustered_layout_,
                                                      context_.cancel);
    blobs_ = std::make_unique<btree::BlobReader>(context_.spaces, part().space, tree.physical_size,
                                                 tree.row_compressed);
    if (!context_.read_uncommitted && context_.transactions.emptied_tables().contains(part().id)) {
        return {};  // it was empty before the transaction that filled it
    }
    RETURN_IF_ERROR(apply_instant_changes(
        *reader, part(), context_.read_uncommitted ? nullptr : &context_.transactions,
        context_.lost != nullptr, clustered_layout_));
    if (secondary) {
        const auto& key = clustered_layout_.fields;
        for (std::size_t i = 0; i < clustered_layout_.key_fields; ++i) {
            if (key[i].type != nullptr && !key[i].type->comparable()) {
                return make_error(ErrorCode::Unsupported,
                                  "rows of table {} cannot be found by their keys: the order of "
                                  "their collation is not known here",
                                  table_.table.name);
            }
        }
        if (has_virtual_column() && !context_.transactions.open().empty()) {
            return make_error(ErrorCode::Unsupported,
                              "index {} of table {} has a virtual column: which entries are of "
                              "transactions that had not ended cannot be told",
                              table_.table.indexes[scan_.index].name, table_.table.name);
        }
        lookup_ = std::move(reader);
        index_layout_ = part().indexes[scan_.index].layout;
        ASSIGN_OR_RETURN(const btree::Tree index_tree, tree_of(part().indexes[scan_.index]));
        reader = std::make_unique<btree::TreeReader>(context_.spaces, index_tree, index_layout_,
                                                     context_.cancel);
        if (context_.changes_buffered) {
            changes_ = std::make_unique<btree::BufferedChanges>(
                context_.spaces, context_.spaces.page_size(), context_.cancel);
            reader->add_changes(changes_.get());
        }
    }
    reader_ = std::move(reader);
    if (context_.read_ahead) {
        reader_->allow_read_ahead();
    }
    RETURN_IF_ERROR(find_fields());
    return position();
}

/// Where the columns that are asked for lie in this part's records.
Status TableCursor::find_fields() {
    fields_.resize(clustered_layout_.fields.size());
    key_fields_.resize(index_layout_.fields.size() + 1);
    field_count_ = 0;
    for (std::size_t position = 0; position < slot_of_.size(); ++position) {
        if (slot_of_[position] == kNoField || table_.table.columns[position].virtual_column) {
            continue;
        }
        Column& column = columns_[slot_of_[position]];
        column.field = kNoField;
        for (std::size_t i = 0; i < clustered_layout_.fields.size(); ++i) {
            const record::FieldLayout& field = clustered_layout_.fields[i];
            if (field.column == position && field.prefix == 0) {
                column.field = i;
            }
        }
        if (column.field == kNoField) {
            return make_error(ErrorCode::Corruption, "column {} of table {} is stored nowhere",
                              table_.table.columns[position].name, table_.table.name);
        }
        field_count_ = std::max(field_count_, column.field + 1);
    }
    end_field_ = kNoField;
    if (table_.table.row_end && !scan_.history) {
        for (std::size_t i = 0; i < clustered_layout_.fields.size(); ++i) {
            const record::FieldLayout& field = clustered_layout_.fields[i];
            if (field.column == *table_.table.row_end) {
                end_field_ = i;
                field_count_ = std::max(field_count_, i + 1);
            }
        }
    }
    if (!context_.transactions.open().empty()) {
        field_count_ = std::max(field_count_, clustered_layout_.trx_id_field + 2);
    }
    return {};
}

Status TableCursor::position() {
    const Bound& start = scan_.descending ? upper_ : lower_;
    passes_to_start_ = false;
    Status placed = start.given ? reader_->to_key(start.key, scan_.descending == start.inclusive)
                    : scan_.descending ? reader_->to_last()
                                       : reader_->to_first();
    if (placed || !may_lose(placed.error())) {
        return placed;
    }
    passes_to_start_ = start.given;
    return skip_damage(placed.error());
}

/// A part that cannot be read at all may be left out as a whole.
Status TableCursor::start_part() {
    Status opened = open_part();
    if (opened || !may_lose(opened.error())) {
        return opened;
    }
    reader_.reset();
    context_.lost->lose(
        table_, part(),
        {part().indexes[0].root, btree::PassedPage::Loss::Below, std::move(opened.error())});
    return {};
}

Result<bool> TableCursor::step() {
    for (;;) {
        auto more = scan_.descending ? reader_->previous() : reader_->next();
        if (more || !may_lose(more.error())) {
            return more;
        }
        RETURN_IF_ERROR(skip_damage(std::move(more.error())));
    }
}

Status TableCursor::skip_damage(Error why) {
    std::vector<btree::PassedPage> passed;
    Status skipped = reader_->skip_damage(!scan_.descending, std::move(why), passed);
    for (const btree::PassedPage& page : passed) {
        context_.lost->lose(table_, part(), page);
    }
    return skipped;
}

/// Whether a scan goes on past what could not be read.
bool TableCursor::may_lose(const Error& why) const {
    return context_.lost != nullptr && why.code() != ErrorCode::Cancelled &&
           why.code() != ErrorCode::Internal;
}

Result<bool> TableCursor::next() {
    while (!done_) {
        bool more = false;
        if (reader_ != nullptr) {
            ASSIGN_OR_RETURN(more, step());
        }
        if (more && end().given) {
            ASSIGN_OR_RETURN(const bool beyond, beyond_end());
            more = !beyond;
        }
        if (more) {
            auto is_row = before_start();
            is_row = !is_row ? std::move(is_row) : *is_row ? Result<bool>(false) : settle_whole();
            if (!is_row && may_lose(is_row.error())) {
                context_.lost->lose_row(table_, reader_->page_id(), reader_->origin(),
                                        is_row.error());
            } else if (!is_row || *is_row) {
                return is_row;
            }
            continue;
        }
        const std::size_t last = scan_.descending ? 0 : table_.parts.size() - 1;
        if (part_ == last) {
            done_ = true;
        } else {
            part_ = scan_.descending ? part_ - 1 : part_ + 1;
            RETURN_IF_ERROR(start_part());
        }
    }
    return false;
}

/// Where the current record is to a bound, in the order of the scan; nothing for the record that
/// is before all.
Result<std::optional<int>> TableCursor::order_to(const Bound& bound) {
    if ((reader_->info() & record::kMinimumRecord) != 0) {
        return std::nullopt;
    }
    std::vector<Field>& fields = scan_.index == 0 ? fields_ : key_fields_;
    RETURN_IF_ERROR(reader_->parse(bound.key.size(), fields));
    const int order = record::compare_keys(reader_->layout().fields, fields, bound.key);
    return scan_.descending ? -order : order;
}

Result<bool> TableCursor::beyond_end() {
    ASSIGN_OR_RETURN(const std::optional<int> order, order_to(end()));
    return order && (*order > 0 || (*order == 0 && !end().inclusive));
}

Result<bool> TableCursor::before_start() {
    if (!passes_to_start_) {
        return false;
    }
    const Bound& start = scan_.descending ? upper_ : lower_;
    ASSIGN_OR_RETURN(const std::optional<int> order, order_to(start));
    return order && (*order < 0 || (*order == 0 && !start.inclusive));
}

Result<bool> TableCursor::settle() {
    parsed_ = false;
    uncommitted_ = false;
    whole_row_ = false;
    ASSIGN_OR_RETURN(const bool is_row,
                     scan_.index != 0 ? settle_secondary() : settle_clustered(*reader_));
    if (!is_row || end_field_ == kNoField) {
        return is_row;
    }
    ASSIGN_OR_RETURN(const bool ended, has_ended());
    return !ended;
}

/// Where a row may be left out, all that is asked for of it has been read before it is shown.
Result<bool> TableCursor::settle_whole() {
    ASSIGN_OR_RETURN(const bool is_row, settle());
    for (std::size_t position = 0; is_row && context_.lost != nullptr && position < slot_of_.size();
         ++position) {
        if (slot_of_[position] != kNoField) {
            RETURN_IF_ERROR(value(position));
        }
    }
    return is_row;
}

/// Whether the row is of a versioned table's history: its end is not the last moment there is.
Result<bool> TableCursor::has_ended() {
    static constexpr auto kLastMoment = std::to_array<std::uint8_t>(
        {0x7F, 0xFF, 0xFF, 0xFF, 0x0F, 0x42, 0x3F});  // TIMESTAMP(6) in 2038
    static constexpr auto kNoTransaction =
        std::to_array<std::uint8_t>({0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
    if (!parsed_) {
        RETURN_IF_ERROR(clustered().parse(field_count_, fields_));
        parsed_ = true;
    }
    const auto bytes = fields_[end_field_].bytes();
    const auto is = [&](std::span<const std::uint8_t> moment) {
        return std::equal(bytes.begin(), bytes.end(), moment.begin(), moment.end(),
                          [](std::byte a, std::uint8_t b) { return a == std::byte{b}; });
    };
    return !is(kLastMoment) && !is(kNoTransaction);
}

Result<bool> TableCursor::settle_clustered(btree::TreeReader& reader) {
    const unsigned info = reader.info();
    if ((info & record::kMinimumRecord) != 0) {
        return false;
    }
    bool deleted = (info & record::kDeleteMark) != 0;
    if (context_.transactions.open().empty()) {
        return !deleted;
    }
    RETURN_IF_ERROR(reader.parse(field_count_, fields_));
    parsed_ = true;
    if (versions_.committed(fields_, clustered_layout_)) {
        return !deleted;
    }
    if (context_.read_uncommitted) {
        uncommitted_ = true;
        return !deleted;
    }
    RETURN_IF_ERROR(reader.parse(clustered_layout_.fields.size(), fields_));
    whole_row_ = true;
    auto exists = versions_.take_back(part().id, clustered_layout_, fields_, deleted);
    if (!exists) {
        return std::move(exists.error()).with_page(reader.page_id());
    }
    return *exists && !deleted;
}

Result<bool> TableCursor::settle_secondary() {
    RETURN_IF_ERROR(reader_->parse(index_layout_.fields.size(), key_fields_));
    if ((reader_->info() & record::kDeleteMark) != 0 && context_.transactions.open().empty()) {
        return false;
    }
    ASSIGN_OR_RETURN(const bool found, find_clustered());
    if (!found) {
        return false;
    }
    ASSIGN_OR_RETURN(const bool is_row, settle_clustered(*lookup_));
    if (!is_row) {
        return false;
    }
    return same_key();
}

/// Sets the clustered reader on the row that the current entry is of.
Result<bool> TableCursor::find_clustered() {
    std::vector<Field> key(clustered_layout_.key_fields);
    for (std::size_t i = 0; i < key.size(); ++i) {
        const record::FieldLayout& wanted = clustered_layout_.fields[i];
        bool found = false;
        for (std::size_t j = index_layout_.fields.size(); j-- > 0 && !found;) {
            const record::FieldLayout& has = index_layout_.fields[j];
            found = has.column == wanted.column && has.document_id == wanted.document_id &&
                    (has.prefix == wanted.prefix || has.prefix == 0);
            if (found) {
                key[i] = key_fields_[j];
                if (wanted.prefix != 0) {  // so many characters, whatever bytes they have
                    key[i].size = static_cast<std::uint32_t>(
                        record::prefix_size(wanted, record::as_text(key[i].bytes())));
                }
            }
        }
        if (!found) {
            return make_error(ErrorCode::Corruption, "index {} does not hold the table's key",
                              table_.table.indexes[scan_.index].name);
        }
    }
    RETURN_IF_ERROR(lookup_->to_key(key, false));
    ASSIGN_OR_RETURN(const bool more, lookup_->next());
    if (!more) {
        return false;
    }
    RETURN_IF_ERROR(lookup_->parse(key.size(), fields_));
    return record::compare_keys(clustered_layout_.fields, fields_, key) == 0;
}

/// Whether the version of the row that counts has the key of the current entry.
Result<bool> TableCursor::same_key() {
    if (!parsed_) {
        return true;  // nothing was open, and the entry is not delete-marked
    }
    std::vector<Field> row(clustered_layout_.fields.size());
    std::copy(fields_.begin(), fields_.end(), row.begin());
    if (!whole_row_) {
        RETURN_IF_ERROR(lookup_->parse(row.size(), row));
    }
    for (std::size_t j = 0; j < index_layout_.fields.size(); ++j) {
        const record::FieldLayout& has = index_layout_.fields[j];
        for (std::size_t i = 0; i < row.size(); ++i) {
            const record::FieldLayout& field = clustered_layout_.fields[i];
            const bool same = has.column == kNoField ? has.document_id && field.document_id
                                                     : field.column == has.column;
            if (!same || field.prefix != 0) {
                continue;
            }
            // Equal values need not have the same length.
            ASSIGN_OR_RETURN(const Field value,
                             beginning_of(row[i], has.prefix != 0 ? has.prefix : SIZE_MAX));
            if (has.prefix != 0 ? !record::is_prefix_of(has, key_fields_[j], value)
                                : record::compare_fields(has, key_fields_[j], value) != 0) {
                return false;
            }
        }
    }
    return true;
}

/// At least the first `size` bytes of a value that has so many, wherever they are.
Result<Field> TableCursor::beginning_of(const Field& field, std::size_t size) {
    if (!field.external) {
        return field;
    }
    const std::size_t local = field.size - record::kReferenceSize;
    beginning_.assign(record::as_text(field.bytes().first(local)));
    if (local < size) {
        RETURN_IF_ERROR(
            blobs_->append(field.bytes().last(record::kReferenceSize), beginning_, size - local));
    }
    const auto bytes = std::as_bytes(std::span<const char>(beginning_));
    return Field{.data = bytes.data(), .size = static_cast<std::uint32_t>(bytes.size())};
}

/// Of a field with an off-page part.
Result<std::span<const std::byte>> TableCursor::whole_value(const Field& field, Column& column) {
    const std::size_t local = field.size - record::kReferenceSize;
    column.whole.assign(record::as_text(field.bytes().first(local)));
    RETURN_IF_ERROR(blobs_->append(field.bytes().last(record::kReferenceSize), column.whole));
    return std::as_bytes(std::span<const char>(column.whole));
}

Result<const Value*> TableCursor::value(std::size_t position) {
    static constexpr Value kNull;
    static constexpr Value kNotStored{.kind = Value::Kind::NotStored};
    if (position >= slot_of_.size() || slot_of_[position] == kNoField) {
        return make_error(ErrorCode::Internal, "column {} was not asked for", position);
    }
    if (table_.table.columns[position].virtual_column) {
        return &kNotStored;
    }
    if (!parsed_) {
        RETURN_IF_ERROR(clustered().parse(field_count_, fields_));
        parsed_ = true;
    }
    Column& column = columns_[slot_of_[position]];
    const Field& field = fields_[column.field];
    if (field.null) {
        return &kNull;
    }
    std::span<const std::byte> bytes = field.bytes();
    if (field.external) {
        ASSIGN_OR_RETURN(bytes, whole_value(field, column));
    }
    auto decoded = column.decoder->decode(bytes);
    if (!decoded) {
        return std::move(decoded.error()).with_page(clustered().page_id());
    }
    return *decoded;
}

}  // namespace redoubt::engine
