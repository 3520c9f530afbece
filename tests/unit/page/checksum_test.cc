// Values of spec/checksums-encryption-compression.md 2 and 9, and pages of 10.11.19.
#include "page/checksum.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <vector>

#include "base/crc32c.h"
#include "page/header.h"
#include "unit/hex.h"

namespace redoubt::page {
namespace {

constexpr std::uint32_t kNone = 0xDEADBEEF;  // innodb_checksum_algorithm=none

TablespaceFlags flags_of(std::uint32_t raw) { return TablespaceFlags::decode(raw).value(); }
const TablespaceFlags kFull = flags_of(0x15);
const TablespaceFlags kOld = flags_of(0x21);
const TablespaceFlags kOldCompressed = flags_of(0x10021);
const TablespaceFlags kZip1k = flags_of(35);

/// Byte i is 7 i + 3.
std::vector<std::byte> synthetic(std::size_t size) {
    std::vector<std::byte> page(size);
    for (std::size_t i = 0; i < size; ++i) {
        page[i] = static_cast<std::byte>(7 * i + 3);
    }
    return page;
}

TEST(Checksums, OfTheSyntheticPages) {
    const std::vector<std::byte> page = synthetic(4096);
    EXPECT_EQ(crc32_checksum(page), 0xFC0DBD79U);
    EXPECT_EQ(innodb_new_checksum(page), 0xCEE9262CU);
    EXPECT_EQ(innodb_old_checksum(page), 0xD2434C2BU);
    EXPECT_EQ(zip_crc32_checksum(page), 0xC8DA57D6U);
    EXPECT_EQ(zip_innodb_checksum(page), 0x7992ED4BU);
    const std::vector<std::byte> small = synthetic(1024);
    EXPECT_EQ(zip_crc32_checksum(small), 0xF31528FBU);
    EXPECT_EQ(zip_innodb_checksum(small), 0x8E76F2F1U);
}

TEST(Checksums, AllZeroSeesEveryByte) {
    std::vector<std::byte> bytes(100);
    EXPECT_TRUE(all_zero(bytes));
    EXPECT_TRUE(all_zero({}));
    for (std::byte& b : bytes) {
        b = std::byte{1};
        EXPECT_FALSE(all_zero(bytes));
        b = std::byte{0};
    }
}

// Page 1 of a fresh ibdata1, as full_crc32 and as crc32.

std::vector<std::byte> real_full_page() {
    std::vector<std::byte> page(16384);
    test::put(page, 0,
              "0000000000000001ffffffffffffffff00000000000031f70005000000000000000000000000");
    test::put(page, 16376, "000031f758c641cc");
    return page;
}
std::vector<std::byte> real_old_page() {
    std::vector<std::byte> page(16384);
    test::put(page, 0,
              "b7989a8800000001ffffffffffffffff00000000000031f10005000000000000000000000000");
    test::put(page, 16376, "b7989a88000031f1");
    return page;
}

TEST(CheckStored, AcceptsRealPages) {
    for (const Strictness strictness : {Strictness::AnyKnown, Strictness::Crc32Only}) {
        EXPECT_EQ(check_stored(real_full_page(), kFull, strictness), ChecksumResult::Ok);
        EXPECT_EQ(check_stored(real_old_page(), kOld, strictness), ChecksumResult::Ok);
    }
}

TEST(Seal, WritesWhatTheServerWrote) {
    std::vector<std::byte> page = real_full_page();
    test::put(page, 16376, "0000000000000000");
    seal(page, kFull);
    EXPECT_EQ(page, real_full_page());

    page = real_old_page();
    test::put(page, 0, "00000000");
    test::put(page, 16376, "0000000000000000");
    seal(page, kOld);
    EXPECT_EQ(page, real_old_page());
}

TEST(Seal, SealsCompressedRowPages) {
    std::vector<std::byte> page = synthetic(1024);
    seal(page, kZip1k);
    EXPECT_EQ(load_be<std::uint32_t>(page.data()), 0xF31528FBU);
    EXPECT_EQ(check_stored(page, kZip1k, Strictness::Crc32Only), ChecksumResult::Ok);
}

TEST(CheckStored, FullPageCoversEveryByte) {
    const std::vector<std::byte> whole = real_full_page();
    for (const std::size_t at : {0UL, 4UL, 16UL, 26UL, 34UL, 38UL, 9000UL, 16376UL, 16380UL}) {
        std::vector<std::byte> page = whole;
        page[at] ^= std::byte{1};
        EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::Mismatch) << at;
    }
}

TEST(CheckStored, GivesBothValuesOfAMismatch) {
    std::vector<std::byte> page = real_full_page();
    test::put(page, 16380, "01020304");
    std::uint32_t expected = 0;
    std::uint32_t found = 0;
    EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown, &expected, &found),
              ChecksumResult::Mismatch);
    EXPECT_EQ(expected, 0x58C641CCU);
    EXPECT_EQ(found, 0x01020304U);
}

TEST(CheckStored, FullPageMustRepeatItsLsn) {
    std::vector<std::byte> page = real_full_page();
    test::put(page, 16376, "000031f8");
    const auto reseal = [&page] {
        store_be(page.data() + 16380, crc32c(std::span(page).first(16380)));
    };
    reseal();
    EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::Mismatch);
    // In an encrypted page that word is ciphertext.
    Header::KeyVersion::set(std::span(page), 1);
    reseal();
    EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::Ok);
}

TEST(CheckStored, OldPageMustRepeatItsLsn) {
    std::vector<std::byte> page = real_old_page();
    test::put(page, 16380, "000031f2");
    EXPECT_EQ(check_stored(page, kOld, Strictness::AnyKnown), ChecksumResult::Mismatch);
}

// spec 9.3: lz4 page of 256 stored bytes.
TEST(CheckStored, FullCompressedPageIsCoveredToItsStoredSizeOnly) {
    std::vector<std::byte> page(16384);
    std::string head =
        "0000000000000001ffffffffffffffff00000000020edbfd8001120001002301ff0100000f0060020edbfd0005"
        "0a00030200131008000f020028f102300300000030003000001033313313003304000f5100280f0200";
    for (int i = 0; i < 63; ++i) {
        head += "ff";
    }
    test::put(page, 0, head + "6b80020edbfd00000000");
    test::put(page, 251, "a405df4009");
    const TablespaceFlags lz4 = flags_of(0x55);
    EXPECT_EQ(full_crc32_stored_size(page), 256U);
    EXPECT_EQ(check_stored(page, lz4, Strictness::AnyKnown), ChecksumResult::Ok);
    page[256] = std::byte{1};  // left over from an earlier, longer image
    EXPECT_EQ(check_stored(page, lz4, Strictness::AnyKnown), ChecksumResult::Ok);
    page[250] = std::byte{1};
    EXPECT_EQ(check_stored(page, lz4, Strictness::AnyKnown), ChecksumResult::Mismatch);
}

TEST(FullCrc32StoredSize, RefusesSizesThatAreNone) {
    std::vector<std::byte> page(16384);
    Header::Type::set(std::span(page), 17855);
    EXPECT_EQ(full_crc32_stored_size(page), 16384U);
    Header::Type::set(std::span(page), 0x803F);
    EXPECT_EQ(full_crc32_stored_size(page), 16384U - 256);
    for (const std::uint16_t type :
         std::initializer_list<std::uint16_t>{0x8000, 0x8040, 0x8041, 0xFFFF}) {
        Header::Type::set(std::span(page), type);
        EXPECT_EQ(full_crc32_stored_size(page), 0U) << type;
        EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::Mismatch);
    }
}

TEST(CheckStored, PageThatWasNeverWrittenIsZero) {
    std::vector<std::byte> page(16384);
    EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::AllZero);
    EXPECT_EQ(check_stored(page, kOld, Strictness::Crc32Only), ChecksumResult::AllZero);
    EXPECT_EQ(check_stored(std::span(page).first(1024), kZip1k, Strictness::Crc32Only),
              ChecksumResult::AllZero);
    page[5000] = std::byte{1};
    EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::Mismatch);
    EXPECT_EQ(check_stored(page, kOld, Strictness::Crc32Only), ChecksumResult::Mismatch);
    // To the legacy rule this is a page of 3.23: no checksum in front, the LSN's high word behind.
    EXPECT_EQ(check_stored(page, kOld, Strictness::AnyKnown), ChecksumResult::Ok);
    page[5000] = std::byte{0};
    page[26] = std::byte{1};  // where old servers kept a flush LSN
    EXPECT_EQ(check_stored(page, kFull, Strictness::AnyKnown), ChecksumResult::Mismatch);
    EXPECT_EQ(check_stored(page, kOld, Strictness::Crc32Only), ChecksumResult::AllZero);
}

// The seven restampings of spec 2.4 that were put before the server.
struct Restamp {
    std::string_view name;
    enum class Value : std::uint8_t { Crc32, New, Old, None, Zero, HighLsn };
    Value field1;
    Value field2;
    bool accepted;  // by Strictness::AnyKnown; Crc32Only refuses them all
};
using Value = Restamp::Value;
const Restamp kRestamps[] = {
    {"new, old", Value::New, Value::Old, true},
    {"none, none", Value::None, Value::None, true},
    {"new, high word of the lsn", Value::New, Value::HighLsn, true},
    {"0, old", Value::Zero, Value::Old, true},
    {"new, crc32", Value::New, Value::Crc32, false},
    {"crc32, none", Value::Crc32, Value::None, false},
    {"0, crc32", Value::Zero, Value::Crc32, false},
};

std::uint32_t value_of(Value value, std::span<const std::byte> page) {
    switch (value) {
        case Value::Crc32:
            return crc32_checksum(page);
        case Value::New:
            return innodb_new_checksum(page);
        case Value::Old:
            return innodb_old_checksum(page);
        case Value::None:
            return kNone;
        case Value::HighLsn:
            return load_be<std::uint32_t>(page.data() + 16);
        case Value::Zero:
            break;
    }
    return 0;
}

TEST(CheckStored, JudgesRestampedPagesAsTheServer) {
    for (const Restamp& restamp : kRestamps) {
        SCOPED_TRACE(restamp.name);
        std::vector<std::byte> page = synthetic(16384);
        Header::Type::set(std::span(page), 17855);
        seal(page, kOld);
        ASSERT_EQ(check_stored(page, kOld, Strictness::Crc32Only), ChecksumResult::Ok);
        store_be(page.data(), value_of(restamp.field1, page));
        store_be(page.data() + 16376, value_of(restamp.field2, page));
        EXPECT_EQ(check_stored(page, kOld, Strictness::AnyKnown),
                  restamp.accepted ? ChecksumResult::Ok : ChecksumResult::Mismatch);
        EXPECT_EQ(check_stored(page, kOld, Strictness::Crc32Only), ChecksumResult::Mismatch);
    }
}

TEST(CheckStored, AcceptsLegacyChecksumsOfCompressedRowPagesUnlessStrict) {
    std::vector<std::byte> page = synthetic(1024);
    for (const std::uint32_t legacy : {zip_innodb_checksum(page), kNone}) {
        store_be(page.data(), legacy);
        EXPECT_EQ(check_stored(page, kZip1k, Strictness::AnyKnown), ChecksumResult::Ok);
        EXPECT_EQ(check_stored(page, kZip1k, Strictness::Crc32Only), ChecksumResult::Mismatch);
    }
    for (const std::uint32_t wrong : {0U, 1U}) {
        store_be(page.data(), wrong);
        EXPECT_EQ(check_stored(page, kZip1k, Strictness::AnyKnown), ChecksumResult::Mismatch);
    }
}

TEST(CheckStored, OldPageCompressionIsCheckedOnlyBehindDecompression) {
    std::vector<std::byte> page = synthetic(16384);
    for (const std::uint16_t type : std::initializer_list<std::uint16_t>{34354, 37401}) {
        Header::Type::set(std::span(page), type);
        EXPECT_EQ(check_stored(page, kOldCompressed, Strictness::Crc32Only), ChecksumResult::Ok);
        // Elsewhere these types mean nothing.
        EXPECT_EQ(check_stored(page, kOld, Strictness::AnyKnown), ChecksumResult::Mismatch);
    }
}

TEST(CheckPostEncryption, CoversThePageAsStored) {
    std::vector<std::byte> page = synthetic(16384);
    EXPECT_EQ(check_post_encryption(page, kOld), ChecksumResult::Mismatch);
    Header::PostEncryption::set(std::span(page), crc32_checksum(page));
    EXPECT_EQ(check_post_encryption(page, kOld), ChecksumResult::Ok);
    page[38] ^= std::byte{1};
    EXPECT_EQ(check_post_encryption(page, kOld), ChecksumResult::Mismatch);

    std::vector<std::byte> zip = synthetic(1024);
    Header::PostEncryption::set(std::span(zip), zip_crc32_checksum(zip));
    EXPECT_EQ(check_post_encryption(zip, kZip1k), ChecksumResult::Ok);
}

}  // namespace
}  // namespace redoubt::page
