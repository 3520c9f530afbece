/// Character sets and collations of the server, by the numbers that tables store; conversion of
/// text to UTF-8. Tables and names were read from a server of 10.11.19 (tools/make_charset_tables).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace redoubt::record {

struct CharacterRun;

struct Charset {
    std::string_view name;
    std::uint8_t min_size = 1;  ///< bytes of a character
    std::uint8_t max_size = 1;
    /// Of sets with one byte a character: what each is in UTF-16, 0 = nothing. null: others, and
    /// "binary" and "ascii".
    const std::uint16_t* single_bytes = nullptr;

    bool is_binary() const { return name == "binary"; }
    bool fixed_size() const { return min_size == max_size; }
};

struct Collation {
    std::uint16_t id = 0;
    std::string_view name;
    const Charset* charset = nullptr;
    bool is_default = false;  ///< of its character set

    /// Characters compare as their numbers do.
    bool is_binary() const { return name == "binary" || name.ends_with("_bin"); }
    /// Trailing spaces count.
    bool no_pad() const {
        return name == "binary" || name.find("_nopad_") != std::string_view::npos;
    }
};

inline constexpr unsigned kCollationIdsEnd = 4096;

/// null: none has this id. What is returned lives for ever. Thread-safe.
const Collation* find_collation(unsigned id);
/// By its whole name: "utf8mb4_uca1400_ai_ci".
const Collation* find_collation(std::string_view name);
/// The default collation of "utf8mb4", say; null: no such character set.
const Collation* default_collation(std::string_view charset);

std::span<const Charset> charsets();
/// In order of id; without those that find_collation() makes by a rule (2048 and up).
std::span<const Collation> listed_collations();

/// Converts as the server does when it sends text: what cannot be converted becomes '?'. Not
/// thread-safe: one per reader.
class TextConverter {
public:
    explicit TextConverter(const Charset& charset);
    TextConverter(const TextConverter&) = delete;
    TextConverter& operator=(const TextConverter&) = delete;
    ~TextConverter();
    /// A view of `bytes` where they are UTF-8 already, else of `scratch`, which it overwrites.
    std::string_view to_utf8(std::span<const std::byte> bytes, std::string& scratch);
    const Charset& charset() const { return charset_; }

private:
    void convert_units(std::span<const std::byte> bytes, std::string& out) const;
    void convert_multi_byte(std::span<const std::byte> bytes, std::string& out);
    void convert_by_iconv(std::span<const std::byte> bytes, std::string& out);
    std::optional<std::uint32_t> exception(std::span<const std::byte> character) const;

    const Charset& charset_;
    const bool ascii_based_;
    std::span<const CharacterRun> exceptions_;  // from what iconv says
    void* iconv_ = nullptr;  // iconv_t; null where it is not needed or does not know the set
};

/// Bytes of the first `count` characters of a text of `charset`, of all where it has fewer.
std::size_t size_of_characters(const Charset& charset, std::span<const std::byte> bytes,
                               std::size_t count);

/// Appends what a column of `charset` holds for a text of UTF-8. False: nothing does that is shown
/// as this text and nothing else, or the set is not one of Unicode, of single bytes, or ASCII.
bool encode_text(const Charset& charset, std::string_view utf8, std::string& out);
/// The next character of valid UTF-8 (surrogates allowed), taken off the front of `text`;
/// kNoCodePoint where it is not valid, and then the rest is of no use.
std::uint32_t take_code_point(std::string_view& text);
inline constexpr std::uint32_t kNoCodePoint = 0xFFFFFFFF;
inline constexpr std::uint32_t kCodePointMax = 0x10FFFF;
/// `text` where it is all UTF-8 of code points up to `last`, else `scratch`, with '?' in place of
/// each byte that is in no such character, as the server shows them.
std::string_view as_valid_utf8(std::string_view text, std::string& scratch,
                               std::uint32_t last = kCodePointMax);

/// Appends a code point, also one half of a surrogate pair; what is none becomes '?'.
void append_utf8(std::string& out, std::uint32_t code_point);
inline std::string_view as_text(std::span<const std::byte> bytes) {
    return {static_cast<const char*>(static_cast<const void*>(bytes.data())), bytes.size()};
}

}  // namespace redoubt::record
