/// Two file systems in one tree.
#pragma once

#include <string>
#include <string_view>

#include "unit/io/passing_directory.h"

namespace redoubt::crash {

/// What lies below one directory is on another file system: no rename leads into or out of it.
class TwoFileSystems final : public test::PassingDirectory {
public:
    TwoFileSystems(io::Directory& base, std::string other)
        : test::PassingDirectory(base), other_(std::move(other) + "/") {}
    Status rename(std::string_view from, std::string_view to) override {
        if (from.starts_with(other_) != to.starts_with(other_)) {
            return make_error(ErrorCode::Unsupported, "cannot rename: another file system")
                .with_file(from);
        }
        return test::PassingDirectory::rename(from, to);
    }

private:
    std::string other_;
};

}  // namespace redoubt::crash
