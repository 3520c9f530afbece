/// Encryption keys by id and version, from wherever the server's key plugin has them.
/// Format of key files: docs/formats/encryption.md#key-files.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/error.h"
#include "io/file.h"

namespace redoubt::crypt {

/// A key of 16, 24 or 32 bytes. Wiped on destruction; never printed.
class Key {
public:
    Key() = default;
    explicit Key(std::span<const std::byte> bytes);  // at most 32 bytes
    Key(const Key&) = default;
    Key& operator=(const Key&) = default;
    ~Key();
    std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }

private:
    std::array<std::byte, 32> bytes_{};
    std::size_t size_ = 0;
};

/// Cipher mode of the key plugin; not stored in any file.
enum class CipherMode : std::uint8_t { Cbc, Ctr };

/// Thread-safe after construction.
class KeyRing {
public:
    virtual ~KeyRing() = default;
    virtual CipherMode mode() const = 0;
    /// Errors: Key, naming id and version, never the key.
    virtual Result<Key> key(std::uint32_t id, std::uint32_t version) const = 0;
    /// The version new pages are written with. Errors: Key.
    virtual Result<std::uint32_t> latest_version(std::uint32_t id) const = 0;
};

/// file_key_management. `password` is the content of --key-file-password-file (trailing CR/LF
/// removed by this call) when the file is encrypted. Errors: Key with a hint, NotFound, Io.
Result<std::unique_ptr<KeyRing>> load_key_file(io::Directory& directory, std::string_view path,
                                               std::optional<std::string> password,
                                               CipherMode mode);

/// The same from the file's content; `path` is only named in messages. Errors: Key with a hint.
Result<std::unique_ptr<KeyRing>> parse_key_file(std::string_view content,
                                                std::optional<std::string> password,
                                                CipherMode mode, std::string_view path);

/// mariadb-test's debug_key_management: key 1 alone, in versions 1..`latest`, each derived from its
/// number. For tests of key rotation only: such keys keep nothing secret.
std::unique_ptr<KeyRing> debug_key_ring(std::uint32_t latest);

}  // namespace redoubt::crypt
