/// A table's definition as SHOW CREATE TABLE of 10.11 prints it, out of its .frm and what InnoDB
/// alone knows. Format: docs/formats/frm.md#show-create-table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dict/frm.h"

namespace redoubt::dict {

/// "int(11) unsigned", "enum('a','b')".
std::string type_text(const FrmField& field);

/// What show_create() prints for the default of frm.fields[field]: "DEFAULT 5", "DEFAULT
/// current_timestamp() ON UPDATE current_timestamp()"; empty: there is none.
std::string default_clause(const Frm& frm, std::size_t field);

struct CreateExtras {
    std::optional<std::uint64_t> next_auto_increment;
    std::vector<std::string> foreign_keys;  ///< "CONSTRAINT `c` FOREIGN KEY (...) ..."
};
/// What a table whose last such value was `last` (PAGE_ROOT_AUTO_INC of its clustered root) gives
/// next: no more than one behind the column's greatest (seen). Absent: it has no such column.
std::optional<std::uint64_t> next_auto_increment(const Frm& frm, std::uint64_t last);
/// The whole statement, without ';'. `name`: of the table, UTF-8.
std::string show_create(const std::string& name, const Frm& frm, const CreateExtras& extras);

/// "a`b" -> "`a``b`".
std::string quote_name(std::string_view name);

}  // namespace redoubt::dict
