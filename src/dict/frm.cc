#include "dict/frm.h"

#include <algorithm>
#include <map>

#include "base/integers.h"
#include "record/charset.h"
#include "record/decode.h"

namespace redoubt::dict {
namespace {

// Offsets in the 64-byte header.
constexpr std::size_t kHeaderSize = 64;
constexpr std::size_t kFormatVersion = 2;
constexpr std::size_t kExtra2Size = 4;
constexpr std::size_t kKeyOffset = 6;
constexpr std::size_t kRecordLength = 16;
constexpr std::size_t kMaxRows = 18;
constexpr std::size_t kMinRows = 22;
constexpr std::size_t kTableOptions = 30;
constexpr std::size_t kAverageRowLength = 34;
constexpr std::size_t kCollationLow = 38;
constexpr std::size_t kTransactional = 39;
constexpr std::size_t kRowFormat = 40;
constexpr std::size_t kCollationHigh = 41;
constexpr std::size_t kStatsPages = 42;
constexpr std::size_t kStatsRecalc = 44;
constexpr std::size_t kKeyLength = 47;
constexpr std::size_t kServerVersion = 51;
constexpr std::size_t kExtraLength = 55;
constexpr std::size_t kPartitionEngine = 61;
constexpr std::size_t kKeyBlockSize = 62;
constexpr std::uint8_t kSequence = 0x20;

// Offsets in forminfo.
constexpr std::size_t kFormSize = 288;
constexpr std::size_t kFormComment = 46;
constexpr std::size_t kFormFields = 258;
constexpr std::size_t kFormNames = 268;
constexpr std::size_t kFormIntervals = 270;
constexpr std::size_t kFormIntervalBytes = 274;
constexpr std::size_t kFormComments = 284;
constexpr std::size_t kFormExpressions = 286;
constexpr std::size_t kFieldSize = 17;
constexpr std::size_t kExpressionsHead = 16;
constexpr std::uint8_t kLongComment = 255;

constexpr std::uint16_t kKeyComment = 4096;
constexpr std::uint16_t kKeyParser = 16384;
constexpr std::size_t kFieldsMax = 4096;  // the server's own limit

enum class Extra2 : std::uint8_t {
    Version = 0,
    PartitionEngine = 1,
    Geometry = 2,
    ApplicationPeriod = 3,
    SystemPeriod = 4,
    KeyFlags = 5,
    Options = 128,
    FieldFlags = 129,
    FieldTypes = 130,
    WithoutOverlaps = 131
};
constexpr std::uint8_t kExtra2Required = 128;  // unknown types from here on matter

/// Takes little-endian parts one after the other; never past the end.
class Bytes {
public:
    explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}
    Result<std::span<const std::byte>> take(std::size_t size) {
        if (size > bytes_.size() - at_) {
            return make_error(ErrorCode::Corruption, "the .frm file ends within one of its parts");
        }
        const auto taken = bytes_.subspan(at_, size);
        at_ += size;
        return taken;
    }
    Result<std::uint32_t> number(std::size_t size) {
        ASSIGN_OR_RETURN(const auto bytes, take(size));
        std::uint32_t value = 0;
        for (std::size_t i = size; i-- > 0;) {
            value = (value << 8) | std::to_integer<std::uint32_t>(bytes[i]);
        }
        return value;
    }
    Result<std::string> text(std::size_t size) {
        ASSIGN_OR_RETURN(const auto bytes, take(size));
        return std::string(record::as_text(bytes));
    }
    /// One byte, or 0 and two bytes.
    Result<std::uint32_t> short_length() {
        ASSIGN_OR_RETURN(const std::uint32_t first, number(1));
        return first != 0 ? Result<std::uint32_t>(first) : number(2);
    }
    bool at_end() const { return at_ == bytes_.size(); }
    std::size_t left() const { return bytes_.size() - at_; }
    std::span<const std::byte> rest() const { return bytes_.subspan(at_); }

private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

class Decoder {
public:
    explicit Decoder(std::span<const std::byte> file) : file_(file) {}

    Result<Frm> run() {
        if (file_.size() < kHeaderSize + 4 || byte(0) != 0xFE || byte(1) != 0x01) {
            return make_error(ErrorCode::Corruption, "not a .frm file");
        }
        read_header();
        const std::size_t extra2 = u16(kExtra2Size);
        ASSIGN_OR_RETURN(const auto extra2_bytes, part(kHeaderSize, extra2));
        ASSIGN_OR_RETURN(const auto form_position, part(kHeaderSize + extra2, 4));
        const std::size_t form = little(form_position, 4);
        ASSIGN_OR_RETURN(form_, part(form, kFormSize));
        RETURN_IF_ERROR(read_fields(form + kFormSize));
        const std::size_t key = u16(kKeyOffset);
        const std::size_t key_length = little(file_.subspan(kKeyLength), 4);
        const std::size_t record_length = u16(kRecordLength);
        ASSIGN_OR_RETURN(const auto keys, part(key, key_length));
        RETURN_IF_ERROR(read_keys(keys));
        ASSIGN_OR_RETURN(const auto record, part(key + key_length, record_length));
        frm_.default_record.assign(record.begin(), record.end());
        const std::size_t extra_length = little(file_.subspan(kExtraLength), 4);
        ASSIGN_OR_RETURN(const auto extra, part(key + key_length + record_length, extra_length));
        RETURN_IF_ERROR(read_extra(extra));
        RETURN_IF_ERROR(read_extra2(extra2_bytes));
        return std::move(frm_);
    }

private:
    std::uint8_t byte(std::size_t at) const { return std::to_integer<std::uint8_t>(file_[at]); }
    static std::uint32_t little(std::span<const std::byte> bytes, std::size_t size) {
        return static_cast<std::uint32_t>(load_le(bytes.first(size)));
    }
    std::uint16_t u16(std::size_t at) const {
        return static_cast<std::uint16_t>(little(file_.subspan(at), 2));
    }
    std::uint16_t form16(std::size_t at) const {
        return static_cast<std::uint16_t>(little(form_.subspan(at), 2));
    }
    Result<std::span<const std::byte>> part(std::size_t at, std::size_t size) const {
        if (at > file_.size() || size > file_.size() - at) {
            return make_error(ErrorCode::Corruption,
                              "the .frm file has {} bytes, a part of it ends at {}", file_.size(),
                              at + size);
        }
        return file_.subspan(at, size);
    }

    void read_header() {
        frm_.format_version = byte(kFormatVersion);
        frm_.server_version = little(file_.subspan(kServerVersion), 4);
        frm_.max_rows = little(file_.subspan(kMaxRows), 4);
        frm_.min_rows = little(file_.subspan(kMinRows), 4);
        frm_.table_options = u16(kTableOptions);
        frm_.average_row_length = little(file_.subspan(kAverageRowLength), 4);
        frm_.collation =
            static_cast<std::uint16_t>(byte(kCollationLow) | (byte(kCollationHigh) << 8));
        frm_.transactional = byte(kTransactional);
        frm_.sequence = (byte(kTransactional) & 0x30) == kSequence;
        frm_.row_format = byte(kRowFormat);
        frm_.stats_sample_pages = u16(kStatsPages);
        frm_.stats_auto_recalc = byte(kStatsRecalc);
        frm_.partitioned = byte(kPartitionEngine) != 0;
        frm_.key_block_size = u16(kKeyBlockSize);
    }

    /// Descriptors, names, labels, comments and expressions: everything behind forminfo.
    Status read_fields(std::size_t at) {
        const std::size_t count = form16(kFormFields);
        if (count == 0 || count > kFieldsMax) {
            return make_error(ErrorCode::Corruption, "the .frm file has {} columns", count);
        }
        Bytes from(file_.subspan(at));
        std::vector<std::uint8_t> interval_numbers;
        std::vector<std::uint32_t> comment_lengths;
        for (std::size_t i = 0; i < count; ++i) {
            ASSIGN_OR_RETURN(const auto raw, from.take(kFieldSize));
            FrmField field;
            field.length = little(raw.subspan(3), 2);
            field.record_position = little(raw.subspan(5), 3);
            field.pack_flag = static_cast<std::uint16_t>(little(raw.subspan(8), 2));
            field.unireg = std::to_integer<std::uint8_t>(raw[10]);
            field.type = static_cast<FrmType>(raw[13]);
            field.collation = static_cast<std::uint16_t>(std::to_integer<unsigned>(raw[14]) |
                                                         (std::to_integer<unsigned>(raw[11]) << 8));
            if (field.type == FrmType::Geometry) {
                field.geometry = std::to_integer<std::uint8_t>(raw[14]);
                field.collation = 63;
            }
            interval_numbers.push_back(std::to_integer<std::uint8_t>(raw[12]));
            comment_lengths.push_back(little(raw.subspan(15), 2));
            frm_.fields.push_back(std::move(field));
        }
        ASSIGN_OR_RETURN(const auto names, from.take(form16(kFormNames)));
        RETURN_IF_ERROR(set_names(names));
        ASSIGN_OR_RETURN(const auto intervals, from.take(form16(kFormIntervalBytes)));
        RETURN_IF_ERROR(set_labels(intervals, interval_numbers));
        Bytes comments(from.rest());
        for (std::size_t i = 0; i < count; ++i) {
            ASSIGN_OR_RETURN(frm_.fields[i].comment, comments.text(comment_lengths[i]));
        }
        RETURN_IF_ERROR(from.take(form16(kFormComments)));
        if (const std::size_t size = form16(kFormExpressions); size != 0) {
            ASSIGN_OR_RETURN(const auto expressions, from.take(std::min(size, from.left())));
            RETURN_IF_ERROR(set_expressions(expressions));
        }
        return {};
    }

    Status set_names(std::span<const std::byte> area) {
        std::string_view names = record::as_text(area);
        const char separator = names.empty() ? '\xFF' : names[0];
        for (FrmField& field : frm_.fields) {
            const std::size_t end = names.find(separator, 1);
            if (names.empty() || end == std::string_view::npos) {
                return make_error(ErrorCode::Corruption, "the .frm file lacks column names");
            }
            field.name = names.substr(1, end - 1);
            names.remove_prefix(end);
        }
        return {};
    }

    Status set_labels(std::span<const std::byte> area,
                      const std::vector<std::uint8_t>& interval_numbers) {
        std::vector<std::vector<std::string>> lists;
        std::string_view text = record::as_text(area);
        for (std::size_t i = 0; i < form16(kFormIntervals) && !text.empty(); ++i) {
            const char separator = text[0];
            text.remove_prefix(1);
            std::vector<std::string> labels;
            while (!text.empty() && text[0] != '\0') {
                const std::size_t end = text.find(separator);
                if (end == std::string_view::npos) {
                    return make_error(ErrorCode::Corruption, "the .frm file's labels do not end");
                }
                labels.emplace_back(text.substr(0, end));
                text.remove_prefix(end + 1);
            }
            text.remove_prefix(text.empty() ? 0 : 1);
            lists.push_back(std::move(labels));
        }
        std::vector<bool> as_hex(lists.size());
        for (std::size_t i = 0; i < frm_.fields.size(); ++i) {
            const std::size_t number = interval_numbers[i];
            if (number > lists.size()) {
                return make_error(ErrorCode::Corruption, "the .frm file lacks a list of labels");
            }
            const record::Collation* const collation =
                record::find_collation(frm_.fields[i].collation);
            const bool wide = collation != nullptr && collation->charset->min_size > 1;
            if (number != 0 && (wide || frm_.fields[i].labels_as_hex())) {
                as_hex[number - 1] = true;
            }
        }
        // Columns share a list that says the same; the server then takes it for hex digits for all
        // of them (seen).
        for (std::size_t list = 0; list < lists.size(); ++list) {
            if (as_hex[list]) {
                std::ranges::transform(lists[list], lists[list].begin(), unhex);
            }
        }
        for (std::size_t i = 0; i < frm_.fields.size(); ++i) {
            if (const std::size_t number = interval_numbers[i]; number != 0) {
                FrmField& field = frm_.fields[i];
                field.labels = converted(lists[number - 1], field.collation);
                if (field.type == FrmType::Set && !whole(lists[number - 1], field.collation)) {
                    field.raw_labels =
                        std::make_shared<std::vector<std::string>>(lists[number - 1]);
                }
            }
        }
        return {};
    }

    /// False: one of them ends in the middle of a character. (An ALTER TABLE of the server's makes
    /// such lists.)
    static bool whole(const std::vector<std::string>& labels, unsigned collation_id) {
        const record::Collation* const collation = record::find_collation(collation_id);
        const std::size_t unit = collation == nullptr ? 1 : collation->charset->min_size;
        return std::ranges::all_of(
            labels, [&](const std::string& label) { return label.size() % unit == 0; });
    }

    /// Labels in UTF-8.
    static std::shared_ptr<const std::vector<std::string>> converted(
        const std::vector<std::string>& labels, unsigned collation_id) {
        auto made = std::make_shared<std::vector<std::string>>();
        const record::Collation* const collation = record::find_collation(collation_id);
        if (collation == nullptr) {
            *made = labels;
            return made;
        }
        record::TextConverter converter(*collation->charset);
        std::string scratch;
        for (const std::string& label : labels) {
            made->emplace_back(
                converter.to_utf8(std::as_bytes(std::span<const char>(label)), scratch));
        }
        return made;
    }

    /// Of labels that a list with separators cannot hold, the file has hex digits.
    static std::string unhex(const std::string& text) {
        const auto digit = [](char c) {
            return c >= 'a' ? c - 'a' + 10 : (c >= 'A' ? c - 'A' + 10 : c - '0');
        };
        std::string out;
        for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
            out += static_cast<char>((digit(text[i]) << 4) | (digit(text[i + 1]) & 0xF));
        }
        return out;
    }

    Status set_expressions(std::span<const std::byte> area) {
        Bytes from(area);
        RETURN_IF_ERROR(from.take(kExpressionsHead));
        while (from.left() >= 6) {
            ASSIGN_OR_RETURN(const std::uint32_t kind, from.number(1));
            ASSIGN_OR_RETURN(const std::uint32_t number, from.number(2));
            ASSIGN_OR_RETURN(const std::uint32_t size, from.number(2));
            ASSIGN_OR_RETURN(const std::uint32_t name_size, from.number(1));
            ASSIGN_OR_RETURN(std::string name, from.text(name_size));
            ASSIGN_OR_RETURN(std::string text, from.text(size));
            if (kind == 4) {
                frm_.checks.push_back({std::move(name), std::move(text)});
                continue;
            }
            if (number >= frm_.fields.size() || kind > 4) {
                return make_error(ErrorCode::Corruption,
                                  "the .frm file has an expression for column {}", number);
            }
            FrmField& field = frm_.fields[number];
            if (kind <= 1) {
                field.generated = std::move(text);
                field.stored = kind == 1;
            } else {
                (kind == 2 ? field.default_expression : field.check) = std::move(text);
            }
        }
        return {};
    }

    Status read_keys(std::span<const std::byte> area) {
        Bytes from(area);
        ASSIGN_OR_RETURN(std::uint32_t count, from.number(1));
        ASSIGN_OR_RETURN(const std::uint32_t second, from.number(1));
        RETURN_IF_ERROR(from.take(4));
        if ((count & 128) != 0) {
            count = (count & 127) | (second << 7);
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            RETURN_IF_ERROR(read_key(from));
        }
        ASSIGN_OR_RETURN(const std::uint32_t separator, from.number(1));
        for (FrmKey& key : frm_.keys) {
            const std::string_view rest = record::as_text(from.rest());
            const std::size_t end = rest.find(static_cast<char>(separator));
            if (end == std::string_view::npos) {
                return make_error(ErrorCode::Corruption, "the .frm file lacks key names");
            }
            key.name = rest.substr(0, end);
            RETURN_IF_ERROR(from.take(end + 1));
        }
        RETURN_IF_ERROR(from.take(frm_.keys.empty() ? 0 : 1));
        for (FrmKey& key : frm_.keys) {
            if ((key.flags & kKeyComment) != 0) {
                ASSIGN_OR_RETURN(const std::uint32_t size, from.number(2));
                ASSIGN_OR_RETURN(key.comment, from.text(size));
            }
        }
        return {};
    }

    Status read_key(Bytes& from) {
        FrmKey key;
        ASSIGN_OR_RETURN(const std::uint32_t flags, from.number(2));
        key.flags = static_cast<std::uint16_t>(flags ^ 1);
        RETURN_IF_ERROR(from.take(2));
        ASSIGN_OR_RETURN(const std::uint32_t parts, from.number(1));
        ASSIGN_OR_RETURN(const std::uint32_t algorithm, from.number(1));
        ASSIGN_OR_RETURN(const std::uint32_t block_size, from.number(2));
        key.algorithm = static_cast<std::uint8_t>(algorithm);
        key.block_size = static_cast<std::uint16_t>(block_size);
        for (std::uint32_t i = 0; i < parts; ++i) {
            ASSIGN_OR_RETURN(const auto raw, from.take(9));
            FrmKeyPart part;
            const std::uint32_t number = little(raw, 2) & 0x3FFF;
            if (number == 0 || number > frm_.fields.size()) {
                return make_error(ErrorCode::Corruption, "a key of the .frm file has column {}",
                                  number);
            }
            part.field = number - 1;
            part.descending = (std::to_integer<unsigned>(raw[4]) & 0x80) != 0;
            part.length = static_cast<std::uint16_t>(little(raw.subspan(7), 2));
            key.parts.push_back(part);
        }
        frm_.keys.push_back(std::move(key));
        return {};
    }

    Status read_extra(std::span<const std::byte> area) {
        Bytes from(area);
        if (from.at_end()) {
            return read_comment(from);
        }
        ASSIGN_OR_RETURN(const std::uint32_t connection, from.number(2));
        ASSIGN_OR_RETURN(frm_.connection, from.text(connection));
        if (!from.at_end()) {
            ASSIGN_OR_RETURN(const std::uint32_t engine, from.number(2));
            ASSIGN_OR_RETURN(frm_.engine, from.text(engine));
        }
        if (from.left() >= 5) {
            ASSIGN_OR_RETURN(const std::uint32_t clause, from.number(4));
            ASSIGN_OR_RETURN(frm_.partition_clause, from.text(clause));
            RETURN_IF_ERROR(from.take(std::min<std::size_t>(2, from.left())));
        }
        for (FrmKey& key : frm_.keys) {
            if ((key.flags & kKeyParser) != 0) {
                const std::string_view rest = record::as_text(from.rest());
                const std::size_t end = rest.find('\0');
                if (end == std::string_view::npos) {
                    return make_error(ErrorCode::Corruption, "the .frm file lacks a parser's name");
                }
                key.parser = rest.substr(0, end);
                RETURN_IF_ERROR(from.take(end + 1));
            }
        }
        return read_comment(from);
    }

    Status read_comment(Bytes& from) {
        const auto size = std::to_integer<std::uint8_t>(form_[kFormComment]);
        if (size == kLongComment) {
            ASSIGN_OR_RETURN(const std::uint32_t length, from.number(2));
            ASSIGN_OR_RETURN(frm_.comment, from.text(length));
        } else {
            frm_.comment =
                record::as_text(form_.subspan(kFormComment + 1, std::min<std::size_t>(size, 180)));
        }
        return {};
    }

    Status read_extra2(std::span<const std::byte> area) {
        Bytes from(area);
        while (!from.at_end()) {
            ASSIGN_OR_RETURN(const std::uint32_t type, from.number(1));
            ASSIGN_OR_RETURN(const std::uint32_t size, from.short_length());
            ASSIGN_OR_RETURN(const auto data, from.take(size));
            RETURN_IF_ERROR(read_extra2_part(static_cast<Extra2>(type), data));
        }
        return {};
    }

    Status read_extra2_part(Extra2 type, std::span<const std::byte> data) {
        Bytes from(data);
        switch (type) {
            case Extra2::PartitionEngine:
                frm_.partitioned = true;
                frm_.engine = record::as_text(data);
                return {};
            case Extra2::Geometry:
                return set_srids(from);
            case Extra2::ApplicationPeriod: {
                Frm::Period period;
                ASSIGN_OR_RETURN(const std::uint32_t name, from.number(1));
                ASSIGN_OR_RETURN(period.name, from.text(name));
                ASSIGN_OR_RETURN(const std::uint32_t check, from.number(1));
                RETURN_IF_ERROR(from.take(check));
                ASSIGN_OR_RETURN(const std::uint32_t start, from.number(2));
                ASSIGN_OR_RETURN(const std::uint32_t end, from.number(2));
                period.start = static_cast<std::uint16_t>(start);
                period.end = static_cast<std::uint16_t>(end);
                frm_.application_period = std::move(period);
                return {};
            }
            case Extra2::SystemPeriod: {
                ASSIGN_OR_RETURN(const std::uint32_t start, from.number(2));
                ASSIGN_OR_RETURN(const std::uint32_t end, from.number(2));
                frm_.system_period.emplace(start, end);
                return {};
            }
            case Extra2::KeyFlags:
            case Extra2::WithoutOverlaps:
                for (std::size_t i = 0; i < std::min(data.size(), frm_.keys.size()); ++i) {
                    const bool set = (std::to_integer<unsigned>(data[i]) & 1) != 0;
                    (type == Extra2::KeyFlags ? frm_.keys[i].ignored
                                              : frm_.keys[i].without_overlaps) = set;
                }
                return {};
            case Extra2::Options:
                RETURN_IF_ERROR(read_options(from, frm_.options));
                for (FrmField& field : frm_.fields) {
                    RETURN_IF_ERROR(read_options(from, field.options));
                }
                for (FrmKey& key : frm_.keys) {
                    RETURN_IF_ERROR(read_options(from, key.options));
                }
                return {};
            case Extra2::FieldFlags:
                for (std::size_t i = 0; i < std::min(data.size(), frm_.fields.size()); ++i) {
                    const auto flags = std::to_integer<unsigned>(data[i]);
                    frm_.fields[i].visibility = static_cast<Visibility>(flags & 3);
                    frm_.fields[i].without_versioning = (flags & 8) != 0;
                }
                return {};
            case Extra2::FieldTypes:
                while (!from.at_end()) {
                    ASSIGN_OR_RETURN(const std::uint32_t number, field_number(from));
                    ASSIGN_OR_RETURN(const std::uint32_t size, from.short_length());
                    ASSIGN_OR_RETURN(std::string name, from.text(size));
                    if (number < frm_.fields.size()) {
                        frm_.fields[number].plugin_type = std::move(name);
                    }
                }
                return {};
            case Extra2::Version:
                return {};
        }
        if (static_cast<std::uint8_t>(type) >= kExtra2Required) {
            return make_error(ErrorCode::Unsupported, "the .frm file has an unknown part {}",
                              static_cast<unsigned>(type));
        }
        return {};
    }

    /// As short_length(), but the number may be 0.
    static Result<std::uint32_t> field_number(Bytes& from) {
        if (from.left() >= 3 && from.rest()[0] == std::byte{0}) {
            // 0 and two bytes, if a length and a name follow there; else it is column 0
            const auto rest = from.rest();
            const std::size_t name = std::to_integer<std::size_t>(rest[1]);
            if (name != 0 && rest.size() >= 2 + name) {
                return from.number(1);
            }
        }
        return from.short_length();
    }

    Status read_options(Bytes& from, std::vector<FrmOption>& options) {
        while (!from.at_end()) {
            ASSIGN_OR_RETURN(const std::uint32_t name, from.number(1));
            if (name == 0) {
                return {};
            }
            FrmOption option;
            ASSIGN_OR_RETURN(option.name, from.text(name));
            ASSIGN_OR_RETURN(const std::uint32_t size, from.number(2));
            option.quoted = (size & 0x8000) != 0;
            ASSIGN_OR_RETURN(option.value, from.text(size & 0x7FFF));
            options.push_back(std::move(option));
        }
        return {};
    }

    Status set_srids(Bytes& from) {
        for (FrmField& field : frm_.fields) {
            if (field.type != FrmType::Geometry) {
                continue;
            }
            while (!from.at_end()) {
                ASSIGN_OR_RETURN(const std::uint32_t tag, from.number(1));
                if (tag == 0) {
                    break;
                }
                ASSIGN_OR_RETURN(const std::uint32_t value, from.number(tag == 81 ? 4 : 1));
                if (tag == 81) {
                    field.srid = value;
                }
            }
        }
        return {};
    }

    std::span<const std::byte> file_;
    std::span<const std::byte> form_;
    Frm frm_;
};

}  // namespace

bool is_view(std::span<const std::byte> file) {
    return record::as_text(file).starts_with("TYPE=VIEW");
}

Result<Frm> decode_frm(std::span<const std::byte> file) { return Decoder(file).run(); }

}  // namespace redoubt::dict
