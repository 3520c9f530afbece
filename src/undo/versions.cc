#include "undo/versions.h"

#include <algorithm>
#include <cstring>

#include "base/big_endian.h"
#include "base/integers.h"
#include "page/header.h"
#include "record/parse.h"

namespace redoubt::undo {
namespace {

constexpr std::uint64_t kInsertBit = std::uint64_t{1} << 55;  // of a roll pointer
constexpr std::uint32_t kVirtualFields = 1023;                // numbers from here on
constexpr std::uint8_t kVirtualMark = 0xF1;

void store(std::string& to, std::uint64_t value, std::size_t size) {
    to.clear();
    for (std::size_t i = size; i-- > 0;) {
        to += static_cast<char>((value >> (8 * i)) & 0xFF);
    }
}

const std::byte* bytes_of(const std::string& text) {
    return static_cast<const std::byte*>(static_cast<const void*>(text.data()));
}

/// Which indexes a virtual column is in: of no use here.
Status skip_index_list(RecordReader& body, bool& first) {
    if (first && body.peek() == kVirtualMark) {
        RETURN_IF_ERROR(body.u8());
    }
    first = false;
    ASSIGN_OR_RETURN(const std::uint16_t size, body.u16());
    if (size < 2) {
        return make_error(ErrorCode::Corruption, "an undo record's index list has size {}", size);
    }
    RETURN_IF_ERROR(body.take(size - std::size_t{2}));
    return {};
}

}  // namespace

std::uint64_t load_trx_id(const record::Field& field) { return load_be(field.bytes()); }

Versions::Versions(space::PageSource& source, const Transactions& transactions,
                   std::uint32_t page_size)
    : source_(source), transactions_(transactions), page_(page_size) {}

bool Versions::committed(std::span<const record::Field> fields,
                         const record::RecordLayout& layout) const {
    return layout.trx_id_field >= fields.size() ||
           !transactions_.is_open(load_trx_id(fields[layout.trx_id_field]));
}

Status Versions::read_page(PageId id) {
    if (id == page_id_) {
        return {};
    }
    page_id_ = {kNoSpace, kNoPage};
    RETURN_IF_ERROR(source_.read(id, page_));
    if (page::HeaderView(page_).type() != static_cast<std::uint16_t>(page::PageType::UndoLog)) {
        return corruption(id, "a row's history leads to a page that is none of an undo log: {}",
                          page::type_name(page::HeaderView(page_).type()));
    }
    page_id_ = id;
    return {};
}

Result<PageId> Versions::page_of(std::uint64_t roll_ptr) const {
    const SpaceId space = transactions_.space_of((roll_ptr >> 48) & 0x7F);
    if (space == kNoSpace) {
        return make_error(ErrorCode::Corruption,
                          "a row's history is in a rollback segment that does not exist");
    }
    return PageId{space, PageNo{static_cast<std::uint32_t>(roll_ptr >> 16)}};
}

Result<RecordHead> Versions::read_record(std::uint64_t roll_ptr, std::uint64_t table_id,
                                         RecordReader& body) {
    auto head = read_head(page_, roll_ptr & 0xFFFF, body);
    if (head && head->table_id != table_id) {
        return make_error(ErrorCode::Corruption, "the undo record at offset {} is not of this row",
                          roll_ptr & 0xFFFF);
    }
    return head;
}

Result<bool> Versions::take_back(std::uint64_t table_id, const record::RecordLayout& layout,
                                 std::span<record::Field> fields, bool& deleted) {
    values_.resize(std::max(values_.size(), fields.size()));
    const std::uint64_t transaction = load_trx_id(fields[layout.trx_id_field]);
    std::uint64_t newest = UINT64_MAX;  // undo number of the record last applied
    while (!committed(fields, layout)) {
        const std::uint64_t pointer = load_be(fields[layout.trx_id_field + 1].bytes());
        if (load_trx_id(fields[layout.trx_id_field]) != transaction) {
            return make_error(ErrorCode::Corruption,
                              "two transactions had changed the same row and not ended");
        }
        if ((pointer & kInsertBit) != 0) {
            return false;
        }
        ASSIGN_OR_RETURN(const PageId at, page_of(pointer));
        RETURN_IF_ERROR(read_page(at));
        RecordReader body({});
        const auto head = read_record(pointer, table_id, body);
        Status applied;
        if (!head) {
            applied = head.error();
        } else if (head->number >= newest) {
            applied = make_error(ErrorCode::Corruption,
                                 "the undo record at offset {} is newer than what it goes before",
                                 pointer & 0xFFFF);
        } else {
            newest = head->number;
            applied = apply(body, *head, layout, fields, deleted);
        }
        if (!applied) {
            return std::move(applied.error()).with_page(at);
        }
    }
    return true;
}

Result<Versions::OlderMetadata> Versions::take_back_metadata(std::uint64_t table_id,
                                                             std::uint64_t roll_ptr,
                                                             std::size_t key_fields) {
    ASSIGN_OR_RETURN(const PageId at, page_of(roll_ptr));
    RETURN_IF_ERROR(read_page(at));
    auto older = read_metadata(table_id, roll_ptr, key_fields);
    return older ? std::move(older) : std::move(older.error()).with_page(at);
}

Result<Versions::OlderMetadata> Versions::read_metadata(std::uint64_t table_id,
                                                        std::uint64_t roll_ptr,
                                                        std::size_t key_fields) {
    RecordReader body({});
    ASSIGN_OR_RETURN(const RecordHead head, read_record(roll_ptr, table_id, body));
    ASSIGN_OR_RETURN(const Before before, read_before(body, head, key_fields));
    if (head.type() == RecordType::DeleteMark || (before.info & record::kMinimumRecord) == 0) {
        return make_error(ErrorCode::Corruption,
                          "the undo record at offset {} is not of an instant change",
                          roll_ptr & 0xFFFF);
    }
    if (transactions_.is_open(before.trx_id)) {
        return make_error(ErrorCode::Unsupported, "two instant ALTER TABLE had not ended");
    }
    OlderMetadata older{.listed = (before.info & record::kDeleteMark) != 0, .reference = {}};
    if (!older.listed) {
        return older;
    }
    ASSIGN_OR_RETURN(const std::uint32_t count, body.compressed());
    for (std::uint32_t i = 0; i < count; ++i) {
        ASSIGN_OR_RETURN(const std::uint32_t number, body.compressed());
        ASSIGN_OR_RETURN(const UndoValue value, read_value(body));
        if (number != key_fields + 2) {
            continue;  // what the change added
        }
        if (!value.external || value.bytes.size() < record::kReferenceSize) {
            return make_error(ErrorCode::Corruption,
                              "the undo record at offset {} leads to no list of fields",
                              roll_ptr & 0xFFFF);
        }
        older.reference = record::as_text(value.bytes.last(record::kReferenceSize));
    }
    return older;
}

void Versions::set_system(std::span<record::Field> fields, std::size_t trx_id_field,
                          std::uint64_t trx_id, std::uint64_t roll_ptr) {
    store(values_[trx_id_field], trx_id, record::kTrxIdSize);
    store(values_[trx_id_field + 1], roll_ptr, record::kRollPtrSize);
    for (const std::size_t i : {trx_id_field, trx_id_field + 1}) {
        fields[i] = {.data = bytes_of(values_[i]),
                     .size = static_cast<std::uint32_t>(values_[i].size())};
    }
}

Result<Versions::Before> Versions::read_before(RecordReader& body, const RecordHead& head,
                                               std::size_t key_fields) {
    if (head.type() != RecordType::Update && head.type() != RecordType::UpdateDeleted &&
        head.type() != RecordType::DeleteMark) {
        return make_error(ErrorCode::Corruption, "an undo record of type {} is in a row's history",
                          static_cast<unsigned>(head.type()));
    }
    Before before;
    ASSIGN_OR_RETURN(before.info, body.u8());
    ASSIGN_OR_RETURN(before.trx_id, body.compressed64());
    ASSIGN_OR_RETURN(before.roll_ptr, body.compressed64());
    key_.clear();
    for (std::size_t i = 0; i < key_fields; ++i) {
        ASSIGN_OR_RETURN(const UndoValue key, read_value(body));
        key_.push_back(key.bytes);
    }
    return before;
}

Status Versions::apply(RecordReader& body, const RecordHead& head,
                       const record::RecordLayout& layout, std::span<record::Field> fields,
                       bool& deleted) {
    ASSIGN_OR_RETURN(const Before before, read_before(body, head, layout.key_fields));
    if (head.type() != RecordType::DeleteMark) {
        ASSIGN_OR_RETURN(const std::uint32_t count, body.compressed());
        bool first_virtual = true;
        for (std::uint32_t i = 0; i < count; ++i) {
            RETURN_IF_ERROR(apply_field(body, first_virtual, fields));
        }
    }
    // Only now: a row with an equal key of other bytes ('a', 'A') may have taken a deleted one's
    // place, and then its key is among what was changed.
    for (std::size_t i = 0; i < layout.key_fields; ++i) {
        if (key_[i].size() != fields[i].size ||
            !std::equal(key_[i].begin(), key_[i].end(), fields[i].data)) {
            return make_error(ErrorCode::Corruption, "an undo record is not of this row");
        }
    }
    set_system(fields, layout.trx_id_field, before.trx_id, before.roll_ptr);
    deleted = (before.info & record::kDeleteMark) != 0;
    return {};
}

Status Versions::apply_field(RecordReader& body, bool& first_virtual,
                             std::span<record::Field> fields) {
    ASSIGN_OR_RETURN(const std::uint32_t number, body.compressed());
    if (number >= kVirtualFields) {
        RETURN_IF_ERROR(skip_index_list(body, first_virtual));
        RETURN_IF_ERROR(read_value(body));
        RETURN_IF_ERROR(read_value(body));
        return {};
    }
    if (number >= fields.size()) {
        return make_error(ErrorCode::Corruption, "an undo record changes field {} of {}", number,
                          fields.size());
    }
    ASSIGN_OR_RETURN(const UndoValue value, read_value(body));
    if (value.external && value.bytes.size() < record::kReferenceSize) {
        return make_error(ErrorCode::Corruption, "an undo record's off-page column is too short");
    }
    set(fields[number], number, value);
    return {};
}

void Versions::set(record::Field& field, std::size_t number, const UndoValue& value) {
    if (value.null) {
        field = {.null = true};
        return;
    }
    auto kept = value.bytes;
    std::string& own = values_[number];
    const auto text = [](std::span<const std::byte> bytes) {
        return std::string_view(static_cast<const char*>(static_cast<const void*>(bytes.data())),
                                bytes.size());
    };
    if (value.original_size && *value.original_size >= record::kReferenceSize &&
        *value.original_size < kept.size()) {
        own = text(kept.first(*value.original_size - record::kReferenceSize));
        own += text(kept.last(record::kReferenceSize));
    } else {
        own = text(kept);
    }
    field = {.data = bytes_of(own),
             .size = static_cast<std::uint32_t>(own.size()),
             .external = value.external};
}

}  // namespace redoubt::undo
