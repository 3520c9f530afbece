#include "record/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <deque>
#include <vector>

#include "base/big_endian.h"
#include "base/integers.h"
#include "record/charset_exceptions.h"

namespace redoubt::record {
namespace {

// Collations of UCA 14: 2048 + 256 * character set + 8 * language + properties.
constexpr unsigned kUnicodeIds = 2048;
constexpr auto kUnicodeCharsets =
    std::to_array<std::string_view>({"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"});
constexpr auto kUnicodeLanguages = std::to_array<std::string_view>(
    {"",         "icelandic", "latvian",    "romanian",  "slovenian", "polish",     "estonian",
     "spanish",  "swedish",   "turkish",    "czech",     "danish",    "lithuanian", "slovak",
     "spanish2", "roman",     "persian",    "esperanto", "hungarian", "sinhala",    "german2",
     "",         "",          "vietnamese", "croatian"});
constexpr unsigned kAbsentLanguages[] = {21, 22};
constexpr unsigned kNoPadBit = 4;
constexpr unsigned kAccentBit = 2;
constexpr unsigned kCaseBit = 1;

constexpr std::uint32_t kSurrogates = 0xD800;
constexpr std::uint32_t kLowSurrogates = 0xDC00;
constexpr std::uint32_t kSurrogatesEnd = 0xE000;
constexpr std::uint32_t kThreeBytesMax = 0xFFFF;  // code point of three bytes in UTF-8

const Charset* find_charset(std::string_view name) {
    for (const Charset& charset : charsets()) {
        if (charset.name == name) {
            return &charset;
        }
    }
    return nullptr;
}

struct UnicodeCollations {
    std::deque<std::string> names;  // never moved
    std::vector<Collation> all;     // index: id - kUnicodeIds; charset null = no such collation
};

UnicodeCollations make_unicode_collations() {
    UnicodeCollations made;
    for (unsigned charset = 0; charset < kUnicodeCharsets.size(); ++charset) {
        for (unsigned rest = 0; rest < 256; ++rest) {
            const unsigned language = rest / 8;
            const unsigned properties = rest % 8;
            made.all.emplace_back();
            if (language >= kUnicodeLanguages.size() || language == kAbsentLanguages[0] ||
                language == kAbsentLanguages[1]) {
                continue;
            }
            std::string name(kUnicodeCharsets[charset]);
            name += "_uca1400";
            if (language != 0) {
                name += '_';
                name += kUnicodeLanguages[language];
            }
            name += (properties & kNoPadBit) != 0 ? "_nopad" : "";
            name += (properties & kAccentBit) != 0 ? "_as" : "_ai";
            name += (properties & kCaseBit) != 0 ? "_cs" : "_ci";
            made.names.push_back(std::move(name));
            made.all.back() = {static_cast<std::uint16_t>(kUnicodeIds + 256 * charset + rest),
                               made.names.back(), find_charset(kUnicodeCharsets[charset]), false};
        }
    }
    return made;
}

const UnicodeCollations& unicode_collations() {
    static const UnicodeCollations kMade = make_unicode_collations();
    return kMade;
}

/// What iconv calls the sets whose characters have several bytes.
const char* iconv_name(std::string_view charset) {
    struct Name {
        std::string_view ours;
        const char* theirs;
    };
    static constexpr Name kNames[] = {
        {"big5", "BIG5"},   {"gbk", "GBK"},     {"gb2312", "EUC-CN"}, {"sjis", "SJIS"},
        {"cp932", "CP932"}, {"ujis", "EUC-JP"}, {"euckr", "UHC"},     {"eucjpms", "EUC-JP-MS"}};
    for (const Name& name : kNames) {
        if (name.ours == charset) {
            return name.theirs;
        }
    }
    return nullptr;
}

struct ByteRange {
    unsigned first;
    unsigned last;
    bool has(unsigned byte) const { return byte >= first && byte <= last; }
};

/// Which bytes begin and end a character of two bytes. Seen: what the server takes for one.
struct PairRule {
    std::string_view charset;
    std::array<ByteRange, 2> leads;
    std::array<ByteRange, 3> tails;
};
constexpr ByteRange kNone{1, 0};
constexpr PairRule kPairRules[] = {
    {"big5", {{{0xA1, 0xF9}, kNone}}, {{{0x40, 0x7E}, {0xA1, 0xFE}, kNone}}},
    {"gbk", {{{0x81, 0xFE}, kNone}}, {{{0x40, 0x7E}, {0x80, 0xFE}, kNone}}},
    {"gb2312", {{{0xA1, 0xF7}, kNone}}, {{{0xA1, 0xFE}, kNone, kNone}}},
    {"sjis", {{{0x81, 0x9F}, {0xE0, 0xFC}}}, {{{0x40, 0x7E}, {0x80, 0xFC}, kNone}}},
    {"cp932", {{{0x81, 0x9F}, {0xE0, 0xFC}}}, {{{0x40, 0x7E}, {0x80, 0xFC}, kNone}}},
    {"euckr", {{{0x81, 0xFE}, kNone}}, {{{0x41, 0x5A}, {0x61, 0x7A}, {0x81, 0xFE}}}},
    {"ujis", {{{0xA1, 0xFE}, {0x8E, 0x8E}}}, {{{0xA1, 0xFE}, kNone, kNone}}},
    {"eucjpms", {{{0xA1, 0xFE}, {0x8E, 0x8E}}}, {{{0xA1, 0xFE}, kNone, kNone}}},
};
constexpr ByteRange kEucHigh{0xA1, 0xFE};
constexpr unsigned kEucThree = 0x8F;  // begins a character of three bytes in ujis and eucjpms

/// Bytes of the character that `bytes`, not empty, begin with; 1 where they are none.
std::size_t multi_byte_size(std::string_view charset, std::span<const std::byte> bytes) {
    const auto at = [&](std::size_t i) {
        return i < bytes.size() ? std::to_integer<unsigned>(bytes[i]) : 0;
    };
    if (at(0) < 0x80) {
        return 1;
    }
    if (at(0) == kEucThree && (charset == "ujis" || charset == "eucjpms")) {
        return kEucHigh.has(at(1)) && kEucHigh.has(at(2)) ? 3 : 1;
    }
    for (const PairRule& rule : kPairRules) {
        if (rule.charset == charset) {
            const auto in = [](const auto& ranges, unsigned byte) {
                return std::any_of(ranges.begin(), ranges.end(),
                                   [&](const ByteRange& range) { return range.has(byte); });
            };
            return in(rule.leads, at(0)) && in(rule.tails, at(1)) ? 2 : 1;
        }
    }
    return 1;
}

/// Bytes of the character that `bytes`, not empty, begin with; of every character set.
std::size_t character_size(const Charset& charset, std::span<const std::byte> bytes) {
    std::size_t size = charset.min_size;
    if (charset.name.starts_with("utf8")) {
        while (size < bytes.size() && (bytes[size] & std::byte{0xC0}) == std::byte{0x80}) {
            ++size;
        }
    } else if (charset.name.starts_with("utf16")) {
        const std::size_t high = charset.name == "utf16le" ? 1 : 0;
        const bool pair = high < bytes.size() && (bytes[high] & std::byte{0xFC}) == std::byte{0xD8};
        size = pair ? 4 : 2;
    } else if (!charset.fixed_size()) {
        size = multi_byte_size(charset.name, bytes);
    }
    return std::min(size, bytes.size());
}

bool is_utf8(const Charset& charset) {
    return charset.name == "utf8mb4" || charset.name == "utf8mb3" || charset.name == "ascii" ||
           charset.is_binary();
}

/// Whether bytes below 0x80 are what they are in ASCII.
bool is_ascii_based(const Charset& charset) {
    constexpr unsigned kAsciiEnd = 0x80;
    unsigned same = 0;
    while (charset.single_bytes != nullptr && same < kAsciiEnd &&
           charset.single_bytes[same] == same) {
        ++same;
    }
    return charset.single_bytes != nullptr ? same == kAsciiEnd : charset.min_size == 1;
}

/// No conversion needed: true of nearly all text in single-byte sets, so it is worth a pass.
bool is_ascii(std::span<const std::byte> bytes) {
    std::byte all{0};
    for (const std::byte b : bytes) {
        all |= b;
    }
    return (all & std::byte{0x80}) == std::byte{0};
}

}  // namespace

const Collation* find_collation(unsigned id) {
    if (id >= kUnicodeIds) {
        const auto& all = unicode_collations().all;
        if (id - kUnicodeIds >= all.size()) {
            return nullptr;
        }
        const Collation& collation = all[id - kUnicodeIds];
        return collation.charset == nullptr ? nullptr : &collation;
    }
    const auto all = listed_collations();
    const auto found = std::lower_bound(all.begin(), all.end(), id,
                                        [](const Collation& c, unsigned v) { return c.id < v; });
    return found == all.end() || found->id != id ? nullptr : &*found;
}

const Collation* find_collation(std::string_view name) {
    const auto named = [&](const Collation& c) { return c.name == name; };
    const auto listed = listed_collations();
    const auto found = std::find_if(listed.begin(), listed.end(), named);
    if (found != listed.end()) {
        return &*found;
    }
    const auto& made = unicode_collations().all;
    const auto other = std::find_if(made.begin(), made.end(), named);
    return name.empty() || other == made.end() ? nullptr : &*other;
}

const Collation* default_collation(std::string_view charset) {
    for (const Collation& collation : listed_collations()) {
        if (collation.is_default && collation.charset->name == charset) {
            return &collation;
        }
    }
    return nullptr;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
    if (code_point > kCodePointMax) {
        out += '?';
    } else if (code_point < 0x80) {
        out += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        out += static_cast<char>(0xC0 | (code_point >> 6));
        out += static_cast<char>(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        out += static_cast<char>(0xE0 | (code_point >> 12));
        out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code_point & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code_point >> 18));
        out += static_cast<char>(0x80 | ((code_point >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code_point & 0x3F));
    }
}

std::uint32_t take_code_point(std::string_view& text) {
    const auto at = [&](std::size_t i) -> std::uint32_t {
        return static_cast<unsigned char>(text[i]);
    };
    if (text.empty()) {
        return kNoCodePoint;
    }
    const std::uint32_t lead = at(0);
    const std::size_t size = lead < 0x80 ? 1 : (lead < 0xE0 ? 2 : (lead < 0xF0 ? 3 : 4));
    if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || text.size() < size) {
        return kNoCodePoint;
    }
    std::uint32_t code = size == 1 ? lead : lead & (0xFFU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) {
        if ((at(i) & 0xC0) != 0x80) {
            return kNoCodePoint;
        }
        code = (code << 6) | (at(i) & 0x3F);
    }
    static constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    text.remove_prefix(size);
    return code < kLeast[size] || code > kCodePointMax ? kNoCodePoint : code;
}

namespace {

/// A character of a set of Unicode; false: the set lacks it.
bool append_unicode(const Charset& charset, std::uint32_t code, std::string& out) {
    const auto append_unit = [&](std::uint32_t unit) {
        const bool little = charset.name == "utf16le";
        const char bytes[] = {static_cast<char>(unit >> 8), static_cast<char>(unit & 0xFF)};
        out += bytes[little ? 1 : 0];
        out += bytes[little ? 0 : 1];
    };
    if (charset.min_size == 4) {
        append_unit(code >> 16);
        append_unit(code & 0xFFFF);
    } else if (code < 0x10000) {
        append_unit(code);
    } else if (charset.name == "ucs2") {
        return false;
    } else {
        append_unit(kSurrogates + ((code - 0x10000) >> 10));
        append_unit(kLowSurrogates + ((code - 0x10000) & 0x3FF));
    }
    return code < kSurrogates || code >= kSurrogatesEnd;  // UTF-16 cannot have those
}

/// The one byte that is the character.
bool append_byte(const Charset& charset, std::uint32_t code, std::string& out) {
    const std::uint16_t* const begin = charset.single_bytes;
    const std::uint16_t* const end = begin + 256;
    const std::uint16_t* const found = std::find(begin, end, code);
    // A 0 stands for bytes that are nothing, besides the first.
    if (found == end || (code != 0 && std::find(found + 1, end, code) != end)) {
        return false;
    }
    out += static_cast<char>(found - begin);
    return true;
}

}  // namespace

bool encode_text(const Charset& charset, std::string_view utf8, std::string& out) {
    const bool as_is = charset.name == "utf8mb4" || charset.name == "utf8mb3";
    for (std::string_view rest = utf8; !rest.empty();) {
        const std::string_view from = rest;
        const std::uint32_t code = take_code_point(rest);
        if (code == kNoCodePoint) {
            return false;
        }
        if (charset.min_size > 1) {
            if (!append_unicode(charset, code, out)) {
                return false;
            }
        } else if (charset.single_bytes != nullptr) {
            if (!append_byte(charset, code, out)) {
                return false;
            }
        } else if (code < 0x80 || (as_is && from.size() - rest.size() <= charset.max_size)) {
            out += from.substr(0, from.size() - rest.size());
        } else {
            return false;
        }
    }
    return true;
}

std::size_t size_of_characters(const Charset& charset, std::span<const std::byte> bytes,
                               std::size_t count) {
    std::size_t at = 0;
    for (; count > 0 && at < bytes.size(); --count) {
        at += character_size(charset, bytes.subspan(at));
    }
    return at;
}

TextConverter::TextConverter(const Charset& charset)
    : charset_(charset),
      ascii_based_(is_ascii_based(charset)),
      exceptions_(exceptions_of(charset.name)) {
    if (const char* name = iconv_name(charset.name)) {
        iconv_t opened = iconv_open("UTF-8", name);
        if (opened != iconv_t(-1)) {  // NOLINT(performance-no-int-to-ptr): how iconv says no
            iconv_ = opened;
        }
    }
}

TextConverter::~TextConverter() {
    if (iconv_ != nullptr) {
        iconv_close(static_cast<iconv_t>(iconv_));
    }
}

std::string_view as_valid_utf8(std::string_view text, std::string& scratch, std::uint32_t last) {
    bool right = true;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view before = rest;
        if (take_code_point(rest) <= last) {
            if (!right) {
                scratch += before.substr(0, before.size() - rest.size());
            }
            continue;
        }
        if (right) {
            scratch = text.substr(0, text.size() - before.size());
            right = false;
        }
        scratch += '?';
        rest = before.substr(1);
    }
    return right ? text : scratch;
}

std::string_view TextConverter::to_utf8(std::span<const std::byte> bytes, std::string& scratch) {
    const bool ascii = charset_.name == "ascii";
    if (charset_.name == "utf8mb3" && !is_ascii(bytes)) {
        return as_valid_utf8(as_text(bytes), scratch, kThreeBytesMax);
    }
    if ((is_utf8(charset_) && !ascii) || (ascii_based_ && is_ascii(bytes))) {
        return as_text(bytes);
    }
    scratch.clear();
    if (ascii) {
        scratch = as_text(bytes);
        std::replace_if(
            scratch.begin(), scratch.end(),
            [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; }, '?');
    } else if (charset_.single_bytes != nullptr) {
        for (const std::byte b : bytes) {
            const std::uint16_t code = charset_.single_bytes[std::to_integer<unsigned>(b)];
            append_utf8(scratch, code == 0 && b != std::byte{0} ? '?' : code);
        }
    } else if (charset_.min_size > 1) {
        convert_units(bytes, scratch);
    } else {
        convert_multi_byte(bytes, scratch);
    }
    return scratch;
}

void TextConverter::convert_units(std::span<const std::byte> bytes, std::string& out) const {
    const bool little = charset_.name == "utf16le";
    const bool pairs = charset_.min_size == 2 && charset_.name != "ucs2";  // of surrogates
    const std::size_t unit = charset_.min_size;
    const auto load = [&](std::size_t at) -> std::uint32_t {
        if (unit == 4) {
            return load_be<std::uint32_t>(bytes.data() + at);
        }
        const std::uint16_t raw = load_be<std::uint16_t>(bytes.data() + at);
        return little ? __builtin_bswap16(raw) : raw;
    };
    // What is no character, or half of one, the server shows as '?', byte by byte (seen).
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t left = bytes.size() - at;
        if (left < unit) {
            out.append(left, '?');
            return;
        }
        std::uint32_t code = load(at);
        std::size_t size = unit;
        bool right = code <= kCodePointMax;
        if (pairs && code >= kSurrogates && code < kSurrogatesEnd) {
            const std::uint32_t low =
                code < kLowSurrogates && left >= 2 * unit ? load(at + unit) : 0;
            right = low >= kLowSurrogates && low < kSurrogatesEnd;
            code = 0x10000 + ((code - kSurrogates) << 10) + (low - kLowSurrogates);
            size = 2 * unit;
        }
        if (right) {
            append_utf8(out, code);
            at += size;
        } else {
            out += '?';
            ++at;
        }
    }
}

/// What iconv knows is given to it in long pieces, between the characters that it knows wrongly.
void TextConverter::convert_multi_byte(std::span<const std::byte> bytes, std::string& out) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < bytes.size() && !exceptions_.empty();) {
        const std::size_t size = multi_byte_size(charset_.name, bytes.subspan(at));
        const auto code = exception(bytes.subspan(at, size));
        if (code) {
            convert_by_iconv(bytes.subspan(begin, at - begin), out);
            append_utf8(out, *code);
            begin = at + size;
        }
        at += size;
    }
    convert_by_iconv(bytes.subspan(begin), out);
}

std::optional<std::uint32_t> TextConverter::exception(std::span<const std::byte> character) const {
    const auto number = static_cast<std::uint32_t>(load_be(character));
    const auto behind = std::upper_bound(
        exceptions_.begin(), exceptions_.end(), number,
        [](std::uint32_t value, const CharacterRun& run) { return value < run.first; });
    if (behind == exceptions_.begin()) {
        return std::nullopt;
    }
    const CharacterRun& run = *std::prev(behind);
    const std::uint32_t distance = number - run.first;
    if (distance >= run.count) {
        return std::nullopt;
    }
    return run.code == '?' ? run.code : run.code + distance;
}

void TextConverter::convert_by_iconv(std::span<const std::byte> bytes, std::string& out) {
    std::string input(as_text(bytes));
    char* from = input.data();
    std::size_t left = input.size();
    std::array<char, 256> buffer{};
    while (left > 0 && iconv_ != nullptr) {
        char* to = buffer.data();
        std::size_t room = buffer.size();
        const std::size_t before = left;
        iconv(static_cast<iconv_t>(iconv_), &from, &left, &to, &room);
        out.append(buffer.data(), buffer.size() - room);
        if (left == before) {  // it cannot go on here
            iconv(static_cast<iconv_t>(iconv_), nullptr, nullptr, nullptr, nullptr);
            out += '?';
            // A character without a code point, or a byte that begins none.
            const std::size_t size = multi_byte_size(charset_.name, bytes.last(left));
            from += size;
            left -= size;
        }
    }
    out.append(left, '?');
}

}  // namespace redoubt::record
