/// The list of tables in InnoDB's own dictionary (SYS_TABLES in the system tablespace): which name
/// belongs to which tablespace. The other dictionary tables join it with the SQL reader.
/// Format: docs/formats/dictionary.md#sys_tables.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "space/page_source.h"

namespace redoubt::dict {

struct SystemTable {
    std::string name;  ///< "db/t", file-name encoded; partitions as "db/t#P#p0"
    std::uint64_t id = 0;
    SpaceId space;                 ///< 0 = in the system tablespace
    std::uint32_t type = 0;        ///< TYPE as stored
    std::uint32_t mix_length = 0;  ///< MIX_LEN as stored
    bool temporary() const { return (mix_length & 1) != 0; }
    /// ALTER TABLE ... DISCARD TABLESPACE: there need be no file.
    bool discarded() const { return (mix_length & 32) != 0; }
};

/// All rows that are not delete-marked, committed or not, in name order. `page_size`: of the system
/// tablespace. Bounded whatever the bytes say. Errors: Corruption with the page; Io; Key.
Result<std::vector<SystemTable>> read_system_tables(space::PageSource& source,
                                                    std::uint32_t page_size);

}  // namespace redoubt::dict
