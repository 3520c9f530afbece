/// Weights of characters as tools/make_collation_tables wrote them, packed, and unpacked for use.
/// Format: docs/formats/collations.md#tables.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace redoubt::record {

inline constexpr std::uint32_t kCodePointEnd = 0x110000;
inline constexpr std::size_t kWeightPageSize = 256;  // characters

/// base64 of a zlib stream.
struct PackedTable {
    std::span<const char* const> lines;
    std::size_t plain_size = 0;  ///< bytes
    std::string unpack() const;
};

const PackedTable& packed_single_byte();
const PackedTable& packed_general();
const PackedTable& packed_mysql500();
const PackedTable& packed_uca400();
const PackedTable& packed_uca520();
const PackedTable& packed_uca1400();
const PackedTable& packed_tailorings();

using ByteWeights = std::array<std::uint8_t, 256>;
/// By the collation's id.
const std::map<unsigned, ByteWeights>& single_byte_weights();

/// One weight for each character (`general_ci`).
class PlainWeights {
public:
    explicit PlainWeights(const PackedTable& packed);
    std::uint32_t of(std::uint32_t code) const {
        if (code >= kBmpEnd) {
            return kReplacement;
        }
        const Page* const page = pages_[code / kWeightPageSize].get();
        return page == nullptr ? code : (*page)[code % kWeightPageSize];
    }

private:
    static constexpr std::uint32_t kBmpEnd = 0x10000;
    static constexpr std::uint32_t kReplacement = 0xFFFD;
    using Page = std::array<std::uint16_t, kWeightPageSize>;
    std::array<std::unique_ptr<Page>, kBmpEnd / kWeightPageSize> pages_;
};

/// The weights of one or two characters that follow each other; a character may have several, or
/// none.
struct WeightList {
    std::array<std::uint16_t, 2> implicit{};  ///< room for those that a rule makes
    const std::uint16_t* begin = nullptr;     ///< null: `count` of `implicit`
    std::size_t count = 0;
};

/// Weights by the Unicode Collation Algorithm, on one to three levels.
class UnicodeWeights {
public:
    static constexpr std::size_t kLevelsMax = 3;
    static constexpr std::size_t kContractionMax = 4;  // characters

    struct Contraction {
        std::array<std::uint32_t, kContractionMax> codes{};  ///< 0 behind the last
        std::array<std::vector<std::uint16_t>, kLevelsMax> weights;
    };

    /// `changes`: what a language has otherwise, characters by themselves (one code) and
    /// contractions.
    UnicodeWeights(const PackedTable& packed, std::span<const Contraction> changes);

    WeightList of(std::uint32_t code, std::size_t level) const;
    /// Whether contractions begin with it.
    bool begins_contraction(std::uint32_t code) const;
    /// Those that begin so; longer ones first.
    std::span<const Contraction> contractions(std::uint32_t code) const;
    /// Of the space that short texts are filled up with.
    std::uint16_t space(std::size_t level) const { return space_[level]; }

private:
    /// How a character gets its weights; in the table 0xF0 + rule stands where else a count does.
    enum Rule : std::uint8_t {
        Explicit,
        Han,
        HanExtended,
        Unassigned,
        Replaced,
        Tangut,
        Nushu,
        Khitan
    };
    struct Level {
        std::vector<std::uint32_t> places;  // of characters: begin << 8 | count or 0xF0 + rule
        std::vector<std::uint16_t> weights;
    };
    struct Reader;

    void read_level(Reader& reader, Level& level, std::size_t characters);
    void change(const Contraction& change);
    void sort_contractions();
    static WeightList implicit(std::uint32_t code, unsigned rule, std::size_t level);

    static constexpr std::size_t kPages = kCodePointEnd / kWeightPageSize;
    std::array<std::uint8_t, kPages> rules_{};   // of pages; Explicit: see pages_
    std::array<std::uint16_t, kPages> pages_{};  // position among the explicit pages
    std::array<Level, kLevelsMax> levels_;
    std::vector<Contraction> contractions_;  // sorted: first code, then longer ones first
    std::vector<std::uint32_t> heads_;       // sorted
    std::array<std::uint16_t, kLevelsMax> space_{};
};

const PlainWeights& general_weights();
const PlainWeights& mysql500_weights();

/// Unpacked when they are first asked for: nobody needs those of all languages.
class LazyUnicodeWeights {
public:
    explicit LazyUnicodeWeights(const PackedTable& packed) : packed_(packed) {}
    const UnicodeWeights& get() const {
        std::call_once(
            once_, [this] { made_ = std::make_unique<const UnicodeWeights>(packed_, changes); });
        return *made_;
    }
    std::vector<UnicodeWeights::Contraction> changes;  ///< to be set before the first get()

private:
    const PackedTable& packed_;
    mutable std::once_flag once_;
    mutable std::unique_ptr<const UnicodeWeights> made_;
};

/// Of "unicode_ci", "unicode_520_ci", "uca1400", "swedish_ci", "uca1400_swedish", ...; null: not
/// known.
const LazyUnicodeWeights* unicode_weights(std::string_view name);

}  // namespace redoubt::record
