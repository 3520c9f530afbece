#include "crypt/crypt_data.h"

#include <algorithm>

#include "base/big_endian.h"

namespace redoubt::crypt {
namespace {

constexpr std::array<std::byte, 6> kMagic{std::byte{0x73}, std::byte{0x0E}, std::byte{0x0C},
                                          std::byte{0x52}, std::byte{0x45}, std::byte{0x74}};
constexpr std::size_t kIvOffset = 8;
constexpr std::uint8_t kIvSize = 16;
using SchemeField = BigEndian<std::uint8_t, 6>;
using IvSizeField = BigEndian<std::uint8_t, 7>;
using MinKeyVersion = BigEndian<std::uint32_t, 24>;
using KeyId = BigEndian<std::uint32_t, 28>;
using OptionField = BigEndian<std::uint8_t, 32>;
static_assert(KeyId::kOffset == MinKeyVersion::kEnd && OptionField::kOffset == KeyId::kEnd &&
              OptionField::kEnd == CryptData::kSize);

}  // namespace

Result<std::optional<CryptData>> CryptData::decode(std::span<const std::byte> bytes) {
    if (bytes.size() < kSize || !std::equal(kMagic.begin(), kMagic.end(), bytes.begin())) {
        return std::optional<CryptData>();
    }
    if (SchemeField::get(bytes) > 1 || IvSizeField::get(bytes) != kIvSize ||
        OptionField::get(bytes) > 2) {
        return make_error(
            ErrorCode::Corruption, "encryption metadata has scheme {}, IV length {}, option {}",
            SchemeField::get(bytes), IvSizeField::get(bytes), OptionField::get(bytes));
    }
    CryptData data;
    data.scheme = static_cast<Scheme>(SchemeField::get(bytes));
    std::copy_n(bytes.begin() + kIvOffset, kIvSize, data.iv.begin());
    data.min_key_version = MinKeyVersion::get(bytes);
    data.key_id = KeyId::get(bytes);
    data.option = static_cast<Option>(OptionField::get(bytes));
    return std::optional(data);
}

void CryptData::encode(std::span<std::byte, kSize> bytes) const {
    std::copy(kMagic.begin(), kMagic.end(), bytes.begin());
    SchemeField::set(bytes, static_cast<std::uint8_t>(scheme));
    IvSizeField::set(bytes, kIvSize);
    std::copy(iv.begin(), iv.end(), bytes.begin() + kIvOffset);
    MinKeyVersion::set(bytes, min_key_version);
    KeyId::set(bytes, key_id);
    OptionField::set(bytes, static_cast<std::uint8_t>(option));
}

}  // namespace redoubt::crypt
