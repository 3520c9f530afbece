#include "dict/show_create.h"

namespace redoubt::dict {

std::string type_text(const FrmField&) { return {}; }
std::string show_create(const Table&, const Frm&) { return {}; }

}  // namespace redoubt::dict
