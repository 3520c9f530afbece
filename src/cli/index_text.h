/// The records of an index page in words: the record list in its order, the list of freed records,
/// the page directory. Format: docs/formats/index-page.md, records.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/output.h"
#include "cli/value_text.h"
#include "dict/stored_table.h"
#include "record/layout.h"

namespace redoubt::cli {

/// What is known of an index: without it, records show their headers and their bytes.
struct IndexDefinition {
    std::string table;  ///< "db.t"
    std::string index;
    record::RecordLayout layout;
    std::vector<std::string> names;                            ///< by field of `layout`
    std::shared_ptr<const dict::StoredTable> owner = nullptr;  ///< of the layout's types

    const std::string& name_of(std::size_t field) const;
};

struct ShownRecord {
    std::size_t offset = 0;  ///< of its origin, from the page's start
    std::uint16_t heap_number = 0;
    std::string status;  ///< "ordinary", "node pointer", "infimum", "supremum", ...
    unsigned info_bits = 0;
    bool delete_marked = false;
    bool minimum = false;  ///< the min-rec flag
    unsigned owned = 0;
    std::size_t next = 0;  ///< offset; 0: none
    std::optional<PageNo> child = std::nullopt;
    std::vector<ShownField> fields = {};
    std::string bytes = {};    ///< where the fields are not known: hex, up to the next record
    std::string problem = {};  ///< why it cannot be taken apart
};

struct ShownRecords {
    std::vector<ShownRecord> records;  ///< infimum first, supremum last
    std::vector<ShownRecord> freed;
    std::vector<std::uint16_t> directory;  ///< offsets, infimum's first
    std::vector<std::string> problems;     ///< lists that are broken
};

/// `page`: of an index type, expanded if it is of ROW_FORMAT=COMPRESSED (then `expanded`: what the
/// stored page does not have is left out). `definition` null: unknown. Any bytes are safe; lists
/// end where a page could hold no more.
ShownRecords show_records(std::span<const std::byte> page, const IndexDefinition* definition,
                          bool expanded);

std::string records_text(const ShownRecords& shown);
Json records_json(const ShownRecords& shown);

}  // namespace redoubt::cli
