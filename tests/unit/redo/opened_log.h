/// A redo log in memory, opened, and all that is in it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string_view>
#include <vector>

#include "io/memory_directory.h"
#include "redo/log_file.h"
#include "unit/redo/log_builder.h"

namespace redoubt::test {

inline constexpr std::string_view kLogPath = "ib_logfile0";

/// One log in a memory directory, opened.
struct OpenedLog {
    explicit OpenedLog(Bytes bytes, const crypt::KeyRing* keys = nullptr) {
        directory.put(kLogPath, std::move(bytes));
        auto opened = redo::LogFile::open(directory, kLogPath, keys);
        EXPECT_TRUE(opened) << opened.error().to_string();
        log = std::move(*opened);
    }
    io::MemoryDirectory directory;
    std::unique_ptr<redo::LogFile> log;
};

/// The records of each mini-transaction from the reader's position to the log's end.
inline std::vector<Bytes> read_all(redo::LogReader& reader, redo::LogEnd expected_end) {
    std::vector<Bytes> mtrs;
    for (;;) {
        const Lsn position = reader.position();
        auto mtr = reader.next();
        EXPECT_TRUE(mtr) << mtr.error().to_string();
        if (!mtr || !*mtr) {
            EXPECT_EQ(name_of(reader.end_reason()), name_of(expected_end));
            EXPECT_EQ(reader.position(), position);
            return mtrs;
        }
        EXPECT_EQ((*mtr)->start, position);
        EXPECT_EQ((*mtr)->end, reader.position());
        mtrs.emplace_back((*mtr)->records.begin(), (*mtr)->records.end());
    }
}

}  // namespace redoubt::test
