#include "record/collation_weights.h"

#include <zlib.h>

#include <algorithm>

#include "base/assert.h"
#include "base/big_endian.h"

namespace redoubt::record {
namespace {

constexpr unsigned kRuleMark = 0xF0;
constexpr std::uint32_t kPlaceMask = 0xFF;  // of Level::places: count or rule
constexpr unsigned kPlaceShift = 8;
constexpr std::uint16_t kReplacementWeight = 0xFFFD;
constexpr std::uint16_t kImplicitSecondary = 0x0020;
constexpr std::uint16_t kImplicitTertiary = 0x0002;

unsigned base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') {
        return static_cast<unsigned>(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return static_cast<unsigned>(c - 'a') + 26;
    }
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0') + 52;
    }
    return c == '+' ? 62 : 63;
}

std::string from_base64(std::span<const char* const> lines) {
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned bit_count = 0;
    for (const char* line : lines) {
        for (; *line != '\0' && *line != '='; ++line) {
            bits = (bits << 6) | base64_digit(*line);
            bit_count += 6;
            if (bit_count >= 8) {
                bit_count -= 8;
                bytes += static_cast<char>((bits >> bit_count) & 0xFF);
            }
        }
    }
    return bytes;
}

}  // namespace

// The tables are part of the program: that they are as they should be is asserted.
std::string PackedTable::unpack() const {
    std::string packed = from_base64(lines);
    std::string plain(plain_size, '\0');
    uLongf size = plain.size();
    const auto bytes = [](std::string& text) {
        return static_cast<Bytef*>(static_cast<void*>(text.data()));
    };
    const int outcome = uncompress(bytes(plain), &size, bytes(packed), packed.size());
    REDOUBT_ASSERT(outcome == Z_OK && size == plain_size);
    return plain;
}

namespace {

class TableReader {
public:
    explicit TableReader(std::string bytes) : bytes_(std::move(bytes)) {}
    bool at_end() const { return at_ == bytes_.size(); }
    template <class T>
    T take() {
        return load_be<T>(take(sizeof(T)));
    }
    const std::byte* take(std::size_t size) {
        REDOUBT_ASSERT(size <= bytes_.size() - at_);
        at_ += size;
        return static_cast<const std::byte*>(static_cast<const void*>(bytes_.data())) + at_ - size;
    }

private:
    std::string bytes_;
    std::size_t at_ = 0;
};

}  // namespace

const std::map<unsigned, ByteWeights>& single_byte_weights() {
    static const std::map<unsigned, ByteWeights> kWeights = [] {
        std::map<unsigned, ByteWeights> made;
        TableReader reader(packed_single_byte().unpack());
        while (!reader.at_end()) {
            ByteWeights& weights = made[reader.take<std::uint16_t>()];
            const std::byte* const bytes = reader.take(weights.size());
            std::transform(bytes, bytes + weights.size(), weights.begin(),
                           [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
        }
        return made;
    }();
    return kWeights;
}

PlainWeights::PlainWeights(const PackedTable& packed) {
    TableReader reader(packed.unpack());
    while (!reader.at_end()) {
        auto& page = pages_[reader.take<std::uint8_t>()];
        page = std::make_unique<Page>();
        for (std::uint16_t& weight : *page) {
            weight = reader.take<std::uint16_t>();
        }
    }
}

namespace {

/// Text and its weights.
UnicodeWeights::Contraction read_weighed(TableReader& reader, std::size_t levels) {
    UnicodeWeights::Contraction weighed;
    const std::size_t size = reader.take<std::uint8_t>();
    REDOUBT_ASSERT(size >= 1 && size <= UnicodeWeights::kContractionMax);
    for (std::size_t i = 0; i < size; ++i) {
        weighed.codes[i] = reader.take<std::uint32_t>();
    }
    for (std::size_t level = 0; level < levels; ++level) {
        weighed.weights[level].resize(reader.take<std::uint8_t>());
        for (std::uint16_t& weight : weighed.weights[level]) {
            weight = reader.take<std::uint16_t>();
        }
    }
    return weighed;
}

}  // namespace

struct UnicodeWeights::Reader : TableReader {
    using TableReader::TableReader;
};

UnicodeWeights::UnicodeWeights(const PackedTable& packed, std::span<const Contraction> changes) {
    Reader reader(packed.unpack());
    const std::size_t levels = reader.take<std::uint8_t>();
    REDOUBT_ASSERT(levels >= 1 && levels <= kLevelsMax);
    std::uint16_t pages = 0;
    for (std::size_t page = 0; page < kPages; ++page) {
        rules_[page] = reader.take<std::uint8_t>();
        pages_[page] = pages;
        if (rules_[page] == Explicit) {
            ++pages;
        }
    }
    for (std::size_t level = 0; level < levels; ++level) {
        read_level(reader, levels_[level], pages * kWeightPageSize);
    }
    contractions_.resize(reader.take<std::uint16_t>());
    for (Contraction& contraction : contractions_) {
        contraction = read_weighed(reader, levels);
    }
    REDOUBT_ASSERT(reader.at_end());
    for (const Contraction& changed : changes) {
        change(changed);
    }
    sort_contractions();
    for (std::size_t level = 0; level < levels; ++level) {
        const WeightList space = of(' ', level);
        REDOUBT_ASSERT(space.begin != nullptr && space.count == 1);
        space_[level] = *space.begin;
    }
}

void UnicodeWeights::read_level(Reader& reader, Level& level, std::size_t characters) {
    level.places.resize(characters);
    std::uint32_t begin = 0;
    for (std::uint32_t& place : level.places) {
        const unsigned count = reader.take<std::uint8_t>();
        place = (begin << kPlaceShift) | count;
        begin += count < kRuleMark ? count : 0;
    }
    level.weights.resize(begin);
    for (const unsigned shift : {8U, 0U}) {
        for (std::uint16_t& weight : level.weights) {
            weight = static_cast<std::uint16_t>(weight | (reader.take<std::uint8_t>() << shift));
        }
    }
}

void UnicodeWeights::change(const Contraction& change) {
    if (change.codes[1] != 0) {
        const auto same = std::find_if(contractions_.begin(), contractions_.end(),
                                       [&](const auto& c) { return c.codes == change.codes; });
        if (same == contractions_.end()) {
            contractions_.push_back(change);
        } else {
            *same = change;
        }
        return;
    }
    const std::size_t page = change.codes[0] / kWeightPageSize;
    REDOUBT_ASSERT(rules_[page] == Explicit);
    for (std::size_t level = 0; level < kLevelsMax && !levels_[level].places.empty(); ++level) {
        Level& to = levels_[level];
        const auto& weights = change.weights[level];
        to.places[pages_[page] * kWeightPageSize + change.codes[0] % kWeightPageSize] =
            static_cast<std::uint32_t>(to.weights.size() << kPlaceShift | weights.size());
        to.weights.insert(to.weights.end(), weights.begin(), weights.end());
    }
}

void UnicodeWeights::sort_contractions() {
    for (const Contraction& contraction : contractions_) {
        heads_.push_back(contraction.codes[0]);
    }
    std::sort(contractions_.begin(), contractions_.end(),
              [](const Contraction& a, const Contraction& b) {
                  const auto size = [](const Contraction& c) {
                      return std::count_if(c.codes.begin(), c.codes.end(),
                                           [](std::uint32_t code) { return code != 0; });
                  };
                  return a.codes[0] != b.codes[0] ? a.codes[0] < b.codes[0]
                         : size(a) != size(b)     ? size(a) > size(b)
                                                  : a.codes < b.codes;
              });
    std::sort(heads_.begin(), heads_.end());
    heads_.erase(std::unique(heads_.begin(), heads_.end()), heads_.end());
}

WeightList UnicodeWeights::implicit(std::uint32_t code, unsigned rule, std::size_t level) {
    struct Side {
        std::uint16_t lead;
        std::uint32_t base;
    };
    // 17000: Tangut and its components, 1B170: Nushu, 18B00: Khitan small script.
    static constexpr Side kSides[] = {{0xFB00, 0x17000}, {0xFB01, 0x1B170}, {0xFB02, 0x18B00}};
    static constexpr std::uint16_t kLeads[] = {0, 0xFB40, 0xFB80, 0xFBC0};
    if (rule == Replaced) {
        return {.implicit = {kReplacementWeight}, .count = 1};
    }
    if (level != 0) {
        return {.implicit = {level == 1 ? kImplicitSecondary : kImplicitTertiary}, .count = 1};
    }
    const bool side = rule >= Tangut;
    const Side from = side ? kSides[rule - Tangut]
                           : Side{static_cast<std::uint16_t>(kLeads[rule] + (code >> 15)), 0};
    return {
        .implicit = {from.lead, static_cast<std::uint16_t>(((code - from.base) & 0x7FFF) | 0x8000)},
        .count = 2};
}

WeightList UnicodeWeights::of(std::uint32_t code, std::size_t level) const {
    const std::size_t page = code / kWeightPageSize;
    if (rules_[page] != Explicit) {
        return implicit(code, rules_[page], level);
    }
    const Level& from = levels_[level];
    const std::uint32_t place =
        from.places[pages_[page] * kWeightPageSize + code % kWeightPageSize];
    const unsigned count = place & kPlaceMask;
    if (count >= kRuleMark) {
        return implicit(code, count - kRuleMark, level);
    }
    return {.begin = from.weights.data() + (place >> kPlaceShift), .count = count};
}

bool UnicodeWeights::begins_contraction(std::uint32_t code) const {
    return std::binary_search(heads_.begin(), heads_.end(), code);
}

std::span<const UnicodeWeights::Contraction> UnicodeWeights::contractions(
    std::uint32_t code) const {
    const auto first =
        std::partition_point(contractions_.begin(), contractions_.end(),
                             [&](const Contraction& c) { return c.codes[0] < code; });
    const auto last = std::partition_point(
        first, contractions_.end(), [&](const Contraction& c) { return c.codes[0] == code; });
    return {first, last};
}

const PlainWeights& general_weights() {
    static const PlainWeights kWeights(packed_general());
    return kWeights;
}
const PlainWeights& mysql500_weights() {
    static const PlainWeights kWeights(packed_mysql500());
    return kWeights;
}
const LazyUnicodeWeights* unicode_weights(std::string_view name) {
    static const std::map<std::string, LazyUnicodeWeights, std::less<>> kAll = [] {
        const PackedTable* const bases[] = {&packed_uca400(), &packed_uca520(), &packed_uca1400()};
        constexpr std::size_t kUca1400 = 2;
        std::map<std::string, LazyUnicodeWeights, std::less<>> made;
        made.try_emplace("unicode_ci", packed_uca400());
        made.try_emplace("unicode_520_ci", packed_uca520());
        made.try_emplace("uca1400", packed_uca1400());
        TableReader reader(packed_tailorings().unpack());
        while (!reader.at_end()) {
            const std::size_t size = reader.take<std::uint8_t>();
            const std::byte* const text = reader.take(size);
            const std::string_view language(
                static_cast<const char*>(static_cast<const void*>(text)), size);
            const std::size_t base = reader.take<std::uint8_t>();
            REDOUBT_ASSERT(base < std::size(bases));
            auto& changes =
                made.try_emplace(std::string(language), *bases[base]).first->second.changes;
            changes.resize(reader.take<std::uint16_t>());
            for (UnicodeWeights::Contraction& change : changes) {
                change = read_weighed(reader, base == kUca1400 ? UnicodeWeights::kLevelsMax : 1);
            }
        }
        return made;
    }();
    const auto found = kAll.find(name);
    return found == kAll.end() ? nullptr : &found->second;
}

}  // namespace redoubt::record
