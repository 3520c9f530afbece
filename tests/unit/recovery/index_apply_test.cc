#include "recovery/index_apply.h"

#include <map>
#include <random>
#include <set>

#include "unit/recovery/apply_fixture.h"

namespace redoubt::recovery {
namespace {

using redo::ExtendedType;
using redo::RecordType;
using testing::HasSubstr;

/// Numbers that differ between the two formats.
struct FormatFacts {
    bool compact;
    int infimum, supremum, bottom, header;
    std::size_t number_at;  ///< heap number: bytes before the origin
};
constexpr FormatFacts kCompact{true, 99, 112, 120, 5, 4};
constexpr FormatFacts kRedundant{false, 101, 116, 125, 6, 5};

/// An index page, with the records that would have been logged to change it, and a model of it: the
/// user records in key order.
class IndexApply : public ApplyTest {
protected:
    struct Row {
        int origin;
        int header;  ///< bytes
        Buffer data;
    };

    void start(const FormatFacts& format, std::size_t size = 16384) {
        format_ = format;
        reset(size);
        rows_.clear();
        freed_.clear();
        ASSERT_TRUE(apply(RecordType::InitPage, ""));
        ASSERT_TRUE(apply(RecordType::Extended, format.compact ? "01" : "00", kSamePage));
    }

    int next(int record) const {
        const int link = u16(static_cast<std::size_t>(record - 2));
        return format_.compact ? (record + link) & 0xFFFF : link;
    }
    int owned(int record) const {
        return u8(static_cast<std::size_t>(record - format_.header)) & 15;
    }
    int heap_number(int record) const {
        return u16(static_cast<std::size_t>(record) - format_.number_at) >> 3;
    }
    int slot(int index) const {
        return u16(page_.size() - 10 - 2 * static_cast<std::size_t>(index));
    }

    /// The variable part of the header of a record with `data_size` bytes: as the format asks, one
    /// field with a one-byte offset, or any `filler` bytes.
    Buffer variable_header(int data_size, int filler) const {
        return format_.compact
                   ? Buffer(static_cast<std::size_t>(filler), static_cast<std::byte>(0xA0 + filler))
                   : Buffer{static_cast<std::byte>(data_size)};
    }

    /// Inserts at `index` of the rows, into the free list when its first record is big enough.
    /// `copied`: bytes to take from the predecessor instead of logging them.
    Status insert(std::size_t index, Buffer data, int filler = 0, int copied = 0) {
        const Row* previous = index == 0 ? nullptr : &rows_[index - 1];
        copied = previous ? std::min<int>({copied, length(data), length(previous->data)}) : 0;
        if (previous) {
            std::copy_n(previous->data.begin(), copied, data.begin());
        }
        const Buffer variable = variable_header(length(data), filler);
        const int header = format_.header + length(variable);
        const int free = u16(44);
        const bool reuse = free != 0 && freed_.at(free).capacity >= header + length(data);
        const int begin = reuse ? free - freed_.at(free).header : u16(40);

        Buffer body;
        body.push_back(static_cast<std::byte>((format_.compact ? 6 : 4) + (reuse ? 1 : 0)));
        append_varint(body, previous ? previous->origin - format_.infimum : 0);
        if (format_.compact) {
            if (reuse) {
                const int shift = begin - (free - header);
                append_varint(body, shift < 0 ? -shift * 2 + 1 : shift * 2);
            }
            append_varint(body, length(variable) << 3);
        } else {
            append_varint(body, 4);  // one field, one-byte offsets
        }
        append_varint(body, 0);
        append_varint(body, copied);
        body.insert(body.end(), variable.begin(), variable.end());
        body.insert(body.end(), data.begin() + copied, data.end());
        rows_.insert(rows_.begin() + static_cast<std::ptrdiff_t>(index),
                     Row{begin + header, header, data});
        return apply(RecordType::Extended, body);
    }

    Status remove(std::size_t index) {
        const int previous = index == 0 ? format_.infimum : rows_[index - 1].origin;
        const Row row = rows_[index];
        Buffer body{format_.compact ? std::byte{9} : std::byte{8}};
        append_varint(body, previous - format_.infimum);
        if (format_.compact) {
            append_varint(body, row.header - format_.header);
            append_varint(body, length(row.data));
        }
        rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(index));
        freed_[row.origin] = {row.header, row.header + length(row.data)};
        return apply(RecordType::Extended, body);
    }

    /// What every index page must satisfy, and that it holds exactly the rows of the model.
    void check() const {
        std::set<int> heap_numbers{0, 1};
        int used = 0;
        int record = format_.infimum;
        int group = 1;
        int index = 0;
        const int slots = u16(38);
        const auto close_group = [&] {
            ASSERT_EQ(slot(index), record);
            ASSERT_EQ(owned(record), group);
            if (record != format_.infimum && record != format_.supremum) {
                ASSERT_GE(group, 4);
            }
            ASSERT_LE(group, 8);
            ++index;
            group = 0;
        };
        close_group();
        for (const Row& row : rows_) {
            record = next(record);
            ASSERT_EQ(record, row.origin);
            ASSERT_EQ(bytes(static_cast<std::size_t>(record), row.data.size()), row.data);
            ASSERT_TRUE(heap_numbers.insert(heap_number(record)).second);
            used += row.header + length(row.data);
            ++group;
            if (owned(record) != 0) {
                close_group();
            }
        }
        ASSERT_EQ(next(record), format_.supremum);
        record = format_.supremum;
        ++group;
        close_group();
        ASSERT_EQ(index, slots);
        ASSERT_EQ(u16(54), length(rows_));
        for (int free = u16(44); free != 0;
             free = u16(static_cast<std::size_t>(free) - 2) == 0 ? 0 : next(free)) {
            ASSERT_TRUE(heap_numbers.insert(heap_number(free)).second);
        }
        ASSERT_EQ(u16(42), length(heap_numbers) | (format_.compact ? 0x8000 : 0));
        ASSERT_EQ(*heap_numbers.rbegin() + 1, length(heap_numbers));
        ASSERT_EQ(used + u16(46), u16(40) - format_.bottom);
    }

    template <class Container>
    static int length(const Container& container) {
        return static_cast<int>(container.size());
    }

    struct Freed {
        int header;
        int capacity;
    };
    FormatFacts format_ = kCompact;
    std::vector<Row> rows_;
    std::map<int, Freed> freed_;  ///< by origin
};

TEST_F(IndexApply, BuildsACompactPageAsLogged) {
    // Vector 12 of the real log.
    page_.assign(page_.size(), std::byte{0x55});
    ASSERT_TRUE(apply(RecordType::InitPage, ""));
    ASSERT_TRUE(apply(RecordType::Extended, "01", kSamePage));
    ASSERT_TRUE(apply(RecordType::Memset, "0808ff"));
    for (const auto* body : {"3101", "0602ff", "181b", "16100011fff28000000100000007"}) {
        ASSERT_TRUE(apply(RecordType::Write, body, kSamePage));
    }
    ASSERT_TRUE(apply(RecordType::Write, "6b02"));
    ASSERT_TRUE(apply(RecordType::Write, "29868003"));
    ASSERT_TRUE(apply(RecordType::Write, "0b01", kSamePage));
    ASSERT_TRUE(apply(RecordType::Write, "bf3c0070", kSamePage));

    ASSERT_EQ(u16(24), 17855);
    EXPECT_EQ(bytes(38, 20), from_hex("0002 0086 8003 0000 0000 0000 0005 0000 0001 0000"));
    EXPECT_EQ(bytes(64, 12), from_hex("0001 00000000000002ff 0000"));
    // The node pointer: heap number 2, status 1, links to supremum; infimum links to it.
    EXPECT_EQ(bytes(94, 40), from_hex("010002001b 696e66696d756d00 02000b0000 73757072656d756d"
                                      "00 100011fff2 8000000100000007"));
    EXPECT_EQ(bytes(16384 - 14, 14), from_hex("0000 0070 0063 0000000000000000"));
}

TEST_F(IndexApply, AnEmptyRedundantPageHasItsTwoPseudoRecords) {
    page_.assign(page_.size(), std::byte{0x55});
    ASSERT_TRUE(apply(RecordType::Extended, "00"));
    EXPECT_EQ(bytes(38, 27), from_hex("0002 007d 0002 0000 0000 0000 0005 0000 0000 0000"
                                      "000000000000 55"));
    EXPECT_EQ(bytes(93, 33), from_hex("55 0801000003 0074 696e66696d756d00"
                                      "0901000803 0000 73757072656d756d00 00"));
    EXPECT_EQ(bytes(16384 - 14, 14), from_hex("0000 0074 0065 5555555555555555"));
}

TEST_F(IndexApply, InsertsACompactRecordByteForByte) {
    start(kCompact);
    // After infimum, one literal header byte, deleted flag (info 2), two data bytes.
    ASSERT_TRUE(apply(RecordType::Extended, "06 00 0a 00 00 07 aabb"));
    EXPECT_EQ(bytes(120, 8), from_hex("07 20 0010 fff2 aabb"));  // next: 112 - 126
    EXPECT_EQ(u16(97), 126 - 99);
    EXPECT_EQ(u8(107), 2);  // supremum owns two
    EXPECT_EQ(bytes(38, 18), from_hex("0002 0080 8003 0000 0000 007e 0005 0000 0001"));
    // After that one: copies its header byte and its first data byte; direction right.
    ASSERT_TRUE(apply(RecordType::Extended, "06 1b 00 01 01 cc", kSamePage));
    EXPECT_EQ(bytes(128, 8), from_hex("07 00 0018 ffea aacc"));  // next: 112 - 134
    EXPECT_EQ(u16(124), 134 - 126);
    EXPECT_EQ(bytes(38, 18), from_hex("0002 0088 8004 0000 0000 0086 0002 0001 0002"));
    // Before the last one inserted: direction left needs the last to have been its successor.
    ASSERT_TRUE(apply(RecordType::Extended, "06 1b 00 00 00 ab", kSamePage));
    EXPECT_EQ(bytes(48, 8), from_hex("008d 0005 0000 0003"));
    ASSERT_TRUE(apply(RecordType::Extended, "06 1b 00 00 00 aa", kSamePage));
    EXPECT_EQ(bytes(48, 8), from_hex("0093 0001 0001 0004"));
}

TEST_F(IndexApply, InsertsARedundantRecordByteForByte) {
    start(kRedundant);
    // Vector 9's record: two fields of one-byte offsets (08 04), eight data bytes.
    ASSERT_TRUE(apply(RecordType::Extended, "04 00 0c 00 00 0804 800daa4580000f6e"));
    EXPECT_EQ(bytes(125, 16), from_hex("0804 00 0010 05 0074 800daa4580000f6e"));
    EXPECT_EQ(u16(99), 133);
    EXPECT_EQ(bytes(38, 18), from_hex("0002 008d 0003 0000 0000 0085 0005 0000 0001"));
    // Both offset bytes and the first two data bytes come from the predecessor.
    ASSERT_TRUE(apply(RecordType::Extended, "04 20 0e 02 02 ffffffffffff", kSamePage));
    EXPECT_EQ(bytes(141, 16), from_hex("0804 20 0018 05 0074 800dffffffffffff"));
    EXPECT_EQ(u16(131), 149);
}

TEST_F(IndexApply, RTreePagesKeepTheirDirection) {
    start(kCompact);
    set16(24, 17854);
    ASSERT_TRUE(apply(RecordType::Extended, "06 00 00 00 00 aa"));
    ASSERT_TRUE(apply(RecordType::Extended, "06 1a 00 00 00 bb"));
    EXPECT_EQ(bytes(48, 8), from_hex("0083 0005 0000 0002"));
}

TEST_F(IndexApply, NodePointersAndInstantMetadataHaveTheirStatus) {
    start(kCompact);
    ASSERT_TRUE(apply(RecordType::Extended, "06 00 04 00 00 aa"));
    EXPECT_EQ(u16(121), 2 << 3 | 4);
    start(kCompact);
    set16(64, 1);
    EXPECT_THAT(failure(RecordType::Extended, "06 00 04 00 00 aa"), HasSubstr("instant ALTER"));
    ASSERT_TRUE(apply(RecordType::Extended, "06 00 00 00 00 aa"));
    EXPECT_EQ(u16(121), 2 << 3 | 1);
}

TEST_F(IndexApply, ASlotThatWouldOwnNineIsSplit) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        start(format);
        for (std::size_t i = 0; i < 7; ++i) {
            ASSERT_TRUE(insert(i, from_hex("0102")));
        }
        EXPECT_EQ(u16(38), 2);
        EXPECT_EQ(owned(format.supremum), 8);
        ASSERT_TRUE(insert(7, from_hex("0103")));
        EXPECT_EQ(u16(38), 3);
        EXPECT_EQ(slot(1), rows_[3].origin);
        EXPECT_EQ(owned(rows_[3].origin), 4);
        EXPECT_EQ(owned(format.supremum), 5);
        check();
    }
}

TEST_F(IndexApply, ASlotThatOwnsThreeMergesWithTheNext) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        start(format);
        for (std::size_t i = 0; i < 12; ++i) {  // groups 4, 4, then supremum's 5
            ASSERT_TRUE(insert(i, from_hex("0102")));
        }
        ASSERT_EQ(u16(38), 4);
        ASSERT_TRUE(remove(1));
        EXPECT_EQ(u16(38), 3);
        EXPECT_EQ(owned(rows_[6].origin), 7);
        check();
        EXPECT_EQ(u16(page_.size() - 8 - 2 * 4), 0);  // the vanished slot is wiped
    }
}

TEST_F(IndexApply, ASlotThatOwnsThreeBorrowsFromAFullerOne) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        start(format);
        for (std::size_t i = 0; i < 8; ++i) {  // groups 4 and supremum's 5
            ASSERT_TRUE(insert(i, from_hex("0102")));
        }
        ASSERT_TRUE(remove(3));  // the owner of its group
        EXPECT_EQ(u16(38), 3);
        EXPECT_EQ(slot(1), rows_[3].origin);
        EXPECT_EQ(owned(rows_[3].origin), 4);
        EXPECT_EQ(owned(format.supremum), 4);
        check();
    }
}

TEST_F(IndexApply, AFreedRecordIsWipedAndReused) {
    start(kCompact);
    ASSERT_TRUE(insert(0, from_hex("01020304"), /*filler=*/2));
    ASSERT_TRUE(insert(1, from_hex("0506")));
    const int origin = rows_[0].origin;
    ASSERT_TRUE(remove(0));
    EXPECT_EQ(u16(44), origin);
    EXPECT_EQ(u16(46), 5 + 2 + 4);
    EXPECT_EQ(u16(48), 0);
    EXPECT_EQ(bytes(static_cast<std::size_t>(origin), 4), from_hex("00000000"));
    EXPECT_EQ(u16(static_cast<std::size_t>(origin) - 2), 0);
    // A shorter header: the origin moves two down, and three bytes stay garbage.
    ASSERT_TRUE(insert(0, from_hex("070809")));
    EXPECT_EQ(rows_[0].origin, origin - 2);
    EXPECT_EQ(u16(44), 0);
    EXPECT_EQ(u16(46), 3);
    check();
}

TEST_F(IndexApply, TheLastOfTheHeapReturnsToTheHeap) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        start(format);
        const Buffer empty = page_;
        ASSERT_TRUE(insert(0, from_hex("01020304")));
        ASSERT_TRUE(remove(0));
        // Only the direction remembers.
        EXPECT_EQ(page_, empty);
    }
}

TEST_F(IndexApply, RandomInsertionsAndRemovalsKeepThePageConsistent) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        for (const std::size_t size : {4096U, 16384U, 65536U}) {
            SCOPED_TRACE(fmt::format("compact {} page size {}", format.compact, size));
            start(format, size);
            std::mt19937 random(static_cast<unsigned>(size));
            const auto below = [&](std::size_t bound) { return random() % bound; };
            for (int step = 0; step < 3000; ++step) {
                // Grow to 150 rows, shrink to few, and again.
                const bool grow = below(100) < (step / 400 % 2 == 0 ? 75U : 30U);
                if (rows_.empty() || (grow && u16(40) + 60 < length(page_) - 8 - 2 * u16(38) - 2)) {
                    Buffer data(1 + below(20));
                    for (std::byte& byte : data) {
                        byte = static_cast<std::byte>(below(256));
                    }
                    const std::size_t index = below(rows_.size() + 1);
                    const Status status =
                        insert(index, data, static_cast<int>(below(5)), static_cast<int>(below(4)));
                    ASSERT_TRUE(status) << status.error().to_string();
                } else {
                    const Status status = remove(below(rows_.size()));
                    ASSERT_TRUE(status) << status.error().to_string();
                }
                check();
                if (HasFatalFailure()) {
                    FAIL() << "step " << step;
                }
            }
        }
    }
}

TEST_F(IndexApply, RejectsMalformedRecordsAndTouchesNothing) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        start(format);
        ASSERT_TRUE(insert(0, from_hex("0102")));
        const Buffer before = page_;
        const auto expect_malformed = [&](const char* body) {
            EXPECT_THAT(failure(RecordType::Extended, body), HasSubstr("malformed record")) << body;
            EXPECT_EQ(page_, before) << body;
        };
        if (format.compact) {
            expect_malformed("06");
            expect_malformed("06 e0000000 00 00 00 aa");  // predecessor of four bytes
            expect_malformed("06 00 00 c00000 00 aa");    // copied header of three bytes
            expect_malformed("06 00 00 00");
            expect_malformed("06 00 10 00 00 aa");  // two header bytes in one
            expect_malformed("07 00 00 00 00");
            expect_malformed("09");
            expect_malformed("09 00 00");
            expect_malformed("09 00 00 02 00");  // something after the operands
            expect_malformed("09 00 c00000 02");
        } else {
            expect_malformed("04 00");
            expect_malformed("04 00 04 00");
            expect_malformed("04 00 c00000 00 00 01 aa");
            expect_malformed("04 00 9f78 00 00 aa");   // 1024 fields
            expect_malformed("04 00 04 02 00 aa");     // more offsets copied than there are
            expect_malformed("04 00 04 00 00");        // no offsets
            expect_malformed("04 00 04 00 00 02 aa");  // two data bytes announced
            expect_malformed("04 00 04 00 02 01 aa");  // more copied than the record has
            expect_malformed("08");
            expect_malformed("08 00 00");
        }
    }
}

TEST_F(IndexApply, NoticesAPageThatContradictsTheRecord) {
    for (const FormatFacts& format : {kCompact, kRedundant}) {
        const char* add = format.compact ? "06 00 00 00 00 aa" : "04 00 04 00 00 01 aa";
        const char* reuse = format.compact ? "07 00 00 00 00 00 aa" : "05 00 04 00 00 01 aa";
        const char* drop = format.compact ? "09 00 00 02" : "08 00";
        start(format);
        EXPECT_THAT(failure(RecordType::Extended, drop), HasSubstr("holds no records"));
        ASSERT_TRUE(insert(0, from_hex("0102")));
        const Buffer good = page_;
        const auto expect_contradiction = [&](std::size_t at, int value, const char* body,
                                              const char* reason) {
            page_ = good;
            applier_.emplace(id_, std::span(page_), false);
            set16(at, value);
            EXPECT_THAT(failure(RecordType::Extended, body),
                        testing::AllOf(HasSubstr("contradicts"), HasSubstr(reason)))
                << body;
        };
        const std::size_t last_slot = page_.size() - 12;
        const auto infimum_link = static_cast<std::size_t>(format.infimum - 2);
        for (const char* body : {add, drop}) {
            expect_contradiction(24, 8, body, "no index page");
            expect_contradiction(6, 14, body, "page number 14");
            expect_contradiction(42, format.compact ? 3 : 0x8003, body, "row format");
            expect_contradiction(38, 1, body, "1 directory slots");
            expect_contradiction(38, 4, body, "4 directory slots");
            expect_contradiction(40, format.bottom - 1, body, "heap ends at");
            expect_contradiction(40, 16384 - 11, body, "heap ends at");
            expect_contradiction(last_slot, 0, body, "infimum to supremum");
            expect_contradiction(static_cast<std::size_t>(format.supremum - 2), 1, body,
                                 "infimum to supremum");
            expect_contradiction(infimum_link, format.compact ? 0x8000 : 3, body, "links to");
            // The supremum owns nobody.
            expect_contradiction(static_cast<std::size_t>(format.supremum - format.header), 0, body,
                                 "no owner");
        }
        expect_contradiction(static_cast<std::size_t>(format.supremum - format.header), 0x0900, add,
                             "owns 9 records");
        expect_contradiction(44, 0, reuse, "no free record");
        expect_contradiction(44, 65535, reuse, "no free record");
        EXPECT_THAT(failure(RecordType::Extended,
                            format.compact ? "06 7f 00 00 00 aa" : "04 7f 04 00 00 01 aa"),
                    HasSubstr("outside the heap"));
    }
}

TEST_F(IndexApply, ARecordMustFitBetweenHeapAndDirectory) {
    start(kCompact, 1024);
    Buffer body = from_hex("06 00 00 00 00");
    body.resize(body.size() + 1024 - 12 - 120 - 5 + 1, std::byte{7});
    const Status status = apply(RecordType::Extended, body);
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().to_string(), HasSubstr("no room"));
    body.pop_back();
    EXPECT_TRUE(apply(RecordType::Extended, body));
    EXPECT_EQ(u16(40), 1024 - 12);
}

TEST_F(IndexApply, OnlyIndexRecordsAreItsBusiness) {
    const Status status = apply_index_record(ExtendedType::UndoInit, PageNo{13}, page_, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::Internal);
}

}  // namespace
}  // namespace redoubt::recovery
