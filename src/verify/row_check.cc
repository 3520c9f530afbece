#include "verify/row_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/big_endian.h"
#include "btree/page_records.h"
#include "btree/row_compressed.h"
#include "record/compare.h"
#include "record/geometry.h"
#include "record/parse.h"

namespace redoubt::verify {
namespace {

using record::Field;
using record::kNoField;

constexpr std::size_t kDoubtfulMax = std::size_t{1} << 20;  // rows; 64 MiB of memory
constexpr std::size_t kBucketsNamed = 16;                   // that are looked at again
constexpr std::size_t kProblemsMax = 100;                   // for each index

std::uint64_t hash_of(std::string_view bytes) { return std::hash<std::string_view>{}(bytes); }

/// So that bytes of one field cannot pass for bytes of its neighbour.
constexpr std::size_t kFrameSize = 1 + sizeof(std::uint32_t);  // bytes before the field's own
void append_framed(std::string& out, bool null, std::string_view bytes) {
    const auto size = static_cast<std::uint32_t>(bytes.size());
    out.push_back(null ? '\1' : '\0');
    out.append(static_cast<const char*>(static_cast<const void*>(&size)), sizeof size);
    out.append(bytes);
}

std::string_view text_of(std::span<const std::byte> bytes) { return record::as_text(bytes); }

std::uint64_t trx_id_of(const Field& field) {
    std::uint64_t id = 0;
    for (const std::byte byte : field.bytes()) {
        id = id << 8 | std::to_integer<std::uint64_t>(byte);
    }
    return id;
}

}  // namespace

RowChecker::RowChecker(space::PageSource& source, const RowTree& clustered,
                       const std::vector<RowTree>& secondaries,
                       const undo::Transactions& transactions, Report report,
                       const base::CancelToken* cancel)
    : source_(source),
      clustered_(clustered),
      transactions_(transactions),
      report_(std::move(report)),
      cancel_(cancel),
      blobs_(source, clustered.tree.root.space, clustered.tree.physical_size,
             clustered.tree.row_compressed),
      row_(clustered.layout->fields.size()) {
    for (const RowTree& secondary : secondaries) {
        Index index{.tree = secondary, .from = {}, .key = {}};
        if (!plan(index)) {
            index.compared = false;
            gaps_.push_back({indexes_.size(), "it has a column that no row stores"});
        }
        indexes_.push_back(std::move(index));
    }
}

/// Which field of a row each field of an entry is made of. False: some cannot be made.
bool RowChecker::plan(Index& index) {
    const auto& row = clustered_.layout->fields;
    const auto& entry = index.tree.layout->fields;
    const std::size_t key_size = clustered_.layout->key_fields;
    for (const record::FieldLayout& field : entry) {
        std::size_t from = kNoField;
        if (field.is_hidden_hash()) {
            return false;
        }
        if (field.column == kNoField && !field.document_id) {  // DB_ROW_ID
            from = 0;
        } else {
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (row[i].column == field.column && row[i].document_id == field.document_id &&
                    (from == kNoField || row[i].prefix == 0)) {
                    from = i;
                }
            }
        }
        if (from == kNoField) {
            return false;
        }
        index.from.push_back(from);
    }
    for (std::size_t i = 0; i < key_size; ++i) {
        std::size_t found = kNoField;
        for (std::size_t j = 0; j < entry.size(); ++j) {
            if (entry[j].column == row[i].column && entry[j].prefix == row[i].prefix &&
                entry[j].document_id == row[i].document_id) {
                found = j;
            }
        }
        if (found == kNoField) {
            return false;
        }
        index.key.push_back(found);
    }
    return true;
}

Status RowChecker::run() {
    if (pending_ == nullptr && std::none_of(indexes_.begin(), indexes_.end(),
                                            [](const Index& index) { return index.compared; })) {
        return {};
    }
    Orphans orphans;
    for (Index& index : indexes_) {
        index.sums.assign(kBuckets, 0);
        index.counts.assign(kBuckets, 0);
    }
    RETURN_IF_ERROR(read_rows(
        [&](std::uint64_t key, btree::TreeReader&) -> Status {
            for (Index& index : indexes_) {
                if (index.compared) {
                    ASSIGN_OR_RETURN(const std::uint64_t entry, entry_of_row(index));
                    index.sums[key % kBuckets] -= entry;
                    --index.counts[key % kBuckets];
                }
            }
            return {};
        },
        &orphans));
    tell_orphans({}, orphans);
    if (too_many_doubtful_) {
        for (std::size_t i = 0; i < indexes_.size(); ++i) {
            gaps_.push_back({i, "too many of its rows are of transactions that had not ended"});
        }
        return {};
    }
    for (std::size_t i = 0; i < indexes_.size(); ++i) {
        Index& index = indexes_[i];
        if (!index.compared) {
            continue;
        }
        orphans = {};
        RETURN_IF_ERROR(read_entries(
            index,
            [&](std::uint64_t key, std::uint64_t entry, const Entry&) {
                index.sums[key % kBuckets] += entry;
                ++index.counts[key % kBuckets];
            },
            &orphans));
        tell_orphans(i, orphans);
        RETURN_IF_ERROR(name_differences(i));
    }
    return {};
}

/// Every row that counts: not deleted, and not of a transaction that had not ended, whose entries
/// may be there or not.
Status RowChecker::read_rows(
    const std::function<Status(std::uint64_t key, btree::TreeReader&)>& each, Orphans* orphans) {
    const record::RecordLayout& layout = *clustered_.layout;
    btree::TreeReader reader(source_, clustered_.tree, layout, cancel_);
    RETURN_IF_ERROR(reader.to_first());
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, reader.next());
        if (!more) {
            return {};
        }
        if ((reader.info() & record::kMinimumRecord) != 0) {
            continue;
        }
        RETURN_IF_ERROR(reader.parse(layout.fields.size(), row_));
        if (!transactions_.open().empty() &&
            transactions_.is_open(trx_id_of(row_[layout.trx_id_field]))) {
            if (doubtful_.size() >= kDoubtfulMax) {
                too_many_doubtful_ = true;
                return {};
            }
            doubtful_.insert(key_of_row());
            continue;
        }
        if ((reader.info() & record::kDeleteMark) == 0) {
            RETURN_IF_ERROR(each(key_of_row(), reader));
        } else if (orphans != nullptr) {
            take_mark(std::span(row_).first(layout.key_fields),
                      {reader.page_id().page, reader.origin()}, *orphans);
        }
    }
}

std::uint64_t RowChecker::key_of_row() const {
    scratch_.clear();
    for (std::size_t i = 0; i < clustered_.layout->key_fields; ++i) {
        append_framed(scratch_, row_[i].null, text_of(row_[i].bytes()));
    }
    return hash_of(scratch_);
}

Result<std::uint64_t> RowChecker::entry_of_row(const Index& index) {
    scratch_.clear();
    for (std::size_t i = 0; i < index.from.size(); ++i) {
        if (i == 0 && index.tree.layout->spatial) {
            RETURN_IF_ERROR(append_box(index.from[i], scratch_));
        } else {
            RETURN_IF_ERROR(append_field(index.tree.layout->fields[i], index.from[i], scratch_));
        }
    }
    return hash_of(scratch_);
}

/// Of the current row, as an index with `to` has it.
Status RowChecker::append_field(const record::FieldLayout& to, std::size_t from, std::string& out) {
    const Field& field = row_[from];
    std::string_view bytes = text_of(field.bytes());
    if (field.external) {
        // As much as the prefix may need is in front of the reference, or behind it.
        blob_.assign(bytes.substr(0, bytes.size() - record::kReferenceSize));
        if (to.prefix == 0 || blob_.size() < to.prefix) {
            RETURN_IF_ERROR(blobs_.append(field.bytes().last(record::kReferenceSize), blob_,
                                          to.prefix == 0 ? UINT64_MAX : to.prefix));
        }
        bytes = blob_;
    }
    if (to.prefix != 0) {
        bytes = bytes.substr(0, record::prefix_size(to, bytes));
    }
    append_framed(out, field.null, bytes);
    return {};
}

/// Of a geometry of the current row, as an R-tree has it.
Status RowChecker::append_box(std::size_t from, std::string& out) {
    std::string framed;
    RETURN_IF_ERROR(append_field({}, from, framed));
    const std::string_view value = std::string_view(framed).substr(kFrameSize);
    const auto ends = record::ends_of_geometry(std::as_bytes(std::span(value)));
    if (!ends) {
        return make_error(ErrorCode::Corruption, "a row holds what is no geometry");
    }
    append_framed(out, false,
                  {static_cast<const char*>(static_cast<const void*>(ends->data())), sizeof *ends});
    return {};
}

/// Leaf by leaf: what is before which means nothing.
Status RowChecker::read_spatial(const Index& index, const EachEntry& each, Orphans* orphans) {
    const record::RecordLayout& layout = *index.tree.layout;
    const btree::Tree& tree = index.tree.tree;
    btree::PageExpander expander;
    std::vector<std::byte> page(tree.logical_size);
    std::vector<std::byte> stored(tree.physical_size);
    std::vector<std::uint16_t> origins;
    std::vector<Field> fields(layout.fields.size());
    for (const PageNo number : index.tree.leaves) {
        RETURN_IF_ERROR(base::check_cancelled(cancel_));
        const PageId id{tree.root.space, number};
        RETURN_IF_ERROR(source_.read(id, tree.row_compressed ? stored : page));
        if (tree.row_compressed) {
            RETURN_IF_ERROR(expander.expand(stored, id, page));
        }
        RETURN_IF_ERROR(
            btree::list_records(page, id, tree.index_id, layout.compact, origins, true));
        for (const std::uint16_t origin : origins) {
            RETURN_IF_ERROR(
                record::parse_record(page, origin, layout, layout.fields.size(), fields));
            if ((record::info_bits(page, origin, layout.compact) & record::kDeleteMark) == 0) {
                take_entry(index, fields, {number, origin}, each);
            } else {
                take_mark(index, fields, {number, origin}, orphans);
            }
        }
    }
    return {};
}

Status RowChecker::read_entries(const Index& index, const EachEntry& each, Orphans* orphans) {
    const record::RecordLayout& layout = *index.tree.layout;
    if (layout.spatial) {
        return read_spatial(index, each, orphans);
    }
    btree::TreeReader reader(source_, index.tree.tree, layout, cancel_);
    reader.add_changes(changes_);
    std::vector<Field> fields(layout.fields.size());
    RETURN_IF_ERROR(reader.to_first());
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, reader.next());
        if (!more) {
            return {};
        }
        const Entry where{reader.page_id().page, reader.origin()};
        const bool deleted = (reader.info() & record::kDeleteMark) != 0;
        if (deleted && orphans == nullptr) {
            continue;
        }
        RETURN_IF_ERROR(reader.parse(layout.fields.size(), fields));
        if (deleted) {
            take_mark(index, fields, where, orphans);
        } else {
            take_entry(index, fields, where, each);
        }
    }
}

void RowChecker::take_mark(std::span<const Field> key, const Entry& where, Orphans& orphans) const {
    if (pending_ != nullptr && !pending_->contains(table_id_, pending_key_, key) &&
        orphans.count++ == 0) {
        orphans.first = where;
    }
}

/// Of an entry, whose row an undo log must speak of.
void RowChecker::take_mark(const Index& index, std::span<const Field> fields, const Entry& where,
                           Orphans* orphans) {
    if (orphans == nullptr) {
        return;
    }
    key_.clear();
    for (const std::size_t from : index.key) {
        key_.push_back(fields[from]);
    }
    take_mark(key_, where, *orphans);
}

void RowChecker::tell_orphans(std::optional<std::size_t> index, const Orphans& orphans) const {
    if (orphans.count == 0) {
        return;
    }
    // A spatial index takes a new entry beside an equal one that is marked, and purge then leaves
    // the marked one as the row's own (docs/formats/undo.md#spatial).
    const bool spatial = index && indexes_[*index].tree.layout->spatial;
    report_({.kind = spatial ? "mark-left-by-purge" : "mark-without-undo",
             .index = index,
             .page = orphans.first.page,
             .message = fmt::format(
                 "{} marked as deleted, which no undo log speaks of, the first at offset {}: {}",
                 orphans.count == 1 ? "a record is" : fmt::format("{} records are", orphans.count),
                 orphans.first.origin,
                 spatial ? "the server leaves such entries where a row comes back to a rectangle "
                           "that it had before; no search sees them"
                         : "the mark is damage, or a log was lost before purge read it"),
             .severity = spatial ? Severity::Note : Severity::Warning});
}

void RowChecker::take_entry(const Index& index, std::span<const Field> fields, const Entry& where,
                            const EachEntry& each) {
    scratch_.clear();
    for (const std::size_t from : index.key) {
        append_framed(scratch_, fields[from].null, text_of(fields[from].bytes()));
    }
    const std::uint64_t key = hash_of(scratch_);
    if (doubtful_.contains(key)) {
        return;
    }
    scratch_.clear();
    for (const Field& field : fields) {
        append_framed(scratch_, field.null, text_of(field.bytes()));
    }
    each(key, hash_of(scratch_), where);
}

/// The first buckets that differ, entry by entry.
Status RowChecker::name_differences(std::size_t number) {
    Index& index = indexes_[number];
    std::vector<bool> wanted(kBuckets, false);
    std::size_t differ = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
        if (index.sums[i] != 0 || index.counts[i] != 0) {
            wanted[i] = ++differ <= kBucketsNamed;
        }
    }
    if (differ == 0) {
        return {};
    }
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<Entry>> entries;
    RETURN_IF_ERROR(read_entries(
        index,
        [&](std::uint64_t key, std::uint64_t entry, const Entry& where) {
            if (wanted[key % kBuckets]) {
                entries[{key, entry}].push_back(where);
            }
        },
        nullptr));
    std::size_t told = 0;
    const auto tell = [&](std::string_view kind, const Entry& where, std::string message) {
        if (++told <= kProblemsMax) {
            report_(
                {.kind = kind, .index = number, .page = where.page, .message = std::move(message)});
        }
    };
    RETURN_IF_ERROR(read_rows(
        [&](std::uint64_t key, btree::TreeReader& reader) -> Status {
            if (!wanted[key % kBuckets]) {
                return {};
            }
            ASSIGN_OR_RETURN(const std::uint64_t entry, entry_of_row(index));
            const auto found = entries.find({key, entry});
            if (found == entries.end()) {
                tell(
                    "row-without-entry", {reader.page_id().page, reader.origin()},
                    fmt::format("the row at offset {} has no entry in the index", reader.origin()));
                return {};
            }
            found->second.pop_back();
            if (found->second.empty()) {
                entries.erase(found);
            }
            return {};
        },
        nullptr));
    for (const auto& [_, places] : entries) {
        for (const Entry& where : places) {
            tell("entry-without-row", where,
                 fmt::format("the entry at offset {} is of no row of the table", where.origin));
        }
    }
    if (told > kProblemsMax || differ > kBucketsNamed) {
        report_({.kind = "more-rows",
                 .index = number,
                 .page = index.tree.tree.root.page,
                 .message = "more rows and entries do not fit each other"});
    }
    return {};
}

}  // namespace redoubt::verify
