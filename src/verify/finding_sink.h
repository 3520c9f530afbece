/// Where all parts of verification put their findings.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "verify/verify.h"

namespace redoubt::verify {

/// Used by one thread.
class FindingSink {
public:
    /// `root`: path of what is verified.
    explicit FindingSink(std::string root) : root_(std::move(root) + "/") {}

    void add(Finding finding);
    /// What an error says of a file; `file` where it names none.
    void add_error(std::string kind, Severity severity, const Error& error, std::string file,
                   std::string table = {});
    /// The redo log is encrypted and cannot be read: what it may set right is no damage yet.
    void set_redo_unseen() { redo_unseen_ = true; }

    bool has(const std::string& file) const {
        return std::ranges::find(findings_, file, &Finding::file) != findings_.end();
    }
    bool has_table(const std::string& table) const {
        return std::ranges::find(findings_, table, &Finding::table) != findings_.end();
    }
    const std::vector<Finding>& findings() const { return findings_; }
    bool damaged() const {
        return std::ranges::find(findings_, Severity::Damage, &Finding::severity) !=
               findings_.end();
    }
    /// What was found so far, to be judged again in the light of more.
    std::vector<Finding>& judge_again() { return findings_; }
    /// The worst first. Nothing is left.
    std::vector<Finding> take();
    /// As findings have it: relative to what is verified.
    std::string relative(const std::string& path) const {
        return path.starts_with(root_) ? path.substr(root_.size()) : path;
    }

private:
    std::string root_;
    std::vector<Finding> findings_;
    bool redo_unseen_ = false;
};

}  // namespace redoubt::verify
