// Real pages of spec/checksums-encryption-compression.md 9.2: page 1 of a table with space id 35
// under four combinations of file format and cipher mode.
#include "crypt/cipher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "unit/hex.h"

namespace redoubt::crypt {
namespace {

using test::from_hex;
using test::to_hex;

constexpr std::string_view kKey =
    "a7addd9adea9978fda19f21e6be987880e68ac92632ca052e5bb42b1a506939a";

Block block_of(std::string_view hex) {
    Block block{};
    std::ranges::copy(from_hex(hex), block.begin());
    return block;
}

struct Vector {
    std::string_view name;
    CipherMode mode;
    std::string_view space_iv;
    std::string_view derived;  // L
    std::uint64_t lsn;
    std::string_view page_iv;
    std::size_t begin;  // of the encrypted range
    std::size_t end;
    std::string_view plain_begin;
    std::string_view plain_end;
    std::string_view encrypted_begin;
    std::string_view encrypted_end;
};
const Vector kVectors[] = {
    {"full, cbc", CipherMode::Cbc, "8f6ccd25c9e708c778ea5f01004584b4",
     "5b499d52cd4f2487f99d75a484f3faf5", 0x0325D4B0, "2300000001000000b0d4250300000000", 26, 16380,
     "000000000000000000000023", "0325d4b0",
     "aefc6e232b7dc7ae7cf67402994b26dd630659ba8f59c2cb7e470d2eca392ce73e6c7b057b90",
     "edf24a9bfcb3106a643a11d3a1329d70c7a6f413"},
    {"old, cbc", CipherMode::Cbc, "b10929ac501ec66b0bdd6fd3c838aadb",
     "7613a51bd5a390487887516940c62742", 0x03242275, "23000000010000007522240300000000", 38, 16376,
     "00", "00", "b2ddd55df1200e8b890fe94ebeb84a7be89871209f94494f00b2",
     "bc6dd7e97dd200afabdcf0377b67b2dd"},
    {"full, ctr", CipherMode::Ctr, "6408f6d9068e4aea6135252ea2378314",
     "f3028dad6bb7f22500498715e3bd2164", 0x032480BC, "2300000001000000bc80240300000000", 26, 16380,
     "000000000000000000000023", "032480bc",
     "7a11f29f0956ae562a242710b9382a987a4028c01908c6783d9d917f16804da8356eb64db9d2",
     "e6d9cee9d7abfec582ae68b4280252b1102a52a6"},
    {"old, ctr", CipherMode::Ctr, "89207286b98ec6674ec287dd88aeae60",
     "ee7e4c5a638288f4c37d76b2a14dd004", 0x03241FA0, "2300000001000000a01f240300000000", 38, 16376,
     "00", "00", "b16d7f1cc3b11f300f57f1612cfe1854e8f51dbb70342e48ee95",
     "a55482fa6cb6f9dc92df54aef37db505"},
};

/// The encrypted range before encryption: all that is not zero is its ends and the change buffer
/// bitmap, of which bytes 104 to 125 of the page are in use.
std::vector<std::byte> plain_of(const Vector& v) {
    std::vector<std::byte> plain(v.end - v.begin);
    test::put(plain, 0, v.plain_begin);
    test::put(plain, 104 - v.begin, "30030000003000300000103331331300333313003333");
    test::put(plain, plain.size() - v.plain_end.size() / 2, v.plain_end);
    return plain;
}

TEST(EncryptBlock, DerivesTheKeyOfATablespace) {
    const Key key(from_hex(kKey));
    for (const Vector& v : kVectors) {
        EXPECT_EQ(to_hex(encrypt_block(key, block_of(v.space_iv))), v.derived) << v.name;
    }
}

// The examples of FIPS 197, appendix C: one for each key length.
TEST(EncryptBlock, TakesKeysOfAllThreeLengths) {
    const Block plain = block_of("00112233445566778899aabbccddeeff");
    const std::vector<std::byte> key =
        from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    const std::pair<std::size_t, std::string_view> kExpected[] = {
        {16, "69c4e0d86a7b0430d8cdb78070b4c55a"},
        {24, "dda97ca4864cdfe06eaf70a0ec0d7191"},
        {32, "8ea2b7ca516745bfeafc49904b496089"}};
    for (const auto& [size, expected] : kExpected) {
        EXPECT_EQ(to_hex(encrypt_block(Key(std::span(key).first(size)), plain)), expected);
    }
}

TEST(PageIv, IsLittleEndian) {
    for (const Vector& v : kVectors) {
        EXPECT_EQ(to_hex(page_iv(35, 1, v.lsn)), v.page_iv) << v.name;
    }
    EXPECT_EQ(to_hex(page_iv(0x01020304, 0x11121314, 0x2122232425262728)),
              "04030201141312112827262524232221");
}

TEST(Cipher, EncryptsPagesAsTheServer) {
    for (const Vector& v : kVectors) {
        SCOPED_TRACE(v.name);
        Cipher cipher(block_of(v.derived), v.mode);
        const std::vector<std::byte> plain = plain_of(v);
        std::vector<std::byte> stored(plain.size());
        cipher.encrypt(block_of(v.page_iv), plain, stored);
        EXPECT_EQ(to_hex(std::span(stored).first(v.encrypted_begin.size() / 2)), v.encrypted_begin);
        EXPECT_EQ(to_hex(std::span(stored).last(v.encrypted_end.size() / 2)), v.encrypted_end);
    }
}

TEST(Cipher, DecryptsInPlace) {
    for (const Vector& v : kVectors) {
        SCOPED_TRACE(v.name);
        Cipher cipher(block_of(v.derived), v.mode);
        std::vector<std::byte> page = plain_of(v);
        cipher.encrypt(block_of(v.page_iv), page, page);
        ASSERT_NE(page, plain_of(v));
        cipher.decrypt(block_of(v.page_iv), page, page);
        EXPECT_EQ(page, plain_of(v));
    }
}

TEST(Cipher, KeepsNothingFromOneMessageToTheNext) {
    for (const CipherMode mode : {CipherMode::Cbc, CipherMode::Ctr}) {
        const Block iv = block_of("000102030405060708090a0b0c0d0e0f");
        const std::vector<std::byte> plain(50, std::byte{0x5A});
        Cipher fresh(Block{}, mode);
        std::vector<std::byte> expected(plain.size());
        fresh.encrypt(iv, plain, expected);

        Cipher used(Block{}, mode);
        std::vector<std::byte> other(33);
        used.encrypt(Block{}, other, other);
        used.decrypt(Block{}, other, other);
        std::vector<std::byte> stored(plain.size());
        used.encrypt(iv, plain, stored);
        EXPECT_EQ(stored, expected);
    }
}

TEST(Cipher, MessagesOfAnyLengthComeBack) {
    for (const CipherMode mode : {CipherMode::Cbc, CipherMode::Ctr}) {
        Cipher cipher(block_of("2b7e151628aed2a6abf7158809cf4f3c"), mode);
        const Block iv = page_iv(1, 2, 3);
        for (std::size_t size = 0; size <= 70; ++size) {
            std::vector<std::byte> plain(size);
            for (std::size_t i = 0; i < size; ++i) {
                plain[i] = static_cast<std::byte>(i * 31);
            }
            std::vector<std::byte> stored(size);
            std::vector<std::byte> back(size);
            cipher.encrypt(iv, plain, stored);
            cipher.decrypt(iv, stored, back);
            EXPECT_EQ(back, plain) << size;
            EXPECT_TRUE(size == 0 || stored != plain) << size;
        }
    }
}

}  // namespace
}  // namespace redoubt::crypt
