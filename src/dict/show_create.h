/// A table's definition as SHOW CREATE TABLE prints it, out of its .frm.
#pragma once

#include <string>

#include "dict/frm.h"
#include "dict/table.h"

namespace redoubt::dict {

/// "int(11) unsigned", "enum('a','b')".
std::string type_text(const FrmField& field);
/// The whole statement, without AUTO_INCREMENT= and foreign keys, which the .frm does not know.
std::string show_create(const Table& table, const Frm& frm);

}  // namespace redoubt::dict
