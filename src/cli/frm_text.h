/// A .frm file in words. Format: docs/formats/frm.md.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "base/error.h"
#include "cli/output.h"

namespace redoubt::cli {

struct FrmShown {
    std::string text;
    Json document;  ///< without "schema" and "file"
};

/// `name`: of the table, UTF-8. Errors: as dict::decode_frm.
Result<FrmShown> show_frm(std::span<const std::byte> file, const std::string& name);

}  // namespace redoubt::cli
