// Runs all drivers on a real directory, as a cold backup does. By hand only:
//   REDOUBT_COPY_FROM=DATADIR REDOUBT_COPY_TO=EMPTY backup_test --gtest_filter='CopyDirectory.*'
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "backup/drivers/drivers.h"
#include "io/posix_directory.h"

namespace redoubt::backup {
namespace {

class NoLocks final : public TableLocks {
public:
    Status while_locked(std::string_view, const std::function<Status()>& open) override {
        return open();
    }
};

TEST(CopyDirectory, ByHand) {
    const char* const from = std::getenv("REDOUBT_COPY_FROM");
    const char* const to = std::getenv("REDOUBT_COPY_TO");
    if (from == nullptr || to == nullptr) {
        GTEST_SKIP() << "no directory given";
    }
    auto source = io::open_posix_directory(from);
    auto directory = io::open_posix_directory(to);
    ASSERT_TRUE(source) << source.error().to_string();
    ASSERT_TRUE(directory) << directory.error().to_string();
    Target target(**directory, nullptr, nullptr);
    NoLocks locks;
    const auto drivers = make_drivers({.datadir = **source,
                                       .aria_log_dir = "",
                                       .target = target,
                                       .locks = locks,
                                       .threads = 2,
                                       .ignored_databases = {},
                                       .cancel = nullptr});
    for (const Stage stage :
         {Stage::Start, Stage::Flush, Stage::BlockDdl, Stage::BlockCommit, Stage::Unlocked}) {
        for (const auto& driver : drivers) {
            const Status status = driver->run(stage, {});
            ASSERT_TRUE(status) << name_of(stage) << ": " << status.error().to_string();
        }
    }
    const Status synced = target.sync();
    ASSERT_TRUE(synced) << synced.error().to_string();
    for (const auto& driver : drivers) {
        for (const std::string& note : driver->notes()) {
            fmt::print("note: {}\n", note);
        }
    }
    fmt::print("{} files, {} bytes\n", target.files().size(), target.bytes());
}

}  // namespace
}  // namespace redoubt::backup
