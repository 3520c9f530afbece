#include "cli/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/big_endian.h"
#include "base/integers.h"
#include "record/charset.h"
#include "record/decode.h"
#include "sql/number_text.h"

namespace redoubt::cli {
namespace {

constexpr std::size_t kBytesShown = 32;  // of one value, to people; JSON has all
constexpr std::size_t kTextShown = 100;  // bytes
constexpr unsigned kInsertBit = 55;      // of a roll pointer

/// Bytes of the UTF-8 character at the start of `text`; 0: there is none that may be printed.
std::size_t printable_size(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    if (first < 0x80) {
        return first >= 0x20 && first != 0x7F ? 1 : 0;
    }
    const std::size_t size = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2);
    if (first < 0xC2 || first > 0xF4 || text.size() < size) {
        return 0;
    }
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    const bool control = first == 0xC2 && byte(1) < 0xA0;
    return control ? 0 : size;
}

std::string value_of(std::span<const std::byte> bytes, const record::ColumnType& type) {
    record::ValueDecoder decoder(type);
    const auto value = decoder.decode(bytes);
    return value ? value_words(**value) : "x'" + hex_text(bytes, kBytesShown) + "' (no such value)";
}

}  // namespace

std::string indented(const std::string& lines) {
    std::string out;
    for (std::string_view rest = lines; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
        out += fmt::format("    {}", rest.substr(0, end));
        rest.remove_prefix(end);
    }
    return out;
}

std::string hex_text(std::span<const std::byte> bytes, std::size_t bytes_max) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::byte b : bytes.first(std::min(bytes.size(), bytes_max))) {
        out += kDigits[std::to_integer<unsigned>(b) >> 4];
        out += kDigits[std::to_integer<unsigned>(b) & 0xF];
    }
    if (bytes.size() > bytes_max) {
        out += fmt::format("... ({} bytes)", bytes.size());
    }
    return out;
}

std::string quoted_words(std::string_view text) {
    std::string out = "'";
    std::size_t at = 0;
    while (at < text.size() && at < kTextShown) {
        const std::size_t size = printable_size(text.substr(at));
        if (size == 0) {
            out += '?';
        } else {
            out += text[at] == '\'' ? "''" : text.substr(at, size);
        }
        at += std::max<std::size_t>(size, 1);
    }
    return out + (at < text.size() ? fmt::format("...' ({} bytes)", text.size()) : "'");
}

std::string value_words(const record::Value& value) {
    using Kind = record::Value::Kind;
    switch (value.kind) {
        case Kind::Null:
            return "NULL";
        case Kind::Integer:
            return fmt::format("{}", value.integer);
        case Kind::Unsigned:
            return fmt::format("{}", value.unsigned_integer);
        case Kind::Float:
            return sql::float_text(value.number);
        case Kind::Double:
            return sql::double_text(value.number);
        case Kind::Decimal:
            return std::string(value.text);
        case Kind::Text:
            return quoted_words(value.text);
        case Kind::Bytes:
            return "x'" + hex_text(std::as_bytes(std::span(value.text)), kBytesShown) + "'";
        case Kind::NotStored:
            return "not stored";
    }
    return {};
}

std::string decoded_words(std::span<const std::byte> bytes, const record::ColumnType* type,
                          bool whole) {
    using record::TypeKind;
    // The beginning of a value is a value only of texts and bytes, as they are.
    const bool splittable = type != nullptr && !type->compressed &&
                            (type->kind == TypeKind::Text || type->kind == TypeKind::Bytes);
    if (type == nullptr || type->kind == TypeKind::Unknown || (!whole && !splittable)) {
        return "x'" + hex_text(bytes, kBytesShown) + "'";
    }
    return value_of(bytes, *type);
}

RollPointer RollPointer::decode(std::uint64_t raw) {
    return {.insert = ((raw >> kInsertBit) & 1) != 0,
            .segment = static_cast<unsigned>(raw >> 48) & 0x7F,
            .page = PageNo{static_cast<std::uint32_t>(raw >> 16)},
            .offset = static_cast<std::uint16_t>(raw)};
}

std::string RollPointer::words() const {
    if (page.value == 0 && offset == 0) {
        return insert ? "none (history purged)" : "none";
    }
    return fmt::format("{}rollback segment {}, page {} offset {}", insert ? "insert, " : "",
                       segment, page.value, offset);
}

BlobReference BlobReference::decode(std::span<const std::byte, record::kReferenceSize> bytes) {
    constexpr std::size_t kLength = 12;
    constexpr unsigned kNotOwner = 0x80;
    constexpr unsigned kInherited = 0x40;
    const auto flags = std::to_integer<unsigned>(bytes[kLength]);
    return {.space = SpaceId{load_be<std::uint32_t>(bytes.data())},
            .page = PageNo{load_be<std::uint32_t>(bytes.data() + 4)},
            .offset = load_be<std::uint32_t>(bytes.data() + 8),
            .length = load_be<std::uint32_t>(bytes.data() + kLength + 4),
            .owner = (flags & kNotOwner) == 0,
            .inherited = (flags & kInherited) != 0};
}

std::string BlobReference::words() const {
    if (space.value == 0 && page.value == 0 && offset == 0 && length == 0) {
        return "off-page: never written";
    }
    return fmt::format("off-page: {} bytes at space {} page {} offset {}{}{}", length, space.value,
                       page.value, offset, owner ? "" : ", owned by another version",
                       inherited ? ", inherited" : "");
}

ShownField show_field(std::string name, const record::Field& field, const record::ColumnType* type,
                      bool prefix) {
    ShownField shown{.name = std::move(name), .words = {}, .bytes = {}, .null = field.null};
    if (field.null) {
        shown.words = "NULL";
        return shown;
    }
    const auto bytes = field.bytes();
    shown.bytes = hex_text(bytes);
    if (!field.external || bytes.size() < record::kReferenceSize) {
        shown.words = decoded_words(bytes, type, !prefix);
        return shown;
    }
    shown.reference = BlobReference::decode(bytes.last<record::kReferenceSize>());
    const auto local = bytes.first(bytes.size() - record::kReferenceSize);
    shown.words = shown.reference->words();
    if (!local.empty()) {
        shown.words = fmt::format("{}, the rest {}", decoded_words(local, type, false),
                                  shown.reference->words());
    }
    return shown;
}

ShownField show_trx_id(std::span<const std::byte> bytes) {
    return {
        .name = "DB_TRX_ID", .words = fmt::format("{}", load_be(bytes)), .bytes = hex_text(bytes)};
}

ShownField show_roll_pointer(std::span<const std::byte> bytes) {
    return {.name = "DB_ROLL_PTR",
            .words = RollPointer::decode(load_be(bytes)).words(),
            .bytes = hex_text(bytes)};
}

Json field_json(const ShownField& field) {
    Json object = {{"name", field.name}};
    if (field.null) {
        object["null"] = true;
    } else {
        object["value"] = field.words;
        object["bytes"] = field.bytes;
    }
    if (field.absent) {
        object["not_in_record"] = true;
    }
    if (const auto& reference = field.reference) {
        object["off_page"] = {
            {"space", reference->space.value}, {"page", reference->page.value},
            {"offset", reference->offset},     {"length", reference->length},
            {"owner", reference->owner},       {"inherited", reference->inherited}};
    }
    return object;
}

}  // namespace redoubt::cli
