#include "cli/findings.h"

namespace redoubt::cli {

Json finding_json(const verify::Finding& finding) {
    Json object = {{"kind", finding.kind}, {"severity", verify::name_of(finding.severity)}};
    set_known(object, "file", finding.file);
    set_known(object, "table", finding.table);
    set_known(object, "index", finding.index);
    set_known(object, "space", finding.space);
    set_known(object, "page", finding.page);
    set_known(object, "lsn", finding.lsn);
    object["message"] = finding.message;
    return object;
}

Json findings_json(const std::vector<verify::Finding>& findings) {
    Json array = Json::array();
    for (const verify::Finding& finding : findings) {
        array.push_back(finding_json(finding));
    }
    return array;
}

namespace {

std::string finding_text(const verify::Finding& finding) {
    std::string place;
    const auto add = [&place](std::string_view part) {
        place += fmt::format("{}{}", place.empty() ? "" : ", ", part);
    };
    if (!finding.file.empty()) {
        add(finding.file);
    }
    if (!finding.table.empty()) {
        add("table " + finding.table);
    }
    if (!finding.index.empty()) {
        add("index " + finding.index);
    }
    if (finding.space) {
        add(fmt::format("space {}", finding.space->value));
    }
    if (finding.page) {
        add(fmt::format("page {}", finding.page->value));
    }
    if (finding.lsn) {
        add(fmt::format("lsn {}", finding.lsn->value));
    }
    return fmt::format("{} [{}] {}: {}\n", verify::name_of(finding.severity), finding.kind, place,
                       finding.message);
}

}  // namespace

std::string findings_text(const std::vector<verify::Finding>& findings, bool quiet) {
    std::string text;
    for (const verify::Finding& finding : findings) {
        if (finding.severity != verify::Severity::Note || !quiet) {
            text += finding_text(finding);
        }
    }
    return text;
}

}  // namespace redoubt::cli
