#include "space/codec.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "page/header.h"
#include "space/compression.h"

namespace redoubt::space {
namespace {

using page::CompressionAlgorithm;
using page::Header;
using page::PageType;
using page::TablespaceFlags;
using testing::HasSubstr;

std::vector<std::byte> from_hex(std::string_view hex) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        bytes.push_back(
            static_cast<std::byte>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}
std::string to_hex(std::span<const std::byte> bytes) {
    std::string hex;
    for (const std::byte b : bytes) {
        hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
    }
    return hex;
}

/// A page that has `head` at its start, `tail` at its end and zeros between.
std::vector<std::byte> page_of(std::size_t size, std::string_view head,
                               std::string_view tail = "") {
    std::vector<std::byte> page(size);
    std::ranges::copy(from_hex(head), page.begin());
    const std::vector<std::byte> end = from_hex(tail);
    std::ranges::copy(end, page.end() - static_cast<std::ptrdiff_t>(end.size()));
    return page;
}

/// Keys by version; every id has the same ones.
class TestKeys final : public crypt::KeyRing {
public:
    explicit TestKeys(
        crypt::CipherMode mode, std::uint32_t latest = 1,
        std::string_view first = "a7addd9adea9978fda19f21e6be987880e68ac92632ca052e5bb42b1a506939a")
        : mode_(mode), latest_(latest), first_(from_hex(first)) {}
    crypt::CipherMode mode() const override { return mode_; }
    Result<crypt::Key> key(std::uint32_t id, std::uint32_t version) const override {
        if (version == 0 || version > latest_) {
            return make_error(ErrorCode::Key, "no key {} version {}", id, version);
        }
        std::vector<std::byte> bytes = first_;
        bytes.front() ^= static_cast<std::byte>(version - 1);
        return crypt::Key(bytes);
    }
    Result<std::uint32_t> latest_version(std::uint32_t) const override { return latest_; }

private:
    crypt::CipherMode mode_;
    std::uint32_t latest_;
    std::vector<std::byte> first_;
};

crypt::CryptData crypt_data(std::string_view iv) {
    crypt::CryptData data;
    data.scheme = crypt::CryptData::Scheme::One;
    std::ranges::copy(from_hex(iv), data.iv.begin());
    data.min_key_version = 1;
    return data;
}

PageCodec make_codec(std::uint32_t space, std::uint32_t flags,
                     std::optional<crypt::CryptData> crypt = std::nullopt,
                     const crypt::KeyRing* keys = nullptr) {
    return PageCodec({.space = SpaceId{space},
                      .flags = TablespaceFlags::decode(flags).value(),
                      .crypt = std::move(crypt),
                      .keys = keys});
}

constexpr PageNo kPageOne{1};

// Vectors of the real server: spec/checksums-encryption-compression.md 9.2 and 9.3.
struct EncryptionVector {
    std::string_view name;
    std::uint32_t flags;
    crypt::CipherMode mode;
    std::string_view iv;
    std::string_view plain_head;
    std::string_view plain_tail;
    std::string_view stored_head;
    std::string_view stored_tail;
};
/// What the change buffer bitmap of these pages holds, from byte 104 on.
constexpr std::string_view kBitmap = "30030000003000300000103331331300333313003333";
const EncryptionVector kEncryptionVectors[] = {
    {"full, cbc", 21, crypt::CipherMode::Cbc, "8f6ccd25c9e708c778ea5f01004584b4",
     "0000000000000001ffffffffffffffff000000000325d4b00005000000000000000000000023",
     "0325d4b000000000",
     "0000000100000001ffffffffffffffff000000000325d4b00005aefc6e232b7dc7ae7cf67402994b26dd630659ba8"
     "f"
     "59c2cb7e470d2eca392ce73e6c7b057b90",
     "edf24a9bfcb3106a643a11d3a1329d70c7a6f4132e443b4f"},
    {"old, cbc", 33, crypt::CipherMode::Cbc, "b10929ac501ec66b0bdd6fd3c838aadb",
     "98cf0fd900000001ffffffffffffffff00000000032422750005000000000000000000000023",
     "98cf0fd903242275",
     "98cf0fd900000001ffffffffffffffff00000000032422750005000000011a4dcf7a00000023b2ddd55df1200e8b8"
     "9"
     "0fe94ebeb84a7be89871209f94494f00b2",
     "bc6dd7e97dd200afabdcf0377b67b2dd98cf0fd903242275"},
    {"full, ctr", 21, crypt::CipherMode::Ctr, "6408f6d9068e4aea6135252ea2378314",
     "0000000000000001ffffffffffffffff00000000032480bc0005000000000000000000000023",
     "032480bc00000000",
     "0000000100000001ffffffffffffffff00000000032480bc00057a11f29f0956ae562a242710b9382a987a4028c01"
     "9"
     "08c6783d9d917f16804da8356eb64db9d2",
     "e6d9cee9d7abfec582ae68b4280252b1102a52a6ff9a02fd"},
    {"old, ctr", 33, crypt::CipherMode::Ctr, "89207286b98ec6674ec287dd88aeae60",
     "f1d2eeb600000001ffffffffffffffff0000000003241fa00005000000000000000000000023",
     "f1d2eeb603241fa0",
     "f1d2eeb600000001ffffffffffffffff0000000003241fa0000500000001b4bb882d00000023b16d7f1cc3b11f300"
     "f"
     "57f1612cfe1854e8f51dbb70342e48ee95",
     "a55482fa6cb6f9dc92df54aef37db505f1d2eeb603241fa0"},
};

TEST(PageCodec, EncryptsAndDecryptsAsTheServer) {
    for (const EncryptionVector& v : kEncryptionVectors) {
        SCOPED_TRACE(v.name);
        const TestKeys keys(v.mode);
        PageCodec codec = make_codec(35, v.flags, crypt_data(v.iv), &keys);
        std::vector<std::byte> plain = page_of(16384, v.plain_head, v.plain_tail);
        std::ranges::copy(from_hex(kBitmap), plain.begin() + 104);
        std::vector<std::byte> stored(16384);
        const auto length = codec.encode(kPageOne, plain, stored);
        ASSERT_TRUE(length) << length.error().to_string();
        EXPECT_EQ(*length, 16384U);
        EXPECT_EQ(to_hex(std::span(stored).first(64)), v.stored_head);
        EXPECT_EQ(to_hex(std::span(stored).last(24)), v.stored_tail);

        EXPECT_EQ(codec.check(kPageOne, stored).value(), PageState::Whole);
        std::vector<std::byte> decoded(16384, std::byte{0xAA});
        ASSERT_EQ(codec.decode(kPageOne, stored, decoded).value(), PageState::Whole);
        const std::size_t unspecified = codec.parameters().flags.full_crc32 ? 4 : 0;
        EXPECT_EQ(to_hex(std::span(decoded).first(16384 - unspecified)),
                  to_hex(std::span(plain).first(16384 - unspecified)));
    }
}

TEST(PageCodec, WithoutKeysChecksWhatIsStoredAndSaysSo) {
    for (const EncryptionVector& v : kEncryptionVectors) {
        SCOPED_TRACE(v.name);
        const TestKeys keys(v.mode);
        PageCodec writer = make_codec(35, v.flags, crypt_data(v.iv), &keys);
        std::vector<std::byte> stored(16384);
        ASSERT_TRUE(writer.encode(kPageOne, page_of(16384, v.plain_head, v.plain_tail), stored));
        PageCodec codec = make_codec(35, v.flags, crypt_data(v.iv));
        EXPECT_EQ(codec.check(kPageOne, stored).value(), PageState::NoKey);
        std::vector<std::byte> plain(16384);
        const auto decoded = codec.decode(kPageOne, stored, plain);
        ASSERT_FALSE(decoded);
        EXPECT_EQ(decoded.error().code(), ErrorCode::Key);
        stored[5000] ^= std::byte{1};
        const auto damaged = codec.check(kPageOne, stored);
        ASSERT_FALSE(damaged);
        EXPECT_EQ(damaged.error().code(), ErrorCode::Corruption);
    }
}

TEST(PageCodec, AWrongKeyOrModeIsNoCorruption) {
    for (const EncryptionVector& v : kEncryptionVectors) {
        SCOPED_TRACE(v.name);
        const TestKeys keys(v.mode);
        PageCodec writer = make_codec(35, v.flags, crypt_data(v.iv), &keys);
        std::vector<std::byte> stored(16384);
        ASSERT_TRUE(writer.encode(kPageOne, page_of(16384, v.plain_head, v.plain_tail), stored));
        const TestKeys wrong_key(v.mode, 1, "00112233445566778899aabbccddeeff");
        const TestKeys wrong_mode(v.mode == crypt::CipherMode::Cbc ? crypt::CipherMode::Ctr
                                                                   : crypt::CipherMode::Cbc);
        const TestKeys none(v.mode, 0);
        for (const TestKeys* ring : {&wrong_key, &wrong_mode, &none}) {
            PageCodec codec = make_codec(35, v.flags, crypt_data(v.iv), ring);
            const auto state = codec.check(kPageOne, stored);
            ASSERT_FALSE(state);
            EXPECT_EQ(state.error().code(), ErrorCode::Key);
            EXPECT_EQ(state.error().page(), kPageOne);
        }
    }
}

TEST(PageCodec, DecompressesTheServersPages) {
    const std::string zlib_full =
        "0000000000000001ffffffffffffffff0000000001db5c6b8001789ceddbc10980400c04c088f856b091936bc7"
        "0e2c"
        "d962f40c8205dc4b985912c8673b48441aae571ee77ec4149f39ba95f1592db1d4adae5173fa7b010000000000"
        "0000"
        "00000000000000e0cff2c7bfb901f7c70d80";
    std::vector<std::byte> stored = page_of(16384, zlib_full);
    std::ranges::copy(from_hex("33a556bf"), stored.begin() + 252);
    std::vector<std::byte> plain(16384);
    PageCodec zlib = make_codec(15, 0x35);
    ASSERT_EQ(zlib.decode(kPageOne, stored, plain).value(), PageState::Whole);
    EXPECT_EQ(Header::Space::get(std::span(plain)), 15U);
    EXPECT_EQ(Header::Type::get(std::span(plain)), 5U);

    const std::string old_zlib =
        "deadbeef00000001ffffffffffffffff0000000002a9651f86320000000000000001000000130064789ceddbc1"
        "0983"
        "401005d09f84dc050bb005c39e2cc8aaac2015598265e86e08588027e1bdcf0c73fa1dccb62e5392c7fe57ef3c"
        "bff3"
        "90774e7d2e1b5f6dd5a42b9fd2a7fce67a2f000000000000000000000000000000dcd9b62e53fbf33f00911611"
        "c0";
    PageCodec old = make_codec(19, 0x10021);
    std::vector<std::byte> image = page_of(16384, old_zlib);
    // Stale bytes behind the data, as where holes cannot be punched.
    std::fill(image.begin() + 512, image.end(), std::byte{0xEE});
    ASSERT_EQ(old.decode(kPageOne, image, plain).value(), PageState::Whole);
    EXPECT_EQ(to_hex(std::span(plain).first(28)),
              "e7d79b3900000001ffffffffffffffff0000000002a9651f00050000");
    EXPECT_EQ(to_hex(std::span(plain).last(8)), "e7d79b3902a9651f");
}

TEST(PageCodec, ReadsAndWritesTheServersLz4Page) {
    std::string head =
        "0000000000000001ffffffffffffffff00000000020edbfd8001120001002301ff0100000f0060020edbfd0005"
        "0a00"
        "030200131008000f020028f102300300000030003000001033313313003304000f5100280f0200";
    for (int i = 0; i < 63; ++i) {
        head += "ff";
    }
    head += "6b80020edbfd00000000";
    std::vector<std::byte> stored = page_of(16384, head);
    stored[251] = std::byte{0xA4};
    std::ranges::copy(from_hex("05df4009"), stored.begin() + 252);
    PageCodec codec = make_codec(16, 0x55);
    std::vector<std::byte> plain(16384);
    const auto state = codec.decode(kPageOne, stored, plain);
    ASSERT_TRUE(state) << state.error().to_string();
    EXPECT_EQ(to_hex(std::span(plain).first(38)),
              "0000000000000001ffffffffffffffff00000000020edbfd0005000000000000000000000010");
    EXPECT_EQ(to_hex(std::span(plain).last(8)), "020edbfd00000000");
    std::vector<std::byte> again(16384);
    EXPECT_EQ(codec.encode(kPageOne, plain, again).value(), 256U);
    EXPECT_EQ(to_hex(again), to_hex(stored));
}

/// Bytes of a full_crc32 page whose checksum is made right for the stored size that it names.
void seal_compressed(std::vector<std::byte>& stored) {
    const std::size_t end = page::full_crc32_stored_size(stored) - 4;
    store_be(stored.data() + end, crc32c(std::span(stored).first(end)));
}

TEST(PageCodec, ALengthByteThatLeavesNoDataIsCorruption) {
    for (unsigned low = 1; low <= 31; ++low) {
        SCOPED_TRACE(low);
        std::vector<std::byte> stored(16384);
        Header::Number::set(std::span(stored), 1);
        Header::Type::set(std::span(stored), 0x8001);  // 256 bytes
        stored[251] = static_cast<std::byte>(low);
        seal_compressed(stored);
        PageCodec codec = make_codec(16, 0x55);
        const auto state = codec.check(kPageOne, stored);
        ASSERT_FALSE(state);
        EXPECT_EQ(state.error().code(), ErrorCode::Corruption);
    }
}

TEST(PageCodec, NamesPagesStoredUnencryptedUnderAnEncryptedLabel) {
    const TestKeys keys(crypt::CipherMode::Ctr);
    PageCodec writer = make_codec(16, 0x55);
    PageCodec reader = make_codec(16, 0x55, crypt_data("000102030405060708090a0b0c0d0e0f"), &keys);
    std::vector<std::byte> plain(16384);
    Header::Number::set(std::span(plain), 1);
    Header::Space::set(std::span(plain), 16);
    Header::Type::set(std::span(plain), static_cast<std::uint16_t>(page::PageType::Index));
    std::vector<std::byte> stored(16384);
    ASSERT_LT(writer.encode(kPageOne, plain, stored).value(), 16384U);
    Header::KeyVersion::set(std::span(stored), 1);
    seal_compressed(stored);
    const auto state = reader.check(kPageOne, stored);
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().code(), ErrorCode::Corruption);
    EXPECT_NE(state.error().to_string().find("stored unencrypted"), std::string::npos);
}

TEST(PageCodec, MessagesSayWhatWasExpectedAndFound) {
    PageCodec codec = make_codec(7, 0x15);
    std::vector<std::byte> plain(16384);
    page::initialise(plain, {SpaceId{7}, PageNo{3}});
    Header::PageLsn::set(std::span(plain), std::uint64_t{77});
    Header::Type::set(std::span(plain), std::uint16_t{6});
    std::vector<std::byte> stored(16384);
    ASSERT_TRUE(codec.encode(PageNo{3}, plain, stored));
    EXPECT_EQ(codec.check(PageNo{3}, stored).value(), PageState::Whole);

    const auto moved = codec.check(PageNo{4}, stored);
    ASSERT_FALSE(moved);
    EXPECT_THAT(moved.error().to_string(), HasSubstr("carries number 3, expected 4"));
    EXPECT_THAT(moved.error().to_string(), HasSubstr("space 7 page 4"));

    PageCodec other = make_codec(8, 0x15);
    const auto foreign = other.check(PageNo{3}, stored);
    ASSERT_FALSE(foreign);
    EXPECT_THAT(foreign.error().to_string(), HasSubstr("belongs to space 7, expected 8"));

    const std::uint32_t found = load_be<std::uint32_t>(stored.data() + 16380);
    stored[100] ^= std::byte{1};
    const std::uint32_t expected = crc32c(std::span(stored).first(16380));
    const auto damaged = codec.check(PageNo{3}, stored);
    ASSERT_FALSE(damaged);
    EXPECT_THAT(damaged.error().message(),
                HasSubstr(fmt::format("expected {:08x}, found {:08x}", expected, found)));
}

TEST(PageCodec, ZeroPagesStayAsTheyAre) {
    const TestKeys keys(crypt::CipherMode::Cbc);
    for (const std::uint32_t flags : {0x15U, 0x35U, 33U, 0x10021U, 37U}) {
        PageCodec codec = make_codec(7, flags, crypt_data("00"), &keys);
        const std::vector<std::byte> zero(codec.physical_size());
        std::vector<std::byte> out(codec.physical_size(), std::byte{1});
        EXPECT_EQ(codec.check(PageNo{9}, zero).value(), PageState::AllZero);
        EXPECT_EQ(codec.decode(PageNo{9}, zero, out).value(), PageState::AllZero);
        EXPECT_EQ(out, zero);
        EXPECT_EQ(codec.encode(PageNo{9}, zero, out).value(), codec.physical_size());
        EXPECT_EQ(out, zero);
    }
}

TEST(PageCodec, APageOfAnotherPlaceIsNotWritten) {
    PageCodec codec = make_codec(7, 0x15);
    std::vector<std::byte> plain(16384);
    page::initialise(plain, {SpaceId{7}, PageNo{3}});
    std::vector<std::byte> stored(16384);
    for (const auto& length : {codec.encode(PageNo{4}, plain, stored),
                               make_codec(8, 0x15).encode(PageNo{3}, plain, stored)}) {
        ASSERT_FALSE(length);
        EXPECT_EQ(length.error().code(), ErrorCode::Internal);
    }
}

TEST(PageCodec, PagesThatAreNeverEncryptedOrCompressedStayPlain) {
    const TestKeys keys(crypt::CipherMode::Cbc);
    struct Case {
        std::uint32_t flags;
        std::uint32_t space;
        std::uint32_t page;
        PageType type;
    };
    for (const Case& c :
         {Case{0x35, 9, 0, PageType::TablespaceHeader}, Case{0x15, 0, 5, PageType::TrxSystem},
          Case{0x35, 9, 16384, PageType::ExtentDescriptors}, Case{33, 9, 7, PageType::RTree},
          Case{33, 0, 5, PageType::TrxSystem},
          Case{0x10021, 9, 16384, PageType::ExtentDescriptors}}) {
        PageCodec codec = make_codec(c.space, c.flags, crypt_data("17"), &keys);
        std::vector<std::byte> plain(codec.physical_size());
        page::initialise(plain, {SpaceId{c.space}, PageNo{c.page}});
        Header::Type::set(std::span(plain), static_cast<std::uint16_t>(c.type));
        std::vector<std::byte> stored(plain.size());
        ASSERT_EQ(codec.encode(PageNo{c.page}, plain, stored).value(), plain.size());
        EXPECT_EQ(Header::Type::get(std::span(stored)), static_cast<std::uint16_t>(c.type));
        EXPECT_EQ(to_hex(std::span(stored).subspan(38, 1000)),
                  to_hex(std::span(plain).subspan(38, 1000)));
        EXPECT_EQ(
            make_codec(c.space, c.flags, crypt_data("17")).check(PageNo{c.page}, stored).value(),
            PageState::Whole);
    }
}

/// Every format, once for each way of writing.
struct Format {
    std::uint32_t flags;
    std::optional<crypt::CipherMode> mode;
    CompressionAlgorithm old_algorithm = CompressionAlgorithm::Zlib;
};
std::vector<Format> all_formats() {
    std::vector<std::uint32_t> flags;
    for (const std::uint32_t size : {3U, 4U, 5U, 6U, 7U}) {
        for (std::uint32_t algorithm = 0; algorithm <= 6; ++algorithm) {
            flags.push_back(size | 16 | (algorithm << 5));
        }
        const std::uint32_t old_size = size == 5 ? 0 : size << 6;
        flags.push_back(old_size | 0x21);
        flags.push_back(old_size | 0x10021);
    }
    for (const std::uint32_t zip : {1U, 2U, 3U, 4U, 5U}) {
        flags.push_back((zip << 1) | 0x21);
    }
    std::vector<Format> formats;
    for (const std::uint32_t f : flags) {
        for (const auto mode :
             {std::optional<crypt::CipherMode>(), std::optional(crypt::CipherMode::Cbc),
              std::optional(crypt::CipherMode::Ctr)}) {
            formats.push_back({f, mode});
            if ((f & 0x10000) != 0) {
                formats.push_back({f, mode, CompressionAlgorithm::Lz4});
                formats.push_back({f, mode, CompressionAlgorithm::Bzip2});
            }
        }
    }
    return formats;
}

/// A page with a random header and a body that compresses by a random degree.
std::vector<std::byte> random_page(std::mt19937_64& random, PageId id, std::size_t size) {
    static constexpr PageType kTypes[] = {PageType::UndoLog,  PageType::Inode, PageType::System,
                                          PageType::Blob,     PageType::Index, PageType::RTree,
                                          PageType::Allocated};
    std::vector<std::byte> page(size);
    const std::size_t noise = random() % (size + 1);
    for (std::size_t i = 0; i < size; ++i) {
        page[i] = static_cast<std::byte>(i < noise ? random() : i % 7);
    }
    page::initialise(std::span(page).first(page::kHeaderSize), id);
    Header::PageLsn::set(std::span(page), random());
    Header::Type::set(std::span(page),
                      static_cast<std::uint16_t>(kTypes[random() % std::size(kTypes)]));
    return page;
}

/// The page without what C1 leaves open.
std::vector<std::byte> without_checksums(std::vector<std::byte> page,
                                         const TablespaceFlags& flags) {
    std::fill_n(page.begin(), 4, std::byte{0});
    if (!flags.row_compressed) {
        std::fill(page.end() - 8, page.end(), std::byte{0});
    }
    return page;
}

TEST(PageCodec, DecodeUndoesEncodeInEveryFormat) {  // C1, C2
    const std::uint64_t seed = std::random_device{}();
    std::mt19937_64 random(seed);
    for (const Format& format : all_formats()) {
        const TestKeys keys(format.mode.value_or(crypt::CipherMode::Cbc), 3);
        PageCodec::Parameters parameters{.space = SpaceId{41},
                                         .flags = TablespaceFlags::decode(format.flags).value(),
                                         .crypt = std::nullopt,
                                         .keys = &keys,
                                         .old_algorithm = format.old_algorithm};
        if (format.mode) {
            parameters.crypt = crypt_data("0123456789abcdef0123456789abcdef");
        }
        PageCodec codec(parameters);
        const TablespaceFlags& flags = codec.parameters().flags;
        for (int round = 0; round < 3; ++round) {
            SCOPED_TRACE(fmt::format("seed {} flags {:#x} encrypted {} round {}", seed,
                                     format.flags, format.mode.has_value(), round));
            const PageNo number{1 + static_cast<std::uint32_t>(random() % 1000)};
            const std::size_t size = codec.physical_size();
            const std::vector<std::byte> plain = random_page(random, {SpaceId{41}, number}, size);
            std::vector<std::byte> stored(size, std::byte{0xCC});
            const auto length = codec.encode(number, plain, stored);
            ASSERT_TRUE(length) << length.error().to_string();
            ASSERT_TRUE(*length <= size && (*length % 256 == 0));
            EXPECT_TRUE(page::all_zero(std::span(stored).subspan(*length)));
            const auto checked = codec.check(number, stored);
            ASSERT_TRUE(checked) << checked.error().to_string();
            EXPECT_EQ(*checked, PageState::Whole);
            std::vector<std::byte> decoded(size, std::byte{0xDD});
            ASSERT_EQ(codec.clone().decode(number, stored, decoded).value(), PageState::Whole);
            EXPECT_TRUE(without_checksums(decoded, flags) == without_checksums(plain, flags));
            std::vector<std::byte> again(size);
            ASSERT_EQ(codec.encode(number, decoded, again).value(), *length);
            EXPECT_TRUE(again == stored);

            // Whatever becomes of the bytes, reading ends and stays within its buffers.
            for (int damage = 0; damage < 8; ++damage) {
                std::vector<std::byte> garbled = stored;
                if (damage == 0) {
                    std::fill(garbled.begin() + static_cast<std::ptrdiff_t>(random() % size),
                              garbled.end(), std::byte{0});
                } else {
                    const std::size_t reach = damage < 5 ? 64 : size;
                    garbled[random() % reach] = static_cast<std::byte>(random());
                }
                if (flags.full_crc32) {  // so that what is behind the checksum is reached
                    const std::uint32_t end = page::full_crc32_stored_size(garbled);
                    if (end >= 256) {
                        store_be(garbled.data() + end - 4,
                                 crc32c(std::span(garbled).first(end - 4)));
                    }
                }
                const auto state = codec.decode(number, garbled, decoded);
                EXPECT_EQ(codec.check(number, garbled).has_value(), state.has_value());
            }
        }
    }
}

TEST(PageCodec, ReadsPagesOfEveryKeyVersion) {
    const TestKeys old_keys(crypt::CipherMode::Cbc, 1);
    const TestKeys new_keys(crypt::CipherMode::Cbc, 2);
    for (const std::uint32_t flags : {0x15U, 33U}) {
        PageCodec before = make_codec(7, flags, crypt_data("01"), &old_keys);
        PageCodec after = make_codec(7, flags, crypt_data("01"), &new_keys);
        std::vector<std::byte> plain(16384);
        page::initialise(plain, {SpaceId{7}, PageNo{3}});
        Header::Type::set(std::span(plain), std::uint16_t{6});
        std::vector<std::byte> first(16384);
        std::vector<std::byte> second(16384);
        ASSERT_TRUE(before.encode(PageNo{3}, plain, first));
        ASSERT_TRUE(after.encode(PageNo{3}, plain, second));
        EXPECT_NE(to_hex(first), to_hex(second));
        EXPECT_EQ(after.check(PageNo{3}, first).value(), PageState::Whole);
        EXPECT_EQ(after.check(PageNo{3}, second).value(), PageState::Whole);
        EXPECT_EQ(before.check(PageNo{3}, second).error().code(), ErrorCode::Key);
    }
}

}  // namespace
}  // namespace redoubt::space
