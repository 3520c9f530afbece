/// Files against InnoDB's dictionary: a swapped, foreign or missing file is found also when each
/// file is whole in itself.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "recovery/analysis.h"
#include "recovery/recovered_pages.h"
#include "verify/finding_sink.h"
#include "verify/page_scan.h"

namespace redoubt::verify {

/// A directory whose files were opened; all outlive the check.
struct OpenedDirectory {
    io::Directory& directory;
    const VerifyOptions& options;
    const space::Layout& layout;
    const std::vector<FileJob>& jobs;  ///< the system tablespace first
    const std::map<SpaceId, std::string>& names;
    const recovery::Analysis* analysis;   ///< null: there is no log that can be read
    recovery::RecoveredPages* recovered;  ///< null: nothing is to be recovered
    std::function<void(const std::string& message, const std::string& file)> miss_key;

    /// Whether the redo log changes pages of this tablespace.
    bool touched(const FileJob& job) const {
        return recovered != nullptr && analysis->scan.touched_spaces.contains(job.disk_header.id);
    }
};

/// Errors: Io, Cancelled.
Status check_dictionary(const OpenedDirectory& directory, FindingSink& findings);

/// When all is found: damage of files that a statement of DDL left which a crash cut short, and
/// that no table uses, becomes a note.
void judge_leftovers(const OpenedDirectory& directory, FindingSink& findings);

}  // namespace redoubt::verify
