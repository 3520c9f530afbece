#include "record/decode.h"

#include <zlib.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/big_endian.h"
#include "base/integers.h"

namespace redoubt::record {
namespace {

constexpr unsigned kYearBase = 1900;
// A column that is COMPRESSED, first byte: 0 = as it is, else method and size of the length.
constexpr unsigned kMethodMask = 0xF0;
constexpr unsigned kMethodZlib = 0x80;
constexpr unsigned kRawDeflate = 0x08;
constexpr unsigned kLengthSize = 0x07;
constexpr std::size_t kDeflateRatio = 1032;  // what a byte of deflate can become at most

std::uint64_t load_unsigned(std::span<const std::byte> bytes) {
    if (bytes.size() == sizeof(std::uint32_t)) {
        return load_be<std::uint32_t>(bytes.data());
    }
    if (bytes.size() == sizeof(std::uint64_t)) {
        return load_be<std::uint64_t>(bytes.data());
    }
    return load_be(bytes);
}

/// Of the size of `bytes`, sign bit inverted.
std::int64_t load_signed(std::span<const std::byte> bytes) {
    const unsigned unused = static_cast<unsigned>(64 - 8 * bytes.size());
    const std::uint64_t raw = (load_unsigned(bytes) << unused) ^ (std::uint64_t{1} << 63);
    return static_cast<std::int64_t>(raw) >> unused;
}

template <class T>
T load_little(std::span<const std::byte> bytes) {
    static_assert(std::endian::native == std::endian::little);
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

Error wrong_size(std::size_t size) {
    return make_error(ErrorCode::Corruption, "a column value of {} bytes is not of its type", size);
}

Value text_value(std::string_view text) { return {.kind = Value::Kind::Text, .text = text}; }
Value bytes_value(std::span<const std::byte> bytes) {
    return {.kind = Value::Kind::Bytes, .text = as_text(bytes)};
}

/// As the server shows a FLOAT(M,D): all digits before the point, D behind it.
Value fixed_point(double number, unsigned digits) {
    const double scale = std::pow(10.0, digits);
    const double scaled = number * scale;
    const bool exact = std::isfinite(scaled) && std::abs(scaled) < 1e15;
    return {.kind = Value::Kind::Double, .number = exact ? std::round(scaled) / scale : number};
}

bool fits(const ColumnType& type, std::size_t size) {
    return size <= 8 && size > 0 && (type.size == 0 || type.size == size);
}

}  // namespace

ValueDecoder::ValueDecoder(const ColumnType& type) : type_(type) {
    if (type.kind == TypeKind::FixedText || type.kind == TypeKind::Text ||
        type.raw_labels != nullptr) {
        const Collation* const collation = type.collation;
        if (collation != nullptr) {
            converter_ = std::make_unique<TextConverter>(*collation->charset);
        }
    }
}

Result<const Value*> ValueDecoder::decode(std::span<const std::byte> stored) {
    if (type_.kind == TypeKind::Integer) {  // most columns that are summed up or compared
        if (!fits(type_, stored.size())) {
            return wrong_size(stored.size());
        }
        value_ =
            type_.is_unsigned
                ? Value{.kind = Value::Kind::Unsigned, .unsigned_integer = load_unsigned(stored)}
                : Value{.kind = Value::Kind::Integer, .integer = load_signed(stored)};
    } else {
        ASSIGN_OR_RETURN(value_, decode_other(stored));
    }
    return &value_;
}

Result<Value> ValueDecoder::decode_other(std::span<const std::byte> stored) {
    if (type_.size != 0 && stored.size() != type_.size && type_.kind != TypeKind::FixedText) {
        return wrong_size(stored.size());
    }
    switch (type_.kind) {
        case TypeKind::Float:
            if (type_.precision != 0) {
                return fixed_point(static_cast<double>(load_little<float>(stored)), type_.digits);
            }
            return Value{.kind = Value::Kind::Float,
                         .number = static_cast<double>(load_little<float>(stored))};
        case TypeKind::Double:
            if (type_.precision != 0) {
                return fixed_point(load_little<double>(stored), type_.digits);
            }
            return Value{.kind = Value::Kind::Double, .number = load_little<double>(stored)};
        case TypeKind::Year: {
            const auto year = std::to_integer<unsigned>(stored[0]);
            return Value{.kind = Value::Kind::Integer,
                         .integer = year == 0 ? 0 : std::int64_t{year} + kYearBase};
        }
        case TypeKind::Decimal:
            text_.clear();
            append_decimal(text_, type_, stored);
            return Value{.kind = Value::Kind::Decimal, .text = text_};
        case TypeKind::Date:
            text_.clear();
            append_date(text_, static_cast<std::uint32_t>(load_unsigned(stored) & 0x7FFFFF));
            return text_value(text_);
        case TypeKind::Time:
        case TypeKind::DateTime:
        case TypeKind::Timestamp:
        case TypeKind::OldTime:
        case TypeKind::OldDateTime:
        case TypeKind::OldTimestamp:
            text_.clear();
            append_temporal(text_, type_, stored);
            return text_value(text_);
        case TypeKind::FixedText:
        case TypeKind::Text:
            return decode_text(stored);
        case TypeKind::Bytes: {
            ASSIGN_OR_RETURN(const auto plain, decompress(stored));
            return bytes_value(plain);
        }
        case TypeKind::Enum:
            return decode_label(stored);
        case TypeKind::Set:
            return decode_set(stored);
        case TypeKind::Uuid:
            text_.clear();
            append_uuid(text_, stored.first<16>());
            return text_value(text_);
        case TypeKind::Inet4:
            text_.clear();
            append_inet4(text_, stored.first<4>());
            return text_value(text_);
        case TypeKind::Inet6:
            text_.clear();
            append_inet6(text_, stored.first<16>());
            return text_value(text_);
        case TypeKind::Bit:
        case TypeKind::FixedBytes:
        case TypeKind::Integer:
        case TypeKind::Unknown:
            break;
    }
    return bytes_value(stored);
}

Result<std::span<const std::byte>> ValueDecoder::decompress(std::span<const std::byte> stored) {
    if (!type_.compressed || stored.empty()) {
        return stored;
    }
    const auto head = std::to_integer<unsigned>(stored[0]);
    if (head == 0) {
        return stored.subspan(1);
    }
    const std::size_t length_size = head & kLengthSize;
    if ((head & kMethodMask) != kMethodZlib || length_size == 0 ||
        stored.size() < 1 + length_size) {
        return make_error(ErrorCode::Corruption, "a compressed column has an unknown method");
    }
    const std::uint64_t size = load_unsigned(stored.subspan(1, length_size));
    const auto deflated = stored.subspan(1 + length_size);
    if (size > deflated.size() * kDeflateRatio) {
        return make_error(ErrorCode::Corruption, "a compressed column cannot be {} bytes long",
                          size);
    }
    plain_.resize(size);
    z_stream stream{};
    if (inflateInit2(&stream, (head & kRawDeflate) != 0 ? -MAX_WBITS : MAX_WBITS) != Z_OK) {
        return make_error(ErrorCode::Internal, "zlib does not start");
    }
    // zlib takes what it does not change as non-const
    stream.next_in =
        static_cast<Bytef*>(const_cast<void*>(static_cast<const void*>(deflated.data())));
    stream.avail_in = static_cast<uInt>(deflated.size());
    stream.next_out = static_cast<Bytef*>(static_cast<void*>(plain_.data()));
    stream.avail_out = static_cast<uInt>(plain_.size());
    const int outcome = inflate(&stream, Z_FINISH);
    const bool whole = stream.avail_out == 0 && (outcome == Z_STREAM_END || outcome == Z_BUF_ERROR);
    inflateEnd(&stream);
    if (!whole) {
        return make_error(ErrorCode::Corruption, "a compressed column cannot be decompressed");
    }
    return std::as_bytes(std::span<const char>(plain_));
}

Result<Value> ValueDecoder::decode_text(std::span<const std::byte> stored) {
    ASSIGN_OR_RETURN(const auto plain, decompress(stored));
    if (converter_ == nullptr) {
        return bytes_value(plain);
    }
    std::string_view text = converter_->to_utf8(plain, text_);
    if (type_.kind == TypeKind::FixedText) {
        const std::size_t last = text.find_last_not_of(' ');
        text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    }
    return text_value(text);
}

Value ValueDecoder::decode_label(std::span<const std::byte> stored) {
    const std::uint64_t number = load_unsigned(stored);
    if (type_.labels == nullptr || number == 0 || number > type_.labels->size()) {
        return text_value("");  // as the server shows a value that is none of the list
    }
    return text_value((*type_.labels)[number - 1]);
}

Value ValueDecoder::decode_set(std::span<const std::byte> stored) {
    const std::uint64_t members = load_unsigned(stored);
    const bool raw = type_.raw_labels != nullptr && converter_ != nullptr;
    const auto& labels = raw ? type_.raw_labels : type_.labels;
    std::string separator = ",";
    if (raw) {
        const Charset& charset = converter_->charset();
        separator.insert(charset.name == "utf16le" ? 1 : 0, charset.min_size - 1U, '\0');
    }
    std::string& joined = raw ? plain_ : text_;
    joined.clear();
    const std::size_t count = labels == nullptr ? 0 : labels->size();
    for (std::size_t i = 0; i < count && i < 64; ++i) {
        if (((members >> i) & 1) != 0) {
            joined += joined.empty() ? "" : separator;  // none behind empty members, as the server
            joined += (*labels)[i];
        }
    }
    return text_value(raw ? converter_->to_utf8(std::as_bytes(std::span<const char>(joined)), text_)
                          : joined);
}

void append_uuid(std::string& out, std::span<const std::byte, 16> stored) {
    // The server stores the parts of time-based ones from last to first.
    static constexpr auto kSwapped =
        std::to_array<std::uint8_t>({12, 13, 14, 15, 10, 11, 8, 9, 6, 7, 0, 1, 2, 3, 4, 5});
    const auto version = std::to_integer<unsigned>(stored[8]);
    const bool swapped =
        (std::to_integer<unsigned>(stored[6]) & 0x80) != 0 && version > 0 && version < 0x60;
    for (std::size_t i = 0; i < stored.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out += '-';
        }
        fmt::format_to(std::back_inserter(out), "{:02x}",
                       std::to_integer<unsigned>(stored[swapped ? kSwapped[i] : i]));
    }
}

void append_inet4(std::string& out, std::span<const std::byte, 4> stored) {
    fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}", std::to_integer<unsigned>(stored[0]),
                   std::to_integer<unsigned>(stored[1]), std::to_integer<unsigned>(stored[2]),
                   std::to_integer<unsigned>(stored[3]));
}

void append_inet6(std::string& out, std::span<const std::byte, 16> stored) {
    std::array<unsigned, 8> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = load_be<std::uint16_t>(stored.data() + 2 * i);
    }
    std::size_t gap = 0;  // the longest run of zero words, the first of equals
    std::size_t gap_size = 0;
    for (std::size_t i = 0, run = 0; i < words.size(); ++i) {
        run = words[i] == 0 ? run + 1 : 0;
        if (run > gap_size) {
            gap_size = run;
            gap = i + 1 - run;
        }
    }
    const bool embedded = gap == 0 && (gap_size == 6 || (gap_size == 5 && words[5] == 0xFFFF));
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i == gap && gap_size > 0) {
            out += i == 0 ? "::" : ":";
            i += gap_size - 1;
        } else if (i == 6 && embedded) {
            append_inet4(out, stored.last<4>());
            return;
        } else {
            fmt::format_to(std::back_inserter(out), "{:x}", words[i]);
            out += i + 1 < words.size() ? ":" : "";
        }
    }
}

}  // namespace redoubt::record
