#include "verify/finding_sink.h"

namespace redoubt::verify {

void FindingSink::add(Finding finding) {
    // All but a wrong checksum may be the ordinary state of a crashed directory.
    if (redo_unseen_ && finding.severity == Severity::Damage && finding.kind != "page-corrupt") {
        finding.severity = Severity::Warning;
        finding.message += "; the redo log, which may set it right, cannot be read without its key";
    }
    findings_.push_back(std::move(finding));
}

void FindingSink::add_error(std::string kind, Severity severity, const Error& error,
                            std::string file, std::string table) {
    add({.kind = std::move(kind),
         .severity = severity,
         .file = error.file().empty() ? std::move(file) : relative(error.file()),
         .table = std::move(table),
         .space = error.space(),
         .page = error.page(),
         .lsn = error.lsn(),
         .message = error.message()});
}

std::vector<Finding> FindingSink::take() {
    std::ranges::stable_sort(findings_, std::greater{}, &Finding::severity);
    return std::move(findings_);
}

}  // namespace redoubt::verify
