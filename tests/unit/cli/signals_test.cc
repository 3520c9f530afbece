#include "cli/signals.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "io/file.h"
#include "io/posix_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::cli {
namespace {

// A mapped file that is cut short stands in for one whose disk fails: the system reports both
// alike.
TEST(SignalsDeathTest, MappedFileThatCannotBeReadIsNamedWithTheOffset) {
    const test::TemporaryDirectory temporary;
    auto directory = std::move(*io::open_posix_directory(temporary.path()));
    auto file = std::move(*directory->open("log", io::OpenMode::CreateExclusive));
    ASSERT_TRUE(file->truncate(1 << 20));
    const auto mapping = std::move(*file->map(1 << 20));
    ASSERT_TRUE(file->truncate(8192));
    const auto read_all = [&]() {
        install_signal_handlers();
        unsigned sum = 0;
        for (const std::byte byte : mapping->bytes()) {
            sum += std::to_integer<unsigned>(byte);
        }
        std::exit(sum == 0 ? 0 : 1);
    };
    EXPECT_EXIT(read_all(), ::testing::ExitedWithCode(exit_code_of(ErrorCode::Io)),
                "error: " + temporary.path() +
                    "/log: cannot be read at offset 8192: an I/O error of its disk");
}

}  // namespace
}  // namespace redoubt::cli
