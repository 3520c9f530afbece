/// What verify found under all its operands together.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "verify/verify.h"

namespace redoubt::cli {

struct Verdict {
    static constexpr int kExitWarnings = 3;
    static constexpr int kExitDamage = 4;

    struct Entry {
        std::string path;       ///< the operand
        std::string kind = {};  ///< "data directory", "backup" or "file"
        verify::VerifyReport report;

        std::size_t count(verify::Severity severity) const {
            return static_cast<std::size_t>(
                std::ranges::count(report.findings, severity, &verify::Finding::severity));
        }
        bool all_checked() const {
            return report.not_checked_pages == 0 && report.missing_keys.empty();
        }
    };
    std::vector<Entry> entries;
    std::optional<Error> error;   ///< why an operand could not be verified; the rest was left
    std::string error_path = {};  ///< that operand

    std::size_t count(verify::Severity severity) const {
        std::size_t found = 0;
        for (const Entry& entry : entries) {
            found += entry.count(severity);
        }
        return found;
    }
    std::uint64_t sum(std::uint64_t verify::VerifyReport::*member) const {
        std::uint64_t total = 0;
        for (const Entry& entry : entries) {
            total += entry.report.*member;
        }
        return total;
    }
    std::vector<std::string> missing_keys() const {
        std::vector<std::string> keys;
        for (const Entry& entry : entries) {
            keys.insert(keys.end(), entry.report.missing_keys.begin(),
                        entry.report.missing_keys.end());
        }
        std::ranges::sort(keys);
        // clang 14 cannot compile std::ranges::unique of libstdc++ 12.
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        return keys;
    }
    bool all_checked() const {
        return sum(&verify::VerifyReport::not_checked_pages) == 0 && missing_keys().empty();
    }
    int exit_code() const {
        if (error) {
            return exit_code_of(error->code());
        }
        if (count(verify::Severity::Damage) != 0) {
            return kExitDamage;
        }
        return all_checked() && count(verify::Severity::Warning) == 0 ? 0 : kExitWarnings;
    }
};

}  // namespace redoubt::cli
