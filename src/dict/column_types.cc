// Column types out of a .frm's fields.
#include "dict/frm.h"
#include "record/decode.h"

namespace redoubt::dict {
namespace {

using record::ColumnType;
using record::TypeKind;

constexpr unsigned kBinaryCollation = 63;
constexpr std::uint8_t kCompressedColumn = 24;  // unireg
constexpr unsigned kFractionMax = 6;
constexpr unsigned kPrecisionMax = 65;
constexpr unsigned kDecimalsMax = 38;
constexpr unsigned kNotFixed = 31;  // decimals of a plain FLOAT or DOUBLE; fixed ones have fewer

// Bytes of a value of mysql56_temporal_format=OFF with 0..6 digits of fraction.
constexpr std::uint8_t kOldTimeSizes[] = {3, 4, 4, 5, 5, 5, 6};
constexpr std::uint8_t kOldDateTimeSizes[] = {8, 6, 6, 7, 7, 7, 8};
constexpr std::uint8_t kOldTimestampSizes[] = {4, 5, 5, 6, 6, 7, 7};

/// Digits of fraction, by how many characters more than `plain` a value has.
Result<std::uint8_t> fraction_of(const FrmField& field, unsigned plain) {
    const unsigned digits = field.length > plain ? field.length - plain - 1 : 0;
    if (digits > kFractionMax) {
        return make_error(ErrorCode::Corruption, "column {} has {} digits of fraction", field.name,
                          digits);
    }
    return static_cast<std::uint8_t>(digits);
}

Result<ColumnType> temporal(const FrmField& field, TypeKind kind) {
    const bool is_time = kind == TypeKind::Time || kind == TypeKind::OldTime;
    ColumnType type{.kind = kind};
    ASSIGN_OR_RETURN(type.digits, fraction_of(field, is_time ? 10 : 19));
    const std::uint32_t fraction = (type.digits + 1U) / 2;
    switch (kind) {
        case TypeKind::Time:
            type.size = 3 + fraction;
            break;
        case TypeKind::DateTime:
            type.size = 5 + fraction;
            break;
        case TypeKind::Timestamp:
            type.size = 4 + fraction;
            break;
        case TypeKind::OldTime:
            type.size = kOldTimeSizes[type.digits];
            break;
        case TypeKind::OldDateTime:
            type.size = kOldDateTimeSizes[type.digits];
            break;
        default:
            type.size = kOldTimestampSizes[type.digits];
    }
    return type;
}

ColumnType integer(const FrmField& field, std::uint32_t size) {
    return {.kind = TypeKind::Integer, .is_unsigned = !field.is_signed(), .size = size};
}

/// FLOAT(M,D) and DOUBLE(M,D) have a fixed number of digits behind the point.
ColumnType floating(const FrmField& field, TypeKind kind, std::uint32_t size) {
    const bool fixed = field.decimals() < kNotFixed;
    return {.kind = kind,
            .precision = static_cast<std::uint8_t>(fixed ? 1 : 0),
            .digits = static_cast<std::uint8_t>(fixed ? field.decimals() : 0),
            .size = size};
}

Result<ColumnType> decimal(const FrmField& field) {
    const unsigned digits = field.decimals();
    const unsigned precision = field.length - (digits > 0 ? 1 : 0) - (field.is_signed() ? 1 : 0);
    if (precision == 0 || precision > kPrecisionMax || digits > kDecimalsMax ||
        digits > precision) {
        return make_error(ErrorCode::Corruption, "column {} is DECIMAL({},{})", field.name,
                          precision, digits);
    }
    return ColumnType{.kind = TypeKind::Decimal,
                      .precision = static_cast<std::uint8_t>(precision),
                      .digits = static_cast<std::uint8_t>(digits),
                      .size = static_cast<std::uint32_t>(record::decimal_size(precision, digits))};
}

Result<ColumnType> text(const FrmField& field, TypeKind text_kind, TypeKind bytes_kind) {
    ColumnType type{.kind = text_kind, .compressed = field.unireg == kCompressedColumn};
    type.collation = record::find_collation(field.collation);
    if (type.collation == nullptr) {
        return make_error(ErrorCode::Unsupported, "column {} has the unknown collation {}",
                          field.name, field.collation);
    }
    if (field.collation == kBinaryCollation) {
        type.kind = bytes_kind;
        type.size = bytes_kind == TypeKind::FixedBytes ? field.length : 0;
    }
    return type;
}

ColumnType labelled(const FrmField& field) {
    const std::size_t count = field.labels == nullptr ? 0 : field.labels->size();
    ColumnType type{.kind = field.type == FrmType::Enum ? TypeKind::Enum : TypeKind::Set,
                    .collation = record::find_collation(field.collation),
                    .labels = field.labels,
                    .raw_labels = field.raw_labels};
    if (type.kind == TypeKind::Enum) {
        type.size = count <= 255 ? 1 : 2;
    } else {
        type.size = count <= 32 ? static_cast<std::uint32_t>((count + 7) / 8) : 8;
    }
    return type;
}

}  // namespace

Result<ColumnType> column_type(const FrmField& field) {
    if (field.plugin_type == "uuid") {
        return ColumnType{.kind = TypeKind::Uuid, .size = 16};
    }
    if (field.plugin_type == "inet6") {
        return ColumnType{.kind = TypeKind::Inet6, .size = 16};
    }
    if (field.plugin_type == "inet4") {
        return ColumnType{.kind = TypeKind::Inet4, .size = 4};
    }
    switch (field.type) {
        case FrmType::Tiny:
            return integer(field, 1);
        case FrmType::Short:
            return integer(field, 2);
        case FrmType::Int24:
            return integer(field, 3);
        case FrmType::Long:
            return integer(field, 4);
        case FrmType::LongLong:
            return integer(field, 8);
        case FrmType::Float:
            return floating(field, TypeKind::Float, 4);
        case FrmType::Double:
            return floating(field, TypeKind::Double, 8);
        case FrmType::Decimal:
            return decimal(field);
        case FrmType::Year:
            return ColumnType{.kind = TypeKind::Year, .is_unsigned = true, .size = 1};
        case FrmType::Date:
        case FrmType::OldDate:
            return ColumnType{.kind = TypeKind::Date, .size = 3};
        case FrmType::OldTimestamp:
            return temporal(field, TypeKind::OldTimestamp);
        case FrmType::OldTime:
            return temporal(field, TypeKind::OldTime);
        case FrmType::OldDateTime:
            return temporal(field, TypeKind::OldDateTime);
        case FrmType::Timestamp:
            return temporal(field, TypeKind::Timestamp);
        case FrmType::DateTime:
            return temporal(field, TypeKind::DateTime);
        case FrmType::Time:
            return temporal(field, TypeKind::Time);
        case FrmType::Bit:
            return ColumnType{.kind = TypeKind::Bit, .size = (field.length + 7) / 8};
        case FrmType::Enum:
        case FrmType::Set:
            return labelled(field);
        case FrmType::Char:
            return text(field, TypeKind::FixedText, TypeKind::FixedBytes);
        case FrmType::Varchar:
        case FrmType::TinyBlob:
        case FrmType::Blob:
        case FrmType::MediumBlob:
        case FrmType::LongBlob:
            return text(field, TypeKind::Text, TypeKind::Bytes);
        case FrmType::Geometry:
            return ColumnType{.kind = TypeKind::Bytes};
    }
    return make_error(ErrorCode::Unsupported, "column {} has the unknown type {}", field.name,
                      static_cast<unsigned>(field.type));
}

}  // namespace redoubt::dict
