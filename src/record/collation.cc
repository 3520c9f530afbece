// Comparators by kind: ByteOrder (`_bin` of bytes), ByteWeightOrder (one weight for each byte of a
// single-byte set), CodeOrder (one weight for each character), UnicodeOrder (the Unicode Collation
// Algorithm). Decoders of the Unicode character sets come first.
#include "record/collation.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/big_endian.h"
#include "record/collation_weights.h"

namespace redoubt::record {
namespace {

constexpr std::byte kSpace{0x20};

int order_of(std::int64_t a, std::int64_t b) { return a < b ? -1 : (a > b ? 1 : 0); }
TextBytes bytes_of(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

// --- Decoders: next() takes one character off the front of a text that is not empty; of one that
// --- is none, a byte (or what the server takes), and returns kBad + the byte.

constexpr std::uint32_t kBad = 0xFF0000;  // above all characters

std::uint32_t bad(TextBytes& text, std::size_t size = 1) {
    const std::uint32_t code = kBad + std::to_integer<std::uint32_t>(text.front());
    text = text.subspan(std::min(size, text.size()));
    return code;
}

template <bool kFourBytes>
struct Utf8Decoder {
    static constexpr std::size_t kUnit = 1;
    static std::uint32_t next(TextBytes& text) {
        const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(text[i]); };
        const auto follows = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
        const auto take = [&](std::size_t size, std::uint32_t code) {
            text = text.subspan(size);
            return code;
        };
        const std::uint32_t lead = at(0);
        if (lead < 0x80) {
            return take(1, lead);
        }
        if (lead >= 0xC2 && lead < 0xE0 && text.size() >= 2 && follows(1)) {
            return take(2, ((lead & 0x1F) << 6) | (at(1) & 0x3F));
        }
        if (lead >= 0xE0 && lead < 0xF0 && text.size() >= 3 && follows(1) && follows(2) &&
            (lead > 0xE0 || at(1) >= 0xA0)) {
            return take(3, ((lead & 0x0F) << 12) | ((at(1) & 0x3F) << 6) | (at(2) & 0x3F));
        }
        if (kFourBytes && lead >= 0xF0 && lead < 0xF5 && text.size() >= 4 && follows(1) &&
            follows(2) && follows(3) && (lead > 0xF0 || at(1) >= 0x90) &&
            (lead < 0xF4 || at(1) < 0x90)) {
            return take(4, ((lead & 0x07) << 18) | ((at(1) & 0x3F) << 12) | ((at(2) & 0x3F) << 6) |
                               (at(3) & 0x3F));
        }
        return bad(text);
    }
};

template <bool kLittle, bool kSurrogates>
struct Utf16Decoder {
    static constexpr std::size_t kUnit = 2;
    static std::uint32_t next(TextBytes& text) {
        constexpr std::uint32_t kHigh = 0xD800;
        constexpr std::uint32_t kLow = 0xDC00;
        constexpr std::uint32_t kEnd = 0xE000;
        if (text.size() < 2) {
            return bad(text);
        }
        const std::uint32_t unit = load(text, 0);
        if (!kSurrogates || unit < kHigh || unit >= kEnd) {
            text = text.subspan(2);
            return unit;
        }
        const std::uint32_t low = unit < kLow && text.size() >= 4 ? load(text, 2) : 0;
        if (low < kLow || low >= kEnd) {
            return bad(text);
        }
        text = text.subspan(4);
        return 0x10000 + ((unit - kHigh) << 10) + (low - kLow);
    }
    static std::uint32_t load(TextBytes text, std::size_t at) {
        const std::uint16_t unit = load_be<std::uint16_t>(text.data() + at);
        return kLittle ? __builtin_bswap16(unit) : unit;
    }
};

struct Utf32Decoder {
    static constexpr std::size_t kUnit = 4;
    static std::uint32_t next(TextBytes& text) {
        const std::uint32_t code =
            text.size() < 4 ? kCodePointEnd : load_be<std::uint32_t>(text.data());
        if (code >= kCodePointEnd) {
            return bad(text);
        }
        text = text.subspan(4);
        return code;
    }
};

// --- One weight at a time. ---

/// `next` takes the next weight off a text that is not empty.
template <class Next>
int compare_weights(TextBytes a, TextBytes b, bool pad, std::uint32_t space, const Next& next) {
    while (!a.empty() && !b.empty()) {
        const std::uint32_t x = next(a);
        const std::uint32_t y = next(b);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    if (a.empty() && b.empty()) {
        return 0;
    }
    const int longer = b.empty() ? 1 : -1;
    for (TextBytes rest = b.empty() ? a : b; pad && !rest.empty();) {
        if (const std::uint32_t weight = next(rest); weight != space) {
            return weight < space ? -longer : longer;
        }
    }
    return pad ? 0 : longer;
}

int compare_bytes(TextBytes a, TextBytes b, bool pad) {
    const std::size_t common = std::min(a.size(), b.size());
    if (const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common); order != 0) {
        return order;
    }
    return compare_weights(a.subspan(common), b.subspan(common), pad,
                           std::to_integer<std::uint32_t>(kSpace), [](TextBytes& text) {
                               const auto weight = std::to_integer<std::uint32_t>(text.front());
                               text = text.subspan(1);
                               return weight;
                           });
}

/// Bytes as they are: ASCII, and what is of no known order.
class ByteOrder final : public Comparator {
public:
    explicit ByteOrder(bool pad) : pad_(pad) {}
    int compare(TextBytes a, TextBytes b) const override { return compare_bytes(a, b, pad_); }
    int compare_filled(TextBytes a, TextBytes b) const override {
        return compare_bytes(a, b, true);
    }
    int compare_utf8(std::string_view a, std::string_view b) const override {
        return compare_bytes(bytes_of(a), bytes_of(b), pad_);
    }

private:
    bool pad_;
};

/// The bytes that `lead` begins a character with: each of the rest is from one of two ranges.
struct MultiByteRule {
    std::uint8_t lead_first;
    std::uint8_t lead_last;
    std::uint8_t size;
    std::uint8_t ranges[2][2];
};

/// `_bin` of a multi-byte set: as the bytes are, but what is no character comes last.
class MultiByteOrder final : public Comparator {
public:
    MultiByteOrder(std::span<const MultiByteRule> rules, bool pad) : rules_(rules), pad_(pad) {}
    int compare(TextBytes a, TextBytes b) const override { return compare(a, b, pad_); }
    int compare_filled(TextBytes a, TextBytes b) const override { return compare(a, b, true); }
    int compare_utf8(std::string_view a, std::string_view b) const override {
        return compare_bytes(bytes_of(a), bytes_of(b), pad_);
    }
    bool knows_utf8() const override { return false; }

private:
    static constexpr unsigned kWeightShift = 16;  // a character has up to three bytes

    int compare(TextBytes a, TextBytes b, bool pad) const {
        return compare_weights(
            a, b, pad, std::uint32_t{' '} << kWeightShift, [this](TextBytes& text) {
                const std::size_t size = size_of(text);
                std::uint32_t weight = kBad << 8;
                for (std::size_t i = 0; i < size; ++i) {
                    weight = (i == 0 ? 0 : weight) |
                             (std::to_integer<std::uint32_t>(text[i]) << (kWeightShift - 8 * i));
                }
                weight += size == 0 ? std::to_integer<std::uint32_t>(text.front()) : 0;
                text = text.subspan(std::max<std::size_t>(size, 1));
                return weight;
            });
    }
    /// 0: no character begins here.
    std::size_t size_of(TextBytes text) const {
        const auto at = [&](std::size_t i) { return std::to_integer<std::uint8_t>(text[i]); };
        if (at(0) < 0x80) {
            return 1;
        }
        for (const MultiByteRule& rule : rules_) {
            if (at(0) < rule.lead_first || at(0) > rule.lead_last || text.size() < rule.size) {
                continue;
            }
            std::size_t right = 1;
            while (right < rule.size &&
                   std::any_of(std::begin(rule.ranges), std::end(rule.ranges), [&](const auto& r) {
                       return at(right) >= r[0] && at(right) <= r[1];
                   })) {
                ++right;
            }
            if (right == rule.size) {
                return right;
            }
        }
        return 0;
    }

    std::span<const MultiByteRule> rules_;
    bool pad_;
};

constexpr MultiByteRule kSjis[] = {{0x81, 0x9F, 2, {{0x40, 0x7E}, {0x80, 0xFC}}},
                                   {0xE0, 0xFC, 2, {{0x40, 0x7E}, {0x80, 0xFC}}},
                                   {0xA1, 0xDF, 1, {}}};
constexpr MultiByteRule kBig5[] = {{0xA1, 0xF9, 2, {{0x40, 0x7E}, {0xA1, 0xFE}}}};
constexpr MultiByteRule kEuckr[] = {{0x81, 0xFE, 2, {{0x41, 0x5A}, {0x61, 0x7A}}},
                                    {0x81, 0xFE, 2, {{0x81, 0xFE}, {0x81, 0xFE}}}};
constexpr MultiByteRule kGbk[] = {{0x81, 0xFE, 2, {{0x40, 0x7E}, {0x80, 0xFE}}}};
constexpr MultiByteRule kGb2312[] = {{0xA1, 0xF7, 2, {{0xA1, 0xFE}, {0xA1, 0xFE}}}};
constexpr MultiByteRule kUjis[] = {{0x8E, 0x8E, 2, {{0xA1, 0xDF}, {0xA1, 0xDF}}},
                                   {0x8F, 0x8F, 3, {{0xA1, 0xFE}, {0xA1, 0xFE}}},
                                   {0xA1, 0xFE, 2, {{0xA1, 0xFE}, {0xA1, 0xFE}}}};

std::span<const MultiByteRule> multi_byte_rules(std::string_view charset) {
    struct Named {
        std::string_view charset;
        std::span<const MultiByteRule> rules;
    };
    static constexpr Named kAll[] = {{"sjis", kSjis},   {"cp932", kSjis},  {"big5", kBig5},
                                     {"euckr", kEuckr}, {"gbk", kGbk},     {"gb2312", kGb2312},
                                     {"ujis", kUjis},   {"eucjpms", kUjis}};
    for (const Named& named : kAll) {
        if (named.charset == charset) {
            return named.rules;
        }
    }
    return {};
}

class ByteWeightOrder final : public Comparator {
public:
    ByteWeightOrder(const Charset& charset, const ByteWeights& weights, bool pad)
        : weights_(weights), pad_(pad) {
        for (unsigned byte = 0; byte < weights.size(); ++byte) {
            const unsigned code =
                charset.single_bytes == nullptr ? byte : charset.single_bytes[byte];
            if (code != 0 || byte == 0) {
                by_code_.emplace_back(code, weights[byte]);
            }
        }
        std::stable_sort(by_code_.begin(), by_code_.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
    }
    int compare(TextBytes a, TextBytes b) const override { return compare(a, b, pad_); }
    int compare_filled(TextBytes a, TextBytes b) const override { return compare(a, b, true); }
    int compare_utf8(std::string_view a, std::string_view b) const override {
        const auto next = [this](TextBytes& text) {
            return weight_of(Utf8Decoder<true>::next(text));
        };
        return compare_weights(bytes_of(a), bytes_of(b), pad_, weight_of(' '), next);
    }

private:
    int compare(TextBytes a, TextBytes b, bool pad) const {
        const auto next = [this](TextBytes& text) -> std::uint32_t {
            const std::uint8_t weight = weights_[std::to_integer<unsigned>(text.front())];
            text = text.subspan(1);
            return weight;
        };
        return compare_weights(a, b, pad, weights_[' '], next);
    }
    std::uint32_t weight_of(std::uint32_t code) const {
        const auto found =
            std::partition_point(by_code_.begin(), by_code_.end(),
                                 [&](const auto& entry) { return entry.first < code; });
        return found != by_code_.end() && found->first == code
                   ? found->second
                   : static_cast<std::uint32_t>(weights_.size()) + code;
    }

    ByteWeights weights_;
    std::vector<std::pair<std::uint32_t, std::uint8_t>> by_code_;  // sorted
    bool pad_;
};

/// The same characters weigh the same.
void skip_common_ascii(TextBytes& a, TextBytes& b) {
    std::size_t common = 0;
    while (common < a.size() && common < b.size() && a[common] == b[common] &&
           a[common] < std::byte{0x80}) {
        ++common;
    }
    a = a.subspan(common);
    b = b.subspan(common);
}

/// `Weights` with `of(code)`, for any code point.
template <class Decoder, class Weights>
class CodeOrder final : public Comparator {
public:
    CodeOrder(const Weights& weights, bool pad) : weights_(weights), pad_(pad) {}
    int compare(TextBytes a, TextBytes b) const override { return compare<Decoder>(a, b, pad_); }
    int compare_filled(TextBytes a, TextBytes b) const override {
        return compare<Decoder>(a, b, true);
    }
    int compare_utf8(std::string_view a, std::string_view b) const override {
        using Utf8 = std::conditional_t<Decoder::kUnit == 1, Decoder, Utf8Decoder<true>>;
        return compare<Utf8>(bytes_of(a), bytes_of(b), pad_);
    }

private:
    template <class D>
    int compare(TextBytes a, TextBytes b, bool pad) const {
        if constexpr (D::kUnit == 1) {
            skip_common_ascii(a, b);
        }
        return compare_weights(a, b, pad, weights_.of(' '), [this](TextBytes& text) {
            const std::uint32_t code = D::next(text);
            return code < kCodePointEnd ? weights_.of(code) : code;
        });
    }
    const Weights& weights_;
    bool pad_;
};

struct SameWeights {
    static std::uint32_t of(std::uint32_t code) { return code; }
};

// --- The Unicode Collation Algorithm. ---

constexpr std::size_t kNoFilling = 0;
constexpr std::size_t kCaseLevel = 2;

/// The weights of a text on one level, one after the other.
template <class Decoder>
class WeightScanner {
public:
    /// Behind the text come as many spaces as it lacks for `characters`.
    WeightScanner(const UnicodeWeights& weights, std::size_t level, TextBytes text,
                  std::size_t characters)
        : weights_(weights), level_(level), text_(text), left_(characters) {}

    static constexpr std::int32_t kEnd = -1;
    std::int32_t next() {
        count(taken_);
        while (at_ == list_.count) {
            if (text_.empty()) {
                filling_ = left_ != 0;
                taken_ = pending_ + 1;
                pending_ = 0;
                return filling_ ? weights_.space(level_) : kEnd;
            }
            load();
            if (list_.count == 0 && pending_ == left_) {
                // All the characters wanted, and the last have no weight: less than a space.
                filling_ = true;
                taken_ = pending_;
                pending_ = 0;
                return 0;
            }
        }
        taken_ = pending_;
        pending_ = 0;
        const std::uint16_t* const from =
            list_.begin == nullptr ? list_.implicit.data() : list_.begin;
        return from[at_++];
    }
    /// What next() returned last stands for no character of the text.
    bool filling() const { return filling_; }
    /// Characters that were lacking before that.
    std::size_t left() const { return left_; }

private:
    void count(std::size_t characters) { left_ -= std::min(left_, characters); }

    void load() {
        constexpr std::uint16_t kBadWeight = 0xFFFF;
        at_ = 0;
        ++pending_;
        const std::size_t size = text_.size();
        const std::uint32_t code = Decoder::next(text_);
        if (code >= kCodePointEnd) {
            // The server steps over a unit of the set, not over a byte.
            const std::size_t taken = size - text_.size();
            text_ = text_.subspan(
                std::min(Decoder::kUnit - std::min(taken, Decoder::kUnit), text_.size()));
            list_ = {.implicit = {kBadWeight}, .count = 1};
        } else if (!weights_.begins_contraction(code) || !load_contraction(code)) {
            list_ = weights_.of(code, level_);
        }
    }
    /// The longest that stands here.
    bool load_contraction(std::uint32_t first) {
        for (const auto& contraction : weights_.contractions(first)) {
            TextBytes rest = text_;
            std::size_t matched = 1;
            while (matched < contraction.codes.size() && contraction.codes[matched] != 0 &&
                   !rest.empty() && Decoder::next(rest) == contraction.codes[matched]) {
                ++matched;
            }
            if (matched == contraction.codes.size() || contraction.codes[matched] == 0) {
                const auto& found = contraction.weights[level_];
                list_ = {.begin = found.data(), .count = found.size()};
                text_ = rest;
                pending_ += matched - 1;
                return true;
            }
        }
        return false;
    }

    const UnicodeWeights& weights_;
    std::size_t level_;
    TextBytes text_;
    WeightList list_;
    std::size_t at_ = 0;
    // Spaces to come are counted as the server does: characters without weight are taken off with
    // the weight behind them, and those at the end only after the first space.
    std::size_t left_;         // of the characters wanted
    std::size_t taken_ = 0;    // by what next() returned last, not yet taken off
    std::size_t pending_ = 0;  // loaded since
    bool filling_ = false;
};

/// Levels 1, 2 (accents) and 3 (case), as far as the collation has them; 1 always.
struct UnicodeRules {
    const LazyUnicodeWeights* weights = nullptr;
    bool accents = false;
    bool cases = false;
    bool pad = true;
};

template <class Decoder>
class UnicodeOrder final : public Comparator {
public:
    explicit UnicodeOrder(const UnicodeRules& rules) : rules_(rules) {}
    int compare(TextBytes a, TextBytes b) const override {
        return compare_levels<Decoder>(a, b, kNoFilling);
    }
    /// The server fills up to as many characters as the longer one has bytes.
    int compare_filled(TextBytes a, TextBytes b) const override {
        return compare_levels<Decoder>(a, b,
                                       rules_.pad ? kNoFilling : std::max(a.size(), b.size()));
    }
    /// Ignorable characters take the place of spaces.
    bool filling_keeps_equality() const override { return rules_.pad; }
    int compare_utf8(std::string_view a, std::string_view b) const override {
        using Utf8 = std::conditional_t<Decoder::kUnit == 1, Decoder, Utf8Decoder<true>>;
        return compare_levels<Utf8>(bytes_of(a), bytes_of(b), kNoFilling);
    }

private:
    template <class D>
    int compare_levels(TextBytes a, TextBytes b, std::size_t characters) const {
        if (a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0)) {
            return 0;
        }
        const UnicodeWeights& weights = rules_.weights->get();
        const bool wanted[] = {true, rules_.accents, rules_.cases};
        for (std::size_t level = 0; level < std::size(wanted); ++level) {
            const int order =
                wanted[level] ? compare_level<D>(weights, level, a, b, characters) : 0;
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
    template <class D>
    int compare_level(const UnicodeWeights& weights, std::size_t level, TextBytes a, TextBytes b,
                      std::size_t characters) const {
        using Scanner = WeightScanner<D>;
        // In ..._nopad_ai_cs only the first level counts trailing spaces (as found, not as meant).
        const bool pad =
            rules_.pad || (characters == kNoFilling && level == kCaseLevel && !rules_.accents);
        Scanner x_scanner(weights, level, a, characters);
        Scanner y_scanner(weights, level, b, characters);
        std::int32_t x = 0;
        std::int32_t y = 0;
        do {
            x = x_scanner.next();
            y = y_scanner.next();
            if (x == y && x_scanner.filling() && y_scanner.filling()) {
                return order_of(static_cast<std::int64_t>(x_scanner.left()),
                                static_cast<std::int64_t>(y_scanner.left()));
            }
        } while (x == y && x != Scanner::kEnd);
        if (!pad || (x != Scanner::kEnd && y != Scanner::kEnd)) {
            return order_of(x, y);
        }
        const std::int32_t space = weights.space(level);
        for (; x != Scanner::kEnd; x = x_scanner.next()) {
            if (x != space) {
                return order_of(x, space);
            }
        }
        for (; y != Scanner::kEnd; y = y_scanner.next()) {
            if (y != space) {
                return order_of(space, y);
            }
        }
        return 0;
    }

    UnicodeRules rules_;
};

// --- Which collation has which. ---

/// Calls `make` with a decoder of the set; null where it is none of Unicode.
template <class Make>
std::unique_ptr<const Comparator> with_decoder(std::string_view charset, const Make& make) {
    if (charset == "utf8mb4") {
        return make(Utf8Decoder<true>());
    }
    if (charset == "utf8mb3") {
        return make(Utf8Decoder<false>());
    }
    if (charset == "ucs2") {
        return make(Utf16Decoder<false, false>());
    }
    if (charset == "utf16") {
        return make(Utf16Decoder<false, true>());
    }
    if (charset == "utf16le") {
        return make(Utf16Decoder<true, true>());
    }
    if (charset == "utf32") {
        return make(Utf32Decoder());
    }
    return nullptr;
}

template <class Weights>
std::unique_ptr<const Comparator> make_code_order(std::string_view charset, const Weights& weights,
                                                  bool pad) {
    return with_decoder(charset, [&](auto decoder) -> std::unique_ptr<const Comparator> {
        return std::make_unique<CodeOrder<decltype(decoder), Weights>>(weights, pad);
    });
}

std::unique_ptr<const Comparator> make_binary(const Collation& collation) {
    static constexpr SameWeights kSame;
    const Charset& charset = *collation.charset;
    const bool pad = !collation.no_pad();
    if (const auto rules = multi_byte_rules(charset.name); !rules.empty()) {
        return std::make_unique<MultiByteOrder>(rules, pad);
    }
    if (charset.single_bytes != nullptr) {
        ByteWeights same{};
        for (unsigned byte = 0; byte < same.size(); ++byte) {
            same[byte] = static_cast<std::uint8_t>(byte);
        }
        return std::make_unique<ByteWeightOrder>(charset, same, pad);
    }
    if (charset.max_size == 1) {
        return std::make_unique<ByteOrder>(pad);
    }
    return make_code_order(charset.name, kSame, pad);
}

/// "unicode_520_nopad_ci" of "utf8mb4_unicode_520_nopad_ci", without "_nopad".
std::string plain_suffix(const Collation& collation) {
    constexpr std::string_view kNoPad = "_nopad";
    std::string suffix(collation.name.substr(collation.charset->name.size()));
    if (const std::size_t at = suffix.find(kNoPad); at != std::string::npos) {
        suffix.erase(at, kNoPad.size());
    }
    return suffix;
}

std::unique_ptr<const Comparator> make_unicode(const Collation& collation) {
    std::string name = plain_suffix(collation).substr(1);
    UnicodeRules rules{.pad = !collation.no_pad()};
    if (name.starts_with("uca1400_")) {
        constexpr std::size_t kLevelsSize = 6;  // "_as_cs"
        rules.accents = name.find("_as_") != std::string::npos;
        rules.cases = name.ends_with("_cs");
        name.resize(name.size() - kLevelsSize);
    }
    rules.weights = unicode_weights(name);
    if (rules.weights == nullptr) {
        return nullptr;
    }
    return with_decoder(collation.charset->name,
                        [&](auto decoder) -> std::unique_ptr<const Comparator> {
                            return std::make_unique<UnicodeOrder<decltype(decoder)>>(rules);
                        });
}

std::unique_ptr<const Comparator> make_comparator(const Collation& collation) {
    const bool pad = !collation.no_pad();
    if (collation.charset->is_binary()) {
        return nullptr;  // no text
    }
    if (collation.is_binary()) {
        return make_binary(collation);
    }
    const auto& by_byte = single_byte_weights();
    if (const auto found = by_byte.find(collation.id); found != by_byte.end()) {
        return std::make_unique<ByteWeightOrder>(*collation.charset, found->second, pad);
    }
    const std::string suffix = plain_suffix(collation);
    if (suffix == "_general_ci") {
        return make_code_order(collation.charset->name, general_weights(), pad);
    }
    if (suffix == "_general_mysql500_ci") {
        return make_code_order(collation.charset->name, mysql500_weights(), pad);
    }
    return make_unicode(collation);
}

std::vector<std::unique_ptr<const Comparator>> make_all() {
    std::vector<std::unique_ptr<const Comparator>> made(kCollationIdsEnd);
    for (unsigned id = 0; id < kCollationIdsEnd; ++id) {
        if (const Collation* const collation = find_collation(id)) {
            made[id] = make_comparator(*collation);
        }
    }
    return made;
}

}  // namespace

const Comparator* comparator_of(const Collation& collation) {
    static const std::vector<std::unique_ptr<const Comparator>> kAll = make_all();
    return collation.id < kAll.size() ? kAll[collation.id].get() : nullptr;
}

const Comparator& byte_order(bool pad) {
    static const ByteOrder kPadded(true);
    static const ByteOrder kPlain(false);
    return pad ? kPadded : kPlain;
}

}  // namespace redoubt::record
