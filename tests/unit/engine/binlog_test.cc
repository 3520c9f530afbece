// Binary logs made by hand; the server's own are read in tests/interop (read_tables, ddl_recovery).
#include "engine/binlog.h"

#include <gmock/gmock.h>

#include <random>

#include "base/big_endian.h"
#include "io/memory_directory.h"

namespace redoubt::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Bytes = std::vector<std::byte>;

void append(Bytes& bytes, std::string_view text) {
    const auto more = std::as_bytes(std::span(text));
    bytes.insert(bytes.end(), more.begin(), more.end());
}

template <class T>
void append_number(Bytes& bytes, T value) {
    bytes.resize(bytes.size() + sizeof value);
    store_le(bytes.data() + bytes.size() - sizeof value, value);
}

Bytes event(std::uint8_t type, const Bytes& body) {
    Bytes bytes(19);
    bytes[4] = std::byte{type};
    store_le(bytes.data() + 9, static_cast<std::uint32_t>(19 + body.size() + 4));
    bytes.insert(bytes.end(), body.begin(), body.end());
    bytes.resize(bytes.size() + 4);  // the checksum, which is not looked at
    return bytes;
}

Bytes transaction(std::uint64_t number) {
    Bytes body;
    append_number(body, number);
    return event(16, body);
}

/// A statement with the variables that the server puts before its number, and a long text.
Bytes statement(std::uint64_t number, std::size_t text_size = 30) {
    Bytes variables;
    append(variables, std::string_view(
                          "\0FFFF\1SSSSSSSS\6\3std\3AAAA\4CCCCCC\5\3UTC\7DD\10EE\11TTTTTTTT", 51));
    append(variables, std::string_view("\12MMMM\13\1u\4host\200HHH\201", 18));
    append_number(variables, number);
    Bytes body(11);
    append_number(body, static_cast<std::uint16_t>(variables.size()));
    body.insert(body.end(), variables.begin(), variables.end());
    body.resize(body.size() + text_size, std::byte{'x'});
    return event(2, body);
}

Bytes log_of(const std::vector<Bytes>& events) {
    Bytes bytes;
    append(bytes,
           "\xFE"
           "bin");
    for (const Bytes& one : events) {
        bytes.insert(bytes.end(), one.begin(), one.end());
    }
    return bytes;
}

Bytes text(std::string_view content) {
    Bytes bytes;
    append(bytes, content);
    return bytes;
}

Bytes checkpoint(std::string_view name) {
    Bytes body;
    append_number(body, static_cast<std::uint32_t>(name.size()));
    append(body, name);
    return event(161, body);
}

TEST(Binlog, HasTransactionsAndStatementsByTheirNumbers) {
    io::MemoryDirectory directory;
    directory.put("mb.index", text("./mb.000001\n"));
    directory.put("mb.000001", log_of({transaction(7), statement(8), statement(9, 3'000'000),
                                       transaction(10), statement(11)}));
    const auto commits = read_binlog_commits(directory);
    ASSERT_TRUE(commits && *commits);
    EXPECT_THAT((*commits)->transactions, ElementsAre(7, 10));
    EXPECT_THAT((*commits)->statements, ElementsAre(8, 9, 11));
}

TEST(Binlog, AnEventThatIsCutDoesNotCount) {
    const Bytes whole = log_of({transaction(7), statement(8)});
    for (std::size_t size = 4; size < whole.size(); ++size) {
        io::MemoryDirectory directory;
        directory.put("mb.index", text("mb.000001\n"));
        directory.put("mb.000001", Bytes(whole.begin(), whole.begin() + static_cast<int>(size)));
        const auto commits = read_binlog_commits(directory);
        ASSERT_TRUE(commits && *commits);
        EXPECT_THAT((*commits)->statements, IsEmpty()) << size;
    }
}

TEST(Binlog, IsReadFromTheCheckpointOn) {
    io::MemoryDirectory directory;
    directory.put("mb.index", text("mb.000001\nmb.000002\nmb.000003\n"));
    directory.put("mb.000001", log_of({transaction(1)}));
    directory.put("mb.000002", log_of({transaction(2)}));
    directory.put("mb.000003", log_of({checkpoint("./mb.000002"), transaction(3)}));
    const auto commits = read_binlog_commits(directory);
    ASSERT_TRUE(commits && *commits);
    EXPECT_THAT((*commits)->transactions, ElementsAre(2, 3));
}

TEST(Binlog, AnyBytesAreReadWithinTheirBounds) {
    std::mt19937 random(4);
    const Bytes whole = log_of({transaction(7), statement(8), checkpoint("mb.000001")});
    for (int round = 0; round < 3000; ++round) {
        Bytes bytes = whole;
        for (int i = 0; i < 4; ++i) {
            bytes[4 + random() % (bytes.size() - 4)] = static_cast<std::byte>(random());
        }
        bytes.resize(4 + random() % (bytes.size() - 3));
        bytes.shrink_to_fit();
        io::MemoryDirectory directory;
        directory.put("mb.index", text("mb.000001\n"));
        directory.put("mb.000001", std::move(bytes));
        static_cast<void>(read_binlog_commits(directory));
    }
}

}  // namespace
}  // namespace redoubt::engine
