#include "crypt/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

#include "base/assert.h"
#include "base/big_endian.h"

namespace redoubt::crypt {
namespace {

constexpr std::size_t kKeyFileSizeMax = std::size_t{1} << 20;
constexpr std::string_view kSalted = "Salted__";
constexpr std::size_t kSaltSize = 8;
constexpr std::size_t kPasswordSizeMax = 256;
constexpr std::uint32_t kSystemKey = 1;

/// Text that held secrets, wiped when it goes.
class SecretText {
public:
    /// Wipes what it was given: a short string is copied, not moved.
    explicit SecretText(std::string&& text) : text_(text) { wipe(text); }
    SecretText(SecretText&& other) noexcept : SecretText(std::move(other.text_)) {}
    SecretText& operator=(SecretText&&) = delete;
    SecretText(const SecretText&) = delete;
    SecretText& operator=(const SecretText&) = delete;
    ~SecretText() { wipe(text_); }
    std::string& get() { return text_; }

private:
    static void wipe(std::string& text) {
        OPENSSL_cleanse(text.data(), text.size());
        text.clear();
    }
    std::string text_;
};

Error key_error(std::string_view path, std::string message) {
    return Error(ErrorCode::Key, std::move(message)).with_file(path);
}

struct DigestDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct CipherDeleter {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

/// Decrypts what `openssl enc -aes-256-cbc -md sha1` made: "Salted__", salt, ciphertext.
/// docs/formats/encryption.md#key-files.
Result<SecretText> decrypt_key_file(std::string_view content, const std::string& password,
                                    std::string_view path) {
    const std::string_view salt = content.substr(kSalted.size(), kSaltSize);
    const std::string_view cipher_text =
        content.substr(std::min(content.size(), kSalted.size() + kSaltSize));
    if (salt.size() != kSaltSize || cipher_text.empty()) {
        return key_error(path, "the encrypted key file is cut short");
    }
    // EVP_BytesToKey with SHA-1: 60 bytes, of which 32 are the key and 16 the IV.
    constexpr std::size_t kDigestSize = 20;
    std::array<unsigned char, 3 * kDigestSize> derived{};
    const std::unique_ptr<EVP_MD_CTX, DigestDeleter> digest(EVP_MD_CTX_new());
    for (std::size_t round = 0; round < 3; ++round) {
        REDOUBT_ASSERT(EVP_DigestInit_ex(digest.get(), EVP_sha1(), nullptr) == 1);
        if (round > 0) {
            EVP_DigestUpdate(digest.get(), derived.data() + (round - 1) * kDigestSize, kDigestSize);
        }
        EVP_DigestUpdate(digest.get(), password.data(), password.size());
        EVP_DigestUpdate(digest.get(), salt.data(), salt.size());
        EVP_DigestFinal_ex(digest.get(), derived.data() + round * kDigestSize, nullptr);
    }
    SecretText plain(std::string(cipher_text.size() + EVP_MAX_BLOCK_LENGTH, '\0'));
    const std::unique_ptr<EVP_CIPHER_CTX, CipherDeleter> context(EVP_CIPHER_CTX_new());
    // NOLINTBEGIN(cppcoreguidelines-pro-type-reinterpret-cast): OpenSSL takes unsigned char*
    auto* out = reinterpret_cast<unsigned char*>(plain.get().data());
    const auto* in = reinterpret_cast<const unsigned char*>(cipher_text.data());
    // NOLINTEND(cppcoreguidelines-pro-type-reinterpret-cast)
    int first = 0;
    int last = 0;
    const bool ok = EVP_DecryptInit_ex(context.get(), EVP_aes_256_cbc(), nullptr, derived.data(),
                                       derived.data() + 32) == 1 &&
                    EVP_DecryptUpdate(context.get(), out, &first, in,
                                      static_cast<int>(cipher_text.size())) == 1 &&
                    EVP_DecryptFinal_ex(context.get(), out + first, &last) == 1;
    OPENSSL_cleanse(derived.data(), derived.size());
    if (!ok) {
        return key_error(path, "the key file cannot be decrypted")
            .with_hint(
                "check the password file (--key-file-password-file); only files made with -md sha1 "
                "are readable, as for the server");
    }
    plain.get().resize(static_cast<std::size_t>(first) + static_cast<std::size_t>(last));
    return plain;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

using KeyMap = std::map<std::uint32_t, Key>;

/// One line `<id>;<hex key>`. `number` is for messages.
Status parse_line(std::string_view line, std::size_t number, std::string_view path, KeyMap& keys) {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
        line.remove_prefix(1);
    }
    if (line.empty() || line.front() == '#' || line.front() == '\r') {
        return {};
    }
    std::uint64_t id = 0;
    std::size_t at = 0;
    for (; at < line.size() && line[at] >= '0' && line[at] <= '9' &&
           id <= std::numeric_limits<std::uint32_t>::max();
         ++at) {
        id = id * 10 + static_cast<std::uint64_t>(line[at] - '0');
    }
    if (at == 0 || at == line.size() || line[at] != ';' || id == 0 ||
        id > std::numeric_limits<std::uint32_t>::max()) {
        return key_error(path, fmt::format("line {} does not begin with a key id and ';'", number));
    }
    ++at;
    std::array<std::byte, 32> bytes{};
    std::size_t digits = 0;
    for (; at < line.size() && hex_value(line[at]) >= 0; ++at, ++digits) {
        if (digits < 2 * bytes.size()) {
            bytes[digits / 2] = static_cast<std::byte>(
                (std::to_integer<int>(bytes[digits / 2]) << 4) | hex_value(line[at]));
        }
    }
    const bool valid = digits == 32 || digits == 48 || digits == 64;
    if (valid) {
        keys[static_cast<std::uint32_t>(id)] = Key(std::span(bytes).first(digits / 2));
    }
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (!valid) {
        return key_error(
            path, fmt::format("the key on line {} has {} hex digits, 32, 48 or 64 were expected",
                              number, digits));
    }
    return {};
}

class KeyFileRing final : public KeyRing {
public:
    KeyFileRing(KeyMap keys, CipherMode mode, std::string path)
        : keys_(std::move(keys)), mode_(mode), path_(std::move(path)) {}
    CipherMode mode() const override { return mode_; }
    Result<Key> key(std::uint32_t id, std::uint32_t version) const override {
        if (version != 1) {
            return key_error(
                       path_,
                       fmt::format("key {} version {} is wanted; a key file has only version 1", id,
                                   version))
                .with_hint(
                    "the data was encrypted with another key plugin, or the page is damaged");
        }
        const auto found = keys_.find(id);
        if (found == keys_.end()) {
            return key_error(path_, fmt::format("key {} missing", id))
                .with_hint("give the key file that the server uses");
        }
        return found->second;
    }
    Result<std::uint32_t> latest_version(std::uint32_t id) const override {
        RETURN_IF_ERROR(key(id, 1));
        return std::uint32_t{1};
    }

private:
    KeyMap keys_;
    CipherMode mode_;
    std::string path_;
};

}  // namespace

Key::Key(std::span<const std::byte> bytes) : size_(bytes.size()) {
    REDOUBT_ASSERT(size_ <= bytes_.size());
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}
Key::~Key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

Result<std::unique_ptr<KeyRing>> parse_key_file(std::string_view content,
                                                std::optional<std::string> password,
                                                CipherMode mode, std::string_view path) {
    std::optional<SecretText> secret;
    if (password) {
        secret.emplace(std::move(*password));
    }
    std::optional<SecretText> decrypted;
    if (content.starts_with(kSalted)) {
        if (!secret) {
            return key_error(path, "the key file is encrypted and no password was given")
                .with_hint("give it with --key-file-password-file");
        }
        std::string& text = secret->get();
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
            text.pop_back();
        }
        if (text.size() > kPasswordSizeMax) {
            return key_error(path, fmt::format("the key file's password has more than {} bytes",
                                               kPasswordSizeMax));
        }
        ASSIGN_OR_RETURN(SecretText plain, decrypt_key_file(content, text, path));
        decrypted.emplace(std::move(plain));
        content = decrypted->get();
    } else if (secret) {
        return key_error(path, "a password was given, but the key file is not encrypted")
            .with_hint("leave --key-file-password-file out");
    }
    KeyMap keys;
    for (std::size_t number = 1; !content.empty(); ++number) {
        const std::size_t end = content.find('\n');
        RETURN_IF_ERROR(parse_line(content.substr(0, end), number, path, keys));
        content = end == std::string_view::npos ? std::string_view() : content.substr(end + 1);
    }
    if (!keys.contains(kSystemKey)) {
        return key_error(path, "the key file has no key 1, which the server requires")
            .with_hint("is this the file named by file_key_management_filename?");
    }
    return std::unique_ptr<KeyRing>(
        std::make_unique<KeyFileRing>(std::move(keys), mode, std::string(path)));
}

Result<std::unique_ptr<KeyRing>> load_key_file(io::Directory& directory, std::string_view path,
                                               std::optional<std::string> password,
                                               CipherMode mode) {
    ASSIGN_OR_RETURN(std::string text, directory.read_text(path, kKeyFileSizeMax));
    SecretText content(std::move(text));
    return parse_key_file(content.get(), std::move(password), mode, path);
}

}  // namespace redoubt::crypt
