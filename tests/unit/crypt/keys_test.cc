#include "crypt/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <vector>

#include "io/memory_directory.h"
#include "unit/hex.h"

namespace redoubt::crypt {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kHex16 = "00112233445566778899aabbccddeeff";
constexpr std::string_view kHex24 = "00112233445566778899aabbccddeeff0011223344556677";
constexpr std::string_view kHex32 =
    "a7addd9adea9978fda19f21e6be987880e68ac92632ca052e5bb42b1a506939a";

Result<std::unique_ptr<KeyRing>> parse(std::string_view content,
                                       std::optional<std::string> password = std::nullopt) {
    return parse_key_file(content, std::move(password), CipherMode::Cbc, "keys.txt");
}

std::string key_hex(const KeyRing& ring, std::uint32_t id) {
    const Result<Key> key = ring.key(id, 1);
    return key ? test::to_hex(key->bytes()) : key.error().to_string();
}

std::string line(std::uint32_t id, std::string_view hex) { return fmt::format("{};{}\n", id, hex); }

TEST(KeyFile, GivesKeysOfAllThreeLengths) {
    const auto ring = parse(line(1, kHex16) + line(2, kHex24) + line(4294967295, kHex32));
    ASSERT_TRUE(ring) << ring.error().to_string();
    EXPECT_EQ((*ring)->mode(), CipherMode::Cbc);
    EXPECT_EQ(key_hex(**ring, 1), kHex16);
    EXPECT_EQ(key_hex(**ring, 2), kHex24);
    EXPECT_EQ(key_hex(**ring, 4294967295), kHex32);
}

TEST(KeyFile, CommentsBlanksAndTrailersAreSkipped) {
    const auto ring =
        parse(fmt::format("# keys of the shop\n\n  # more\n\r\n \t 1;{}\r\n2;{} the old one\n7;{}",
                          kHex16, "AABBCCDDEEFF00112233445566778899", kHex32));
    ASSERT_TRUE(ring) << ring.error().to_string();
    EXPECT_EQ(key_hex(**ring, 1), kHex16);
    EXPECT_EQ(key_hex(**ring, 2), "aabbccddeeff00112233445566778899");
    EXPECT_EQ(key_hex(**ring, 7), kHex32);  // no newline at its end
}

TEST(KeyFile, HasOnlyVersionOne) {
    const auto ring = parse(line(1, kHex16));
    ASSERT_TRUE(ring);
    EXPECT_EQ((*ring)->latest_version(1).value(), 1U);
    for (const std::uint32_t version : {0U, 2U, 0xFFFFFFFFU}) {
        const Result<Key> key = (*ring)->key(1, version);
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code(), ErrorCode::Key);
        EXPECT_THAT(key.error().message(), HasSubstr(fmt::format("version {}", version)));
    }
}

TEST(KeyFile, MissingKeyIsNamed) {
    const auto ring = parse(line(1, kHex16));
    ASSERT_TRUE(ring);
    const Result<Key> key = (*ring)->key(5, 1);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), ErrorCode::Key);
    EXPECT_EQ(key.error().file(), "keys.txt");
    EXPECT_THAT(key.error().message(), HasSubstr("5"));
    EXPECT_FALSE((*ring)->latest_version(5));
}

struct Malformed {
    std::string content;
    std::string_view says;
};

TEST(KeyFile, MalformedFilesAreRefusedWithoutTellingKeys) {
    const std::string good = line(1, kHex16);
    const std::string hex(kHex16);
    const std::vector<Malformed> files = {
        {"", "no key 1"},
        {"# only a comment\n", "no key 1"},
        {line(2, kHex16), "no key 1"},
        {"0;" + hex + "\n", "line 1"},
        {good + "-1;" + hex + "\n", "line 2"},
        {good + "4294967296;" + hex + "\n", "line 2"},
        {good + "99999999999999999999999999;" + hex + "\n", "line 2"},
        {good + "two;" + hex + "\n", "line 2"},
        {good + ";" + hex + "\n", "line 2"},
        {good + "2\n", "line 2"},
        {good + "2:" + hex + "\n", "line 2"},
        {good + "2 ;" + hex + "\n", "line 2"},
        {good + "\n2;\n", "the key on line 3 has 0 hex digits"},
        {good + "2; " + hex + "\n", "has 0 hex digits"},
        {good + "2;" + hex.substr(1) + "\n", "has 31 hex digits"},
        {good + "2;" + hex + "a\n", "has 33 hex digits"},
        {good + "2;" + hex + hex + "ab\n", "has 66 hex digits"},
        {good + "2;" + hex.substr(0, 20) + "x" + hex.substr(20) + "\n", "has 20 hex digits"},
        {good + "2;" + std::string(100000, 'f') + "\n", "has 100000 hex digits"},
    };
    for (const Malformed& file : files) {
        SCOPED_TRACE(file.content.substr(0, 80));
        const auto ring = parse(file.content);
        ASSERT_FALSE(ring);
        EXPECT_EQ(ring.error().code(), ErrorCode::Key);
        const std::string text = ring.error().to_string();
        EXPECT_THAT(text, HasSubstr(std::string(file.says)));
        EXPECT_THAT(text, HasSubstr("keys.txt"));
        EXPECT_THAT(text, Not(HasSubstr("2233445566")));
    }
}

/// What `openssl enc -aes-256-cbc -md sha1` makes of a text.
std::string encrypt_file(std::string_view text, std::string_view password,
                         const EVP_MD* digest = EVP_sha1()) {
    const std::vector<unsigned char> salt = {1, 2, 3, 4, 5, 6, 7, 8};
    const std::vector<unsigned char> secret(password.begin(), password.end());
    std::vector<unsigned char> key(32);
    std::vector<unsigned char> iv(16);
    EVP_BytesToKey(EVP_aes_256_cbc(), digest, salt.data(), secret.data(),
                   static_cast<int>(secret.size()), 1, key.data(), iv.data());
    const std::vector<unsigned char> plain(text.begin(), text.end());
    std::vector<unsigned char> sealed(plain.size() + 16);
    int first = 0;
    int last = 0;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), nullptr, key.data(), iv.data());
    EVP_EncryptUpdate(context, sealed.data(), &first, plain.data(), static_cast<int>(plain.size()));
    EVP_EncryptFinal_ex(context, sealed.data() + first, &last);
    EVP_CIPHER_CTX_free(context);
    sealed.resize(static_cast<std::size_t>(first + last));
    return "Salted__" + std::string(salt.begin(), salt.end()) +
           std::string(sealed.begin(), sealed.end());
}

TEST(EncryptedKeyFile, OpensWithItsPassword) {
    const std::string file = encrypt_file(line(1, kHex16) + line(9, kHex32), "open sesame");
    const auto ring = parse(file, "open sesame");
    ASSERT_TRUE(ring) << ring.error().to_string();
    EXPECT_EQ(key_hex(**ring, 1), kHex16);
    EXPECT_EQ(key_hex(**ring, 9), kHex32);
    // A password file made by an editor ends in a newline.
    EXPECT_TRUE(parse(file, "open sesame\r\n"));
}

// echo -n '1;00112233445566778899aabbccddeeff' | openssl enc -aes-256-cbc -md sha1 -pass pass:horse
TEST(EncryptedKeyFile, OpensWhatTheOpensslCommandMade) {
    const std::vector<std::byte> bytes = test::from_hex(
        "53616c7465645f5f5f8ea3ff952408c0ebf0b8bf4e75f70d8f5996c734ceccd4c1565ca2fcb05adccb14521281"
        "29d9881485e5948b9f488c3fdd82b027e30635");
    std::string file;
    for (const std::byte b : bytes) {
        file += static_cast<char>(b);
    }
    const auto ring = parse(file, "horse");
    ASSERT_TRUE(ring) << ring.error().to_string();
    EXPECT_EQ(key_hex(**ring, 1), kHex16);
}

TEST(EncryptedKeyFile, WrongPasswordsAreRefusedWithoutBeingTold) {
    const std::string file = encrypt_file(line(1, kHex16), "open sesame");
    for (const std::string password : {"open barley", "", "open sesame "}) {
        const auto ring = parse(file, password);
        ASSERT_FALSE(ring);
        EXPECT_EQ(ring.error().code(), ErrorCode::Key);
        EXPECT_THAT(ring.error().to_string(), Not(HasSubstr("barley")));
        EXPECT_THAT(ring.error().to_string(), Not(HasSubstr("sesame")));
    }
}

TEST(EncryptedKeyFile, PasswordHasAtMost256Bytes) {
    const std::string longest(256, 'p');
    EXPECT_TRUE(parse(encrypt_file(line(1, kHex16), longest), longest + "\n"));
    const auto ring = parse(encrypt_file(line(1, kHex16), longest + "p"), longest + "p");
    ASSERT_FALSE(ring);
    EXPECT_THAT(ring.error().message(), HasSubstr("256"));
}

TEST(EncryptedKeyFile, OtherDigestsAreRefusedAsByTheServer) {
    EXPECT_FALSE(parse(encrypt_file(line(1, kHex16), "horse", EVP_sha256()), "horse"));
}

TEST(EncryptedKeyFile, PasswordAndFileMustGoTogether) {
    const auto missing = parse(encrypt_file(line(1, kHex16), "horse"));
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().hint(), HasSubstr("--key-file-password-file"));
    const auto needless = parse(line(1, kHex16), "horse");
    ASSERT_FALSE(needless);
    EXPECT_EQ(needless.error().code(), ErrorCode::Key);
    EXPECT_THAT(needless.error().to_string(), Not(HasSubstr("horse")));
}

TEST(EncryptedKeyFile, CutFilesAreRefused) {
    const std::string file = encrypt_file(line(1, kHex16), "horse");
    for (std::size_t size = 8; size < file.size(); ++size) {
        const auto ring = parse(file.substr(0, size), "horse");
        ASSERT_FALSE(ring) << size;
        EXPECT_EQ(ring.error().code(), ErrorCode::Key);
    }
}

TEST(LoadKeyFile, ReadsFromADirectory) {
    io::MemoryDirectory directory;
    const std::string text = line(1, kHex16);
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    directory.put("keys.txt", {bytes.begin(), bytes.end()});
    const auto ring = load_key_file(directory, "keys.txt", std::nullopt, CipherMode::Ctr);
    ASSERT_TRUE(ring) << ring.error().to_string();
    EXPECT_EQ((*ring)->mode(), CipherMode::Ctr);
    EXPECT_EQ(key_hex(**ring, 1), kHex16);
    const auto absent = load_key_file(directory, "no.txt", std::nullopt, CipherMode::Cbc);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code(), ErrorCode::NotFound);
}

TEST(DebugKeys, AreTheirVersionNumbers) {
    const std::unique_ptr<KeyRing> ring = debug_key_ring(300);
    EXPECT_EQ(ring->mode(), CipherMode::Cbc);
    EXPECT_EQ(ring->latest_version(1).value(), 300U);
    EXPECT_EQ(test::to_hex(ring->key(1, 1)->bytes()), "00000001000000000000000000000000");
    EXPECT_EQ(test::to_hex(ring->key(1, 300)->bytes()), "0000012c000000000000000000000000");
}

TEST(DebugKeys, EndWithTheLatestVersionOfKeyOne) {
    const std::unique_ptr<KeyRing> ring = debug_key_ring(3);
    for (const auto& [id, version] : {std::pair(1U, 0U), std::pair(1U, 4U), std::pair(2U, 1U)}) {
        const Result<Key> key = ring->key(id, version);
        ASSERT_FALSE(key);
        EXPECT_EQ(key.error().code(), ErrorCode::Key);
    }
    EXPECT_FALSE(ring->latest_version(2));
}

}  // namespace
}  // namespace redoubt::crypt
