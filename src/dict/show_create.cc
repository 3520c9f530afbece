// Map of this file: texts and types (quote_*, plain_type and what it calls), values of defaults
// (number_text, bits_text) and partitions (partition_text); Printer puts the statement together in
// the server's order: fields, keys, the period, foreign keys and checks, the table's options.
#include "dict/show_create.h"

#include <algorithm>
#include <cmath>

#include "record/charset.h"
#include "record/decode.h"

namespace redoubt::dict {
namespace {

// unireg codes of columns.
constexpr std::uint8_t kDefaultNow = 21;
constexpr std::uint8_t kUpdateNow = 22;
constexpr std::uint8_t kDefaultAndUpdateNow = 23;
constexpr std::uint8_t kCompressed = 24;
constexpr std::uint16_t kNoDefault = 0x4000;  // pack flag
constexpr std::uint16_t kBinaryCollation = 63;
constexpr unsigned kNotFixed = 31;  // decimals of a plain FLOAT or DOUBLE

// Bits of the table options.
constexpr std::uint16_t kPackRecord = 1;
constexpr std::uint16_t kPackKeys = 2;
constexpr std::uint16_t kChecksum = 32;
constexpr std::uint16_t kDelayKeyWrite = 64;
constexpr std::uint16_t kNoPackKeys = 128;
constexpr std::uint16_t kStatsPersistent = 4096;
constexpr std::uint16_t kNoStatsPersistent = 8192;

constexpr std::uint16_t kKeyHasBlockSize = 32768;  // key flag

std::string quote_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        switch (c) {
            case '\0':
                out += "\\0";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\'':
                out += "''";
                break;
            default:
                out += c;
        }
    }
    return out + "'";
}

/// What is no UTF-8 as '?', byte by byte (docs/formats/frm.md).
std::string quote_valid(std::string_view text) {
    std::string scratch;
    return quote_text(record::as_valid_utf8(text, scratch));
}

const record::Collation* collation_of(const FrmField& field) {
    return record::find_collation(field.collation);
}

unsigned character_size(const FrmField& field) {
    const record::Collation* const collation = collation_of(field);
    return collation == nullptr ? 1 : collation->charset->max_size;
}

bool is_blob(FrmType type) {
    return type == FrmType::TinyBlob || type == FrmType::Blob || type == FrmType::MediumBlob ||
           type == FrmType::LongBlob;
}

bool is_text(const FrmField& field) {
    if (!field.plugin_type.empty() || field.collation == kBinaryCollation) {
        return false;
    }
    return is_blob(field.type) || field.type == FrmType::Char || field.type == FrmType::Varchar ||
           field.type == FrmType::Enum || field.type == FrmType::Set;
}

std::string signs(const FrmField& field) {
    return std::string(field.is_signed() ? "" : " unsigned") +
           (field.zerofill() ? " zerofill" : "");
}

std::string temporal(std::string_view name, const FrmField& field, unsigned plain, bool old) {
    std::string out(name);
    if (field.length > plain) {
        out += fmt::format("({})", field.length - plain - 1);
    }
    return out + (old ? " /* mariadb-5.3 */" : "");
}

std::string labelled(std::string_view name, const FrmField& field) {
    std::string out(name);
    out += '(';
    for (std::size_t i = 0; field.labels != nullptr && i < field.labels->size(); ++i) {
        out += (i > 0 ? "," : "") + quote_valid((*field.labels)[i]);
    }
    return out + ")";
}

std::string floating(std::string_view name, const FrmField& field) {
    std::string out(name);
    if (field.decimals() < kNotFixed) {
        out += fmt::format("({},{})", field.length, field.decimals());
    }
    return out + signs(field);
}

std::string blob(std::string_view size, const FrmField& field) {
    return std::string(size) + (field.collation == kBinaryCollation ? "blob" : "text");
}

std::string plain_type(const FrmField& field) {
    static constexpr std::string_view kGeometries[] = {
        "geometry",   "point",           "linestring",   "polygon",
        "multipoint", "multilinestring", "multipolygon", "geometrycollection"};
    const bool binary = field.collation == kBinaryCollation;
    const unsigned extra = field.unireg == kCompressed && field.length > 0 ? 1 : 0;
    const auto integer = [&](std::string_view name) {
        return fmt::format("{}({}){}", name, field.length, signs(field));
    };
    switch (field.type) {
        case FrmType::Tiny:
            return integer("tinyint");
        case FrmType::Short:
            return integer("smallint");
        case FrmType::Int24:
            return integer("mediumint");
        case FrmType::Long:
            return integer("int");
        case FrmType::LongLong:
            return integer("bigint");
        case FrmType::Float:
            return floating("float", field);
        case FrmType::Double:
            return floating("double", field);
        case FrmType::Decimal:
            return fmt::format(
                "decimal({},{}){}",
                field.length - (field.decimals() > 0 ? 1 : 0) - (field.is_signed() ? 1 : 0),
                field.decimals(), signs(field));
        case FrmType::Year:
            return fmt::format("year({})", field.length);
        case FrmType::Date:
        case FrmType::OldDate:
            return "date";
        case FrmType::Time:
        case FrmType::OldTime:
            return temporal("time", field, 10, field.type == FrmType::OldTime);
        case FrmType::DateTime:
        case FrmType::OldDateTime:
            return temporal("datetime", field, 19, field.type == FrmType::OldDateTime);
        case FrmType::Timestamp:
        case FrmType::OldTimestamp:
            return temporal("timestamp", field, 19, field.type == FrmType::OldTimestamp);
        case FrmType::Bit:
            return fmt::format("bit({})", field.length);
        case FrmType::Enum:
            return labelled("enum", field);
        case FrmType::Set:
            return labelled("set", field);
        case FrmType::Char:
            return fmt::format("{}({})", binary ? "binary" : "char",
                               field.length / character_size(field));
        case FrmType::Varchar:
            return fmt::format("{}({})", binary ? "varbinary" : "varchar",
                               (field.length - extra) / character_size(field));
        case FrmType::TinyBlob:
            return blob("tiny", field);
        case FrmType::Blob:
            return blob("", field);
        case FrmType::MediumBlob:
            return blob("medium", field);
        case FrmType::LongBlob:
            return blob("long", field);
        case FrmType::Geometry:
            return std::string(field.geometry < std::size(kGeometries) ? kGeometries[field.geometry]
                                                                       : kGeometries[0]);
    }
    return {};
}

/// A default as the .frm's record holds it, made into what InnoDB would store.
std::string stored_default(const FrmField& field, std::span<const std::byte> at,
                           const record::ColumnType& type) {
    using record::TypeKind;
    std::string out;
    const auto take = [&](std::size_t from, std::size_t size) {
        out = record::as_text(at.subspan(std::min(from, at.size()),
                                         std::min(size, at.size() - std::min(from, at.size()))));
    };
    switch (type.kind) {
        case TypeKind::Integer:
        case TypeKind::Date:
        case TypeKind::OldTime:
        case TypeKind::OldDateTime:
        case TypeKind::OldTimestamp:
        case TypeKind::Enum:
        case TypeKind::Set:
            take(0, type.size);
            if (type.digits == 0) {
                std::reverse(out.begin(), out.end());
            }
            if (!out.empty() && ((type.kind == TypeKind::Integer && !type.is_unsigned) ||
                                 (type.kind == TypeKind::OldTime && type.digits == 0) ||
                                 (type.kind == TypeKind::OldDateTime && type.digits == 0))) {
                out[0] = static_cast<char>(static_cast<unsigned char>(out[0]) ^ 0x80);
            }
            break;
        case TypeKind::Text:
        case TypeKind::Bytes: {
            const std::size_t length_size = field.length > 255 ? 2 : 1;
            if (at.size() >= length_size) {
                std::size_t size = std::to_integer<std::size_t>(at[0]);
                if (length_size == 2) {
                    size |= std::to_integer<std::size_t>(at[1]) << 8;
                }
                take(length_size, size);
            }
            break;
        }
        case TypeKind::FixedText:
            take(0, field.length);
            break;
        default:
            take(0, type.size);
    }
    return out;
}

std::string number_text(double number, unsigned digits, bool fixed, bool single) {
    if (fixed) {
        return fmt::format("{:.{}f}", number, digits);
    }
    return single ? fmt::format("{:.6g}", number) : fmt::format("{}", number);
}

std::string bits_text(std::string_view bytes) {
    std::string bits;
    for (const char c : bytes) {
        for (int i = 7; i >= 0; --i) {
            bits += ((static_cast<unsigned char>(c) >> i) & 1) != 0 ? '1' : '0';
        }
    }
    bits.erase(0, std::min(bits.find('1'), bits.empty() ? 0 : bits.size() - 1));
    return "b'" + bits + "'";
}

/// A default that the server prints without parentheses around it: a literal, or one call.
bool is_call(std::string_view text) {
    const std::size_t name =
        text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.");
    if (name == std::string_view::npos) {
        return true;
    }
    const bool quoted = text[0] == '\'';
    if (!quoted && (name == 0 || text[name] != '(')) {
        return false;
    }
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        in_text = text[i] == '\'' ? !in_text : in_text;
        if (!in_text) {
            depth += text[i] == '(' ? 1 : (text[i] == ')' ? -1 : 0);
            if (depth == 0 && i >= name && i + 1 < text.size() && text[i + 1] != '\'') {
                return false;
            }
        }
    }
    return true;
}

std::string from_hex(std::string_view digits) {
    const auto digit = [](char c) {
        return c >= 'a' ? c - 'a' + 10 : (c >= 'A' ? c - 'A' + 10 : c - '0');
    };
    std::string out;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        out += static_cast<char>((digit(digits[i]) << 4) | (digit(digits[i + 1]) & 0xF));
    }
    return out;
}

/// The .frm has text values of partitions as _charset 0x..., the server shows them as text.
std::string partition_text(std::string_view clause) {
    std::string out;
    while (!clause.empty()) {
        const std::size_t mark = clause.find(" 0x");
        const std::size_t under = clause.substr(0, mark).rfind('_');
        const record::Collation* collation = nullptr;
        if (mark != std::string_view::npos && under != std::string_view::npos) {
            collation = record::default_collation(clause.substr(under + 1, mark - under - 1));
        }
        if (collation == nullptr) {
            const std::size_t end = mark == std::string_view::npos ? clause.size() : mark + 3;
            out += clause.substr(0, end);
            clause.remove_prefix(end);
            continue;
        }
        const std::size_t digits = mark + 3;
        const std::size_t end =
            std::min(clause.find_first_not_of("0123456789abcdefABCDEF", digits), clause.size());
        const std::string raw = from_hex(clause.substr(digits, end - digits));
        record::TextConverter converter(*collation->charset);
        std::string scratch;
        out += clause.substr(0, under);
        out += quote_text(converter.to_utf8(std::as_bytes(std::span<const char>(raw)), scratch));
        clause.remove_prefix(end);
    }
    return out;
}

class Printer {
public:
    Printer(const std::string& name, const Frm& frm, const CreateExtras& extras)
        : name_(name), frm_(frm), extras_(extras) {}

    std::string run() {
        out_ = "CREATE TABLE " + quote_name(name_) + " (\n";
        std::size_t null_bit = (frm_.table_options & kPackRecord) != 0 ? 0 : 1;
        for (std::size_t i = 0; i < frm_.fields.size(); ++i) {
            const FrmField& field = frm_.fields[i];
            if (field.visibility < Visibility::System) {
                line();
                print_field(field, i, null_bit);
            }
            null_bit += field.nullable() ? 1 : 0;
        }
        if (frm_.application_period) {
            print_period(quote_name(frm_.application_period->name), frm_.application_period->start,
                         frm_.application_period->end);
        }
        for (const FrmKey& key : frm_.keys) {
            line();
            print_key(key);
        }
        if (frm_.system_period) {
            print_period("SYSTEM_TIME", frm_.system_period->first, frm_.system_period->second);
        }
        for (const std::string& foreign : extras_.foreign_keys) {
            line();
            out_ += foreign;
        }
        for (const FrmCheck& check : frm_.checks) {
            if (frm_.application_period && check.name == frm_.application_period->name) {
                continue;  // the period's own
            }
            line();
            out_ += "CONSTRAINT " + quote_name(check.name) + " CHECK (" + check.expression + ")";
        }
        out_ += "\n)";
        print_table_options();
        return std::move(out_);
    }

    std::string default_clause(std::size_t number) {
        const auto& life = frm_.system_period;
        if (!frm_.fields[number].generated.empty() ||
            (life && (number == life->first || number == life->second))) {
            return {};
        }
        std::size_t null_bit = (frm_.table_options & kPackRecord) != 0 ? 0 : 1;
        for (std::size_t i = 0; i < number; ++i) {
            null_bit += frm_.fields[i].nullable() ? 1 : 0;
        }
        print_default(frm_.fields[number], null_bit);
        return out_.empty() ? out_ : out_.substr(1);  // a space comes first
    }

private:
    void line() {
        out_ += first_ ? "  " : ",\n  ";
        first_ = false;
    }

    void print_field(const FrmField& field, std::size_t number, std::size_t null_bit) {
        out_ += quote_name(field.name) + " " + type_text(field);
        if (is_text(field) && field.collation != frm_.collation) {
            if (const record::Collation* const collation = collation_of(field)) {
                out_ += fmt::format(" CHARACTER SET {} COLLATE {}", collation->charset->name,
                                    collation->name);
            }
        }
        const auto& life = frm_.system_period;
        if (life && (number == life->first || number == life->second)) {
            out_ += number == life->first ? " GENERATED ALWAYS AS ROW START"
                                          : " GENERATED ALWAYS AS ROW END";
            print_invisible(field);
        } else if (!field.generated.empty()) {
            out_ += " GENERATED ALWAYS AS (" + field.generated + ")" +
                    (field.stored ? " STORED" : " VIRTUAL");
            print_invisible(field);
        } else {
            const bool timestamp =
                field.type == FrmType::Timestamp || field.type == FrmType::OldTimestamp;
            out_ += !field.nullable() ? " NOT NULL" : (timestamp ? " NULL" : "");
            print_invisible(field);
            print_default(field, null_bit);
            if (field.without_versioning) {
                out_ += " WITHOUT SYSTEM VERSIONING";
            }
            out_ += field.auto_increment() ? " AUTO_INCREMENT" : "";
        }
        if (!field.comment.empty()) {
            out_ += " COMMENT " + quote_text(field.comment);
        }
        print_options(field.options);
        if (!field.check.empty()) {
            out_ += " CHECK (" + field.check + ")";
        }
    }

    void print_invisible(const FrmField& field) {
        out_ += field.visibility == Visibility::Invisible ? " INVISIBLE" : "";
    }

    static std::string now(const FrmField& field) {
        return field.length > 19 ? fmt::format("current_timestamp({})", field.length - 20)
                                 : "current_timestamp()";
    }

    void print_default(const FrmField& field, std::size_t null_bit) {
        if (!field.default_expression.empty()) {
            const std::string& text = field.default_expression;
            out_ += " DEFAULT " + (is_call(text) ? text : "(" + text + ")");
        } else if (field.unireg == kDefaultNow || field.unireg == kDefaultAndUpdateNow) {
            out_ += " DEFAULT " + now(field);
        } else if ((field.pack_flag & kNoDefault) == 0 && !field.auto_increment()) {
            out_ += default_text(field, null_bit);
        }
        if (field.unireg == kUpdateNow || field.unireg == kDefaultAndUpdateNow) {
            out_ += " ON UPDATE " + now(field);
        }
    }

    std::string default_text(const FrmField& field, std::size_t null_bit) {
        const std::span<const std::byte> record(frm_.default_record);
        if (field.nullable() && null_bit / 8 < record.size() &&
            ((std::to_integer<unsigned>(record[null_bit / 8]) >> (null_bit % 8)) & 1) != 0) {
            return " DEFAULT NULL";
        }
        if (is_blob(field.type)) {
            return " DEFAULT ''";  // so of NOT NULL columns of type BLOB COMPRESSED
        }
        auto type = column_type(field);
        const std::size_t least = field.length != 0 ? 1 : 0;  // bytes; CHAR(0) may stand at the end
        if (field.type == FrmType::Geometry || !type || field.record_position == 0 ||
            field.record_position - 1 + least > record.size()) {
            return {};
        }
        const std::string stored =
            stored_default(field, record.subspan(field.record_position - 1), *type);
        return " DEFAULT " + value_text(field, *type, stored);
    }

    static std::string zero_filled(const FrmField& field, std::string text) {
        if (field.zerofill() && text.size() < field.length) {
            text.insert(0, field.length - text.size(), '0');
        }
        return text;
    }

    static std::string value_text(const FrmField& field, const record::ColumnType& type,
                                  const std::string& stored) {
        using Kind = record::Value::Kind;
        if (type.kind == record::TypeKind::Bit) {
            return bits_text(stored);
        }
        record::ValueDecoder decoder(type);
        const auto decoded = decoder.decode(std::as_bytes(std::span<const char>(stored)));
        if (!decoded) {
            return "''";
        }
        const record::Value* const value = *decoded;
        switch (value->kind) {
            case Kind::Integer:
            case Kind::Unsigned: {
                std::string text = value->kind == Kind::Integer
                                       ? fmt::format("{}", value->integer)
                                       : fmt::format("{}", value->unsigned_integer);
                if (type.kind == record::TypeKind::Year) {
                    return fmt::format("{:04}", value->integer);
                }
                return zero_filled(field, std::move(text));
            }
            case Kind::Float:
            case Kind::Double:
                return zero_filled(field,
                                   number_text(value->number, type.digits, type.precision != 0,
                                               value->kind == Kind::Float));
            case Kind::Decimal:
                return zero_filled(field, std::string(value->text));
            case Kind::Text:
                return quote_valid(value->text);
            default:
                return quote_text(value->text);
        }
    }

    void print_key(const FrmKey& key) {
        if (key.name == "PRIMARY") {
            out_ += "PRIMARY KEY";
        } else {
            out_ += key.fulltext()  ? "FULLTEXT KEY "
                    : key.spatial() ? "SPATIAL KEY "
                    : key.unique()  ? "UNIQUE KEY "
                                    : "KEY ";
            out_ += quote_name(key.name);
        }
        out_ += " (";
        std::string_view separator;
        for (std::size_t i = 0; i < key.parts.size(); ++i) {
            const FrmKeyPart& part = key.parts[i];
            const FrmField& field = frm_.fields[part.field];
            if (key.without_overlaps && frm_.application_period && i + 2 >= key.parts.size()) {
                if (i + 1 == key.parts.size()) {
                    out_ += std::string(separator) + quote_name(frm_.application_period->name) +
                            " WITHOUT OVERLAPS";
                }
                continue;
            }
            if (field.visibility >= Visibility::System) {
                continue;  // the end of a row's life, in keys of versioned tables
            }
            out_ += separator;
            out_ += quote_name(field.name);
            if (is_prefix(key, part, field)) {
                out_ += fmt::format("({})", part.length / character_size(field));
            }
            out_ += part.descending ? " DESC" : "";
            separator = ",";
        }
        out_ += ")";
        out_ += key.algorithm == 1                     ? " USING BTREE"
                : key.algorithm == 3 || is_hashed(key) ? " USING HASH"
                                                       : "";
        if ((key.flags & kKeyHasBlockSize) != 0 && key.block_size != frm_.key_block_size) {
            out_ += fmt::format(" KEY_BLOCK_SIZE={}", key.block_size);
        }
        if (!key.comment.empty()) {
            out_ += " COMMENT " + quote_text(key.comment);
        }
        if (!key.parser.empty()) {
            out_ += " /*!50100 WITH PARSER " + quote_name(key.parser) + " */ ";
        }
        print_options(key.options);
        out_ += key.ignored ? " IGNORED" : "";
    }

    /// UNIQUE over whole long columns: kept by a hash.
    static bool is_hashed(const FrmKey& key) { return key.algorithm > 4; }

    static bool is_prefix(const FrmKey& key, const FrmKeyPart& part, const FrmField& field) {
        if (key.fulltext() || key.spatial() || !field.plugin_type.empty()) {
            return false;
        }
        if (is_blob(field.type) || field.type == FrmType::Geometry) {
            return !is_hashed(key) || part.length != 0;  // 0: the whole value
        }
        return (field.type == FrmType::Char || field.type == FrmType::Varchar) &&
               part.length != field.length;
    }

    void print_period(const std::string& name, std::size_t start, std::size_t end) {
        if (start < frm_.fields.size() && end < frm_.fields.size() &&
            frm_.fields[start].visibility < Visibility::System) {
            line();
            out_ += "PERIOD FOR " + name + " (" + quote_name(frm_.fields[start].name) + ", " +
                    quote_name(frm_.fields[end].name) + ")";
        }
    }

    void print_options(const std::vector<FrmOption>& options) {
        for (const FrmOption& option : options) {
            out_ += " " + quote_name(option.name) + "=" + quote_text(option.value);
        }
    }

    void print_table_options() {
        static constexpr std::string_view kRowFormats[] = {
            "", "FIXED", "DYNAMIC", "COMPRESSED", "REDUNDANT", "COMPACT", "PAGE"};
        out_ += " ENGINE=" + (frm_.engine.empty() ? std::string("InnoDB") : frm_.engine);
        if (frm_.sequence) {
            out_ += " SEQUENCE=1";
        }
        if (extras_.next_auto_increment && *extras_.next_auto_increment > 1) {
            out_ += fmt::format(" AUTO_INCREMENT={}", *extras_.next_auto_increment);
        }
        const record::Collation* const collation = record::find_collation(frm_.collation);
        if (collation != nullptr && !frm_.sequence) {
            out_ += fmt::format(" DEFAULT CHARSET={} COLLATE={}", collation->charset->name,
                                collation->name);
        }
        print_number("MIN_ROWS", frm_.min_rows);
        print_number("MAX_ROWS", frm_.max_rows);
        print_number("AVG_ROW_LENGTH", frm_.average_row_length);
        print_flag("PACK_KEYS", kPackKeys, kNoPackKeys);
        print_flag("STATS_PERSISTENT", kStatsPersistent, kNoStatsPersistent);
        if (frm_.stats_auto_recalc == 1 || frm_.stats_auto_recalc == 2) {
            out_ += frm_.stats_auto_recalc == 1 ? " STATS_AUTO_RECALC=1" : " STATS_AUTO_RECALC=0";
        }
        print_number("STATS_SAMPLE_PAGES", frm_.stats_sample_pages);
        print_flag("CHECKSUM", kChecksum, 0);
        print_flag("DELAY_KEY_WRITE", kDelayKeyWrite, 0);
        if (frm_.row_format > 0 && frm_.row_format < std::size(kRowFormats)) {
            out_ += fmt::format(" ROW_FORMAT={}", kRowFormats[frm_.row_format]);
        }
        print_number("KEY_BLOCK_SIZE", frm_.key_block_size);
        if (!frm_.comment.empty()) {
            out_ += " COMMENT=" + quote_text(frm_.comment);
        }
        if (!frm_.connection.empty()) {
            out_ += " CONNECTION=" + quote_text(frm_.connection);
        }
        print_options(frm_.options);
        if (frm_.system_period) {
            out_ += " WITH SYSTEM VERSIONING";
        }
        if (!frm_.partition_clause.empty()) {
            out_ += "\n" + partition_text(frm_.partition_clause);
        }
    }

    void print_number(std::string_view name, std::uint64_t number) {
        if (number != 0) {
            out_ += fmt::format(" {}={}", name, number);
        }
    }

    void print_flag(std::string_view name, std::uint16_t on, std::uint16_t off) {
        if ((frm_.table_options & on) != 0) {
            out_ += fmt::format(" {}=1", name);
        } else if ((frm_.table_options & off) != 0) {
            out_ += fmt::format(" {}=0", name);
        }
    }

    const std::string& name_;
    const Frm& frm_;
    const CreateExtras& extras_;
    std::string out_;
    bool first_ = true;
};

}  // namespace

std::string quote_name(std::string_view name) {
    std::string out = "`";
    for (const char c : name) {
        out += c;
        if (c == '`') {
            out += c;
        }
    }
    return out + "`";
}

std::string type_text(const FrmField& field) {
    if (!field.plugin_type.empty()) {
        return field.plugin_type;
    }
    return plain_type(field) + (field.unireg == kCompressed ? " /*M!100301 COMPRESSED*/" : "");
}

std::string default_clause(const Frm& frm, std::size_t field) {
    return Printer({}, frm, {}).default_clause(field);
}

std::optional<std::uint64_t> next_auto_increment(const Frm& frm, std::uint64_t last) {
    const auto field = std::ranges::find_if(frm.fields, &FrmField::auto_increment);
    if (field == frm.fields.end()) {
        return std::nullopt;
    }
    unsigned bits = 64;
    switch (field->type) {
        case FrmType::Tiny:
            bits = 8;
            break;
        case FrmType::Short:
            bits = 16;
            break;
        case FrmType::Int24:
            bits = 24;
            break;
        case FrmType::Long:
            bits = 32;
            break;
        default:
            break;
    }
    bits -= field->is_signed() ? 1 : 0;
    const std::uint64_t end = bits == 64 ? UINT64_MAX : std::uint64_t{1} << bits;
    return last >= end ? end : last + 1;
}

std::string show_create(const std::string& name, const Frm& frm, const CreateExtras& extras) {
    return Printer(name, frm, extras).run();
}

}  // namespace redoubt::dict
