/// Older versions of rows: what a row was before transactions that had not ended changed it.
/// Format: docs/formats/undo.md#records.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "record/layout.h"
#include "space/page_source.h"
#include "undo/record.h"
#include "undo/transactions.h"

namespace redoubt::undo {

/// One per reader: keeps the bytes of the version last made.
class Versions {
public:
    /// `page_size`: of undo pages.
    Versions(space::PageSource& source, const Transactions& transactions, std::uint32_t page_size);

    /// False: some transaction that had not ended wrote the record as it is.
    bool committed(std::span<const record::Field> fields, const record::RecordLayout& layout) const;

    /// Turns the record's fields (all of the layout's) into those of its newest committed version;
    /// they then view this object, until the next call. False: there is no such version: the row
    /// was not there. Errors: Corruption with the undo page; NotFound, Io, Key.
    Result<bool> take_back(std::uint64_t table_id, const record::RecordLayout& layout,
                           std::span<record::Field> fields, bool& deleted);

    /// The record of a table's instant changes, as it was before the ALTER TABLE that wrote it and
    /// had not ended.
    struct OlderMetadata {
        bool listed = false;    ///< it led to a list of fields
        std::string reference;  ///< to that list, if it was another
    };
    /// `roll_ptr`: of the record as it is; `key_fields`: of the clustered index. Errors: as above;
    /// Unsupported: what was before was not committed either.
    Result<OlderMetadata> take_back_metadata(std::uint64_t table_id, std::uint64_t roll_ptr,
                                             std::size_t key_fields);

private:
    /// What every undo record of a row's older version begins with.
    struct Before {
        unsigned info = 0;  ///< info bits
        std::uint64_t trx_id = 0;
        std::uint64_t roll_ptr = 0;
    };
    Status read_page(PageId id);
    /// Where a roll pointer leads.
    Result<PageId> page_of(std::uint64_t roll_ptr) const;
    /// The record that a roll pointer leads to; its bytes are in page_.
    Result<RecordHead> read_record(std::uint64_t roll_ptr, std::uint64_t table_id,
                                   RecordReader& body);
    Result<OlderMetadata> read_metadata(std::uint64_t table_id, std::uint64_t roll_ptr,
                                        std::size_t key_fields);
    /// Reads the beginning, key in key_, of a record that says what was changed.
    Result<Before> read_before(RecordReader& body, const RecordHead& head, std::size_t key_fields);
    Status apply(RecordReader& body, const RecordHead& head, const record::RecordLayout& layout,
                 std::span<record::Field> fields, bool& deleted);
    Status apply_field(RecordReader& body, bool& first_virtual, std::span<record::Field> fields);
    void set(record::Field& field, std::size_t number, const UndoValue& value);
    void set_system(std::span<record::Field> fields, std::size_t trx_id_field, std::uint64_t trx_id,
                    std::uint64_t roll_ptr);

    space::PageSource& source_;
    const Transactions& transactions_;
    std::vector<std::byte> page_;
    PageId page_id_{kNoSpace, kNoPage};
    std::vector<std::string> values_;              // by field
    std::vector<std::span<const std::byte>> key_;  // of an undo record; in page_
};

std::uint64_t load_trx_id(const record::Field& field);

}  // namespace redoubt::undo
